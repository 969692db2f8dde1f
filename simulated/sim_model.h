// sim_model: the stand-in's "brain": messages in, a reply out.
//
// The same request under the same model name always gets the same reply. The
// model's name says how strong it is: "qwen2.5:14b" makes fewer mistakes than
// "smollm2:135m", and a name without a size is in between. The model sees only
// the prompt.
//
// A model that is not strong makes mistakes of form, fewer if the demos show
// the form well: a label in the wrong case or with a full stop, a missing end
// marker, JSON in a code fence, or rarely no form at all. Under a JSON schema
// it makes none, because a real server would constrain the output.
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
    const char *model; // borrowed, like everything below
    const struct sim_message *messages;
    size_t n_messages;
    const json_t *schema; // or NULL
    bool json;            // the answer should be a JSON object, schema or not
    double temperature;
    int64_t seed;         // counts only above temperature 0
    struct buf *logprobs; // receives the list of the reply's tokens, each with
                          // `top` alternatives; NULL if not asked for
    size_t top;           // alternatives per token
};

struct sim_model *sim_model_new(void); // NULL when out of memory
void sim_model_free(struct sim_model *model);

// Appends the reply to `out`. Fails only when out of memory.
bool sim_model_answer(struct sim_model *model, const struct sim_query *query,
                      struct buf *out, struct err *err);

// Returns 0.05 to 0.95, from the size in the name ("14b", "0.5b", "135m";
// "8x7b" counts as 56b), or 0.6 if the name has no size.
double sim_model_strength(const char *name);

// Returns how many tokens a text of this many bytes is taken to have.
size_t sim_model_tokens(size_t bytes);

#endif
