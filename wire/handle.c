#include "wire/handle.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <zmq.h>

#include "wire/endpoint.h"
#include "wire/message.h"
#include "wire/socket.h"

// docs/protocol.md, "Socket options", says why each has its value.
enum {
    QUEUE_MESSAGES = 4096,   // high-water marks, above any credit
    ROUTER_RECEIVES = 32,    // unread frames of a peer
    BACKLOG = 4096,          // connections waiting to be accepted
    KEEPALIVE_IDLE_S = 4,    // a silent connection is probed after this long,
    KEEPALIVE_EVERY_S = 1,   // then at this interval,
    KEEPALIVE_TIMES = 3,     // this many times
    UNHEARD_MS = 15000,      // limit for what was sent to be acknowledged
    LINGER_MS = 250,         // for last words: GOODBYE, RESULT, REFUSED
    RECONNECT_MS = 100,      // plus a random part as large; doubled up to
    RECONNECT_MAX_MS = 1000, // this, plus a random part
    HANDSHAKE_MS = 30000,    // then a half-open connection is closed
    CONNECT_MS = 4000,       // for an attempt to connect
    CURVE_BYTES = 64,        // added to a frame by encryption, rounded up
};

struct option {
    int name;
    int value;
};

static const struct option shared_options[] = {
    {ZMQ_LINGER, LINGER_MS},
    {ZMQ_SNDHWM, QUEUE_MESSAGES},
    {ZMQ_RCVHWM, QUEUE_MESSAGES},
    {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S},
    {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_EVERY_S},
    {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_TIMES},
    {ZMQ_TCP_MAXRT, UNHEARD_MS},
};

static const struct option router_options[] = {
    {ZMQ_ROUTER_MANDATORY, 1},
    {ZMQ_ROUTER_HANDOVER, 1},
    {ZMQ_RCVHWM, ROUTER_RECEIVES},
    {ZMQ_BACKLOG, BACKLOG},
};

static const struct option dealer_options[] = {
    {ZMQ_IMMEDIATE, 1},
    {ZMQ_CONNECT_TIMEOUT, CONNECT_MS},
};

static bool set_options(void *handle, const struct option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (zmq_setsockopt(handle, options[i].name, &options[i].value,
                           sizeof options[i].value) != 0)
            return false;
    }
    return true;
}

#define SET_OPTIONS(handle, options)                                           \
    set_options(handle, options, sizeof(options) / sizeof((options)[0]))

bool handle_is_keyed(const struct key *key)
{
    return key != NULL && key->role != KEY_NONE;
}

// The domain must not be empty: an empty one would let in any key.
static bool guard_router(void *handle, const struct key *key)
{
    static const char domain[] = "promptcc";
    int server = 1;

    return zmq_setsockopt(handle, ZMQ_CURVE_SECRETKEY, key->secret,
                          KEY_BYTES) == 0 &&
           zmq_setsockopt(handle, ZMQ_CURVE_SERVER, &server, sizeof server) ==
               0 &&
           zmq_setsockopt(handle, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
}

static bool identify_dealer(void *handle, const struct key *key)
{
    return zmq_setsockopt(handle, ZMQ_CURVE_SECRETKEY, key->secret,
                          KEY_BYTES) == 0 &&
           zmq_setsockopt(handle, ZMQ_CURVE_PUBLICKEY, key->public_key,
                          KEY_BYTES) == 0 &&
           zmq_setsockopt(handle, ZMQ_CURVE_SERVERKEY, key->coordinator,
                          KEY_BYTES) == 0;
}

static int with_chance(int ms)
{
    return ms + (int)randombytes_uniform((uint32_t)ms);
}

// Gives each socket a different pace. ZeroMQ randomizes only the shortest wait,
// so thousands of sockets that lost their coordinator at the same instant would
// reconnect in step.
static bool set_pace(void *handle)
{
    const struct option pace[] = {
        {ZMQ_RECONNECT_IVL, with_chance(RECONNECT_MS)},
        {ZMQ_RECONNECT_IVL_MAX, with_chance(RECONNECT_MAX_MS)},
    };

    return SET_OPTIONS(handle, pace);
}

// Sets what routers and dealers share. max_bytes: of a frame from the other
// side, before it is encrypted.
static bool set_shared(void *handle, int64_t max_bytes, const struct key *key)
{
    max_bytes += handle_is_keyed(key) ? CURVE_BYTES : 0;
    return SET_OPTIONS(handle, shared_options) &&
           zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &max_bytes,
                          sizeof max_bytes) == 0;
}

// Enables IPv6 only for an IPv6 address: otherwise 127.0.0.1 would be listed as
// ::ffff:127.0.0.1.
static bool configure_router(void *handle, const char *endpoint,
                             const struct key *key)
{
    int ipv6 = strchr(endpoint, '[') != NULL;

    return set_shared(handle, WIRE_FRAME_BYTES, key) &&
           zmq_setsockopt(handle, ZMQ_IPV6, &ipv6, sizeof ipv6) == 0 &&
           (!handle_is_keyed(key) || guard_router(handle, key)) &&
           SET_OPTIONS(handle, router_options);
}

static bool configure_dealer(void *handle, const struct key *key,
                             const struct wire_id *id)
{
    int ipv6 = 1;

    return set_shared(handle, WIRE_MAX_BYTES, key) &&
           zmq_setsockopt(handle, ZMQ_IPV6, &ipv6, sizeof ipv6) == 0 &&
           (!handle_is_keyed(key) || identify_dealer(handle, key)) &&
           SET_OPTIONS(handle, dealer_options) && set_pace(handle) &&
           zmq_setsockopt(handle, ZMQ_ROUTING_ID, id->bytes, id->len) == 0;
}

// Returns NULL after the failure that errno names.
static void *give_up(void *handle, struct err *err)
{
    err_set(err, ERR_IO, "cannot open a ZeroMQ socket: %s",
            zmq_strerror(errno));
    if (handle != NULL)
        zmq_close(handle);
    return NULL;
}

void *handle_open_router(void *context, const char *endpoint,
                         const struct key *key, struct err *err)
{
    void *handle = zmq_socket(context, ZMQ_ROUTER);

    if (handle != NULL && configure_router(handle, endpoint, key))
        return handle;
    return give_up(handle, err);
}

void *handle_open_dealer(void *context, const struct key *key,
                         const struct wire_id *id, struct err *err)
{
    void *handle = zmq_socket(context, ZMQ_DEALER);

    if (handle != NULL && configure_dealer(handle, key, id))
        return handle;
    return give_up(handle, err);
}

// --- endpoints ---

void handle_blame_endpoint(const char *endpoint, int why, struct err *err)
{
    switch (why) {
    case EADDRINUSE:
        err_set(err, ERR_BUSY,
                "%s is in use: another program listens there; stop it or "
                "choose another port (0 picks a free one)",
                endpoint);
        break;
    case EINVAL:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
    case ENODEV:
    case EADDRNOTAVAIL:
        err_set(err, ERR_INPUT,
                "%s is not an address of this machine that can be used (%s); a "
                "numeric address looks like tcp://127.0.0.1:5570",
                endpoint, zmq_strerror(why));
        break;
    default:
        err_set(err, ERR_IO, "%s: %s", endpoint, zmq_strerror(why));
        break;
    }
}

// ZeroMQ can bind to addresses and network interfaces; people also write
// localhost.
static int bind_to(void *handle, const char *endpoint)
{
    static const char name[] = "tcp://localhost:";
    char numeric[64];

    if (strncmp(endpoint, name, sizeof name - 1) != 0)
        return zmq_bind(handle, endpoint);
    (void)snprintf(numeric, sizeof numeric, "tcp://127.0.0.1:%s",
                   endpoint + sizeof name - 1);
    return zmq_bind(handle, numeric);
}

static int connect_to(void *handle, const char *endpoint)
{
    char found[ENDPOINT_BYTES];

    if (strlen(endpoint) >= ENDPOINT_BYTES)
        return zmq_connect(handle, endpoint);
    endpoint_find(endpoint, found);
    return zmq_connect(handle, found);
}

bool handle_bind(void *handle, const char *endpoint, struct err *err)
{
    if (bind_to(handle, endpoint) == 0)
        return true;
    handle_blame_endpoint(endpoint, errno, err);
    return false;
}

bool handle_connect(void *handle, const char *endpoint, struct err *err)
{
    if (connect_to(handle, endpoint) == 0)
        return true;
    handle_blame_endpoint(endpoint, errno, err);
    return false;
}
