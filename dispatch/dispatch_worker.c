#include "dispatch/dispatch_worker.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatch/group.h"
#include "dispatch/seat.h"

enum {
    RATE_US = 1000000000, // a rate is the number of calls in this time
    USUAL_RATE = 1000,    // while a kind of calls is unknown
    SPARE_US = 250000,
};

// --- joining and leaving ---

static void init_worker(struct dispatch_worker *worker)
{
    ring_init(&worker->link);
    ring_init(&worker->idle);
    ring_init(&worker->busy);
    ring_init(&worker->unused);
    ring_init(&worker->late);
    ring_init(&worker->answered);
    ring_init(&worker->seats);
    for (size_t i = 0; i < worker->n_slots; i++) {
        struct slot *slot = &worker->slots[i];
        slot->worker = worker;
        ring_init(&slot->home);
        ring_push_back(&worker->idle, &slot->link);
    }
    for (size_t i = 0; i < worker->n_leases; i++) {
        worker->leases[i].worker = worker;
        ring_push_back(&worker->unused, &worker->leases[i].link);
    }
}

struct dispatch_worker *dispatch_worker_join(struct dispatch *dispatch,
                                             int32_t number, size_t n_slots,
                                             int64_t now)
{
    struct dispatch_worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        return NULL;
    worker->n_slots = n_slots;
    worker->n_leases = 2 * (n_slots + 1);
    worker->slots = calloc(n_slots, sizeof *worker->slots);
    worker->leases = calloc(worker->n_leases, sizeof *worker->leases);
    if (worker->slots == NULL || worker->leases == NULL ||
        !table_reserve(&dispatch->workers, 1) ||
        !table_reserve(&dispatch->leases,
                       dispatch->n_leases + worker->n_leases)) {
        dispatch_worker_free(worker);
        return NULL;
    }
    init_worker(worker);
    table_add(&dispatch->workers, &worker->node, number);
    dispatch->n_slots += n_slots;
    dispatch->n_leases += worker->n_leases;
    worker->heard_ms = now;
    worker->fed_ms = now;
    worker->answered_ms = INT64_MIN;
    heap_add(&dispatch->alarms, &worker->alarm,
             dispatch_worker_silence_ends(dispatch, worker));
    return worker;
}

struct dispatch_worker *dispatch_worker_find(const struct dispatch *dispatch,
                                             int32_t number)
{
    struct table_node *node = table_find(&dispatch->workers, number);

    return node == NULL ? NULL : RING_OWNER(node, struct dispatch_worker, node);
}

static bool is_live(const struct dispatch_worker *worker)
{
    return !worker->draining && !worker->silent;
}

void dispatch_worker_remove(struct dispatch *dispatch,
                            struct dispatch_worker *worker)
{
    assert(worker->n_places == 0);

    while (worker->served_models != NULL)
        dispatch_worker_unserve(worker, worker->served_models->model);
    for (size_t i = 0; i < worker->n_slots; i++)
        group_leave(dispatch, &worker->slots[i]);
    if (worker->paused)
        heap_remove(&dispatch->pauses, &worker->pause);
    if (worker->held)
        heap_remove(&dispatch->holds, &worker->hold);
    seats_file(worker, false, false);
    if (is_live(worker))
        dispatch->n_slots -= worker->n_slots;
    if (worker->silent)
        dispatch->n_silent--;
    dispatch->n_leases -= worker->n_leases;
    heap_remove(&dispatch->alarms, &worker->alarm);
    table_remove(&dispatch->workers, &worker->node);
}

void dispatch_worker_free(struct dispatch_worker *worker)
{
    if (worker == NULL)
        return;
    free(worker->slots);
    free(worker->leases);
    free(worker);
}

// --- free places ---

bool dispatch_worker_rests(const struct dispatch_worker *worker)
{
    return worker->n_faults >= DISPATCH_QUARANTINE_FAULTS;
}

struct speed dispatch_worker_speed(const struct dispatch_worker *worker,
                                   const struct model *model, int64_t kind)
{
    const struct served_model *served = dispatch_worker_served(worker, model);
    struct speed speed = {.kind = kind, .rate = USUAL_RATE};
    int64_t usual_ms;

    if (served != NULL)
        speed.us = pace_call_us(&served->pace, kind);
    if (speed.us == 0 && (usual_ms = pace_usual_ms(&model->usual, kind)) > 0)
        speed.us = 1000 * usual_ms;
    if (speed.us >= 1000)
        speed.rate = speed.us < RATE_US ? RATE_US / speed.us : 1;
    if (served != NULL && speed.us > 0)
        speed.pace = &served->pace;
    return speed;
}

int64_t speed_read_ms(const struct speed *speed, const struct group *group)
{
    return speed->pace == NULL
               ? 0
               : pace_read_us(speed->pace, group->prefix_size) / 1000;
}

int64_t dispatch_worker_read_ms(const struct dispatch_worker *worker,
                                const struct model *model,
                                const struct group *group)
{
    struct speed speed = dispatch_worker_speed(worker, model, group->kind);

    return speed_read_ms(&speed, group);
}

void dispatch_worker_learn_time(struct dispatch_worker *worker,
                                const struct lease *lease, int64_t ms)
{
    const struct group *group = lease->queued->group;
    struct served_model *served =
        dispatch_worker_served(worker, lease->queued->model);

    const struct pace_sample sample = {.kind = group->kind,
                                       .prefix_size = group->prefix_size,
                                       .fresh = lease->fresh,
                                       .us = 1000 * ms + 1};

    if (served != NULL && !lease->odd)
        pace_learn(&served->pace, &sample);
}

// The place beyond the slots hides the time that a call takes to reach the
// worker. If the call whose slot it would get takes much longer than that, a
// call in this place would only wait, and miss a slot that becomes free
// elsewhere.
static bool has_spare_place(const struct dispatch_worker *worker)
{
    const struct slot *slot = RING_OWNER(worker->busy.next, struct slot, link);
    const struct queued_call *queued = slot->lease->queued;

    return dispatch_worker_speed(worker, queued->model, queued->group->kind)
               .us < SPARE_US;
}

// A resting worker gets one call at a time, as a probe.
static bool has_place(const struct dispatch_worker *worker)
{
    size_t places = dispatch_worker_rests(worker) ? 1 : worker->n_slots + 1;

    return is_live(worker) && !worker->paused && worker->n_places < places &&
           (!ring_empty(&worker->idle) || has_spare_place(worker));
}

static enum place place_for(const struct dispatch_worker *worker,
                            const struct model *model)
{
    bool loaded = worker->loaded == model;

    if (!has_place(worker))
        return PLACE_NONE;
    if (ring_empty(&worker->idle))
        return loaded ? PLACE_SPARE_LOADED : PLACE_SPARE_OTHER;
    if (worker->held)
        return PLACE_HELD;
    if (loaded)
        return PLACE_IDLE_LOADED;
    return worker->loaded == NULL ? PLACE_IDLE_FRESH : PLACE_IDLE_OTHER;
}

static void count(bool *was, bool is, size_t *n)
{
    if (*was == is)
        return;
    *was = is;
    if (is)
        ++*n;
    else
        --*n;
}

static void count_served(struct served_model *served, bool live)
{
    struct model *model = served->model;
    bool awake = live && !dispatch_worker_rests(served->worker);

    count(&served->live, live, &model->n_live);
    count(&served->awake, awake, &model->n_awake);
    count(&served->good, awake && served->proven, &model->n_good);
    count(&served->loaded, live && served->worker->loaded == model,
          &model->n_loaded);
}

void dispatch_worker_file(struct dispatch_worker *worker)
{
    seats_file(worker, is_live(worker), has_place(worker));
    for (struct served_model *served = worker->served_models; served != NULL;
         served = served->next) {
        enum place place = place_for(worker, served->model);
        count_served(served, is_live(worker));
        if (place == served->place)
            continue;
        ring_remove(&served->link);
        served->place = place;
        if (place != PLACE_NONE)
            ring_push_back(&served->model->free[place], &served->link);
    }
}

struct served_model *
dispatch_worker_served(const struct dispatch_worker *worker,
                       const struct model *model)
{
    struct served_model *served = worker->served_models;

    while (served != NULL && served->model != model)
        served = served->next;
    return served;
}

bool dispatch_worker_serve(struct dispatch_worker *worker, struct model *model)
{
    if (dispatch_worker_served(worker, model) != NULL)
        return true;
    struct served_model *served = calloc(1, sizeof *served);
    if (served == NULL)
        return false;
    served->worker = worker;
    served->model = model;
    served->place = PLACE_NONE;
    ring_init(&served->link);
    served->next = worker->served_models;
    worker->served_models = served;
    dispatch_worker_file(worker);
    return true;
}

void dispatch_worker_unserve(struct dispatch_worker *worker,
                             struct model *model)
{
    struct served_model **at = &worker->served_models;

    while (*at != NULL && (*at)->model != model)
        at = &(*at)->next;
    struct served_model *served = *at;
    if (served == NULL)
        return;
    *at = served->next;
    ring_remove(&served->link);
    count_served(served, false);
    free(served);
    if (worker->loaded == model)
        worker->loaded = NULL;
    dispatch_worker_file(worker);
}

void dispatch_worker_heard(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t now)
{
    worker->heard_ms = now;
    if (worker->silent)
        dispatch_worker_set_silent(dispatch, worker, false);
}

int64_t dispatch_worker_silence_ends(const struct dispatch *dispatch,
                                     const struct dispatch_worker *worker)
{
    int64_t usual = dispatch->config.liveness_ms;
    int64_t since =
        worker->fed_ms > worker->heard_ms ? worker->fed_ms : worker->heard_ms;

    if (worker->silent)
        return worker->heard_ms + usual * DISPATCH_FORGET;
    if (!ring_empty(&worker->busy) || worker->rhythm_ms < usual)
        return since + usual;
    return since + worker->rhythm_ms;
}

void dispatch_worker_set_alarm(struct dispatch *dispatch,
                               struct dispatch_worker *worker)
{
    heap_remove(&dispatch->alarms, &worker->alarm);
    heap_add(&dispatch->alarms, &worker->alarm,
             dispatch_worker_silence_ends(dispatch, worker));
}

void dispatch_worker_set_silent(struct dispatch *dispatch,
                                struct dispatch_worker *worker, bool silent)
{
    if (!worker->draining && silent)
        dispatch->n_slots -= worker->n_slots;
    else if (!worker->draining)
        dispatch->n_slots += worker->n_slots;
    count(&worker->silent, silent, &dispatch->n_silent);
    dispatch_worker_set_alarm(dispatch, worker);
    dispatch_worker_file(worker);
}

void dispatch_worker_drain(struct dispatch *dispatch,
                           struct dispatch_worker *worker)
{
    if (worker->draining)
        return;
    worker->draining = true;
    if (!worker->silent)
        dispatch->n_slots -= worker->n_slots;
    dispatch_worker_file(worker);
}

void dispatch_worker_failed(struct dispatch_worker *worker, int64_t call)
{
    if (worker->n_faults > 0 && worker->last_failed == call)
        return;
    worker->last_failed = call;
    if (worker->n_faults < INT16_MAX)
        worker->n_faults++;
    dispatch_worker_file(worker);
}

void dispatch_worker_pause(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t until)
{
    if (worker->paused && worker->pause.key >= until)
        return;
    if (worker->paused)
        heap_remove(&dispatch->pauses, &worker->pause);
    worker->paused = true;
    heap_add(&dispatch->pauses, &worker->pause, until);
    dispatch_worker_file(worker);
}

void dispatch_worker_resume(struct dispatch *dispatch,
                            struct dispatch_worker *worker)
{
    if (!worker->paused)
        return;
    worker->paused = false;
    heap_remove(&dispatch->pauses, &worker->pause);
    dispatch_worker_file(worker);
}

void dispatch_worker_hold(struct dispatch *dispatch,
                          struct dispatch_worker *worker, int64_t until)
{
    assert(!worker->held && !ring_empty(&worker->idle));

    worker->held = true;
    heap_add(&dispatch->holds, &worker->hold, until);
    dispatch_worker_file(worker);
}

void dispatch_worker_release(struct dispatch *dispatch,
                             struct dispatch_worker *worker)
{
    if (!worker->held)
        return;
    worker->held = false;
    heap_remove(&dispatch->holds, &worker->hold);
    dispatch_worker_file(worker);
}

void dispatch_worker_release_one(struct dispatch *dispatch, struct model *model)
{
    const struct ring *held = &model->free[PLACE_HELD];

    if (!ring_empty(held))
        dispatch_worker_release(
            dispatch,
            RING_OWNER(held->next, struct served_model, link)->worker);
}

void dispatch_worker_succeeded(struct dispatch *dispatch,
                               struct dispatch_worker *worker,
                               struct model *model, int64_t now)
{
    struct served_model *served = dispatch_worker_served(worker, model);
    bool known = worker->n_faults == 0 && (served == NULL || served->proven);

    model->answered = true;
    worker->answered_ms = now;
    worker->n_busy = 0;
    dispatch_worker_resume(dispatch, worker);
    if (known)
        return;
    worker->n_faults = 0;
    if (served != NULL)
        served->proven = true;
    dispatch_worker_file(worker);
}

// --- slots ---

struct slot *dispatch_worker_next_slot(const struct dispatch_worker *worker)
{
    const struct ring *slots =
        ring_empty(&worker->idle) ? &worker->busy : &worker->idle;

    assert(!ring_empty(slots));
    return RING_OWNER(slots->next, struct slot, link);
}

bool dispatch_worker_has_to_read(const struct dispatch_worker *worker,
                                 const struct group *group)
{
    return dispatch_worker_next_slot(worker)->last != group->node.key;
}

void dispatch_worker_prefer(struct dispatch *dispatch, struct group *group,
                            struct model *model)
{
    if (ring_empty(&group->homes))
        return;
    struct slot *slot = RING_OWNER(group->homes.next, struct slot, home);
    dispatch_worker_release(dispatch, slot->worker);
    struct served_model *served = dispatch_worker_served(slot->worker, model);
    // Rotates, so that the group's next call gets its next slot.
    ring_remove(&slot->home);
    ring_push_back(&group->homes, &slot->home);
    ring_remove(&slot->link);
    ring_push_front(&slot->worker->idle, &slot->link);
    if (served != NULL && served->place != PLACE_NONE) {
        ring_remove(&served->link);
        ring_push_front(&model->free[served->place], &served->link);
    }
}
