// exec_guard: a process between us and a program of the user that makes sure
// that nothing of the program remains.
//
// A coordinator that is killed with SIGKILL cannot end anything, and a program
// that computes or sleeps would continue for as long as it likes. So would
// whatever the program has started, possibly in a new session, where no signal
// to a process group reaches it. So each program has a guard as its parent:
//
//     we --- a pipe ---> guard ---> program ---> whatever it starts
//
// The guard waits until the program ends or the pipe closes. We close the pipe
// to end the program, and it closes anyway when we are gone. Then the guard
// kills what is left of the program and of everything it started. It finds
// these processes because the kernel gives an orphan to the nearest ancestor
// that asks for it (PR_SET_CHILD_SUBREAPER), so whatever loses its parent
// becomes a child of the guard. Finally the guard ends the way the program did:
// with its status, or by its signal.
//
// Rejected: a parent-death signal alone, since it reaches the child but nothing
// that the child has started; and killing the process group alone, since one
// call of setsid leaves it. On systems without subreapers (they are specific to
// Linux), only the group is killed.

#ifndef EXEC_EXEC_GUARD_H
#define EXEC_EXEC_GUARD_H

#include <sys/types.h>

// Call this in the child, between fork and exec. The child becomes the guard of
// a program, and the call does not return. hold is the read end of the pipe.
// The guard calls become(user) in a new process, which has to turn itself into
// the program or end. If no process can be created, the errno is written to the
// descriptor report. Uses only functions that are safe in a signal handler.
_Noreturn void exec_guard_run(int hold, int report, void (*become)(void *user),
                              void *user);

#endif
