// sim_ask: one answer under construction, field by field.

#ifndef SIMULATED_SIM_ASK_H
#define SIMULATED_SIM_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

#include "simulated/sim_task.h"

// Fields are made in order, and later ones may look at earlier ones.
struct sim_ask {
    const struct sim_task *task; // borrowed, like everything below
    const struct sim_turn *turn;
    const struct sim_bag *question;     // weighed
    struct arena *arena;                // for values
    double strength;                    // of the model, 0 to 1
    double heat;                        // temperature
    uint64_t draw;                      // hash of model and question
    uint64_t seed;                      // of this draw; 0 at temperature 0
    const char *values[SIM_FIELDS_MAX]; // made so far, as text
    bool is_json[SIM_FIELDS_MAX];       // the text is JSON, not a string
    double margin;                      // of the first label, 0 to 1
    bool tells_odds;                    // fill odds
    const double *odds[SIM_FIELDS_MAX]; // by label, for fields that have labels
};

// A content word of a text.
struct sim_keyword {
    struct sim_span raw;
    uint64_t hash;
    double rank; // higher if rare in the prompt
};

// Finds the n content words of `text` that are rarest in the prompt, rarest
// first. Returns how many there are.
size_t sim_ask_find_keywords(const struct sim_ask *ask, const char *text,
                             struct sim_keyword *list, size_t n);

// Returns the same words joined by commas, or NULL when out of memory.
const char *sim_ask_keywords(const struct sim_ask *ask, const char *text,
                             size_t n);

// Returns what the question is about: the first input that contains anything,
// or all inputs together.
const char *sim_ask_input(const struct sim_ask *ask);

// Returns the label that will be chosen for a field, and how clear the choice
// is in *margin. Returns NULL if the field has no labels. Fills in the odds if
// they are wanted.
const char *sim_ask_label(struct sim_ask *ask, size_t field, double *margin);

#endif
