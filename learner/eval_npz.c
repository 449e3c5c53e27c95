#include "learner/eval_npz.h"

#include "common/atomic_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NPY_HEAD = 128, ZIP_LOCAL = 30, ZIP_CENTRAL = 46, NPZ_ARRAYS = 3 };

static const char *const npz_names[NPZ_ARRAYS] = {"timesteps.npy", "results.npy", "ep_lengths.npy"};

// ---------------------------------------------------------------- zip

// CRC-32 of IEEE 802.3, which zip uses; crc 0 at the start
static uint32_t npz_crc(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

static void npz_number(FILE *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        putc((int)(value & 0xff), out);
}

// what a member's local and central header share
static void npz_member(FILE *out, const char *name, uint32_t crc, size_t size)
{
    npz_number(out, 20, 2);        // version that can extract it
    npz_number(out, 0, 4);         // no flags, stored
    npz_number(out, 0x210000, 4);  // 1980-01-01
    npz_number(out, crc, 4);
    npz_number(out, size, 4);
    npz_number(out, size, 4);
    npz_number(out, strlen(name), 2);
    npz_number(out, 0, 2);  // no extra field
}

// ---------------------------------------------------------------- arrays

// array i of the archive: its npy header, bytes of data, where they are
static size_t npz_array(const struct eval_npz *z, int i, char head[NPY_HEAD + 1], const void **data)
{
    char shape[64];
    if (i == 0)
        snprintf(shape, sizeof shape, "(%zu,)", z->n);
    else
        snprintf(shape, sizeof shape, "(%zu, %zu)", z->n, z->episodes);
    // magic, version 1.0, length of what follows
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    char text[NPY_HEAD - 10];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
             i == 1 ? "<f8" : "<i8", shape);
    snprintf(head + 10, NPY_HEAD + 1 - 10, "%-117s\n", text);
    *data = i == 0   ? (const void *)z->timesteps
            : i == 1 ? (const void *)z->results
                     : (const void *)z->lengths;
    return 8 * z->n * (i == 0 ? 1 : z->episodes);
}

static void npz_write(FILE *out, const struct eval_npz *z)
{
    char        head[NPY_HEAD + 1];
    const void *data;
    uint32_t    crc[NPZ_ARRAYS];
    size_t      size[NPZ_ARRAYS], offset[NPZ_ARRAYS], at = 0, central = 0;
    for (int i = 0; i < NPZ_ARRAYS; i++) {
        size_t bytes = npz_array(z, i, head, &data);
        crc[i] = npz_crc(npz_crc(0, head, NPY_HEAD), data, bytes);
        size[i] = NPY_HEAD + bytes;
        offset[i] = at;
        npz_number(out, 0x04034b50, 4);
        npz_member(out, npz_names[i], crc[i], size[i]);
        fputs(npz_names[i], out);
        fwrite(head, 1, NPY_HEAD, out);
        fwrite(data, 1, bytes, out);
        at += ZIP_LOCAL + strlen(npz_names[i]) + size[i];
    }
    for (int i = 0; i < NPZ_ARRAYS; i++) {
        npz_number(out, 0x02014b50, 4);
        npz_number(out, 20, 2);
        npz_member(out, npz_names[i], crc[i], size[i]);
        npz_number(out, 0, 2 + 2 + 2 + 4);  // no comment, first disk, plain attributes
        npz_number(out, offset[i], 4);
        fputs(npz_names[i], out);
        central += ZIP_CENTRAL + strlen(npz_names[i]);
    }
    npz_number(out, 0x06054b50, 4);
    npz_number(out, 0, 4);
    npz_number(out, NPZ_ARRAYS, 2);
    npz_number(out, NPZ_ARRAYS, 2);
    npz_number(out, central, 4);
    npz_number(out, at, 4);
    npz_number(out, 0, 2);
}

// ---------------------------------------------------------------- memory

static int npz_reserve(struct eval_npz *z, size_t n, struct error *err)
{
    if (n <= z->capacity)
        return 0;
    size_t   more = n > 2 * z->capacity ? n : 2 * z->capacity;
    int64_t *timesteps = realloc(z->timesteps, more * sizeof *timesteps);
    z->timesteps = timesteps != NULL ? timesteps : z->timesteps;
    double *results = realloc(z->results, more * z->episodes * sizeof *results);
    z->results = results != NULL ? results : z->results;
    int64_t *lengths = realloc(z->lengths, more * z->episodes * sizeof *lengths);
    z->lengths = lengths != NULL ? lengths : z->lengths;
    if (timesteps == NULL || results == NULL || lengths == NULL)
        return error_set(err, ERR_MEMORY, "no memory for %zu evaluations", more);
    z->capacity = more;
    return 0;
}

void eval_npz_free(struct eval_npz *z)
{
    free(z->timesteps);
    free(z->results);
    free(z->lengths);
    *z = (struct eval_npz){.n = 0};
}

// ---------------------------------------------------------------- reading back

// Skips array i's headers; false unless they are the ones that npz_write makes.
static bool npz_skip_head(FILE *in, int i, size_t *n, size_t *episodes)
{
    char local[ZIP_LOCAL + 32], head[NPY_HEAD + 1];
    if (fread(local, 1, ZIP_LOCAL + strlen(npz_names[i]), in) != ZIP_LOCAL + strlen(npz_names[i]) ||
        memcmp(local, "PK\x03\x04", 4) != 0 ||
        memcmp(local + ZIP_LOCAL, npz_names[i], strlen(npz_names[i])) != 0 ||
        fread(head, 1, NPY_HEAD, in) != NPY_HEAD)
        return false;
    head[NPY_HEAD] = '\0';
    const char *shape = strstr(head + 10, "'shape': (");
    return shape != NULL &&
           sscanf(shape + 10, i == 0 ? "%zu," : "%zu, %zu", n, episodes) == 1 + (i > 0);
}

// the number of episodes is known from the second array on, so sizes come from there
static bool npz_read(struct eval_npz *z, FILE *in)
{
    size_t n = 0, rows = 0, episodes = 0;
    if (!npz_skip_head(in, 0, &n, &episodes) || n == 0 || n > 1u << 24)
        return false;
    long timesteps = ftell(in);
    if (fseek(in, (long)(8 * n), SEEK_CUR) != 0 || !npz_skip_head(in, 1, &rows, &episodes) ||
        rows != n || episodes == 0 || episodes > 1u << 16)
        return false;
    z->episodes = episodes;
    if (npz_reserve(z, n, NULL) != 0 || fread(z->results, 8, n * episodes, in) != n * episodes ||
        !npz_skip_head(in, 2, &rows, &episodes) || rows != n || episodes != z->episodes ||
        fread(z->lengths, 8, n * episodes, in) != n * episodes ||
        fseek(in, timesteps, SEEK_SET) != 0 || fread(z->timesteps, 8, n, in) != n)
        return false;
    z->n = n;
    return true;
}

void eval_npz_open(struct eval_npz *z, const char *path, uint64_t limit)
{
    *z = (struct eval_npz){.n = 0};
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return;
    if (!npz_read(z, in))
        eval_npz_free(z);
    fclose(in);
    while (z->n > 0 && (uint64_t)z->timesteps[z->n - 1] > limit)
        z->n--;
}

int eval_npz_add(struct eval_npz *z, const char *path, uint64_t timesteps, const double *returns,
                 const uint64_t *lengths, size_t episodes, struct error *err)
{
    struct atomic_file file;
    if (z->episodes != episodes) {
        eval_npz_free(z);
        z->episodes = episodes;
    }
    int code = npz_reserve(z, z->n + 1, err);
    if (code != 0)
        return code;
    z->timesteps[z->n] = (int64_t)timesteps;
    memcpy(z->results + z->n * episodes, returns, episodes * sizeof *returns);
    for (size_t i = 0; i < episodes; i++)
        z->lengths[z->n * episodes + i] = (int64_t)lengths[i];
    z->n++;
    code = atomic_file_open(&file, path, err);
    if (code != 0)
        return code;
    npz_write(file.out, z);
    return atomic_file_close(&file, err);
}
