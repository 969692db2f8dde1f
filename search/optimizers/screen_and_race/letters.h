// letters: asks the teacher for the instruction of the step in the focus, from
// examples, from mistakes, and from nothing.
//
// A letter shows a few cases, since a model that sees a hundred takes in little
// of each. Each round shows other cases, so in the end the teacher has seen
// them all. All letters of a round are sent together. Call only from the job's
// own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_LETTERS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_LETTERS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/findings.h"
#include "search/optimizers/screen_and_race/search.h"

// Sends the letters of a round about text number `text`, which the failed runs
// had, and adds the answers to the space. The first time, also adds all answers
// together.
bool letters_send(struct search *search, const struct findings *found, int text,
                  struct err *err);

#endif
