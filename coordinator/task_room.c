#include "coordinator/task_room.h"

void task_room_end(struct task *task)
{
    for (; task->run.cursor < task->n_items; task->run.cursor++) {
        struct task_item none = TASK_ITEM_INIT(task->rows[task->run.cursor]);

        none.state = ITEM_UNPAID;
        if (task->marks[task->run.cursor].state != ITEM_OPEN)
            continue;
        if (task->items != NULL)
            task->items[task->run.cursor].state = ITEM_UNPAID;
        task_settle(task, task->run.cursor, &none, NULL, 0);
    }
}

// Returns what an item takes of its task's limit: while it is open, the most
// that it may come to.
static struct use use_of(const struct task *task, size_t i)
{
    const struct task_mark *mark = &task->marks[i];

    if (mark->paid)
        return (struct use){0};
    if (mark->state == ITEM_OPEN)
        return task->limit.of_item;
    return (struct use){.calls = mark->n_calls, .tokens = mark->tokens};
}

static bool is_under_way(const struct task *task, size_t i)
{
    return !task->marks[i].paid && task->marks[i].state == ITEM_OPEN;
}

// The items before the first open one are added up only once, so that a task of
// n items does not take n * n steps.
bool task_room_has(struct task *task, bool *for_good)
{
    struct use sum = use_of(task, task->run.cursor);

    while (task->run.closed < task->run.cursor &&
           !is_under_way(task, task->run.closed)) {
        struct use one = use_of(task, task->run.closed++);

        task->run.used.calls += one.calls;
        task->run.used.tokens += one.tokens;
    }
    sum.calls += task->run.used.calls;
    sum.tokens += task->run.used.tokens;
    *for_good = true;
    for (size_t i = task->run.closed; i < task->run.cursor; i++) {
        struct use one = use_of(task, i);

        sum.calls += one.calls;
        sum.tokens += one.tokens;
        *for_good = *for_good && !is_under_way(task, i);
    }
    task->run.out_of_tokens = sum.calls <= task->limit.in_all.calls;
    return sum.calls <= task->limit.in_all.calls &&
           sum.tokens <= task->limit.in_all.tokens;
}

bool task_room_is_awaited(const struct task *task, size_t at)
{
    return task->limit.set && !task->marks[at].paid;
}
