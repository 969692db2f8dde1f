// bundle: a job file and the files that it names, as bytes.
//
// A bundle identifies the input of a job, and it is what `submit` sends. On the
// user's machine it is read from the folder of the job file; on the
// coordinator's machine it comes from a message. All code that reads data reads
// it from here.
//
// A job is one folder. Only regular files below it are read, after resolving
// symbolic links. So a job file cannot make promptcc read (or send) anything
// outside the job, and a job that runs locally can be submitted unchanged.

#ifndef PROGRAM_JOB_BUNDLE_H
#define PROGRAM_JOB_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { BUNDLE_MAX_FILES = 256, BUNDLE_MAX_BYTES = 48 << 20 };

struct bundle_file {
    char *name; // as the job names it; the job file itself comes first
    char *data;
    size_t len;
};

struct bundle {
    char *path;   // of the job file, as the user gave it
    char *folder; // base of relative names; NULL: no other files
    struct bundle_file files[BUNDLE_MAX_FILES];
    size_t n_files;
    size_t bytes;
};

// Reads only the job file.
struct bundle *bundle_open(const char *path, struct err *err);

// Creates an empty bundle, to be filled with bundle_add (the job file first).
struct bundle *bundle_new(const char *path, struct err *err);
void bundle_free(struct bundle *bundle); // accepts NULL

// Returns a copy with the same files.
struct bundle *bundle_copy(const struct bundle *bundle, struct err *err);

// Adds a copy of the bytes under a name. When folder is NULL, rejects absolute
// names and names with "..". Also rejects a name that is already taken, or
// another name of a file that is already here (m.sh and ./m.sh), unless the
// bytes are the same.
bool bundle_add(struct bundle *bundle, const char *name, const void *data,
                size_t len, struct err *err);

// Returns the file of that name if it is already in the bundle, or NULL.
const struct bundle_file *bundle_find(const struct bundle *bundle,
                                      const char *name);

// Returns the file of that name, and reads it from the folder if it is not in
// the bundle yet.
const struct bundle_file *bundle_get(struct bundle *bundle, const char *name,
                                     struct err *err);

// Gets the file of that name or, if the name is a folder, the files directly in
// it, as "NAME/FILE", except those whose names begin with a dot. ERR_INPUT:
// there is neither.
bool bundle_get_all(struct bundle *bundle, const char *name, struct err *err);

// Drops the file of that name, if there is one, once nothing more is needed
// from it.
void bundle_drop(struct bundle *bundle, const char *name);

// Writes all files to `folder`, which must exist, so that programs among them
// can be run there (mode 0700). Use it only for bundles that came without a
// folder: their names cannot lead outside of it.
bool bundle_unpack(const struct bundle *bundle, const char *folder,
                   struct err *err);

#endif
