// sim_model: the stand-in's "brain": messages in, a reply out.
//
// The same request under the same model name always gives the same reply. The
// model's name says how strong it is: "qwen2.5:14b" errs less than
// "smollm2:135m"; a name without a size is in between. It sees the prompt and
// nothing else.
//
// A model that is not strong makes slips of form, the fewer the more demos
// show the form: a label in the wrong case or with a full stop, no end marker,
// JSON in a fence, seldom no form at all. Under a JSON schema it makes none,
// as a server that constrains the output would see to.
//
// Thread-safe.

#ifndef SIMULATED_SIM_MODEL_H
#define SIMULATED_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

#include "simulated/sim_prompt.h"

enum { SIM_REPLY_MAX_BYTES = 1 << 18 };

struct sim_model;

struct sim_query {
    const char *model; // borrowed, as all below
    const struct sim_message *messages;
    size_t n_messages;
    const json_t *schema; // or NULL
    bool json;            // a JSON object is asked for, schema or not
    double temperature;
    int64_t seed;         // counts only above temperature 0
    struct buf *logprobs; // the list of the reply's tokens goes there, with so
    size_t top;           // many alternatives; NULL where it is not asked for
};

struct sim_model *sim_model_new(void); // NULL without memory
void sim_model_free(struct sim_model *model);

// Appends the reply to out. Fails without memory only.
bool sim_model_answer(struct sim_model *model, const struct sim_query *query,
                      struct buf *out, struct err *err);

// 0.05 to 0.95, from the size in the name ("14b", "0.5b", "135m"; "8x7b" is
// 56b); 0.6 without one.
double sim_model_strength(const char *name);

// How many tokens a text of so many bytes is taken for.
size_t sim_model_tokens(size_t bytes);

#endif
