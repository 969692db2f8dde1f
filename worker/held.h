// held: the calls that a worker has, in the order in which they came.
//
// A held call is either waiting (it came while all slots were taken, or the
// server was busy) or open at the model server. It owns the arena that its
// texts live in, so the server can be asked again.
//
// When the coordinator is lost, the leases are gone. Calls that are open and
// have a key are kept without a lease: their answers stay here until a
// coordinator asks the same again, under a new lease.
//
//   waiting --> open ---------------> sent, until it is surely durable
//                | held_keep  ^             |
//                v            | held_adopt  | the coordinator is lost
//               kept, open    |             v
//                '------------+----> kept, answered
//
// An answer that was sent is kept as well, since the coordinator may have died
// with it. At most slots + 1 calls of a worker are held here or not yet
// durable. So if n calls are held here, only the last slots + 1 - n answers
// that the worker sent can still be lost.
//
// One owner, one thread.

#ifndef WORKER_HELD_H
#define WORKER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "wire/message.h"

struct held {
    struct held *next;
    struct arena arena;       // owned; holds all texts of `call`
    struct call_message call; // its id is the lease
    int64_t number;           // given here, never again: the model client's id
    bool open;
    bool kept;                 // has no lease: call.id means nothing
    bool sent;                 // kept, and its answer was sent to a coordinator
    bool answered;             // kept, and its answer has come
    struct call_answer answer; // owned; set once it is answered
    int busy_tries;            // how often the server was too busy for it
};

struct held_list {
    struct held *first; // oldest first
    size_t n;           // calls that have a lease
    size_t n_kept;
    size_t n_sent; // of the kept ones
    size_t n_open; // of all
    int64_t last_number;
};

// Takes over the arena and leaves it empty. Returns NULL when out of memory,
// and then the arena is unchanged.
struct held *held_add(struct held_list *list, const struct call_message *call,
                      struct arena *arena);
struct held *held_find(const struct held_list *list, int64_t id);
struct held *held_by_number(const struct held_list *list, int64_t number);
// Finds the call with that key, kept or not; there is at most one.
struct held *held_find_key(const struct held_list *list, const char *key,
                           size_t key_len);
// Writes the leases of jobs' calls to `out`, which has room for n of them,
// WIRE_LEASE_BYTES each. Returns the number of bytes. Proofs, which the worker
// shows when it joins, are left out.
size_t held_list_leases(const struct held_list *list, char *out);
struct held *held_first_waiting(const struct held_list *list);
void held_set_open(struct held_list *list, struct held *held, bool open);
void held_keep(struct held_list *list, struct held *held);
void held_set_sent(struct held_list *list, struct held *held, bool sent);
struct held *held_first_sent(const struct held_list *list);
// Gives a kept call a lease again.
void held_adopt(struct held_list *list, struct held *held, int64_t id);
void held_remove(struct held_list *list, struct held *held); // and frees it

// Selects held calls, for functions that act on some of them.
typedef bool held_test(const struct held *held);
bool held_is_kept(const struct held *held);
// Kept, open or answered, and not asked for again by any coordinator.
bool held_is_unclaimed(const struct held *held);
bool held_has_lease(const struct held *held);
bool held_is_waiting(const struct held *held); // has a lease and is waiting

#endif
