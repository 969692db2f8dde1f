#include "predict/service.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/cond.h"
#include "common/thread.h"

enum {
    AHEAD = 2, // open runs per slot
    TURN_MS = 1000,
    LOOK_MS = 500, // how often to check whether the caller is gone
};

// What one call of service_run waits for; on its stack.
struct batch {
    size_t left; // results still missing
    pthread_cond_t done;
};

struct batch_entry {
    struct batch_entry *next;
    json_t *inputs; // owned by the entry
    struct run_result *result;
    struct batch *batch;
    int64_t since_us;
};

struct service {
    struct service_options options;
    struct run_pool *pool; // used only by the thread
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; // protects everything below
    pthread_cond_t work;  // there is something to do, or to stop
    struct batch_entry *first, **last;
    struct service_status status;
    bool stopping;
};

// --- results ---

// Settles an entry and takes it, and the outputs in result. Needs the lock.
static void settle(struct service *service, struct batch_entry *entry,
                   const struct run_result *result)
{
    struct batch *batch = entry->batch;

    *entry->result = *result;
    service->status.ended[result->end]++;
    service->status.repairs += result->repairs;
    service->status.run_us += clock_monotonic_us() - entry->since_us;
    json_decref(entry->inputs);
    free(entry);
    if (--batch->left == 0)
        (void)pthread_cond_signal(&batch->done);
}

static void settle_as_stopped(struct service *service,
                              struct batch_entry *entry)
{
    struct run_result result = {.end = RUN_END_SERVER};

    err_set(&result.err, ERR_STOPPED, "the server was stopped");
    settle(service, entry, &result);
}

// --- the thread ---

// Takes the next waiting entry. Needs the lock.
static struct batch_entry *take_waiting(struct service *service)
{
    struct batch_entry *entry = service->first;

    if (entry == NULL)
        return NULL;
    service->first = entry->next;
    if (service->first == NULL)
        service->last = &service->first;
    service->status.waiting--;
    return entry;
}

// Waits until there is something to do; returns false to stop. Needs the lock.
static bool wait_for_work(struct service *service)
{
    while (!service->stopping && service->first == NULL &&
           service->status.running == 0 && !run_pool_is_loading(service->pool))
        (void)pthread_cond_wait(&service->work, &service->lock);
    return !service->stopping;
}

static void begin_waiting(struct service *service)
{
    struct batch_entry *entry;

    while (run_pool_has_room(service->pool) &&
           (entry = take_waiting(service)) != NULL) {
        service->status.running++;
        run_pool_begin(service->pool, (uint64_t)(uintptr_t)entry,
                       entry->inputs);
    }
}

static void take_results(struct service *service)
{
    struct run_result result;

    while (run_pool_take(service->pool, &result)) {
        service->status.running--;
        settle(service, (struct batch_entry *)(uintptr_t)result.tag, &result);
    }
}

// A turn fails only when out of memory; the next turn then tries again what was
// begun.
static void *serve(void *user)
{
    struct service *service = user;

    (void)pthread_mutex_lock(&service->lock);
    while (wait_for_work(service)) {
        struct err err = ERR_CLEAR;

        begin_waiting(service);
        (void)pthread_mutex_unlock(&service->lock);
        (void)run_pool_turn(service->pool, TURN_MS, &err);
        (void)pthread_mutex_lock(&service->lock);
        take_results(service);
    }
    (void)pthread_mutex_unlock(&service->lock);
    return NULL;
}

// --- starting and stopping ---

static struct run_pool *make_pool(const struct service_options *options,
                                  struct err *err)
{
    struct run_pool_options with = {.compiled = options->compiled,
                                    .client = options->client,
                                    .slots = options->slots,
                                    .places = (size_t)options->slots * AHEAD,
                                    .timeout_ms = options->timeout_ms,
                                    .allow_exec = options->allow_exec};

    return run_pool_new(&with, err);
}

struct service *service_start(const struct service_options *options,
                              struct err *err)
{
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL) {
        err_nomem(err, "the service");
        return NULL;
    }
    service->options = *options;
    service->last = &service->first;
    (void)pthread_mutex_init(&service->lock, NULL);
    (void)pthread_cond_init(&service->work, NULL);
    service->pool = make_pool(options, err);
    if (service->pool != NULL &&
        thread_start(&service->thread, serve, service, "the service", err)) {
        service->started = true;
        return service;
    }
    service_free(service);
    return NULL;
}

static void drop_rest(struct service *service)
{
    struct batch_entry *entry;

    (void)pthread_mutex_lock(&service->lock);
    while ((entry = take_waiting(service)) != NULL)
        settle_as_stopped(service, entry);
    (void)pthread_mutex_unlock(&service->lock);
}

static void drop_running(struct service *service)
{
    uint64_t tag;

    (void)pthread_mutex_lock(&service->lock);
    while (run_pool_drop(service->pool, &tag)) {
        service->status.running--;
        settle_as_stopped(service, (struct batch_entry *)(uintptr_t)tag);
    }
    (void)pthread_mutex_unlock(&service->lock);
}

void service_stop(struct service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    service->stopping = true;
    service->status.draining = true;
    (void)pthread_cond_signal(&service->work);
    (void)pthread_mutex_unlock(&service->lock);
    model_wake(service->options.client);
    if (service->started)
        (void)pthread_join(service->thread, NULL);
    service->started = false;
    drop_running(service);
    drop_rest(service);
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    assert(!service->started);
    run_pool_free(service->pool);
    (void)pthread_cond_destroy(&service->work);
    (void)pthread_mutex_destroy(&service->lock);
    free(service);
}

// --- asking ---

static void free_entries(struct batch_entry *entry)
{
    while (entry != NULL) {
        struct batch_entry *next = entry->next;

        json_decref(entry->inputs);
        free(entry);
        entry = next;
    }
}

static struct batch_entry *make_entries(json_t *const *inputs, size_t n,
                                        struct run_result *results,
                                        struct batch *batch)
{
    struct batch_entry *first = NULL;
    struct batch_entry **last = &first;
    int64_t now = clock_monotonic_us();

    for (size_t i = 0; i < n; i++) {
        struct batch_entry *entry = calloc(1, sizeof *entry);

        if (entry == NULL) {
            free_entries(first);
            return NULL;
        }
        *entry = (struct batch_entry){.inputs = json_incref(inputs[i]),
                                      .result = &results[i],
                                      .batch = batch,
                                      .since_us = now};
        *last = entry;
        last = &entry->next;
    }
    return first;
}

// Returns true if n more may wait. Needs the lock.
static bool has_room(const struct service *service, size_t n, struct err *err)
{
    const struct service_status *status = &service->status;

    if (status->draining) {
        err_set(err, ERR_STOPPED, "the server is stopping");
        return false;
    }
    if (n <= service->options.max_waiting - status->waiting)
        return true;
    err_set(err, ERR_BUSY,
            "%zu inputs are already waiting, of at most %zu: ask again later",
            status->waiting, service->options.max_waiting);
    return false;
}

// Queues the entries and takes them. Needs the lock.
static void enqueue(struct service *service, struct batch_entry *first,
                    size_t n)
{
    *service->last = first;
    while (*service->last != NULL)
        service->last = &(*service->last)->next;
    service->status.waiting += n;
    (void)pthread_cond_signal(&service->work);
}

// Ends the entries of the batch that are still waiting. Needs the lock.
static void withdraw(struct service *service, struct batch *batch)
{
    struct run_result result = {.end = RUN_END_SERVER};
    struct batch_entry **at = &service->first;

    err_set(&result.err, ERR_STOPPED, "the caller is gone");
    while (*at != NULL) {
        struct batch_entry *entry = *at;

        if (entry->batch != batch) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        service->status.waiting--;
        service->status.withdrawn++;
        service->status.ended[RUN_END_SERVER]--; // it has not run
        settle(service, entry, &result);
    }
    service->last = at;
}

// Waits until all of the batch have ended, or LOOK_MS have passed. Needs the
// lock.
static void wait_a_while(struct service *service, struct batch *batch)
{
    const struct timespec until = cond_deadline(LOOK_MS);

    while (batch->left > 0 &&
           pthread_cond_timedwait(&batch->done, &service->lock, &until) == 0)
        continue;
}

static void wait_for_all(struct service *service,
                         const struct service_caller *caller,
                         struct batch *batch)
{
    bool gone = false;

    while (batch->left > 0) {
        wait_a_while(service, batch);
        if (!gone && batch->left > 0 && caller->gone(caller->user)) {
            gone = true;
            withdraw(service, batch);
        }
    }
}

bool service_run(struct service *service, const struct service_caller *caller,
                 json_t *const *inputs, size_t n, struct run_result *results,
                 struct err *err)
{
    struct batch batch = {.left = n};
    struct batch_entry *entries = make_entries(inputs, n, results, &batch);
    bool ok;

    if (entries == NULL && n > 0) {
        err_nomem(err, "the inputs");
        return false;
    }
    cond_init(&batch.done);
    (void)pthread_mutex_lock(&service->lock);
    ok = has_room(service, n, err);
    if (ok && n > 0) {
        enqueue(service, entries, n);
        model_wake(service->options.client);
        wait_for_all(service, caller, &batch);
    }
    (void)pthread_mutex_unlock(&service->lock);
    if (!ok)
        free_entries(entries);
    (void)pthread_cond_destroy(&batch.done);
    return ok;
}

void service_status(struct service *service, struct service_status *out)
{
    (void)pthread_mutex_lock(&service->lock);
    *out = service->status;
    (void)pthread_mutex_unlock(&service->lock);
}

// --- draining ---

void service_drain(struct service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    service->status.draining = true;
    (void)pthread_mutex_unlock(&service->lock);
}
