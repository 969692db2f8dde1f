// worker_speed: how long a call may take here, judging by how long calls took.
//
// It keeps the slowest pace seen: the milliseconds per token for reading the
// prompt and for writing the reply, and the time on top of these (loading,
// waiting in the server's queue). A slower sample counts at once, a faster one
// as a 64th. That is on purpose: a prompt whose prefix the server still has is
// read 10 to 25 times faster than the next one that it has to read whole, and a
// deadline must hold for that one.
//
// The deadline is never later than what CALL carries: the coordinator gives up
// the lease a little after that, so work beyond it would be wasted.
//
// A reply that did not come in time shows that the pace is worse than known:
// each one doubles the deadline until an answer comes. Calls that were open at
// the same time belong to one outage, and double their deadline only once.
// Pure; no clock.

#ifndef WORKER_WORKER_SPEED_H
#define WORKER_WORKER_SPEED_H

#include <stdint.h>

#include "common/call.h"

struct worker_speed {
    double prompt_ms;   // per token; 0: not measured
    double generate_ms; // per token; 0: not measured
    double extra_ms;    // per call
    int missed;         // timeouts since the last answer
    int64_t missed_ms;  // when the last of them was noticed
};

enum { SPEED_LEAST_MS = 30 * 1000 }; // unless CALL carries less
enum { SPEED_FACTOR = 4 };           // applied to the slowest pace
enum { SPEED_BYTES_A_TOKEN = 3 };    // in a prompt; low on purpose

void worker_speed_add(struct worker_speed *speed,
                      const struct call_answer *answer);
// A call that began at begun_ms did not come back in time.
void worker_speed_miss(struct worker_speed *speed, int64_t begun_ms,
                       int64_t now_ms);

// Returns the milliseconds allowed from the request to the last byte of the
// reply: at most most_ms, and exactly that before anything is measured.
int64_t worker_speed_timeout_ms(const struct worker_speed *speed,
                                const struct call_request *request,
                                int64_t most_ms);

#endif
