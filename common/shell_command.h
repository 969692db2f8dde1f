// shell_command: starts a command of the user with /bin/sh.
//
// The command leads a process group of its own, so that everything it starts
// can be ended with it. It inherits only the three standard streams, and has
// the signals of an ordinary program: we ignore some, and that outlives exec.
// A program that inherited it would write on to a reader that is gone, or into
// a file beyond its limit.

#ifndef COMMON_SHELL_COMMAND_H
#define COMMON_SHELL_COMMAND_H

#include <spawn.h>
#include <sys/types.h>

// Starts the command; streams says what its standard streams are, or is NULL if
// they are ours. Returns 0, or the errno of why it cannot be started.
int shell_command_start(const char *command,
                        const posix_spawn_file_actions_t *streams,
                        char *const *environment, pid_t *pid);

#endif
