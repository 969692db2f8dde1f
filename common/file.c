#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/nameless.h"
#include "common/utf8.h"

enum {
    CHUNK = 32 * 1024,
    PATH_MAX_BYTES = 64 * 1024,
    PIPE_OPEN_MS = 5000,     // until somebody writes to a pipe
    PIPE_SILENCE_MS = 60000, // between two writes to a pipe
    PIPE_READER_MS = 2000,   // until somebody reads from a pipe
    PIPE_LOOK_MS = 20,
    LINKS_MAX = 16, // in a chain of symbolic links
};

// A path that does not exist or may not be opened is the user's mistake;
// everything else is a disk error.
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

const char *file_shown(const char *path, char *out, size_t size)
{
    static const char mark[] = "...";
    size_t len = strlen(path);
    const char *end, *name;

    if (len < size)
        return path;
    end = path + len - (size - sizeof mark);
    name = strchr(end, '/');
    if (name != NULL && name[1] != '\0')
        end = name;
    while (utf8_follows((unsigned char)*end))
        end++;
    (void)snprintf(out, size, "%s%s", mark, end);
    return out;
}

static void set_cause(struct err *err, const char *verb, const char *path,
                      int number)
{
    char cause[120] = "";

    if (strerror_r(number, cause, sizeof cause) != 0)
        (void)snprintf(cause, sizeof cause, "error %d", number);
    err_set(err, code_of(number), "cannot %s %s: %s", verb,
            FILE_SHOWN(path, 150), cause);
}

static bool refuse(struct err *err, const char *path, const char *why)
{
    err_set(err, ERR_INPUT, "cannot read %s: %s", FILE_SHOWN(path, 120), why);
    return false;
}

// A pipe without a writer would read as empty at once, and one whose writer
// never writes would block forever.
static bool wait_for_writer(int fd, const char *path, int patience_ms,
                            struct err *err)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};

    if (poll(&item, 1, patience_ms) > 0)
        return true;
    return refuse(err, path, "it is a pipe, and nobody writes to it");
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *err)
{
    char chunk[CHUNK];
    ssize_t got = 1;

    while (got != 0 && !out->failed) {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            buf_append(out, chunk, (size_t)got);
        if (got >= 0 || errno == EINTR)
            continue;
        if (errno != EAGAIN) {
            set_cause(err, "read", path, errno);
            return false;
        }
        if (!wait_for_writer(fd, path, PIPE_SILENCE_MS, err))
            return false;
    }
    return buf_ok(out, path, err);
}

// Checks before the file is opened, because opening a device can act on it.
static bool check_kind(const char *path, bool pipes, bool *is_pipe,
                       struct err *err)
{
    struct stat info = {0};

    if (stat(path, &info) != 0) {
        if (strcmp(path, "-") == 0 && errno == ENOENT)
            return refuse(err, path,
                          "there is no file of that name; standard input is "
                          "/dev/stdin");
        set_cause(err, "open", path, errno);
        return false;
    }
    *is_pipe = S_ISFIFO(info.st_mode);
    if (S_ISREG(info.st_mode) || (*is_pipe && pipes))
        return true;
    if (S_ISDIR(info.st_mode))
        refuse(err, path, "it is a folder: name a file in it");
    else
        refuse(err, path,
               *is_pipe ? "it is a pipe, not a regular file"
                        : "it is a device or a socket, not a regular file");
    return false;
}

static bool read_path(const char *path, bool pipes, int flags, struct buf *out,
                      struct err *err)
{
    bool is_pipe = false;

    if (!check_kind(path, pipes, &is_pipe, err))
        return false;
    // Without O_NONBLOCK, opening a pipe waits for its other end.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
    if (fd < 0) {
        set_cause(err, "open", path, errno);
        return false;
    }
    bool ok = (!is_pipe || wait_for_writer(fd, path, PIPE_OPEN_MS, err)) &&
              read_all(fd, path, out, err);
    (void)close(fd);
    return ok;
}

bool file_read(const char *path, struct buf *out, struct err *err)
{
    return read_path(path, true, 0, out, err);
}

static bool is_below(const char *folder, const char *path)
{
    size_t len = strlen(folder);

    return strcmp(folder, "/") == 0 ||
           (strncmp(path, folder, len) == 0 &&
            (path[len] == '/' || path[len] == '\0'));
}

bool file_read_below(const char *folder, const char *name, struct buf *out,
                     struct err *err)
{
    char *path = file_join(folder, name);
    char *root = realpath(folder, NULL);
    char *found = path == NULL ? NULL : realpath(path, NULL);
    bool ok = false;

    if (path == NULL)
        err_nomem(err, "a file name");
    else if (root == NULL || found == NULL)
        set_cause(err, "open", path, errno);
    else if (!is_below(root, found))
        err_set(err, ERR_INPUT,
                "the file %s is outside the job's folder: copy it there, so "
                "that the folder contains the whole job",
                FILE_SHOWN(name, 100));
    else
        ok = read_path(found, false, O_NOFOLLOW, out, err);
    free(found);
    free(root);
    free(path);
    return ok;
}

bool file_write_all(int fd, const char *data, size_t len)
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

// Writes, syncs and closes a new file that was just opened, and names it `name`
// unless that is NULL. It gets the mode of the old file that it will replace,
// if there is one. Returns false on failure; errno says why.
static bool fill(int fd, const char *name, const struct stat *old,
                 const void *data, size_t len)
{
    if (fd < 0)
        return false;
    if (old != NULL)
        (void)fchmod(fd, old->st_mode & 07777);
    bool ok = file_write_all(fd, data, len) && fsync(fd) == 0 &&
              (name == NULL || nameless_name(fd, name));
    int cause = errno;
    // Some file systems report a full disk only now.
    if (close(fd) != 0 && ok)
        return false;
    errno = cause;
    return ok;
}

// Writes a new file at path, if possible one that has no name before it is
// whole (common/nameless.h). A leftover there is that of a killed process with
// our id.
static bool write_new(const char *path, mode_t mode, const struct stat *old,
                      const void *data, size_t len)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char *folder = file_folder(path);
    bool ok;

    (void)unlink(path);
    ok = (folder != NULL &&
          fill(nameless_open(folder, mode), path, old, data, len)) ||
         fill(open(path, flags, mode), NULL, old, data, len);
    int cause = errno;
    free(folder);
    errno = cause;
    return ok;
}

// Makes a change of the folder itself durable, such as a rename. Some file
// systems cannot sync a folder and return EINVAL, which does no harm.
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

// Returns the target of the link at path, relative to the link's folder; NULL
// if path is not a link.
static char *follow_link(const char *path)
{
    char said[PATH_MAX];
    ssize_t len = readlink(path, said, sizeof said - 1);

    if (len < 0)
        return NULL;
    said[len] = '\0';
    if (said[0] == '/')
        return strdup(said);
    char *folder = file_folder(path);
    char *target = folder == NULL ? NULL : file_join(folder, said);
    free(folder);
    return target;
}

char *file_target(const char *path)
{
    char *target = realpath(path, NULL);

    if (target != NULL)
        return target;
    target = strdup(path);
    for (int i = 0; target != NULL && i < LINKS_MAX; i++) {
        char *next = follow_link(target);
        if (next == NULL)
            break;
        free(target);
        target = next;
    }
    return target;
}

// Without O_NONBLOCK, opening a pipe would wait for a reader forever, ignoring
// signals.
int file_open_direct(const char *path, struct err *err)
{
    int fd = -1;

    for (int left = PIPE_READER_MS; fd < 0; left -= PIPE_LOOK_MS) {
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0 || errno != ENXIO || left <= 0)
            break;
        (void)poll(NULL, 0, PIPE_LOOK_MS);
    }
    if (fd < 0 && errno == ENXIO)
        err_set(err, ERR_INPUT,
                "cannot write %s: it is a pipe or a socket, and nobody reads "
                "from it",
                FILE_SHOWN(path, 120));
    else if (fd < 0)
        set_cause(err, "write", path, errno);
    else
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

// A pipe or a device cannot be replaced by another file.
static bool write_through(const char *path, const void *data, size_t len,
                          struct err *err)
{
    int fd = file_open_direct(path, err);

    if (fd < 0)
        return false;
    bool ok = file_write_all(fd, data, len);
    if (!ok)
        set_cause(err, "write", path, errno);
    (void)close(fd);
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
    struct stat old;
    bool there = stat(path, &old) == 0, ok = false;

    if (there && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode))
        return write_through(path, data, len, err);

    char *target = file_target(path);
    char *aside = target == NULL ? NULL : aside_path(target);
    char *folder = target == NULL ? NULL : file_folder(target);
    if (aside == NULL || folder == NULL) {
        err_nomem(err, "the path of a file");
        goto out;
    }
    if (!write_new(aside, 0666, there ? &old : NULL, data, len) ||
        rename(aside, target) != 0) {
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
    free(target);
    return ok;
}

// Syncs the folder of a path.
static bool sync_folder_of(const char *path)
{
    char *folder = file_folder(path);
    bool ok = folder != NULL && sync_folder(folder);
    int cause = errno;

    free(folder);
    errno = cause;
    return ok;
}

// A hard link never replaces a file, unlike a rename.
bool file_create(const char *path, mode_t mode, const void *data, size_t len)
{
    char *aside = aside_path(path);
    bool ok;
    int cause;

    if (aside == NULL) {
        errno = ENOMEM;
        return false;
    }
    ok = write_new(aside, mode, NULL, data, len) && link(aside, path) == 0;
    cause = errno;
    (void)unlink(aside);
    free(aside);
    errno = cause;
    return ok && sync_folder_of(path);
}

bool file_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 && sync_folder_of(to);
}

bool file_remove(const char *path)
{
    return unlink(path) == 0 && sync_folder_of(path);
}

bool file_is_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           S_ISREG(first.st_mode) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
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

bool file_is_secret(mode_t mode, uid_t owner)
{
    mode_t others = owner == 0 && geteuid() != 0 ? 0037 : 0077;

    return (mode & others) == 0;
}

char *file_absolute(const char *path)
{
    char here[PATH_MAX];

    if (path[0] == '/' || getcwd(here, sizeof here) == NULL)
        return strdup(path);
    return file_join(here, path);
}

const char *file_temp_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder != NULL && folder[0] == '/' ? folder : "/tmp";
}
