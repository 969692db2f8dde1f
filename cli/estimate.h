// estimate: what a run will take.
//
// How many calls an optimizer makes depends on the answers, but hardly on what
// they say. So the run is rehearsed on the stand-in, which gives the number of
// calls and the bytes of their prompts, in the same way for every optimizer.
// What a call takes is measured: the tokens per byte, the times, and how much
// longer replies are than those of the stand-in to the same questions. Pure.

#ifndef CLI_ESTIMATE_H
#define CLI_ESTIMATE_H

#include <stdint.h>

#include "program/job/job.h"

// Sums over calls of one role.
struct call_sums {
    double calls;
    double bytes;                            // of their prompts
    double prompt, generated;                // tokens
    double prompt_us, generate_us, total_us; // without loading a model
};

// What the stand-in measured: a whole run, and the program as written.
struct rehearsal {
    struct call_sums run[ROLE_COUNT];
    struct call_sums eval[ROLE_COUNT];
};

struct estimate {
    double calls[ROLE_COUNT];
    double prompt, generated;
    double seconds; // of work on one slot
    double call_s;  // of a call of the student
    int64_t slots;
    double measured; // number of calls that this is based on
};

// Fills in all of out but its slots. `measured` is the program as written on
// the servers that the run will use.
void estimate_run(const struct rehearsal *rehearsal,
                  const struct call_sums measured[ROLE_COUNT],
                  struct estimate *out);

#endif
