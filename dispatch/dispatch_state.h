// dispatch_state: everything that dispatch knows. Private to this room.
//
// The functions of dispatch.h are in three files: dispatch.c has the events,
// dispatch_time.c what happens because time passes, and dispatch_next.c the
// actions.
//
//   dispatch -- models --> lane --> trial_line --> bucket --> queued calls
//            |    |  \                               /
//            |    |   workers with a          group (all calls of a prefix)
//            |    |   free place
//            |    leases, longest out first
//            +-- workers --> slots, leases, served models
//
// All links are embedded in the structs themselves. Everything that a worker
// will ever need is allocated when it joins, and everything that a call needs
// when it is queued. Only the three levels of the backlog are allocated later;
// if that fails for lack of memory, the call waits for another back-off.

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

// What kind of free place a worker has, best first: a model server with the
// model loaded and an idle slot; one with nothing loaded; the place beyond the
// slots of one with the model loaded; those that would have to change their
// model.
enum place {
    PLACE_IDLE_LOADED,
    PLACE_IDLE_FRESH,
    PLACE_SPARE_LOADED,
    PLACE_IDLE_OTHER,
    PLACE_SPARE_OTHER,
    PLACE_HELD, // idle, but deliberately left free for now (offer.h)
    PLACE_NONE, // no free place, or no calls allowed now
};
enum { PLACE_COUNT = PLACE_NONE };

// One job's share of the slots. Lives while the job has calls or a limit.
struct share {
    struct table_node node; // key: the job
    size_t n_calls;
    size_t in_work; // calls that are leased
    int64_t served; // the number of the last lease that it got
    double had_ms;  // slot time that it has had, divided by priority (share.h)
    int64_t half;   // half of its window, at least 1
    int64_t priority;
    // Its limit (seat.h):
    int32_t max_workers; // 0: no limit
    struct seat *seats;  // owned, max_workers of them
    size_t n_idle;       // taken seats without a call
    struct ring vacant;  // seats without a worker
    struct ring ready;   // seats whose worker has a free place
    struct ring busy;    // seats whose worker has none
};

// A worker's place in a job that has a limit.
struct seat {
    struct ring of_share;  // in share.vacant, ready or busy
    struct ring of_worker; // in worker.seats, while the seat is taken
    struct share *share;
    struct dispatch_worker *worker; // NULL: vacant
    size_t n_held;                  // places taken there by calls of the job
    bool ready;                     // in share.ready, if taken
};

// Everything known about one model, and all lists that are kept for it.
struct model {
    struct table_node node;        // key: the model's number
    struct ring all;               // in dispatch.all_models
    struct ring active;            // in dispatch.active while calls are queued
    struct ring lanes;             // those with queued calls
    struct ring free[PLACE_COUNT]; // served_models with a place of that kind
    struct ring out;     // leases of calls with one lease, longest out first
    struct ring doubled; // of calls with two leases the later one, likewise
    size_t n_calls;      // in any state
    size_t n_queued;
    // Counts of the workers that serve it (see dispatch_worker.c):
    size_t n_live;           // neither draining nor silent
    size_t n_awake;          // of the live ones, not resting
    size_t n_good;           // of the awake ones, have answered a call for it
    size_t n_loaded;         // of the live ones, have it loaded
    bool answered;           // somebody has answered a call for it, ever
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
    int64_t batch;       // of the trial; 0: none
    struct ring buckets; // never empty
};

// The queued calls of one lane, trial and group.
struct bucket {
    struct ring in_line;  // in trial_line.buckets
    struct ring in_group; // in group.buckets
    struct trial_line *line;
    struct ring calls; // never empty
};

// The calls with one prompt prefix. Lives while a call or a slot refers to it.
struct group {
    struct table_node node; // key: the group
    size_t refs;
    int64_t kind;        // of its calls
    int64_t prefix_size; // of each call, in bytes; 0: unknown
    size_t n_queued;
    size_t n_slots; // busy slots whose last intended call is in this group
    int64_t rate;   // of these slots together (slot.rate)
    // Those of these slots that read the prompt first, taken together:
    size_t n_readers;
    int64_t readers_rate;
    double readers_due;  // sum of slot.due_ms times slot.rate
    struct ring buckets; // of queued calls
    struct ring homes;   // idle slots whose last call was in this group
};

// What dispatch knows about a call.
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
    struct lease *leases;                   // those that are HELD or LATE
    int32_t failed[DISPATCH_WORKER_FAULTS]; // numbers of workers, ascending
    uint8_t n_failed;
    uint8_t n_held;    // leases that are HELD: 0 to 3
    uint8_t state;     // enum queued_state
    uint8_t last;      // enum call_fault
    uint16_t n_faults; // that say something about the call
    uint16_t strikes;  // weight of those by workers that are believed
    uint16_t n_delays; // number of FAULT_BUSY
    bool sent;         // was with a worker before: goes ahead of its peers
};

// A worker's lease of a call, with the place that it takes there.
//
//             lease_send                   answer             credit
//   UNUSED ----------------------> HELD ----------> ANSWERED ------> UNUSED
//                                 / |  |
//   the lease ends, or the      /  |  +-> a fault: UNUSED
//   worker is silent: LATE <---+   |
//                |                  |
//                +------------------+--> no longer wanted: CANCELLED
//                |                       until ACTION_CANCEL is given out
//                +--> answered or faulted after all: UNUSED
//
// HELD and ANSWERED leases take a place. A HELD lease without a slot is the one
// beyond the slots: its time starts when it gets a slot.
enum lease_state {
    LEASE_UNUSED,
    LEASE_HELD,
    LEASE_LATE,
    LEASE_ANSWERED,
    LEASE_CANCELLED,
};

struct lease {
    struct table_node node; // key: its number; listed unless UNUSED, CANCELLED
    struct ring link;       // HELD: in model.out or doubled, or in no list;
                            // otherwise in the list of its state
    struct heap_node end;   // HELD with a slot: in dispatch.ends
    struct dispatch_worker *worker;
    struct queued_call *queued; // HELD, LATE
    struct lease *sibling;      // the next one in queued_call.leases
    struct slot *slot;          // HELD; NULL while it waits for a slot
    struct seat *seat; // HELD, ANSWERED: the seat, if the job has a limit
    int64_t call;      // for the action
    int64_t sent_ms;
    int64_t confirmed_ms; // when the worker last confirmed it, or it was sent
    int64_t began_ms;     // when it got its slot
    enum lease_state state;
    bool fresh; // the slot did not have the prefix of this call
    bool odd;   // its time says nothing about the worker's speed: it was sent
                // again, or another model had to be loaded for it
};

// One of the calls that a worker's model server can work on at the same time.
struct slot {
    struct ring link; // in worker.idle or worker.busy
    struct ring home; // in group.homes while idle
    struct dispatch_worker *worker;
    struct group *group; // of the last call meant for it; NULL: none
    struct lease *lease; // NULL: idle
    int64_t rate;        // as counted in its group; 0: not counted
    int64_t due_ms;      // when its call should be answered, if it reads its
                         // prompt first; 0: it does not
    int64_t last;        // the group number of its last call; 0: none yet
    int64_t free_ms;     // when it became idle
};

// A model that a worker serves.
struct served_model {
    struct served_model *next; // of the same worker
    struct dispatch_worker *worker;
    struct model *model;
    struct ring link; // in model.free[place]
    enum place place;
    bool proven; // it has answered a call for the model
    struct pace pace;
    // Whether the model's counts include it:
    bool live, awake, good, loaded;
};

struct dispatch_worker {
    struct table_node node;             // key: its number
    struct ring link;                   // once lost: in dispatch.drops
    struct served_model *served_models; // owned
    struct slot *slots;                 // owned, n_slots of them
    struct lease *leases;               // owned, n_leases of them
    size_t n_slots;
    size_t n_leases;
    size_t n_places;        // places that are taken
    struct ring idle;       // slots, last used first
    struct ring busy;       // slots, longest busy first
    struct lease *next;     // the lease that waits for a slot, or NULL
    struct slot *next_slot; // meant for it; another may become free first
    struct ring unused;     // leases
    struct ring late;       // leases, oldest first
    struct ring answered;   // leases
    struct ring seats;      // in jobs with a limit
    struct model *loaded;   // model of the last call sent; NULL: unknown
    int64_t heard_ms;
    int64_t fed_ms;         // when sent a call while it had none, or suspected
    int64_t rhythm_ms;      // how long it may be silent without a call
    struct heap_node alarm; // in dispatch.alarms
    int64_t answered_ms;    // INT64_MIN: never
    struct heap_node pause; // in dispatch.pauses while paused
    struct heap_node hold;  // in dispatch.holds while held
    bool paused;
    bool held; // its next slot is left free until then, or until calls come
    bool draining;
    bool silent;         // not heard from for long: gets no calls
    int n_faults;        // in a row, on different calls
    int n_busy;          // in a row
    int64_t last_failed; // the call of the latest of n_faults
};

struct dispatch {
    struct dispatch_config config;
    struct table calls, shares, models, groups, workers, leases;
    struct ring all_models;
    struct ring active;  // models with queued calls
    struct ring cancels; // leases that the caller must still be told about
    struct ring drops;   // workers, likewise
    struct ring parks;   // queued calls, likewise
    struct heap ends;    // leases
    struct heap waits;   // queued calls
    struct heap pauses;  // workers
    struct heap holds;   // workers
    // Workers, ordered by when to check them for silence: no later than when
    // their silence becomes too long. A worker that is heard from before is
    // moved only then.
    struct heap alarms;
    int64_t last_lease;
    size_t n_state[STATE_COUNT];
    size_t n_silent;  // workers
    size_t n_slots;   // of workers that are neither draining nor silent
    bool behind;      // not all messages of workers have been read
    size_t n_leases;  // of all workers, used or not
    double served_ms; // the highest had_ms of any share when it was served
    double usual_ms;  // recent slot time of a call
    int64_t n_sent, n_faults, n_hedged, n_swaps, n_silences;
    bool settled; // dispatch_next had nothing to do, and no event came since
};

// How many entries one decision looks at where a list may be long. So decisions
// stay cheap, and at worst are slightly below the best.
enum { DISPATCH_LOOK = 32 };

#endif
