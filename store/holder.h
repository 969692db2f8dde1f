// holder: who holds a store's lock, and whether that process is still alive.
//
// The kernel releases the locks of a killed process with its last thread, and
// on a busy machine that takes a moment. A promptcc that is restarted at once
// (after `kill -9`, by a supervisor) would be refused because of a process that
// is already dead. So a process that waits for the lock asks the kernel about
// its holder:
//
//     killed, not yet gone   SIGKILL is pending; a flag of the process says
//                            that it is exiting or dumping core; its first
//                            thread is a zombie
//     gone                   no such process: a child that it was starting
//                            still has a copy of the lock
//     alive                  everything else, including other hosts' processes
//
// The lock file names the holder as "HOST PID". Anybody may have written that,
// so we believe only what the kernel confirms.

#ifndef STORE_HOLDER_H
#define STORE_HOLDER_H

#include <stdbool.h>

struct holder {
    char host[100]; // empty: no holder is named
    long pid;
};

// Reads the holder's name from the lock file fd. There is none while a process
// is taking or releasing the lock.
void holder_read(int fd, struct holder *holder);

// Writes this process's name there, for the message to whoever is refused. If
// it cannot be written (a full disk), the lock still holds.
void holder_write(int fd);

// Returns true if the lock will be free in a moment without anybody's help.
bool holder_is_ending(const struct holder *holder);

#endif
