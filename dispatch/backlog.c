#include "dispatch/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch/dispatch_worker.h"
#include "dispatch/seat.h"

struct model *backlog_model(struct dispatch *dispatch, int32_t number)
{
    struct table_node *node = table_find(&dispatch->models, number);

    if (node != NULL)
        return RING_OWNER(node, struct model, node);
    if (!table_reserve(&dispatch->models, 1))
        return NULL;
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return NULL;
    ring_init(&model->active);
    ring_init(&model->lanes);
    ring_init(&model->out);
    ring_init(&model->doubled);
    for (int i = 0; i < PLACE_COUNT; i++)
        ring_init(&model->free[i]);
    ring_push_back(&dispatch->all_models, &model->all);
    table_add(&dispatch->models, &model->node, number);
    return model;
}

// --- listing ---

static bool lane_fits(const struct lane *lane, const struct queued_call *queued)
{
    size_t bytes = queued->n_failed * sizeof queued->failed[0];

    return lane->share == queued->share && lane->n_failed == queued->n_failed &&
           memcmp(lane->failed, queued->failed, bytes) == 0;
}

static struct lane *get_lane(const struct queued_call *queued)
{
    struct ring *lanes = &queued->model->lanes;

    for (struct ring *at = lanes->next; at != lanes; at = at->next) {
        struct lane *known = RING_OWNER(at, struct lane, link);
        if (lane_fits(known, queued))
            return known;
    }
    struct lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->model = queued->model;
    lane->share = queued->share;
    lane->n_failed = queued->n_failed;
    memcpy(lane->failed, queued->failed, sizeof lane->failed);
    ring_init(&lane->lines);
    ring_push_back(lanes, &lane->link);
    return lane;
}

static struct trial_line *line_of(struct ring *link)
{
    return RING_OWNER(link, struct trial_line, link);
}

// Returns the first line that is not older than the trial, or the head. Starts
// from the end that is likely to be closer.
static struct ring *find_line(const struct lane *lane, int64_t trial)
{
    const struct ring *lines = &lane->lines;
    struct ring *at = lines->next;

    if (ring_empty(lines) || line_of(lines->prev)->trial < trial)
        return lines->prev->next;
    if (line_of(lines->prev)->trial == trial)
        return lines->prev;
    while (line_of(at)->trial < trial)
        at = at->next;
    return at;
}

static struct trial_line *get_line(struct lane *lane,
                                   const struct queued_call *queued)
{
    struct ring *at = find_line(lane, queued->trial);

    if (at != &lane->lines && line_of(at)->trial == queued->trial)
        return line_of(at);
    struct trial_line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    line->lane = lane;
    line->trial = queued->trial;
    line->batch = queued->batch;
    ring_init(&line->buckets);
    ring_insert(at, &line->link);
    return line;
}

// Checks only the newest buckets of the group: a second bucket for the same
// line and group does no harm.
static struct bucket *get_bucket(struct trial_line *line, struct group *group)
{
    int looked = 0;

    for (struct ring *at = group->buckets.prev;
         at != &group->buckets && looked < DISPATCH_LOOK;
         at = at->prev, looked++) {
        struct bucket *known = RING_OWNER(at, struct bucket, in_group);
        if (known->line == line)
            return known;
    }
    struct bucket *bucket = calloc(1, sizeof *bucket);
    if (bucket == NULL)
        return NULL;
    bucket->line = line;
    ring_init(&bucket->calls);
    ring_push_back(&line->buckets, &bucket->in_line);
    ring_push_back(&group->buckets, &bucket->in_group);
    return bucket;
}

// The two levels above a bucket, freed from the bottom up when they are empty.
static void trim_lane(struct lane *lane)
{
    if (!ring_empty(&lane->lines))
        return;
    ring_remove(&lane->link);
    free(lane);
}

static void trim_line(struct trial_line *line)
{
    struct lane *lane = line->lane;

    if (!ring_empty(&line->buckets))
        return;
    ring_remove(&line->link);
    free(line);
    trim_lane(lane);
}

static void trim_bucket(struct bucket *bucket)
{
    struct trial_line *line = bucket->line;

    if (!ring_empty(&bucket->calls))
        return;
    ring_remove(&bucket->in_line);
    ring_remove(&bucket->in_group);
    free(bucket);
    trim_line(line);
}

static struct bucket *make_place(const struct queued_call *queued)
{
    struct lane *lane = get_lane(queued);
    if (lane == NULL)
        return NULL;
    struct trial_line *line = get_line(lane, queued);
    if (line == NULL) {
        trim_lane(lane);
        return NULL;
    }
    struct bucket *bucket = get_bucket(line, queued->group);
    if (bucket == NULL)
        trim_line(line);
    return bucket;
}

bool backlog_add(struct dispatch *dispatch, struct queued_call *queued,
                 int64_t now)
{
    struct model *model = queued->model;
    struct bucket *bucket = make_place(queued);

    if (bucket == NULL)
        return false;
    queued->at.bucket = bucket;
    if (queued->sent)
        ring_push_front(&bucket->calls, &queued->link);
    else
        ring_push_back(&bucket->calls, &queued->link);
    queued->group->n_queued++;
    if (model->n_queued++ == 0) {
        ring_push_back(&dispatch->active, &model->active);
        model->fed_ms = now;
    }
    dispatch_worker_release_one(dispatch, model);
    dispatch_worker_prefer(dispatch, queued->group, model);
    return true;
}

void backlog_remove(struct queued_call *queued)
{
    ring_remove(&queued->link);
    trim_bucket(queued->at.bucket);
    queued->group->n_queued--;
    if (--queued->model->n_queued == 0)
        ring_remove(&queued->model->active);
}

// --- who may take what ---

static bool is_among(int32_t worker, const int32_t *failed, int n_failed)
{
    for (int i = 0; i < n_failed; i++) {
        if (failed[i] == worker)
            return true;
    }
    return false;
}

bool backlog_has_untried(const struct dispatch *dispatch,
                         const struct model *model, const int32_t *failed,
                         int n_failed)
{
    size_t n_awake = 0;

    for (int i = 0; i < n_failed; i++) {
        const struct dispatch_worker *worker =
            dispatch_worker_find(dispatch, failed[i]);
        const struct served_model *served =
            worker == NULL ? NULL : dispatch_worker_served(worker, model);
        if (served != NULL && served->awake)
            n_awake++;
    }
    return n_awake < model->n_awake;
}

// Returns true if the worker may be given this model's calls that failed on
// these workers: it is not one of them, or there is no other worker to give
// them to.
static bool may_take_failed(const struct dispatch *dispatch,
                            const struct dispatch_worker *worker,
                            const struct model *model, const int32_t *failed,
                            int n_failed)
{
    return !is_among((int32_t)worker->node.key, failed, n_failed) ||
           !backlog_has_untried(dispatch, model, failed, n_failed);
}

int64_t lane_oldest_trial(const struct lane *lane)
{
    return line_of(lane->lines.next)->trial;
}

static bool may_take(const struct dispatch *dispatch,
                     const struct dispatch_worker *worker,
                     const struct lane *lane)
{
    return lane->n_failed == 0 || may_take_failed(dispatch, worker, lane->model,
                                                  lane->failed, lane->n_failed);
}

// --- seats ---

// Returns true if some worker with a seat could take the lane's calls, sooner
// or later.
static bool has_seated(const struct dispatch *dispatch, const struct lane *lane)
{
    const struct ring *const heads[] = {&lane->share->ready,
                                        &lane->share->busy};

    for (int i = 0; i < 2; i++)
        for (struct ring *at = heads[i]->next; at != heads[i]; at = at->next) {
            const struct dispatch_worker *worker =
                RING_OWNER(at, struct seat, of_share)->worker;
            const struct served_model *served =
                dispatch_worker_served(worker, lane->model);

            if (served != NULL && served->live &&
                may_take(dispatch, worker, lane))
                return true;
        }
    return false;
}

// Returns true if no worker with a seat can take the lane's calls while others
// could.
static bool is_shut_out(const struct dispatch *dispatch,
                        const struct lane *lane)
{
    return seats_are_full(lane->share) && lane->model->n_live > 0 &&
           !has_seated(dispatch, lane);
}

// Which older calls count: any, or those that are shut out and need a seat to
// become free.
enum older { OLDER_ANY, OLDER_SHUT_OUT };

// Returns true if such older calls of the lane's job wait. Only older calls
// matter, so that of two such lanes one still makes progress.
static bool has_older(const struct dispatch *dispatch, const struct lane *lane,
                      enum older which)
{
    for (struct ring *at = dispatch->active.next; at != &dispatch->active;
         at = at->next) {
        const struct model *model = RING_OWNER(at, struct model, active);

        for (struct ring *in = model->lanes.next; in != &model->lanes;
             in = in->next) {
            const struct lane *other = RING_OWNER(in, struct lane, link);

            if (other->share == lane->share &&
                lane_oldest_trial(other) < lane_oldest_trial(lane) &&
                (which == OLDER_ANY || is_shut_out(dispatch, other)))
                return true;
        }
    }
    return false;
}

// Returns the first idle worker that may take the lane's calls and passes the
// test. It looks in `last` and the places before it: a worker in the last of
// all would have to change its model.
static struct dispatch_worker *
find_idle(const struct dispatch *dispatch, const struct lane *lane,
          enum place last,
          bool (*passes)(const struct dispatch_worker *, const struct share *))
{
    static const enum place places[] = {PLACE_IDLE_LOADED, PLACE_IDLE_FRESH,
                                        PLACE_IDLE_OTHER};

    for (int i = 0; i < 3 && places[i] <= last; i++) {
        const struct ring *head = &lane->model->free[places[i]];
        int looked = 0;

        for (struct ring *at = head->next; at != head && looked < DISPATCH_LOOK;
             at = at->next, looked++) {
            struct dispatch_worker *worker =
                RING_OWNER(at, struct served_model, link)->worker;

            if (passes(worker, lane->share) && may_take(dispatch, worker, lane))
                return worker;
        }
    }
    return NULL;
}

static bool sits_nowhere(const struct dispatch_worker *worker,
                         const struct share *share)
{
    (void)share;
    return ring_empty(&worker->seats);
}

static bool is_stranger(const struct dispatch_worker *worker,
                        const struct share *share)
{
    return seat_find(share, worker) == NULL;
}

static bool has_seat_for(const struct dispatch *dispatch,
                         const struct dispatch_worker *worker,
                         const struct lane *lane)
{
    const struct share *share = lane->share;
    const struct seat *seat = NULL;

    if (share->max_workers == 0)
        return true;
    seat = seat_find(share, worker);
    if (seat == NULL)
        return !seats_are_full(share) &&
               (sits_nowhere(worker, share) ||
                find_idle(dispatch, lane, PLACE_IDLE_FRESH, sits_nowhere) ==
                    NULL);
    // One seat without a call is enough for all that are shut out.
    return share->n_idle > (seat->n_held == 0 ? 1 : 0) ||
           !has_older(dispatch, lane, OLDER_SHUT_OUT);
}

bool backlog_admits(const struct dispatch *dispatch,
                    const struct dispatch_worker *worker,
                    const struct lane *lane)
{
    return may_take(dispatch, worker, lane) &&
           has_seat_for(dispatch, worker, lane);
}

bool backlog_is_open(const struct model *model)
{
    for (const struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next)
        if (!seats_are_full(RING_OWNER(at, struct lane, link)->share))
            return true;
    return false;
}

// The oldest lane comes first: it is the one that others yield to.
static bool is_older(const struct lane *lane, const struct lane *other)
{
    return other == NULL || lane_oldest_trial(lane) < lane_oldest_trial(other);
}

// Finds the oldest lane of the model that should get a seat, and the worker to
// take that seat. Only the oldest lane of a job qualifies, because the seat to
// be taken may be the only one where older calls can go.
static void find_move(const struct dispatch *dispatch,
                      const struct model *model, const struct lane **best,
                      struct dispatch_worker **out)
{
    for (struct ring *at = model->lanes.next; at != &model->lanes;
         at = at->next) {
        const struct lane *lane = RING_OWNER(at, struct lane, link);
        const struct share *share = lane->share;
        struct dispatch_worker *worker = NULL;

        if (!seats_are_full(share) || share->n_idle == 0 ||
            !is_older(lane, *best) || has_older(dispatch, lane, OLDER_ANY))
            continue;
        worker = find_idle(dispatch, lane, PLACE_IDLE_OTHER, is_stranger);
        if (worker == NULL)
            continue;
        *best = lane;
        *out = worker;
    }
}

struct dispatch_worker *backlog_find_seat(const struct dispatch *dispatch,
                                          struct share **out)
{
    const struct lane *best = NULL;
    struct dispatch_worker *worker = NULL;

    for (struct ring *at = dispatch->active.next; at != &dispatch->active;
         at = at->next)
        find_move(dispatch, RING_OWNER(at, struct model, active), &best,
                  &worker);
    *out = best == NULL ? NULL : best->share;
    return worker;
}
