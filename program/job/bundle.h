// bundle: a job file and the files that it names, as bytes.
//
// What identifies a job's input, and what `submit` sends. On the user's
// machine it is read from the folder of the job file; on the coordinator's it
// comes from a message. Everything that reads data reads it from here.
//
// A job is one folder. Only regular files below it are read, symbolic links
// resolved, so that a job file cannot make promptcc read (or send) what is no
// part of the job, and a job that runs here can be submitted as it stands.

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
    char *folder; // where relative names start; NULL: only what is in here
    struct bundle_file files[BUNDLE_MAX_FILES];
    size_t n_files;
    size_t bytes;
};

// Reads the job file alone.
struct bundle *bundle_open(const char *path, struct err *err);

// An empty one, to be filled with bundle_add (the job file first).
struct bundle *bundle_new(const char *path, struct err *err);
void bundle_free(struct bundle *bundle); // NULL is fine

// Another with the same files.
struct bundle *bundle_copy(const struct bundle *bundle, struct err *err);

// Adds bytes under a name. Copies. Absolute names, and names with "..", are
// refused when folder is NULL. So is a name that is there, and another name of
// a file that is there (m.sh and ./m.sh), unless it has the same bytes.
bool bundle_add(struct bundle *bundle, const char *name, const void *data,
                size_t len, struct err *err);

// The file of that name that is in the bundle already, or NULL.
const struct bundle_file *bundle_find(const struct bundle *bundle,
                                      const char *name);

// The file of that name, read from the folder when it is not there yet.
const struct bundle_file *bundle_get(struct bundle *bundle, const char *name,
                                     struct err *err);

// The file of that name, or, where it is a folder, the files that lie in it:
// as "NAME/FILE", without those whose name begins with a dot. ERR_INPUT: there
// is neither.
bool bundle_get_all(struct bundle *bundle, const char *name, struct err *err);

// Lets go of the file of that name, if there is one, once all that is wanted of
// it was read.
void bundle_drop(struct bundle *bundle, const char *name);

// Writes all files below folder, which exists, so that programs among them can
// be run there (mode 0700). Only for bundles that came without a folder: their
// names lead nowhere else.
bool bundle_unpack(const struct bundle *bundle, const char *folder,
                   struct err *err);

#endif
