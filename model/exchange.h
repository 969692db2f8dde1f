// exchange: one request to a model server and its reply.
//
// An exchange has a libcurl handle and two buffers, which are reused for one
// request after another (exchange_clear). It remembers where in the request the
// parts are that a server may refuse, so that the rest can be sent again.

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
    size_t messages_at; // position in request of the array of messages
    size_t messages_len;
    size_t format_at; // of the output format; format_len is 0 without one
    size_t format_len;
    size_t logprobs_at; // of the keys that ask for log-probabilities
    size_t logprobs_len;
    int64_t timeout_ms;
    enum call_kind kind;
    char model[EXCHANGE_NAME_BYTES]; // may be cut; for messages to people
    int32_t num_ctx;
    int32_t num_predict;
    int64_t begun_us;
    int64_t sent_us; // when it was first sent on a connection; 0: not yet
    bool too_large;
    const char *answer_key; // what the reply contains if it is an answer
    bool reusable;          // the connection is kept for another request
    struct model_done result;
};

// Where an exchange goes; borrowed.
struct exchange_to {
    const struct model_backend *backend;
    const struct model_address *address;
};

// Creates an exchange with the server at url. Returns NULL when out of memory.
struct exchange *exchange_new(const char *url);
void exchange_free(struct exchange *exchange); // accepts NULL

// Prepares the exchange for another request.
void exchange_clear(struct exchange *exchange);

// Writes the request, and notes what is needed to judge its reply.
bool exchange_write(struct exchange *exchange, const struct exchange_to *to,
                    int64_t id, const struct call_request *request,
                    struct err *err);

// Remove the output format, or the request for log-probabilities, from the
// written request.
void exchange_drop_format(struct exchange *exchange);
void exchange_drop_logprobs(struct exchange *exchange);

// Fills in result from the complete reply, or from how the exchange ended.
void exchange_judge(struct exchange *exchange,
                    const struct model_backend *backend, CURLcode how);

// Returns the complete reply. Borrowed from the exchange.
struct model_reply exchange_reply(const struct exchange *exchange);

#endif
