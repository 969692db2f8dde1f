// scratch: where tests keep their stores.
//
// In memory where possible. A test waits for thousands of syncs, each of which
// takes milliseconds on a real disk, and a disk that fails is simulated.

#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Makes a new folder whose name begins with `name`, and writes its path to
// `path`, which needs room for 17 more bytes than the name has. Returns path,
// or NULL if there can be no such folder.
static inline char *scratch_make(const char *name, char *path, size_t size)
{
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    (void)snprintf(path, size, "%s/%s-XXXXXX", root, name);
    return mkdtemp(path);
}

#endif
