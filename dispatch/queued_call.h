// queued_call: the life of a call, from state to state (dispatch.h draws them).
//
// What lists a call in its state is changed here alone. From one state it goes
// to the next by queued_call_leave and one of the others.

#ifndef DISPATCH_QUEUED_CALL_H
#define DISPATCH_QUEUED_CALL_H

#include "dispatch/dispatch_state.h"

struct queued_call *queued_call_find(const struct dispatch *dispatch,
                                     int64_t call); // NULL: unknown

// A call in no state yet and not in the table, with room there. NULL without
// memory.
struct queued_call *queued_call_make(struct dispatch *dispatch,
                                     const struct dispatch_call *call);
// Frees one that is listed nowhere. NULL is fine.
void queued_call_free(struct dispatch *dispatch, struct queued_call *queued);

// Counts it in a state, whose list it is in already.
void queued_call_enter(struct dispatch *dispatch, struct queued_call *queued,
                       enum queued_state state);
// Takes it out of what its state lists it in.
void queued_call_leave(struct dispatch *dispatch, struct queued_call *queued);

// WAITING until then.
void queued_call_wait(struct dispatch *dispatch, struct queued_call *queued,
                      int64_t ready);
// QUEUED; without memory it waits and tries again.
void queued_call_requeue(struct dispatch *dispatch, struct queued_call *queued,
                         int64_t now);
// PARKED: the caller is told (ACTION_PARK).
void queued_call_park(struct dispatch *dispatch, struct queued_call *queued);

// The call is over: the workers that hold it are told, and it is freed.
void queued_call_forget(struct dispatch *dispatch, struct queued_call *queued,
                        int64_t now);

#endif
