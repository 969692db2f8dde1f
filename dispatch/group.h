// group: the calls with one prompt prefix, reference counted.
//
// Calls and slots keep their group alive: whoever takes a group gives it back.

#ifndef DISPATCH_GROUP_H
#define DISPATCH_GROUP_H

#include "dispatch/dispatch_state.h"

// Finds or creates the group of a call. Returns NULL when out of memory.
struct group *group_take(struct dispatch *dispatch,
                         const struct dispatch_call *call);
void group_drop(struct dispatch *dispatch, struct group *group); // accepts NULL

// The slot no longer refers to its group, if it had one.
void group_leave(struct dispatch *dispatch, struct slot *slot);

#endif
