// call: what we ask of a model, and what comes of it.
//
// A call is the unit of work: one request to a named model, either a chat with
// messages, options and an output format, or a text to embed. A call ends in
// one of three ways, which never mix:
//
//   an answer  a fact about the request that holds on every machine: a text,
//              a text cut at num_predict, nothing, one piece repeated without
//              end, or "the prompt does not fit". Stored forever, paid once.
//   a fault    says something about a machine or a network and nothing about
//              the prompt. Never stored as an answer, never a score; the call
//              is retried elsewhere.
//   nothing    the call was canceled.
//
// Messages travel as JSON text in two parts. `prefix` + `tail` together are one
// JSON array of {"role", "content"} objects. The prefix (system message and
// demos) is the same for all examples of a candidate's step, so it is rendered,
// hashed and stored once. Ollama and OpenAI-compatible servers accept this
// array as it is. A text to embed travels in the same way, as an array of one
// text, `[` + `"text"]`; its answer is a vector (vector.h).

#ifndef COMMON_CALL_H
#define COMMON_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Values are stored and sent: add new ones at the end, never renumber.
enum call_outcome {
    CALL_TEXT = 0,     // a complete reply
    CALL_CUT = 1,      // stopped at num_predict; text holds the part received
    CALL_EMPTY = 2,    // no text (thinking may have used all of num_predict); a
                       // refusal's words are kept
    CALL_LOOP = 3,     // one piece, or white space, repeated without end
    CALL_TOO_LONG = 4, // the prompt does not fit num_ctx
};
enum { CALL_OUTCOME_COUNT = 5 };

// To add a fault, write its line in faults.def.
enum call_fault {
#define FAULT(value, number, ...) value = number,
#include "common/faults.def"
#undef FAULT
};
enum {
    CALL_FAULT_COUNT = 0
#define FAULT(value, number, ...) +1
#include "common/faults.def"
#undef FAULT
};

// What a fault tells us, and about whom.
struct call_fault_kind {
    const char *name; // "refused", "timeout", ...
    int strikes;      // weight against the call; 0: says nothing about it
    bool worker;      // counts against the worker
    bool busy;        // server is down or full: wait, blame nobody
    bool model;       // the worker no longer serves the model
    bool answered;    // the server replied; the fault carries its words
};
enum { CALL_STRIKES = 9 }; // total weight at which a call is given up

const struct call_fault_kind *call_fault_kind(enum call_fault fault);

enum call_think { THINK_UNSET = 0, THINK_OFF = 1, THINK_ON = 2 };

// What the model should do. Values are sent: add new ones at the end.
enum call_kind { CALL_CHAT = 0, CALL_EMBED = 1 };

// An embedding uses only num_ctx.
struct call_options {
    int32_t num_ctx;     // context size in tokens, prompt plus reply
    int32_t num_predict; // maximum tokens of a reply, at least 1
    double temperature;
    int64_t seed;
    enum call_think think;
    int32_t top_logprobs; // alternatives per token (logprobs.h); 0: none
};

struct call_request {
    enum call_kind kind;
    const char *model;  // borrowed, like all texts here
    const char *prefix; // JSON text: "[{...},{...}", or "["
    size_t prefix_len;
    const char *tail; // JSON text: ",{...}]", or "\"text\"]"
    size_t tail_len;
    const char *format; // JSON schema, "\"json\"", or NULL for free text
    struct call_options options;
};

struct call_answer {
    enum call_outcome outcome;
    char *text; // owned, NUL-terminated UTF-8; "" rather than NULL
    size_t text_len;
    int32_t prompt_tokens;    // including cached ones; 0 if unknown
    int32_t cached_tokens;    // -1 if the server does not report it
    int32_t generated_tokens; // including thinking
    int64_t prompt_us;        // time to read the prompt; 0 if unknown
    int64_t generate_us;      // time to write the reply; 0 if unknown
    int64_t load_us;          // time to load the model; 0 if unknown
    int64_t total_us;         // as measured by the worker
    char *logprobs; // owned, in the form of logprobs.h; NULL if not requested
                    // or not given
};

void call_answer_release(struct call_answer *answer);

// Return names: "text", "cut", "empty", "loop", "too_long"; "refused",
// "timeout", ...
const char *call_outcome_name(enum call_outcome outcome);
const char *call_fault_name(enum call_fault fault);

#endif
