// dispatch_state: what dispatch knows. Private to this room.
//
//   dispatch -- models --> lane --> trial_line --> bucket --> queued calls
//            |    |  \                               /
//            |    |   workers with a          group (all calls of a prefix)
//            |    |   free place
//            |    leases, longest out first
//            +-- workers --> slots, leases, served models
//
// All links live in the things themselves. What a worker will ever need is
// allocated when it joins, and what a call needs when it is queued. Only the
// three levels of the backlog are allocated later; without memory for them a
// call waits for another back-off.

#ifndef DISPATCH_DISPATCH_STATE_H
#define DISPATCH_DISPATCH_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch/dispatch.h"
#include "dispatch/heap.h"
#include "dispatch/pace.h"
#include "dispatch/ring.h"
#include "dispatch/table.h"

enum queued_state { STATE_QUEUED, STATE_WAITING, STATE_LEASED, STATE_PARKED };
enum { STATE_COUNT = STATE_PARKED + 1 };

// Where a free place is, best first: a model server that has the model loaded
// and a slot idle; one with nothing loaded; the place beyond the slots of one
// that has it loaded; those that would have to change their model.
enum place {
    PLACE_IDLE_LOADED,
    PLACE_IDLE_FRESH,
    PLACE_SPARE_LOADED,
    PLACE_IDLE_OTHER,
    PLACE_SPARE_OTHER,
    PLACE_HELD, // idle, and left free for the moment (offer.h)
    PLACE_NONE, // no free place, or not to be given calls now
};
enum { PLACE_COUNT = PLACE_NONE };

// One job's share of the work. Lives while it has calls, or a limit.
struct share {
    struct table_node node; // key: the job
    size_t n_calls;
    size_t in_work; // calls that are leased
    int64_t served; // the last lease that it got
    double had_ms;  // slot time that it had, for its priority (share.h)
    int64_t half;   // half of its window, 1 or more
    int64_t priority;
    // Its limit (seat.h).
    int32_t max_workers; // 0: none
    struct seat *seats;  // owned, max_workers
    size_t n_idle;       // that are taken and have no call
    struct ring vacant;  // nobody's
    struct ring ready;   // whose worker has a free place
    struct ring busy;    // whose worker has none
};

// A worker's place in a job that has a limit.
struct seat {
    struct ring of_share;  // in share.vacant, ready or busy
    struct ring of_worker; // in worker.seats while it is taken
    struct share *share;
    struct dispatch_worker *worker; // NULL: vacant
    size_t n_held;                  // places that calls of the job take there
    bool ready;                     // taken, and not listed as busy
};

// What is known of one model, and all that is matched by it.
struct model {
    struct table_node node;        // key: the model's number
    struct ring all;               // in dispatch.all_models
    struct ring active;            // in dispatch.active while calls are queued
    struct ring lanes;             // those with queued calls
    struct ring free[PLACE_COUNT]; // served_models whose worker has a place
    struct ring out;     // leases of calls with one lease, longest out first
    struct ring doubled; // of calls with two the later one, likewise
    size_t n_calls;      // in any state
    size_t n_queued;
    // Of the workers that serve it (dispatch_worker.c counts them):
    size_t n_live;           // neither draining nor silent
    size_t n_awake;          // of those, not at rest for their faults
    size_t n_good;           // of those, that have answered a call of it
    size_t n_loaded;         // of the live ones, that have it loaded
    bool answered;           // somebody has answered a call of it, ever
    int64_t fed_ms;          // when a call was last sent, or the queue began
    struct pace_usual usual; // of answered calls
};

// Queued calls of one model and job that failed on the same workers.
struct lane {
    struct ring link; // in model.lanes
    struct model *model;
    struct share *share;
    struct ring lines; // trial_lines, oldest trial first; never empty
    int32_t failed[DISPATCH_WORKER_FAULTS]; // ascending
    int n_failed;
};

struct trial_line {
    struct ring link; // in lane.lines
    struct lane *lane;
    int64_t trial;
    int64_t batch;       // of it; 0: none
    struct ring buckets; // never empty
};

// Queued calls of one lane, trial and group.
struct bucket {
    struct ring in_line;  // in trial_line.buckets
    struct ring in_group; // in group.buckets
    struct trial_line *line;
    struct ring calls; // never empty
};

// Calls of one prompt prefix. Lives while a call or a slot names it.
struct group {
    struct table_node node; // key: the group
    size_t refs;
    int64_t kind;        // of its calls
    int64_t prefix_size; // of each, in bytes; 0: not known
    size_t n_queued;
    size_t n_slots; // at work, and the last call meant for them is of it
    int64_t rate;   // of these slots together (slot.rate)
    // Of those that read the prompt first, together:
    size_t n_readers;
    int64_t readers_rate;
    double readers_due;  // slot.due_ms times slot.rate
    struct ring buckets; // waiting calls
    struct ring homes;   // idle slots whose last call was of it
};

// dispatch's note of a call.
struct queued_call {
    struct table_node node; // key: the call
    struct share *share;
    struct model *model;
    struct group *group;
    int64_t trial;
    int64_t batch;
    int64_t timeout_ms;
    struct ring link; // QUEUED: in bucket.calls; PARKED: in dispatch.parks
    union {
        struct bucket *bucket;  // QUEUED
        struct heap_node ready; // WAITING: in dispatch.waits
    } at;
    struct lease *leases;                   // HELD and LATE ones
    int32_t failed[DISPATCH_WORKER_FAULTS]; // workers, ascending
    uint8_t n_failed;
    uint8_t n_held;    // leases that are HELD: 0 to 3
    uint8_t state;     // enum queued_state
    uint8_t last;      // enum call_fault
    uint16_t n_faults; // that say something of the call
    uint16_t strikes;  // weight of those by workers that are to be believed
    uint16_t n_delays; // FAULT_BUSY
    bool sent;         // was with a worker: goes before its like
};

// A worker's lease of a call, with the place that it takes there.
//
//             lease_send                   answer             credit
//   UNUSED ----------------------> HELD ----------> ANSWERED ------> UNUSED
//                                 / |  |
//   it ends, or the worker       /  |  +-> a fault: UNUSED
//   is silent: LATE <-----------+   |
//                |                  |
//                +------------------+--> not wanted any more: CANCELLED
//                |                       until ACTION_CANCEL is given out
//                +--> answered or faulted after all: UNUSED
//
// HELD and ANSWERED take a place. A HELD lease without a slot is the one
// beyond the slots: its time begins when a slot is free.
enum lease_state {
    LEASE_UNUSED,
    LEASE_HELD,
    LEASE_LATE,
    LEASE_ANSWERED,
    LEASE_CANCELLED,
};

struct lease {
    struct table_node node; // key: its number; listed unless UNUSED, CANCELLED
    struct ring link;       // HELD: in model.out or doubled, or none; else by
                            // state
    struct heap_node end;   // HELD with a slot: in dispatch.ends
    struct dispatch_worker *worker;
    struct queued_call *queued; // HELD, LATE
    struct lease *sibling;      // the next of queued call.leases
    struct slot *slot;          // HELD; NULL while it waits for one
    struct seat *seat; // HELD, ANSWERED: of a job with a limit, or NULL
    int64_t call;      // for the action
    int64_t sent_ms;
    int64_t confirmed_ms; // when the worker last said that it has it, or sent
    int64_t began_ms;     // when it got its slot
    enum lease_state state;
    bool fresh; // the slot had not the prefix of this call
    bool odd;   // its time says nothing of the worker's speed: it was sent
                // again, or another model had to be loaded for it
};

// One of the calls that a worker's model server works on at once.
struct slot {
    struct ring link; // in worker.idle or worker.busy
    struct ring home; // in group.homes while idle
    struct dispatch_worker *worker;
    struct group *group; // of the last call meant for it; NULL: none
    struct lease *lease; // NULL: idle
    int64_t rate;        // that its group counts for it; 0: none does
    int64_t due_ms;      // when its call is expected to be answered, if it
                         // reads its prompt first; 0: it does not
    int64_t last;        // the group of its last call; 0: none yet
    int64_t free_ms;     // since when it is idle
};

// A model that a worker serves.
struct served_model {
    struct served_model *next; // of the same worker
    struct dispatch_worker *worker;
    struct model *model;
    struct ring link; // in model.free[place]
    enum place place;
    bool proven; // it has answered a call of it
    struct pace pace;
    // How the model's numbers count it.
    bool live, awake, good, loaded;
};

struct dispatch_worker {
    struct table_node node;             // key: its number
    struct ring link;                   // lost: in dispatch.drops
    struct served_model *served_models; // owned
    struct slot *slots;                 // owned, n_slots
    struct lease *leases;               // owned, n_leases
    size_t n_slots;
    size_t n_leases;
    size_t n_places;        // taken
    struct ring idle;       // slots, last used first
    struct ring busy;       // slots, longest at work first
    struct lease *next;     // the lease that waits for a slot, or NULL
    struct slot *next_slot; // that it is meant for; another may be free first
    struct ring unused;     // leases
    struct ring late;       // leases, oldest first
    struct ring answered;   // leases
    struct ring seats;      // of jobs with a limit
    struct model *loaded;   // of the last call sent; NULL: unknown
    int64_t heard_ms;
    int64_t fed_ms;    // when it was sent a call and had none, or suspected
    int64_t rhythm_ms; // silence that it may keep without a call
    struct heap_node alarm; // in dispatch.alarms
    int64_t answered_ms;    // INT64_MIN: never
    struct heap_node pause; // in dispatch.pauses while paused
    struct heap_node hold;  // in dispatch.holds while held
    bool paused;
    bool held; // its next slot is left free until then, or till calls come
    bool draining;
    bool silent;         // not heard for long: gets no calls
    int n_faults;        // in a row, of different calls
    int n_busy;          // in a row
    int64_t last_failed; // the call of the last of n_faults
};

struct dispatch {
    struct dispatch_config config;
    struct table calls, shares, models, groups, workers, leases;
    struct ring all_models;
    struct ring active;  // models with queued calls
    struct ring cancels; // leases to tell of
    struct ring drops;   // workers to tell of
    struct ring parks;   // queued calls to tell of
    struct heap ends;    // leases
    struct heap waits;   // queued calls
    struct heap pauses;  // workers
    struct heap holds;   // workers
    // Workers, by when their silence is to be looked at: not later than it has
    // lasted too long. Whoever is heard meanwhile is listed anew only then.
    struct heap alarms;
    int64_t last_lease;
    size_t n_state[STATE_COUNT];
    size_t n_silent;  // workers
    size_t n_slots;   // of workers that are neither draining nor silent
    bool behind;      // what workers have said was not all taken in
    size_t n_leases;  // of all workers, whether in use or not
    double served_ms; // had_ms of the share that was served last, at most ever
    double usual_ms;  // slot time of a call, of late
    int64_t n_sent, n_faults, n_hedged, n_swaps, n_silences;
    bool settled; // dispatch_next had nothing, and no event came since
};

// Most things that one decision looks at where a list may be long: decisions
// stay cheap, and at worst a little less than the best.
enum { DISPATCH_LOOK = 32 };

#endif
