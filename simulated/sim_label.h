// sim_label: chooses one of a few labels, from what the prompt shows.
//
// The evidence for a label is how much the question resembles (a) the label's
// own words, (b) what the instruction and the description say about the label,
// (c) all demos with the label together, and (d) the nearest of them. Noise,
// drawn from the model, the question and the label, is added on top. It shrinks
// with the strength that the model's name suggests, with the quality of the
// instruction, and with demos that agree with what the labels say. So a bare
// instruction is mediocre, a good one is better, and demos are better still,
// while demos with wrong labels are worse than none.
//
// The constants are general: they were chosen on made-up and real label
// problems together, and refer to no particular label or job.

#ifndef SIMULATED_SIM_LABEL_H
#define SIMULATED_SIM_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

#include "simulated/sim_prompt.h"
#include "simulated/sim_text.h"

// What a prefix says about the labels of one output field. It lives in the
// arena and is read-only once weighed, so that any thread may choose.
struct sim_label_set {
    const char **labels; // borrowed from the prompt
    size_t n;
    struct sim_bag *names;    // by label
    struct sim_bag *mentions; // by label
    struct sim_bag *classes;  // by label
    int *of_demo;             // by demo: index of its label; -1: none
    size_t n_shown;           // demos that show a label
    double quality;           // of the instruction, 0 to 1
    double agreement;         // between the demos and the labels, 0 to 1
};

struct sim_choice {
    size_t index;
    double margin; // 0 (a toss-up) to 1 (clear)
    // How likely temperature 1 would be to choose each label, as if its noise
    // had a Gumbel distribution of the same variance, which makes it a softmax.
    double odds[SIM_LABELS_MAX];
};

// Collects the labels, mentions and demos of output `field`. set->n is 0 if the
// field has no labels, not even ones that the demos suggest.
bool sim_label_read(struct sim_label_set *set, struct arena *arena,
                    const struct sim_prompt *prompt, size_t field,
                    struct err *err);

// Appends this set's bags, two per label, to bags[0..*n), as documents that
// decide how rare a word is.
void sim_label_documents(const struct sim_label_set *set,
                         const struct sim_bag **bags, size_t *n);

// Weighs the bags and judges the demos. `demos` are the weighed inputs.
void sim_label_weigh(struct sim_label_set *set, const struct sim_bag *idf,
                     double default_weight, const struct sim_bag *demos,
                     size_t n_demos);

// The question that a label is chosen for, weighed. Everything is borrowed.
struct sim_label_question {
    const struct sim_bag *question;
    const struct sim_bag *demos; // their inputs
    size_t n_demos;
};

// The model that chooses.
struct sim_label_mind {
    double strength; // of the model, 0 to 1
    uint64_t draw;   // what its noise depends on, apart from the label
    double heat;     // the temperature; above 0 it adds noise, which `seed`
                     // draws
    uint64_t seed;
};

// Chooses a label for the question, with the demos that it was shown. Equal
// arguments give equal choices.
struct sim_choice sim_label_choose(const struct sim_label_set *set,
                                   const struct sim_label_question *asked,
                                   const struct sim_label_mind *mind);

#endif
