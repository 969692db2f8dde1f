#include "store/costs.h"

#include <assert.h>
#include <stdlib.h>

#include "store/record.h"
#include "store/slots.h"

void costs_release(struct costs *costs)
{
    free(costs->items);
    *costs = COSTS_INIT;
}

bool costs_reserve(struct costs *costs, struct err *err)
{
    void *items = costs->items;

    if (!slots_array_reserve(&items, &costs->cap, costs->n,
                             sizeof *costs->items, err))
        return false;
    costs->items = items;
    return true;
}

static bool is_of(const struct cost *cost, int64_t job_no, int64_t kind_id)
{
    return cost->job_no == job_no && cost->kind_id == kind_id;
}

// Nearly always the one of the call before.
static struct cost *cost_of(struct costs *costs, int64_t job_no,
                            int64_t kind_id)
{
    size_t at = costs->last;

    if (at >= costs->n || !is_of(&costs->items[at], job_no, kind_id))
        for (at = 0; at < costs->n; at++)
            if (is_of(&costs->items[at], job_no, kind_id))
                break;
    if (at == costs->n) {
        assert(costs->n < costs->cap);
        costs->items[costs->n++] =
            (struct cost){.job_no = job_no, .kind_id = kind_id};
    }
    costs->last = at;
    return &costs->items[at];
}

// cached_tokens is -1 where a server does not say.
void costs_add(struct costs *costs, int64_t job_no, int64_t kind_id,
               const struct call_answer *answer, bool hedged)
{
    struct cost *cost = cost_of(costs, job_no, kind_id);

    cost->calls++;
    cost->prompt_tokens += answer->prompt_tokens;
    cost->cached_calls += answer->cached_tokens >= 0;
    cost->cached_tokens +=
        answer->cached_tokens > 0 ? answer->cached_tokens : 0;
    cost->generated_tokens += answer->generated_tokens;
    cost->hedged += hedged;
    cost->total_us += answer->total_us;
    costs->calls++;
}

bool costs_due(const struct costs *costs)
{
    return costs->calls >= COSTS_CALLS;
}

static void put_cost(const struct cost *cost, int64_t last_call,
                     struct buf *record)
{
    record_begin(record, RECORD_COST);
    record_int(record, cost->job_no);
    record_int(record, cost->kind_id);
    record_int(record, last_call);
    record_int(record, cost->calls);
    record_int(record, cost->prompt_tokens);
    record_int(record, cost->cached_calls);
    record_int(record, cost->cached_tokens);
    record_int(record, cost->generated_tokens);
    record_int(record, cost->hedged);
    record_int(record, cost->total_us);
    record_end(record);
}

void costs_put(const struct costs *costs, int64_t last_call, struct buf *record)
{
    for (size_t i = 0; i < costs->n; i++)
        put_cost(&costs->items[i], last_call, record);
}

void costs_clear(struct costs *costs)
{
    costs->n = costs->calls = 0;
}
