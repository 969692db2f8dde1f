#include "simulated/sim_slots.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/cond.h"

enum {
    LOADED_MAX = 16,
    LOOK_MS = 50,
    WORTH_SHARING = 10, // minimum share of the prompt: one part in ten
};

struct slot {
    bool busy;
    struct sim_loaded owner; // the model of that prompt
    struct buf known;        // the prompt it remembers
    uint64_t used;           // when last used
};

struct model {
    struct sim_loaded what;
    uint64_t used; // when last used; 0: the place is free
};

struct sim_waiter {
    pthread_cond_t turn;
    struct sim_waiter *next;
};

// Invariants: the waiters form a queue, and only the first of them may take a
// slot or load a model. `loading` is true while it sleeps on a load, without
// the lock.
struct sim_slots {
    pthread_mutex_t lock;
    struct sim_slots_options options;
    struct slot *slots;
    struct model loaded[LOADED_MAX];
    uint64_t now;
    struct sim_waiter *first;
    struct sim_waiter **last;
    size_t waiting;
    bool loading;
    bool stopped;
};

struct sim_slots *sim_slots_new(const struct sim_slots_options *options)
{
    struct sim_slots *slots = calloc(1, sizeof *slots);
    if (slots == NULL)
        return NULL;
    slots->options = *options;
    if (slots->options.models_loaded > LOADED_MAX)
        slots->options.models_loaded = LOADED_MAX;
    slots->last = &slots->first;
    slots->slots = calloc(options->slots, sizeof *slots->slots);
    if (slots->slots == NULL || pthread_mutex_init(&slots->lock, NULL) != 0) {
        free(slots->slots);
        free(slots);
        return NULL;
    }
    for (size_t i = 0; i < options->slots; i++)
        slots->slots[i].known = BUF_INIT(SIM_PROMPT_MAX_BYTES);
    return slots;
}

void sim_slots_free(struct sim_slots *slots)
{
    if (slots == NULL)
        return;
    for (size_t i = 0; i < slots->options.slots; i++)
        buf_release(&slots->slots[i].known);
    pthread_mutex_destroy(&slots->lock);
    free(slots->slots);
    free(slots);
}

// ---- the queue; all under the lock

static void join_queue(struct sim_slots *slots, struct sim_waiter *waiter)
{
    *slots->last = waiter;
    slots->last = &waiter->next;
    slots->waiting++;
}

static void wake_first(struct sim_slots *slots)
{
    if (slots->first != NULL)
        pthread_cond_signal(&slots->first->turn);
}

static void leave_queue(struct sim_slots *slots, struct sim_waiter *waiter)
{
    struct sim_waiter **at = &slots->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (slots->last == &waiter->next)
        slots->last = at;
    slots->waiting--;
    wake_first(slots);
}

static void wait_turn(struct sim_slots *slots, struct sim_waiter *waiter,
                      int64_t at_most_ms)
{
    const struct timespec until = cond_deadline(at_most_ms);
    pthread_cond_timedwait(&waiter->turn, &slots->lock, &until);
}

// ---- slots and models; all under the lock

static bool is_idle(const struct sim_slots *slots)
{
    for (size_t i = 0; i < slots->options.slots; i++)
        if (slots->slots[i].busy)
            return false;
    return true;
}

static size_t shared_bytes(const struct slot *slot, const struct sim_wish *wish)
{
    const struct buf *prompt = wish->prompt;
    size_t most = slot->known.len < prompt->len ? slot->known.len : prompt->len;
    size_t n = 0;
    if (slot->owner.num_ctx != wish->num_ctx ||
        strcmp(slot->owner.model, wish->model) != 0)
        return 0;
    while (n < most && slot->known.data[n] == prompt->data[n])
        n++;
    return n;
}

// Returns the free slot that shares the most with the prompt, if that is worth
// it, else the least recently used one, so that prefixes in use survive.
static struct slot *best_slot(struct sim_slots *slots,
                              const struct sim_wish *wish, size_t *shared)
{
    struct slot *best = NULL;
    struct slot *oldest = NULL;
    *shared = 0;
    for (size_t i = 0; i < slots->options.slots; i++) {
        struct slot *slot = &slots->slots[i];
        if (slot->busy)
            continue;
        size_t one = shared_bytes(slot, wish);
        if (oldest == NULL || slot->used < oldest->used)
            oldest = slot;
        if (one > *shared && one * WORTH_SHARING >= wish->prompt->len) {
            best = slot;
            *shared = one;
        }
    }
    if (best == NULL && oldest != NULL)
        *shared = shared_bytes(oldest, wish);
    return best != NULL ? best : oldest;
}

static struct model *find_model(struct sim_slots *slots, const char *model)
{
    for (size_t i = 0; i < slots->options.models_loaded; i++)
        if (slots->loaded[i].used > 0 &&
            strcmp(slots->loaded[i].what.model, model) == 0)
            return &slots->loaded[i];
    return NULL;
}

// Returns the place where the model is loaded, else a free one, else the least
// recently used one.
static struct model *place_for(struct sim_slots *slots, const char *model)
{
    struct model *place = find_model(slots, model);
    for (size_t i = 0; i < slots->options.models_loaded && place == NULL; i++)
        if (slots->loaded[i].used == 0)
            place = &slots->loaded[i];
    if (place != NULL)
        return place;
    place = &slots->loaded[0];
    for (size_t i = 1; i < slots->options.models_loaded; i++)
        if (slots->loaded[i].used < place->used)
            place = &slots->loaded[i];
    return place;
}

static bool is_loaded(struct sim_slots *slots, const char *model,
                      int64_t num_ctx)
{
    struct model *held = find_model(slots, model);
    return held != NULL && held->what.num_ctx == num_ctx;
}

// Sleeps without the lock for as long as loading takes. Returns false if the
// client left meanwhile or the server stops.
static bool load(struct sim_slots *slots, struct sim_waiter *waiter,
                 const struct sim_wish *wish)
{
    struct model *place = place_for(slots, wish->model);
    int64_t end = clock_monotonic_ms() + slots->options.swap_ms;
    bool left = false;
    slots->loading = true;
    place->used = 0;
    for (int64_t rest = slots->options.swap_ms; rest > 0 && !left;
         rest = end - clock_monotonic_ms()) {
        wait_turn(slots, waiter, rest < LOOK_MS ? rest : LOOK_MS);
        left = slots->stopped || wish->gone(wish->data);
    }
    slots->loading = false;
    if (left)
        return false;
    memset(&place->what, 0, sizeof place->what);
    strncpy(place->what.model, wish->model, SIM_MODEL_NAME_MAX - 1);
    place->what.num_ctx = wish->num_ctx;
    place->used = ++slots->now;
    return true;
}

static void occupy(struct sim_slots *slots, struct slot *slot,
                   const struct sim_wish *wish, size_t shared,
                   struct sim_lease *lease)
{
    const struct buf *prompt = wish->prompt;
    slot->busy = true;
    memset(&slot->owner, 0, sizeof slot->owner);
    strncpy(slot->owner.model, wish->model, SIM_MODEL_NAME_MAX - 1);
    slot->owner.num_ctx = wish->num_ctx;
    slot->known.len = shared; // the rest is new
    buf_append(&slot->known, prompt->data + shared, prompt->len - shared);
    if (slot->known.failed)
        buf_clear(&slot->known);
    slot->used = ++slots->now;
    find_model(slots, wish->model)->used = slots->now;
    lease->slot = (size_t)(slot - slots->slots);
    lease->shared_bytes = shared;
}

// Lets the first in the queue try once. Returns true if it was served or is
// gone.
static bool try_take(struct sim_slots *slots, struct sim_waiter *waiter,
                     const struct sim_wish *wish, struct sim_lease *lease,
                     enum sim_grant *grant)
{
    if (!is_loaded(slots, wish->model, wish->num_ctx)) {
        if (!is_idle(slots))
            return false;
        int64_t start = clock_monotonic_us();
        if (!load(slots, waiter, wish)) {
            *grant = SIM_GONE;
            return true;
        }
        lease->load_us = clock_monotonic_us() - start + 1;
    }
    size_t shared = 0;
    struct slot *slot = best_slot(slots, wish, &shared);
    if (slot == NULL)
        return false;
    occupy(slots, slot, wish, shared, lease);
    *grant = SIM_GRANTED;
    return true;
}

enum sim_grant sim_slots_take(struct sim_slots *slots,
                              const struct sim_wish *wish,
                              struct sim_lease *lease)
{
    enum sim_grant grant = SIM_GONE;
    struct sim_waiter waiter = {.next = NULL};
    *lease = (struct sim_lease){.slot = 0};
    cond_init(&waiter.turn);

    pthread_mutex_lock(&slots->lock);
    if (slots->waiting >= slots->options.queue && slots->loading) {
        pthread_mutex_unlock(&slots->lock);
        pthread_cond_destroy(&waiter.turn);
        return SIM_FULL;
    }
    join_queue(slots, &waiter);
    while (!slots->stopped) {
        if (slots->first == &waiter &&
            try_take(slots, &waiter, wish, lease, &grant))
            break;
        wait_turn(slots, &waiter, LOOK_MS);
        if (wish->gone(wish->data))
            break;
    }
    leave_queue(slots, &waiter);
    pthread_mutex_unlock(&slots->lock);
    pthread_cond_destroy(&waiter.turn);
    return grant;
}

void sim_slots_give(struct sim_slots *slots, const struct sim_lease *lease)
{
    pthread_mutex_lock(&slots->lock);
    slots->slots[lease->slot].busy = false;
    wake_first(slots);
    pthread_mutex_unlock(&slots->lock);
}

void sim_slots_unload(struct sim_slots *slots, const char *model)
{
    pthread_mutex_lock(&slots->lock);
    struct model *held = find_model(slots, model);
    if (held != NULL)
        held->used = 0;
    pthread_mutex_unlock(&slots->lock);
}

size_t sim_slots_loaded(struct sim_slots *slots, struct sim_loaded *list,
                        size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&slots->lock);
    for (size_t i = 0; i < slots->options.models_loaded && n < max; i++)
        if (slots->loaded[i].used > 0)
            list[n++] = slots->loaded[i].what;
    pthread_mutex_unlock(&slots->lock);
    return n;
}

void sim_slots_stop(struct sim_slots *slots)
{
    pthread_mutex_lock(&slots->lock);
    slots->stopped = true;
    for (struct sim_waiter *at = slots->first; at != NULL; at = at->next)
        pthread_cond_signal(&at->turn);
    pthread_mutex_unlock(&slots->lock);
}
