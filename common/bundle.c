#include "common/bundle.h"

#include "common/crc32c.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 8, CHECK = 4, BUNDLE_FILES = 1024, BUNDLE_NAME = 512, PATH_SIZE = 2048 };

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write_u32(uint8_t *at, size_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

// a path that stays below its folder
static bool name_is_safe(const char *name)
{
    if (name[0] == '\0' || name[0] == '/')
        return false;
    for (const char *at = name; at != NULL; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return false;
    return true;
}

// ------ packing

struct packer {
    struct bundle *b;
    size_t         limit, n;
    char           folder[PATH_SIZE];      // of the model, with its slash, or ""
    char           below[3][BUNDLE_NAME];  // meshdir, texturedir, assetdir
    struct error  *err;
};

static int append(struct packer *p, const void *data, size_t size)
{
    if (p->b->size + size > p->limit)
        return error_set(p->err, ERR_MEMORY, "the model's files are more than %zu bytes", p->limit);
    uint8_t *grown = realloc(p->b->bytes, p->b->size + size + 1);
    if (grown == NULL)
        return error_set(p->err, ERR_MEMORY, "no memory for the model's files");
    memcpy(grown + p->b->size, data, size);
    p->b->bytes = grown;
    p->b->size += size;
    return 0;
}

static int append_counted(struct packer *p, const void *data, size_t size)
{
    uint8_t count[4];
    write_u32(count, size);
    int rc = append(p, count, sizeof count);
    return rc == 0 ? append(p, data, size) : rc;
}

static bool is_packed(const struct packer *p, const char *name)
{
    const uint8_t *at = p->b->bytes + HEADER;
    for (size_t i = 0; i < p->n; i++) {
        size_t length = read_u32(at);
        if (length == strlen(name) && memcmp(at + 4, name, length) == 0)
            return true;
        at += 4 + length;
        at += 4 + read_u32(at);
    }
    return false;
}

// the whole file with a 0 behind it; NULL if it cannot be read
static char *read_file(const char *path, size_t limit, size_t *size)
{
    struct stat st;
    FILE       *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return NULL;
    // one byte more than allowed is enough to see that it is too much
    size_t room = (size_t)st.st_size < limit ? (size_t)st.st_size : limit + 1;
    char  *text = malloc(room + 1);
    *size = text != NULL ? fread(text, 1, room, file) : 0;
    if (text != NULL)
        text[*size] = '\0';
    fclose(file);
    return text;
}

// copies the value of the attribute that *at points behind the name of; false at the end of the text
static bool next_value(const char **at, const char *attribute, char *value)
{
    size_t n = strlen(attribute);
    for (const char *found = strstr(*at, attribute); found != NULL;
         found = strstr(found + n, attribute)) {
        const char *quote = found + n + strspn(found + n, " \t\r\n=");
        const char *end = *quote == '"' || *quote == '\'' ? strchr(quote + 1, *quote) : NULL;
        bool        whole = found > *at && strchr(" \t\r\n", found[-1]) != NULL;
        if (!whole || end == NULL || (size_t)(end - quote) > BUNDLE_NAME)
            continue;
        snprintf(value, BUNDLE_NAME, "%.*s", (int)(end - quote - 1), quote + 1);
        *at = end + 1;
        return true;
    }
    return false;
}

static bool is_model(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && (strcmp(name + n - 4, ".xml") == 0 || strcmp(name + n - 4, ".XML") == 0);
}

static int pack_named(struct packer *p, const char *value);

// packs what a model's text names
static int pack_references(struct packer *p, const char *text)
{
    static const char *const directories[] = {"meshdir", "texturedir", "assetdir"};
    char                     value[BUNDLE_NAME];
    for (size_t i = 0; i < 3; i++) {
        const char *at = text;
        if (next_value(&at, directories[i], value))
            memcpy(p->below[i], value, sizeof value);
    }
    int rc = 0;
    for (const char *at = text; rc == 0 && next_value(&at, "file", value);)
        rc = pack_named(p, value);
    return rc;
}

// packs one file by its name below the folder; one that is not there is no error
static int pack_file(struct packer *p, const char *name, bool *there)
{
    char   path[2 * PATH_SIZE];
    size_t size;
    snprintf(path, sizeof path, "%s%s", p->folder, name);
    char *text = read_file(path, p->limit, &size);
    *there = text != NULL;
    if (text == NULL || is_packed(p, name)) {
        free(text);
        return 0;
    }
    int rc = name_is_safe(name) && p->n < BUNDLE_FILES
                 ? append_counted(p, name, strlen(name))
                 : error_set(p->err, ERR_SPEC,
                             "%s: a model's files must lie below its folder, at most %d of them",
                             path, (int)BUNDLE_FILES);
    if (rc == 0)
        rc = append_counted(p, text, size);
    if (rc == 0) {
        p->n++;
        if (is_model(name))
            rc = pack_references(p, text);
    }
    free(text);
    return rc;
}

static int pack_named(struct packer *p, const char *value)
{
    bool there = false;
    int  rc = pack_file(p, value, &there);
    for (size_t i = 0; rc == 0 && !there && i < 3; i++) {
        char        name[2 * BUNDLE_NAME];
        const char *below = p->below[i];
        size_t      n = strlen(below);
        snprintf(name, sizeof name, "%s%s%s", below, n > 0 && below[n - 1] != '/' ? "/" : "",
                 value);
        rc = n > 0 ? pack_file(p, name, &there) : 0;
    }
    return rc;
}

int bundle_pack(struct bundle *b, const char *model, size_t limit, struct error *err)
{
    struct packer p = {.b = b, .limit = limit, .err = err};
    const char   *slash = strrchr(model, '/'), *name = slash != NULL ? slash + 1 : model;
    bool          there = false;
    *b = (struct bundle){0};
    snprintf(p.folder, sizeof p.folder, "%.*s", (int)(name - model), model);
    int rc = append(&p, "CFB1\0\0\0\0", HEADER);
    if (rc == 0)
        rc = pack_file(&p, name, &there);
    if (rc == 0 && !there)
        rc = error_set(err, ERR_SYSTEM, "env.model: %s: %s", model, strerror(errno));
    if (rc < 0)
        return rc;
    uint8_t check[CHECK];
    write_u32(b->bytes + 4, p.n);
    write_u32(check, crc32c(0, b->bytes, b->size));
    return append(&p, check, sizeof check);
}

void bundle_free(struct bundle *b)
{
    free(b->bytes);
    *b = (struct bundle){0};
}

// ------ unpacking

struct reader {
    const uint8_t *at;
    size_t         left, files;
};

struct entry {
    char           name[BUNDLE_NAME];
    const uint8_t *data;
    size_t         size;
};

static bool begin(struct reader *r, const uint8_t *bytes, size_t size)
{
    if (size < HEADER + CHECK || memcmp(bytes, "CFB1", 4) != 0 ||
        crc32c(0, bytes, size - CHECK) != read_u32(bytes + size - CHECK))
        return false;
    *r = (struct reader){bytes + HEADER, size - HEADER - CHECK, read_u32(bytes + 4)};
    return r->files >= 1 && r->files <= BUNDLE_FILES;
}

static bool take(struct reader *r, const uint8_t **data, size_t *size)
{
    if (r->left < 4 || read_u32(r->at) > r->left - 4)
        return false;
    *size = read_u32(r->at);
    *data = r->at + 4;
    r->at += 4 + *size;
    r->left -= 4 + *size;
    return true;
}

static bool next(struct reader *r, struct entry *e)
{
    const uint8_t *name;
    size_t         n;
    if (!take(r, &name, &n) || n >= sizeof e->name || memchr(name, '\0', n) != NULL)
        return false;
    memcpy(e->name, name, n);
    e->name[n] = '\0';
    return name_is_safe(e->name) && take(r, &e->data, &e->size);
}

static int write_entry(const struct entry *e, const char *folder, struct error *err)
{
    char   path[PATH_SIZE];
    size_t root = (size_t)snprintf(path, sizeof path, "%s/", folder);
    snprintf(path + root, sizeof path - root, "%s", e->name);
    for (char *slash = strchr(path + root, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    bool  good = file != NULL && fwrite(e->data, 1, e->size, file) == e->size;
    if (file != NULL)
        good &= fclose(file) == 0;
    return good ? 0 : error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

bool bundle_check(const void *bytes, size_t size)
{
    struct reader r;
    struct entry  e;
    bool          good = begin(&r, bytes, size);
    for (size_t i = 0; good && i < r.files; i++)
        good = next(&r, &e);
    return good && r.left == 0;
}

int bundle_unpack(const void *bytes, size_t size, const char *folder, char *model,
                  size_t model_size, struct error *err)
{
    struct reader r;
    struct entry  e;
    if (!bundle_check(bytes, size) || !begin(&r, bytes, size))
        return error_set(err, ERR_FORMAT, "the model's files arrived damaged");
    for (size_t i = 0; i < r.files && next(&r, &e); i++) {
        if (write_entry(&e, folder, err) < 0)
            return err != NULL ? err->code : ERR_SYSTEM;
        if (i == 0)
            snprintf(model, model_size, "%s/%s", folder, e.name);
    }
    return 0;
}

void bundle_remove(const void *bytes, size_t size, const char *folder)
{
    struct reader r;
    struct entry  e;
    char          path[PATH_SIZE];
    bool          good = begin(&r, bytes, size);
    for (size_t i = 0; good && i < r.files && next(&r, &e); i++) {
        size_t root = (size_t)snprintf(path, sizeof path, "%s/", folder);
        snprintf(path + root, sizeof path - root, "%s", e.name);
        unlink(path);
        // a folder that still holds files stays until its last one goes
        for (char *slash = strrchr(path + root, '/'); slash != NULL;
             slash = strrchr(path + root, '/')) {
            *slash = '\0';
            rmdir(path);
        }
    }
    rmdir(folder);
}
