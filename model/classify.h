// classify: what came of a request, as an answer or a fault.
//
// Pure: the same reply gives the same outcome, whatever the machine or the
// hour. The whole table stands in docs/protocol.md ("From reply to outcome").
// An answer is kept for ever, so whatever could be different on another
// machine or a minute later must come out as a fault here.

#ifndef MODEL_CLASSIFY_H
#define MODEL_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/backend.h"
#include "model/model.h"

// What was asked. All borrowed.
struct model_asked {
    enum call_kind kind;
    const char *model;
    const char *messages; // the JSON array as it was sent
    size_t messages_len;
    int32_t num_ctx;
    int32_t num_predict;
    bool logprobs;
};

enum model_exchange {
    EXCHANGE_DONE,      // a whole HTTP reply
    EXCHANGE_REFUSED,   // no connection
    EXCHANGE_TIMEOUT,   // connected, but no answer in time
    EXCHANGE_UNENDED,   // it had begun to come, and took too long
    EXCHANGE_BROKEN,    // the connection ended before the reply did
    EXCHANGE_TOO_LARGE, // over MODEL_MAX_REPLY
    EXCHANGE_ALIEN,     // what came is no HTTP, or none that can be read
};

struct model_reply {
    enum model_exchange exchange;
    long status;          // HTTP
    const char *body;     // NUL-terminated, not NULL; borrowed
    size_t len;           // of body
    const char *detail;   // what the network said, "" when it said nothing
    const char *location; // of a redirect, "" otherwise
    int64_t retry_ms;     // Retry-After; 0 where it was not sent
};

// Fills fault, answer and text of done; id and total_us stay as they are.
void model_classify(const struct model_backend *backend,
                    const struct model_asked *asked,
                    const struct model_reply *reply, struct model_done *done);

// What an HTTP status other than 200 says, in words and in those of the server:
// "the server refuses access (HTTP status 401): no key".
void model_status_text(const struct model_reply *reply, char *out, size_t size);

// True when the server refuses a request because of its output format. Told by
// its words: a request that is sent again without the format is no harm.
bool model_refuses_format(const struct model_reply *reply);

// The same for log-probabilities.
bool model_refuses_logprobs(const struct model_reply *reply);

#endif
