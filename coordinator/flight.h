// flight: a call on its way, and who waits for it. Single flight: a call whose
// key is already on its way is joined, not repeated.
//
//            flights_open             flights_land            commit
//   (none) --------------> FLYING ----------------> LANDED ----------> (gone)
//                            |                                 waiters told
//                            | nobody waits any more
//                            v
//                          (gone, cancelled)
//
// A flight stays until its answer is durable: only then do its waiters get it
// and only then does the worker get credit for another call (flight.lease,
// flight.worker). Landed flights form a queue in the order of their puts.
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_FLIGHT_H
#define COORDINATOR_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "common/map.h"
#include "search/session/task.h"

struct running_job;
struct evaluation;

// A prompt prefix as it is sent, shared by all flights of a candidate's step.
struct prefix {
    struct hash hash; // of the text
    struct hash key;  // of text and format
    char *text;       // owned
    size_t len;
    char *format;   // output format of its calls; owned, may be NULL
    int64_t number; // its group, for dispatch
    int64_t id;     // in the store; 0 until a call of it is put
    int references; // tasks and flights
};

struct waiter {
    struct evaluation *evaluation;
    int step; // what it asked, or the index of an exec part
    struct waiter *next;
};

struct flight {
    int64_t id; // for dispatch, or for the exec pool
    struct hash key;
    struct running_job *running; // whose call it is first; pays for it
    enum role role;
    const char *purpose;   // static
    char step[64];         // cut when longer
    bool exec;             // a request to an exec metric, in `tail`
    int exec_part;         // which of the metric's commands
    struct prefix *prefix; // a reference, NULL for exec
    int32_t model;         // its number; not for exec
    char *tail;            // owned
    size_t tail_len;
    struct call_options options;
    int64_t timeout_ms;
    int64_t sends;
    bool hedged;
    struct waiter *waiters; // in order of joining
    struct waiter **last_waiter;
    // once landed
    bool landed;
    struct call_answer answer;
    int64_t call_id;
    uint64_t put;
    int32_t worker; // -1: no credit to give back
    int64_t lease;
    struct flight *next_landed;
    struct flight *next_left; // while a running job leaves
};

struct flights {
    struct map by_key;
    struct map by_id;
    struct map prefixes;
    struct flight *first_landed, *last_landed;
    int64_t last_id;
    int64_t last_prefix;
    size_t n;
};

void flights_release(struct flights *flights); // frees all flights

// Takes tail on success (the caller frees it on failure). The caller fills what
// the arguments do not say.
struct flight *flights_open(struct flights *flights, const struct hash *key,
                            char *tail, size_t tail_len, struct err *err);
struct flight *flights_find(const struct flights *flights,
                            const struct hash *key);
struct flight *flights_by_id(const struct flights *flights, int64_t id);

bool flight_join(struct flight *flight, struct evaluation *evaluation, int step,
                 struct err *err);
// Removes the waits for which leaves(waiter, user) is true; true when nobody
// waits any more.
bool flight_leave(struct flight *flight,
                  bool (*leaves)(const struct waiter *, const void *user),
                  const void *user);

// Queues it behind those that landed before.
void flights_land(struct flights *flights, struct flight *flight);
// The oldest landed flight whose put is at most durable, taken off the queue
// and out of the maps; NULL when there is none. The caller closes it.
struct flight *flights_take_durable(struct flights *flights, uint64_t durable);
// Forgets a flight that has not landed.
void flights_drop(struct flights *flights, struct flight *flight);
void flight_close(struct flights *flights, struct flight *flight);

// The shared prefix of that text: found or made. Takes text and format in any
// case; gives a new reference.
struct prefix *flights_prefix(struct flights *flights, char *text, size_t len,
                              char *format, struct err *err);
void prefix_unref(struct flights *flights, struct prefix *prefix);

#endif
