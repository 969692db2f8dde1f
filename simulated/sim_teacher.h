// sim_teacher: writes texts about a task, for prompts that ask for them.
//
// If a prompt shows examples, a program or observations, and asks for an
// instruction, observations, a summary or a description, the answer is composed
// from what the prompt shows: the rows, which of their columns holds a label,
// the words that are typical of each label, the guide that an earlier such text
// gave, the present instruction, and the tip. Draws differ in what they
// include, so instructions differ in quality.

#ifndef SIMULATED_SIM_TEACHER_H
#define SIMULATED_SIM_TEACHER_H

#include <stdbool.h>
#include <stddef.h>

#include "simulated/sim_ask.h"
#include "simulated/sim_prompt.h"

// Returns true if output `field` is such a text, given the prompt's inputs.
bool sim_teacher_knows(const struct sim_prompt *prompt, size_t field);

// Returns the text, in ask->arena, or NULL when out of memory.
const char *sim_teacher_write(struct sim_ask *ask, size_t field);

#endif
