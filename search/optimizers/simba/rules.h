// rules: what the teacher makes of a good and a bad run of one row: advice to
// each step, appended to its instruction.

#ifndef SEARCH_OPTIMIZERS_SIMBA_RULES_H
#define SEARCH_OPTIMIZERS_SIMBA_RULES_H

#include "search/optimizers/simba/search.h"

// Makes the form that the teacher is asked in: a field of advice a step.
bool simba_rules_init(struct simba_search *search, struct err *err);

// Sends off the question that a rule comes from; where the two runs have
// nothing to teach, question->form stays NULL.
bool simba_rules_ask(struct simba_search *search,
                     const struct simba_bucket *bucket,
                     struct question *question, struct err *err);

// Waits for the answer and appends what it says. Without a form there is none.
bool simba_rules_add(struct simba_search *search, struct question *question,
                     struct candidate *child, struct err *err);

#endif
