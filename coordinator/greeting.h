// greeting: a HELLO, and whether its sender comes in.
//
//   another version, a key of another role --> REFUSED
//   the epoch that is known        --> the same peer, over this connection; a
//                                      worker may have got other models
//   another epoch of a known id    --> it has started anew: its former self
//   goes a known instance of a worker   --> it came over another connection:
//   its
//                                      former self goes, unless that one
//                                      greeted later; in a crowd that comes at
//                                      once a HELLO may arrive from a
//                                      connection that is closed by then
//   nobody that is known           --> a new peer, if there is room
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
