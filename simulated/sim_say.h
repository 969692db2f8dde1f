// sim_say: the text of an output field.
//
// Texts are taken out of the question where the field's name or description
// speaks of something with a shape (an email address, an id, a date), by
// analogy to the demos, or as the sentence that fits best; a reasoning or a
// reply is put together.

#ifndef SIMULATED_SIM_SAY_H
#define SIMULATED_SIM_SAY_H

#include <stddef.h>

#include "simulated/sim_ask.h"

// NULL without memory, as all here.
const char *sim_say(struct sim_ask *ask, size_t field);

// What a member of that name gets: of a structure, which has no description.
const char *sim_say_named(struct sim_ask *ask, const char *name);

#endif
