// sim_request: a request, read and checked the way Ollama does it.
//
// Two forms are read into one struct: Ollama's own (/api/chat, /api/embed) and
// the OpenAI-compatible one. Each text to embed is a message of its own. A
// problem in the body becomes a status and the words that Ollama uses. Messages
// that do not fit are dropped from the middle, oldest first, unless the request
// forbids it.

#ifndef SIMULATED_SIM_REQUEST_H
#define SIMULATED_SIM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/hash.h"

#include "simulated/sim_prompt.h"

// Whose API a request uses, and a reply.
enum sim_api { SIM_API_OLLAMA, SIM_API_OPENAI, SIM_API_COUNT };

enum { SIM_BODY_MAX_BYTES = 8 << 20, SIM_MESSAGES_MAX = 1024 };

enum sim_think { SIM_THINK_UNSET, SIM_THINK_OFF, SIM_THINK_ON };

struct sim_request {
    json_t *body;     // owned; the rest borrows from it
    struct hash hash; // of the API and the body in canonical form
    struct arena arena;
    const char *model;
    struct sim_message *messages;
    size_t n_messages;
    const json_t *schema; // or NULL
    bool json;
    bool stream;
    bool truncate;
    bool shift;
    bool embeds;    // each message is a separate text to embed
    bool load_only; // no messages: only load the model
    bool unload;    // keep_alive is 0
    enum sim_think think;
    int64_t num_ctx;     // 0: not sent
    int64_t num_predict; // 0 or less: no limit
    int64_t seed;
    double temperature;
    bool logprobs;
    size_t top_logprobs;
    size_t n_tokens; // of the prompt
};

// Why a request is refused; status 0: it is not.
struct sim_refusal {
    unsigned status;
    char text[240];
};

// Reads a body. Release `request` in any case.
bool sim_request_read(struct sim_request *request, const char *body, size_t len,
                      enum sim_api api, struct sim_refusal *refusal);

// Like sim_request_read, for a request for embeddings.
bool sim_request_read_embed(struct sim_request *request, const char *body,
                            size_t len, enum sim_api api,
                            struct sim_refusal *refusal);
void sim_request_release(struct sim_request *request);

// Makes the prompt fit num_ctx: drops messages and counts the tokens. Returns
// false, with n_tokens of the whole prompt, if it does not fit and must not be
// cut.
bool sim_request_fit(struct sim_request *request, int64_t num_ctx);

#endif
