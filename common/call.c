#include "common/call.h"

#include <stdlib.h>

void call_answer_release(struct call_answer *answer)
{
    free(answer->text);
    free(answer->logprobs);
    answer->text = NULL;
    answer->logprobs = NULL;
    answer->text_len = 0;
}

const char *call_outcome_name(enum call_outcome outcome)
{
    static const char *const names[CALL_OUTCOME_COUNT] = {
        [CALL_TEXT] = "text",         [CALL_CUT] = "cut",
        [CALL_EMPTY] = "empty",       [CALL_LOOP] = "loop",
        [CALL_TOO_LONG] = "too_long",
    };
    return (unsigned)outcome < CALL_OUTCOME_COUNT ? names[outcome] : "unknown";
}

// Faults by chance are no rarity: where a fifth of all requests fail, three in
// a row meet one call in 125. So most weigh little, and it takes nine of them
// (docs/decisions/0004 has the reasons).
static const struct call_fault_kind fault_kinds[CALL_FAULT_COUNT] = {
    [FAULT_NONE] = {.name = "none", .strikes = 1},
    [FAULT_REFUSED] = {.name = "refused", .busy = true},
    [FAULT_TIMEOUT] = {.name = "timeout", .strikes = 2, .worker = true},
    [FAULT_BUSY] = {.name = "busy", .busy = true, .answered = true},
    [FAULT_SERVER] = {.name = "server",
                      .strikes = 1,
                      .worker = true,
                      .answered = true},
    [FAULT_BROKEN] = {.name = "broken", .strikes = 1, .worker = true},
    [FAULT_GARBAGE] = {.name = "garbage",
                       .strikes = 1,
                       .worker = true,
                       .answered = true},
    [FAULT_MODEL] = {.name = "model",
                     .strikes = CALL_STRIKES,
                     .model = true,
                     .answered = true},
    [FAULT_REQUEST] = {.name = "request",
                       .strikes = 3,
                       .worker = true,
                       .answered = true},
    // Nothing against the call. A worker that says so and stays is of no use.
    [FAULT_LOST] = {.name = "lost", .worker = true},
};

const struct call_fault_kind *call_fault_kind(enum call_fault fault)
{
    static const struct call_fault_kind unknown = {.name = "unknown"};

    return (unsigned)fault < CALL_FAULT_COUNT ? &fault_kinds[fault] : &unknown;
}

const char *call_fault_name(enum call_fault fault)
{
    return call_fault_kind(fault)->name;
}
