// classify: turns what came of a request into an answer or a fault.
//
// Pure: the same reply gives the same outcome on any machine at any time. The
// whole table is in docs/protocol.md ("From reply to outcome"). An answer is
// kept forever, so anything that could be different on another machine or a
// minute later must become a fault here.

#ifndef MODEL_CLASSIFY_H
#define MODEL_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/backend.h"
#include "model/model.h"

// What was asked. All pointers are borrowed.
struct model_asked {
    enum call_kind kind;
    const char *model;
    const char *messages; // the JSON array that was sent
    size_t messages_len;
    int32_t num_ctx;
    int32_t num_predict;
    bool logprobs;
};

enum model_exchange {
    EXCHANGE_DONE,      // a complete HTTP reply
    EXCHANGE_REFUSED,   // no connection
    EXCHANGE_TIMEOUT,   // connected, but no answer in time
    EXCHANGE_TOO_SLOW,  // the reply began, but took too long
    EXCHANGE_BROKEN,    // the connection ended before the reply did
    EXCHANGE_TOO_LARGE, // over MODEL_MAX_REPLY
    EXCHANGE_NOT_HTTP,  // not HTTP, or no HTTP that can be read
};

struct model_reply {
    enum model_exchange exchange;
    long status;          // HTTP status
    const char *body;     // NUL-terminated, never NULL; borrowed
    size_t len;           // of body
    const char *detail;   // what the network reported, or ""
    const char *location; // of a redirect, or ""
    int64_t retry_ms;     // Retry-After; 0 if not sent
};

// Fills in fault, answer and text of done; id and total_us stay unchanged.
void model_classify(const struct model_backend *backend,
                    const struct model_asked *asked,
                    const struct model_reply *reply, struct model_done *done);

// Describes an HTTP status other than 200, in our words and the server's: "the
// server refuses access (HTTP status 401): no key".
void model_status_text(const struct model_reply *reply, char *out, size_t size);

// Returns true if the server refuses a request because of its output format.
// This is guessed from the server's words; sending the request again without
// the format does no harm.
bool model_refuses_format(const struct model_reply *reply);

// Like model_refuses_format, but for log-probabilities.
bool model_refuses_logprobs(const struct model_reply *reply);

#endif
