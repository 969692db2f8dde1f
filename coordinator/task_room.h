// task_room: which items of a task with a limit may begin (budget.h).
//
// A limit is for all items of a task together. Items take room in their order:
// whether an item may begin depends on what the items before it used, never on
// which of them was faster. So a run ends at the same item on one machine and
// on a hundred.

#ifndef COORDINATOR_TASK_ROOM_H
#define COORDINATOR_TASK_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "search/session/task.h"

// Returns true if a task with a limit may begin its next item. Items before it
// count with what they used, or while they are in progress, with the most that
// they can use. So the first item that has no room is the same however fast the
// others were: once nothing is in progress, all items before it count exactly.
// *for_good is set if waiting will not make room.
bool task_room_has(struct task *task, bool *for_good);

// Returns true if the item may use its stored evaluation only once the limit of
// its task lets the item begin. Another trial of the same candidate may since
// have scored a row that had no room. Without this check, a replay would find
// that score and do better than the run did.
bool task_room_is_awaited(const struct task *task, size_t at);

// Ends all items that have not begun, without an answer: the budget is used up.
void task_room_end(struct task *task);

#endif
