// lock: one process writes a store.
//
// Two locks, both of open file descriptions: the kernel drops them with the
// process however that ends, so there is nothing stale to clean up.
//
// * FILE.lock is locked by name. It holds "HOST PID" for whoever is refused,
// and
//   stays beside a store, so that the next process need not make it again. A
//   process that made it and then opens no store (a text that was named by
//   mistake, a damaged file) removes it. After locking it, a process checks
//   that the file still has its name, so that two processes never lock two
//   files of one name.
// * The store itself is locked too, for one file may have two names (a hard
//   link), and then each has a lock file of its own. The lock is one byte far
//   beyond those that SQLite locks (510 bytes at 1 GiB), so the two do not
//   meet.
//
// A process that was killed has the locks until its last thread is gone, which
// may take a moment (holder.h). That is waited for: only a live process makes
// the caller fail.
//
// SQLite's own locks belong to the process, and POSIX drops them when the
// process closes *any* descriptor of that file. So the second lock is given
// back only after the connections of the store are closed, and a file that this
// very process has locked is not opened a second time to find that out.

#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

#include "common/err.h"

// How long a process that is ending is waited for. After half a second the log
// says so.
enum { LOCK_ENDING_MS = 5000 };

// The lock on FILE.lock.
struct name_lock {
    int fd;     // -1: not held
    char *name; // FILE.lock; owned
    bool made;  // it was not there before
};
#define NAME_LOCK_NONE ((struct name_lock){.fd = -1})

// Locks FILE.lock of the store at path. ERR_BUSY when another process has it
// (host and pid named), ERR_INPUT when the lock file cannot be made.
// *was_killed: the last one that had it did not give it back by itself.
bool name_lock_take(struct name_lock *lock, const char *path, bool *was_killed,
                    struct err *err);

// True while some process has FILE.lock of the store at path.
bool lock_is_held(const char *path);

// Gives it back; none is fine. opened: there is a store beside it, else a lock
// file that this lock made goes as well.
void name_lock_release(struct name_lock *lock, bool opened);

// The lock on the store itself, which must exist.
struct file_lock {
    int fd; // -1: not held
    unsigned long long device, inode;
};
#define FILE_LOCK_NONE ((struct file_lock){.fd = -1})

// patient: waits, since the process that had it was killed and its two locks do
// not go at the same moment. Otherwise fails at once if the file is locked
// under another name.
bool file_lock_take(struct file_lock *lock, const char *path, bool patient,
                    struct err *err);
void file_lock_release(struct file_lock *lock);

// Whether path still is the file that is locked. For any thread.
bool file_lock_is_at(const struct file_lock *lock, const char *path);

#endif
