#include "dispatch/hedge.h"

#include "dispatch/dispatch_worker.h"
#include "dispatch/seat.h"

// Counts a held worker as idle, since it has nothing better to do.
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

// Returns true if none of the workers that hold the call has answered anything
// since they got it.
static bool is_in_vain(const struct lease *lease)
{
    for (const struct lease *at = lease->queued->leases; at != NULL;
         at = at->sibling)
        if (at->state == LEASE_HELD && at->worker->answered_ms >= at->sent_ms)
            return false;
    return true;
}

// Like second_worker, for when all seats of the job are taken: returns an idle
// worker with a seat.
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

// Returns an idle worker that has the prompt of the call.
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

// Returns an idle worker that may get another copy: one that neither holds the
// call nor has failed it. That rules out five workers at most, and the held
// ones that have another model loaded.
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

// A worker that has to read the prompt first would finish that much later, so
// it gets the copy that much later.
static int64_t reading_ms(const struct dispatch_worker *worker,
                          const struct lease *lease)
{
    const struct queued_call *queued = lease->queued;

    return dispatch_worker_has_to_read(worker, queued->group)
               ? dispatch_worker_read_ms(worker, queued->model, queued->group)
               : 0;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Returns how long after it was sent a call counts as late: twice the usual
// time of its kind, or of its worker if that is slower, plus the time that its
// slot needed to read the prompt.
static int64_t late_ms(const struct model *model, const struct lease *lease)
{
    const struct group *group = lease->queued->group;
    struct speed speed =
        dispatch_worker_speed(lease->worker, model, group->kind);
    int64_t usual = pace_usual_ms(&model->usual, group->kind);
    int64_t wait = usual < 0 ? DISPATCH_HEDGE_BLIND_MS
                             : 2 * longer(usual, speed.us / 1000);
    int64_t read =
        lease->fresh ? dispatch_worker_read_ms(lease->worker, model, group) : 0;

    return longer(wait, DISPATCH_HEDGE_MIN_MS) + read;
}

// No call is late before this, whatever its kind.
static int64_t soonest_ms(const struct model *model)
{
    int64_t usual = pace_usual_shortest_ms(&model->usual);

    return 2 * usual > DISPATCH_HEDGE_MIN_MS ? 2 * usual
                                             : DISPATCH_HEDGE_MIN_MS;
}

// Returns the copy that is due first among a list's calls, which are in the
// order in which they were sent.
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

static bool has_idle(const struct model *model)
{
    return !ring_empty(&model->free[PLACE_IDLE_LOADED]) ||
           !ring_empty(&model->free[PLACE_IDLE_FRESH]) ||
           !ring_empty(&model->free[PLACE_HELD]);
}

// The list of calls with two copies is ordered by the later one, which is the
// one that must be late.
static struct hedge model_hedge(const struct model *model)
{
    struct hedge none = {.at = -1};

    if (!has_idle(model))
        return none;
    return earlier(list_hedge(model, &model->out),
                   list_hedge(model, &model->doubled));
}

static bool may_copy(const struct dispatch *dispatch)
{
    return dispatch->config.hedge && dispatch->workers.count >= 2;
}

struct hedge hedge_next(const struct dispatch *dispatch)
{
    struct hedge best = {.at = -1};
    const struct ring *models = &dispatch->all_models;

    if (!may_copy(dispatch))
        return best;
    for (struct ring *at = models->next; at != models; at = at->next) {
        best = earlier(best, model_hedge(RING_OWNER(at, struct model, all)));
    }
    return best;
}

// --- calls that are not late ---

// Returns how long until the call should be answered; 0 if unknown.
static int64_t left_ms(const struct lease *lease, int64_t now)
{
    const struct queued_call *queued = lease->queued;
    struct speed speed = dispatch_worker_speed(lease->worker, queued->model,
                                               queued->group->kind);
    int64_t read = lease->fresh ? speed_read_ms(&speed, queued->group) : 0;

    if (lease->slot == NULL || speed.us == 0)
        return 0;
    return lease->began_ms + read + speed.us / 1000 - now;
}

// Returns true if the worker, which has the prompt, would finish in two thirds
// of the time that is left. Comparing with all of the time sends more calls
// twice and gains nothing.
static bool is_sooner(const struct dispatch_worker *worker,
                      const struct lease *lease, int64_t now)
{
    const struct queued_call *queued = lease->queued;
    struct speed speed =
        dispatch_worker_speed(worker, queued->model, queued->group->kind);
    int64_t left = left_ms(lease, now);

    return speed.us > 0 && left >= DISPATCH_HEDGE_MIN_MS &&
           3 * speed.us / 1000 < 2 * left &&
           !dispatch_worker_has_to_read(worker, queued->group);
}

// Returns an idle worker that has the call's prompt and would answer it sooner.
static struct dispatch_worker *
sooner_reader(const struct model *model, const struct lease *lease, int64_t now)
{
    const struct ring *homes = &lease->queued->group->homes;
    int looked = 0;

    if (seats_are_full(lease->queued->share))
        return NULL;
    for (struct ring *at = homes->next; at != homes && looked < DISPATCH_LOOK;
         at = at->next, looked++) {
        struct dispatch_worker *worker =
            RING_OWNER(at, struct slot, home)->worker;
        if (is_idle(worker, model) && may_hedge(worker, lease) &&
            is_sooner(worker, lease, now))
            return worker;
    }
    return NULL;
}

static struct hedge model_sooner(const struct model *model, int64_t now)
{
    const struct ring *out = &model->out;
    struct hedge none = {.at = -1};
    int looked = 0;

    if (!has_idle(model))
        return none;
    for (struct ring *at = out->next; at != out && looked < DISPATCH_LOOK;
         at = at->next, looked++) {
        struct lease *lease = RING_OWNER(at, struct lease, link);
        struct dispatch_worker *worker = sooner_reader(model, lease, now);

        if (worker != NULL)
            return (struct hedge){.at = now, .lease = lease, .worker = worker};
    }
    return none;
}

struct hedge hedge_sooner(const struct dispatch *dispatch, int64_t now)
{
    struct hedge found = {.at = -1};
    const struct ring *models = &dispatch->all_models;

    if (!may_copy(dispatch))
        return found;
    for (struct ring *at = models->next; at != models && found.at < 0;
         at = at->next)
        found = model_sooner(RING_OWNER(at, struct model, all), now);
    return found;
}
