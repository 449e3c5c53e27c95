// The messages: round trip, truncation at every byte, random bytes; and proto/README.md's tables and
// dumps, which are made here (WRITE_README=1 writes them) and must be what the code sends.
#include "common/rng.h"
#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME = 4096, README = 65536 };

static const uint8_t bytes[32] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40};

// one message of each kind, small enough to be shown
static struct message sample(enum message_kind kind)
{
    struct message    m = {.kind = kind};
    const struct span eight = {bytes, 8}, sixteen = {bytes, 16};
    switch (kind) {
    case MESSAGE_HELLO:
        m.hello = (struct hello){.protocol = MESSAGE_PROTOCOL, .name = "actor-7", .host = "node3"};
        break;
    case MESSAGE_WELCOME:
        m.welcome = (struct welcome){.run_id = 0x1234,
                                     .learner_incarnation = 1,
                                     .slot = 3,
                                     .incarnation = 1048577,
                                     .seed = 5,
                                     .max_rows = 32,
                                     .spec = {"a: 1\n", 5}};
        break;
    case MESSAGE_REFUSED:
        m.refused = (struct refused){.code = REFUSED_FULL, .reason = "no slot"};
        break;
    case MESSAGE_READY:
        m.ready = (struct ready){.task = "Pendulum-v1",
                                 .obs = 3,
                                 .action = 1,
                                 .spec_hash = 0xcafe,
                                 .max_steps = 200,
                                 .threshold = -200,
                                 .low = eight,
                                 .high = eight};
        break;
    case MESSAGE_CREDIT:
        m.credit = (struct credit){.granted = 300, .acknowledged = 200, .min_version = 4};
        break;
    case MESSAGE_TRANSITIONS:
        m.transitions = (struct transitions){
            .slot = 3, .incarnation = 1048577, .first = 201, .n = 1, .rows = sixteen};
        break;
    case MESSAGE_EPISODES:
        m.episodes.list = sixteen;
        break;
    case MESSAGE_STATS:
        m.stats = (struct stats){
            .steps_per_s = 950.5, .version = 4, .weights_age_s = 0.5, .weights_bad = 2};
        break;
    case MESSAGE_EVAL_REQUEST:
        m.eval_request = (struct eval_request){
            .version = 4, .timesteps = 2000, .episodes = 10, .weights = eight};
        break;
    case MESSAGE_EVAL_RESULT:
        m.eval_result = (struct eval_result){.version = 4, .timesteps = 2000, .list = sixteen};
        break;
    case MESSAGE_HEARTBEAT:
        m.heartbeat = (struct heartbeat){.stamp = 77, .answer = true};
        break;
    case MESSAGE_BYE:
        m.bye.last = 300;
        break;
    case MESSAGE_BYE_ACK:
        m.bye_ack.last = 300;
        break;
    case MESSAGE_STOP:
        snprintf(m.stop.reason, sizeof m.stop.reason, "finished");
        m.stop.returns = true;
        break;
    default:
        m.weights = (struct weights_message){
            .run_id = 0x1234, .learner_incarnation = 1, .version = 4, .crc = 1, .floats = eight};
    }
    return m;
}

static void round_trip_gives_the_same_bytes(void **state)
{
    (void)state;
    for (int kind = MESSAGE_HELLO; kind < MESSAGE_KINDS; kind++) {
        uint8_t        frame[FRAME], again[FRAME];
        struct error   err = {0};
        struct message m = sample((enum message_kind)kind), got;
        size_t         n = message_encode(frame, sizeof frame, &m);
        assert_true(n > 0);
        assert_int_equal(message_decode(&got, frame, n, &err), 0);
        assert_int_equal(got.kind, kind);
        assert_int_equal(message_encode(again, sizeof again, &got), n);
        assert_memory_equal(again, frame, n);
        // what does not fit is not written
        assert_int_equal(message_encode(again, n - 1, &m), 0);
    }
}

static void truncation_at_every_byte_is_an_error(void **state)
{
    (void)state;
    for (int kind = MESSAGE_HELLO; kind < MESSAGE_KINDS; kind++) {
        uint8_t        frame[FRAME];
        struct message m = sample((enum message_kind)kind), got;
        size_t         n = message_encode(frame, sizeof frame, &m);
        for (size_t cut = 0; cut < n; cut++) {
            // a copy of its own, so that a sanitizer sees a read beyond the end
            uint8_t     *part = malloc(cut + 1);
            struct error err = {0};
            memcpy(part, frame, cut);
            assert_true(message_decode(&got, part, cut, &err) < 0);
            free(part);
        }
        frame[n] = 0;
        struct error err = {0};
        assert_int_equal(message_decode(&got, frame, n + 1, &err), ERR_FORMAT);
    }
}

static void random_and_changed_bytes_never_do_harm(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_TEST, 0);
    for (int i = 0; i < 200000; i++) {
        uint8_t        frame[FRAME];
        struct error   err = {0};
        struct message m = sample((enum message_kind)(1 + rng_below(&rng, MESSAGE_KINDS - 1))), got;
        size_t         n = message_encode(frame, sizeof frame, &m);
        for (uint64_t k = 1 + rng_below(&rng, 4); k > 0; k--)
            frame[rng_below(&rng, n)] = (uint8_t)rng_next(&rng);
        int rc = message_decode(&got, frame, n, &err);
        assert_true(rc == 0 || rc == ERR_FORMAT || rc == ERR_VERSION);
    }
}

static void lengths_that_promise_more_than_is_there_are_refused(void **state)
{
    (void)state;
    const uint8_t hostile[][6] = {
        {0xdd, 0xff, 0xff, 0xff, 0xff, 0x01},  // an array of 2^32 - 1
        {0x92, 0x06, 0xc6, 0xff, 0xff, 0xff},  // bin 32 cut inside its length
        {0x92, 0x07, 0xdb, 0xff, 0xff, 0xff},  // str 32 likewise
        {0xdf, 0xff, 0xff, 0xff, 0xff, 0x01},  // a map
    };
    for (size_t i = 0; i < 4; i++) {
        struct message m;
        struct error   err = {0};
        assert_int_equal(message_decode(&m, hostile[i], 6, &err), ERR_FORMAT);
    }
}

// ------ the document

// bytes of one MessagePack element of the types that messages use
static size_t element_size(const uint8_t *p)
{
    if (*p < 0x80 || *p >= 0xe0 || *p == 0xc2 || *p == 0xc3 || (*p & 0xf0) == 0x90)
        return 1;
    if ((*p & 0xe0) == 0xa0)
        return 1 + (*p & 0x1fu);
    switch (*p) {
    case 0xc4:
    case 0xd9:
        return 2 + p[1];
    case 0xc5:
    case 0xda:
        return 3 + (size_t)(p[1] << 8 | p[2]);
    case 0xcc:
        return 2;
    case 0xcd:
        return 3;
    case 0xce:
        return 5;
    default:
        return 9;  // uint64, float64
    }
}

static size_t table_write(char *out, enum message_kind kind)
{
    uint8_t        frame[FRAME];
    struct message m = sample(kind);
    size_t         n = message_encode(frame, sizeof frame, &m), at = 0, w = 0;
    const char    *type, *help, *name;
    w +=
        (size_t)sprintf(out + w, "\n### %d %s\n\n| field | type | meaning |\n| --- | --- | --- |\n",
                        kind, message_name(kind));
    for (size_t i = 0; (name = message_field(kind, i, &type, &help)) != NULL; i++)
        w += (size_t)sprintf(out + w, "| %s | %s | %s |\n", name, type, help);
    w += (size_t)sprintf(out + w, "\n```\n");
    for (size_t i = 0; at < n; i++) {
        size_t size = element_size(frame + at);
        for (size_t k = 0; k < size; k++)
            w += (size_t)sprintf(out + w, "%02x%s", frame[at + k],
                                 k + 1 == size  ? ""
                                 : k % 16 == 15 ? "\n"
                                                : " ");
        name = i < 2 ? NULL : message_field(kind, i - 2, &type, &help);
        w += (size_t)sprintf(out + w, "   %s\n",
                             i == 0   ? "array"
                             : i == 1 ? message_name(kind)
                                      : name);
        at += size;
    }
    return w + (size_t)sprintf(out + w, "```\n");
}

static void readme_is_what_the_code_sends(void **state)
{
    (void)state;
    static char       want[README], got[2 * README];
    static const char mark[] = "<!-- made by tests/proto/test_message.c -->\n";
    size_t            n = 0;
    for (int kind = MESSAGE_HELLO; kind < MESSAGE_KINDS; kind++)
        n += table_write(want + n, (enum message_kind)kind);
    FILE *f = fopen("proto/README.md", "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    char *from = strstr(got, mark);
    assert_non_null(from);
    from += strlen(mark);
    if (getenv("WRITE_README") != NULL) {
        *from = '\0';
        f = fopen("proto/README.md", "w");
        assert_non_null(f);
        fprintf(f, "%s%s", got, want);
        fclose(f);
        return;
    }
    assert_string_equal(from, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_gives_the_same_bytes),
        cmocka_unit_test(truncation_at_every_byte_is_an_error),
        cmocka_unit_test(random_and_changed_bytes_never_do_harm),
        cmocka_unit_test(lengths_that_promise_more_than_is_there_are_refused),
        cmocka_unit_test(readme_is_what_the_code_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
