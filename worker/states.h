// states: what a worker does in a turn, depending on its coordinator.
//
//   APART --open--> GREETING --WELCOME--> SERVING --drain--> DRAINING --> ENDED
//     ^                |                     |                   |
//     '----------------'---------------------'-------------------' lost; or a
//                                             guest has stepped back
//
// A draining worker finishes what is open and takes nothing new.

#ifndef WORKER_STATES_H
#define WORKER_STATES_H

#include "worker/worker_state.h"

// Takes one turn in a state that is not ENDED.
void states_step(struct worker *worker, int64_t now_ms);

// Starts to drain, from any state. A worker that is not SERVING ends at once,
// and one that holds no calls in its next turn.
void states_begin_drain(struct worker *worker);

#endif
