// sim_value: the value of one output field, whatever its type.
//
// Labels and truths are chosen (sim_label). Texts are taken out of the
// question where the field's name or description speaks of something with a
// shape (an email address, an id, a date), by analogy to the demos, or as the
// sentence that fits best; a reasoning or a reply is put together. Numbers and
// structures are sensible and within their limits.

#ifndef SIMULATED_SIM_VALUE_H
#define SIMULATED_SIM_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#include "simulated/sim_ask.h"

// Makes ask->values[field].
bool sim_value_make(struct sim_ask *ask, size_t field, struct err *err);

#endif
