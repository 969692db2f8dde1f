// compiled_candidate: the prompts of a compiled file, as a candidate.
//
// A file has one object for each predictor, which is found by one of the names
// that versions of DSPy have used, and whose fields are told apart by position
// and prefix. Whatever does not fit the given program means that the file is of
// another one: the first difference is an error. Pure.

#ifndef PROGRAM_RUN_COMPILED_CANDIDATE_H
#define PROGRAM_RUN_COMPILED_CANDIDATE_H

#include "program/graph/candidate.h"
#include "program/graph/program.h"
#include "program/graph/settings.h"
#include "program/run/compiled_source.h"

// Reads instructions, demos and tuned values for the program, next to these
// settings. Returns a sealed candidate, a new reference; NULL after an error,
// which is in source->err.
struct candidate *compiled_candidate_read(const struct compiled_source *source,
                                          const struct program *program,
                                          const struct settings *settings);

#endif
