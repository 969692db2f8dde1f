#include "wire/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/descriptors.h"
#include "common/thread.h"
#include "wire/handle.h"

enum {
    ZMQ_THREADS = 2,      // that a context starts
    FILES_LEAST = 32,     // for a context, its sockets and some connections
    KEEP_BYTES = 1 << 20, // a larger send buffer is freed after use
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

void *wire_context(struct err *err)
{
    void *context = NULL;

    // ZeroMQ ends the process if it cannot have its threads or descriptors.
    if (!descriptors_suffice(FILES_LEAST, err) ||
        !thread_has_room(ZMQ_THREADS, "connections", err))
        return NULL;
    context = zmq_ctx_new();

    if (context == NULL)
        err_set(err, ERR_IO, "cannot prepare connections: %s",
                zmq_strerror(zmq_errno()));
    return context;
}

// --- open and close ---

// Makes a socket that has no handle yet.
static struct wire_socket *new_socket(const char *endpoint,
                                      const struct key *key, struct err *err)
{
    struct wire_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL) {
        err_nomem(err, "a socket");
        return NULL;
    }
    zmq_msg_init(&socket->last);
    socket->frame = BUF_INIT(WIRE_MAX_BYTES + 4096);
    socket->piece = BUF_INIT(WIRE_FRAME_BYTES);
    socket->keyed = handle_is_keyed(key);
    socket->whole = strncmp(endpoint, "inproc:", 7) == 0;
    return socket;
}

static bool note_bound(struct wire_socket *socket, const char *endpoint,
                       struct err *err)
{
    size_t len = sizeof socket->endpoint;

    if (zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT, socket->endpoint,
                       &len) == 0)
        return true;
    handle_blame_endpoint(endpoint, EINVAL, err);
    return false;
}

static bool note_connected(struct wire_socket *socket, const char *endpoint,
                           struct err *err)
{
    size_t size = strlen(endpoint) + 1;

    if (size <= sizeof socket->endpoint) {
        memcpy(socket->endpoint, endpoint, size);
        return true;
    }
    handle_blame_endpoint(endpoint, EINVAL, err);
    return false;
}

struct wire_socket *wire_bind(void *context, const char *endpoint,
                              const struct key *key, struct err *err)
{
    struct wire_socket *socket = new_socket(endpoint, key, err);

    if (socket == NULL)
        return NULL;
    socket->routes = true;
    socket->handle = handle_open_router(context, endpoint, key, err);
    if (socket->handle != NULL && handle_bind(socket->handle, endpoint, err) &&
        note_bound(socket, endpoint, err))
        return socket;
    wire_close(socket);
    return NULL;
}

bool wire_bind_also(struct wire_socket *socket, const char *endpoint,
                    struct err *err)
{
    return handle_bind(socket->handle, endpoint, err);
}

struct wire_socket *wire_connect(void *context, const char *endpoint,
                                 const struct key *key,
                                 const struct wire_id *id, struct err *err)
{
    assert(id != NULL && id->len > 0 && id->len <= WIRE_ID_MAX);
    assert(id->bytes[0] != 0); // ZeroMQ reserves such identities

    struct wire_socket *socket = new_socket(endpoint, key, err);

    if (socket == NULL)
        return NULL;
    socket->handle = handle_open_dealer(context, key, id, err);
    if (socket->handle != NULL &&
        handle_connect(socket->handle, endpoint, err) &&
        note_connected(socket, endpoint, err))
        return socket;
    wire_close(socket);
    return NULL;
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
