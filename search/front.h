// front: the trials that nothing shorter beats.
//
// A prompt is paid with every call in production, so of two programs that score
// alike the shorter is the better, and whoever wants a cheaper one should see
// what it costs in score. Of all trials on the whole validation share those are
// kept whose prompts nothing as short scores higher than.

#ifndef SEARCH_FRONT_H
#define SEARCH_FRONT_H

#include <jansson.h>

#include "search/session/session.h"

// [{"trial", "score", "n", "prompt_tokens"}, ...], shortest first: estimated
// tokens of the longest prompt. New reference; NULL without memory.
json_t *front_json(struct session *session);

// The trial to be shipped: the best so far, or, where its prompt is longer than
// the job allows, the best of those that are not. The baseline where there is
// none, NULL before any is.
struct trial *front_winner(struct session *session);

#endif
