// handle: a ZeroMQ socket with our options, bound or connected to an endpoint.
//
// All options in docs/protocol.md are set here and nowhere else: MAXMSGSIZE,
// ROUTER_MANDATORY, ROUTER_HANDOVER, reconnect back-off, a short LINGER,
// high-water marks. What is sent through a handle is wire/socket.h's business.
//
// The caller closes a handle with zmq_close. Use it from one thread.

#ifndef WIRE_HANDLE_H
#define WIRE_HANDLE_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/key.h"

struct wire_id;

// Returns true if the traffic is encrypted with that key, which may be NULL.
bool handle_is_keyed(const struct key *key);

// Opens the ROUTER of a listener. `endpoint` is the one that it will bind to:
// it decides whether IPv6 is on. Returns NULL with ERR_IO on failure.
void *handle_open_router(void *context, const char *endpoint,
                         const struct key *key, struct err *err);

// Opens the DEALER of a peer with that identity, which is not empty. Returns
// NULL with ERR_IO on failure.
void *handle_open_dealer(void *context, const struct key *key,
                         const struct wire_id *id, struct err *err);

// Bind the handle, or begin to connect it to the address that endpoint_find
// chooses. On failure err names the endpoint (handle_blame_endpoint).
bool handle_bind(void *handle, const char *endpoint, struct err *err);
bool handle_connect(void *handle, const char *endpoint, struct err *err);

// Says what is wrong with an endpoint, for an errno of ZeroMQ: ERR_BUSY if it
// is in use, ERR_INPUT if it is no address that can be used here, else ERR_IO.
void handle_blame_endpoint(const char *endpoint, int why, struct err *err);

#endif
