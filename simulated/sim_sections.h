// sim_sections: the values of fields in one turn, under marker lines or in a
// JSON object.

#ifndef SIMULATED_SIM_SECTIONS_H
#define SIMULATED_SIM_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

#include "simulated/sim_field.h"
#include "simulated/sim_span.h"

// Values under marker lines, by field; the text before the first is dropped.
// False: there is no marker. values[0..n) are NULL before, and stay so where
// the field is not shown or memory is out.
bool sim_sections_read(struct arena *arena, struct sim_span text,
                       const struct sim_field *fields, size_t n,
                       const char **values);

// The same for the members of the first object in text. False: there is none.
bool sim_sections_object(struct arena *arena, struct sim_span text,
                         const struct sim_field *fields, size_t n,
                         const char **values);

#endif
