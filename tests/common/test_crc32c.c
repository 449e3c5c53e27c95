#include "common/crc32c.h"
#include "common/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// RFC 3720 appendix B.4
static void known_answers_of_the_rfc(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(crc32c(0, down, 32), 0x113fdb5c);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

static void table_and_instruction_agree_at_every_size_and_offset(void **state)
{
    (void)state;
    struct rng rng;
    uint8_t    data[96];
    rng_init(&rng, 1, RNG_TEST, 0);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rng_below(&rng, 256);
    for (size_t from = 0; from < 16; from++)
        for (size_t size = 0; size <= 80; size++)
            assert_int_equal(crc32c(7, data + from, size), crc32c_table(7, data + from, size));
}

static void pieces_give_the_sum_of_the_whole(void **state)
{
    (void)state;
    const char *text = "the quick brown fox jumps over the lazy dog";
    size_t      size = strlen(text);
    for (size_t cut = 0; cut <= size; cut++)
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, size - cut),
                         crc32c(0, text, size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_of_the_rfc),
        cmocka_unit_test(table_and_instruction_agree_at_every_size_and_offset),
        cmocka_unit_test(pieces_give_the_sum_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
