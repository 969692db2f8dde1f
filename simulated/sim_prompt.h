// sim_prompt: reads what a prompt says, as tolerantly as a model would.
//
// It understands this convention: a system message lists input and output
// fields, one per line, with the name in backticks, the type in parentheses,
// and a description after a colon; then comes the structure; then the
// instruction. Demos are pairs of user and assistant turns. Values are under
// marker lines `[[ ## name ## ]]` or in a JSON object. If there is no such
// list, a JSON schema or the demos' markers name the fields. If there is
// nothing at all, the answer is one free text.
//
// A prompt consists of a prefix (everything up to the question), which many
// requests share and which is read once, and a question. Anything after the
// question (a wrong answer and the complaint about it) makes the answer a
// repair.
//
// All text is untrusted: counts are capped, and anything beyond them is not
// read.

#ifndef SIMULATED_SIM_PROMPT_H
#define SIMULATED_SIM_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"

#include "simulated/sim_field.h"

enum { SIM_DEMOS_MAX = 128 };

struct sim_message {
    const char *role;    // borrowed
    const char *content; // borrowed
    size_t len;          // of content
};

struct sim_demo {
    const char *input;                  // all inputs joined
    const char *values[SIM_FIELDS_MAX]; // by output field; NULL: not shown
};

// The sections of one turn, by output or input field.
struct sim_turn {
    const char *joined;                 // the values, joined by newlines
    const char *values[SIM_FIELDS_MAX]; // by input field; NULL: absent
};

struct sim_prompt {
    struct sim_field inputs[SIM_FIELDS_MAX];
    size_t n_inputs;
    struct sim_field outputs[SIM_FIELDS_MAX];
    size_t n_outputs;
    const char *instruction; // or ""
    struct sim_demo demos[SIM_DEMOS_MAX];
    size_t n_demos;
    bool as_json; // the answer should be a JSON object
    bool bare;    // the schema is not an object: the answer is just the one
                  // value
};

// Returns the index of the message that holds the question, or n if there is
// none.
size_t sim_prompt_question(const struct sim_message *messages, size_t n);

// Reads messages[0..n), the prefix of a prompt. `schema` is the JSON schema
// that the request asks for, or NULL. `json` is true if the request asks for
// JSON.
bool sim_prompt_read(struct sim_prompt *prompt, struct arena *arena,
                     const struct sim_message *messages, size_t n,
                     const json_t *schema, bool json, struct err *err);

// Reads the question that belongs to a prompt. Several threads may call it at
// once, since it does not change the prompt.
bool sim_prompt_turn(const struct sim_prompt *prompt, struct arena *arena,
                     const struct sim_message *message, struct sim_turn *turn,
                     struct err *err);

// Returns true if the question itself asks for JSON and shows no output marker.
bool sim_prompt_wants_json(const struct sim_prompt *prompt,
                           const struct sim_message *message);

#endif
