#include "store/costs.h"

#include <stdlib.h>
#include <string.h>

#include "store/record.h"

void costs_release(struct costs *costs)
{
    free(costs->items);
    slots_release(&costs->slots);
    buf_release(&costs->names);
    *costs = COSTS_INIT;
}

static uint64_t hash_cost(const struct cost_of *of)
{
    uint64_t hash = slots_hash((uint64_t)of->job_no, (uint64_t)of->kind_id);

    for (const char *at = of->worker; *at != '\0'; at++)
        hash = hash * 31 + (unsigned char)*at;
    return slots_hash(hash, 0);
}

static struct cost_of cost_of_item(const struct costs *costs, size_t position)
{
    const struct cost *cost = &costs->items[position];

    return (struct cost_of){.job_no = cost->job_no,
                            .kind_id = cost->kind_id,
                            .worker = costs->names.data + cost->worker};
}

static uint64_t hash_at(const void *user, size_t position)
{
    struct cost_of of = cost_of_item(user, position);

    return hash_cost(&of);
}

static bool is_at(const void *user, size_t position, const void *sought)
{
    struct cost_of of = cost_of_item(user, position);
    const struct cost_of *other = sought;

    return of.job_no == other->job_no && of.kind_id == other->kind_id &&
           strcmp(of.worker, other->worker) == 0;
}

static struct slots_owner owner_of(const struct costs *costs)
{
    return (struct slots_owner){.user = costs, .hash = hash_at, .is = is_at};
}

bool costs_reserve(struct costs *costs, const char *worker, struct err *err)
{
    struct slots_owner owner = owner_of(costs);
    void *items = costs->items;

    if (!slots_reserve(&costs->slots, &owner, err) ||
        !slots_array_reserve(&items, &costs->cap, costs->n,
                             sizeof *costs->items, err))
        return false;
    costs->items = items;
    buf_expect(&costs->names, strlen(worker) + 1);
    if (costs->names.cap - costs->names.len > strlen(worker) + 1)
        return true;
    err_nomem(err, "the name of a worker");
    return false;
}

static struct cost *find_cost(struct costs *costs, const struct cost_of *of)
{
    struct slots_owner owner = owner_of(costs);
    uint64_t hash = hash_cost(of);
    size_t at = 0;

    if (slots_find(&costs->slots, &owner, hash, of, &at))
        return &costs->items[at];
    costs->items[costs->n] = (struct cost){.job_no = of->job_no,
                                           .kind_id = of->kind_id,
                                           .worker = costs->names.len};
    buf_append(&costs->names, of->worker, strlen(of->worker) + 1);
    (void)slots_add(&costs->slots, hash);
    return &costs->items[costs->n++];
}

void costs_add(struct costs *costs, const struct cost_call *call)
{
    const struct call_answer *answer = call->answer;
    struct cost *cost = find_cost(costs, &call->of);

    cost->calls++;
    cost->prompt_tokens += answer->prompt_tokens;
    cost->cached_calls += answer->cached_tokens >= 0;
    cost->cached_tokens +=
        answer->cached_tokens > 0 ? answer->cached_tokens : 0;
    cost->generated_tokens += answer->generated_tokens;
    cost->hedged += call->hedged;
    cost->total_us += answer->total_us;
    costs->calls++;
}

bool costs_due(const struct costs *costs)
{
    return costs->calls >= COSTS_CALLS &&
           (costs->calls >= COSTS_CALLS_A_SUM * costs->n ||
            costs->names.len >= COSTS_NAMES_BYTES);
}

static void put_cost(const struct costs *costs, const struct cost *cost,
                     int64_t last_call, struct buf *record)
{
    const char *worker = costs->names.data + cost->worker;

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
    record_text(record, worker);
    record_end(record);
}

void costs_put(const struct costs *costs, int64_t last_call, struct buf *record)
{
    for (size_t i = 0; i < costs->n; i++)
        put_cost(costs, &costs->items[i], last_call, record);
}

void costs_clear(struct costs *costs)
{
    costs->n = costs->calls = 0;
    slots_clear(&costs->slots);
    buf_clear(&costs->names);
}
