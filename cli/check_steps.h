// check_steps: finds steps that achieve nothing, whatever a model says: a step
// whose `when` holds for no example, one that searches for more passages than
// there are documents, and one whose program fails.
//
// Only what the job's inputs decide is checked. What depends on a model's
// answer is known only once there is one.

#ifndef CLI_CHECK_STEPS_H
#define CLI_CHECK_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/jobfile.h"
#include "cli/options.h"

struct exec_done;
struct exec_pool;

// Waits until the pool has finished what it was asked, a little longer than the
// pool's own limit. Returns false if nothing came.
bool check_await(struct exec_pool *pool, int64_t timeout_ms,
                 struct exec_done *done);

void check_steps(struct jobfile *file, const struct options *options);

// Asks the programs of steps about the first example, if that takes no model's
// answer. The pool has the commands of the job (job_commands).
void check_step_programs(struct jobfile *file, struct exec_pool *pool);

#endif
