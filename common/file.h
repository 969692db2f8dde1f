// file: reads whole files up to a size limit, and makes or replaces them
// atomically.

#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

// Appends the file to out; out->max is the size limit. The error names the
// path. It is ERR_INPUT if the path does not exist or may not be opened,
// ERR_LIMIT if the file is too large, and otherwise ERR_IO. A pipe (`promptcc
// check <(make-job)`) is read to its end, or given up on if nobody writes to
// it; a folder or a device is refused.
bool file_read(const char *path, struct buf *out, struct err *err);

// Like file_read, but for a regular file below folder. `name` is relative to
// folder, and neither ".." nor a symbolic link may lead out of it. Never blocks
// on anything that is not a file.
bool file_read_below(const char *folder, const char *name, struct buf *out,
                     struct err *err);

// Returns a path for a message that has more to say: all of it, or, if it is
// longer than size - 1 bytes, "..." and its end, which names the file; out has
// size bytes. FILE_SHOWN gives it room for that many bytes until the end of the
// block.
const char *file_shown(const char *path, char *out, size_t size);
#define FILE_SHOWN(path, most)                                                 \
    file_shown((path), (char[(most) + 1]){0}, (most) + 1)

// Writes PATH.tmp-PID, syncs it, and renames it to PATH. The old file stays
// whole until the new one is complete, and its mode is kept. A symbolic link
// stays a link: its target is replaced. A pipe or a device (`--out
// /dev/stdout`) is written to directly. Leaves nothing behind on failure, nor,
// if the file system has nameless files (O_TMPFILE), when it is killed while it
// writes. Errors are those of file_read.
bool file_write(const char *path, const void *data, size_t len,
                struct err *err);

// Makes a new file with that mode, which appears whole or not at all. Returns
// false on failure, EEXIST if the path exists; errno says why. So do the next
// two. What any of them has done survives a power cut.
bool file_create(const char *path, mode_t mode, const void *data, size_t len);
// Renames within a folder.
bool file_rename(const char *from, const char *to);
bool file_remove(const char *path);

// Writes all of data to an open file, pipe or device. Returns false on failure;
// errno says why.
bool file_write_all(int fd, const char *data, size_t len);

// Returns the target of a symbolic link, whether or not it exists, so that
// writing keeps the link; for any other path, the path itself. The caller frees
// the result. Returns NULL when out of memory.
char *file_target(const char *path);

// Opens a pipe or a device for direct writing. Returns -1 and fills err on
// failure, including when nobody reads from a pipe within two seconds.
int file_open_direct(const char *path, struct err *err);

// Returns true if a file with that mode and owner is secret: readable by its
// owner alone, or by root and a group, which is how a container receives a
// secret.
bool file_is_secret(mode_t mode, uid_t owner);

// Returns true if both paths lead to the same regular file, through a link or
// through different spellings.
bool file_is_same(const char *a, const char *b);

// Return the folder part of path ("." if it has none), and `name` relative to
// folder unless it is absolute. The caller frees the result. Both return NULL
// when out of memory.
char *file_folder(const char *path);
char *file_join(const char *folder, const char *name);

// Returns path as an absolute path, which means the same from any folder; path
// itself if the current folder has no name. The caller frees the result;
// returns NULL when out of memory.
char *file_absolute(const char *path);

// Returns the folder for temporary files: TMPDIR if it is an absolute path,
// otherwise /tmp.
const char *file_temp_folder(void);

#endif
