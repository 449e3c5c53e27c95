// safetensors files: named tensors and a few strings, as the Python package of that name reads them.
//
//   8 bytes   length of the header, little endian
//   header    JSON: {"__metadata__": {"k": "v"}, "name": {"dtype": "F32", "shape": [2, 3],
//             "data_offsets": [0, 24]}, ...}, padded with blanks
//   data      little endian, row major, tensor after tensor without holes
//
// Everything a file says is checked before it is used: sizes against the file, offsets against
// overlap and holes, names against repetition. Source: the format section of the safetensors README.
#ifndef COMMON_SAFETENSORS_H
#define COMMON_SAFETENSORS_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

enum { SAFETENSORS_MAX_RANK = 8 };

enum safetensors_dtype {
    SAFETENSORS_BOOL,
    SAFETENSORS_U8,
    SAFETENSORS_I8,
    SAFETENSORS_U16,
    SAFETENSORS_I16,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_U32,
    SAFETENSORS_I32,
    SAFETENSORS_F32,
    SAFETENSORS_U64,
    SAFETENSORS_I64,
    SAFETENSORS_F64,
    SAFETENSORS_DTYPES,
};

struct safetensors_tensor {
    const char            *name;
    enum safetensors_dtype dtype;
    size_t                 rank;  // 0: one number
    size_t                 shape[SAFETENSORS_MAX_RANK];
    size_t                 n;     // numbers, the product of shape
    size_t                 size;  // bytes
    const void            *data;  // (n) of dtype; may not be aligned: copy, or read by the getters
};

struct safetensors_string {
    const char *key, *value;
};

struct safetensors {
    char                       label[256];  // file name, for messages
    size_t                     n;
    struct safetensors_tensor *tensor;  // (n) by name
    size_t                     n_metadata;
    struct safetensors_string *metadata;  // (n_metadata) in the file's order
    char                      *text;      // names and strings
    void                      *bytes;     // the file, when safetensors_load read it
};

// Reads a whole file.
//
//   returns  0, or ERR_SYSTEM, ERR_MEMORY, ERR_FORMAT (st is then safe to pass to safetensors_free)
//   owns     the tensors' data too, until safetensors_free
int safetensors_load(struct safetensors *st, const char *path, struct error *err);

// The same from bytes in memory, which stay the caller's and must outlive st.
int safetensors_parse(struct safetensors *st, const void *bytes, size_t size, const char *label,
                      struct error *err);

// Accepts a zeroed or half-built st.
void safetensors_free(struct safetensors *st);

// NULL when there is none of that name.
const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name);

// The metadata string of that key, or NULL.
const char *safetensors_metadata(const struct safetensors *st, const char *key);

// Number i of t, whatever its dtype; i < t->n. U64 and I64 beyond 2^53 are rounded.
double safetensors_number(const struct safetensors_tensor *t, size_t i);

// Copies tensor `name` into y (n). Its dtype must be the one asked for and it must have n numbers.
//
//   returns  0 or ERR_FORMAT, saying which tensor of which file
int safetensors_get(const struct safetensors *st, const char *name, enum safetensors_dtype dtype,
                    void *y, size_t n, struct error *err);

const char *safetensors_dtype_name(enum safetensors_dtype dtype);  // "F32"
size_t      safetensors_dtype_size(enum safetensors_dtype dtype);  // bytes a number

// Writes n tensors (name, dtype, rank, shape and data are read; n and size are not) and metadata
// to path, atomically. Wider numbers come first, so that all data are aligned.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY; path is then as it was
int safetensors_save(const char *path, const struct safetensors_tensor *tensor, size_t n,
                     const struct safetensors_string *metadata, size_t n_metadata,
                     struct error *err);

#endif
