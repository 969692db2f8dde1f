// prose: whether a text that a model wrote can be what it was asked for.
//
// When asked for an instruction or a summary, small models send back the
// placeholder of the prompt ("{basic_instruction}"), a lone bracket, the markup
// around the examples, or a piece of what they were shown. Such a text would
// cost a trial on every row of the validation share before its score says the
// same. So it is refused here, and the question is asked again with another
// draw.
//
// These are signs that a person would see at a glance. Whether a text is any
// good is for the trials to say. Pure.

#ifndef SEARCH_TOOLKIT_PROSE_H
#define SEARCH_TOOLKIT_PROSE_H

#include <stdbool.h>

#include <jansson.h>

#include "program/graph/program.h"

// Returns what is wrong with the text, such as "it is markup of the prompt", or
// NULL. `asked` is the step that asked for it, and `shown` its inputs by name.
// The result is static.
const char *prose_fault(const char *text, const struct step *asked,
                        const json_t *shown);

// The input that a text may repeat: the one that the model is asked to improve.
#define PROSE_BASIS "basic_instruction"

// Returns true if the texts are equal apart from case and white space.
bool prose_same(const char *a, const char *b);

#endif
