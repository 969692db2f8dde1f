// asking: what the runs of a pool ask: a model, a program, a search, a model
// that embeds. A row for each answerer says when it has room, and how it is
// asked.

#ifndef PREDICT_ASKING_H
#define PREDICT_ASKING_H

#include "predict/run.h"

// Takes over what the run can ask now; what is searched by words has its answer
// at once. The run may have ended then.
void asking_collect(struct run_pool *pool, struct run *run);

// Sends the waiting calls of a run. *due_ms is brought forward to when the next
// may go. False without memory.
bool asking_send(struct run_pool *pool, struct run *run, int64_t now,
                 int64_t *due_ms, struct err *err);

#endif
