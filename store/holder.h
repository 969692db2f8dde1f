// holder: who has a store's lock, and whether that process still lives.
//
// A process that is killed gives its locks back with its last thread, and on a
// busy machine that takes a moment. A promptcc that is started again at once
// (after `kill -9`, by a supervisor) would be refused on behalf of a process
// that is dead already. So whoever waits for the lock asks the kernel about its
// holder:
//
//     killed, not yet gone   SIGKILL is pending; a flag of the process says
//                            that it exits or writes its core; its first thread
//                            is a zombie
//     gone                   no such process: a child that it was starting
//                            still has a copy of the lock
//     alive                  everything else, another host's process included
//
// The lock file names the holder as "HOST PID". Anybody may have written that,
// so only what the kernel confirms is believed.

#ifndef STORE_HOLDER_H
#define STORE_HOLDER_H

#include <stdbool.h>

struct holder {
    char host[100]; // empty: nobody stands there
    long pid;
};

// Reads the name in the lock file fd. There is none while a process is taking
// the lock or giving it back.
void holder_read(int fd, struct holder *holder);

// Writes this process's name there, for whoever is refused. If it cannot be
// written (a full disk), the lock holds all the same.
void holder_write(int fd);

// Whether the lock will be free in a moment, without anybody's doing.
bool holder_is_ending(const struct holder *holder);

#endif
