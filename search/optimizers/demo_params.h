// demo_params: the parameters of a demo recipe, as rows for the optimizers that
// bootstrap one or many sets of demos.

#ifndef SEARCH_OPTIMIZERS_DEMO_PARAMS_H
#define SEARCH_OPTIMIZERS_DEMO_PARAMS_H

#include <math.h>
#include <stddef.h>

#include "search/optimizers/optimizer.h"
#include "search/toolkit/demos.h"

// The rows for the members `struct demo_recipe recipe` and `int64_t seed` of
// type.
// clang-format off
#define DEMO_PARAMS(type)                                                      \
    {"metric_threshold", PARAM_NUMBER,                                         \
     offsetof(type, recipe.metric_threshold), 0, 1, NAN, NULL,                 \
     "the score that a teacher's run needs to become a demo; by default, any " \
     "above 0"},                                                               \
    {"max_bootstrapped_demos", PARAM_INT,                                      \
     offsetof(type, recipe.max_bootstrapped), 0, 1000, 4, NULL,                \
     "demos from the teacher's runs, for each predictor"},                     \
    {"max_labeled_demos", PARAM_INT,                                           \
     offsetof(type, recipe.max_labeled), 0, 1000, 16, NULL,                    \
     "labelled examples are added until a predictor has this many demos"},      \
    {"max_rounds", PARAM_INT,                                                  \
     offsetof(type, recipe.max_rounds), 1, 100, 1, NULL,                       \
     "how many times the teacher may try an example"},                         \
    {"max_errors", PARAM_INT,                                                  \
     offsetof(type, recipe.max_errors), 1, 1e9, 10, NULL,                      \
     "stop after this many examples without a readable answer"},               \
    {"seed", PARAM_INT, offsetof(type, seed), 0, 9e15, 0, NULL,                \
     "seed of the random numbers"}
// clang-format on

#endif
