// Sockets. The only module that knows ZeroMQ: four kinds of socket with every option that this
// system relies on, frames in and out without blocking, one poll, and a wake-up for threads that wait.
//
// A link belongs to one thread. A hub is shared; link_wake may be called by any thread.
#ifndef PROTO_LINK_H
#define PROTO_LINK_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINK_KEY = 41,       // bytes of a CURVE key as text (Z85) with its final 0
    LINK_PEER_ID = 64,   // longest peer name of a connection that is taken, bytes
    LINK_ADDRESS = 256,  // longest address with its final 0
};

enum link_kind {
    LINK_ROUTER,  // learner: many actors, each frame names its connection
    LINK_DEALER,  // actor: one learner
    LINK_XPUB,    // learner: weights out
    LINK_SUB,     // actor: the newest weights only (CONFLATE)
};

// A peer of a ROUTER, by the name that its frames come with.
struct link_peer {
    uint8_t id[LINK_PEER_ID];
    size_t  size;  // bytes of id
};

// The connection itself. Numbers of closed ones are used again, inodes are not.
struct link_connection {
    int      fd;  // -1: unknown
    uint64_t inode;
};

struct link_options {
    size_t max_message;  // bytes; a peer that sends more is cut, 0: no limit
    int    send_queue;   // frames a peer
    int    recv_queue;   // frames a peer, 0: no limit, see link_open
    double heartbeat_s;  // between ZMTP heartbeats
    // a connection that is silent, or does not read, is closed after it
    double heartbeat_timeout_s;
    double linger_s;  // link_close waits so long for frames that are still to go out
    // CURVE: NULL for none. A learner has a pair; an actor also its learner's public key
    const char *public_key, *secret_key;
    const char *server_key;
};

struct link_frame {
    const void      *data;  // borrowed from the link until its next link_recv
    size_t           size;
    struct link_peer peer;           // ROUTER
    int              fd;             // of the connection, -1: unknown; for link_connection
    char             address[64];    // of the peer, for people
    char             key[LINK_KEY];  // CURVE key it proved to have, or ""
    bool             odd;            // more parts than one, or a peer name too long: data is empty
};

struct link_hub;
struct link;

// max_sockets: links that will be open at once.
struct link_hub *link_hub_open(int max_sockets, struct error *err);
void             link_hub_close(struct link_hub *hub);

// A receive queue with a limit must be read all the time: when a connection breaks while its queue is full,
// libzmq's next heartbeat finds it in a state that it asserts cannot be, and aborts the process
// (zeromq/libzmq issues 3937, 4364, 4767: open).
//
//   returns  NULL and err on failure; owned by the caller until link_close
struct link *link_open(struct link_hub *hub, enum link_kind kind,
                       const struct link_options *options, struct error *err);
void         link_close(struct link *link);

// ipc:///path or tcp://host:port; a link may be bound several times.
int link_bind(struct link *link, const char *address, struct error *err);
int link_connect(struct link *link, const char *address, struct error *err);

enum { LINK_SENT = 0, LINK_FULL = -1, LINK_GONE = -2 };

// Hands a frame over without blocking; peer is for ROUTER, else NULL.
//
//   returns  LINK_SENT; LINK_FULL: the peer (or, DEALER, nobody) takes no more; LINK_GONE: no such
//            connection
int link_send(struct link *link, const struct link_peer *peer, const void *data, size_t size);

// Takes the next frame, if one is there.
bool link_recv(struct link *link, struct link_frame *frame);

// XPUB: what a new subscriber gets at once.
int link_set_welcome(struct link *link, const void *data, size_t size, struct error *err);

// Waits until one of n links has something to receive, or wake_fd (-1: none) is woken, or time is
// over. NULL links are skipped; n <= LINK_POLL.
enum { LINK_POLL = 8 };
void link_poll(struct link *const *links, size_t n, int wake_fd, double timeout_s);

// Handshakes that failed since the last call: peers that speak no ZMTP, or have no fitting key.
// ROUTER and XPUB, now and then: it keeps account of their connections.
uint64_t link_failures(struct link *link);

// The connection that a frame came from; unknown when fd meanwhile names one of another host.
struct link_connection link_connection(int fd, const char *address);

// Cuts a connection, if it is still there.
void link_cut(struct link_connection connection);

// Cuts all connections of a ROUTER or XPUB; peers that still may come back by themselves.
void link_cut_all(struct link *link);

// ------ wake-ups: a file descriptor for link_poll

int  link_wake_open(struct error *err);
void link_wake(int fd);
void link_wake_clear(int fd);
void link_wake_close(int fd);

// ------ security

// Makes a fresh key pair.
int link_keypair(char public_key[LINK_KEY], char secret_key[LINK_KEY], struct error *err);

// Asks `allow` about the CURVE key of each new connection of this hub. Open it before the links;
// link_poll it and call link_zap_serve in the same thread.
typedef bool link_allow_fn(void *context, const char *key);
struct link *link_zap_open(struct link_hub *hub, link_allow_fn *allow, void *context,
                           struct error *err);
void         link_zap_serve(struct link *zap);

// ------ addresses

// Says whether only this machine can reach an address: ipc, or tcp on loopback.
bool link_address_is_local(const char *address);

// The weights address that belongs to an address: the next port, or path + "-weights".
//
//   returns  0 or ERR_SPEC
int link_weights_address(char out[LINK_ADDRESS], const char *address, struct error *err);

// "4.3.4", of the library in use.
void link_version(char *text, size_t size);

#endif
