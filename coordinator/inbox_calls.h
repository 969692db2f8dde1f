// inbox_calls: what workers say of their calls: which they hold and lack, and
// how they ended.
//
// Only for inbox.c. Any of these may end the peer that sent the message.

#ifndef COORDINATOR_INBOX_CALLS_H
#define COORDINATOR_INBOX_CALLS_H

#include "coordinator/inbox_state.h"

// Takes an ANSWER or a FAULT: of a call, of a side call, or of a proof. One
// that is under no lease of the worker is ignored.
void inbox_take_answer(struct arrival *arrival);
void inbox_take_fault(struct arrival *arrival);

// Compares the calls that a worker's heartbeat names with what dispatch knows.
// Calls that were lost on the way are sent again, and those that nobody waits
// for are cancelled.
void inbox_compare_calls(struct arrival *arrival, const struct heartbeat *beat);

#endif
