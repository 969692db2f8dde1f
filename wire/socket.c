#include "wire/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zmq.h>

#include "common/clock.h"
#include "wire/endpoint.h"
#include "wire/monitor.h"

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
    KEEP_BYTES = 1 << 20,    // a larger send buffer is freed after use
    CURVE_BYTES = 64,        // added to a frame by encryption, rounded up
    EXPLAIN_MS = 2000,       // for a handshake to fail
    ENDPOINT_MAX = 256,
};

struct wire_socket {
    void *handle; // owned
    char endpoint[ENDPOINT_MAX];
    bool routes;            // a ROUTER: frames begin with the peer's identity
    bool whole;             // inproc: no message is too long for a frame
    bool keyed;             // the traffic is encrypted
    struct buf frame;       // reused
    struct buf piece;       // a PART of the frame; reused
    zmq_msg_t last;         // the payload received last
    struct wire_frame rest; // messages in it that wire_receive has not read
    struct wire_id rest_from;
    size_t sent; // size of the last message sent
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

// The domain must not be empty: an empty one would let in any key.
static bool set_key(void *handle, const struct key *key, bool listens)
{
    static const char domain[] = "promptcc";
    int server = 1;

    if (zmq_setsockopt(handle, ZMQ_CURVE_SECRETKEY, key->secret, KEY_BYTES) !=
        0)
        return false;
    if (!listens)
        return zmq_setsockopt(handle, ZMQ_CURVE_PUBLICKEY, key->public_key,
                              KEY_BYTES) == 0 &&
               zmq_setsockopt(handle, ZMQ_CURVE_SERVERKEY, key->coordinator,
                              KEY_BYTES) == 0;
    return zmq_setsockopt(handle, ZMQ_CURVE_SERVER, &server, sizeof server) ==
               0 &&
           zmq_setsockopt(handle, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
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

// A listener enables IPv6 only if its address is an IPv6 one: otherwise
// 127.0.0.1 would be listed as ::ffff:127.0.0.1.
static bool configure(struct wire_socket *socket, const char *endpoint,
                      const struct key *key, const struct wire_id *id)
{
    int64_t max_bytes = (socket->routes ? WIRE_FRAME_BYTES : WIRE_MAX_BYTES) +
                        (socket->keyed ? CURVE_BYTES : 0);
    int ipv6 = !socket->routes || strchr(endpoint, '[') != NULL;

    if (!SET_OPTIONS(socket->handle, shared_options) ||
        zmq_setsockopt(socket->handle, ZMQ_MAXMSGSIZE, &max_bytes,
                       sizeof max_bytes) != 0 ||
        zmq_setsockopt(socket->handle, ZMQ_IPV6, &ipv6, sizeof ipv6) != 0 ||
        (socket->keyed && !set_key(socket->handle, key, socket->routes)))
        return false;
    if (socket->routes)
        return SET_OPTIONS(socket->handle, router_options);
    return SET_OPTIONS(socket->handle, dealer_options) &&
           set_pace(socket->handle) &&
           zmq_setsockopt(socket->handle, ZMQ_ROUTING_ID, id->bytes, id->len) ==
               0;
}

// Opens a socket with our options, but without an endpoint yet. A DEALER has an
// id, a ROUTER none.
static struct wire_socket *open_socket(void *context, const char *endpoint,
                                       const struct key *key,
                                       const struct wire_id *id,
                                       struct err *err)
{
    struct wire_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL) {
        err_nomem(err, "a socket");
        return NULL;
    }
    zmq_msg_init(&socket->last);
    socket->frame = BUF_INIT(WIRE_MAX_BYTES + 4096);
    socket->piece = BUF_INIT(WIRE_FRAME_BYTES);
    socket->routes = id == NULL;
    socket->keyed = key != NULL && key->role != KEY_NONE;
    socket->whole = strncmp(endpoint, "inproc:", 7) == 0;
    socket->handle = zmq_socket(context, id == NULL ? ZMQ_ROUTER : ZMQ_DEALER);
    if (socket->handle == NULL || !configure(socket, endpoint, key, id)) {
        err_set(err, ERR_IO, "cannot open a ZeroMQ socket: %s",
                zmq_strerror(errno));
        wire_close(socket);
        return NULL;
    }
    return socket;
}

static void explain_endpoint(const char *endpoint, int why, struct err *err)
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

static bool note_endpoint(struct wire_socket *socket, const char *endpoint)
{
    size_t len = sizeof socket->endpoint;

    if (socket->routes)
        return zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT,
                              socket->endpoint, &len) == 0;
    if (strlen(endpoint) >= len)
        return false;
    memcpy(socket->endpoint, endpoint, strlen(endpoint) + 1);
    return true;
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

static struct wire_socket *attach(struct wire_socket *socket,
                                  const char *endpoint, struct err *err)
{
    if (socket == NULL)
        return NULL;
    int failed = socket->routes ? bind_to(socket->handle, endpoint)
                                : connect_to(socket->handle, endpoint);
    if (failed == 0 && note_endpoint(socket, endpoint))
        return socket;
    explain_endpoint(endpoint, failed == 0 ? EINVAL : errno, err);
    wire_close(socket);
    return NULL;
}

void *wire_context(struct err *err)
{
    void *context = zmq_ctx_new();

    if (context == NULL)
        err_set(err, ERR_IO, "cannot prepare connections: %s",
                zmq_strerror(zmq_errno()));
    return context;
}

struct wire_socket *wire_bind(void *context, const char *endpoint,
                              const struct key *key, struct err *err)
{
    return attach(open_socket(context, endpoint, key, NULL, err), endpoint,
                  err);
}

bool wire_bind_also(struct wire_socket *socket, const char *endpoint,
                    struct err *err)
{
    if (bind_to(socket->handle, endpoint) == 0)
        return true;
    explain_endpoint(endpoint, errno, err);
    return false;
}

struct wire_socket *wire_connect(void *context, const char *endpoint,
                                 const struct key *key,
                                 const struct wire_id *id, struct err *err)
{
    assert(id != NULL && id->len > 0 && id->len <= WIRE_ID_MAX);
    assert(id->bytes[0] != 0); // ZeroMQ reserves such identities

    return attach(open_socket(context, endpoint, key, id, err), endpoint, err);
}

void wire_close(struct wire_socket *socket)
{
    if (socket == NULL)
        return;
    if (socket->handle != NULL)
        zmq_close(socket->handle);
    zmq_msg_close(&socket->last);
    buf_release(&socket->frame);
    buf_release(&socket->piece);
    free(socket);
}

const char *wire_endpoint(const struct wire_socket *socket)
{
    return socket->endpoint;
}

void *wire_handle(struct wire_socket *socket)
{
    return socket->handle;
}

int wire_fd(const struct wire_socket *socket)
{
    int fd = -1;
    size_t len = sizeof fd;

    if (zmq_getsockopt(socket->handle, ZMQ_FD, &fd, &len) != 0)
        return -1;
    return fd;
}

static bool is_ready(const struct wire_socket *socket, int event)
{
    int events = 0;
    size_t len = sizeof events;

    return zmq_getsockopt(socket->handle, ZMQ_EVENTS, &events, &len) == 0 &&
           (events & event) != 0;
}

bool wire_pending(const struct wire_socket *socket)
{
    return socket->rest.len > 0 || is_ready(socket, ZMQ_POLLIN);
}

bool wire_writable(const struct wire_socket *socket)
{
    return is_ready(socket, ZMQ_POLLOUT);
}

// Over inproc, frames pass between threads inside a library that the thread
// sanitizer cannot look into. This counter states in C's own terms that what
// was written before a send happened before what follows the receive.
static atomic_uint handed_over;

static bool send_part(struct wire_socket *socket, const void *data, size_t len,
                      int flags, struct err *err)
{
    int sent = -1;

    atomic_fetch_add_explicit(&handed_over, 1, memory_order_release);
    do {
        sent = zmq_send(socket->handle, data, len, flags | ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return true;
    if (errno == EAGAIN)
        err_set(err, ERR_BUSY, "%s: the peer cannot take a message now",
                socket->endpoint);
    else
        err_set(err, ERR_IO, "%s: the peer is gone (%s)", socket->endpoint,
                zmq_strerror(errno));
    return false;
}

// Sends a message that is too long for a frame to the coordinator. If one piece
// fails the rest is not sent, and the next message starts over.
static bool send_pieces(struct wire_socket *socket,
                        const struct wire_frame *whole, struct err *err)
{
    bool ok = true;

    for (size_t at = 0; ok && at < whole->len; at += WIRE_PART_BYTES) {
        size_t left = whole->len - at;
        struct message piece = {.kind = MESSAGE_PART,
                                .as.part = {.of = (int64_t)whole->len,
                                            .at = (int64_t)at,
                                            .data = whole->data + at,
                                            .len = left < WIRE_PART_BYTES
                                                       ? left
                                                       : WIRE_PART_BYTES}};

        buf_clear(&socket->piece);
        ok = message_encode(&piece, &socket->piece, err) &&
             send_part(socket, socket->piece.data, socket->piece.len, 0, err);
    }
    return ok;
}

bool wire_send_encoded(struct wire_socket *socket, const struct wire_id *to,
                       const struct wire_frame *frame, struct err *err)
{
    if (to == NULL && !socket->whole && frame->len > WIRE_FRAME_BYTES)
        return send_pieces(socket, frame, err);
    return (to == NULL ||
            send_part(socket, to->bytes, to->len, ZMQ_SNDMORE, err)) &&
           send_part(socket, frame->data, frame->len, 0, err);
}

bool wire_send(struct wire_socket *socket, const struct wire_id *to,
               const struct message *message, struct err *err)
{
    assert(socket->routes == (to != NULL));

    buf_clear(&socket->frame);
    bool ok = message_encode(message, &socket->frame, err);
    if (ok) {
        struct wire_frame frame = {.data = socket->frame.data,
                                   .len = socket->frame.len};

        ok = wire_send_encoded(socket, to, &frame, err);
    }
    socket->sent = socket->frame.len;
    if (socket->frame.cap > KEEP_BYTES)
        buf_release(&socket->frame);
    return ok;
}

size_t wire_sent_bytes(const struct wire_socket *socket)
{
    return socket->sent;
}

static int take_part(struct wire_socket *socket, zmq_msg_t *part)
{
    int got = -1;

    do {
        got = zmq_msg_recv(part, socket->handle, ZMQ_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    atomic_load_explicit(&handed_over, memory_order_acquire);
    return got;
}

// Reads and discards extra frames, which our peers never send, so that the next
// receive begins with a message.
static void drop_rest(struct wire_socket *socket, const zmq_msg_t *part)
{
    bool more = zmq_msg_more(part);

    while (more && take_part(socket, &socket->last) >= 0)
        more = zmq_msg_more(&socket->last);
}

static enum wire_got read_payload(struct wire_socket *socket, struct err *err)
{
    zmq_msg_t *part = &socket->last;

    if (take_part(socket, part) < 0) {
        if (errno == EAGAIN)
            return WIRE_NOTHING;
        err_set(err, ERR_IO, "%s: %s", socket->endpoint, zmq_strerror(errno));
        return WIRE_FAILED;
    }
    if (!zmq_msg_more(part))
        return WIRE_MESSAGE;
    err_set(err, ERR_PROTOCOL, "a message of several frames");
    drop_rest(socket, part);
    return WIRE_BAD;
}

// Reads the identity in front of what a ROUTER receives. Our identities are
// never longer than WIRE_ID_MAX; a stranger with a longer one cannot be
// answered.
static enum wire_got read_identity(struct wire_socket *socket, zmq_msg_t *part,
                                   struct wire_id *from, struct err *err)
{
    if (take_part(socket, part) < 0) {
        if (errno == EAGAIN)
            return WIRE_NOTHING;
        err_set(err, ERR_IO, "%s: %s", socket->endpoint, zmq_strerror(errno));
        return WIRE_FAILED;
    }
    size_t len = zmq_msg_size(part);
    from->len = 0;
    if (len > WIRE_ID_MAX) {
        drop_rest(socket, part);
        err_set(err, ERR_PROTOCOL,
                "a peer identity of %zu bytes, which is too long", len);
        return WIRE_BAD;
    }
    from->len = (uint8_t)len;
    memcpy(from->bytes, zmq_msg_data(part), len);
    return WIRE_MESSAGE;
}

enum wire_got wire_take(struct wire_socket *socket, struct wire_id *from,
                        struct wire_frame *out, struct err *err)
{
    assert(!socket->routes || from != NULL);

    enum wire_got got = WIRE_MESSAGE;
    zmq_msg_t part;

    socket->rest = (struct wire_frame){0};
    zmq_msg_init(&part);
    if (socket->routes)
        got = read_identity(socket, &part, from, err);
    zmq_msg_close(&part);
    if (got == WIRE_MESSAGE)
        got = read_payload(socket, err);
    *out = (struct wire_frame){.data = zmq_msg_data(&socket->last),
                               .len = zmq_msg_size(&socket->last)};
    return got;
}

int wire_source(struct wire_socket *socket)
{
    return zmq_msg_get(&socket->last, ZMQ_SRCFD);
}

const char *wire_peer_key(struct wire_socket *socket)
{
    const char *key =
        socket->keyed ? zmq_msg_gets(&socket->last, "User-Id") : NULL;

    return key == NULL ? "" : key;
}

enum wire_got wire_receive(struct wire_socket *socket, struct wire_id *from,
                           struct arena *arena, struct message *out,
                           struct err *err)
{
    enum wire_got got = WIRE_MESSAGE;

    if (socket->rest.len == 0)
        got = wire_take(socket, &socket->rest_from, &socket->rest, err);
    if (from != NULL)
        *from = socket->rest_from;
    if (got == WIRE_MESSAGE && message_take(&socket->rest, arena, out, err))
        return WIRE_MESSAGE;
    socket->rest = (struct wire_frame){0};
    return got == WIRE_MESSAGE ? WIRE_BAD : got;
}

// --- why a coordinator does not let us in ---

// Returns true if the event shows the reason for certain. After these events
// ZeroMQ does not try again.
static bool explain_event(const struct wire_socket *socket,
                          const struct monitor_event *event, struct err *err)
{
    if (event->number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        err_set(
            err, ERR_INPUT,
            "the coordinator at %.80s does not allow this key: its .pub file "
            "is not in the coordinator's folder `allowed`, or was removed",
            socket->endpoint);
    else if (event->number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL &&
             event->value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        err_set(err, ERR_INPUT,
                socket->keyed
                    ? "the coordinator at %.80s has no keys: start it with "
                      "--keys DIR, or leave out --keys here"
                    : "the coordinator at %.80s requires a key: use --keys "
                      "DIR, the folder with yours",
                socket->endpoint);
    else
        return false;
    return true;
}

// Reports what it means when the connection is closed again and again.
static void explain_closing(const struct wire_socket *socket, struct err *err)
{
    err_set(
        err, ERR_INPUT,
        socket->keyed
            ? "the coordinator at %.70s cannot decrypt what this key sends: it "
              "has no keys (leave out --keys here), or its own key has changed "
              "since this one was made (make a new one there)"
            : "the program at %.80s closes the connection at once, as a "
              "coordinator with keys does: use --keys DIR, the folder with "
              "yours",
        socket->endpoint);
}

// The coordinator may close the connection before its greeting, which says what
// it wants, has arrived. That alone says little, and ZeroMQ tries again.
static bool wait_for_reason(const struct wire_socket *socket, void *monitor,
                            struct err *err)
{
    int64_t end = clock_monotonic_ms() + EXPLAIN_MS;
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    struct monitor_event event;
    bool closed = false;
    int64_t left;

    while ((left = end - clock_monotonic_ms()) > 0) {
        (void)zmq_poll(&item, 1, (long)left);
        while (monitor_take(monitor, &event)) {
            if (event.number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
                return false; // the door is open: it is something else
            if (explain_event(socket, &event, err))
                return true;
            closed = true;
        }
    }
    if (closed)
        explain_closing(socket, err);
    return closed;
}

bool wire_explain_refusal(void *context, const char *endpoint,
                          const struct key *key, struct err *err)
{
    static const int events =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    struct wire_id id = {.len = 7, .bytes = "explain"};
    struct wire_socket *socket = open_socket(context, endpoint, key, &id, NULL);
    void *monitor = NULL;
    bool found = false;

    if (socket != NULL && !socket->whole)
        monitor = monitor_open(context, socket->handle, events);
    if (monitor != NULL && note_endpoint(socket, endpoint) &&
        zmq_connect(socket->handle, endpoint) == 0)
        found = wait_for_reason(socket, monitor, err);
    if (monitor != NULL)
        monitor_close(socket->handle, monitor);
    wire_close(socket);
    return found;
}
