// out_file: where the file of a command goes, and where a compiled file does.
//
// An output never takes the place of something that the command reads: the job
// file, its data, the store. That is found out before anything is paid.
//
// A finished run writes where it was told to. One that was stopped, or whose
// budget was too small to score anything, leaves alone what is worth more:
// another job's file, or one of its own job with a score as good. Its best then
// goes beside it, compiled.json to compiled.partial.json.

#ifndef CLI_OUT_FILE_H
#define CLI_OUT_FILE_H

#include <stdbool.h>

#include "common/err.h"
#include "program/job/bundle.h"

// The files that a command reads. All borrowed; any may be NULL.
struct out_file_reads {
    const struct bundle *bundle;
    const char *store;
    const char *const *others; // such as --compiled and --data
    size_t n_others;
};

// Whether a file can be written at path, and is none that the command reads.
// option is what path came from ("--out").
bool out_file_check(const char *path, const char *option,
                    const struct out_file_reads *reads, struct err *err);

// Whether two outputs of one command go to two files. Either may be NULL.
bool out_file_apart(const char *path, const char *option, const char *other,
                    const char *other_option, struct err *err);

// Whether what is written to path comes out of standard output, where nothing
// else may then be said.
bool out_file_is_standard(const char *path);

struct out_file {
    char *path;    // where to write; owned
    char why[400]; // a sentence when it is not where it was asked; else ""
};

// path is what was asked for, text the compiled file of such a run.
// out is to be released in any case.
bool out_file_beside(const char *path, const char *text, struct out_file *out,
                     struct err *err);
void out_file_release(struct out_file *file);

// path from the root, so that it means the same from any folder. The caller
// frees; NULL without memory.
char *out_file_absolute(const char *path);

#endif
