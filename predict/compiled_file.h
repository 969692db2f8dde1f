// compiled_file: reads a compiled file from disk, for predict and render.

#ifndef PREDICT_COMPILED_FILE_H
#define PREDICT_COMPILED_FILE_H

#include <stdbool.h>

#include "common/err.h"
#include "program/run/compiled.h"

enum { COMPILED_FILE_MAX_BYTES = 64 << 20 };

// Returns false with ERR_INPUT if path is a folder, or by its name a job
// instead of the compiled file made from it.
bool compiled_file_is_named(const char *path, struct err *err);

// Reads the compiled file. Returns NULL with ERR_INPUT. path must outlive the
// result.
struct compiled *compiled_file_read(const char *path, struct err *err);

#endif
