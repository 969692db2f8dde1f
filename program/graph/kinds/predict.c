// predict: one question to a model.

#include "program/graph/kind.h"

static const char *const suffixes[] = {"", NULL};

const struct step_kind step_predict = {
    .key = "predict",
    .keys = predictor_keys,
    .declare = predictor_declare,
    .resolve = step_resolve_inputs,
    .json = predictor_step_json,
    .predictor = true,
    .dspy = {.suffixes = suffixes, .alone = "self"},
};
