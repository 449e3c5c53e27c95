// CURVE on both sockets: who has no fitting key gets nowhere, and who loses it is cut.
#include "actor/weights_recv.h"
#include "tests/wire/learner_rig.h"

static char        folder[32];
static struct keys learner_keys, good_keys, other_keys;
static struct rig  rig;

static void write_public(const char *name, const char *key)
{
    char  path[96];
    FILE *f;
    snprintf(path, sizeof path, "%s/actors/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "public %s\n", key);
    fclose(f);
}

static int keyed_start(void **state)
{
    (void)state;
    struct error err = {0};
    snprintf(folder, sizeof folder, "/tmp/test_wire_XXXXXX");
    assert_non_null(mkdtemp(folder));
    if (keys_make(folder, &err) < 0 || keys_open_learner(&learner_keys, folder, &err) < 0 ||
        keys_open_actor(&good_keys, folder, &err) < 0)
        fail_msg("%s", err.text);
    other_keys = good_keys;
    assert_int_equal(link_keypair(other_keys.public_key, other_keys.secret_key, &err), 0);
    rig_start(&rig, &learner_keys, &good_keys, "spec: text", 6.0);
    rig_goes_on(&rig);
    return 0;
}

static int keyed_stop(void **state)
{
    (void)state;
    char command[64];
    rig_stop(&rig);
    keys_close(&learner_keys);
    keys_close(&good_keys);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void a_peer_without_a_key_is_not_let_in(void **state)
{
    (void)state;
    rig_refuses_mechanism(&rig, "NULL");
}

static void an_unknown_key_is_not_let_in_until_it_is_added(void **state)
{
    (void)state;
    assert_null(rig_actor(&rig, "other", &other_keys, 1.0));
    rig_rejects(&rig, REJECT_HANDSHAKE, 1);
    write_public("other.pub", other_keys.public_key);
    struct transition_send *s = rig_actor(&rig, "other", &other_keys, PATIENCE_S);
    assert_non_null(s);
    rig_actors(&rig, 2);
    assert_int_equal(transition_send_close(s, PATIENCE_S), 0);
}

// polls until what is published last is there, or for seconds
static uint64_t newest(struct weights_recv *w, uint64_t wanted, double seconds)
{
    float    floats[4];
    uint64_t version = 0;
    double   deadline = clock_now() + seconds;
    while (version < wanted && clock_now() < deadline) {
        weights_recv_wait(w, 0.1);
        weights_recv_poll(w, floats, &version);
    }
    return version;
}

static void publish(uint64_t version)
{
    const float floats[4] = {1, 2, 3, 4};
    assert_int_equal(transition_recv_publish(rig.recv, version, floats, 4, NULL), 0);
}

static void a_key_that_is_removed_cuts_its_actor_from_both_sockets(void **state)
{
    (void)state;
    struct error err = {0};
    char         path[96];
    write_public("other.pub", other_keys.public_key);
    struct transition_send *s = rig_actor(&rig, "other", &other_keys, PATIENCE_S);
    struct weights_recv    *good =
        weights_recv_open(rig.hub, rig.address, &good_keys, 4, 1.0, 2.0, &err);
    struct weights_recv *other =
        weights_recv_open(rig.hub, rig.address, &other_keys, 4, 1.0, 2.0, &err);
    assert_true(s != NULL && good != NULL && other != NULL);
    weights_recv_expect(good, 77, 1);
    weights_recv_expect(other, 77, 1);
    publish(1);
    assert_int_equal(newest(good, 1, PATIENCE_S), 1);
    assert_int_equal(newest(other, 1, PATIENCE_S), 1);

    snprintf(path, sizeof path, "%s/actors/other.pub", folder);
    assert_int_equal(unlink(path), 0);
    enum send_event event = SEND_NONE;
    double          deadline = clock_now() + PATIENCE_S;
    while (event != SEND_REFUSED && clock_now() < deadline)
        event = transition_send_poll(s, 0.05);
    assert_int_equal(event, SEND_REFUSED);
    assert_non_null(strstr(transition_send_text(s), "not allowed any more"));
    rig_actors(&rig, 1);
    // it tried to come back on the weights' port at least
    rig_rejects(&rig, REJECT_HANDSHAKE, 2);
    publish(2);
    assert_int_equal(newest(good, 2, PATIENCE_S), 2);
    assert_int_equal(newest(other, 2, 1.0), 0);
    // once the key is back it hears everything again
    write_public("other.pub", other_keys.public_key);
    assert_int_equal(newest(other, 2, PATIENCE_S), 2);
    transition_send_close(s, 0.0);
    weights_recv_close(good);
    weights_recv_close(other);
}

static void another_address_needs_keys_or_insecure(void **state)
{
    (void)state;
    struct error                  err = {0};
    struct rig                    none = {.spec = "", .timeout_s = 6.0};
    struct transition_recv_config c = rig_config(&none, NULL);
    const char *const open[] = {"tcp://0.0.0.0:21998", "tcp://[::]:21998", "tcp://*:21998"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        c.bind[0] = open[i];
        c.insecure = false;
        assert_null(transition_recv_start(&c, &err));
        assert_int_equal(err.code, ERR_SPEC);
        assert_non_null(strstr(err.text, "--keys"));
        assert_non_null(strstr(err.text, "--insecure"));
        assert_non_null(strstr(err.text, open[i]));
    }
    c.bind[0] = open[0];
    c.insecure = true;
    struct transition_recv *recv = transition_recv_start(&c, &err);
    // somebody else may have the port; the address itself is taken
    assert_true(recv != NULL || err.code == ERR_SYSTEM);
    transition_recv_stop(recv, "done", 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_peer_without_a_key_is_not_let_in, keyed_start,
                                        keyed_stop),
        cmocka_unit_test_setup_teardown(an_unknown_key_is_not_let_in_until_it_is_added, keyed_start,
                                        keyed_stop),
        cmocka_unit_test_setup_teardown(a_key_that_is_removed_cuts_its_actor_from_both_sockets,
                                        keyed_start, keyed_stop),
        cmocka_unit_test(another_address_needs_keys_or_insecure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
