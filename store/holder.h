// holder: who has a store's lock, and whether that process still lives.
//
// A process that is killed gives its locks back with its last thread, and on a
// busy machine that takes a moment: until then it is a process as any other to
// who asks for the lock. Started again at once (`kill -9`, a supervisor, a
// power button in a hurry), promptcc would be refused by the dead. So the one
// who waits asks the kernel about the holder:
//
//     killed, not yet gone   SIGKILL is pending; a flag of the process says
//                            that it exits or writes its core; its first thread
//                            is a zombie
//     gone                   no such process: a child that it was starting
//                            still has a copy of the lock
//     alive                  everything else, another host's process included
//
// The name stands in the lock file as "HOST PID", for anybody to write: nothing
// is believed of it but what the kernel says too.

#ifndef STORE_HOLDER_H
#define STORE_HOLDER_H

#include <stdbool.h>

struct holder {
    char host[100]; // empty: nobody stands there
    long pid;
};

// What stands in the lock file fd. A process that is just taking the lock or
// giving it back has no name there.
void holder_read(int fd, struct holder *holder);

// Writes this process there. For the one who is refused alone: that it cannot
// be written (a full disk) does not make the lock less good.
void holder_write(int fd);

// Whether the lock will be free in a moment, without anybody's doing.
bool holder_is_ending(const struct holder *holder);

#endif
