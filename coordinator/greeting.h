// greeting: what a HELLO means, and whether its sender is admitted.
//
//   another version, or a key of another role
//       it is REFUSED
//   a known id with its known epoch
//       the same peer, perhaps on a new connection; a worker may have other
//       models now
//   a known id with another epoch
//       the peer has restarted: its former self is removed
//   a known instance of a worker under another id
//       the worker came back on another connection: its former self is removed,
//       unless that one greeted later (when many peers arrive at once, a HELLO
//       may come from a connection that has been closed in the meantime)
//   anything else
//       a new peer, if there is room
//
// An admitted peer gets WELCOME. A worker names the calls that it still holds
// from an earlier coordinator (kept_calls.h), and is asked for its proofs
// (proof.h).

#ifndef COORDINATOR_GREETING_H
#define COORDINATOR_GREETING_H

#include <stdint.h>

#include "wire/message.h"
#include "wire/socket.h"

struct peers;

// Handles a HELLO that came from that id in the last frame.
void greeting_handle(struct peers *peers, const struct wire_id *from,
                     const struct hello *hello, int64_t now);

#endif
