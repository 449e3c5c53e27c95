#include "proto/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define ZAP_ADDRESS "inproc://zeromq.zap.01"

struct link_hub {
    void    *context;
    unsigned monitors;  // opened so far, for their names
};

struct link {
    enum link_kind          kind;
    void                   *socket;
    void                   *monitor;      // ROUTER, XPUB: events of its connections
    struct link_connection *connections;  // (n_connections) likewise
    size_t                  n_connections, max_connections;
    zmq_msg_t               body;     // of the last frame received
    link_allow_fn          *allow;    // ZAP
    void                   *context;  // ZAP
};

static int link_error(struct error *err, const char *what, const char *of)
{
    return error_set(err, ERR_SYSTEM, "%s %s: %s%s", what, of, zmq_strerror(zmq_errno()),
                     zmq_errno() == EINVAL ? "; an address is like tcp://HOST:5555" : "");
}

void link_version(char *text, size_t size)
{
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    snprintf(text, size, "%d.%d.%d", major, minor, patch);
}

// ------ opening

struct link_hub *link_hub_open(int max_sockets, struct error *err)
{
    struct link_hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL || (hub->context = zmq_ctx_new()) == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a ZeroMQ context");
        free(hub);
        return NULL;
    }
    // monitors and the ZAP link come on top of what the caller counts
    zmq_ctx_set(hub->context, ZMQ_MAX_SOCKETS, max_sockets + 64);
    zmq_ctx_set(hub->context, ZMQ_IO_THREADS, 1);
    return hub;
}

void link_hub_close(struct link_hub *hub)
{
    if (hub == NULL)
        return;
    while (zmq_ctx_term(hub->context) != 0 && zmq_errno() == EINTR)
        continue;
    free(hub);
}

static bool set_int(struct link *link, int option, int value)
{
    return zmq_setsockopt(link->socket, option, &value, sizeof value) == 0;
}

static bool set_text(struct link *link, int option, const char *value)
{
    return zmq_setsockopt(link->socket, option, value, strlen(value)) == 0;
}

static int to_ms(double seconds)
{
    return (int)(seconds * 1000.0);
}

static bool link_set_common(struct link *link, const struct link_options *o)
{
    int64_t max = o->max_message == 0 ? -1 : (int64_t)o->max_message;
    return zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &max, sizeof max) == 0 &&
           set_int(link, ZMQ_SNDHWM, o->send_queue) && set_int(link, ZMQ_RCVHWM, o->recv_queue) &&
           set_int(link, ZMQ_LINGER, to_ms(o->linger_s)) &&
           set_int(link, ZMQ_HEARTBEAT_IVL, to_ms(o->heartbeat_s)) &&
           set_int(link, ZMQ_HEARTBEAT_TIMEOUT, to_ms(o->heartbeat_timeout_s)) &&
           set_int(link, ZMQ_HEARTBEAT_TTL, to_ms(o->heartbeat_timeout_s)) &&
           set_int(link, ZMQ_TCP_MAXRT, to_ms(o->heartbeat_timeout_s)) &&
           // the kernel asks again ever more rarely: after a long cut a fresh attempt is back sooner
           set_int(link, ZMQ_CONNECT_TIMEOUT, 3000) && set_int(link, ZMQ_HANDSHAKE_IVL, 10000) &&
           set_int(link, ZMQ_RECONNECT_IVL, 100) && set_int(link, ZMQ_RECONNECT_IVL_MAX, 5000) &&
           set_int(link, ZMQ_IPV6, 1);
}

static bool link_set_curve(struct link *link, const struct link_options *o)
{
    if (o->secret_key == NULL)
        return true;
    if (!set_text(link, ZMQ_CURVE_PUBLICKEY, o->public_key) ||
        !set_text(link, ZMQ_CURVE_SECRETKEY, o->secret_key))
        return false;
    if (o->server_key != NULL)
        return set_text(link, ZMQ_CURVE_SERVERKEY, o->server_key);
    return set_int(link, ZMQ_CURVE_SERVER, 1) && set_text(link, ZMQ_ZAP_DOMAIN, "crossfleet");
}

static bool link_set_kind(struct link *link)
{
    switch (link->kind) {
    case LINK_ROUTER:
        // a name that comes twice belongs to the newcomer: the old connection may be half open
        return set_int(link, ZMQ_ROUTER_MANDATORY, 1) && set_int(link, ZMQ_ROUTER_HANDOVER, 1);
    case LINK_DEALER:
        return set_int(link, ZMQ_IMMEDIATE, 1);
    case LINK_SUB:
        // takes effect only before connect, and only for messages of one frame
        return set_int(link, ZMQ_CONFLATE, 1) && set_text(link, ZMQ_SUBSCRIBE, "");
    default:
        return true;
    }
}

// what becomes of connections arrives on an inproc pair
static bool link_watch(struct link *link, struct link_hub *hub)
{
    char address[64];
    snprintf(address, sizeof address, "inproc://monitor-%u", hub->monitors++);
    int events = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
    if (zmq_socket_monitor(link->socket, address, events) != 0)
        return false;
    link->monitor = zmq_socket(hub->context, ZMQ_PAIR);
    return link->monitor != NULL && zmq_connect(link->monitor, address) == 0;
}

struct link *link_open(struct link_hub *hub, enum link_kind kind,
                       const struct link_options *options, struct error *err)
{
    static const int types[] = {ZMQ_ROUTER, ZMQ_DEALER, ZMQ_XPUB, ZMQ_SUB};
    struct link     *link = calloc(1, sizeof *link);
    if (link == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a socket");
        return NULL;
    }
    link->kind = kind;
    zmq_msg_init(&link->body);
    link->socket = zmq_socket(hub->context, types[kind]);
    if (link->socket == NULL || !link_set_common(link, options) || !link_set_curve(link, options) ||
        !link_set_kind(link) ||
        ((kind == LINK_ROUTER || kind == LINK_XPUB) && !link_watch(link, hub))) {
        link_error(err, "cannot open", "a socket");
        link_close(link);
        return NULL;
    }
    return link;
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    zmq_msg_close(&link->body);
    if (link->monitor != NULL) {
        zmq_socket_monitor(link->socket, NULL, 0);
        zmq_close(link->monitor);
    }
    if (link->socket != NULL)
        zmq_close(link->socket);
    free(link->connections);
    free(link);
}

int link_bind(struct link *link, const char *address, struct error *err)
{
    return zmq_bind(link->socket, address) == 0 ? 0 : link_error(err, "cannot bind", address);
}

int link_connect(struct link *link, const char *address, struct error *err)
{
    return zmq_connect(link->socket, address) == 0 ? 0
                                                   : link_error(err, "cannot connect to", address);
}

// ------ frames

int link_send(struct link *link, const struct link_peer *peer, const void *data, size_t size)
{
    if (peer != NULL &&
        zmq_send(link->socket, peer->id, peer->size, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
        return zmq_errno() == EHOSTUNREACH ? LINK_GONE : LINK_FULL;
    if (zmq_send(link->socket, data, size, ZMQ_DONTWAIT) < 0)
        return zmq_errno() == EHOSTUNREACH ? LINK_GONE : LINK_FULL;
    return LINK_SENT;
}

static bool frame_peer(struct link *link, struct link_frame *frame)
{
    zmq_msg_t id;
    zmq_msg_init(&id);
    bool got = zmq_msg_recv(&id, link->socket, ZMQ_DONTWAIT) >= 0;
    if (got && zmq_msg_size(&id) <= LINK_PEER_ID) {
        frame->peer.size = zmq_msg_size(&id);
        memcpy(frame->peer.id, zmq_msg_data(&id), frame->peer.size);
    } else {
        frame->odd = got;
    }
    zmq_msg_close(&id);
    return got;
}

static void frame_origin(struct link *link, struct link_frame *frame)
{
    const char *address = zmq_msg_gets(&link->body, "Peer-Address");
    const char *key = zmq_msg_gets(&link->body, "User-Id");
    snprintf(frame->address, sizeof frame->address, "%s", address == NULL ? "" : address);
    snprintf(frame->key, sizeof frame->key, "%s", key == NULL ? "" : key);
    frame->fd = zmq_msg_get(&link->body, ZMQ_SRCFD);
}

bool link_recv(struct link *link, struct link_frame *frame)
{
    frame->odd = false;
    frame->fd = -1;
    if (link->kind == LINK_ROUTER && !frame_peer(link, frame))
        return false;
    if (zmq_msg_recv(&link->body, link->socket, ZMQ_DONTWAIT) < 0)
        return false;
    if (link->kind == LINK_ROUTER)
        frame_origin(link, frame);
    while (zmq_msg_more(&link->body)) {
        frame->odd = true;
        if (zmq_msg_recv(&link->body, link->socket, ZMQ_DONTWAIT) < 0)
            return false;
    }
    frame->data = zmq_msg_data(&link->body);
    frame->size = frame->odd ? 0 : zmq_msg_size(&link->body);
    return true;
}

int link_set_welcome(struct link *link, const void *data, size_t size, struct error *err)
{
    if (zmq_setsockopt(link->socket, ZMQ_XPUB_WELCOME_MSG, data, size) != 0)
        return link_error(err, "cannot set", "the welcome frame");
    return 0;
}

void link_poll(struct link *const *links, size_t n, int wake_fd, double timeout_s)
{
    zmq_pollitem_t items[LINK_POLL + 1];
    int            count = 0;
    assert(n <= LINK_POLL);
    for (size_t i = 0; i < n; i++)
        if (links[i] != NULL)
            items[count++] = (zmq_pollitem_t){.socket = links[i]->socket, .events = ZMQ_POLLIN};
    if (wake_fd >= 0)
        items[count++] = (zmq_pollitem_t){.fd = wake_fd, .events = ZMQ_POLLIN};
    zmq_poll(items, count, to_ms(timeout_s));
}

// ------ connections

static uint64_t inode_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? (uint64_t)st.st_ino : 0;
}

struct link_connection link_connection(int fd, const char *address)
{
    struct sockaddr_storage peer;
    socklen_t               size = sizeof peer;
    char                    host[INET6_ADDRSTRLEN] = "";
    if (fd < 0 || getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return (struct link_connection){-1, 0};
    if (peer.ss_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, host, sizeof host);
    else if (peer.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&peer)->sin6_addr, host, sizeof host);
    // a local socket has no address to compare
    if (peer.ss_family != AF_UNIX && strstr(address, host) == NULL)
        return (struct link_connection){-1, 0};
    return (struct link_connection){fd, inode_of(fd)};
}

void link_cut(struct link_connection c)
{
    if (c.fd >= 0 && c.inode != 0 && inode_of(c.fd) == c.inode)
        shutdown(c.fd, SHUT_RDWR);
}

static void connection_remove(struct link *link, int fd)
{
    for (size_t i = 0; i < link->n_connections; i++)
        if (link->connections[i].fd == fd) {
            link->connections[i] = link->connections[--link->n_connections];
            return;
        }
}

static void connection_add(struct link *link, int fd)
{
    // an entry of that number is of a connection that is gone
    connection_remove(link, fd);
    if (link->n_connections == link->max_connections) {
        size_t                  most = link->max_connections > 0 ? 2 * link->max_connections : 16;
        struct link_connection *grown = realloc(link->connections, most * sizeof *grown);
        if (grown == NULL)
            return;
        link->connections = grown;
        link->max_connections = most;
    }
    link->connections[link->n_connections++] = (struct link_connection){fd, inode_of(fd)};
}

// one event: number and value packed in a part, then the endpoint
static uint64_t event_take(struct link *link, const uint8_t *part, size_t size)
{
    uint16_t event;
    uint32_t value;
    if (size != sizeof event + sizeof value)
        return 0;
    memcpy(&event, part, sizeof event);
    memcpy(&value, part + sizeof event, sizeof value);
    if (event == ZMQ_EVENT_ACCEPTED)
        connection_add(link, (int)value);
    else if (event == ZMQ_EVENT_DISCONNECTED)
        connection_remove(link, (int)value);
    else
        return 1;
    return 0;
}

uint64_t link_failures(struct link *link)
{
    uint64_t  failures = 0;
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (zmq_msg_recv(&part, link->monitor, ZMQ_DONTWAIT) >= 0)
        if (zmq_msg_more(&part))
            failures += event_take(link, zmq_msg_data(&part), zmq_msg_size(&part));
    zmq_msg_close(&part);
    return failures;
}

void link_cut_all(struct link *link)
{
    for (size_t i = 0; i < link->n_connections; i++)
        link_cut(link->connections[i]);
}

// ------ wake-ups

int link_wake_open(struct error *err)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd >= 0 ? fd : error_set(err, ERR_SYSTEM, "eventfd: %s", strerror(errno));
}

void link_wake(int fd)
{
    uint64_t one = 1;
    // a full counter is as good as a written one
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

void link_wake_clear(int fd)
{
    uint64_t count;
    ssize_t  got = read(fd, &count, sizeof count);
    (void)got;
}

void link_wake_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

// ------ security

int link_keypair(char public_key[LINK_KEY], char secret_key[LINK_KEY], struct error *err)
{
    return zmq_curve_keypair(public_key, secret_key) == 0
               ? 0
               : link_error(err, "cannot make", "a key pair: libzmq without CURVE?");
}

struct link *link_zap_open(struct link_hub *hub, link_allow_fn *allow, void *context,
                           struct error *err)
{
    struct link *zap = calloc(1, sizeof *zap);
    if (zap == NULL) {
        error_set(err, ERR_MEMORY, "no memory for a socket");
        return NULL;
    }
    zmq_msg_init(&zap->body);
    zap->allow = allow;
    zap->context = context;
    zap->socket = zmq_socket(hub->context, ZMQ_REP);
    if (zap->socket == NULL || zmq_bind(zap->socket, ZAP_ADDRESS) != 0) {
        link_error(err, "cannot bind", ZAP_ADDRESS);
        link_close(zap);
        return NULL;
    }
    return zap;
}

// RFC 27: version, request, domain, address, identity, mechanism, key
enum { ZAP_REQUEST = 1, ZAP_MECHANISM = 5, ZAP_KEY = 6, ZAP_PARTS = 7, ZAP_PART = 256 };

static bool zap_allowed(struct link *zap, char parts[][ZAP_PART], const size_t *sizes, size_t n,
                        char key[LINK_KEY])
{
    if (n != ZAP_PARTS || sizes[ZAP_KEY] != 32 || strcmp(parts[ZAP_MECHANISM], "CURVE") != 0)
        return false;
    zmq_z85_encode(key, (const uint8_t *)parts[ZAP_KEY], 32);
    return zap->allow(zap->context, key);
}

void link_zap_serve(struct link *zap)
{
    char   parts[ZAP_PARTS][ZAP_PART] = {{0}}, key[LINK_KEY] = "";
    size_t sizes[ZAP_PARTS] = {0}, n = 0;
    int    size;
    while ((size = zmq_msg_recv(&zap->body, zap->socket, ZMQ_DONTWAIT)) >= 0) {
        if (n < ZAP_PARTS && (size_t)size < ZAP_PART) {
            memcpy(parts[n], zmq_msg_data(&zap->body), (size_t)size);
            sizes[n] = (size_t)size;
        }
        n++;
        if (zmq_msg_more(&zap->body))
            continue;
        bool allowed = zap_allowed(zap, parts, sizes, n, key);
        zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, parts[ZAP_REQUEST], sizes[ZAP_REQUEST], ZMQ_SNDMORE);
        zmq_send(zap->socket, allowed ? "200" : "400", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, "", 0, ZMQ_SNDMORE);
        zmq_send(zap->socket, key, allowed ? strlen(key) : 0, ZMQ_SNDMORE);
        zmq_send(zap->socket, "", 0, 0);
        n = 0;
        memset(parts, 0, sizeof parts);
    }
}

// ------ addresses

bool link_address_is_local(const char *address)
{
    if (strncmp(address, "ipc://", 6) == 0 || strncmp(address, "inproc://", 9) == 0)
        return true;
    return strncmp(address, "tcp://127.", 10) == 0 || strncmp(address, "tcp://[::1]:", 12) == 0 ||
           strncmp(address, "tcp://localhost:", 16) == 0;
}

int link_weights_address(char out[LINK_ADDRESS], const char *address, struct error *err)
{
    int n = -1;
    if (strncmp(address, "ipc://", 6) == 0) {
        n = snprintf(out, LINK_ADDRESS, "%s-weights", address);
    } else if (strncmp(address, "tcp://", 6) == 0) {
        const char *colon = strrchr(address, ':');
        char       *end;
        long        port = strtol(colon + 1, &end, 10);
        if (end != colon + 1 && *end == '\0' && port > 0 && port < 65535)
            n = snprintf(out, LINK_ADDRESS, "%.*s:%ld", (int)(colon - address), address, port + 1);
    }
    if (n < 0 || n >= LINK_ADDRESS)
        return error_set(err, ERR_SPEC, "address %s: must be tcp://HOST:PORT or ipc://PATH",
                         address);
    return 0;
}
