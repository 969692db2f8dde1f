// check_steps: steps that nothing comes of, whatever a model says: one whose
// `when` holds for no example, one that looks for more passages than there are
// documents, and one whose program fails.
//
// Only what the inputs of the job decide is looked at. What hangs on an answer
// of a model is known when there is one.

#ifndef CLI_CHECK_STEPS_H
#define CLI_CHECK_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/jobfile.h"
#include "cli/options.h"

struct exec_done;
struct exec_pool;

// Waits for what the pool was asked, a moment longer than the pool itself does.
// False: nothing came.
bool check_await(struct exec_pool *pool, int64_t timeout_ms,
                 struct exec_done *done);

void check_steps(struct jobfile *file, const struct options *options);

// Asks the programs of steps about the first example, where they need no answer
// of a model for that. The pool has the commands of the job (job_commands).
void check_step_programs(struct jobfile *file, struct exec_pool *pool);

#endif
