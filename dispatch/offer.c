#include "dispatch/offer.h"

#include "dispatch/backlog.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/share.h"

// Returns true if job a has had less of its share than job b (share.h). The
// slot's own job continues until the other one is a whole call behind, since
// each change of jobs costs a prefix.
static bool is_needier(const struct dispatch *dispatch, const struct share *a,
                       const struct share *b, const struct share *own)
{
    double lead = share_need(dispatch, a) - share_need(dispatch, b);

    if (a == own)
        lead -= share_step(dispatch, b);
    else if (b == own)
        lead += share_step(dispatch, a);
    if (lead != 0)
        return lead < 0;
    if (a == own || b == own)
        return a == own;
    if (a->served != b->served)
        return a->served < b->served;
    return a->node.key < b->node.key;
}

static bool is_before(const struct dispatch *dispatch, const struct lane *a,
                      const struct lane *b, const struct share *own)
{
    if (a->share != b->share)
        return is_needier(dispatch, a->share, b->share, own);
    if (lane_oldest_trial(a) != lane_oldest_trial(b))
        return lane_oldest_trial(a) < lane_oldest_trial(b);
    return a->n_failed > b->n_failed;
}

static const struct lane *best_lane(const struct dispatch *dispatch,
                                    const struct dispatch_worker *worker,
                                    const struct model *model,
                                    const struct share *own)
{
    const struct lane *best = NULL;

    for (struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next) {
        const struct lane *lane = RING_OWNER(at, struct lane, link);
        if (backlog_admits(dispatch, worker, lane) &&
            (best == NULL || is_before(dispatch, lane, best, own)))
            best = lane;
    }
    return best;
}

static bool has_calls_of(const struct model *model, const struct share *share)
{
    for (const struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next)
        if (RING_OWNER(at, struct lane, link)->share == share)
            return true;
    return false;
}

// Returns true if all jobs that wait for `model` wait for `other` too.
static bool are_the_same_jobs(const struct model *model,
                              const struct model *other)
{
    for (const struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next)
        if (!has_calls_of(other, RING_OWNER(at, struct lane, link)->share))
            return false;
    return true;
}

// Returns how long a model must go without being sent a call before the worker
// leaves its own model for it. If few workers have their model loaded, one that
// leaves takes away half of their speed, or all of it, and the jobs that need
// both models wait for that one instead: then each change only costs time.
// Measured (bench_dispatch): one worker changes 13 times instead of 37. Among
// three or more, one that leaves after a minute spares the others a change.
static int64_t patience_ms(const struct dispatch_worker *worker,
                           const struct model *model)
{
    const struct model *loaded = worker->loaded;
    bool few = loaded != NULL && loaded->n_queued > 0 &&
               loaded->n_loaded <= 2 && are_the_same_jobs(model, loaded);

    return few ? DISPATCH_FEW_WAIT_MS : DISPATCH_MODEL_WAIT_MS;
}

// Returns how much a worker wants a model: 2 if the model starves, 1 if it is
// loaded, 0 otherwise. A model starves when calls for it wait and nobody was
// sent one for a long time. Using each call's own waiting time was rejected:
// behind a long queue every call waits that long, and workers would change
// their model with each call.
static int want(const struct dispatch_worker *worker, const struct model *model,
                int64_t now)
{
    int64_t waited = now - model->fed_ms;

    if (model == worker->loaded)
        return 1;
    return waited >= DISPATCH_MODEL_WAIT_MS &&
                   waited >= patience_ms(worker, model)
               ? 2
               : 0;
}

static const struct lane *choose_lane(const struct dispatch *dispatch,
                                      const struct dispatch_worker *worker,
                                      const struct share *own, int64_t now)
{
    const struct lane *best = NULL;
    int best_want = -1;

    for (const struct served_model *served = worker->served_models;
         served != NULL; served = served->next) {
        int wanted = want(worker, served->model, now);
        if (wanted < best_want)
            continue;
        const struct lane *lane =
            best_lane(dispatch, worker, served->model, own);
        if (lane == NULL)
            continue;
        if (wanted > best_want || is_before(dispatch, lane, best, own)) {
            best = lane;
            best_want = wanted;
        }
    }
    return best;
}

static struct queued_call *first_call(const struct bucket *bucket)
{
    return RING_OWNER(bucket->calls.next, struct queued_call, link);
}

static const struct group *group_of(const struct bucket *bucket)
{
    return first_call(bucket)->group;
}

// Returns the oldest bucket of the slot's own group that has the lane's job and
// model.
static const struct bucket *own_bucket(const struct dispatch *dispatch,
                                       const struct slot *slot,
                                       const struct lane *lane)
{
    const struct bucket *best = NULL;
    const struct ring *head = NULL;
    int looked = 0;

    if (slot->group == NULL)
        return NULL;
    head = &slot->group->buckets;
    for (struct ring *at = head->next; at != head && looked < DISPATCH_LOOK;
         at = at->next, looked++) {
        const struct bucket *bucket = RING_OWNER(at, struct bucket, in_group);
        const struct lane *of = bucket->line->lane;
        if (of->share != lane->share || of->model != lane->model ||
            !backlog_admits(dispatch, slot->worker, of))
            continue;
        if (best == NULL || bucket->line->trial < best->line->trial)
            best = bucket;
    }
    return best;
}

// Returns the rate of the group's other slots together.
static int64_t others_rate(const struct group *group, const struct slot *slot)
{
    return group->rate - (slot->group == group ? slot->rate : 0);
}

// Returns when the group would be done if the slot joined in, relative to when
// it is due. A slot that joins counts half, since it begins by reading the
// prompt. `older` trials are due before this one.
//
// A trial begins when the oldest one in the window is done, so trials are due
// one after another. If all were finished at once, all slots would look for
// another prompt at once. The slots of the last trial would each read its
// prompt for a call or two, and would begin the next trials all together.
// Measured (bench_dispatch): a prompt is read 3.1 times when eight unequal
// slots share the 35 calls of a trial, and 3.3 times without the due time.
// Dividing by (older + 1) gives the oldest trial so much speed that a young
// one, which is due soon after, is late.
static double lateness(const struct group *group, const struct slot *slot,
                       int64_t rate, int older)
{
    double left = (double)group->n_queued + (double)group->n_slots;
    double speed = (double)others_rate(group, slot) + (double)rate / 2;

    return left / speed / (older + 2);
}

// Returns true if nobody works on the bucket's trial, as far as the waiting
// calls can tell. The bucket may hold a single call that the search waits for,
// and that would come last by its lateness. If other calls of the trial wait
// too, a prompt of a step that just begins would be read only for the first
// call of that step.
static bool is_untouched(const struct bucket *bucket, const struct slot *slot)
{
    const struct ring *buckets = &bucket->line->buckets;

    return buckets->next == buckets->prev &&
           others_rate(group_of(bucket), slot) == 0;
}

// Returns how many calls of the group others will take within `ms`. Slots that
// read the prompt themselves take none until their first call is done.
static double count_taken(const struct group *group, const struct slot *slot,
                          int64_t now, int64_t ms)
{
    double readers = (double)group->readers_rate;
    double due_ms = readers > 0 ? group->readers_due / readers : 0;
    double until_ms = due_ms > (double)now ? due_ms - (double)now : 0;
    double beyond_ms = until_ms < (double)ms ? (double)ms - until_ms : 0;

    return (((double)others_rate(group, slot) - readers) * (double)ms +
            readers * beyond_ms) /
           1e6;
}

// Returns true if the slot, which first has to read the group's prompt, would
// get fewer than n_calls before the others have taken the last (offer.h has a
// diagram).
static bool is_in_vain(const struct group *group, const struct slot *slot,
                       const struct speed *speed, int64_t now, int n_calls)
{
    int64_t read_ms = speed_read_ms(speed, group);
    double others = (double)others_rate(group, slot);
    double left = (double)group->n_queued;

    return read_ms > 0 && slot->last != group->node.key &&
           left - count_taken(group, slot, now, read_ms) <
               n_calls * (others / (double)speed->rate + 1);
}

static bool are_due_together(const struct trial_line *a,
                             const struct trial_line *b)
{
    return a->batch != 0 && a->batch == b->batch;
}

// A slot in search of a group whose prompt it would have to read.
struct looker {
    const struct slot *slot;
    const struct model *model;
    int64_t now;
    int n_calls;        // to read for, at least; 0: even in vain
    struct speed speed; // for the last kind met; rate 0: none yet

    const struct bucket *found; // the latest bucket so far
    double lateness;            // how late that is
};

static void weigh(struct looker *looker, const struct bucket *bucket, int older)
{
    const struct group *group = group_of(bucket);
    double late;

    if (looker->speed.rate == 0 || looker->speed.kind != group->kind)
        looker->speed = dispatch_worker_speed(looker->slot->worker,
                                              looker->model, group->kind);
    if (looker->n_calls > 0 && is_in_vain(group, looker->slot, &looker->speed,
                                          looker->now, looker->n_calls))
        return;
    late = lateness(group, looker->slot, looker->speed.rate, older);
    if (looker->found == NULL || late > looker->lateness) {
        looker->found = bucket;
        looker->lateness = late;
    }
}

// Returns the oldest trial's bucket that nobody works on, or else the bucket
// whose group would be latest; the oldest trial wins a tie. Groups whose prompt
// would be read for too few calls are left out; returns NULL if that leaves
// none. A limit per group (one slot for every eight of its waiting calls) was
// measured: it sends slow slots to groups that fast ones are about to finish,
// and a prefix is read twice as often.
static const struct bucket *latest_bucket(const struct lane *lane,
                                          struct looker looker)
{
    const struct trial_line *before = NULL;
    int looked = 0;
    int older = 0;

    for (struct ring *at = lane->lines.next;
         at != &lane->lines && looked < DISPATCH_LOOK; at = at->next) {
        const struct trial_line *line = RING_OWNER(at, struct trial_line, link);

        older += before != NULL && !are_due_together(before, line);
        before = line;
        for (struct ring *in = line->buckets.next;
             in != &line->buckets && looked < DISPATCH_LOOK;
             in = in->next, looked++) {
            const struct bucket *bucket =
                RING_OWNER(in, struct bucket, in_line);
            if (is_untouched(bucket, looker.slot))
                return bucket;
            weigh(&looker, bucket, older);
        }
    }
    return looker.found;
}

// Returns true if calls of another job or model also wait for the worker. Jobs
// share slots by the calls that they have leased. And since the worker changes
// its model only when no calls for this one are left, it had better help to
// finish them.
static bool is_awaited(const struct dispatch_worker *worker,
                       const struct lane *lane)
{
    const struct ring *lanes = &lane->model->lanes;

    for (const struct ring *at = lanes->next; at != lanes; at = at->next)
        if (RING_OWNER(at, struct lane, link)->share != lane->share)
            return true;
    for (const struct served_model *served = worker->served_models;
         served != NULL; served = served->next)
        if (served->model != lane->model && served->model->n_queued > 0)
            return true;
    return false;
}

// Returns until when the slot may be left free instead of reading that prompt,
// for this percentage of the reading time. A time that is not after now means
// that it may not. A job with a limit has no worker to spare.
static int64_t hold_ends(const struct slot *slot, const struct lane *lane,
                         const struct group *group, int percent, int64_t now)
{
    int64_t hold_ms =
        percent * dispatch_worker_read_ms(slot->worker, lane->model, group) /
        100;

    if (slot->lease != NULL || slot->worker->loaded != lane->model ||
        lane->share->max_workers > 0 || is_awaited(slot->worker, lane))
        return now;
    return slot->free_ms +
           (hold_ms < OFFER_HOLD_MAX_MS ? hold_ms : OFFER_HOLD_MAX_MS);
}

static const struct trial_line *oldest_line(const struct lane *lane)
{
    return RING_OWNER(lane->lines.next, struct trial_line, link);
}

// Returns for how many calls a slot reads a prompt without waiting for a better
// one. Among trials that are waited for together, none begins when another is
// done, so one call is enough.
static int worthwhile_calls(const struct lane *lane)
{
    return oldest_line(lane)->batch == 0 ? OFFER_CALLS : 1;
}

// Returns the best bucket that is left if no group has enough calls. NULL means
// that the slot is left free until *until.
static const struct bucket *poor_bucket(const struct lane *lane,
                                        struct looker looker, int64_t *until)
{
    int percent = OFFER_HOLD_FEW;
    const struct bucket *late = NULL;

    looker.n_calls = 1;
    late = latest_bucket(lane, looker);
    if (late == NULL) {
        percent = OFFER_HOLD;
        looker.n_calls = 0;
        late = latest_bucket(lane, looker);
    }
    *until = hold_ends(looker.slot, lane, group_of(late), percent, looker.now);
    return *until > looker.now ? NULL : late;
}

// Stays with the slot's prefix as long as calls with it wait, unless nobody
// works on a trial that is older by half a window. NULL means that the slot is
// left free until *until.
static const struct bucket *choose_bucket(const struct dispatch *dispatch,
                                          const struct slot *slot,
                                          const struct lane *lane, int64_t now,
                                          int64_t *until)
{
    struct looker looker = {.slot = slot,
                            .model = lane->model,
                            .now = now,
                            .n_calls = worthwhile_calls(lane)};
    const struct bucket *own = own_bucket(dispatch, slot, lane);
    const struct bucket *late = latest_bucket(lane, looker);

    if (own != NULL)
        return late == NULL ||
                       own->line->trial - late->line->trial <
                           lane->share->half ||
                       others_rate(group_of(late), slot) > 0
                   ? own
                   : late;
    return late != NULL ? late : poor_bucket(lane, looker, until);
}

// Returns the job of the slot's group, as far as the waiting calls can tell.
static const struct share *own_share(const struct slot *slot)
{
    if (slot->group == NULL || ring_empty(&slot->group->buckets))
        return NULL;
    const struct bucket *bucket =
        RING_OWNER(slot->group->buckets.next, struct bucket, in_group);
    return bucket->line->lane->share;
}

struct queued_call *offer_find(const struct dispatch *dispatch,
                               const struct dispatch_worker *worker,
                               int64_t now, int64_t *until)
{
    const struct slot *slot = dispatch_worker_next_slot(worker);
    const struct lane *lane =
        choose_lane(dispatch, worker, own_share(slot), now);
    const struct bucket *bucket = NULL;

    if (lane == NULL)
        return NULL;
    bucket = choose_bucket(dispatch, slot, lane, now, until);
    return bucket == NULL ? NULL : first_call(bucket);
}
