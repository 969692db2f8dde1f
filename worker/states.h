// states: what a worker does in a turn, by how it stands with its coordinator.
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

// One turn in a state that is not ENDED.
void states_step(struct worker *worker, int64_t now_ms);

// Finishes, from any state; without work, at once.
void states_begin_drain(struct worker *worker);

#endif
