// compiled_file: a compiled file read from disk, for predict and render.

#ifndef PREDICT_COMPILED_FILE_H
#define PREDICT_COMPILED_FILE_H

#include <stdbool.h>

#include "common/err.h"
#include "program/run/compiled.h"

enum { COMPILED_FILE_MAX_BYTES = 64 << 20 };

// False with ERR_INPUT where path is the job, by its name, that a compiled file
// is made of, or a folder.
bool compiled_file_is_named(const char *path, struct err *err);

// NULL with ERR_INPUT. path outlives it.
struct compiled *compiled_file_read(const char *path, struct err *err);

#endif
