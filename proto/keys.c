#include "proto/keys.h"

#include "common/clock.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_PATH 640
#define KEYS_LOOK_S 1.0  // between two looks at the allow-list

static int path_make(char *out, const char *directory, const char *name, struct error *err)
{
    int n = snprintf(out, KEYS_PATH, "%s/%s", directory, name);
    return n < KEYS_PATH ? 0 : error_set(err, ERR_SYSTEM, "%s: path too long", directory);
}

// ------ writing

static int file_write(const char *path, mode_t mode, const char *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    size_t size = strlen(text);
    bool   whole = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    if (close(fd) != 0 || !whole)
        return error_set(err, ERR_SYSTEM, "%s: cannot write: %s", path, strerror(errno));
    return 0;
}

// one key pair: secret_name with both keys, public_name with one
static int pair_make(const char *directory, const char *secret_name, const char *public_name,
                     struct error *err)
{
    char public_key[LINK_KEY], secret_key[LINK_KEY], path[KEYS_PATH], text[160];
    int  code = link_keypair(public_key, secret_key, err);
    if (code == 0)
        code = path_make(path, directory, secret_name, err);
    snprintf(text, sizeof text, "public %s\nsecret %s\n", public_key, secret_key);
    if (code == 0)
        code = file_write(path, 0600, text, err);
    if (code == 0)
        code = path_make(path, directory, public_name, err);
    snprintf(text, sizeof text, "public %s\n", public_key);
    if (code == 0)
        code = file_write(path, 0644, text, err);
    return code;
}

static int directory_make(const char *path, struct error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

int keys_make(const char *directory, struct error *err)
{
    char allowed[KEYS_PATH];
    int  code = path_make(allowed, directory, "actors", err);
    if (code == 0)
        code = directory_make(directory, err);
    if (code == 0)
        code = directory_make(allowed, err);
    if (code == 0)
        code = pair_make(directory, "learner.key", "learner.pub", err);
    if (code == 0)
        code = pair_make(directory, "actor.key", "actors/actor.pub", err);
    return code;
}

// ------ reading

// Copies the key after `label` at a line's start into key, "" when there is none.
static void text_key(char key[LINK_KEY], const char *text, const char *label)
{
    static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              ".-:+=^!/*?&<>()[]{}@%$#";
    size_t            n = strlen(label);
    key[0] = '\0';
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, label, n) != 0 || line[n] != ' ')
            continue;
        size_t length = strspn(line + n + 1, z85);
        bool   ends = strchr(" \r\n", line[n + 1 + length]) != NULL;
        if (length == LINK_KEY - 1 && ends) {
            memcpy(key, line + n + 1, length);
            key[length] = '\0';
        }
        return;
    }
}

static int file_read(const char *path, char *text, size_t size, bool is_secret, struct error *err)
{
    struct stat st;
    int         fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int code = error_set(err, ERR_SYSTEM, "%s: %s%s", path, strerror(errno),
                             errno == ENOENT ? "; crossfleet-learner keygen DIR makes keys" : "");
        if (fd >= 0)
            close(fd);
        return code;
    }
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    // root gives a secret to a service by its group: Kubernetes and systemd do
    mode_t others = st.st_uid == 0 && geteuid() != 0 ? 027 : 077;
    if (is_secret && (st.st_mode & others) != 0)
        return error_set(err, ERR_SYSTEM, "%s: mode %03o lets others read a secret: chmod 600 it",
                         path, (unsigned)(st.st_mode & 0777));
    return 0;
}

// *secret_key may be NULL: a public file
static int pair_read(const char *directory, const char *name, char public_key[LINK_KEY],
                     char *secret_key, struct error *err)
{
    char path[KEYS_PATH], text[1024];
    int  code = path_make(path, directory, name, err);
    if (code == 0)
        code = file_read(path, text, sizeof text, secret_key != NULL, err);
    if (code < 0)
        return code;
    text_key(public_key, text, "public");
    if (secret_key != NULL)
        text_key(secret_key, text, "secret");
    memset(text, 0, sizeof text);
    if (public_key[0] == '\0' || (secret_key != NULL && secret_key[0] == '\0'))
        return error_set(err, ERR_FORMAT, "%s: no key of 40 characters (Z85) after \"public\"%s",
                         path, secret_key == NULL ? "" : " and \"secret\"");
    return 0;
}

// ------ the allow-list

static bool name_is_public(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".pub") == 0;
}

static bool key_in(char (*list)[LINK_KEY], size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

static void allow_add(struct keys *keys, const char *name)
{
    char         key[LINK_KEY];
    struct error err;
    if (pair_read(keys->directory, name, key, NULL, &err) < 0) {
        log_warn("keys", "%s", err.text);
        return;
    }
    char(*grown)[LINK_KEY] = realloc(keys->allowed, (keys->n_allowed + 1) * sizeof grown[0]);
    if (grown == NULL)
        return;
    keys->allowed = grown;
    memcpy(keys->allowed[keys->n_allowed++], key, LINK_KEY);
}

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

// a number that changes when a file comes, goes, or is written; 0: there is no directory
static uint64_t allow_signature(const struct keys *keys)
{
    DIR     *directory = opendir(keys->directory);
    uint64_t sum = 1;
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat st;
        if (!name_is_public(entry->d_name) || fstatat(dirfd(directory), entry->d_name, &st, 0) != 0)
            continue;
        const int64_t of[] = {(int64_t)st.st_ino, (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
                              (int64_t)st.st_mtim.tv_nsec};
        // files come in any order
        sum += mix(mix(0xcbf29ce484222325u, of, sizeof of), entry->d_name, strlen(entry->d_name));
    }
    closedir(directory);
    return sum == 0 ? 1 : sum;
}

static int allow_read(struct keys *keys, struct error *err)
{
    char(*before)[LINK_KEY] = keys->allowed;
    size_t n_before = keys->n_allowed, gone = 0;
    DIR   *directory = opendir(keys->directory);
    keys->allowed = NULL;
    keys->n_allowed = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (name_is_public(entry->d_name))
            allow_add(keys, entry->d_name);
    for (size_t i = 0; i < n_before; i++)
        gone += !key_in(keys->allowed, keys->n_allowed, before[i]);
    keys->removals += gone > 0;
    free(before);
    if (directory == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", keys->directory, strerror(errno));
    closedir(directory);
    log_info("keys", "%zu keys may connect, %zu no longer", keys->n_allowed, gone);
    return 0;
}

void keys_refresh(struct keys *keys, double now)
{
    struct error err;
    if (now < keys->look_at)
        return;
    keys->look_at = now + KEYS_LOOK_S;
    uint64_t signature = allow_signature(keys);
    if (signature == keys->signature)
        return;
    keys->signature = signature;
    if (allow_read(keys, &err) < 0)
        log_warn("keys", "%s", err.text);
}

bool keys_allow(void *context, const char *key)
{
    struct keys *keys = context;
    keys_refresh(keys, clock_now());
    return key_in(keys->allowed, keys->n_allowed, key);
}

// ------ opening

int keys_open_learner(struct keys *keys, const char *directory, struct error *err)
{
    memset(keys, 0, sizeof *keys);
    int n = snprintf(keys->directory, sizeof keys->directory, "%s/actors", directory);
    if (n >= (int)sizeof keys->directory)
        return error_set(err, ERR_SYSTEM, "%s: path too long", directory);
    keys->signature = allow_signature(keys);
    int code = pair_read(directory, "learner.key", keys->public_key, keys->secret_key, err);
    if (code == 0)
        code = allow_read(keys, err);
    return code;
}

int keys_open_actor(struct keys *keys, const char *directory, struct error *err)
{
    memset(keys, 0, sizeof *keys);
    int code = pair_read(directory, "actor.key", keys->public_key, keys->secret_key, err);
    if (code == 0)
        code = pair_read(directory, "learner.pub", keys->server_key, NULL, err);
    return code;
}

void keys_apply(const struct keys *keys, struct link_options *o)
{
    if (keys == NULL)
        return;
    o->public_key = keys->public_key;
    o->secret_key = keys->secret_key;
    o->server_key = keys->server_key[0] != '\0' ? keys->server_key : NULL;
}

void keys_close(struct keys *keys)
{
    free(keys->allowed);
    memset(keys, 0, sizeof *keys);
}
