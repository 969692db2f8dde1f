// F_OFD_SETLK is Linux's; POSIX 2024 has it too, glibc shows it to GNU only.
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
#include <unistd.h>

#include "common/buf.h"

enum { HOLDER_BYTES = 128, PATH_BYTES = 64 * 1024 };

// The byte of the store's own lock.
static const off_t FILE_BYTE = (off_t)1 << 62;

// What this process has locked, so that it opens none of it again.
enum { LOCKED_MAX = 64 };
static struct file_lock locked[LOCKED_MAX];
static size_t n_locked;
static pthread_mutex_t locked_mutex = PTHREAD_MUTEX_INITIALIZER;

// From the byte to the end; length 0 is that.
static bool try_lock(int fd, off_t first, off_t len)
{
    struct flock range = {.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = first,
                          .l_len = len};

    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

// "HOST PID", with what is no plain text left out: anybody may have written
// to the file.
static void read_holder(int fd, char holder[HOLDER_BYTES])
{
    ssize_t len = pread(fd, holder, HOLDER_BYTES - 1, 0);
    size_t kept = 0;

    for (ssize_t i = 0; i < len && holder[i] != '\n'; i++) {
        if (holder[i] >= ' ' && holder[i] <= '~')
            holder[kept++] = holder[i];
    }
    holder[kept] = '\0';
}

static void set_busy(int fd, const char *path, struct err *err)
{
    char holder[HOLDER_BYTES];
    char host[HOLDER_BYTES] = "";
    long pid = 0;

    read_holder(fd, holder);
    if (sscanf(holder, "%99s %ld", host, &pid) == 2)
        err_set(err, ERR_BUSY,
                "the store %s is in use by process %ld on host %s; wait for "
                "it, stop it, or name another with --store",
                path, pid, host);
    else
        err_set(err, ERR_BUSY,
                "the store %s is in use by another process; wait for it, or "
                "name another with --store",
                path);
}

// For the one who is refused alone: that it cannot be written (a full disk)
// does not make the lock less good.
static void write_holder(int fd)
{
    char host[100] = "";
    char holder[HOLDER_BYTES];

    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        (void)snprintf(host, sizeof host, "localhost");
    int len = snprintf(holder, sizeof holder, "%s %ld\n", host, (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, (size_t)len, 0) != len)
        errno = 0;
}

static int open_lock(const char *path, struct err *err)
{
    struct buf name = BUF_INIT(PATH_BYTES);
    int fd = -1;

    buf_printf(&name, "%s.lock", path);
    if (buf_ok(&name, "the store's path", err)) {
        fd = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            err_set(err, ERR_INPUT,
                    "cannot write %s: %s; the store needs a folder that exists "
                    "and may be written (--store names another)",
                    name.data, strerror(errno));
    }
    buf_release(&name);
    return fd;
}

int lock_take(const char *path, struct err *err)
{
    int fd = open_lock(path, err);

    if (fd < 0)
        return -1;
    if (try_lock(fd, 0, 0)) {
        write_holder(fd);
        return fd;
    }
    if (errno == EAGAIN || errno == EACCES)
        set_busy(fd, path, err);
    else
        err_set(err, ERR_INPUT,
                "cannot lock %s.lock: %s; keep the store on a local disk "
                "(--store names another)",
                path, strerror(errno));
    (void)close(fd);
    return -1;
}

bool lock_is_held(const char *path)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct buf name = BUF_INIT(PATH_BYTES);
    bool held = false;
    int fd;

    buf_printf(&name, "%s.lock", path);
    fd = name.data == NULL ? -1 : open(name.data, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        held = fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
        (void)close(fd);
    }
    buf_release(&name);
    return held;
}

// The words go first: who looks between the two finds the lock still held.
void lock_release(int fd)
{
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) != 0)
        errno = 0;
    (void)close(fd);
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

// Under the mutex.
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
            path);
    return false;
}

// Opens and locks what path is now.
static bool lock_identified(struct file_lock *lock, const char *path,
                            struct err *err)
{
    lock->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (lock->fd < 0)
        return true; // SQLite will say in its own words why not
    if (try_lock(lock->fd, FILE_BYTE, 1) && n_locked < LOCKED_MAX) {
        locked[n_locked++] = *lock;
        return true;
    }
    if (errno == EAGAIN || errno == EACCES)
        refuse_file(path, err);
    else
        err_set(err, ERR_INPUT,
                "cannot lock %s: %s; keep the store on a local disk (--store "
                "names another)",
                path, strerror(errno));
    (void)close(lock->fd);
    lock->fd = -1;
    return false;
}

bool file_lock_take(struct file_lock *lock, const char *path, struct err *err)
{
    struct stat info;
    bool ok = true;

    *lock = FILE_LOCK_NONE;
    if (stat(path, &info) != 0)
        return true;
    set_identity(lock, &info);
    (void)pthread_mutex_lock(&locked_mutex);
    ok = is_locked(lock) ? refuse_file(path, err)
                         : lock_identified(lock, path, err);
    (void)pthread_mutex_unlock(&locked_mutex);
    return ok;
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
