// exchange: one request to a model server and its reply.
//
// It has a handle of libcurl and two buffers, which are used again for one
// request after the other (exchange_clear). Which parts of the request a server
// may refuse is remembered by their place, so that the rest can be sent again.

#ifndef MODEL_EXCHANGE_H
#define MODEL_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "model/backend.h"
#include "model/classify.h"
#include "model/model.h"

enum { EXCHANGE_NAME_BYTES = 256 };

struct exchange {
    struct exchange *next; // for its owner's lists
    CURL *easy;            // owned
    struct buf request;
    struct buf reply;
    size_t messages_at; // where the array of messages stands in request
    size_t messages_len;
    size_t format_at; // and the output format; format_len is 0 without one
    size_t format_len;
    size_t logprobs_at; // the same of what asks for log-probabilities
    size_t logprobs_len;
    int64_t timeout_ms;
    enum call_kind kind;
    char model[EXCHANGE_NAME_BYTES]; // cut, for people
    int32_t num_ctx;
    int32_t num_predict;
    int64_t begun_us;
    int64_t sent_us; // when it first was to be sent over a connection; 0: not
    bool too_large;
    const char *answer_key; // what the reply holds if it is an answer
    bool kept;              // its connection, for the next request
    struct model_done result;
};

// Whom it goes to; borrowed.
struct exchange_to {
    const struct model_backend *backend;
    const struct model_address *address;
};

// For a server at url. NULL without memory.
struct exchange *exchange_new(const char *url);
void exchange_free(struct exchange *exchange); // NULL is fine

// Ready for another request.
void exchange_clear(struct exchange *exchange);

// Writes the request, and notes what its reply will be judged by.
bool exchange_write(struct exchange *exchange, const struct exchange_to *to,
                    int64_t id, const struct call_request *request,
                    struct err *err);

// Takes the output format, or the wish for log-probabilities, out of the
// request that was written.
void exchange_drop_format(struct exchange *exchange);
void exchange_drop_logprobs(struct exchange *exchange);

// Fills in result from the reply that came whole, or from how it ended.
void exchange_judge(struct exchange *exchange,
                    const struct model_backend *backend, CURLcode how);

// The reply that came whole. Borrowed from the exchange.
struct model_reply exchange_reply(const struct exchange *exchange);

#endif
