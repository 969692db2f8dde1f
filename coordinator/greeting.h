// greeting: a HELLO, and whether its sender comes in.
//
//   another version, or a key of another role
//       it is REFUSED
//   a known id with its known epoch
//       the same peer, over this connection; a worker may have other models now
//   a known id with another epoch
//       the peer has started anew: its former self is removed
//   a known instance of a worker under another id
//       the worker came back over another connection: its former self is
//       removed, unless that one greeted later (where many come at once, a
//       HELLO may arrive from a connection that is closed by then)
//   anything else
//       a new peer, if there is room
//
// Whoever comes in hears WELCOME. A worker names what it still has of an
// earlier coordinator's calls (kept_calls.h), and is asked for its proofs
// (proof.h).

#ifndef COORDINATOR_GREETING_H
#define COORDINATOR_GREETING_H

#include <stdint.h>

#include "wire/message.h"
#include "wire/socket.h"

struct peers;

// A HELLO came from that id in the last frame.
void greeting_heed(struct peers *peers, const struct wire_id *from,
                   const struct hello *hello, int64_t now);

#endif
