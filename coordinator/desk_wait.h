// desk_wait: what a job waits for: models to be there, and anybody to answer.

#ifndef COORDINATOR_DESK_WAIT_H
#define COORDINATOR_DESK_WAIT_H

#include "coordinator/desk.h"

// Binds the roles whose models earlier processes pinned, so that a replay
// that asks nobody still knows them.
bool desk_bind_pinned(struct desk *desk, struct err *err);

// Pins the role's model by the first worker that has it.
// False while there is none (desk_watch decides how long), or after it has
// closed the desk because it can never be.
bool desk_bind(struct desk *desk, enum role role);

// Closes the desk when its work cannot be done: nobody answered for too long,
// no worker has the model, the model has another digest than the pinned one.
void desk_watch(struct desk *desk, int64_t now);

#endif
