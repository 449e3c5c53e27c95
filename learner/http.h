// The learner's HTTP port, for people and for Prometheus. It only shows: there are no control actions.
//
//   /             status page               /status.json   what it reads
//   /metrics      Prometheus text 0.0.4     /healthz       200 when actors are accepted, else 503
//
// One thread of its own serves everything from copies of the newest snapshot.
#ifndef LEARNER_HTTP_H
#define LEARNER_HTTP_H

#include "common/error.h"
#include "learner/status.h"

#define HTTP_DEFAULT_HOST "127.0.0.1"
#define HTTP_DEFAULT_PORT 9100

struct http;  // hides libmicrohttpd

// Listens at address ("HOST:PORT", "[::1]:PORT", ":PORT" for loopback; port 0 takes any free one), or
// with NULL at the default address or the next free port after it.
//
//   store    borrowed until http_stop
//   returns  NULL and err: not an address, or taken
//   owns     the caller, until http_stop
struct http *http_start(struct status_store *store, const char *address, struct error *err);

// "http://127.0.0.1:9100/"
const char *http_url(const struct http *h);

// Accepts NULL.
void http_stop(struct http *h);

#endif
