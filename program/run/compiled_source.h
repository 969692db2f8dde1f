// compiled_source: the text of a compiled file, parsed and about to be read.
//
// Two readers share it: compiled_candidate.c takes the prompts out of any DSPy
// state file, and compiled_read.c what promptcc says in the metadata of its
// own. All errors begin with the path. Pure.

#ifndef PROGRAM_RUN_COMPILED_SOURCE_H
#define PROGRAM_RUN_COMPILED_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/graph/settings.h"

enum { COMPILED_SOURCE_PATH = 91 }; // bytes, with the NUL

struct compiled_source {
    char path[COMPILED_SOURCE_PATH]; // as errors show it (file_shown)
    json_t *root;                    // an object; owned
    struct err *err; // borrowed: where its readers say what is wrong
};

// Parses a file in UTF-8 or UTF-16. ERR_INPUT if it is not a JSON object.
// Release it after success only.
bool compiled_source_open(struct compiled_source *source, const char *path,
                          const char *text, size_t len, struct err *err);
void compiled_source_release(struct compiled_source *source);

// Returns metadata.promptcc, borrowed; NULL if promptcc did not write the file.
json_t *compiled_source_metadata(const struct compiled_source *source);

// Refuses files of a newer promptcc, which may mean something else. metadata
// may be NULL.
bool compiled_source_is_known(const struct compiled_source *source,
                              const json_t *metadata);

// Reads the settings of a place from `given`, which errors call
// metadata.promptcc and `where`.
bool compiled_source_settings(const struct compiled_source *source,
                              const json_t *given, enum setting_place place,
                              const char *where, struct settings *out);

// Returns how a step's pool in the metadata, {"by", "nearest", "demos"}, says
// that its demos are picked.
enum search_by compiled_source_picks_by(const json_t *pool);

#endif
