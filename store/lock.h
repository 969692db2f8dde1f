// lock: makes sure that only one process writes a store.
//
// There are two locks, both on open file descriptions. The kernel drops them
// with the process, however it ends, so nothing stale is ever left to clean up.
//
// * One is on FILE.lock. It holds "HOST PID" for the message to whoever is
//   refused, and stays next to the store, so that the next process need not
//   create it. A process that created it and then opens no store (a text file
//   named by mistake, a damaged file) removes it. After locking it, a process
//   checks that the file still has its name, so that two processes never lock
//   two different files of one name.
// * The store itself is locked too, because one file may have two names (a hard
//   link), each with its own lock file. This lock is one byte far beyond those
//   that SQLite locks (510 bytes at 1 GiB), so the two never collide.
//
// A killed process keeps the locks until its last thread is gone, which may
// take a moment (holder.h). The caller waits for that; only a live holder makes
// it fail.
//
// SQLite's own locks belong to the process, and POSIX drops them when the
// process closes *any* descriptor of that file. So the second lock is released
// only after the store's connections are closed, and a file that this very
// process has locked is not opened a second time to check.

#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

#include "common/err.h"

// How long to wait for a process that is ending. After half a second a log line
// reports the wait.
enum { LOCK_ENDING_MS = 5000 };

// The lock on FILE.lock.
struct name_lock {
    int fd;              // -1: not held
    char *name;          // FILE.lock; owned
    bool made;           // we created the file, and so far for nothing
    bool follows_killed; // the last holder did not release the lock itself
};
#define NAME_LOCK_NONE ((struct name_lock){.fd = -1})

// Locks FILE.lock of the store at path. Fails with ERR_BUSY if another process
// holds it (naming host and pid), and with ERR_INPUT if the lock file cannot be
// created.
bool name_lock_take(struct name_lock *lock, const char *path, struct err *err);

// Call once there is a store next to the lock file, which stays from then on.
void name_lock_keep(struct name_lock *lock);

// Releases the lock, and removes a lock file that it created and nobody told it
// to keep. Accepts NAME_LOCK_NONE.
void name_lock_release(struct name_lock *lock);

// Returns true while some process holds FILE.lock of the store at path.
bool lock_is_held(const char *path);

// The lock on the store itself, which must exist.
struct file_lock {
    int fd; // -1: not held
    unsigned long long device, inode;
};
#define FILE_LOCK_NONE ((struct file_lock){.fd = -1})

// Fails with ERR_BUSY if the file is locked, which can only be under another
// name, and with ERR_LIMIT if this process has 64 locks already. A file that
// does not exist or cannot be opened is no failure, and is not locked.
bool file_lock_take(struct file_lock *lock, const char *path, struct err *err);

// The same if the last holder was killed: that process's two locks do not go at
// the same moment, so this waits up to LOCK_ENDING_MS for the second.
bool file_lock_await(struct file_lock *lock, const char *path, struct err *err);
void file_lock_release(struct file_lock *lock); // accepts FILE_LOCK_NONE

// Returns true if the locked file is still the one at path. May be called from
// any thread.
bool file_lock_is_at(const struct file_lock *lock, const char *path);

#endif
