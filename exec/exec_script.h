// exec_script: checks whether a file can be run.
//
// A script fails to start if its first line names no interpreter, or one that
// does not exist, or if its lines end as on Windows. The system's message for
// that says little ("No such file or directory", about a file that exists), so
// we check before anything is paid for.

#ifndef EXEC_EXEC_SCRIPT_H
#define EXEC_EXEC_SCRIPT_H

#include <stdbool.h>

#include "common/err.h"

// Returns false with ERR_INPUT for a script that the system cannot start. what
// and name are for the message: "the metric's command", "./metric.py". A file
// that is not text, or cannot be read, passes.
bool exec_script_check(const char *path, const char *what, const char *name,
                       struct err *err);

// Finds a program in PATH. The caller frees the result. Returns NULL if there
// is none, or when out of memory; *nomem tells which.
char *exec_search_path(const char *name, bool *nomem);

#endif
