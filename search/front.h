// front: the trials that no trial with a shorter prompt beats.
//
// A prompt is paid for with every call in production. Of two programs that
// score alike the shorter one is therefore better, and anyone who wants a
// cheaper one should see what it costs in score. The front holds the trials on
// the whole validation share whose score no other trial reaches with a prompt
// at least as short; of equals, it holds one.

#ifndef SEARCH_FRONT_H
#define SEARCH_FRONT_H

#include <jansson.h>

#include "search/session/session.h"

// Returns [{"trial", "score", "n", "prompt_tokens"}, ...], shortest first.
// prompt_tokens is the estimate for the longest prompt. New reference; NULL
// when out of memory.
json_t *front_json(struct session *session);

// Returns the trial to ship: the best so far or, if its prompt is longer than
// the job allows, the best of those that are short enough. If none is, returns
// the baseline. Returns NULL before there is a baseline.
struct trial *front_winner(struct session *session);

#endif
