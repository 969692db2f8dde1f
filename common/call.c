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

static const struct call_fault_kind fault_kinds[CALL_FAULT_COUNT] = {
#define FAULT(value, number, ...) [value] = {__VA_ARGS__},
#include "common/faults.def"
#undef FAULT
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
