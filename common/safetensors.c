#include "common/safetensors.h"

#include "common/json_scan.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data are little endian"
#endif

enum { HEADER_MAX = 100 * 1000 * 1000 };  // the Python package's own limit

static const struct {
    const char *name;
    size_t      size;
} dtypes[SAFETENSORS_DTYPES] = {
    [SAFETENSORS_BOOL] = {"BOOL", 1}, [SAFETENSORS_U8] = {"U8", 1},
    [SAFETENSORS_I8] = {"I8", 1},     [SAFETENSORS_U16] = {"U16", 2},
    [SAFETENSORS_I16] = {"I16", 2},   [SAFETENSORS_F16] = {"F16", 2},
    [SAFETENSORS_BF16] = {"BF16", 2}, [SAFETENSORS_U32] = {"U32", 4},
    [SAFETENSORS_I32] = {"I32", 4},   [SAFETENSORS_F32] = {"F32", 4},
    [SAFETENSORS_U64] = {"U64", 8},   [SAFETENSORS_I64] = {"I64", 8},
    [SAFETENSORS_F64] = {"F64", 8},
};

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t safetensors_dtype_size(enum safetensors_dtype dtype)
{
    return dtypes[dtype].size;
}

// ------ header

// where the reader is: the scanner, and how much of st is filled
struct header {
    struct json_scan    scan;
    struct safetensors *st;
    char               *text;           // next free byte of st->text
    size_t              room;           // entries of st->tensor
    size_t              room_metadata;  // entries of st->metadata
    const char         *data;
    size_t              data_size;
};

static const char *header_string(struct header *h)
{
    char *start = h->text;
    if (!json_scan_string(&h->scan, start))
        return NULL;
    h->text += strlen(start) + 1;
    return start;
}

// makes room for one more entry of an array that doubles
static void *grown(struct header *h, void *array, size_t used, size_t *room, size_t entry)
{
    if (used < *room)
        return array;
    size_t more = *room == 0 ? 16 : *room * 2;
    void  *bigger = realloc(array, more * entry);
    if (bigger == NULL) {
        json_scan_fail(&h->scan, "no memory");
        return array;
    }
    *room = more;
    return bigger;
}

static bool header_metadata(struct header *h)
{
    struct safetensors *st = h->st;
    if (!json_scan_expect(&h->scan, '{'))
        return false;
    if (json_scan_take(&h->scan, '}'))
        return true;
    do {
        struct safetensors_string s;
        s.key = header_string(h);
        json_scan_expect(&h->scan, ':');
        s.value = header_string(h);
        st->metadata =
            grown(h, st->metadata, st->n_metadata, &h->room_metadata, sizeof *st->metadata);
        if (h->scan.failed != NULL)
            return false;
        st->metadata[st->n_metadata++] = s;
    } while (json_scan_take(&h->scan, ','));
    return json_scan_expect(&h->scan, '}');
}

static bool header_dtype(struct header *h, struct safetensors_tensor *t)
{
    const char *name = header_string(h);
    for (int i = 0; name != NULL && i < SAFETENSORS_DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            t->dtype = (enum safetensors_dtype)i;
            return true;
        }
    return json_scan_fail(&h->scan, "unknown dtype");
}

static bool header_shape(struct header *h, struct safetensors_tensor *t)
{
    t->rank = 0;
    if (!json_scan_expect(&h->scan, '['))
        return false;
    if (json_scan_take(&h->scan, ']'))
        return true;
    do {
        uint64_t length;
        if (t->rank == SAFETENSORS_MAX_RANK)
            return json_scan_fail(&h->scan, "more than 8 dimensions");
        if (!json_scan_uint(&h->scan, &length))
            return false;
        t->shape[t->rank++] = (size_t)length;
    } while (json_scan_take(&h->scan, ','));
    return json_scan_expect(&h->scan, ']');
}

static bool header_offsets(struct header *h, struct safetensors_tensor *t)
{
    uint64_t begin = 0, end = 0;
    json_scan_expect(&h->scan, '[');
    json_scan_uint(&h->scan, &begin);
    if (h->scan.failed == NULL && !json_scan_take(&h->scan, ','))
        return json_scan_fail(&h->scan, "data_offsets are not two numbers");
    json_scan_uint(&h->scan, &end);
    if (h->scan.failed == NULL && !json_scan_take(&h->scan, ']'))
        return json_scan_fail(&h->scan, "data_offsets are not two numbers");
    if (h->scan.failed != NULL)
        return false;
    if (begin > end || end > h->data_size)
        return json_scan_fail(&h->scan, "data_offsets beyond the file");
    t->data = h->data + begin;
    t->size = (size_t)(end - begin);
    return true;
}

// the numbers that shape asks for, against overflow
static bool tensor_count(struct safetensors_tensor *t)
{
    size_t n = 1;
    for (size_t i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(n, t->shape[i], &n))
            return false;
    t->n = n;
    size_t size;
    return !__builtin_mul_overflow(n, dtypes[t->dtype].size, &size) && size == t->size;
}

static bool header_tensor(struct header *h, const char *name)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
    struct safetensors_tensor t = {.name = name};
    unsigned                  seen = 0;
    if (!json_scan_expect(&h->scan, '{'))
        return false;
    do {
        char       *before = h->text;
        const char *key = header_string(h);
        unsigned    field = key == NULL                        ? 0
                            : strcmp(key, "dtype") == 0        ? DTYPE
                            : strcmp(key, "shape") == 0        ? SHAPE
                            : strcmp(key, "data_offsets") == 0 ? OFFSETS
                                                               : 0;
        if (field == 0 || (seen & field) != 0)
            return json_scan_fail(&h->scan, "expected dtype, shape and data_offsets, once each");
        seen |= field;
        h->text = before;
        json_scan_expect(&h->scan, ':');
        if (!(field == DTYPE   ? header_dtype(h, &t)
              : field == SHAPE ? header_shape(h, &t)
                               : header_offsets(h, &t)))
            return false;
        h->text = before;
    } while (json_scan_take(&h->scan, ','));
    if (!json_scan_expect(&h->scan, '}'))
        return false;
    if (seen != (DTYPE | SHAPE | OFFSETS))
        return json_scan_fail(&h->scan, "a tensor without dtype, shape or data_offsets");
    if (!tensor_count(&t))
        return json_scan_fail(&h->scan, "shape and data_offsets differ in size");
    h->st->tensor = grown(h, h->st->tensor, h->st->n, &h->room, sizeof t);
    if (h->scan.failed != NULL)
        return false;
    h->st->tensor[h->st->n++] = t;
    return true;
}

static bool header_read(struct header *h)
{
    bool metadata = false;
    if (!json_scan_expect(&h->scan, '{'))
        return false;
    if (json_scan_take(&h->scan, '}'))
        return json_scan_end(&h->scan);
    do {
        const char *name = header_string(h);
        if (!json_scan_expect(&h->scan, ':'))
            return false;
        if (strcmp(name, "__metadata__") != 0) {
            if (!header_tensor(h, name))
                return false;
            continue;
        }
        if (metadata)
            return json_scan_fail(&h->scan, "__metadata__ twice");
        metadata = true;
        if (!header_metadata(h))
            return false;
    } while (json_scan_take(&h->scan, ','));
    return json_scan_expect(&h->scan, '}') && json_scan_end(&h->scan);
}

// ------ what one tensor alone cannot show

static int by_data(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    // an empty tensor lies before the one that starts at the same byte
    return x->size < y->size ? -1 : x->size > y->size;
}

static int by_name(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int tensors_check(struct safetensors *st, const char *data, size_t data_size,
                         struct error *err)
{
    const char *end = data;
    if (st->n > 0)
        qsort(st->tensor, st->n, sizeof *st->tensor, by_data);
    for (size_t i = 0; i < st->n; i++) {
        const struct safetensors_tensor *t = &st->tensor[i];
        if ((const char *)t->data != end)
            return error_set(err, ERR_FORMAT, "%s: tensor %.100s: data %s", st->label, t->name,
                             (const char *)t->data < end ? "overlap another's" : "after a hole");
        end += t->size;
    }
    if (end != data + data_size)
        return error_set(err, ERR_FORMAT, "%s: %zu bytes that belong to no tensor", st->label,
                         (size_t)(data + data_size - end));
    if (st->n > 0)
        qsort(st->tensor, st->n, sizeof *st->tensor, by_name);
    for (size_t i = 1; i < st->n; i++)
        if (strcmp(st->tensor[i - 1].name, st->tensor[i].name) == 0)
            return error_set(err, ERR_FORMAT, "%s: tensor %.100s twice", st->label,
                             st->tensor[i].name);
    return 0;
}

// ------ reading

int safetensors_parse(struct safetensors *st, const void *bytes, size_t size, const char *label,
                      struct error *err)
{
    memset(st, 0, sizeof *st);
    snprintf(st->label, sizeof st->label, "%s", label);
    uint64_t length = 0;
    if (size < sizeof length)
        return error_set(err, ERR_FORMAT, "%s: no safetensors file: %zu bytes", label, size);
    memcpy(&length, bytes, sizeof length);
    if (length > HEADER_MAX || length > size - sizeof length)
        return error_set(err, ERR_FORMAT,
                         "%s: header of %llu bytes in a file of %zu: cut short, or no safetensors",
                         label, (unsigned long long)length, size);
    // a string without its quotes and escapes is shorter than in the header, by its NUL at least
    st->text = malloc((size_t)length + 1);
    if (st->text == NULL)
        return error_set(err, ERR_MEMORY, "%s: no memory for its header", label);
    const char   *start = (const char *)bytes + sizeof length;
    struct header h = {
        .st = st,
        .text = st->text,
        .data = start + length,
        .data_size = size - sizeof length - (size_t)length,
    };
    json_scan_init(&h.scan, start, (size_t)length);
    if (!header_read(&h))
        return error_set(err, ERR_FORMAT, "%s: header byte %zu: %s", label, h.scan.at,
                         h.scan.failed);
    return tensors_check(st, h.data, h.data_size, err);
}

static int file_read(const char *path, void **bytes, size_t *size, struct error *err)
{
    FILE *in = fopen(path, "rbe");
    if (in == NULL)
        return error_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    int  code = 0;
    long length = fseek(in, 0, SEEK_END) == 0 ? ftell(in) : -1;
    if (length < 0 || length == LONG_MAX || fseek(in, 0, SEEK_SET) != 0) {
        code = error_set(err, ERR_SYSTEM, "%s: not a regular file", path);
    } else if ((*bytes = malloc((size_t)length + 1)) == NULL) {
        code = error_set(err, ERR_MEMORY, "%s: no memory for %ld bytes", path, length);
    } else {
        *size = fread(*bytes, 1, (size_t)length, in);
        if (*size != (size_t)length)
            code = error_set(err, ERR_SYSTEM, "%s: cannot be read: %s", path,
                             ferror(in) ? strerror(errno) : "it shrinks");
    }
    fclose(in);
    return code;
}

int safetensors_load(struct safetensors *st, const char *path, struct error *err)
{
    memset(st, 0, sizeof *st);
    void  *bytes = NULL;
    size_t size = 0;
    int    code = file_read(path, &bytes, &size, err);
    if (code == 0)
        code = safetensors_parse(st, bytes, size, path, err);
    st->bytes = bytes;
    return code;
}

void safetensors_free(struct safetensors *st)
{
    free(st->tensor);
    free(st->metadata);
    free(st->text);
    free(st->bytes);
    memset(st, 0, sizeof *st);
}

// ------ asking

const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name)
{
    struct safetensors_tensor key = {.name = name};
    if (st->n == 0)
        return NULL;
    return bsearch(&key, st->tensor, st->n, sizeof key, by_name);
}

const char *safetensors_metadata(const struct safetensors *st, const char *key)
{
    for (size_t i = 0; i < st->n_metadata; i++)
        if (strcmp(st->metadata[i].key, key) == 0)
            return st->metadata[i].value;
    return NULL;
}

static double half_to_double(uint16_t h)
{
    double   sign = (h & 0x8000) != 0 ? -1 : 1;
    unsigned exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, (int)exponent - 25);
}

static double bfloat_to_double(uint16_t b)
{
    uint32_t bits = (uint32_t)b << 16;
    float    f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

#define NUMBER_AS(type)                                                                            \
    do {                                                                                           \
        type value;                                                                                \
        memcpy(&value, p, sizeof value);                                                           \
        return (double)value;                                                                      \
    } while (0)

double safetensors_number(const struct safetensors_tensor *t, size_t i)
{
    assert(i < t->n);
    const char *p = (const char *)t->data + i * dtypes[t->dtype].size;
    uint16_t    half;
    switch (t->dtype) {
    case SAFETENSORS_BOOL:
    case SAFETENSORS_U8:
        NUMBER_AS(uint8_t);
    case SAFETENSORS_I8:
        NUMBER_AS(int8_t);
    case SAFETENSORS_U16:
        NUMBER_AS(uint16_t);
    case SAFETENSORS_I16:
        NUMBER_AS(int16_t);
    case SAFETENSORS_F16:
        memcpy(&half, p, sizeof half);
        return half_to_double(half);
    case SAFETENSORS_BF16:
        memcpy(&half, p, sizeof half);
        return bfloat_to_double(half);
    case SAFETENSORS_U32:
        NUMBER_AS(uint32_t);
    case SAFETENSORS_I32:
        NUMBER_AS(int32_t);
    case SAFETENSORS_F32:
        NUMBER_AS(float);
    case SAFETENSORS_U64:
        NUMBER_AS(uint64_t);
    case SAFETENSORS_I64:
        NUMBER_AS(int64_t);
    case SAFETENSORS_F64:
        NUMBER_AS(double);
    case SAFETENSORS_DTYPES:
        break;
    }
    return NAN;
}

int safetensors_get(const struct safetensors *st, const char *name, enum safetensors_dtype dtype,
                    void *y, size_t n, struct error *err)
{
    const struct safetensors_tensor *t = safetensors_find(st, name);
    if (t == NULL)
        return error_set(err, ERR_FORMAT, "%s: no tensor %s", st->label, name);
    if (t->dtype != dtype || t->n != n)
        return error_set(err, ERR_FORMAT, "%s: tensor %s: %zu x %s, expected %zu x %s", st->label,
                         name, t->n, dtypes[t->dtype].name, n, dtypes[dtype].name);
    if (n > 0)
        memcpy(y, t->data, t->size);
    return 0;
}
