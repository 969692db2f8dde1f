#include "dispatch_check.h"

#include "dispatch/backlog.h"
#include "dispatch/dispatch_state.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/offer.h"

static size_t ring_count(const struct ring *head)
{
    size_t count = 0;

    for (const struct ring *at = head->next; at != head; at = at->next)
        count++;
    return count;
}

static size_t heap_count(const struct heap_node *node, bool *ordered)
{
    size_t count = 0;

    for (; node != NULL; node = node->next) {
        if (node->child != NULL && node->child->key < node->key)
            *ordered = false;
        count += 1 + heap_count(node->child, ordered);
    }
    return count;
}

// --- workers ---

static const char *check_lease(const struct dispatch *dispatch,
                               const struct lease *lease)
{
    bool holds = lease->state == LEASE_HELD || lease->state == LEASE_LATE;
    bool listed = holds || lease->state == LEASE_ANSWERED;
    const struct table_node *found =
        table_find(&dispatch->leases, lease->node.key);

    if (listed != (found == &lease->node))
        return "a lease can be found although it is over, or the other way "
               "round";
    if (holds != (lease->queued != NULL))
        return "a lease has no call, or has one that it does not hold";
    if (lease->seat != NULL &&
        (lease->seat->worker != lease->worker ||
         (lease->queued != NULL && lease->seat->share != lease->queued->share)))
        return "a lease is held on a seat that is not its worker's";
    if (holds &&
        table_find(&dispatch->calls, lease->call) != &lease->queued->node)
        return "a lease holds a call that is gone";
    if (lease->slot != NULL &&
        (lease->state != LEASE_HELD || lease->slot->lease != lease))
        return "a slot and its lease do not agree";
    if (lease->slot != NULL && lease->end.key != lease->began_ms +
                                                     lease->queued->timeout_ms +
                                                     DISPATCH_LEASE_MARGIN_MS)
        return "a lease ends at the wrong time";
    if (lease->state == LEASE_HELD && lease->slot == NULL &&
        lease->worker->next != lease)
        return "a held lease has no slot and does not wait for one";
    return NULL;
}

static const char *check_slots(const struct dispatch_worker *worker)
{
    if ((worker->next == NULL) != (worker->next_slot == NULL))
        return "a next call is meant for no slot";
    for (size_t i = 0; i < worker->n_slots; i++) {
        const struct slot *slot = &worker->slots[i];
        const struct lease *lease =
            slot == worker->next_slot ? worker->next : slot->lease;
        if (lease != NULL && slot->group != lease->queued->group)
            return "a slot is counted in the wrong group";
        if (slot->group != NULL &&
            ring_empty(&slot->home) != (slot->lease != NULL))
            return "an idle slot is not found by its group, or a busy one is";
    }
    return NULL;
}

static const char *check_worker(const struct dispatch *dispatch,
                                const struct dispatch_worker *worker)
{
    size_t n_places = 0;
    size_t n_busy = 0;

    for (size_t i = 0; i < worker->n_leases; i++) {
        const struct lease *lease = &worker->leases[i];
        const char *wrong = check_lease(dispatch, lease);
        if (wrong != NULL)
            return wrong;
        n_places +=
            lease->state == LEASE_HELD || lease->state == LEASE_ANSWERED;
        n_busy += lease->slot != NULL;
    }
    if (n_places != worker->n_places)
        return "a worker's taken places are miscounted";
    if (n_places > worker->n_slots + 1)
        return "a worker holds more than slots + 1 calls";
    if (n_busy != ring_count(&worker->busy) ||
        n_busy + ring_count(&worker->idle) != worker->n_slots)
        return "a worker's slots are miscounted";
    if (worker->held && ring_empty(&worker->idle))
        return "a worker is held that has no idle slot";
    if (worker->held &&
        worker->hold.key >
            dispatch_worker_next_slot(worker)->free_ms + OFFER_HOLD_MAX_MS)
        return "a slot is left free for too long";
    if (worker->next != NULL && n_busy < worker->n_slots)
        return "a call waits for a slot while one is idle";
    return check_slots(worker);
}

static const char *check_workers(const struct dispatch *dispatch, size_t *ends,
                                 size_t *holds)
{
    size_t n_slots = 0;
    size_t n_silent = 0;
    for (const struct table_node *node = table_next(&dispatch->workers, NULL);
         node != NULL; node = table_next(&dispatch->workers, node)) {
        const struct dispatch_worker *worker =
            RING_OWNER(node, struct dispatch_worker, node);
        const char *wrong = check_worker(dispatch, worker);
        if (wrong != NULL)
            return wrong;
        n_slots += worker->draining || worker->silent ? 0 : worker->n_slots;
        n_silent += worker->silent;
        if (worker->alarm.key > dispatch_worker_silence_ends(dispatch, worker))
            return "a worker's silence would go unnoticed";
        *ends += ring_count(&worker->busy);
        *holds += worker->held;
    }
    if (n_slots != dispatch->n_slots)
        return "slots are miscounted";
    if (n_silent != dispatch->n_silent)
        return "silent workers are miscounted";
    return NULL;
}

// --- calls ---

static const char *check_leases_of(const struct queued_call *queued)
{
    const struct dispatch_worker *holders[3] = {NULL, NULL, NULL};
    size_t n_held = 0;

    for (const struct lease *lease = queued->leases; lease != NULL;
         lease = lease->sibling) {
        if (lease->state != LEASE_HELD)
            continue;
        if (n_held == 3)
            return "a call is held more than three times";
        for (size_t i = 0; i < n_held; i++)
            if (holders[i] == lease->worker)
                return "a worker holds a call twice";
        holders[n_held++] = lease->worker;
    }
    if (n_held != queued->n_held)
        return "a call's leases are miscounted";
    if ((n_held > 0) != (queued->state == STATE_LEASED))
        return "a call is leased and held by nobody, or the other way round";
    return NULL;
}

static const char *check_calls(const struct dispatch *dispatch)
{
    size_t n_state[STATE_COUNT] = {0};

    for (const struct table_node *node = table_next(&dispatch->calls, NULL);
         node != NULL; node = table_next(&dispatch->calls, node)) {
        const struct queued_call *queued =
            RING_OWNER(node, struct queued_call, node);
        const char *wrong = check_leases_of(queued);
        if (wrong != NULL)
            return wrong;
        n_state[queued->state]++;
    }
    for (int i = 0; i < STATE_COUNT; i++) {
        if (n_state[i] != dispatch->n_state[i])
            return "the calls of a state are miscounted";
    }
    return NULL;
}

static const char *check_seat(const struct seat *seat)
{
    const struct dispatch_worker *worker = seat->worker;
    size_t n_held = 0;
    size_t n_seats = 0;

    for (size_t i = 0; i < worker->n_leases; i++)
        n_held += worker->leases[i].seat == seat;
    for (const struct ring *at = worker->seats.next; at != &worker->seats;
         at = at->next)
        n_seats += RING_OWNER(at, struct seat, of_worker)->share == seat->share;
    if (n_seats != 1)
        return "a worker has two seats in a job, or one that it does not know "
               "of";
    if (n_held != seat->n_held)
        return "the leases of a seat are miscounted";
    if (n_held == 0 && (worker->silent || worker->draining))
        return "a seat is kept by a worker that gets no more calls";
    if (seat->ready)
        return NULL;
    for (const struct served_model *served = worker->served_models;
         served != NULL; served = served->next)
        if (served->place != PLACE_NONE)
            return "a seat is not known to be ready";
    return NULL;
}

static const char *check_seats(const struct share *share)
{
    size_t n_idle = 0;
    size_t n_taken = 0;

    for (int32_t i = 0; i < share->max_workers; i++) {
        const struct seat *seat = &share->seats[i];
        const char *wrong = seat->worker == NULL ? NULL : check_seat(seat);
        if (wrong != NULL)
            return wrong;
        n_taken += seat->worker != NULL;
        n_idle += seat->worker != NULL && seat->n_held == 0;
    }
    if (n_taken != ring_count(&share->ready) + ring_count(&share->busy) ||
        n_taken + ring_count(&share->vacant) != (size_t)share->max_workers)
        return "the seats of a job are miscounted";
    return n_idle == share->n_idle ? NULL : "idle seats are miscounted";
}

static const char *check_shares(const struct dispatch *dispatch)
{
    size_t n_calls = 0;
    size_t in_work = 0;

    for (const struct table_node *node = table_next(&dispatch->shares, NULL);
         node != NULL; node = table_next(&dispatch->shares, node)) {
        const struct share *share = RING_OWNER(node, struct share, node);
        const char *wrong = check_seats(share);
        if (wrong != NULL)
            return wrong;
        if (share->n_calls == 0 && share->max_workers == 0)
            return "a job without calls was kept";
        n_calls += share->n_calls;
        in_work += share->in_work;
    }
    if (n_calls != dispatch->calls.count)
        return "the calls of a job are miscounted";
    if (in_work != dispatch->n_state[STATE_LEASED])
        return "the leased calls of a job are miscounted";
    return NULL;
}

// --- the backlog ---

static const char *check_bucket(const struct bucket *bucket,
                                const struct trial_line *line, size_t *queued)
{
    const struct lane *lane = line->lane;

    if (ring_empty(&bucket->calls) || bucket->line != line)
        return "a bucket is empty or in the wrong line";
    for (const struct ring *at = bucket->calls.next; at != &bucket->calls;
         at = at->next) {
        const struct queued_call *call =
            RING_OWNER(at, struct queued_call, link);
        if (call->state != STATE_QUEUED || call->at.bucket != bucket ||
            call->trial != line->trial || call->share != lane->share ||
            call->model != lane->model || call->n_failed != lane->n_failed)
            return "a call is queued in the wrong place";
        (*queued)++;
    }
    return NULL;
}

static const char *check_lane(const struct lane *lane, size_t *queued)
{
    int64_t trial = INT64_MIN;

    if (ring_empty(&lane->lines))
        return "a lane is empty";
    for (const struct ring *at = lane->lines.next; at != &lane->lines;
         at = at->next) {
        const struct trial_line *line = RING_OWNER(at, struct trial_line, link);
        if (line->trial <= trial || ring_empty(&line->buckets))
            return "trials are out of order or empty";
        trial = line->trial;
        for (const struct ring *in = line->buckets.next; in != &line->buckets;
             in = in->next) {
            const char *wrong = check_bucket(
                RING_OWNER(in, struct bucket, in_line), line, queued);
            if (wrong != NULL)
                return wrong;
        }
    }
    return NULL;
}

// Checks invariant 4: once dispatch_next had nothing left to do, no listed
// worker may take a call of this lane.
static const char *check_placed(const struct dispatch *dispatch,
                                const struct lane *lane)
{
    for (int place = 0; place < PLACE_HELD; place++) {
        const struct ring *head = &lane->model->free[place];
        for (const struct ring *at = head->next; at != head; at = at->next) {
            const struct served_model *served =
                RING_OWNER(at, struct served_model, link);
            if (backlog_admits(dispatch, served->worker, lane))
                return "a call is queued though a worker could take it";
        }
    }
    return NULL;
}

static const char *check_model(const struct dispatch *dispatch,
                               const struct model *model)
{
    size_t queued = 0;

    for (const struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next) {
        const struct lane *lane = RING_OWNER(at, struct lane, link);
        const char *wrong = check_lane(lane, &queued);
        if (wrong == NULL && dispatch->settled)
            wrong = check_placed(dispatch, lane);
        if (wrong != NULL)
            return wrong;
    }
    if (queued != model->n_queued)
        return "the queued calls of a model are miscounted";
    if ((queued > 0) == ring_empty(&model->active))
        return "a model with queued calls is not active, or one without is";
    return NULL;
}

// Counts again what each model keeps count of: who has something free, and who
// is live.
static const char *check_served(const struct dispatch *dispatch,
                                const struct model *model)
{
    size_t n_live = 0;
    size_t n_awake = 0;
    size_t n_good = 0;
    size_t n_loaded = 0;
    size_t n_free = 0;
    size_t n_listed = 0;

    for (const struct table_node *node = table_next(&dispatch->workers, NULL);
         node != NULL; node = table_next(&dispatch->workers, node)) {
        const struct dispatch_worker *worker =
            RING_OWNER(node, struct dispatch_worker, node);
        const struct served_model *served =
            dispatch_worker_served(worker, model);
        if (served == NULL)
            continue;
        bool live = !worker->draining && !worker->silent;
        bool rests = worker->n_faults >= DISPATCH_QUARANTINE_FAULTS;
        bool blocked =
            !live || worker->paused || worker->n_places > worker->n_slots;
        // Whether a place beyond the slots counts as free depends on the calls.
        bool idle = !ring_empty(&worker->idle);
        if (blocked && served->place != PLACE_NONE)
            return "a worker without a free place is listed as free";
        if (!blocked && idle && served->place == PLACE_NONE && !rests)
            return "a free place is listed nowhere";
        n_live += live;
        n_awake += live && !rests;
        n_good += live && !rests && served->proven;
        n_loaded += live && worker->loaded == model;
        n_free += served->place != PLACE_NONE;
    }
    for (int place = 0; place < PLACE_COUNT; place++)
        n_listed += ring_count(&model->free[place]);
    if (n_live != model->n_live || n_awake != model->n_awake ||
        n_good != model->n_good || n_loaded != model->n_loaded)
        return "the workers that serve a model are miscounted";
    if (n_free != n_listed)
        return "the free workers of a model are miscounted";
    return NULL;
}

// Checks the list of calls with this many leases, which may be hedged: longest
// out first.
static const char *check_out(const struct ring *list, int n_held,
                             size_t *listed)
{
    int64_t sent = INT64_MIN;

    for (const struct ring *at = list->next; at != list; at = at->next) {
        const struct lease *lease = RING_OWNER(at, struct lease, link);
        if (lease->state != LEASE_HELD || lease->queued->n_held != n_held)
            return "a call is listed as out that is not, or has other copies";
        if (lease->sent_ms < sent)
            return "calls that are out are not in the order of sending";
        sent = lease->sent_ms;
        (*listed)++;
    }
    return NULL;
}

static const char *check_each_model(const struct dispatch *dispatch)
{
    size_t listed = 0;
    size_t expected = 0;
    const char *wrong = NULL;
    const struct ring *models = &dispatch->all_models;
    struct share *share = NULL;

    if (dispatch->settled && backlog_find_seat(dispatch, &share) != NULL)
        return "a seat is idle while another worker could use it";
    for (const struct ring *at = models->next; at != models && wrong == NULL;
         at = at->next) {
        const struct model *model = RING_OWNER(at, struct model, all);
        wrong = check_model(dispatch, model);
        if (wrong == NULL)
            wrong = check_served(dispatch, model);
        if (wrong == NULL)
            wrong = check_out(&model->out, 1, &listed);
        if (wrong == NULL)
            wrong = check_out(&model->doubled, 2, &listed);
    }
    if (wrong != NULL)
        return wrong;
    for (const struct table_node *node = table_next(&dispatch->calls, NULL);
         node != NULL; node = table_next(&dispatch->calls, node))
        expected += RING_OWNER(node, struct queued_call, node)->n_held % 3 != 0;
    return listed == expected ? NULL
                              : "a call that is out is not listed as out";
}

static const char *check_groups(const struct dispatch *dispatch)
{
    size_t queued = 0;
    size_t slots = 0;
    size_t busy = 0;
    int64_t rate = 0;
    int64_t readers = 0;

    for (const struct table_node *node = table_next(&dispatch->groups, NULL);
         node != NULL; node = table_next(&dispatch->groups, node)) {
        const struct group *group = RING_OWNER(node, struct group, node);
        if (group->refs == 0)
            return "a group that nobody names was kept";
        queued += group->n_queued;
        slots += group->n_slots;
        rate += group->rate;
        readers += group->readers_rate;
    }
    for (const struct table_node *node = table_next(&dispatch->workers, NULL);
         node != NULL; node = table_next(&dispatch->workers, node)) {
        const struct dispatch_worker *worker =
            RING_OWNER(node, struct dispatch_worker, node);
        busy += ring_count(&worker->busy);
        for (size_t i = 0; i < worker->n_slots; i++) {
            const struct slot *slot = &worker->slots[i];
            rate -= slot->rate;
            readers -= slot->due_ms > 0 ? slot->rate : 0;
        }
    }
    if (rate != 0 || readers != 0)
        return "the rates of groups and slots do not agree";
    if (queued != dispatch->n_state[STATE_QUEUED])
        return "the queued calls of a group are miscounted";
    return slots == busy ? NULL : "the slots of a group are miscounted";
}

static const char *check_heaps(const struct dispatch *dispatch, size_t ends,
                               size_t holds)
{
    bool ordered = true;

    if (heap_count(dispatch->ends.root, &ordered) != ends)
        return "a lease has no end";
    if (heap_count(dispatch->holds.root, &ordered) != holds)
        return "a slot would be left free for ever";
    if (heap_count(dispatch->waits.root, &ordered) !=
        dispatch->n_state[STATE_WAITING])
        return "a call waits for nothing";
    (void)heap_count(dispatch->pauses.root, &ordered);
    return ordered ? NULL : "a heap is out of order";
}

const char *dispatch_check(const struct dispatch *dispatch)
{
    size_t ends = 0;
    size_t holds = 0;
    const char *wrong = check_workers(dispatch, &ends, &holds);

    if (wrong == NULL)
        wrong = check_calls(dispatch);
    if (wrong == NULL)
        wrong = check_shares(dispatch);
    if (wrong == NULL)
        wrong = check_each_model(dispatch);
    if (wrong == NULL)
        wrong = check_groups(dispatch);
    if (wrong == NULL)
        wrong = check_heaps(dispatch, ends, holds);
    return wrong;
}
