// letters: what the teacher is asked: to write the instruction of the step in
// the focus, from examples, from mistakes, and from nothing.
//
// A letter shows a few cases, since who is shown a hundred takes up little of
// each, and other ones every round, so that in the end the teacher has seen
// them all. All letters of a round are sent together. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_LETTERS_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_LETTERS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/findings.h"
#include "search/optimizers/screen_and_race/search.h"

// Sends the letters of a round about text number `text`, which those who failed
// had, and puts what comes back into the space; the first time also all of it
// together.
bool letters_send(struct search *search, const struct findings *found, int text,
                  struct err *err);

#endif
