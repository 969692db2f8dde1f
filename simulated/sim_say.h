// sim_say: makes the text of an output field.
//
// If the field's name or description asks for something with a recognizable
// shape (an email address, an id, a date), the text is taken from the question.
// Otherwise it is found by analogy to the demos, or is the sentence that fits
// best. A reasoning or a reply is composed.

#ifndef SIMULATED_SIM_SAY_H
#define SIMULATED_SIM_SAY_H

#include <stddef.h>

#include "simulated/sim_ask.h"

// Returns NULL when out of memory, like everything here.
const char *sim_say(struct sim_ask *ask, size_t field);

// Returns the text for a member of a structure, which has a name but no
// description.
const char *sim_say_named(struct sim_ask *ask, const char *name);

#endif
