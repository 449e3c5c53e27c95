#include "common/safetensors.h"

#include "common/atomic_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*c);
        else
            putc(*c, out);
    }
    putc('"', out);
}

static size_t tensor_size(const struct safetensors_tensor *t)
{
    size_t size = safetensors_dtype_size(t->dtype);
    for (size_t i = 0; i < t->rank; i++)
        size *= t->shape[i];
    return size;
}

static void put_tensor(FILE *out, const struct safetensors_tensor *t, size_t begin)
{
    put_string(out, t->name);
    fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", safetensors_dtype_name(t->dtype));
    for (size_t i = 0; i < t->rank; i++)
        fprintf(out, i > 0 ? ",%zu" : "%zu", t->shape[i]);
    fprintf(out, "],\"data_offsets\":[%zu,%zu]}", begin, begin + tensor_size(t));
}

// entries of all tensors whose numbers have `width` bytes; returns where their data end
static size_t put_header_of_width(FILE *out, const struct safetensors_tensor *tensor, size_t n,
                                  size_t width, size_t begin, bool *comma)
{
    for (size_t i = 0; i < n; i++) {
        if (safetensors_dtype_size(tensor[i].dtype) != width)
            continue;
        if (*comma)
            putc(',', out);
        put_tensor(out, &tensor[i], begin);
        *comma = true;
        begin += tensor_size(&tensor[i]);
    }
    return begin;
}

// the header in memory: its length must be known before it is written
static char *header_make(const struct safetensors_tensor *tensor, size_t n,
                         const struct safetensors_string *metadata, size_t n_metadata, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (out == NULL)
        return NULL;
    bool comma = n_metadata > 0;
    putc('{', out);
    for (size_t i = 0; i < n_metadata; i++) {
        fputs(i == 0 ? "\"__metadata__\":{" : ",", out);
        put_string(out, metadata[i].key);
        putc(':', out);
        put_string(out, metadata[i].value);
    }
    if (n_metadata > 0)
        putc('}', out);
    size_t begin = 0;
    for (size_t width = 8; width >= 1; width /= 2)
        begin = put_header_of_width(out, tensor, n, width, begin, &comma);
    putc('}', out);
    // data start at a multiple of 8
    while (fflush(out) == 0 && *size % 8 != 0)
        putc(' ', out);
    bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) {
        free(text);
        return NULL;
    }
    return text;
}

int safetensors_save(const char *path, const struct safetensors_tensor *tensor, size_t n,
                     const struct safetensors_string *metadata, size_t n_metadata,
                     struct error *err)
{
    size_t size = 0;
    char  *header = header_make(tensor, n, metadata, n_metadata, &size);
    if (header == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory for its header", path);
    struct atomic_file file;
    int                code = atomic_file_open(&file, path, err);
    if (code == 0) {
        uint64_t length = size;
        fwrite(&length, sizeof length, 1, file.out);
        fwrite(header, 1, size, file.out);
        for (size_t width = 8; width >= 1; width /= 2)
            for (size_t i = 0; i < n; i++)
                if (safetensors_dtype_size(tensor[i].dtype) == width)
                    fwrite(tensor[i].data, 1, tensor_size(&tensor[i]), file.out);
        code = atomic_file_close(&file, err);
    }
    free(header);
    return code;
}
