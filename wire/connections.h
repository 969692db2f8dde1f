// connections: the TCP connections of a listening socket.
//
// A ROUTER hides its connections: it hands out frames, says nothing of those
// who connect and keep silent, and cannot close a peer. ZeroMQ 4.3 gives two
// ways to look behind it, and this file is where they are used: the socket's
// monitor tells of each connection's descriptor when it is accepted and when
// it is closed, and each frame knows the descriptor that it came from
// (ZMQ_SRCFD). Closing is shutdown(2) on that descriptor: libzmq then sees the
// end of the connection and cleans up.
//
//             accepted              connections_greeted
//   (none) ------------> STRANGER ---------------------> GREETED
//     ^                     |    <----------------------    |
//     |                     |       connections_parted      |
//     |                     | 10 s, no room for strangers,  | connections_close
//     |                     | too many bytes or frames      v
//     '---- closed ---------+-------------------------> SHUT: what it still
//                                                       sent is ignored
//
// The monitor lags behind a little, so a descriptor may have been closed and
// be another connection's by the time it is to be shut. Therefore its peer's
// address is noted when it is accepted and compared before: at worst a
// stranger lives some moments longer.
//
// Bounds: a stranger may send STRANGER_FRAMES frames, STRANGER_BYTES bytes,
// and has STRANGER_MS until it greets, in a crowd CROWD_MS. All strangers
// together may hold so many bytes: each counts CONNECTION_BYTES, and what it
// has sent that was not read yet, which the kernel knows (TCP_INFO). Beyond it
// those go that hold more than a greeting, and then the oldest. A limit on
// their number was tried: one low enough for the worst that each may hold,
// 1,024, cut off a crowd of honest workers that came back after a restart,
// again and again. Descriptors are left for the program itself: beyond `most`
// connections connections_crowded says so (new peers can be refused in words),
// and some more beyond that a new connection is shut at once, since a listener
// without descriptors would spin.
//
// inproc has no descriptors: -1, to which everything is allowed.

#ifndef WIRE_CONNECTIONS_H
#define WIRE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "wire/socket.h"

struct connections;

enum {
    CONNECTION_BYTES = 32 << 10, // of one here, in ZeroMQ and in the kernel
    // Together: 8,192 that keep silent, 2,730 with a frame that is not whole.
    CONNECTIONS_STRANGER_BYTES = 256 << 20,
};

struct connections_limits {
    size_t most;           // that may be served at once
    size_t stranger_bytes; // of all that have not greeted
};

// Watches socket, which is borrowed and must be closed only after
// connections_free.
struct connections *connections_new(void *context, struct wire_socket *socket,
                                    const struct connections_limits *limits,
                                    struct err *err);
void connections_free(struct connections *connections); // NULL is fine

void *connections_handle(const struct connections *connections); // for zmq_poll

// Takes what the monitor told, closes strangers that have been here too long.
void connections_tick(struct connections *connections, int64_t now_ms);

// A frame of so many bytes came from a peer that has not greeted. False: it is
// to be ignored, for its connection has had enough or is shut.
bool connections_admit(struct connections *connections, int fd, size_t bytes,
                       int64_t now_ms);

// The peer of that number, any above 0, has greeted over fd and been welcomed.
// When it parts or is to be closed, fd may belong to a connection that came
// after its own; then nothing happens.
void connections_greeted(struct connections *connections, int fd, int64_t peer);
// Its peer is gone: it is a stranger's again, and has as long to greet.
void connections_parted(struct connections *connections, int fd, int64_t peer,
                        int64_t now_ms);
void connections_close(struct connections *connections, int fd, int64_t peer);

// Whether the connection over which that peer greeted is open still.
bool connections_hold(const struct connections *connections, int fd,
                      int64_t peer);

// So many bytes were sent to the peer of that number over fd. Returns how many
// of all that it was sent it has not taken yet: what the kernel has not handed
// over (TCP_INFO), and what waits in ZeroMQ's queue, which counts messages and
// not their bytes. 0 where nothing is known, as over inproc. Short messages
// that are not told here (heartbeats, handshakes) make it too little by some
// bytes.
size_t connections_gave(struct connections *connections, int fd, int64_t peer,
                        size_t bytes);
size_t connections_untaken(const struct connections *connections, int fd,
                           int64_t peer);

// The next peer whose connection broke after it had greeted over it; each is
// told once. It may be back already, over another connection. False: there is
// none left.
bool connections_broken(struct connections *connections, int *fd,
                        int64_t *peer);

// How many connections of peers have broken since the beginning.
size_t connections_lost(const struct connections *connections);

// Whether a new peer should be refused.
bool connections_crowded(const struct connections *connections);
size_t connections_count(const struct connections *connections);

#endif
