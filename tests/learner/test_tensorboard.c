// The event file, record by record, with a check sum of its own.
#include "learner/tensorboard.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct records {
    uint8_t bytes[65536];
    size_t  size, n;
    size_t  at[32], length[32];  // of each record's data
};

// bit by bit, on purpose unlike common/crc32c.c
static uint32_t slow_masked_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t little(const uint8_t *p, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

// reads and removes the only file of directory
static void read_records(struct records *r, const char *directory)
{
    char           path[512] = "";
    DIR           *dir = opendir(directory);
    struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
    closedir(dir);
    assert_non_null(strstr(path, "/events.out.tfevents."));
    FILE *file = fopen(path, "r");
    r->size = fread(r->bytes, 1, sizeof r->bytes, file);
    fclose(file);
    unlink(path);
    rmdir(directory);
    for (size_t at = 0; at < r->size; r->n++) {
        size_t length = (size_t)little(r->bytes + at, 8);
        assert_int_equal(little(r->bytes + at + 8, 4), slow_masked_crc(r->bytes + at, 8));
        assert_int_equal(little(r->bytes + at + 12 + length, 4),
                         slow_masked_crc(r->bytes + at + 12, length));
        r->at[r->n] = at + 12;
        r->length[r->n] = length;
        at += length + 16;
    }
}

static bool holds(const struct records *r, size_t record, const void *bytes, size_t size)
{
    const uint8_t *data = r->bytes + r->at[record];
    for (size_t i = 0; i + size <= r->length[record]; i++)
        if (memcmp(data + i, bytes, size) == 0)
            return true;
    return false;
}

static struct records *records;

static int make_records(void **state)
{
    (void)state;
    records = calloc(1, sizeof *records);
    return records == NULL;
}

static int free_records(void **state)
{
    (void)state;
    free(records);
    return 0;
}

static void an_event_holds_the_scalars_of_a_step(void **state)
{
    (void)state;
    char               directory[] = "/tmp/crossfleet-tb-XXXXXX";
    struct tensorboard tb;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(tensorboard_open(&tb, directory, 4096, 0, NULL), 0);
    tensorboard_scalar(&tb, "loss", 1.5);
    tensorboard_scalar(&tb, "unknown", NAN);
    assert_int_equal(tensorboard_end(&tb, 300, NULL), 0);
    assert_int_equal(tensorboard_end(&tb, 301, NULL), 0);
    tensorboard_close(&tb);
    read_records(records, directory);
    assert_int_equal(records->n, 2);
    assert_true(holds(records, 0,
                      "\x1a\x0d"
                      "brain.Event:2",
                      15));
    // Summary {Value {tag "loss", simple_value 1.5}} with lengths of five bytes; step 300
    static const uint8_t event[] = {0x2a, 0x91, 0x80, 0x80, 0x80, 0x00, 0x0a, 0x8b,
                                    0x80, 0x80, 0x80, 0x00, 0x0a, 4,    'l',  'o',
                                    's',  's',  0x15, 0,    0,    0xc0, 0x3f};
    static const uint8_t step[] = {0x10, 0xac, 0x02};
    assert_true(holds(records, 1, event, sizeof event));
    assert_true(holds(records, 1, step, sizeof step));
    assert_int_equal(records->length[1], sizeof event + 9 + sizeof step);
}

static void text_and_images_have_their_lengths(void **state)
{
    (void)state;
    char               directory[] = "/tmp/crossfleet-tb-XXXXXX", text[301];
    struct tensorboard tb;
    assert_non_null(mkdtemp(directory));
    memset(text, 'x', 300);
    text[300] = '\0';
    assert_int_equal(tensorboard_open(&tb, directory, 4096, 0, NULL), 0);
    tensorboard_text(&tb, "spec", text);
    tensorboard_end(&tb, 0, NULL);
    tensorboard_image(&tb, "video", 640, 480, "\x89PNG", 4);
    tensorboard_end(&tb, 0, NULL);
    tensorboard_close(&tb);
    read_records(records, directory);
    assert_int_equal(records->n, 3);
    // tensor {dtype 7, string_val (300)}, after a metadata field that names the plug-in
    static const uint8_t tensor[] = {0x42, 0xb1, 0x82, 0x80, 0x80, 0x00,
                                     0x08, 7,    0x42, 0xac, 0x02, 'x'};
    assert_true(holds(records, 1, tensor, sizeof tensor));
    static const uint8_t image[] = {0x22, 0x8e, 0x80, 0x80, 0x80, 0x00, 0x08, 0xe0, 0x03, 0x10,
                                    0x80, 0x05, 0x18, 0x03, 0x22, 4,    0x89, 'P',  'N',  'G'};
    assert_true(holds(records, 2, image, sizeof image));
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    char               directory[] = "/tmp/crossfleet-tb-XXXXXX";
    struct tensorboard tb;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(tensorboard_open(&tb, directory, 30, 0, NULL), 0);
    tensorboard_scalar(&tb, "first", 1);
    tensorboard_scalar(&tb, "a longer name than fits", 2);
    assert_int_equal(tensorboard_end(&tb, 1, NULL), 0);
    tensorboard_close(&tb);
    read_records(records, directory);
    assert_true(holds(records, 1, "first", 5));
    assert_false(holds(records, 1, "longer", 6));
}

static void a_resumed_run_hides_later_points_of_older_files(void **state)
{
    (void)state;
    char               directory[] = "/tmp/crossfleet-tb-XXXXXX";
    struct tensorboard tb;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(tensorboard_open(&tb, directory, 64, 7, NULL), 0);
    tensorboard_close(&tb);
    read_records(records, directory);
    assert_int_equal(records->n, 2);
    assert_true(holds(records, 1, "\x10\x07\x3a\x02\x08\x01", 6));
}

// TensorBoard's own reader, where python3 has it
static void tensorboard_reads_scalars_and_text(void **state)
{
    (void)state;
    char               directory[] = "/tmp/crossfleet-tb-XXXXXX", command[1024], line[256] = "";
    struct tensorboard tb;
    if (system("python3 -c 'import tensorboard' 2>/dev/null") != 0) {
        print_message("no python3 with tensorboard here\n");
        skip();
    }
    assert_non_null(mkdtemp(directory));
    assert_int_equal(tensorboard_open(&tb, directory, 4096, 0, NULL), 0);
    for (uint64_t step = 1000; step <= 3000; step += 1000) {
        tensorboard_scalar(&tb, "time/fps", (double)step / 2);
        tensorboard_scalar(&tb, "train/critic_loss", 0.5);
        if (step == 2000)
            tensorboard_text(&tb, "spec", "a: 1");
        tensorboard_end(&tb, step, NULL);
    }
    tensorboard_close(&tb);
    snprintf(command, sizeof command,
             "python3 -c \"from tensorboard.backend.event_processing.event_accumulator import "
             "EventAccumulator as E; e = E('%s'); e.Reload(); "
             "print([(s.step, s.value) for s in e.Scalars('time/fps')], "
             "len(e.Scalars('train/critic_loss')), e.Tensors('spec')[0].tensor_proto.string_val)\" "
             "2>/dev/null; rm -r %s",
             directory, directory);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    pclose(out);
    assert_string_equal(line, "[(1000, 500.0), (2000, 1000.0), (3000, 1500.0)] 3 [b'a: 1']\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_records, free_records)
    const struct CMUnitTest tests[] = {
        TEST(an_event_holds_the_scalars_of_a_step),
        TEST(text_and_images_have_their_lengths),
        TEST(what_does_not_fit_is_left_out_whole),
        TEST(a_resumed_run_hides_later_points_of_older_files),
        TEST(tensorboard_reads_scalars_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
