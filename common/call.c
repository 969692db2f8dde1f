#include "common/call.h"

#include <stdlib.h>

void call_answer_release(struct call_answer *answer)
{
    free(answer->text);
    answer->text = NULL;
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

const char *call_fault_name(enum call_fault fault)
{
    static const char *const names[CALL_FAULT_COUNT] = {
        [FAULT_NONE] = "none",       [FAULT_REFUSED] = "refused",
        [FAULT_TIMEOUT] = "timeout", [FAULT_BUSY] = "busy",
        [FAULT_SERVER] = "server",   [FAULT_BROKEN] = "broken",
        [FAULT_GARBAGE] = "garbage", [FAULT_MODEL] = "model",
        [FAULT_REQUEST] = "request", [FAULT_LOST] = "lost",
    };
    return (unsigned)fault < CALL_FAULT_COUNT ? names[fault] : "unknown";
}
