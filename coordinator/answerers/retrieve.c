// The answerer for a search of the job's documents. The search runs on the loop
// and gives equal answers to equal questions, so nothing is sent or stored
// (retrieve/retrieval.h).

#include "coordinator/answerers/answerer.h"
#include "retrieve/retrieval.h"

static bool answer(const struct order *order, struct buf *text, struct err *err)
{
    return retrieval_answer(order->work->retrieval, order->ask.part,
                            order->ask.payload, order->ask.payload_len, text,
                            err);
}

const struct answerer answerer_retrieve = {
    .name = "retrieve",
    .answer = answer,
};
