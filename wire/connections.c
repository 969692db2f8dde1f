#include "wire/connections.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/tcp.h>
#include <zmq.h>

#include "wire/monitor.h"

enum {
    STRANGER_MS = 10000,
    CROWD_MS = 30000, // in a crowd, where peers queue for a welcome
    STRANGER_FRAMES = 128,
    STRANGER_BYTES = 256 << 10,
    WEIGH_MS = 250,     // between checks of what strangers hold
    HELLO_BYTES = 4096, // most HELLOs are shorter
    CROWD_ROOM = 32,    // connections beyond `most` that are told why
    BROKEN_MOST = 1024, // kept until they are reported; any beyond are not
    FD_MOST = 1 << 20,  // no descriptor is larger
};

enum connection_state { CONN_NONE, CONN_STRANGER, CONN_GREETED, CONN_SHUT };

// One connection, indexed by its descriptor.
struct connection {
    enum connection_state state;
    struct sockaddr_storage peer; // as accepted
    int64_t accepted_ms;
    int64_t greeted_by; // the peer that speaks over it; 0: none yet
    int frames;
    size_t bytes;     // in these frames
    size_t before;    // received before it became a stranger
    size_t given;     // sent to its peer, and at least what the peer took
    int older, newer; // strangers, by age; -1: none
};

struct connections {
    struct wire_socket *socket; // borrowed
    void *monitor;              // a PAIR
    struct connections_limits limits;
    struct connection *by_fd; // owned
    size_t cap;
    int oldest, newest; // strangers
    size_t n_strangers;
    int64_t weighed_ms; // when their memory was last added up
    size_t n;           // open connections, as far as is known
    struct broken {
        int fd;
        int64_t peer;
    } broken[BROKEN_MOST]; // a ring buffer, oldest first
    size_t first_broken, n_broken;
    size_t n_lost; // closed connections that had a peer
};

// --- strangers, oldest first ---

static void list_stranger(struct connections *c, int fd)
{
    struct connection *connection = &c->by_fd[fd];

    connection->older = c->newest;
    connection->newer = -1;
    if (c->newest >= 0)
        c->by_fd[c->newest].newer = fd;
    else
        c->oldest = fd;
    c->newest = fd;
    c->n_strangers++;
}

static void unlist_stranger(struct connections *c, int fd)
{
    const struct connection *connection = &c->by_fd[fd];

    if (connection->older >= 0)
        c->by_fd[connection->older].newer = connection->newer;
    else
        c->oldest = connection->newer;
    if (connection->newer >= 0)
        c->by_fd[connection->newer].older = connection->older;
    else
        c->newest = connection->older;
    c->n_strangers--;
}

static void set_state(struct connections *c, int fd,
                      enum connection_state state)
{
    struct connection *connection = &c->by_fd[fd];

    if (connection->state == CONN_STRANGER)
        unlist_stranger(c, fd);
    if (connection->state == CONN_NONE)
        c->n++;
    if (state == CONN_NONE)
        c->n--;
    if (state == CONN_NONE && connection->state == CONN_GREETED)
        c->n_lost++;
    connection->state = state;
    if (state == CONN_STRANGER)
        list_stranger(c, fd);
}

static struct connection *find(const struct connections *c, int fd)
{
    if (fd < 0 || (size_t)fd >= c->cap || c->by_fd[fd].state == CONN_NONE)
        return NULL;
    return &c->by_fd[fd];
}

// --- closing ---

static bool read_peer(int fd, struct sockaddr_storage *out)
{
    socklen_t len = sizeof *out;

    memset(out, 0, sizeof *out);
    return getpeername(fd, (struct sockaddr *)out, &len) == 0;
}

static void shut(struct connections *c, int fd)
{
    const struct connection *connection = find(c, fd);
    struct sockaddr_storage peer;

    if (connection == NULL || connection->state == CONN_SHUT)
        return;
    if (read_peer(fd, &peer) &&
        memcmp(&peer, &connection->peer, sizeof peer) == 0)
        (void)shutdown(fd, SHUT_RDWR);
    set_state(c, fd, CONN_SHUT);
}

// Returns true if the connection is this peer's: by now the descriptor may
// belong to another one.
static bool is_of(const struct connection *connection, int64_t peer)
{
    return connection != NULL && connection->greeted_by == peer;
}

void connections_close(struct connections *c, int fd, int64_t peer)
{
    if (is_of(find(c, fd), peer))
        shut(c, fd);
}

// --- bytes in flight ---

// Returns what the kernel has counted for the connection, or all zeros if it
// counts nothing, as for a Unix socket.
static struct tcp_info read_counts(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return (struct tcp_info){0};
    return info;
}

static size_t read_received(int fd)
{
    return (size_t)read_counts(fd).tcpi_bytes_received;
}

static size_t read_taken(int fd)
{
    return (size_t)read_counts(fd).tcpi_bytes_acked;
}

size_t connections_unread_bytes(const struct connections *c, int fd,
                                int64_t peer)
{
    const struct connection *connection = find(c, fd);
    size_t taken;

    if (!is_of(connection, peer) || connection->state != CONN_GREETED)
        return 0;
    taken = read_taken(fd);
    return connection->given > taken ? connection->given - taken : 0;
}

size_t connections_count_sent(struct connections *c, int fd, int64_t peer,
                              size_t bytes)
{
    size_t untaken = connections_unread_bytes(c, fd, peer);
    size_t taken;

    if (!is_of(find(c, fd), peer))
        return 0;
    taken = read_taken(fd);
    if (taken == 0)
        return 0;
    c->by_fd[fd].given = taken + untaken + bytes;
    return untaken + bytes;
}

// --- what strangers hold ---

// Returns how many bytes a stranger has sent that were not read yet: frames in
// ZeroMQ's queue, and a frame that is not complete.
static size_t unread_bytes(const struct connections *c, int fd)
{
    const struct connection *connection = &c->by_fd[fd];
    size_t known = connection->before + connection->bytes;
    size_t received = read_received(fd);

    return received > known ? received - known : 0;
}

static size_t count_held(const struct connections *c)
{
    size_t bytes = 0;

    for (int fd = c->oldest; fd >= 0; fd = c->by_fd[fd].newer)
        bytes += CONNECTION_BYTES + unread_bytes(c, fd);
    return bytes;
}

// Shuts strangers that hold more than `least`, the oldest first, until the rest
// are within the limit. Returns how much the rest hold.
static size_t shut_heavy(struct connections *c, size_t bytes, size_t least)
{
    int newer;

    for (int fd = c->oldest; fd >= 0 && bytes > c->limits.stranger_bytes;
         fd = newer) {
        size_t unread = unread_bytes(c, fd);
        size_t own = CONNECTION_BYTES + unread;

        newer = c->by_fd[fd].newer;
        if (unread < least)
            continue;
        shut(c, fd);
        bytes -= own < bytes ? own : bytes; // it may have sent more meanwhile
    }
    return bytes;
}

// Returns true if the strangers would exceed the limit when each held as much
// as it may.
static bool is_crowd(const struct connections *c)
{
    const size_t each = CONNECTION_BYTES + STRANGER_BYTES;

    return c->n_strangers > c->limits.stranger_bytes / each;
}

// Strangers that hold much are shut before those that only wait for their turn.
static void limit_memory(struct connections *c, int64_t now_ms)
{
    size_t bytes;

    if (!is_crowd(c) || now_ms - c->weighed_ms < WEIGH_MS)
        return;
    c->weighed_ms = now_ms;
    bytes = shut_heavy(c, count_held(c), HELLO_BYTES);
    (void)shut_heavy(c, bytes, 0);
}

// --- what the monitor reports ---

// When out of memory the connection remains unknown, and lives on unwatched.
static bool make_room(struct connections *c, int fd)
{
    size_t cap = c->cap == 0 ? 64 : c->cap;

    if (fd < 0 || fd > FD_MOST)
        return false;
    while (cap <= (size_t)fd)
        cap *= 2;
    if (cap == c->cap)
        return true;
    struct connection *grown = realloc(c->by_fd, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + c->cap, 0, (cap - c->cap) * sizeof *grown);
    c->by_fd = grown;
    c->cap = cap;
    return true;
}

static void on_accepted(struct connections *c, int fd, int64_t now_ms)
{
    if (!make_room(c, fd))
        return;
    if (c->by_fd[fd].state != CONN_NONE)
        set_state(c, fd, CONN_NONE);
    c->by_fd[fd] = (struct connection){.accepted_ms = now_ms};
    if (!read_peer(fd, &c->by_fd[fd].peer))
        return; // already closed
    set_state(c, fd, CONN_STRANGER);
    if (c->n > c->limits.most + CROWD_ROOM)
        shut(c, fd);
    else if (c->n_strangers * CONNECTION_BYTES > c->limits.stranger_bytes)
        shut(c, c->oldest);
}

static void on_closed(struct connections *c, int fd)
{
    const struct connection *connection = find(c, fd);

    if (connection == NULL)
        return;
    if (connection->state == CONN_GREETED && c->n_broken < BROKEN_MOST)
        c->broken[(c->first_broken + c->n_broken++) % BROKEN_MOST] =
            (struct broken){.fd = fd, .peer = connection->greeted_by};
    set_state(c, fd, CONN_NONE);
}

static void read_events(struct connections *c, int64_t now_ms)
{
    struct monitor_event event;

    while (monitor_take(c->monitor, &event)) {
        if (event.number == ZMQ_EVENT_ACCEPTED)
            on_accepted(c, (int)event.value, now_ms);
        else
            on_closed(c, (int)event.value);
    }
}

void connections_tick(struct connections *c, int64_t now_ms)
{
    read_events(c, now_ms);
    while (c->oldest >= 0 && now_ms - c->by_fd[c->oldest].accepted_ms >=
                                 (is_crowd(c) ? CROWD_MS : STRANGER_MS))
        shut(c, c->oldest);
    limit_memory(c, now_ms);
}

// --- what peers do ---

bool connections_admit(struct connections *c, int fd, size_t bytes,
                       int64_t now_ms)
{
    struct connection *connection = find(c, fd);

    if (fd < 0)
        return true;
    if (connection == NULL || connection->state == CONN_SHUT) {
        // The frame may arrive before the monitor's report of its connection,
        // which may have the descriptor of one that was shut.
        read_events(c, now_ms);
        connection = find(c, fd);
    }
    if (connection == NULL || connection->state == CONN_GREETED)
        return true;
    if (connection->state == CONN_SHUT)
        return false;
    connection->frames++;
    connection->bytes += bytes;
    if (connection->frames <= STRANGER_FRAMES &&
        connection->bytes <= STRANGER_BYTES)
        return true;
    shut(c, fd);
    return false;
}

void connections_greeted(struct connections *c, int fd, int64_t peer)
{
    struct connection *connection = find(c, fd);

    if (connection == NULL || connection->state == CONN_SHUT)
        return;
    connection->greeted_by = peer;
    if (connection->state == CONN_STRANGER)
        set_state(c, fd, CONN_GREETED);
}

void connections_peer_gone(struct connections *c, int fd, int64_t peer,
                           int64_t now_ms)
{
    const struct connection *connection = find(c, fd);

    if (!is_of(connection, peer) || connection->state != CONN_GREETED)
        return;
    set_state(c, fd, CONN_STRANGER);
    c->by_fd[fd].accepted_ms = now_ms;
    c->by_fd[fd].before = read_received(fd);
}

bool connections_broken(struct connections *c, int *fd, int64_t *peer)
{
    const struct broken *broken = &c->broken[c->first_broken];

    if (c->n_broken == 0)
        return false;
    *fd = broken->fd;
    *peer = broken->peer;
    c->first_broken = (c->first_broken + 1) % BROKEN_MOST;
    c->n_broken--;
    return true;
}

size_t connections_lost(const struct connections *c)
{
    return c->n_lost;
}

bool connections_is_open(const struct connections *c, int fd, int64_t peer)
{
    const struct connection *connection = find(c, fd);

    return fd < 0 ||
           (is_of(connection, peer) && connection->state == CONN_GREETED);
}

bool connections_crowded(const struct connections *c)
{
    return c->n > c->limits.most;
}

size_t connections_count(const struct connections *c)
{
    return c->n;
}

// --- opening and closing ---

struct connections *connections_new(void *context, struct wire_socket *socket,
                                    const struct connections_limits *limits,
                                    struct err *err)
{
    struct connections *c = calloc(1, sizeof *c);

    if (c == NULL) {
        err_nomem(err, "the connections");
        return NULL;
    }
    c->socket = socket;
    c->limits = *limits;
    c->oldest = c->newest = -1;
    c->monitor = monitor_open(context, wire_handle(socket),
                              ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
    if (c->monitor != NULL)
        return c;
    err_set(err, ERR_IO, "cannot start ZeroMQ's monitor: %s",
            zmq_strerror(zmq_errno()));
    connections_free(c);
    return NULL;
}

void connections_free(struct connections *c)
{
    if (c == NULL)
        return;
    monitor_close(wire_handle(c->socket), c->monitor);
    free(c->by_fd);
    free(c);
}

void *connections_handle(const struct connections *c)
{
    return c->monitor;
}
