// task_list: tasks of a running job in order of arrival.
//
// A list does not own its tasks: a task belongs to whoever holds its note
// (search/session/note.h). Call only from the loop's thread.

#ifndef COORDINATOR_TASK_LIST_H
#define COORDINATOR_TASK_LIST_H

#include "search/session/task.h"

struct task_list {
    struct task *first;
    struct task **last; // where the next one is linked; &first if empty
};

// Makes the list empty. It must not move afterwards.
void task_list_init(struct task_list *list);

void task_list_append(struct task_list *list, struct task *task);

// Takes the first task off; NULL if there is none.
struct task *task_list_take(struct task_list *list);

// Takes off the task at *at, a link of the list, and returns it. *at is then
// the one after it.
struct task *task_list_take_at(struct task_list *list, struct task **at);

#endif
