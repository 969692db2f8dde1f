// F_OFD_SETLK is Linux's. POSIX 2024 has it too, but glibc shows it only with
// this.
#define _GNU_SOURCE

#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "store/holder.h"

enum {
    PATH_BYTES = 64 * 1024,
    LOG_AFTER_MS = 500, // shorter waits are not logged
};

// The position of the lock in the store's own file.
static const off_t FILE_BYTE = (off_t)1 << 62;

// The files that this process has locked, so that it does not open them again.
enum { LOCKED_MAX = 64 };
static struct file_lock locked[LOCKED_MAX];
static size_t n_locked;
static pthread_mutex_t locked_mutex = PTHREAD_MUTEX_INITIALIZER;

// Locks len bytes from `first`; length 0 means to the end.
static bool try_lock(int fd, off_t first, off_t len)
{
    struct flock range = {.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = first,
                          .l_len = len};

    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

static bool is_busy(void)
{
    return errno == EAGAIN || errno == EACCES;
}

static void set_busy(const struct holder *holder, const char *path,
                     struct err *err)
{
    if (holder->host[0] != '\0')
        err_set(err, ERR_BUSY,
                "the store %s is in use by process %ld on host %s; wait for "
                "it, stop it, or name another with --store",
                FILE_SHOWN(path, 80), holder->pid, holder->host);
    else
        err_set(err, ERR_BUSY,
                "the store %s is in use by another process; wait for it, or "
                "name another with --store",
                FILE_SHOWN(path, 120));
}

// --- waiting for a process that ends ---

struct wait {
    int64_t since_ms; // 0: has not waited yet
    bool logged;
};

// Sleeps briefly. Returns false once the wait has been long enough.
static bool wait_more(struct wait *wait, const char *path)
{
    const struct timespec pause = {.tv_nsec = 10L * 1000 * 1000};
    int64_t now_ms = clock_monotonic_ms();

    if (wait->since_ms == 0)
        wait->since_ms = now_ms;
    if (now_ms - wait->since_ms >= LOCK_ENDING_MS)
        return false;
    if (!wait->logged && now_ms - wait->since_ms >= LOG_AFTER_MS) {
        log_warn("store-waits",
                 "the store %s is still held by a process that is ending; "
                 "waiting up to %d s for it",
                 path, LOCK_ENDING_MS / 1000);
        wait->logged = true;
    }
    (void)nanosleep(&pause, NULL);
    return true;
}

// Opens the lock file, or creates it.
static bool open_lock(struct name_lock *lock, struct err *err)
{
    lock->fd = open(lock->name, O_RDWR | O_CLOEXEC);
    lock->made = lock->fd < 0 && errno == ENOENT;
    if (lock->made)
        lock->fd = open(lock->name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->fd < 0)
        err_set(err, ERR_INPUT,
                "cannot write %s: %s; the store needs a folder that exists "
                "and is writable (--store names another)",
                FILE_SHOWN(lock->name, 80), strerror(errno));
    return lock->fd >= 0;
}

// Locks fd, waiting for a process that is ending and still holds it.
static bool lock_patiently(int fd, const char *path, struct err *err)
{
    struct wait wait = {.since_ms = 0};
    struct holder holder;

    while (!try_lock(fd, 0, 0)) {
        if (!is_busy()) {
            err_set(err, ERR_INPUT,
                    "cannot lock %s.lock: %s; keep the store on a local disk "
                    "(--store names another)",
                    FILE_SHOWN(path, 100), strerror(errno));
            return false;
        }
        holder_read(fd, &holder);
        if (!holder_is_ending(&holder) || !wait_more(&wait, path)) {
            set_busy(&holder, path, err);
            return false;
        }
    }
    return true;
}

// Returns true if the locked file still has its name; the process that created
// it may have removed it in between.
static bool still_has_name(const struct name_lock *lock)
{
    struct stat here, there;

    return fstat(lock->fd, &here) == 0 && stat(lock->name, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static bool take_name(struct name_lock *lock, const char *path, struct err *err)
{
    while (open_lock(lock, err)) {
        bool ok = lock_patiently(lock->fd, path, err);

        if (ok && still_has_name(lock))
            return true;
        (void)close(lock->fd);
        lock->fd = -1;
        if (!ok)
            break;
    }
    return false;
}

bool name_lock_take(struct name_lock *lock, const char *path, struct err *err)
{
    struct buf name = BUF_INIT(PATH_BYTES);
    struct holder last;

    *lock = NAME_LOCK_NONE;
    buf_printf(&name, "%s.lock", path);
    if (buf_ok(&name, "the store's path", err))
        lock->name = buf_take(&name);
    buf_release(&name);
    if (lock->name == NULL || !take_name(lock, path, err)) {
        free(lock->name);
        *lock = NAME_LOCK_NONE;
        return false;
    }
    holder_read(lock->fd, &last);
    lock->follows_killed = last.host[0] != '\0';
    holder_write(lock->fd);
    return true;
}

bool lock_is_held(const char *path)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct buf name = BUF_INIT(PATH_BYTES);
    bool held = false;
    int fd;

    buf_printf(&name, "%s.lock", path);
    fd = name.data == NULL ? -1 : open(name.data, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        held = fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
        (void)close(fd);
    }
    buf_release(&name);
    return held;
}

void name_lock_keep(struct name_lock *lock)
{
    lock->made = false;
}

// Removes the holder's name first: a process that looks before the close finds
// the lock still held.
void name_lock_release(struct name_lock *lock)
{
    if (lock->fd < 0)
        return;
    if (lock->made)
        (void)unlink(lock->name);
    else if (ftruncate(lock->fd, 0) != 0)
        errno = 0;
    (void)close(lock->fd);
    free(lock->name);
    *lock = NAME_LOCK_NONE;
}

// --- the file itself ---

static void set_identity(struct file_lock *lock, const struct stat *info)
{
    lock->device = (unsigned long long)info->st_dev;
    lock->inode = (unsigned long long)info->st_ino;
}

static bool same_file(const struct file_lock *a, const struct file_lock *b)
{
    return a->device == b->device && a->inode == b->inode;
}

// The caller holds the mutex.
static bool is_locked(const struct file_lock *lock)
{
    for (size_t i = 0; i < n_locked; i++)
        if (same_file(&locked[i], lock))
            return true;
    return false;
}

static bool refuse_file(const char *path, struct err *err)
{
    err_set(err, ERR_BUSY,
            "the store %s is in use by another process, under another name of "
            "the same file; wait for it, or name another with --store",
            FILE_SHOWN(path, 110));
    return false;
}

static bool refuse_more(const char *path, struct err *err)
{
    err_set(err, ERR_LIMIT,
            "the store %s is not opened: this process has %d stores open, and "
            "takes no more",
            FILE_SHOWN(path, 110), LOCKED_MAX);
    return false;
}

// Opens and locks the file that is at path now. Sets *busy if another process
// has it.
static bool lock_identified(struct file_lock *lock, const char *path,
                            bool *busy, struct err *err)
{
    if (n_locked == LOCKED_MAX)
        return refuse_more(path, err);
    lock->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (lock->fd < 0)
        return true; // SQLite will report why not
    if (try_lock(lock->fd, FILE_BYTE, 1)) {
        locked[n_locked++] = *lock;
        return true;
    }
    *busy = is_busy();
    if (*busy)
        refuse_file(path, err);
    else
        err_set(err, ERR_INPUT,
                "cannot lock %s: %s; keep the store on a local disk (--store "
                "names another)",
                FILE_SHOWN(path, 110), strerror(errno));
    (void)close(lock->fd);
    lock->fd = -1;
    return false;
}

static bool try_file(struct file_lock *lock, const char *path, bool *busy,
                     struct err *err)
{
    struct stat info;
    bool ok = true;

    *lock = FILE_LOCK_NONE;
    *busy = false;
    if (stat(path, &info) != 0)
        return true;
    set_identity(lock, &info);
    (void)pthread_mutex_lock(&locked_mutex);
    ok = is_locked(lock) ? refuse_file(path, err)
                         : lock_identified(lock, path, busy, err);
    (void)pthread_mutex_unlock(&locked_mutex);
    return ok;
}

bool file_lock_take(struct file_lock *lock, const char *path, struct err *err)
{
    bool busy;

    return try_file(lock, path, &busy, err);
}

bool file_lock_await(struct file_lock *lock, const char *path, struct err *err)
{
    struct wait wait = {.since_ms = 0};
    struct err why = ERR_CLEAR;
    bool busy;

    while (!try_file(lock, path, &busy, &why)) {
        if (!busy || !wait_more(&wait, path)) {
            *err = why;
            return false;
        }
    }
    return true;
}

void file_lock_release(struct file_lock *lock)
{
    if (lock->fd < 0)
        return;
    (void)pthread_mutex_lock(&locked_mutex);
    for (size_t i = 0; i < n_locked; i++)
        if (same_file(&locked[i], lock)) {
            locked[i] = locked[--n_locked];
            break;
        }
    (void)pthread_mutex_unlock(&locked_mutex);
    (void)close(lock->fd);
    *lock = FILE_LOCK_NONE;
}

bool file_lock_is_at(const struct file_lock *lock, const char *path)
{
    struct file_lock there = FILE_LOCK_NONE;
    struct stat info;

    if (stat(path, &info) != 0)
        return false;
    set_identity(&there, &info);
    return same_file(&there, lock);
}
