// rules: advice to each step, which the teacher gives after comparing a good
// and a bad run of one row; it is appended to the step's instruction.

#ifndef SEARCH_OPTIMIZERS_SIMBA_RULES_H
#define SEARCH_OPTIMIZERS_SIMBA_RULES_H

#include "search/optimizers/simba/search.h"

// Makes the form of the question, with a field of advice per step.
bool simba_rules_init(struct simba_search *search, struct err *err);

// Submits the question for a rule. If the two runs have nothing to teach,
// question->form stays NULL.
bool simba_rules_ask(struct simba_search *search,
                     const struct simba_bucket *bucket,
                     struct question *question, struct err *err);

// Waits for the answer and appends the advice. Does nothing if the question has
// no form.
bool simba_rules_add(struct simba_search *search, struct question *question,
                     struct candidate *child, struct err *err);

#endif
