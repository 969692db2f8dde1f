// reading: one reply on its way to values, shared by all forms of a reply.
//
// Each form (sections.h, reply_tags.h, reply_table.h, reply_object.h, and the
// bare text in reply.c) looks for the outputs in the reply, fills in those that
// it finds, and notes the leniency that it used. If a form does not fit,
// everything it did is undone, except for the object.

#ifndef PROGRAM_PROMPT_READING_H
#define PROGRAM_PROMPT_READING_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/adapter.h"
#include "program/graph/program.h"
#include "program/prompt/span.h"

// What the reply has for each output: a text, a JSON value, or neither.
struct found {
    struct span text; // at is NULL if there is none
    bool twice;       // the reply has a second, different one
    bool broken;      // the reply has one, but as damaged JSON
    const json_t *json;
};

struct reading {
    const struct signature *signature;
    enum adapter adapter;
    uint64_t reads;
    struct span whole; // including the thinking
    struct span reply;
    struct found outputs[PROGRAM_MAX_FIELDS];
    json_t *object;       // owned; the json pointers point into it
    struct err no_memory; // out of memory while looking for the outputs
    unsigned lenient;
};

#endif
