// exec_script: whether a file that is to be run can be.
//
// A script fails to start when its first line names no interpreter or one that
// is not there, or when its lines end as on Windows. The system's words for
// that say little ("No such file or directory", about a file that is there), so
// it is checked before anything is paid for.

#ifndef EXEC_EXEC_SCRIPT_H
#define EXEC_EXEC_SCRIPT_H

#include <stdbool.h>

#include "common/err.h"

// False with ERR_INPUT for a text that the system cannot start. what and name
// are for the message: "the metric's command", "./metric.py". A file that is no
// text, or cannot be read, passes.
bool exec_script_check(const char *path, const char *what, const char *name,
                       struct err *err);

// The program of that name in PATH, or NULL: owned. *nomem tells why.
char *exec_search_path(const char *name, bool *nomem);

#endif
