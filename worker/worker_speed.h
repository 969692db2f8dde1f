// worker_speed: how long a call may take here, from how long calls took.
//
// Keeps the slowest pace seen: milliseconds a token for reading the prompt and
// for writing the reply, and what came on top (loading, waiting in the
// server's queue). A slower sample counts at once, a faster one a 64th. That
// is on purpose: a prompt whose prefix the server still had is read 10 to 25
// times faster than the next one that it has to read whole, and a deadline
// must hold for that one.
//
// The deadline is never over what CALL carries: the coordinator gives the
// lease up a little after that, so work beyond it would be wasted.
//
// A reply that did not come in time says that the pace is worse than known:
// each one doubles the deadline until an answer comes. Calls that were out
// together are one outage: their deadline doubles once. Pure; no clock.

#ifndef WORKER_WORKER_SPEED_H
#define WORKER_WORKER_SPEED_H

#include <stdint.h>

#include "common/call.h"

struct worker_speed {
    double prompt_ms;   // a token; 0: not measured
    double generate_ms; // a token; 0: not measured
    double extra_ms;    // a call
    int missed;         // time-outs since the last answer
    int64_t missed_ms;  // when the last of them was noticed
};

enum { SPEED_LEAST_MS = 30 * 1000 }; // unless CALL carries less
enum { SPEED_FACTOR = 4 };           // over the slowest pace
enum { SPEED_BYTES_A_TOKEN = 3 };    // of a prompt; few on purpose

void worker_speed_add(struct worker_speed *speed,
                      const struct call_answer *answer);
// A call that began then did not come back in time.
void worker_speed_miss(struct worker_speed *speed, int64_t begun_ms,
                       int64_t now_ms);

// Milliseconds from the request to the last byte of the reply, at most
// most_ms, and that before anything is measured.
int64_t worker_speed_timeout_ms(const struct worker_speed *speed,
                                const struct call_request *request,
                                int64_t most_ms);

#endif
