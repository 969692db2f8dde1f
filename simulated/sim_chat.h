// sim_chat: takes a chat, or texts to embed, from the request to the reply.
//
// A request is read and checked, exposed to the configured faults, given a
// slot, and answered by the model; then the time it takes is spent, and the
// reply is written.

#ifndef SIMULATED_SIM_CHAT_H
#define SIMULATED_SIM_CHAT_H

#include "common/call.h"

#include "simulated/sim_exchange.h"
#include "simulated/sim_request.h"

struct sim_chat {
    struct sim_service *service;
    struct sim_exchange *exchange;
    struct sim_request request;
    enum sim_api api;
    enum call_kind kind;
    enum sim_fault fault;
    int64_t num_ctx;
    struct sim_lease lease;
    struct buf prompt; // in the form that the slots compare
    struct buf thinking;
    struct buf content;
    struct buf logprobs; // of the content's tokens; empty if not asked for
    const char *done_reason;
    size_t n_generated;
    int64_t start_us;
    int64_t prompt_ns;
    int64_t generate_ns;
};

// Answers the request with a chat or with embeddings, in the form of that API.
void sim_chat_answer(struct sim_service *service, struct sim_exchange *exchange,
                     enum sim_api api, enum call_kind kind);

#endif
