// group: the calls of one prompt prefix, counted by who names them.
//
// A call and a slot keep their group alive: whoever takes it gives it back.

#ifndef DISPATCH_GROUP_H
#define DISPATCH_GROUP_H

#include "dispatch/dispatch_state.h"

// That of a call: finds or makes it. NULL without memory.
struct group *group_take(struct dispatch *dispatch,
                         const struct dispatch_call *call);
void group_drop(struct dispatch *dispatch, struct group *group); // NULL is fine

// A slot names its group no more; it may have had none.
void group_leave(struct dispatch *dispatch, struct slot *slot);

#endif
