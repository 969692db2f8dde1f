// lock: one process writes a store.
//
// Two locks, both of open file descriptions: the kernel drops them with the
// process however that ends, so there is nothing stale to clean up.
//
// * FILE.lock is locked by name. It holds "HOST PID" for the one who is
//   refused, and is left in place: removing it would let two processes lock two
//   files of that name.
// * The store itself is locked too, for one file may have two names (a hard
//   link), and then each has a lock file of its own. The lock is one byte far
//   beyond those that SQLite locks (510 bytes at 1 GiB), so the two do not
//   meet.
//
// A process that was killed has them until its last thread is gone, which may
// take a moment (holder.h). It is waited for, and only a live one refuses.
//
// SQLite's own locks belong to the process, and POSIX drops them when the
// process closes *any* descriptor of that file. So the second lock is given
// back only after the connections of the store are closed, and a file that this
// very process has locked is not opened a second time to find that out.

#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

#include "common/err.h"

// How long a process that is ending is waited for; half a second of it is not
// told.
enum { LOCK_ENDING_MS = 5000 };

// Locks FILE.lock of the store at path. Gives a descriptor, or -1: ERR_BUSY
// when another process has it (host and pid named), ERR_INPUT when the lock
// file cannot be made. *was_killed: the last one that had it did not give it
// back by itself.
int lock_take(const char *path, bool *was_killed, struct err *err);

// True while some process has it.
bool lock_is_held(const char *path);

// Gives it back; -1 is fine.
void lock_release(int fd);

// The lock on the store itself, which must exist.
struct file_lock {
    int fd; // -1: not held
    unsigned long long device, inode;
};
#define FILE_LOCK_NONE ((struct file_lock){.fd = -1})

// Patient: the process that had it was killed, and its two locks do not go at
// once. Another name of the same file is refused without waiting otherwise.
bool file_lock_take(struct file_lock *lock, const char *path, bool patient,
                    struct err *err);
void file_lock_release(struct file_lock *lock);

// Whether path still is the file that is locked. For any thread.
bool file_lock_is_at(const struct file_lock *lock, const char *path);

#endif
