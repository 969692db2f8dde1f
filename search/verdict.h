// verdict: what a run came to: whether the compiled program is better, and,
// where it is not, why.
//
// "No detectable difference" is a result, and a user who is told why can do
// something about it: take more examples, another metric, a larger budget. The
// reasons are taken from what the run saw, never guessed: each names the
// numbers that it rests on. Pure.

#ifndef SEARCH_VERDICT_H
#define SEARCH_VERDICT_H

#include <jansson.h>

#include "search/session/session.h"

// All borrowed.
struct verdict_facts {
    const struct session *session;
    const struct trial *baseline; // on the validation share; NULL: not scored
    const struct trial *winner;   // the same; NULL: none
    const struct trial *test_baseline, *test_winner; // NULL: not scored
    const char *finish;                              // reason, as the document
};

// {"outcome": "better" | "worse" | "no_detectable_difference" | "none",
//  "on": "test" | "validation" | null, "p_value": P | null,
//  "reasons": [{"code", "text"}, ...]}, reasons where it is not better. New
// reference; NULL without memory.
json_t *verdict_json(const struct verdict_facts *facts);

#endif
