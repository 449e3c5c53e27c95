#include "learner/status_client.h"

#include "common/clock.h"
#include "learner/status.h"

#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CLIENT_ANSWER = 4 << 20, CLIENT_SILENCE_S = 5, CLIENT_BAR = 40 };

// ---------------------------------------------------------------- HTTP

struct client_address {
    char host[128], port[8];
};

static int client_parse(struct client_address *a, const char *url, struct error *err)
{
    const char *rest = strncmp(url, "http://", 7) == 0 ? url + 7 : url;
    size_t      length = strcspn(rest, "/");
    const char *host_end = rest[0] == '[' ? strchr(rest, ']') : strchr(rest, ':');
    const char *start = rest[0] == '[' ? rest + 1 : rest;
    if (host_end == NULL || host_end > rest + length)
        host_end = rest + length;
    const char *colon = rest[0] == '[' && *host_end == ']' ? host_end + 1 : host_end;
    snprintf(a->port, sizeof a->port, "%d", 9100);
    if (colon < rest + length && *colon == ':')
        snprintf(a->port, sizeof a->port, "%.*s", (int)(rest + length - colon - 1), colon + 1);
    size_t host = (size_t)(host_end - start);
    if (host == 0 || host >= sizeof a->host || strstr(rest, "://") != NULL)
        return error_set(err, ERR_SPEC,
                         "%s: not a URL; allowed: http://HOST:PORT/, for example "
                         "http://127.0.0.1:9100/",
                         url);
    snprintf(a->host, sizeof a->host, "%.*s", (int)host, start);
    return 0;
}

static int client_connect(int *fd, const struct client_address *a, struct error *err)
{
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    struct timeval   patience = {.tv_sec = CLIENT_SILENCE_S};
    int              failed = getaddrinfo(a->host, a->port, &hints, &found);
    if (failed != 0)
        return error_set(err, ERR_SYSTEM, "%s:%s: %s", a->host, a->port, gai_strerror(failed));
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    failed = *fd < 0;
    if (!failed) {
        setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        failed = connect(*fd, found->ai_addr, found->ai_addrlen) != 0;
    }
    int e = errno;
    freeaddrinfo(found);
    if (!failed)
        return 0;
    if (*fd >= 0)
        close(*fd);
    return error_set(err, ERR_SYSTEM,
                     "%s:%s: %s; is the learner running, and is this the address it printed?",
                     a->host, a->port, strerror(e));
}

int status_client_fetch(const char *url, char *text, size_t size, struct error *err)
{
    struct client_address address;
    char                  request[256];
    int                   fd = -1, code = client_parse(&address, url, err);
    if (code == 0)
        code = client_connect(&fd, &address, err);
    if (code != 0)
        return code;
    int     length = snprintf(request, sizeof request,
                              "GET /status.json HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                              address.host);
    size_t  used = 0;
    ssize_t n = send(fd, request, (size_t)length, MSG_NOSIGNAL);
    while (n > 0 && used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)n;
    int e = errno;
    close(fd);
    text[used] = '\0';
    char *body = strstr(text, "\r\n\r\n{");
    if (n < 0)
        return error_set(err, ERR_SYSTEM, "%s: %s", url, strerror(e));
    if (strncmp(text, "HTTP/1.1 200", 12) != 0 || body == NULL)
        return error_set(err, ERR_FORMAT, "%s: does not answer as a crossfleet learner does", url);
    memmove(text, body + 4, strlen(body + 4) + 1);
    return 0;
}

// ---------------------------------------------------------------- fields

// Where key's value begins, or NULL. Quotes inside strings are escaped, so `"key":` is a key wherever it
// stands; of several with one name the first counts.
static const char *client_value(const char *json, const char *key)
{
    char wanted[64];
    int  n = snprintf(wanted, sizeof wanted, "\"%s\":", key);
    json = strstr(json, wanted);
    return json != NULL ? json + n : NULL;
}

static double client_number(const char *json, const char *key)
{
    const char *value = client_value(json, key);
    char       *end;
    if (value == NULL)
        return NAN;
    double number = strtod(value, &end);
    return end > value ? number : NAN;
}

// a string as it stands, escapes and all; what a terminal might obey becomes '?'
static void client_text(char *text, size_t size, const char *json, const char *key)
{
    const char *value = client_value(json, key);
    size_t      n = 0;
    if (value != NULL && *value == '"')
        for (value++; *value != '"' && *value != '\0' && n + 1 < size; value++)
            text[n++] = *value >= ' ' && *value <= '~' ? *value : '?';
    text[n] = '\0';
}

static uint64_t client_count(const char *json, const char *key)
{
    double value = client_number(json, key);
    return isfinite(value) && value > 0 && value < 1e18 ? (uint64_t)value : 0;
}

// ---------------------------------------------------------------- screen

static void client_head(FILE *out, const char *json)
{
    char     name[128], env[64], state[24], sentence[256], steps[32], end[32], took[32], eta[32];
    uint64_t done = client_count(json, "steps"), all = client_count(json, "max_frame");
    client_text(name, sizeof name, json, "name");
    client_text(env, sizeof env, json, "env");
    client_text(state, sizeof state, json, "state");
    client_text(sentence, sizeof sentence, json, "sentence");
    status_format_count(steps, sizeof steps, done);
    status_format_count(end, sizeof end, all);
    status_format_duration(took, sizeof took, client_number(json, "elapsed_s"));
    status_format_duration(eta, sizeof eta, client_number(json, "eta_s"));
    double share = all > 0 ? fmin(1, (double)done / (double)all) : 0;
    fprintf(out, "%s on %s: %s\n[", name, env, state);
    for (int i = 0; i < CLIENT_BAR; i++)
        putc(i < (int)(share * CLIENT_BAR) ? '=' : ' ', out);
    fprintf(out, "] %.0f%%  %s of %s steps, %s so far, %s to go\n\n%s\n\n", 100 * share, steps, end,
            took, eta, sentence);
}

static void client_actors(FILE *out, const char *json)
{
    fprintf(out, "\n%4s  %-20s %-20s %-7s %12s %9s %6s %8s %9s\n", "slot", "name", "host", "state",
            "steps", "steps/s", "lag", "heard", "restarts");
    const char *row = strstr(json, "\"actors\":[");
    while (row != NULL && (row = strstr(row, "{\"name\":")) != NULL) {
        char name[64], host[64], state[16], age[32], steps[32];
        client_text(name, sizeof name, row, "name");
        client_text(host, sizeof host, row, "host");
        client_text(state, sizeof state, row, "state");
        status_format_count(steps, sizeof steps, client_count(row, "steps"));
        status_format_duration(age, sizeof age, client_number(row, "age_s"));
        fprintf(out, "%4.0f  %-20.20s %-20.20s %-7s %12s %9.0f %6.0f %8s %9.0f\n",
                client_number(row, "slot"), name, host, state, steps,
                client_number(row, "steps_per_s"), client_number(row, "lag"), age,
                client_number(row, "restarts"));
        row++;
    }
}

// "12.3", or "-" for what is not known
static const char *client_shown(char *text, size_t size, const char *json, const char *key,
                                const char *format)
{
    double value = client_number(json, key);
    if (isfinite(value))
        snprintf(text, size, format, value);
    else
        snprintf(text, size, "-");
    return text;
}

void status_client_screen(FILE *out, const char *json)
{
    static const struct {
        const char *label, *key, *format;
    } fields[] = {
        {"best evaluation", "eval_best", "%.2f"},
        {"environment steps/s", "fps", "%.0f"},
        {"last evaluation", "eval_last", "%.2f"},
        {"updates/s", "updates_per_s", "%.0f"},
        {"return, last 100", "return_mean", "%.2f"},
        {"updates per step", "utd", "%.4f"},
        {"episodes", "episodes", "%.0f"},
        {"wanted", "utd_wanted", "%.4f"},
        {"lag p50, versions", "lag_p50", "%.0f"},
        {"replay rows", "replay_rows", "%.0f"},
        {"lag p99, versions", "lag_p99", "%.0f"},
        {"transitions lost", "lost", "%.0f"},
    };
    char text[32];
    client_head(out, json);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        fprintf(out, "%-20s %14s%s", fields[i].label,
                client_shown(text, sizeof text, json, fields[i].key, fields[i].format),
                i % 2 == 0 ? "      " : "\n");
    client_actors(out, json);
}

int status_client_run(const char *url, FILE *out, struct error *err)
{
    char *json = malloc(CLIENT_ANSWER);
    if (json == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the answer");
    bool live = isatty(fileno(out)) != 0;
    int  code = status_client_fetch(url, json, CLIENT_ANSWER, err);
    for (int last = code; last == 0; last = status_client_fetch(url, json, CLIENT_ANSWER, err)) {
        fputs(live ? "\033[H\033[J" : "", out);
        status_client_screen(out, json);
        fflush(out);
        if (!live)
            break;
        clock_sleep(1);
    }
    free(json);
    return code;
}
