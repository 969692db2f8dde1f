#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 32 * 1024, PATH_MAX_BYTES = 64 * 1024 };

// A path that is not there or not ours to open is what the user gave; all
// else is the disk.
static enum err_code code_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case ENAMETOOLONG:
        return ERR_INPUT;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

static void set_cause(struct err *err, const char *verb, const char *path,
                      int number)
{
    char cause[120] = "";

    if (strerror_r(number, cause, sizeof cause) != 0)
        (void)snprintf(cause, sizeof cause, "error %d", number);
    err_set(err, code_of(number), "cannot %s %s: %s", verb, path, cause);
}

bool file_read(const char *path, struct buf *out, struct err *err)
{
    char chunk[CHUNK];
    bool ok = false;
    ssize_t got = 1;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        set_cause(err, "open", path, errno);
        return false;
    }
    while (got != 0 && !out->failed) {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            buf_append(out, chunk, (size_t)got);
        if (got < 0 && errno != EINTR) {
            set_cause(err, "read", path, errno);
            goto out;
        }
    }
    ok = buf_ok(out, path, err);

out:
    (void)close(fd);
    return ok;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

// Writes and syncs a new file at path; errno says why not.
static bool write_new(const char *path, const void *data, size_t len)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, data, len) && fsync(fd) == 0;
    int cause = errno;
    // Some file systems tell of a full disk only now.
    if (close(fd) != 0 && ok)
        return false;
    errno = cause;
    return ok;
}

// Makes the rename itself durable. Some file systems cannot sync a folder and
// say EINVAL; nothing is lost by that.
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0 || errno == EINVAL;
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return ok;
}

static char *aside_path(const char *path)
{
    struct buf aside = BUF_INIT(PATH_MAX_BYTES);

    buf_printf(&aside, "%s.tmp-%ld", path, (long)getpid());
    return buf_take(&aside);
}

bool file_write(const char *path, const void *data, size_t len, struct err *err)
{
    bool ok = false;
    char *aside = aside_path(path);
    char *folder = file_folder(path);

    if (aside == NULL || folder == NULL) {
        err_nomem(err, "the path of a file");
        goto out;
    }
    if (!write_new(aside, data, len) || rename(aside, path) != 0) {
        set_cause(err, "write", path, errno);
        (void)unlink(aside);
        goto out;
    }
    if (!sync_folder(folder)) {
        set_cause(err, "sync the folder", folder, errno);
        goto out;
    }
    ok = true;

out:
    free(folder);
    free(aside);
    return ok;
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return strdup(".");
    size_t len = (size_t)(slash - path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    return len == 0 ? strdup("/") : strndup(path, len);
}

char *file_join(const char *folder, const char *name)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    size_t len = strlen(folder);

    if (name[0] == '/' || len == 0 || strcmp(folder, ".") == 0)
        return strdup(name);
    buf_append(&path, folder, len);
    if (folder[len - 1] != '/')
        buf_putc(&path, '/');
    buf_puts(&path, name);
    return buf_take(&path);
}
