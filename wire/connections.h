// connections: the TCP connections of a listening socket.
//
// A ROUTER hides its connections: it hands out frames, does not mention peers
// that connect and say nothing, and cannot close a connection. ZeroMQ 4.3
// offers two ways to look behind it, and this file is where they are used. The
// socket's monitor reports the descriptor of each connection when it is
// accepted and when it is closed, and each frame knows the descriptor that it
// came from (ZMQ_SRCFD). To close a connection we call shutdown(2) on its
// descriptor; libzmq then sees the end of the connection and cleans up.
//
//             accepted              connections_greeted
//   (none) ------------> STRANGER ---------------------> GREETED
//     ^                     |    <----------------------    |
//     |                     |     connections_peer_gone     |
//     |                     | 10 s, no room for strangers,  | connections_close
//     |                     | too many bytes or frames      v
//     '---- closed ---------+-------------------------> SHUT: what it still
//                                                       sent is ignored
//
// The monitor lags a little, so by the time we want to shut a descriptor it may
// have been closed and reused for another connection. So the address of the
// peer is noted when a connection is accepted, and compared before it is shut:
// at worst a stranger lives a few moments longer.
//
// Limits. A stranger may send STRANGER_FRAMES frames and STRANGER_BYTES bytes,
// and has STRANGER_MS to greet, or CROWD_MS in a crowd. All strangers together
// have a memory limit: each one counts as CONNECTION_BYTES plus the bytes that
// it has sent and that were not read yet, which the kernel knows (TCP_INFO).
// Beyond the limit, strangers that hold more than a greeting are shut first,
// and then the oldest. A limit on their number was tried and rejected: at
// 1,024, which is low enough for the most that each may hold, it cut off a
// crowd of honest workers that came back after a restart, again and again.
//
// Some descriptors are left for the program itself. Beyond `most` connections
// connections_crowded returns true, so that new peers can be refused with an
// explanation. A little beyond that, a new connection is shut at once, since a
// listener that runs out of descriptors would spin.
//
// inproc has no descriptors. It is -1, which is always allowed.

#ifndef WIRE_CONNECTIONS_H
#define WIRE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "wire/socket.h"

struct connections;

enum {
    CONNECTION_BYTES = 32 << 10, // each: here, in ZeroMQ and in the kernel
    // In total: 8,192 silent ones, or 2,730 with an incomplete frame.
    CONNECTIONS_STRANGER_BYTES = 256 << 20,
};

struct connections_limits {
    size_t most;           // connections that may be served at once
    size_t stranger_bytes; // limit for all peers that have not greeted
};

// Watches the socket, which is borrowed and must not be closed before
// connections_free.
struct connections *connections_new(void *context, struct wire_socket *socket,
                                    const struct connections_limits *limits,
                                    struct err *err);
void connections_free(struct connections *connections); // accepts NULL

void *connections_handle(const struct connections *connections); // for zmq_poll

// Processes what the monitor reported, and closes strangers that have been here
// too long.
void connections_tick(struct connections *connections, int64_t now_ms);

// A frame of this many bytes came from a peer that has not greeted. Returns
// false if the frame must be ignored, because its connection is over its limits
// or shut.
bool connections_admit(struct connections *connections, int fd, size_t bytes,
                       int64_t now_ms);

// The peer with that number, which is above 0, has greeted over fd and was
// welcomed. When the peer parts or should be closed later, fd may already
// belong to another connection; then nothing happens.
void connections_greeted(struct connections *connections, int fd, int64_t peer);
// The connection's peer is gone: it is a stranger's again, with the usual time
// to greet.
void connections_peer_gone(struct connections *connections, int fd,
                           int64_t peer, int64_t now_ms);
void connections_close(struct connections *connections, int fd, int64_t peer);

// Returns true if the connection over which that peer greeted is still open.
bool connections_is_open(const struct connections *connections, int fd,
                         int64_t peer);

// This many bytes were sent over fd to the peer with that number. Returns how
// many of all the bytes sent to it the peer has not taken yet: those that the
// kernel has not handed over (TCP_INFO), and those waiting in ZeroMQ's queue,
// which counts messages and not their bytes. Returns 0 if nothing is known, as
// with inproc. Short messages that are not reported here (heartbeats,
// handshakes) make the result a few bytes too small.
size_t connections_count_sent(struct connections *connections, int fd,
                              int64_t peer, size_t bytes);
size_t connections_unread_bytes(const struct connections *connections, int fd,
                                int64_t peer);

// Returns the next peer whose connection broke after the peer had greeted over
// it; each one is reported once. The peer may already be back, over another
// connection. Returns false if there is none left.
bool connections_broken(struct connections *connections, int *fd,
                        int64_t *peer);

// Returns how many connections of peers have broken so far.
size_t connections_lost(const struct connections *connections);

// Returns true if new peers should be refused.
bool connections_crowded(const struct connections *connections);
size_t connections_count(const struct connections *connections);

#endif
