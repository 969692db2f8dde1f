// exec_folder: where the programs of a submitted job are unpacked and run.
//
//     /tmp/promptcc-job-XXXXXX/          mode 0700
//         owner                          locked by the process that made it
//         files/                         what came with the job
//
// The folder is removed when its job ends, with whatever the programs left in
// it. If a coordinator is killed, the kernel releases its lock, and the next
// coordinator of the same user removes the folder: exec_folder_sweep.

#ifndef EXEC_EXEC_FOLDER_H
#define EXEC_EXEC_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct exec_folder;

// Makes a folder below TMPDIR, or /tmp. Returns NULL on failure.
struct exec_folder *exec_folder_make(struct err *err);

// Returns the folder for the files, which exists and is empty.
const char *exec_folder_files(const struct exec_folder *folder);

// Removes the folder and everything in it. Accepts NULL.
void exec_folder_remove(struct exec_folder *folder);

// Removes the folders of dead processes; returns how many.
size_t exec_folder_sweep(void);

#endif
