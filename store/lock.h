// lock: one process writes a store.
//
// An open-file-description lock on FILE.lock: the kernel drops it with the
// process however that ends, so there is nothing stale to clean up, and unlike
// a classic POSIX lock it is not lost when some other part of the process
// closes the same file. The lock file holds "HOST PID" for the one who is
// refused, and is left in place: removing it would let two processes lock two
// files of that name.

#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

#include "common/err.h"

// Locks FILE.lock of the store at path. Gives a descriptor, or -1: ERR_BUSY
// when another process has it (host and pid named), ERR_INPUT when the lock
// file cannot be made.
int lock_take(const char *path, struct err *err);

// True while some process has it.
bool lock_is_held(const char *path);

// Gives it back; -1 is fine.
void lock_release(int fd);

#endif
