// prompt_prefixes: how the prompts of a job begin.
//
// All calls of a candidate's step begin with the same few kilobytes: system
// message and demos. They are rendered once per task and shared by its flights
// (struct prefix in engine.h). So 300 rows render them once, and a worker
// receives them once (wire/prefixes.h). What a judge is told before it is shown
// an answer, and what precedes a text to be embedded, is rendered once per job.
//
//   of a task   by step and form of answer; a row that is itself a demo of the
//               step gets a prefix of its own, without that demo
//   of a job    by the metric's asks, and one for embeddings
//
// Call only from the loop's thread.

#ifndef COORDINATOR_PROMPT_PREFIXES_H
#define COORDINATOR_PROMPT_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "coordinator/engine.h"
#include "program/graph/adapter.h"

// --- of a task ---

// Makes room for a task's prefixes, from when the loop gets the task until it
// gives the task back. close may be called twice.
bool prompt_prefixes_open(struct task *task, struct err *err);
void prompt_prefixes_close(struct engine *engine, struct task *task);

// Returns a new reference to the prefix for that row of the task in that form
// of answer; NULL on failure.
struct prefix *prompt_prefixes_step(struct job_work *work, struct task *task,
                                    int step, int row, enum adapter form,
                                    struct err *err);

// --- of a job: borrowed; NULL on failure ---

struct prefix *prompt_prefixes_metric(struct job_work *work, size_t part,
                                      struct err *err);
struct prefix *prompt_prefixes_embed(struct job_work *work, struct err *err);
void prompt_prefixes_release(struct job_work *work);

#endif
