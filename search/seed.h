// seed: the compiled program of an earlier run, as a candidate of this one.
//
// For another model, or with more data, a search need not begin at nothing. The
// file's instructions and demos are scored like any candidate. Where a demo
// came from a row of the data at hand, the demo gets that row, for an example
// is never shown to itself: otherwise an old demo would be counted right by
// heart.

#ifndef SEARCH_SEED_H
#define SEARCH_SEED_H

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

// The candidate of the job's `from`, sealed; a new reference. ERR_INPUT: the
// file is of another program.
struct candidate *seed_candidate(const struct session *session,
                                 struct err *err);

// The candidate with a row for each demo that came from one of the data at
// hand, sealed; a new reference.
struct candidate *seed_place(const struct session *session,
                             const struct candidate *candidate,
                             struct err *err);

#endif
