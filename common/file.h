// file: whole files, read with a cap and written aside.

#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

// Appends the file to out; out->max is the cap. The error names the path: it
// is ERR_INPUT for a path that is not there or may not be opened, ERR_LIMIT
// over the cap, else ERR_IO. A pipe (`promptcc check <(make-job)`) is read to
// its end, and given up when nobody writes to it; a folder or a device is
// refused.
bool file_read(const char *path, struct buf *out, struct err *err);

// The same for a regular file that lies below folder: `name` is relative to
// it, and neither "..", nor a symbolic link, may lead out. Never blocks on what
// is no file.
bool file_read_below(const char *folder, const char *name, struct buf *out,
                     struct err *err);

// Writes PATH.tmp-PID beside it, syncs, renames: the old file stays whole
// until the new one is, and its mode is kept. A symbolic link stays one: what
// it points to is replaced. A pipe or a device (`--out /dev/stdout`) is written
// to as it is. Keeps nothing behind on failure. Errors as above.
bool file_write(const char *path, const void *data, size_t len,
                struct err *err);

// Writes all of data to an open file, pipe or device. False on failure; errno
// says why.
bool file_write_all(int fd, const char *data, size_t len);

// What a symbolic link leads to, be it there or not, so that the link stays
// one; else path itself. The caller frees; NULL without memory.
char *file_target(const char *path);

// Opens a pipe or a device to be written to as it is; -1 with the cause, also
// where nobody reads from a pipe within two seconds.
int file_open_through(const char *path, struct err *err);

// Whether a file with that mode and owner is a secret: for its owner's eyes, or
// root's and a group's, which is how a container gets one.
bool file_is_secret(mode_t mode, uid_t owner);

// Whether two paths lead to one regular file, be it by a link or because it is
// spelled in two ways.
bool file_is_same(const char *a, const char *b);

// The folder part of path, "." without one, and `name` taken relative to
// folder unless it is absolute. The caller frees; NULL without memory.
char *file_folder(const char *path);
char *file_join(const char *folder, const char *name);

// Where files go that nobody keeps: TMPDIR, if it is an absolute path, or /tmp.
const char *file_temp_folder(void);

#endif
