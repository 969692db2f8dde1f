// zap: how libzmq asks who may connect (ZAP, RFC 27).
//
// It sends a request to ZAP_ENDPOINT about every connection, before the peer
// can say a word, and waits for the reply. Call from the thread that owns the
// socket, a REP.

#ifndef WIRE_ZAP_H
#define WIRE_ZAP_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/key.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

// The frames of a request: version, request id, domain, address,
// identity and mechanism; for CURVE also the 32 bytes of the public key.
enum zap_frame {
    ZAP_VERSION,
    ZAP_REQUEST,
    ZAP_DOMAIN,
    ZAP_ADDRESS,
    ZAP_IDENTITY,
    ZAP_MECHANISM,
    ZAP_KEY,
    ZAP_FRAMES
};

enum { ZAP_FRAME_BYTES = 256 };

struct zap_request {
    char frames[ZAP_FRAMES][ZAP_FRAME_BYTES];
    size_t lens[ZAP_FRAMES];
    size_t n;
};

// Receives the next request; what is longer than it may be is cut. Returns
// false on failure.
bool zap_receive(void *socket, struct zap_request *out);

// Writes the peer's public key as text. Returns false if the peer sent none.
bool zap_public_key(const struct zap_request *request,
                    char public_key[KEY_BYTES]);

// Returns where the peer connects from. Borrowed.
const char *zap_address(const struct zap_request *request);

// Lets the peer connect, under that name, or not.
void zap_allow(void *socket, const struct zap_request *request,
               const char *user);
void zap_refuse(void *socket, const struct zap_request *request,
                const char *why);

#endif
