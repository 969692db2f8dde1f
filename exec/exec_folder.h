// exec_folder: where the programs of a submitted job are unpacked and run.
//
//     /tmp/promptcc-job-XXXXXX/          mode 0700
//         owner                          locked by the process that made it
//         files/                         what came with the job
//
// It goes when its job ends, with whatever the programs left in it. Where a
// coordinator was killed the lock is gone, as locks of the kernel are, and the
// next coordinator of the same user takes the folder away: exec_folder_sweep.

#ifndef EXEC_EXEC_FOLDER_H
#define EXEC_EXEC_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct exec_folder;

// Below TMPDIR, or /tmp. NULL on failure.
struct exec_folder *exec_folder_make(struct err *err);

// Where the files go: it exists and is empty.
const char *exec_folder_files(const struct exec_folder *folder);

// Removes all of it. NULL is fine.
void exec_folder_remove(struct exec_folder *folder);

// Removes the folders of processes that are dead; says how many.
size_t exec_folder_sweep(void);

#endif
