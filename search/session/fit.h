// fit: keeps candidates within the context window, and within `demos.count`.
//
// Before a trial is submitted, demos are dropped from the end of each step's
// list until two conditions hold: there are no more of them than the job
// allows, and the longest example's prompt fits both num_ctx less num_predict
// and max_prompt_tokens. Lengths come from the fixed estimate of prompt.h, so
// the decision is the same on every machine. The prompt's real length is known
// only when a server reports it, as RUN_TOO_LONG.
//
// A prompt may show any demos of a pool (candidate.h), so it is estimated with
// the longest ones; if those do not fit, the prompts show fewer demos.

#ifndef SEARCH_SESSION_FIT_H
#define SEARCH_SESSION_FIT_H

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "program/job/dataset.h"
#include "program/job/job.h"

struct fit;

// Renders every example's question once. Borrows all arguments.
struct fit *fit_new(const struct job *job, const struct dataset *dataset,
                    const struct plan *plan, struct err *err);
void fit_free(struct fit *fit); // accepts NULL

// Returns a new reference: to the candidate itself, or to a sealed copy with
// fewer demos.
struct candidate *fit_candidate(const struct fit *fit,
                                struct candidate *candidate, struct err *err);

// Computes the estimated tokens of the longest prompt of any step that is
// searched.
bool fit_tokens(const struct fit *fit, const struct candidate *candidate,
                size_t *tokens, struct err *err);

// Returns true if the program as written fits; otherwise ERR_INPUT names the
// step and the option to raise. Callers should only warn about it, since the
// estimate is cautious.
bool fit_check(const struct fit *fit, const struct candidate *baseline,
               struct err *err);

#endif
