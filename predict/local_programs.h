// local_programs: runs the programs of exec steps for a compiled program.
//
// The programs are in the folder of the compiled file, as they were in the
// folder of the job. A compiled file is data that may come from anybody, so
// nothing in it is run unless the caller allows it. One thread owns the
// programs.

#ifndef PREDICT_LOCAL_PROGRAMS_H
#define PREDICT_LOCAL_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "exec/exec_pool.h"
#include "program/graph/program.h"

struct local_programs;

// Starts the programs; *out stays NULL if there are none. If folder is NULL,
// none may be run. ERR_INPUT: there is a program that is not allowed or cannot
// be found.
bool local_programs_start(const struct program *program, const char *folder,
                          struct local_programs **out, struct err *err);
void local_programs_stop(struct local_programs *programs); // accepts NULL

// Asks the program of that step.
bool local_programs_begin(struct local_programs *programs, int step,
                          uint64_t id, const char *line, size_t len,
                          struct err *err);

// Returns a descriptor that is readable while there is an answer to take; -1
// for NULL.
int local_programs_fd(const struct local_programs *programs);

// Takes an answer; the caller releases done (exec_done_release). Returns false
// if there is none, or if programs is NULL.
bool local_programs_take(struct local_programs *programs,
                         struct exec_done *done);

#endif
