// F_OFD_SETLK is Linux's; POSIX 2024 has it too, glibc shows it to GNU only.
#define _GNU_SOURCE

#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"

enum { HOLDER_BYTES = 128, PATH_BYTES = 64 * 1024 };

static bool try_lock(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &all) == 0;
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
    if (try_lock(fd)) {
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
