// verdict: whether the compiled program is better and, if it is not, why.
//
// "No detectable difference" is a result too, and a user who learns the reason
// can act on it: add examples, choose another metric, or raise the budget. The
// reasons come from what the run saw and are never guessed: each names the
// numbers that it rests on. Pure.

#ifndef SEARCH_VERDICT_H
#define SEARCH_VERDICT_H

#include <jansson.h>

#include "search/session/session.h"

// Everything here is borrowed.
struct verdict_facts {
    const struct session *session;
    const struct trial *baseline; // on the validation share; NULL: not scored
    const struct trial *winner;   // on the validation share; NULL: none
    const struct trial *test_baseline, *test_winner; // NULL: not scored
    const char *finish; // reason, as in the document
};

// Returns
//
//   {"outcome": "better" | "worse" | "no_detectable_difference" | "none",
//    "on": "test" | "validation" | null, "p_value": P | null,
//    "reasons": [{"code", "text"}, ...]}
//
// with reasons if the outcome is not "better". New reference; NULL when out of
// memory.
json_t *verdict_json(const struct verdict_facts *facts);

#endif
