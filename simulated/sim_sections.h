// sim_sections: reads the values of fields in one turn, under marker lines or
// in a JSON object.

#ifndef SIMULATED_SIM_SECTIONS_H
#define SIMULATED_SIM_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

#include "simulated/sim_field.h"
#include "simulated/sim_span.h"

// Reads the values under marker lines, by field; text before the first marker
// is dropped. Returns false if there is no marker. values[0..n) must be NULL
// before, and stay NULL for fields that are not shown or when memory runs out.
bool sim_sections_read(struct arena *arena, struct sim_span text,
                       const struct sim_field *fields, size_t n,
                       const char **values);

// Like sim_sections_read, for the members of the first object in `text`.
// Returns false if there is no object.
bool sim_sections_object(struct arena *arena, struct sim_span text,
                         const struct sim_field *fields, size_t n,
                         const char **values);

#endif
