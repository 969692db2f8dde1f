// seed: the compiled program of an earlier run, as a candidate of this one.
//
// With another model or more data, a search need not start from nothing: the
// instructions and demos of an earlier compiled file are scored like any
// candidate. If a demo came from a row of the present data, the demo is linked
// to that row, because an example is never shown to itself. Otherwise the model
// could copy the answer from an old demo, and it would count as right.

#ifndef SEARCH_SEED_H
#define SEARCH_SEED_H

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

// Returns the candidate of the job's `from`, sealed; a new reference.
// ERR_INPUT: the file belongs to another program.
struct candidate *seed_candidate(const struct session *session,
                                 struct err *err);

// Returns the candidate with each demo linked to the row of the present data
// that it came from, if any. Sealed; a new reference.
struct candidate *seed_place(const struct session *session,
                             const struct candidate *candidate,
                             struct err *err);

#endif
