// sim_shape: what can be told in a text by its shape alone.

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

// The first of that shape; "" for none, NULL without memory.
const char *sim_shape_find(struct arena *arena, const char *text,
                           enum sim_shape shape);

// The first that looks like value, as "XYZ-7" does like "AB-12"; NULL for none.
const char *sim_shape_alike(struct arena *arena, const char *text,
                            const char *value);

bool sim_shape_number(const char *text, double *out);

#endif
