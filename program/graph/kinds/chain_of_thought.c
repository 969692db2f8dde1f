// chain_of_thought: a question to a model that reasons before it answers. We
// add an output, `reasoning`, before its other outputs.

#include "program/graph/kind.h"

static const char *const suffixes[] = {".predict", "._predict", "", NULL};

const struct step_kind step_chain_of_thought = {
    .key = "chain_of_thought",
    .keys = predictor_keys,
    .declare = predictor_declare,
    .resolve = step_resolve_inputs,
    .json = predictor_step_json,
    .predictor = true,
    .reasons = true,
    .dspy = {.suffixes = suffixes,
             .alone = "predict",
             .instruction = "extended_signature_instructions"},
};
