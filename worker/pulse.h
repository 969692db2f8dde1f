// pulse: when a worker is to beat, and when its coordinator counts as lost.
//
// A worker that holds calls beats every `beat_ms` of its WELCOME, since
// heartbeats find out what was lost on its way. One that has held none for a
// while may be seldom heard, as the coordinator asks of many (`idle_ms` of
// WELCOME and HEARTBEAT); thousands of workers then do not beat in the same
// instant. The coordinator is lost when it has been silent for 15 heartbeats,
// or three of that slower rhythm.
//
//   pulse_begin                pulse_beats: time for a heartbeat
//       |     pulse_works: a call is here   ^
//       v     |                             | each turn
//     beating ------------------------------+--> pulse_is_lost
//             ^
//             pulse_hears: the coordinator said something
//
// Times are monotonic milliseconds from the caller. One owner, one thread.

#ifndef WORKER_PULSE_H
#define WORKER_PULSE_H

#include <stdbool.h>
#include <stdint.h>

struct pulse {
    int64_t beat_ms;  // between two heartbeats
    int64_t idle_ms;  // the same of a worker that holds no call
    int64_t next_ms;  // when the next one leaves
    int64_t heard_ms; // when the coordinator was heard last
    int64_t work_ms;  // when a call was last here
    bool unsteady;    // the connection broke, and nothing was said since
};

// Before any WELCOME.
void pulse_init(struct pulse *pulse, int64_t now_ms);

// A coordinator welcomes the worker, and asks for these rhythms.
void pulse_begin(struct pulse *pulse, int64_t beat_ms, int64_t idle_ms,
                 int64_t now_ms);

void pulse_hears(struct pulse *pulse, int64_t now_ms);

// A call is here: the next heartbeat comes within beat_ms.
void pulse_works(struct pulse *pulse, int64_t now_ms);

// For how long no call has been here.
int64_t pulse_idle_for_ms(const struct pulse *pulse, int64_t now_ms);

// Whether the connection stands. One that broke may lead to another coordinator
// when it is back, so that the next heartbeat comes soon and shows who listens.
void pulse_connection(struct pulse *pulse, bool stands, int64_t now_ms);

bool pulse_is_lost(const struct pulse *pulse, int64_t now_ms);

// True when a heartbeat is to leave now; then the next one is set.
bool pulse_beats(struct pulse *pulse, int64_t now_ms);

#endif
