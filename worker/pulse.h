// pulse: when a worker sends a heartbeat, and when its coordinator is lost.
//
// A worker that holds calls sends one every `beat_ms` (from WELCOME), since
// heartbeats show what was lost on the way. A worker that has held none for a
// while may send fewer, as a coordinator with many workers asks (`idle_ms` in
// WELCOME and HEARTBEAT); thousands of workers then do not all send at the same
// instant. The coordinator is lost when it has been silent for 15 heartbeats,
// or for three at the slower rhythm, whichever is longer.
//
//   pulse_begin          pulse_is_due: time for a heartbeat
//       |     pulse_has_call          ^
//       v     |                       | each turn
//     beating ------------------------+--> pulse_is_lost
//             ^
//             pulse_heard: the coordinator said something
//
// Times are monotonic milliseconds from the caller. One owner, one thread.

#ifndef WORKER_PULSE_H
#define WORKER_PULSE_H

#include <stdbool.h>
#include <stdint.h>

struct pulse {
    int64_t beat_ms;  // between two heartbeats
    int64_t idle_ms;  // the same for a worker that holds no call
    int64_t next_ms;  // when the next heartbeat is due
    int64_t heard_ms; // when the coordinator was last heard
    int64_t work_ms;  // when a call was last held here
    bool unsteady;    // the connection broke, and nothing was said since
};

// The state before any WELCOME.
void pulse_init(struct pulse *pulse, int64_t now_ms);

// A coordinator welcomes the worker and asks for these rhythms.
void pulse_begin(struct pulse *pulse, int64_t beat_ms, int64_t idle_ms,
                 int64_t now_ms);

void pulse_heard(struct pulse *pulse, int64_t now_ms);

// A call is held here: the next heartbeat comes within beat_ms.
void pulse_has_call(struct pulse *pulse, int64_t now_ms);

// Returns for how long no call has been held here.
int64_t pulse_idle_for_ms(const struct pulse *pulse, int64_t now_ms);

// Says whether there is a connection. One that broke may lead to a different
// coordinator when it is back, so the next heartbeat comes soon and shows who
// is listening.
void pulse_connection(struct pulse *pulse, bool is_up, int64_t now_ms);

// Returns true if the coordinator has been silent for too long.
bool pulse_is_lost(const struct pulse *pulse, int64_t now_ms);

// Returns true when a heartbeat is due now, and schedules the next one.
bool pulse_is_due(struct pulse *pulse, int64_t now_ms);

#endif
