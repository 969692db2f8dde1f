// exec_guard: a process between us and a program of the user, which sees to it
// that nothing of the program stays.
//
// A coordinator that is killed with SIGKILL ends nothing by itself, and a
// program that computes, or sleeps, would go on for as long as it likes. So
// would what the program has started, and it may have started it in a session
// of its own, where no signal to a process group reaches it. So each program
// has a guard for its parent:
//
//     we --- a pipe ---> guard ---> program ---> whatever it starts
//
// The guard waits until the program ends, or the pipe closes: that is how we
// tell it to make an end, and what happens in any case when we are gone. Then
// it kills what is left of the program and of all that it started. It finds
// them because the kernel gives an orphan to the nearest ancestor that asks for
// it (PR_SET_CHILD_SUBREAPER), so whatever loses its parent becomes a child of
// the guard. At last the guard ends as the program did: with its status, or by
// its signal.
//
// Rejected: a child's parent-death signal alone, since it reaches the child and
// nothing that this has started; and killing the process group alone, since one
// call of setsid leaves it. Where the system has no subreapers (it is Linux's),
// the group is what is killed.

#ifndef EXEC_EXEC_GUARD_H
#define EXEC_EXEC_GUARD_H

#include <sys/types.h>

// Call it in the child between fork and exec: the child becomes the guard of a
// program, and the call does not return. hold is the read end of the pipe.
// become, which is given user, turns the process that it is called in into the
// program, or ends that process. If no process can be made, the errno is
// written to the descriptor report. Only does what is safe in a signal handler.
_Noreturn void exec_guard_run(int hold, int report, void (*become)(void *user),
                              void *user);

#endif
