// prompt_part: what is the same in all prompts of a step: the text before the
// question, and the output format. It is rendered once, when a program is
// loaded.

#ifndef PREDICT_PROMPT_PART_H
#define PREDICT_PROMPT_PART_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/run/compiled.h"

struct prompt_part {
    struct buf prefix;
    struct buf formats[ADAPTER_COUNT]; // by the form of the answer
};

// Initialize and release n parts.
void prompt_parts_init(struct prompt_part *parts, size_t n);
void prompt_parts_release(struct prompt_part *parts, size_t n);

// Renders the part of step s; does nothing for a step that asks no model.
bool prompt_part_render(struct prompt_part *part,
                        const struct compiled *compiled, size_t s,
                        struct err *err);

#endif
