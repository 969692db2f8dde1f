// out_file: where a compiled file goes.
//
// A finished run writes where it was told to. One that was stopped, or whose
// budget was too small to score anything, leaves alone what is worth more: another job's file, or one of its own job with a
// score as good. Its best then goes beside it, compiled.json to
// compiled.partial.json.

#ifndef CLI_OUT_FILE_H
#define CLI_OUT_FILE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

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
