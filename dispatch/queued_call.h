// queued_call: a call's life, from state to state (dispatch.h has a diagram).
//
// Only this file changes the lists that a call is in because of its state. To
// change the state, use queued_call_leave and then one of the other functions.

#ifndef DISPATCH_QUEUED_CALL_H
#define DISPATCH_QUEUED_CALL_H

#include "dispatch/dispatch_state.h"

struct queued_call *queued_call_find(const struct dispatch *dispatch,
                                     int64_t call); // NULL: unknown

// Creates a call that is in no state yet and not in the table, but reserves
// room for it there. Returns NULL when out of memory.
struct queued_call *queued_call_make(struct dispatch *dispatch,
                                     const struct dispatch_call *call);
// Frees a call that is in no list. Accepts NULL.
void queued_call_free(struct dispatch *dispatch, struct queued_call *queued);

// Sets the call's state and counts it. The call must already be in the list of
// that state.
void queued_call_enter(struct dispatch *dispatch, struct queued_call *queued,
                       enum queued_state state);
// Takes the call out of the list of its state.
void queued_call_leave(struct dispatch *dispatch, struct queued_call *queued);

// Makes it WAITING until `ready`.
void queued_call_wait(struct dispatch *dispatch, struct queued_call *queued,
                      int64_t ready);
// Makes it QUEUED. When out of memory, it becomes WAITING and tries again.
void queued_call_requeue(struct dispatch *dispatch, struct queued_call *queued,
                         int64_t now);
// Makes it PARKED, which the caller learns from ACTION_PARK.
void queued_call_park(struct dispatch *dispatch, struct queued_call *queued);

// Ends the call: the workers that hold it are told, and it is freed.
void queued_call_forget(struct dispatch *dispatch, struct queued_call *queued,
                        int64_t now);

#endif
