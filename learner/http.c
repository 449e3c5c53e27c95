#include "learner/http.h"

#include "learner/metrics_text.h"
#include "learner/status_json.h"
#include "learner/status_page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

enum { HTTP_CONNECTIONS = 64, HTTP_TIMEOUT_S = 10, HTTP_PORTS = 100 };

struct http {
    struct MHD_Daemon   *daemon;
    struct status_store *store;
    char                 url[128];
    struct status        status;  // copy of the request that is being answered
};

// ---------------------------------------------------------------- answers

static enum MHD_Result http_send(struct MHD_Connection *connection, unsigned code, const char *type,
                                 struct MHD_Response *response)
{
    // the page brings everything with it and talks to nobody else
    static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; "
                                 "script-src 'unsafe-inline'; connect-src 'self'; "
                                 "img-src data:; base-uri 'none'; form-action 'none'; "
                                 "frame-ancestors 'none'";
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result http_text(struct MHD_Connection *connection, unsigned code, const char *text)
{
    return http_send(
        connection, code, "text/plain; charset=utf-8",
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result http_written(struct http *h, struct MHD_Connection *connection,
                                    const char *type, void (*write)(FILE *, const struct status *))
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *out = open_memstream(&text, &size);
    if (out == NULL)
        return MHD_NO;
    status_store_get(h->store, &h->status);
    write(out, &h->status);
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    return http_send(connection, MHD_HTTP_OK, type,
                     MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result http_health(struct http *h, struct MHD_Connection *connection)
{
    status_store_get(h->store, &h->status);
    enum status_state state = h->status.state;
    bool ready = state == STATUS_WARMUP || state == STATUS_TRAINING || state == STATUS_EVALUATING;
    char text[64];
    snprintf(text, sizeof text, "%s\n", status_state_name(state));
    return http_text(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text);
}

static enum MHD_Result http_answer(void *context, struct MHD_Connection *connection,
                                   const char *path, const char *method, const char *version,
                                   const char *upload, size_t *upload_size, void **request)
{
    struct http *h = context;
    (void)version, (void)upload, (void)upload_size, (void)request;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return http_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (strcmp(path, "/healthz") == 0)
        return http_health(h, connection);
    if (strcmp(path, "/metrics") == 0)
        return http_written(h, connection, "text/plain; version=0.0.4; charset=utf-8",
                            metrics_text_write);
    if (strcmp(path, "/status.json") == 0)
        return http_written(h, connection, "application/json", status_json_write);
    if (strcmp(path, "/") == 0) {
        size_t      size;
        const char *page = status_page(&size);
        return http_send(
            connection, MHD_HTTP_OK, "text/html; charset=utf-8",
            MHD_create_response_from_buffer(size, (void *)page, MHD_RESPMEM_PERSISTENT));
    }
    return http_text(connection, MHD_HTTP_NOT_FOUND,
                     "there are /, /status.json, /metrics and /healthz\n");
}

// ---------------------------------------------------------------- address

// "HOST:PORT" -> a numeric or resolvable host and its port
static int http_split(const char *address, char *host, size_t size, int *port, struct error *err)
{
    const char *colon = strrchr(address, ':');
    char       *end = NULL;
    long        number = colon != NULL ? strtol(colon + 1, &end, 10) : -1;
    if (colon == NULL || end == colon + 1 || *end != '\0' || number < 0 || number > 65535 ||
        (size_t)(colon - address) >= size)
        return error_set(err, ERR_SPEC,
                         "--http %s: not an address; allowed: HOST:PORT, for example "
                         "127.0.0.1:9100, or off",
                         address);
    *port = (int)number;
    size_t length = (size_t)(colon - address);
    if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    snprintf(host, size, "%.*s", (int)length, address);
    if (length == 0)
        snprintf(host, size, "%s", HTTP_DEFAULT_HOST);
    return 0;
}

// Opens a listening socket; *taken says that another program has the port.
static int http_listen(int *fd, bool *taken, const char *host, int port, struct error *err)
{
    char             service[8];
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    snprintf(service, sizeof service, "%d", port);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0)
        return error_set(err, ERR_SPEC, "--http %s:%d: %s", host, port, gai_strerror(failed));
    int one = 1;
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    failed = *fd < 0;
    if (!failed) {
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        failed = bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, 64) != 0;
    }
    int e = errno;
    freeaddrinfo(found);
    if (!failed)
        return 0;
    if (*fd >= 0)
        close(*fd);
    *taken = e == EADDRINUSE;
    return error_set(err, ERR_SYSTEM, "--http %s:%d: %s%s", host, port, strerror(e),
                     *taken ? "; name another port, or leave --http out for the next free one"
                            : "");
}

static int http_listen_default(int *fd, struct error *err)
{
    int code = ERR_SYSTEM;
    for (int i = 0; code != 0 && i < HTTP_PORTS; i++) {
        bool taken = false;
        code = http_listen(fd, &taken, HTTP_DEFAULT_HOST, HTTP_DEFAULT_PORT + i, err);
        if (!taken)
            break;
    }
    return code;
}

// what a browser should open; a wildcard address is no destination
static void http_name(struct http *h, int fd)
{
    struct sockaddr_storage bound;
    socklen_t               size = sizeof bound;
    char                    host[64] = HTTP_DEFAULT_HOST, port[8] = "0";
    if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        gethostname(host, sizeof host - 1);
    bool v6 = strchr(host, ':') != NULL;
    snprintf(h->url, sizeof h->url, "http://%s%s%s:%s/", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

// ---------------------------------------------------------------- API

struct http *http_start(struct status_store *store, const char *address, struct error *err)
{
    char host[128];
    bool taken = false;
    int  port = 0, fd = -1, code = 0;
    if (address != NULL)
        code = http_split(address, host, sizeof host, &port, err);
    if (code == 0)
        code = address != NULL ? http_listen(&fd, &taken, host, port, err)
                               : http_listen_default(&fd, err);
    if (code != 0)
        return NULL;
    struct http *h = calloc(1, sizeof *h);
    if (h != NULL) {
        h->store = store;
        http_name(h, fd);
        // not select(): a thousand actors take more descriptors than it can watch
        h->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, http_answer, h,
                                     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                     (unsigned)HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                     (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_END);
    }
    if (h == NULL || h->daemon == NULL) {
        close(fd);
        free(h);
        error_set(err, ERR_SYSTEM, "--http: the server does not start");
        return NULL;
    }
    return h;
}

const char *http_url(const struct http *h)
{
    return h->url;
}

void http_stop(struct http *h)
{
    if (h == NULL)
        return;
    MHD_stop_daemon(h->daemon);
    free(h);
}
