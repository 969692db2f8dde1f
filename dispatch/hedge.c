#include "dispatch/hedge.h"

#include "dispatch/dispatch_worker.h"
#include "dispatch/seat.h"

// That is left free, too: it has nothing better to do.
static bool is_idle(const struct dispatch_worker *worker,
                    const struct model *model)
{
    const struct served_model *served = dispatch_worker_served(worker, model);

    if (served == NULL)
        return false;
    return served->place <= PLACE_IDLE_FRESH ||
           (served->place == PLACE_HELD && worker->loaded == model);
}

static bool may_hedge(const struct dispatch_worker *worker,
                      const struct lease *lease)
{
    const struct queued_call *queued = lease->queued;

    for (int i = 0; i < queued->n_failed; i++)
        if (queued->failed[i] == worker->node.key)
            return false;
    for (const struct lease *at = queued->leases; at != NULL; at = at->sibling)
        if (at->state == LEASE_HELD && at->worker == worker)
            return false;
    return true;
}

// Whether none of those who hold the call has answered anything since.
static bool is_in_vain(const struct lease *lease)
{
    for (const struct lease *at = lease->queued->leases; at != NULL;
         at = at->sibling)
        if (at->state == LEASE_HELD && at->worker->answered_ms >= at->sent_ms)
            return false;
    return true;
}

// The same where all seats of the job are taken: one of those who sit.
static struct dispatch_worker *second_seated(const struct model *model,
                                             const struct lease *lease)
{
    const struct ring *head = &lease->queued->share->ready;

    for (struct ring *at = head->next; at != head; at = at->next) {
        struct dispatch_worker *worker =
            RING_OWNER(at, struct seat, of_share)->worker;
        if (is_idle(worker, model) && may_hedge(worker, lease))
            return worker;
    }
    return NULL;
}

// One that has the prompt of the call.
static struct dispatch_worker *second_reader(const struct model *model,
                                             const struct lease *lease)
{
    const struct ring *homes = &lease->queued->group->homes;
    int looked = 0;

    for (struct ring *at = homes->next; at != homes && looked < DISPATCH_LOOK;
         at = at->next, looked++) {
        struct dispatch_worker *worker =
            RING_OWNER(at, struct slot, home)->worker;
        if (is_idle(worker, model) && may_hedge(worker, lease))
            return worker;
    }
    return NULL;
}

// An idle worker that may get another copy. It holds neither this call nor
// a failure of it, which rules out five workers at most, and those that are
// left free with another model loaded.
static struct dispatch_worker *second_worker(const struct model *model,
                                             const struct lease *lease)
{
    static const enum place places[] = {PLACE_IDLE_LOADED, PLACE_IDLE_FRESH,
                                        PLACE_HELD};
    struct dispatch_worker *reader = NULL;

    if (seats_are_full(lease->queued->share))
        return second_seated(model, lease);
    reader = second_reader(model, lease);
    if (reader != NULL)
        return reader;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct ring *head = &model->free[places[i]];
        int looked = 0;
        for (struct ring *at = head->next; at != head && looked < DISPATCH_LOOK;
             at = at->next, looked++) {
            struct dispatch_worker *worker =
                RING_OWNER(at, struct served_model, link)->worker;
            if (is_idle(worker, model) && may_hedge(worker, lease))
                return worker;
        }
    }
    return NULL;
}

static struct hedge earlier(struct hedge a, struct hedge b)
{
    return a.at < 0 || (b.at >= 0 && b.at < a.at) ? b : a;
}

// Whoever has to read the prompt first would be done later by that, so it is
// given the copy later.
static int64_t reading_ms(const struct dispatch_worker *worker,
                          const struct lease *lease)
{
    const struct queued_call *queued = lease->queued;

    return dispatch_worker_has_to_read(worker, queued->group)
               ? dispatch_worker_read_ms(worker, queued->model, queued->group)
               : 0;
}

// From when a call is late, counted from its sending: after twice the usual
// time of its kind, and as long as its slot had to read.
static int64_t late_ms(const struct model *model, const struct lease *lease)
{
    const struct group *group = lease->queued->group;
    int64_t usual = pace_usual_ms(&model->usual, group->kind);
    int64_t wait = usual < 0 ? DISPATCH_HEDGE_BLIND_MS : 2 * usual;
    int64_t read =
        lease->fresh ? dispatch_worker_read_ms(lease->worker, model, group) : 0;

    return (wait < DISPATCH_HEDGE_MIN_MS ? DISPATCH_HEDGE_MIN_MS : wait) + read;
}

// No call is late before, whatever its kind.
static int64_t soonest_ms(const struct model *model)
{
    int64_t usual = pace_usual_shortest_ms(&model->usual);

    return 2 * usual > DISPATCH_HEDGE_MIN_MS ? 2 * usual
                                             : DISPATCH_HEDGE_MIN_MS;
}

// The first copy that is due of a list's calls, which are in the order of their
// sending.
static struct hedge list_hedge(const struct model *model,
                               const struct ring *list)
{
    int64_t soonest = soonest_ms(model);
    struct hedge best = {.at = -1};
    int looked = 0;

    for (struct ring *at = list->next; at != list && looked < DISPATCH_LOOK;
         at = at->next, looked++) {
        struct lease *lease = RING_OWNER(at, struct lease, link);
        struct dispatch_worker *worker = NULL;

        if (best.at >= 0 && lease->sent_ms + soonest >= best.at)
            break;
        if (list == &model->doubled && !is_in_vain(lease))
            continue;
        worker = second_worker(model, lease);
        if (worker == NULL)
            continue;
        best = earlier(best, (struct hedge){.at = lease->sent_ms +
                                                  late_ms(model, lease) +
                                                  reading_ms(worker, lease),
                                            .lease = lease,
                                            .worker = worker});
    }
    return best;
}

// Of those with two copies, the last is as old.
static struct hedge model_hedge(const struct model *model)
{
    struct hedge none = {.at = -1};

    if (ring_empty(&model->free[PLACE_IDLE_LOADED]) &&
        ring_empty(&model->free[PLACE_IDLE_FRESH]) &&
        ring_empty(&model->free[PLACE_HELD]))
        return none;
    return earlier(list_hedge(model, &model->out),
                   list_hedge(model, &model->doubled));
}

struct hedge hedge_next(const struct dispatch *dispatch)
{
    struct hedge best = {.at = -1};
    const struct ring *models = &dispatch->all_models;

    if (!dispatch->config.hedge || dispatch->workers.count < 2)
        return best;
    for (struct ring *at = models->next; at != models; at = at->next) {
        best = earlier(best, model_hedge(RING_OWNER(at, struct model, all)));
    }
    return best;
}
