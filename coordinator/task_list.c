#include "coordinator/task_list.h"

void task_list_init(struct task_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void task_list_append(struct task_list *list, struct task *task)
{
    task->run.next = NULL;
    *list->last = task;
    list->last = &task->run.next;
}

struct task *task_list_take_at(struct task_list *list, struct task **at)
{
    struct task *task = *at;

    *at = task->run.next;
    if (list->last == &task->run.next)
        list->last = at;
    task->run.next = NULL;
    return task;
}

struct task *task_list_take(struct task_list *list)
{
    return list->first == NULL ? NULL : task_list_take_at(list, &list->first);
}
