// fit: keeps candidates within the context window, and within `demos.count`.
//
// A prompt may show any demos of a pool (candidate.h), so it is estimated with
// the longest ones; if those do not fit, the prompts show fewer demos.
//
// Before a trial is submitted, demos are dropped from the end of each step's
// list until there are no more than the job allows, and until the longest
// example fits num_ctx with num_predict, and max_prompt_tokens, by the fixed
// estimate of prompt.h: so the decision is the same on every machine. What a
// server says of a prompt's real length comes later, as RUN_TOO_LONG.

#ifndef SEARCH_SESSION_FIT_H
#define SEARCH_SESSION_FIT_H

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "program/job/dataset.h"
#include "program/job/job.h"

struct fit;

// All borrowed. Renders every example's question once.
struct fit *fit_new(const struct job *job, const struct dataset *dataset,
                    const struct plan *plan, struct err *err);
void fit_free(struct fit *fit); // NULL is fine

// The candidate itself, or a sealed copy with fewer demos: a new reference.
struct candidate *fit_candidate(const struct fit *fit,
                                struct candidate *candidate, struct err *err);

// The estimated tokens of the longest prompt of any step that is searched.
bool fit_tokens(const struct fit *fit, const struct candidate *candidate,
                size_t *tokens, struct err *err);

// Whether the program as written fits: ERR_INPUT names the step and what to
// raise. Only a warning is made of it, since the estimate is careful.
bool fit_check(const struct fit *fit, const struct candidate *baseline,
               struct err *err);

#endif
