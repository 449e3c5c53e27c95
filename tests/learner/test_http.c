// The HTTP port as curl, Prometheus and a browser see it, over loopback.
#include "learner/http.h"
#include "tests/learner/status_sample.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER = 1 << 20 };

struct fixture {
    struct status_store store;
    struct status       status;
    struct http        *http;
    int                 port;
    char                answer[ANSWER];  // head and body, terminated
    char               *body;
};

static int fixture_make(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error    err = {.code = 0};
    *state = f;
    status_store_init(&f->store);
    status_sample(&f->status, 120000);
    snprintf(f->status.version, sizeof f->status.version, "1.2.3");
    f->status.utd = 1;
    for (uint64_t steps = 5000; steps <= 120000; steps += 5000)
        status_curve_add(&f->status.eval, steps, (double)steps / 1000, status_sample_return(steps));
    status_store_put(&f->store, &f->status);
    f->http = http_start(&f->store, "127.0.0.1:0", &err);
    if (f->http == NULL)
        fail_msg("%s", err.text);
    return sscanf(http_url(f->http), "http://127.0.0.1:%d/", &f->port) != 1;
}

static int fixture_remove(void **state)
{
    struct fixture *f = *state;
    http_stop(f->http);
    status_store_free(&f->store);
    free(f);
    return 0;
}

// the status code of an answer that is now in f, 0 when there was none
static int request(struct fixture *f, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    struct timeval     patience = {.tv_sec = 5};
    size_t             used = 0;
    ssize_t            n;
    int                code = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    while ((n = read(fd, f->answer + used, ANSWER - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    f->answer[used] = '\0';
    f->body = strstr(f->answer, "\r\n\r\n");
    if (f->body == NULL || sscanf(f->answer, "HTTP/1.1 %d", &code) != 1)
        return 0;
    f->body += 4;
    return code;
}

static int get(struct fixture *f, const char *path)
{
    char text[256];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
             path);
    return request(f, text);
}

static void health_follows_the_state(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum status_state state;
        int               code;
    } cases[] = {{STATUS_LOADING, 503},    {STATUS_WARMUP, 200},   {STATUS_TRAINING, 200},
                 {STATUS_EVALUATING, 200}, {STATUS_STOPPING, 503}, {STATUS_DONE, 503}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->status.state = cases[i].state;
        status_store_put(&f->store, &f->status);
        assert_int_equal(get(f, "/healthz"), cases[i].code);
    }
}

// ---------------------------------------------------------------- Prometheus

// one sample line: name, optional labels with escapes, a number; the end of the name or NULL
static const char *check_sample(const char *line)
{
    const char *p = line;
    char       *end;
    while (isalnum((unsigned char)*p) || *p == '_' || *p == ':')
        p++;
    const char *name_end = p;
    if (p == line || isdigit((unsigned char)*line))
        return NULL;
    if (*p == '{') {
        p += 1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
        if (*p++ != '=' || *p++ != '"')
            return NULL;
        for (; *p != '"'; p++)
            if (*p == '\0' || (*p == '\\' && strchr("\\\"n", *++p) == NULL))
                return NULL;
        if (*++p != '}')
            return NULL;
        p++;
    }
    if (*p++ != ' ')
        return NULL;
    strtod(p, &end);
    return end > p && *end == '\0' ? name_end : NULL;
}

static void metrics_are_strict_prometheus_text(void **state)
{
    struct fixture *f = *state;
    char            type_of[128] = "", rest[4096];
    size_t          samples = 0;
    assert_int_equal(get(f, "/metrics"), 200);
    assert_non_null(strstr(f->answer, "Content-Type: text/plain; version=0.0.4"));
    assert_int_equal(f->body[strlen(f->body) - 1], '\n');
    for (char *line = f->body, *next; *line != '\0'; line = next) {
        next = strchr(line, '\n');
        *next++ = '\0';
        if (sscanf(line, "# TYPE %127s %4095s", type_of, rest) == 2) {
            assert_true(strcmp(rest, "counter") == 0 || strcmp(rest, "gauge") == 0 ||
                        strcmp(rest, "summary") == 0);
            bool counts = strcmp(rest, "counter") == 0;
            bool total =
                strlen(type_of) > 6 && strcmp(type_of + strlen(type_of) - 6, "_total") == 0;
            assert_int_equal(counts, total);
            continue;
        }
        if (strncmp(line, "# HELP ", 7) == 0)
            continue;
        const char *name_end = check_sample(line);
        if (name_end == NULL)
            fail_msg("not a sample: %s", line);
        // every sample stands under its own TYPE line
        assert_int_equal(strlen(type_of), name_end - line);
        assert_memory_equal(line, type_of, strlen(type_of));
        samples++;
    }
    assert_true(samples > 30);
}

static void metrics_have_the_names_that_scripts_rely_on(void **state)
{
    struct fixture          *f = *state;
    static const char *const lines[] = {
        "\ncrossfleet_env_steps_total 120000\n",
        "\ncrossfleet_updates_total 119000\n",
        "\ncrossfleet_episodes_total 0\n",
        "\ncrossfleet_replay_rows 120000\n",
        "\ncrossfleet_actors 4\n",
        "\ncrossfleet_transitions_lost_total 0\n",
        "\ncrossfleet_transitions_duplicate_total 7\n",
        "\ncrossfleet_messages_rejected_total{reason=\"malformed\"} 3\n",
        "\ncrossfleet_messages_rejected_total{reason=\"older \\\"incarnation\\\"\\\\\"} 1\n",
        "\ncrossfleet_utd_ratio 1\n",
        "\ncrossfleet_limiter_wait_seconds_total{reason=\"samples\"} 30\n",
        "\ncrossfleet_policy_lag_versions{quantile=\"0.99\"} 4\n",
        "\ncrossfleet_weights_version 2400\n",
        "\ncrossfleet_episode_return{stat=\"mean\"} NaN\n",
        "\ncrossfleet_eval_return{stat=\"best\"} NaN\n",
        "\nprocess_resident_memory_bytes 0\n",
    };
    assert_int_equal(get(f, "/metrics"), 200);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(f->body, lines[i]) == NULL)
            fail_msg("missing:%s", lines[i]);
    size_t n = 0;
    for (const char *p = f->body; (p = strstr(p, "\ncrossfleet_actors")) != NULL; p++)
        n++;
    assert_int_equal(n, 1);
}

// ---------------------------------------------------------------- JSON

static const char *skip_json(const char *p);

static const char *skip_json_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\')
            p++;
    }
    return p + 1;
}

// past a list of values (keys before them in an object), or NULL
static const char *skip_json_list(const char *p, char close)
{
    if (*++p == close)
        return p + 1;
    for (;; p++) {
        if (close == '}') {
            p = *p == '"' ? skip_json_string(p) : NULL;
            if (p == NULL || *p++ != ':')
                return NULL;
        }
        p = skip_json(p);
        if (p == NULL || (*p != ',' && *p != close))
            return NULL;
        if (*p == close)
            return p + 1;
    }
}

static const char *skip_json(const char *p)
{
    char *end;
    if (*p == '{' || *p == '[')
        return skip_json_list(p, *p == '{' ? '}' : ']');
    if (*p == '"')
        return skip_json_string(p);
    if (strncmp(p, "null", 4) == 0)
        return p + 4;
    if (*p != '-' && !isdigit((unsigned char)*p))
        return NULL;
    strtod(p, &end);
    return end;
}

static void status_is_one_json_object(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/status.json"), 200);
    assert_non_null(strstr(f->answer, "Content-Type: application/json"));
    const char *end = skip_json(f->body);
    assert_non_null(end);
    assert_string_equal(end, "\n");
    assert_non_null(strstr(f->body, "\"host\":\"<b>\\\"node\\\"&'7'\""));
    assert_non_null(strstr(f->body, "</script> & \\\\ \\u0009 end\\u000a\""));
    assert_non_null(strstr(f->body, "\"eval_best\":null"));
    assert_non_null(strstr(f->body, "\"eval_curve\":[[5000,5,"));
}

// ---------------------------------------------------------------- rest

static void other_paths_methods_and_noise_are_answered_and_cut(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/etc/passwd"), 404);
    assert_int_equal(get(f, "/../metrics"), 404);
    assert_int_equal(request(f, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                "Content-Length: 4\r\n\r\nstop"),
                     405);
    assert_int_equal(request(f, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200);
    assert_string_equal(f->body, "");
    assert_int_not_equal(request(f, "nonsense\r\n\r\n"), 200);
    assert_int_equal(get(f, "/healthz"), 200);
}

static void a_taken_port_is_refused_when_named_and_stepped_over_by_default(void **state)
{
    struct fixture *f = *state;
    struct error    err = {.code = 0};
    char            address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", f->port);
    assert_null(http_start(&f->store, address, &err));
    assert_non_null(strstr(err.text, address));
    assert_null(http_start(&f->store, "9100", &err));
    assert_null(http_start(&f->store, "127.0.0.1:99999", &err));
    assert_int_equal(err.code, ERR_SPEC);
    struct http *first = http_start(&f->store, NULL, &err);
    struct http *second = http_start(&f->store, NULL, &err);
    assert_non_null(first);
    assert_non_null(second);
    assert_string_not_equal(http_url(first), http_url(second));
    http_stop(first);
    http_stop(second);
}

static void the_page_needs_nothing_from_outside(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/"), 200);
    assert_non_null(strstr(f->answer, "default-src 'none'"));
    assert_non_null(strstr(f->body, "<html lang=\"en\">"));
    assert_null(strstr(f->body, "http://"));
    assert_null(strstr(f->body, "https://"));
    assert_null(strstr(f->body, "src="));
}

// the page as a browser leaves it after its script has run; skipped where there is no chromium
static void a_browser_draws_curve_numbers_and_actors(void **state)
{
    struct fixture *f = *state;
    char            command[512];
    if (system("command -v chromium >/dev/null 2>&1") != 0) {
        print_message("no chromium here\n");
        skip();
    }
    snprintf(command, sizeof command,
             "timeout 300 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
             "--virtual-time-budget=3000 "
             "--dump-dom %s 2>/dev/null",
             http_url(f->http));
    FILE *out = popen(command, "r");
    assert_non_null(out);
    f->answer[fread(f->answer, 1, ANSWER - 1, out)] = '\0';
    assert_int_equal(pclose(out), 0);
    static const char *const wanted[] = {
        "<title>60% HalfCheetah-v5 - crossfleet</title>",
        "120,000 of 200,000 steps, 119,000 updates",
        "CrossQ on HalfCheetah-v5, seed 1",
        "<path class=\"eval\" d=\"M",
        "<td class=\"word mark silent\">silent</td>",
        "&lt;b&gt;\"node\"&amp;'7'",
        "17 s ago",
        "wanted 1</small>",
        "# &lt;/script&gt; &amp; \\",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(f->answer, wanted[i]) == NULL)
            fail_msg("the page lacks %s", wanted[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_remove)
    const struct CMUnitTest tests[] = {
        TEST(health_follows_the_state),
        TEST(metrics_are_strict_prometheus_text),
        TEST(metrics_have_the_names_that_scripts_rely_on),
        TEST(status_is_one_json_object),
        TEST(other_paths_methods_and_noise_are_answered_and_cut),
        TEST(a_taken_port_is_refused_when_named_and_stepped_over_by_default),
        TEST(the_page_needs_nothing_from_outside),
        TEST(a_browser_draws_curve_numbers_and_actors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
