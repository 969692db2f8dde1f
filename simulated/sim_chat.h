// sim_chat: a chat, or texts to be embedded, from the request to its reply.
//
// Read and checked, then let through the faults that were asked for, given a
// slot, answered by the model, made to take its time, and written.

#ifndef SIMULATED_SIM_CHAT_H
#define SIMULATED_SIM_CHAT_H

#include "simulated/sim_exchange.h"
#include "simulated/sim_request.h"

struct sim_chat {
    struct sim_service *service;
    struct sim_exchange *exchange;
    struct sim_request request;
    bool openai;
    bool embeds;
    enum sim_fault fault;
    int64_t num_ctx;
    struct sim_lease lease;
    struct buf prompt; // as the slots compare it
    struct buf thinking;
    struct buf content;
    struct buf logprobs; // of its tokens; empty where not asked for
    const char *done_reason;
    size_t n_generated;
    int64_t start_us;
    int64_t prompt_ns;
    int64_t generate_ns;
};

// Answers the request: with a chat or with embeddings, in the form of one of
// the two APIs.
void sim_chat_answer(struct sim_service *service, struct sim_exchange *exchange,
                     bool openai, bool embeds);

#endif
