// desk_exec: a desk's exec metrics: starting their pool, asking, answers.
//
// A request that ends in a fault is asked again, up to three times in all;
// then the items that wait for it are holes and the job pauses with the
// program's standard error in the reason.

#ifndef COORDINATOR_DESK_EXEC_H
#define COORDINATOR_DESK_EXEC_H

#include "coordinator/desk.h"

enum { DESK_EXEC_TRIES = 3, DESK_EXEC_PROCESSES = 2 };

// Starts the pool when the metric has exec parts. ERR_INPUT: the command is
// not there, or the job came from afar and exec is not allowed.
bool desk_exec_start(struct desk *desk, struct err *err);

// Ends the pool and removes what was unpacked for it.
void desk_exec_stop(struct desk *desk);

// Asks the command of that exec part.
bool desk_begin_exec(struct desk *desk, struct flight *flight, int part,
                     struct err *err);

// Takes what the pool has answered. landed is called for each answered
// flight, with an answer whose text is borrowed.
void desk_read_exec(struct desk *desk,
                    void (*landed)(void *user, struct flight *flight,
                                   struct call_answer *answer),
                    void *user);

#endif
