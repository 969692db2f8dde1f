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
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

#include "simulated/sim_task.h"

// One answer in the making. Fields are made in their order, and later ones
// may look at earlier ones.
struct sim_ask {
    const struct sim_task *task; // borrowed, as all below
    const struct sim_turn *turn;
    const struct sim_bag *question;     // weighed
    struct arena *arena;                // for values
    double strength;                    // of the model, 0 to 1
    double heat;                        // temperature
    uint64_t draw;                      // hash of model and question
    uint64_t seed;                      // of this draw; 0 at temperature 0
    const char *values[SIM_FIELDS_MAX]; // made so far, as texts
    bool is_json[SIM_FIELDS_MAX];       // the text is JSON, not a string
    double margin;                      // of the first label, 0 to 1
    bool tells_odds;                    // fill odds
    const double *odds[SIM_FIELDS_MAX]; // by label, of a field that has some
};

// Makes ask->values[field].
bool sim_value_make(struct sim_ask *ask, size_t field, struct err *err);

// The label that will be chosen for a field, or NULL when it has none.
const char *sim_value_label(struct sim_ask *ask, size_t field, double *margin);

// The n content words of text that are rarest in the prompt, joined by
// commas; NULL without memory.
const char *sim_value_keywords(const struct sim_ask *ask, const char *text,
                               size_t n);

#endif
