#include "simulation/network.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/map.h"
#include "simulation/machine.h"
#include "simulation/source.h"
#include "wire/connections.h"
#include "wire/refusal.h"
#include "wire/socket.h"

enum {
    LEAST_US = 100,
    RETRY_US = 100000,
    LATE_US = 300000,
    FIRST_FD = 100000,
    NUMBERED = 1 << 16
};

struct frame {
    struct frame *next;
    int from;           // number of the connected socket, at either end
    int to;             // 0: to the listener
    char endpoint[256]; // where the listener is
    struct wire_id id;  // of the sender, for the listener
    size_t len;
    char data[];
};

struct wire_socket {
    struct source source; // first
    int number;
    bool listens;
    bool dead;
    int process; // the process that owns it
    char endpoint[256];
    struct wire_id id;
    struct frame *first, **last; // arrived
    struct frame *taken;
    struct wire_frame rest; // what is left of it, as in wire/socket.c
    struct wire_id rest_from;
    struct buf encoded;
    // For a connected socket: when the last frame in each direction arrives,
    // and until when the link is cut.
    int64_t up_us, down_us, cut_us;
    bool cut_loses;
    struct wire_socket *next;
};

static struct {
    struct network_faults faults;
    struct wire_socket *sockets;
    struct wire_socket *numbered[NUMBERED]; // by number, from FIRST_FD
    int n_ever;
    struct map prefixes; // texts of call prefixes, by name; owned
    void (*sent)(const struct message *message);
    bool (*is_lost)(const struct message *message);
} network;

static void forget_prefixes(void)
{
    struct hash name;
    void *text;
    size_t at = 0;

    while (map_next(&network.prefixes, &at, &name, &text))
        free(text);
    map_release(&network.prefixes);
    network.prefixes = MAP_INIT;
}

void network_start(void)
{
    assert(network.sockets == NULL);
    network.faults = (struct network_faults){0};
    network.n_ever = FIRST_FD;
    network.sent = NULL;
    network.is_lost = NULL;
    forget_prefixes();
}

void network_set_faults(const struct network_faults *faults)
{
    network.faults = *faults;
}

void network_on_send(void (*sent)(const struct message *message))
{
    network.sent = sent;
}

// --- links ---

static struct wire_socket *by_number(int number)
{
    return number <= FIRST_FD || number > network.n_ever
               ? NULL
               : network.numbered[number - FIRST_FD];
}

static struct wire_socket *listener_at(const char *endpoint)
{
    struct wire_socket *at = network.sockets;

    while (at != NULL &&
           (!at->listens || at->dead || strcmp(at->endpoint, endpoint) != 0))
        at = at->next;
    return at;
}

static struct wire_socket *by_id(const char *endpoint, const struct wire_id *id)
{
    struct wire_socket *at = network.sockets;

    while (at != NULL && (at->listens || at->id.len != id->len ||
                          memcmp(at->id.bytes, id->bytes, id->len) != 0 ||
                          strcmp(at->endpoint, endpoint) != 0))
        at = at->next;
    return at;
}

void network_kill(const char *endpoint)
{
    struct wire_socket *listener = listener_at(endpoint);

    if (listener != NULL)
        listener->dead = true;
}

void network_kill_process(int process)
{
    for (struct wire_socket *at = network.sockets; at != NULL; at = at->next)
        if (at->process == process)
            at->dead = true;
}

static void cut(struct wire_socket *socket, int64_t us)
{
    socket->cut_us = machine_now_us() + us;
    socket->cut_loses = machine_chance(0.5);
}

void network_cut_one(int64_t us)
{
    size_t n = 0;
    struct wire_socket *chosen = NULL;

    for (struct wire_socket *at = network.sockets; at != NULL; at = at->next)
        if (!at->listens && machine_below(++n) == 0)
            chosen = at;
    if (chosen != NULL)
        cut(chosen, us);
}

void network_cut_all(int64_t us)
{
    for (struct wire_socket *at = network.sockets; at != NULL; at = at->next)
        if (!at->listens)
            cut(at, us);
}

void network_heal(void)
{
    network.faults = (struct network_faults){.delay_us = 1000};
    for (struct wire_socket *at = network.sockets; at != NULL; at = at->next)
        at->cut_us = 0;
}

void network_on_loss(bool (*is_lost)(const struct message *message))
{
    network.is_lost = is_lost;
}

bool network_readable(int fd)
{
    const struct wire_socket *socket = by_number(fd);

    return socket != NULL && wire_pending(socket);
}

// --- frames on their way ---

static void arrive(void *user);

static void deliver(struct wire_socket *to, struct frame *frame)
{
    frame->next = NULL;
    *to->last = frame;
    to->last = &frame->next;
    machine_trace_add((uint64_t)machine_now_us());
}

// Delivers a frame. A frame to a listener that is down either waits in its
// sender's queue or, if it was already on the network, is lost. A frame that
// was sent before its socket was closed arrives (ZMQ_LINGER).
static void arrive(void *user)
{
    struct frame *frame = user;
    const struct wire_socket *from = by_number(frame->from);
    struct wire_socket *to =
        frame->to != 0 ? by_number(frame->to) : listener_at(frame->endpoint);

    if (to != NULL && !to->dead)
        deliver(to, frame);
    else if (frame->to == 0 && from != NULL && machine_chance(0.5))
        machine_at(machine_now_us() + RETRY_US, arrive, frame);
    else
        free(frame);
}

static void post(struct wire_socket *link, int64_t *last_us,
                 const struct frame *frame)
{
    const struct network_faults *faults = &network.faults;
    int64_t now = machine_now_us();
    int64_t at = now + LEAST_US;
    struct frame *copy = malloc(sizeof *copy + frame->len);

    if (copy == NULL)
        abort();
    memcpy(copy, frame, sizeof *copy + frame->len);
    if (faults->delay_us > 0)
        at += (int64_t)machine_below((uint64_t)faults->delay_us);
    if (now < link->cut_us) {
        if (link->cut_loses) {
            free(copy);
            return;
        }
        at += link->cut_us - now;
    }
    if (faults->late > 0 && machine_chance(faults->late))
        at += (int64_t)machine_below(LATE_US);
    else {
        if (at <= *last_us)
            at = *last_us + 1;
        *last_us = at;
    }
    machine_at(at, arrive, copy);
}

static void send_frame(struct wire_socket *link, int64_t *last_us,
                       struct frame *frame)
{
    const struct network_faults *faults = &network.faults;

    if (faults->lost > 0 && machine_chance(faults->lost))
        return;
    post(link, last_us, frame);
    if (faults->twice > 0 && machine_chance(faults->twice))
        post(link, last_us, frame);
}

// --- wire/socket.h ---

static struct wire_socket *new_socket(const char *endpoint, bool listens)
{
    struct wire_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL)
        abort();
    (void)snprintf(socket->endpoint, sizeof socket->endpoint, "%s", endpoint);
    socket->listens = listens;
    socket->number = ++network.n_ever;
    if (socket->number - FIRST_FD >= NUMBERED)
        abort();
    network.numbered[socket->number - FIRST_FD] = socket;
    socket->process = machine_process();
    socket->encoded = BUF_INIT(2 * (size_t)WIRE_MAX_BYTES);
    socket->last = &socket->first;
    socket->next = network.sockets;
    network.sockets = socket;
    return socket;
}

static bool is_readable(const void *self)
{
    return wire_pending(self);
}

struct wire_socket *wire_bind(void *context, const char *endpoint,
                              const struct key *key, struct err *err)
{
    struct wire_socket *socket;

    (void)context, (void)key;
    if (listener_at(endpoint) != NULL) {
        err_set(err, ERR_BUSY, "%s is in use", endpoint);
        return NULL;
    }
    socket = new_socket(endpoint, true);
    socket->source.readable = is_readable;
    return socket;
}

// No program here uses a second endpoint.
bool wire_bind_also(struct wire_socket *socket, const char *endpoint,
                    struct err *err)
{
    (void)socket, (void)endpoint, (void)err;
    return true;
}

struct wire_socket *wire_connect(void *context, const char *endpoint,
                                 const struct key *key,
                                 const struct wire_id *id, struct err *err)
{
    struct wire_socket *socket = new_socket(endpoint, false);

    (void)context, (void)key;
    (void)err;
    socket->source.readable = is_readable;
    socket->id = *id;
    return socket;
}

void wire_close(struct wire_socket *socket)
{
    struct wire_socket **at = &network.sockets;

    if (socket == NULL)
        return;
    while (*at != socket)
        at = &(*at)->next;
    *at = socket->next;
    network.numbered[socket->number - FIRST_FD] = NULL;
    while (socket->first != NULL) {
        struct frame *next = socket->first->next;

        free(socket->first);
        socket->first = next;
    }
    free(socket->taken);
    buf_release(&socket->encoded);
    free(socket);
}

const char *wire_endpoint(const struct wire_socket *socket)
{
    return socket->endpoint;
}

void *wire_handle(struct wire_socket *socket)
{
    return &socket->source;
}

int wire_fd(const struct wire_socket *socket)
{
    return socket->number;
}

bool wire_pending(const struct wire_socket *socket)
{
    return !socket->dead && (socket->rest.len > 0 || socket->first != NULL);
}

bool wire_writable(const struct wire_socket *socket)
{
    return !socket->dead && listener_at(socket->endpoint) != NULL;
}

static bool send_to(struct wire_socket *socket, const struct wire_id *to,
                    const struct wire_frame *bytes, struct err *err)
{
    struct wire_socket *peer = to == NULL ? NULL : by_id(socket->endpoint, to);
    struct frame *frame;

    if (to != NULL && peer == NULL) {
        err_set(err, ERR_IO, "%s: the peer is gone", socket->endpoint);
        return false;
    }
    frame = malloc(sizeof *frame + bytes->len);
    if (frame == NULL)
        abort();
    *frame = (struct frame){.from = socket->number,
                            .to = peer == NULL ? 0 : peer->number,
                            .id = socket->id,
                            .len = bytes->len};
    (void)snprintf(frame->endpoint, sizeof frame->endpoint, "%s",
                   socket->endpoint);
    memcpy(frame->data, bytes->data, bytes->len);
    if (peer == NULL)
        send_frame(socket, &socket->up_us, frame);
    else
        send_frame(peer, &peer->down_us, frame);
    free(frame);
    return true;
}

// Fills in the text of a prefix that the call only names, from an earlier call
// to any worker. No name may stand for two texts.
static void fill_prefix(struct call_message *call)
{
    struct call_request *request = &call->request;
    struct hash name;
    char *text;

    if (call->prefix_name_len != sizeof name.bytes)
        return;
    memcpy(name.bytes, call->prefix_name, sizeof name.bytes);
    text = map_find(&network.prefixes, &name);
    if (text == NULL) {
        text = strdup(request->prefix);
        if (text == NULL || request->prefix_len == 0 ||
            !map_put(&network.prefixes, &name, text))
            abort();
    }
    if (request->prefix_len > 0 && strcmp(request->prefix, text) != 0)
        abort();
    request->prefix = text;
    request->prefix_len = strlen(text);
}

static void tell_sent(struct wire_frame frame)
{
    struct arena arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES);
    struct message message;
    struct err err = ERR_CLEAR;

    while (frame.len > 0) {
        if (!message_take(&frame, &arena, &message, &err))
            abort();
        if (message.kind == MESSAGE_CALL)
            fill_prefix(&message.as.call);
        network.sent(&message);
        arena_release(&arena);
    }
}

// Keeps the messages of a frame that must not be lost, one after the other.
static void keep_others(struct wire_frame frame, struct buf *out)
{
    struct arena arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES);
    struct message message;
    struct err err = ERR_CLEAR;

    while (frame.len > 0) {
        const char *first = frame.data;

        if (!message_take(&frame, &arena, &message, &err))
            abort();
        if (!network.is_lost(&message))
            buf_append(out, first, (size_t)(frame.data - first));
        arena_release(&arena);
    }
}

// Sends a frame from which messages may be missing.
static bool send_rest(struct wire_socket *socket, const struct wire_id *to,
                      const struct wire_frame *frame, struct err *err)
{
    struct buf rest = BUF_INIT((size_t)2 * WIRE_MAX_BYTES);
    bool ok = true;

    keep_others(*frame, &rest);
    if (rest.len > 0)
        ok = send_to(socket, to,
                     &(struct wire_frame){.data = rest.data, .len = rest.len},
                     err);
    buf_release(&rest);
    return ok;
}

bool wire_send_encoded(struct wire_socket *socket, const struct wire_id *to,
                       const struct wire_frame *frame, struct err *err)
{
    if (socket->dead)
        return true;
    // Long frames go in parts; the tests of real sockets cover that.
    assert(to != NULL || frame->len <= WIRE_FRAME_BYTES);
    if (to != NULL && network.sent != NULL)
        tell_sent(*frame);
    if (network.is_lost != NULL)
        return send_rest(socket, to, frame, err);
    return send_to(socket, to, frame, err);
}

bool wire_send(struct wire_socket *socket, const struct wire_id *to,
               const struct message *message, struct err *err)
{
    struct wire_frame frame;

    buf_clear(&socket->encoded);
    if (!message_encode(message, &socket->encoded, err))
        return false;
    frame = (struct wire_frame){.data = socket->encoded.data,
                                .len = socket->encoded.len};
    return wire_send_encoded(socket, to, &frame, err);
}

size_t wire_sent_bytes(const struct wire_socket *socket)
{
    return socket->encoded.len;
}

enum wire_got wire_take(struct wire_socket *socket, struct wire_id *from,
                        struct wire_frame *out, struct err *err)
{
    struct frame *frame = socket->dead ? NULL : socket->first;

    (void)err;
    *out = (struct wire_frame){0};
    socket->rest = (struct wire_frame){0};
    if (frame == NULL)
        return WIRE_NOTHING;
    socket->first = frame->next;
    if (socket->first == NULL)
        socket->last = &socket->first;
    free(socket->taken);
    socket->taken = frame;
    if (from != NULL)
        *from = frame->id;
    *out = (struct wire_frame){.data = frame->data, .len = frame->len};
    return WIRE_MESSAGE;
}

int wire_source(struct wire_socket *socket)
{
    return socket->taken == NULL ? -1 : socket->taken->from;
}

// Nothing is encrypted here.
const char *wire_peer_key(struct wire_socket *socket)
{
    (void)socket;
    return "";
}

bool refusal_explain(void *context, const char *endpoint, const struct key *key,
                     struct err *err)
{
    (void)context, (void)endpoint, (void)key, (void)err;
    return false;
}

enum wire_got wire_receive(struct wire_socket *socket, struct wire_id *from,
                           struct arena *arena, struct message *out,
                           struct err *err)
{
    enum wire_got got = socket->dead ? WIRE_NOTHING : WIRE_MESSAGE;

    if (got == WIRE_MESSAGE && socket->rest.len == 0)
        got = wire_take(socket, &socket->rest_from, &socket->rest, err);
    if (from != NULL)
        *from = socket->rest_from;
    if (got == WIRE_MESSAGE && message_take(&socket->rest, arena, out, err))
        return WIRE_MESSAGE;
    socket->rest = (struct wire_frame){0};
    return got == WIRE_MESSAGE ? WIRE_BAD : got;
}

// --- wire/connections.h ---

struct connections {
    struct source source; // first
};

static bool is_silent(const void *self)
{
    (void)self;
    return false;
}

struct connections *connections_new(void *context, struct wire_socket *socket,
                                    const struct connections_limits *limits,
                                    struct err *err)
{
    struct connections *connections = calloc(1, sizeof *connections);

    (void)context, (void)socket, (void)limits, (void)err;
    if (connections == NULL)
        abort();
    connections->source.readable = is_silent;
    return connections;
}

void connections_free(struct connections *connections)
{
    free(connections);
}

void *connections_handle(const struct connections *connections)
{
    return (void *)&connections->source;
}

void connections_tick(struct connections *connections, int64_t now_ms)
{
    (void)connections, (void)now_ms;
}

bool connections_admit(struct connections *connections, int fd, size_t bytes,
                       int64_t now_ms)
{
    (void)connections, (void)fd, (void)bytes, (void)now_ms;
    return true;
}

void connections_greeted(struct connections *connections, int fd, int64_t peer)
{
    (void)connections, (void)fd, (void)peer;
}

void connections_peer_gone(struct connections *connections, int fd,
                           int64_t peer, int64_t now_ms)
{
    (void)connections, (void)fd, (void)peer, (void)now_ms;
}

// Breaks the connection, which then comes back. What was on its way is lost.
void connections_close(struct connections *connections, int fd, int64_t peer)
{
    struct wire_socket *socket = by_number(fd);

    (void)connections, (void)peer;
    if (socket == NULL)
        return;
    socket->cut_us = machine_now_us() + RETRY_US;
    socket->cut_loses = true;
}

// Every peer reads all that is sent to it.
size_t connections_count_sent(struct connections *connections, int fd,
                              int64_t peer, size_t bytes)
{
    (void)connections, (void)fd, (void)peer, (void)bytes;
    return 0;
}

size_t connections_unread_bytes(const struct connections *connections, int fd,
                                int64_t peer)
{
    (void)connections, (void)fd, (void)peer;
    return 0;
}

bool connections_is_open(const struct connections *connections, int fd,
                         int64_t peer)
{
    (void)connections, (void)fd, (void)peer;
    return true;
}

// Nothing reports that a machine is gone.
bool connections_broken(struct connections *connections, int *fd, int64_t *peer)
{
    (void)connections, (void)fd, (void)peer;
    return false;
}

size_t connections_lost(const struct connections *connections)
{
    (void)connections;
    return 0;
}

bool connections_crowded(const struct connections *connections)
{
    (void)connections;
    return false;
}

size_t connections_count(const struct connections *connections)
{
    (void)connections;
    return 0;
}
