#include "dispatch/lease.h"

#include <assert.h>

#include "dispatch/dispatch_worker.h"
#include "dispatch/group.h"
#include "dispatch/seat.h"
#include "dispatch/share.h"

// --- slots ---

static void count_in(struct slot *slot, const struct speed *speed)
{
    slot->rate = speed->rate;
    slot->group->n_slots++;
    slot->group->rate += slot->rate;
}

// A slot that reads its prompt first takes no other call of its group before
// that one is due.
static void count_reader(struct slot *slot, const struct speed *speed,
                         int64_t now)
{
    struct group *group = slot->group;
    int64_t read_ms = speed_read_ms(speed, group);

    if (read_ms == 0)
        return;
    slot->due_ms = now + read_ms + speed->us / 1000;
    group->n_readers++;
    group->readers_rate += slot->rate;
    group->readers_due += (double)slot->due_ms * (double)slot->rate;
}

static void count_out(struct slot *slot)
{
    struct group *group = slot->group;

    group->n_slots--;
    group->rate -= slot->rate;
    if (slot->due_ms > 0) {
        group->n_readers--;
        group->readers_rate -= slot->rate;
        group->readers_due -= (double)slot->due_ms * (double)slot->rate;
    }
    if (group->n_readers == 0)
        group->readers_due = 0;
    slot->due_ms = 0;
    slot->rate = 0;
}

// Counts a busy slot in the group of the last call meant for it, so that the
// next choice sees where it is headed.
static void set_group(struct dispatch *dispatch, struct slot *slot,
                      const struct queued_call *queued)
{
    struct group *group = queued->group;

    if (slot->group == group)
        return;
    if (slot->lease != NULL)
        count_out(slot);
    group->refs++;
    group_leave(dispatch, slot);
    slot->group = group;
    if (slot->lease == NULL)
        return;
    struct speed speed =
        dispatch_worker_speed(slot->worker, queued->model, group->kind);
    count_in(slot, &speed);
}

// Detaches the worker's next lease from the slot that it waits for.
static struct lease *take_next(struct dispatch *dispatch,
                               struct dispatch_worker *worker)
{
    struct lease *next = worker->next;
    struct slot *slot = worker->next_slot;

    worker->next = NULL;
    worker->next_slot = NULL;
    if (slot != NULL && slot->lease != NULL)
        set_group(dispatch, slot, slot->lease->queued);
    return next;
}

// The lease's call gets the slot, and its time starts.
static void start_slot(struct dispatch *dispatch, struct slot *slot,
                       struct lease *lease, int64_t now)
{
    struct speed speed = dispatch_worker_speed(
        slot->worker, lease->queued->model, lease->queued->group->kind);

    ring_remove(&slot->home);
    lease->fresh = slot->last != lease->queued->group->node.key;
    slot->last = lease->queued->group->node.key;
    set_group(dispatch, slot, lease->queued);
    slot->lease = lease;
    count_in(slot, &speed);
    if (lease->fresh)
        count_reader(slot, &speed, now);
    ring_remove(&slot->link);
    ring_push_back(&slot->worker->busy, &slot->link);
    lease->slot = slot;
    lease->began_ms = now;
    heap_add(&dispatch->ends, &lease->end,
             now + lease->queued->timeout_ms + DISPATCH_LEASE_MARGIN_MS);
}

static void stop_slot(struct dispatch *dispatch, struct slot *slot, int64_t now)
{
    struct dispatch_worker *worker = slot->worker;
    struct lease *next = take_next(dispatch, worker);

    heap_remove(&dispatch->ends, &slot->lease->end);
    share_charge(dispatch, slot->lease->queued->share,
                 now - slot->lease->began_ms);
    slot->lease->slot = NULL;
    slot->lease = NULL;
    count_out(slot);
    ring_remove(&slot->link);
    slot->free_ms = now;
    ring_push_front(&worker->idle, &slot->link);
    ring_push_back(&slot->group->homes, &slot->home);
    dispatch_worker_release(dispatch, worker);
    if (next != NULL)
        start_slot(dispatch, slot, next, now);
}

// --- leases ---

// Inserts the lease by the time it was sent. That is nearly always the end;
// only a call that lost one of its leases is older.
static void list_by_age(struct ring *list, struct lease *lease)
{
    struct ring *at = list->prev;

    while (at != list &&
           RING_OWNER(at, struct lease, link)->sent_ms > lease->sent_ms)
        at = at->prev;
    ring_insert(at->next, &lease->link);
}

// Returns the lease that was sent last.
static struct lease *held_lease(const struct queued_call *queued)
{
    struct lease *lease = queued->leases;

    while (lease != NULL && lease->state != LEASE_HELD)
        lease = lease->sibling;
    return lease;
}

// Lists the call's last lease where hedging looks for it. A call with one lease
// may be hedged; so may one with two, if both are in vain.
static void list_out(const struct queued_call *queued)
{
    struct lease *last = held_lease(queued);

    if (last == NULL)
        return;
    ring_remove(&last->link);
    if (queued->n_held == 1)
        list_by_age(&queued->model->out, last);
    else if (queued->n_held == 2)
        list_by_age(&queued->model->doubled, last);
}

static struct lease *take_unused(struct dispatch *dispatch,
                                 struct dispatch_worker *worker, int64_t now)
{
    if (ring_empty(&worker->unused))
        lease_move(dispatch, RING_OWNER(worker->late.next, struct lease, link),
                   LEASE_UNUSED, now);
    struct lease *lease = RING_OWNER(worker->unused.next, struct lease, link);
    ring_remove(&lease->link);
    return lease;
}

// Makes the lease HELD, for a call that may have other leases.
static void enter_call(struct lease *lease, struct queued_call *queued,
                       int64_t now)
{
    struct lease *other = held_lease(queued);

    lease->state = LEASE_HELD;
    lease->call = queued->node.key;
    lease->sent_ms = now;
    lease->confirmed_ms = now;
    lease->fresh = false; // until it has a slot
    lease->queued = queued;
    lease->sibling = queued->leases;
    queued->leases = lease;
    queued->n_held++;
    queued->sent = true;
    if (other != NULL)
        ring_remove(&other->link);
    list_out(queued);
}

static void enter_place(struct lease *lease)
{
    lease->worker->n_places++;
    lease->seat = seat_take(lease->queued->share, lease->worker);
    if (lease->seat != NULL)
        seat_hold(lease->seat);
}

// Gives the lease an idle slot, or makes it wait for a busy one.
static void enter_slot(struct dispatch *dispatch, struct lease *lease,
                       int64_t now)
{
    struct dispatch_worker *worker = lease->worker;
    struct slot *slot = dispatch_worker_next_slot(worker);

    if (ring_empty(&worker->busy))
        worker->fed_ms = now;
    if (slot->lease == NULL) {
        start_slot(dispatch, slot, lease, now);
        return;
    }
    worker->next = lease;
    worker->next_slot = slot;
    set_group(dispatch, slot, lease->queued);
}

struct lease *lease_send(struct dispatch *dispatch,
                         struct dispatch_worker *worker,
                         struct queued_call *queued, int64_t now)
{
    struct lease *lease = take_unused(dispatch, worker, now);

    assert(worker->n_places < worker->n_slots + 1);
    dispatch_worker_release(dispatch, worker);
    table_add(&dispatch->leases, &lease->node, ++dispatch->last_lease);
    enter_call(lease, queued, now);
    enter_place(lease);
    lease->odd = worker->loaded != NULL && worker->loaded != queued->model;
    dispatch->n_swaps += lease->odd;
    worker->loaded = queued->model;
    enter_slot(dispatch, lease, now);
    if (worker->alarm.key > dispatch_worker_silence_ends(dispatch, worker))
        dispatch_worker_set_alarm(dispatch, worker);
    dispatch_worker_file(worker);
    return lease;
}

void lease_send_again(struct dispatch *dispatch, struct lease *lease,
                      int64_t now)
{
    lease->confirmed_ms = now;
    if (lease->slot == NULL)
        return;
    heap_remove(&dispatch->ends, &lease->end);
    lease->began_ms = now;
    lease->odd = true;
    ring_remove(&lease->slot->link);
    ring_push_back(&lease->worker->busy, &lease->slot->link);
    heap_add(&dispatch->ends, &lease->end,
             now + lease->queued->timeout_ms + DISPATCH_LEASE_MARGIN_MS);
}

static void leave_call(struct lease *lease)
{
    struct lease **at = &lease->queued->leases;

    while (*at != lease)
        at = &(*at)->sibling;
    *at = lease->sibling;
    lease->sibling = NULL;
    lease->queued = NULL;
}

// The lease stops being HELD: its slot becomes free, and its call has one lease
// less.
static void let_go(struct dispatch *dispatch, struct lease *lease, int64_t now)
{
    struct dispatch_worker *worker = lease->worker;
    struct queued_call *queued = lease->queued;

    if (worker->next == lease)
        (void)take_next(dispatch, worker);
    else
        stop_slot(dispatch, lease->slot, now);
    lease->state = LEASE_UNUSED;
    queued->n_held--;
    list_out(queued);
}

static bool takes_place(enum lease_state state)
{
    return state == LEASE_HELD || state == LEASE_ANSWERED;
}

static void leave_place(struct lease *lease)
{
    lease->worker->n_places--;
    if (lease->seat != NULL)
        seat_let_go(lease->seat);
    lease->seat = NULL;
}

static bool is_known(enum lease_state state)
{
    return state != LEASE_UNUSED && state != LEASE_CANCELLED;
}

void lease_move(struct dispatch *dispatch, struct lease *lease,
                enum lease_state to, int64_t now)
{
    struct dispatch_worker *worker = lease->worker;
    struct ring *const lists[] = {
        [LEASE_UNUSED] = &worker->unused,
        [LEASE_LATE] = &worker->late,
        [LEASE_ANSWERED] = &worker->answered,
        [LEASE_CANCELLED] = &dispatch->cancels,
    };
    enum lease_state from = lease->state;

    assert(from != to && to != LEASE_HELD);
    ring_remove(&lease->link);
    if (from == LEASE_HELD)
        let_go(dispatch, lease, now);
    if (lease->queued != NULL && to != LEASE_LATE)
        leave_call(lease);
    if (is_known(from) && !is_known(to))
        table_remove(&dispatch->leases, &lease->node);
    if (takes_place(from) && !takes_place(to))
        leave_place(lease);
    lease->state = to;
    ring_push_back(lists[to], &lease->link);
    dispatch_worker_file(worker);
}
