#include "common/rng.h"
#include "common/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// ------ helpers

// a file in memory: its length, header and n zero bytes of data
struct image {
    char   bytes[4096];
    size_t size;
};

static void image_make(struct image *m, const char *header, size_t n_data)
{
    uint64_t length = strlen(header);
    memset(m, 0, sizeof *m);
    memcpy(m->bytes, &length, 8);
    memcpy(m->bytes + 8, header, length);
    m->size = 8 + length + n_data;
    assert_true(m->size <= sizeof m->bytes);
}

static void assert_refused(const char *header, size_t n_data, const char *message)
{
    struct image       m;
    struct safetensors st;
    struct error       err = {0};
    image_make(&m, header, n_data);
    assert_int_equal(safetensors_parse(&st, m.bytes, m.size, "f", &err), ERR_FORMAT);
    assert_string_equal(err.text, message);
    safetensors_free(&st);
}

static char *temp_path(char *path, size_t size)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/test_safetensors.%ld", folder != NULL ? folder : "/tmp",
             (long)getpid());
    return path;
}

static const float   floats[6] = {1, -2, 0.5f, 3e-8f, 1e30f, -0.0f};
static const double  doubles[2] = {1.0 / 3, -1e300};
static const uint8_t bytes3[3] = {1, 0, 255};
static const int64_t longs[1] = {-9007199254740991};

static void save_example(const char *path)
{
    struct safetensors_tensor t[] = {
        {.name = "b", .dtype = SAFETENSORS_U8, .rank = 1, .shape = {3}, .data = bytes3},
        {.name = "a.weight", .dtype = SAFETENSORS_F32, .rank = 2, .shape = {2, 3}, .data = floats},
        {.name = "x", .dtype = SAFETENSORS_F64, .rank = 1, .shape = {2}, .data = doubles},
        {.name = "scalar", .dtype = SAFETENSORS_I64, .rank = 0, .data = longs},
        {.name = "empty", .dtype = SAFETENSORS_F32, .rank = 2, .shape = {0, 5}, .data = floats},
    };
    struct safetensors_string s[] = {
        {"layers", "[\"a\\b\"]\n\t\x01"},
        {"gr\xc3\xbc\xc3\x9f", "\xf0\x9f\x98\x80"},
    };
    struct error err = {0};
    assert_int_equal(safetensors_save(path, t, 5, s, 2, &err), 0);
}

// ------ tests

static void a_saved_file_loads_as_it_was(void **state)
{
    (void)state;
    char               path[512];
    struct safetensors st;
    struct error       err = {0};
    save_example(temp_path(path, sizeof path));
    assert_int_equal(safetensors_load(&st, path, &err), 0);
    assert_int_equal(st.n, 5);
    float y[6];
    assert_int_equal(safetensors_get(&st, "a.weight", SAFETENSORS_F32, y, 6, &err), 0);
    assert_memory_equal(y, floats, sizeof y);
    const struct safetensors_tensor *t = safetensors_find(&st, "a.weight");
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 3);
    assert_true(safetensors_number(safetensors_find(&st, "x"), 1) == doubles[1]);
    assert_true(safetensors_number(safetensors_find(&st, "b"), 2) == 255);
    t = safetensors_find(&st, "scalar");
    assert_int_equal(t->n, 1);
    assert_true(safetensors_number(t, 0) == -9007199254740991.0);
    assert_int_equal(safetensors_find(&st, "empty")->n, 0);
    assert_null(safetensors_find(&st, "c"));
    assert_string_equal(safetensors_metadata(&st, "layers"), "[\"a\\b\"]\n\t\x01");
    assert_string_equal(safetensors_metadata(&st, "gr\xc3\xbc\xc3\x9f"), "\xf0\x9f\x98\x80");
    assert_null(safetensors_metadata(&st, "version"));
    safetensors_free(&st);
    unlink(path);
}

static void data_of_a_saved_file_are_aligned(void **state)
{
    (void)state;
    char               path[512];
    struct safetensors st;
    struct error       err = {0};
    save_example(temp_path(path, sizeof path));
    assert_int_equal(safetensors_load(&st, path, &err), 0);
    for (size_t i = 0; i < st.n; i++)
        assert_int_equal(((const char *)st.tensor[i].data - (const char *)st.bytes) %
                             (long)safetensors_dtype_size(st.tensor[i].dtype),
                         0);
    safetensors_free(&st);
    unlink(path);
}

static void a_file_of_no_tensors_is_one(void **state)
{
    (void)state;
    struct image       m;
    struct safetensors st;
    struct error       err = {0};
    image_make(&m, "{}", 0);
    assert_int_equal(safetensors_parse(&st, m.bytes, m.size, "f", &err), 0);
    assert_int_equal(st.n, 0);
    assert_null(safetensors_find(&st, "a"));
    safetensors_free(&st);
}

static void get_says_what_does_not_fit(void **state)
{
    (void)state;
    struct image       m;
    struct safetensors st;
    struct error       err = {0};
    float              y[4];
    image_make(&m, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    assert_int_equal(safetensors_parse(&st, m.bytes, m.size, "f", &err), 0);
    assert_int_equal(safetensors_get(&st, "b", SAFETENSORS_F32, y, 2, &err), ERR_FORMAT);
    assert_string_equal(err.text, "f: no tensor b");
    assert_int_equal(safetensors_get(&st, "a", SAFETENSORS_F32, y, 4, &err), ERR_FORMAT);
    assert_string_equal(err.text, "f: tensor a: 2 x F32, expected 4 x F32");
    assert_int_equal(safetensors_get(&st, "a", SAFETENSORS_F64, y, 2, &err), ERR_FORMAT);
    safetensors_free(&st);
}

static void escapes_in_names_are_read(void **state)
{
    (void)state;
    struct image       m;
    struct safetensors st;
    struct error       err = {0};
    image_make(&m,
               "{ \"__metadata__\" : {\"\\u0061\\/\\n\" : \"\\ud83d\\ude00\\u00e9\\u20ac\"} , "
               "\"t\\t\":{\"shape\":[],\"data_offsets\":[0,2],\"dtype\":\"F16\"}}  ",
               2);
    assert_int_equal(safetensors_parse(&st, m.bytes, m.size, "f", &err), 0);
    assert_string_equal(safetensors_metadata(&st, "a/\n"), "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac");
    assert_non_null(safetensors_find(&st, "t\t"));
    safetensors_free(&st);
}

static void half_precision_is_read(void **state)
{
    (void)state;
    const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555};
    const uint16_t brain[] = {0x3f80, 0xc000};

    struct safetensors_tensor h = {.dtype = SAFETENSORS_F16, .n = 6, .data = half};
    struct safetensors_tensor b = {.dtype = SAFETENSORS_BF16, .n = 2, .data = brain};
    assert_true(safetensors_number(&h, 0) == 1);
    assert_true(safetensors_number(&h, 1) == -2);
    assert_true(safetensors_number(&h, 2) == 0x1p-24);
    assert_true(safetensors_number(&h, 3) == 65504);
    assert_true(safetensors_number(&h, 4) > 1e300);
    assert_true(safetensors_number(&h, 5) == 1365.0 / 4096);
    assert_true(safetensors_number(&b, 0) == 1);
    assert_true(safetensors_number(&b, 1) == -2);
}

#define T(name, rest) "\"" name "\":{\"dtype\":\"F32\"," rest "}"

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    assert_refused("", 0, "f: header byte 0: expected {");
    assert_refused("{", 0, "f: header byte 1: expected a string");
    assert_refused("{\"a\":1}", 0, "f: header byte 5: expected {");
    assert_refused("{} x", 0, "f: header byte 3: more than one value");
    assert_refused("{\"a\"}", 0, "f: header byte 4: expected :");
    assert_refused("{\"a\\x\":1}", 0, "f: header byte 4: unknown escape");
    assert_refused("{\"a\\u0000\":1}", 0, "f: header byte 9: NUL in a string");
    assert_refused("{\"\\ud800\":1}", 0, "f: header byte 8: half a surrogate pair");
    assert_refused("{\"\xff\":1}", 0, "f: header byte 2: bad byte in a string");
    assert_refused("{\"\xc0\x80\":1}", 0, "f: header byte 2: bad byte in a string");
    assert_refused("{" T("a", "\"shape\":[1]") "}", 0,
                   "f: header byte 32: a tensor without dtype, shape or data_offsets");
    assert_refused("{\"a\":{\"dtype\":\"F31\"}}", 0, "f: header byte 19: unknown dtype");
    assert_refused("{" T("a", "\"shape\":[1,],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 31: expected a whole number");
    assert_refused("{" T("a", "\"shape\":[-1],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 29: expected a whole number");
    assert_refused("{" T("a", "\"shape\":[1.5],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 30: expected , or ]");
    assert_refused("{" T("a", "\"shape\":[99999999999999999999],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 48: number beyond 64 bits");
    assert_refused("{" T("a", "\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 45: more than 8 dimensions");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[0,8]") "}", 4,
                   "f: header byte 52: data_offsets beyond the file");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[4,0]") "}", 4,
                   "f: header byte 52: data_offsets beyond the file");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[0]") "}", 4,
                   "f: header byte 49: data_offsets are not two numbers");
    assert_refused("{" T("a", "\"shape\":[2],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 53: shape and data_offsets differ in size");
    // the product of the shape and its bytes overflow to what would fit
    assert_refused("{" T("a", "\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]") "}", 0,
                   "f: header byte 73: shape and data_offsets differ in size");
    assert_refused("{" T("a", "\"shape\":[4611686018427387904],\"data_offsets\":[0,0]") "}", 0,
                   "f: header byte 71: shape and data_offsets differ in size");
    assert_refused("{" T("a", "\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]") "}", 4,
                   "f: header byte 39: expected dtype, shape and data_offsets, once each");
    assert_refused("{\"__metadata__\":{\"a\":1}}", 0, "f: header byte 21: expected a string");
    assert_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0,
                   "f: header byte 34: __metadata__ twice");
}

static void overlap_holes_and_repeated_names_are_refused(void **state)
{
    (void)state;
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[0,4]") "," T(
                       "b", "\"shape\":[1],\"data_offsets\":[0,4]") "}",
                   4, "f: tensor b: data overlap another's");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[4,8]") "}", 8,
                   "f: tensor a: data after a hole");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[0,4]") "}", 5,
                   "f: 1 bytes that belong to no tensor");
    assert_refused("{}", 1, "f: 1 bytes that belong to no tensor");
    assert_refused("{" T("a", "\"shape\":[1],\"data_offsets\":[0,4]") "," T(
                       "a", "\"shape\":[1],\"data_offsets\":[4,8]") "}",
                   8, "f: tensor a twice");
}

static void a_header_longer_than_the_file_is_refused(void **state)
{
    (void)state;
    struct safetensors st;
    struct error       err = {0};
    const uint64_t     lengths[] = {1, 100000000, 100000001, UINT64_MAX, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(safetensors_parse(&st, &lengths[i], 8, "f", &err), ERR_FORMAT);
        safetensors_free(&st);
    }
    assert_string_equal(
        err.text,
        "f: header of 9223372036854775808 bytes in a file of 8: cut short, or no safetensors");
}

// a copy of exactly `size` bytes, so that a sanitizer sees each byte read beyond them
static int parse_exact(const void *data, size_t size)
{
    struct safetensors st;
    char              *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    int code = safetensors_parse(&st, copy, size, "f", NULL);
    safetensors_free(&st);
    free(copy);
    return code;
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    char               path[512];
    struct safetensors st;
    struct error       err = {0};
    save_example(temp_path(path, sizeof path));
    assert_int_equal(safetensors_load(&st, path, &err), 0);
    FILE  *in = fopen(path, "rb");
    size_t size = fread(st.bytes, 1, 4096, in);
    fclose(in);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(parse_exact(st.bytes, cut), ERR_FORMAT);
    assert_int_equal(parse_exact(st.bytes, size), 0);
    safetensors_free(&st);
    unlink(path);
}

static void random_bytes_never_crash(void **state)
{
    (void)state;
    struct rng   rng;
    struct image m;
    rng_init(&rng, 2, RNG_TEST, 0);
    image_make(&m,
               "{\"__metadata__\":{\"k\":\"v\\u0041\"}," T(
                   "a", "\"shape\":[1,1],\"data_offsets\":["
                        "0,4]") "," T("b", "\"shape\":[2],\"data_offsets\":[4,12]") "}",
               12);
    for (int round = 0; round < 20000; round++) {
        struct image x = m;
        for (uint64_t i = rng_below(&rng, 4) + 1; i > 0; i--)
            x.bytes[8 + rng_below(&rng, x.size - 8)] = (char)rng_below(&rng, 256);
        parse_exact(x.bytes, x.size);
        uint64_t length = rng_below(&rng, 64);
        for (size_t i = 8; i < x.size; i++)
            x.bytes[i] = "{}[]:,\"\\u0a1 "[rng_below(&rng, 13)];
        memcpy(x.bytes, &length, 8);
        parse_exact(x.bytes, x.size);
    }
}

static void a_failed_save_keeps_the_old_file(void **state)
{
    (void)state;
    struct error              err = {0};
    struct safetensors_tensor t = {.name = "a", .rank = 0, .data = bytes3};
    assert_int_equal(safetensors_save("/nonexistent/a", &t, 1, NULL, 0, &err), ERR_SYSTEM);
    assert_string_equal(err.text, "/nonexistent/a.tmp: No such file or directory");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct safetensors st;
    struct error       err = {0};
    assert_int_equal(safetensors_load(&st, "/nonexistent/a", &err), ERR_SYSTEM);
    assert_string_equal(err.text, "/nonexistent/a: No such file or directory");
    safetensors_free(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_file_loads_as_it_was),
        cmocka_unit_test(data_of_a_saved_file_are_aligned),
        cmocka_unit_test(a_file_of_no_tensors_is_one),
        cmocka_unit_test(get_says_what_does_not_fit),
        cmocka_unit_test(escapes_in_names_are_read),
        cmocka_unit_test(half_precision_is_read),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(overlap_holes_and_repeated_names_are_refused),
        cmocka_unit_test(a_header_longer_than_the_file_is_refused),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(random_bytes_never_crash),
        cmocka_unit_test(a_failed_save_keeps_the_old_file),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
