// exec_program: finds the program that a command of the user names.
//
// The first word is a file in the job's folder, or if there is none, a program
// in PATH. All that would keep it from starting is checked here, before
// anything is paid for.

#ifndef EXEC_EXEC_PROGRAM_H
#define EXEC_EXEC_PROGRAM_H

#include "common/err.h"
#include "exec/exec_pool.h"

// Returns the program's path, which the caller frees. folder is that of the
// job. Returns NULL on failure; ERR_INPUT says what is wrong with the command,
// and what to do.
char *exec_program_find(const char *folder, const struct exec_command *command,
                        struct err *err);

#endif
