// local_programs: the programs of exec steps, run beside a compiled program.
//
// They lie where the compiled file lies, as they did beside the job. A compiled
// file is data that may come from anybody, so nothing in it is run unless the
// caller says that it may be. One owner thread.

#ifndef PREDICT_LOCAL_PROGRAMS_H
#define PREDICT_LOCAL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "exec/exec_pool.h"
#include "program/graph/program.h"

struct local_programs;

// Starts those that the program has: *out stays NULL when it has none. folder
// NULL: none may be run. ERR_INPUT: there is one that is not allowed, or that
// cannot be found.
bool local_programs_start(const struct program *program, const char *folder,
                          struct local_programs **out, struct err *err);
void local_programs_stop(struct local_programs *programs); // NULL is fine

// Asks the program of that step.
bool local_programs_begin(struct local_programs *programs, int step,
                          uint64_t id, const char *line, size_t len,
                          struct err *err);

// Readable while there is an answer to take; -1 of NULL.
int local_programs_fd(const struct local_programs *programs);

// The caller releases done (exec_done_release). False: there is none, or
// programs is NULL.
bool local_programs_take(struct local_programs *programs,
                         struct exec_done *done);

#endif
