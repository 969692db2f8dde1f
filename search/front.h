// front: the trials that nothing shorter beats.
//
// A prompt is paid for with every call in production, so of two programs that
// score alike the shorter one is better, and whoever wants a cheaper one should
// see what it costs in score. The front holds those trials on the whole
// validation share for which no other has a prompt as short and a higher score.

#ifndef SEARCH_FRONT_H
#define SEARCH_FRONT_H

#include <jansson.h>

#include "search/session/session.h"

// [{"trial", "score", "n", "prompt_tokens"}, ...], shortest first: estimated
// tokens of the longest prompt. New reference; NULL without memory.
json_t *front_json(struct session *session);

// The trial to be shipped: the best so far or, if its prompt is longer than the
// job allows, the best of those that are short enough. If none is, the
// baseline. NULL before there is a baseline.
struct trial *front_winner(struct session *session);

#endif
