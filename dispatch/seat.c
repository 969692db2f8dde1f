#include "dispatch/seat.h"

#include <assert.h>
#include <stdlib.h>

static struct seat *seat_in(struct ring *link)
{
    return RING_OWNER(link, struct seat, of_share);
}

static struct seat *seat_of(struct ring *link)
{
    return RING_OWNER(link, struct seat, of_worker);
}

// Stops counting the leases of the seat.
static void forget_leases(struct seat *seat)
{
    struct dispatch_worker *worker = seat->worker;

    for (size_t i = 0; seat->n_held > 0 && i < worker->n_leases; i++)
        if (worker->leases[i].seat == seat) {
            worker->leases[i].seat = NULL;
            seat->n_held--;
        }
}

static void clear(struct share *share)
{
    for (int32_t i = 0; i < share->max_workers; i++) {
        struct seat *seat = &share->seats[i];

        if (seat->worker == NULL)
            continue;
        if (seat->n_held > 0)
            forget_leases(seat);
        else
            share->n_idle--;
        ring_remove(&seat->of_worker);
    }
    free(share->seats);
}

bool seats_set(struct share *share, int32_t n)
{
    struct seat *seats = n == 0 ? NULL : calloc((size_t)n, sizeof *seats);

    if (n > 0 && seats == NULL)
        return false;
    clear(share);
    share->seats = seats;
    share->max_workers = n;
    ring_init(&share->vacant);
    ring_init(&share->ready);
    ring_init(&share->busy);
    for (int32_t i = 0; i < n; i++) {
        seats[i].share = share;
        ring_init(&seats[i].of_worker);
        ring_push_back(&share->vacant, &seats[i].of_share);
    }
    return true;
}

bool seats_are_full(const struct share *share)
{
    return share->max_workers > 0 && ring_empty(&share->vacant);
}

struct seat *seat_find(const struct share *share,
                       const struct dispatch_worker *worker)
{
    for (struct ring *at = worker->seats.next; at != &worker->seats;
         at = at->next)
        if (seat_of(at)->share == share)
            return seat_of(at);
    return NULL;
}

struct seat *seat_take(struct share *share, struct dispatch_worker *worker)
{
    struct seat *seat = seat_find(share, worker);

    if (seat != NULL || share->max_workers == 0 || ring_empty(&share->vacant))
        return seat;
    seat = seat_in(share->vacant.next);
    seat->worker = worker;
    share->n_idle++;
    ring_push_back(&worker->seats, &seat->of_worker);
    ring_remove(&seat->of_share);
    ring_push_back(&share->ready, &seat->of_share);
    seat->ready = true;
    return seat;
}

// Only taken seats are looked at, and a taken seat is seldom without a call.
struct seat *seat_find_idle(const struct share *share)
{
    const struct ring *const heads[] = {&share->busy, &share->ready};

    for (int i = 0; i < 2 && share->n_idle > 0; i++)
        for (struct ring *at = heads[i]->next; at != heads[i]; at = at->next)
            if (seat_in(at)->n_held == 0)
                return seat_in(at);
    return NULL;
}

void seat_leave(struct seat *seat)
{
    assert(seat->worker != NULL && seat->n_held == 0);

    seat->worker = NULL;
    seat->share->n_idle--;
    ring_remove(&seat->of_worker);
    ring_remove(&seat->of_share);
    ring_push_back(&seat->share->vacant, &seat->of_share);
}

void seat_hold(struct seat *seat)
{
    if (seat->n_held++ == 0)
        seat->share->n_idle--;
}

void seat_let_go(struct seat *seat)
{
    if (--seat->n_held == 0)
        seat->share->n_idle++;
}

void seats_file(struct dispatch_worker *worker, bool live, bool has_place)
{
    struct ring *at = worker->seats.next;

    while (at != &worker->seats) {
        struct seat *seat = seat_of(at);
        struct share *share = seat->share;

        at = at->next;
        if (!live && seat->n_held == 0) {
            seat_leave(seat);
            continue;
        }
        if (seat->ready == has_place)
            continue;
        seat->ready = has_place;
        ring_remove(&seat->of_share);
        ring_push_back(has_place ? &share->ready : &share->busy,
                       &seat->of_share);
    }
}
