// reading: one reply on its way to values, as the forms of a reply share it.
//
// Each form (sections.h, reply_tags.h, reply_object.h, and the bare text in
// reply.c) looks for the outputs in the reply, fills those that it finds, and
// notes the leniency that it took. A form that does not fit leaves no trace but
// the object.

#ifndef PROGRAM_PROMPT_READING_H
#define PROGRAM_PROMPT_READING_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/adapter.h"
#include "program/graph/program.h"
#include "program/prompt/span.h"

// What stands for each output: a text, a JSON value, or neither.
struct found {
    struct span text; // at is NULL where there is none
    bool twice;       // and another stands for it as well
    bool broken;      // it is there, but as damaged JSON
    const json_t *json;
};

struct reading {
    const struct signature *signature;
    enum adapter adapter;
    uint64_t reads;
    struct span whole; // with what was thought
    struct span reply;
    struct found outputs[PROGRAM_MAX_FIELDS];
    json_t *object;       // owned: what the json pointers point into
    struct err no_memory; // met while looking for the outputs
    unsigned lenient;
};

#endif
