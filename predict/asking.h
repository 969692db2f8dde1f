// asking: what the runs of a pool ask: a model, a program, a search, or a model
// that embeds. A row for each answerer says when it has room and how it is
// asked.

#ifndef PREDICT_ASKING_H
#define PREDICT_ASKING_H

#include "predict/run.h"

// Collects what the run can ask now; searches by words are answered
// immediately. The run may have ended afterwards.
void asking_collect(struct run_pool *pool, struct run *run);

// Sends the waiting calls of a run. *due_ms is lowered to when the next call
// may be sent. Returns false when out of memory.
bool asking_send(struct run_pool *pool, struct run *run, int64_t now,
                 int64_t *due_ms, struct err *err);

#endif
