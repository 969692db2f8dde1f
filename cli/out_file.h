// out_file: where a command's output file goes, and in particular a compiled
// file.
//
// An output never replaces something that the command reads: the job file, its
// data, the store. This is checked before anything is paid for.
//
// A finished run writes where it was told to. A run that ended early does not
// overwrite what is worth more: its best then goes to a file next to it,
// compiled.partial.json instead of compiled.json. What is worth more depends on
// how the run ended (enum out_file_end). In any case, a simulated run does not
// overwrite what was compiled with a real model, and a run with a real model
// overwrites what was simulated.

#ifndef CLI_OUT_FILE_H
#define CLI_OUT_FILE_H

#include <stdbool.h>

#include "common/err.h"
#include "program/job/bundle.h"

// The files that a command reads. All are borrowed; any may be NULL.
struct out_file_reads {
    const struct bundle *bundle;
    const char *store;
    const char *const *others; // such as --compiled and --data
    size_t n_others;
};

// Checks that a file can be written at `path`, and that the command does not
// read that file. `option` is where the path came from ("--out").
bool out_file_check(const char *path, const char *option,
                    const struct out_file_reads *reads, struct err *err);

// Checks that two outputs of one command go to two different files. Either may
// be NULL.
bool out_file_check_distinct(const char *path, const char *option,
                             const char *other, const char *other_option,
                             struct err *err);

// Checks that a default name, which the user did not choose, does not overwrite
// a file that promptcc did not write.
bool out_file_check_default(const char *path, struct err *err);

// Returns true if what is written to `path` comes out on standard output, where
// nothing else may then be printed.
bool out_file_is_standard(const char *path);

enum { OUT_FILE_WHY_BYTES = 400 };

struct out_file {
    char *path;                   // where to write; owned
    char why[OUT_FILE_WHY_BYTES]; // a sentence if that is not where it was
                                  // asked for; else ""
};

// How the run ended that writes the compiled file.
enum out_file_end {
    // It saw all that it wanted to see, or used up its budget. Its file goes
    // where it was told to.
    OUT_FILE_FINISHED,
    // It was stopped, or could not score anything. It keeps a file of the same
    // job with the same or a better score, the file of another job, and any
    // other file.
    OUT_FILE_STOPPED,
};

// Chooses where to write the compiled file `text` of a run that ended like
// this; `path` is what was asked for. Release `out` in any case.
bool out_file_place(const char *path, const char *text, enum out_file_end end,
                    struct out_file *out, struct err *err);
void out_file_release(struct out_file *file);

#endif
