// call: what is asked of a model, and what came of it.
//
// The unit of work. A call is one request to a named model: a chat, with
// messages, options and an output format, or a text to be embedded. Three
// things can come of it, and they never mix:
//
//   an answer  a fact about the request that holds on every machine: a text,
//              a text cut at num_predict, nothing, one piece repeated without
//              end, or "the prompt does not fit". Stored for ever, paid once.
//   a fault    says something of a machine or a network, nothing of the
//              prompt. Never stored as an answer, never a score; the call is
//              asked again, elsewhere.
//   nothing    the call was cancelled.
//
// Messages travel as JSON text in two parts, `prefix` + `tail`, which together
// are one JSON array of {"role", "content"} objects. The prefix (system
// message and demos) is the same for all examples of a candidate's step, so it
// is rendered, hashed and stored once. Ollama and OpenAI-compatible servers
// take this array as it is. A text to be embedded travels in the same way, as
// an array of one text, `[` + `"text"]`; its answer is a vector (vector.h).

#ifndef COMMON_CALL_H
#define COMMON_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Values are stored and sent: add at the end, never renumber.
enum call_outcome {
    CALL_TEXT = 0,     // a complete reply
    CALL_CUT = 1,      // stopped at num_predict; text holds what came
    CALL_EMPTY = 2,    // no text (thinking may have used all of num_predict);
                       // what is kept are words with which it was refused
    CALL_LOOP = 3,     // one piece, or white space, without end
    CALL_TOO_LONG = 4, // the prompt does not fit num_ctx
};
enum { CALL_OUTCOME_COUNT = 5 };

// To add a fault is to write its line in faults.def.
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

// What a fault says, and of whom.
struct call_fault_kind {
    const char *name; // "refused", "timeout", ...
    int strikes;      // weight against the call; 0: says nothing of it
    bool worker;      // speaks against the worker
    bool busy;        // asks for patience with both
    bool model;       // the worker does not serve the model any more
    bool answered;    // the server was there, and its words are in the fault
};
enum { CALL_STRIKES = 9 }; // weight of faults until a call is given up

const struct call_fault_kind *call_fault_kind(enum call_fault fault);

enum call_think { THINK_UNSET = 0, THINK_OFF = 1, THINK_ON = 2 };

// What is asked of the model. Values are sent: add at the end.
enum call_kind { CALL_CHAT = 0, CALL_EMBED = 1 };

// An embedding heeds num_ctx alone.
struct call_options {
    int32_t num_ctx;     // tokens of context, prompt and reply together
    int32_t num_predict; // most tokens of a reply, 1 or more
    double temperature;
    int64_t seed;
    enum call_think think;
    int32_t top_logprobs; // alternatives to each token (logprobs.h); 0: none
};

struct call_request {
    enum call_kind kind;
    const char *model;  // borrowed, as all texts here
    const char *prefix; // JSON text: "[{...},{...}", or "["
    size_t prefix_len;
    const char *tail; // JSON text: ",{...}]", or "\"text\"]"
    size_t tail_len;
    const char *format; // JSON schema, "\"json\"", or NULL for free text
    struct call_options options;
};

struct call_answer {
    enum call_outcome outcome;
    char *text; // owned, NUL-terminated UTF-8, "" rather than NULL
    size_t text_len;
    int32_t prompt_tokens;    // cached ones included; 0 where unknown
    int32_t cached_tokens;    // -1 where the server does not say
    int32_t generated_tokens; // thinking included
    int64_t prompt_us;        // reading the prompt; 0 where unknown
    int64_t generate_us;      // writing the reply; 0 where unknown
    int64_t load_us;          // loading the model; 0 where unknown
    int64_t total_us;         // as the worker saw it
    char *logprobs; // owned, as logprobs.h writes them; NULL where not asked
                    // for or not given
};

void call_answer_release(struct call_answer *answer);

// "text", "cut", "empty", "loop", "too_long"; "refused", "timeout", ...
const char *call_outcome_name(enum call_outcome outcome);
const char *call_fault_name(enum call_fault fault);

#endif
