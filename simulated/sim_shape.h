// sim_shape: finds things in a text by their shape alone.

#ifndef SIMULATED_SIM_SHAPE_H
#define SIMULATED_SIM_SHAPE_H

#include <stdbool.h>

#include "common/arena.h"

enum sim_shape {
    SIM_EMAIL,
    SIM_URL,
    SIM_DATE,
    SIM_AMOUNT,
    SIM_PHONE,
    SIM_ID,
};

// Returns the first match of that shape; "" for none, NULL when out of memory.
const char *sim_shape_find(struct arena *arena, const char *text,
                           enum sim_shape shape);

// Returns the first word that has the shape of `value`, as "XYZ-7" has that of
// "AB-12"; NULL for none.
const char *sim_shape_alike(struct arena *arena, const char *text,
                            const char *value);

// Reads the first number of the text. Returns false if there is none.
bool sim_shape_number(const char *text, double *out);

#endif
