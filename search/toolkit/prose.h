// prose: whether what a model wrote can be the text that it was asked for.
//
// Small models that are asked for an instruction or a summary send back the
// placeholder of the prompt ("{basic_instruction}"), a lone bracket, the markup
// around the examples, or a piece of what they were shown. Such a text costs a
// trial on every row of the validation share before its score says the same, so
// it is refused here; the question is then asked again, with another draw.
//
// These are signs that a person would see at a glance. Whether a text is any
// good is for the trials to say. Pure.

#ifndef SEARCH_TOOLKIT_PROSE_H
#define SEARCH_TOOLKIT_PROSE_H

#include <stdbool.h>

#include <jansson.h>

#include "program/graph/program.h"

// What is wrong with text, "it is markup of the prompt"; NULL when nothing is.
// asked is the step that asked for it, shown its inputs by name. Static.
const char *prose_fault(const char *text, const struct step *asked,
                        const json_t *shown);

// The input that a text may repeat: what the model is asked to make better.
#define PROSE_BASIS "basic_instruction"

// Equal apart from case and white space.
bool prose_same(const char *a, const char *b);

#endif
