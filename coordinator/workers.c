#include "coordinator/workers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

// Far above any cluster that one coordinator can serve; 50 MB at most.
enum {
    WORKERS_MOST = 16384,
    SLOTS_MOST = 131072,
    MODELS_MOST = 131072,
};

// Frees what describes the worker's server.
static void free_server(struct worker_info *worker)
{
    for (size_t i = 0; i < worker->n_models; i++) {
        free(worker->models[i].name);
        free(worker->models[i].digest);
    }
    free(worker->models);
    free(worker->server);
}

static void free_worker(struct worker_info *worker)
{
    free_server(worker);
    free(worker->name);
    free(worker);
}

void workers_release(struct workers *workers)
{
    while (workers->workers != NULL) {
        struct worker_info *next = workers->workers->next;

        free_worker(workers->workers);
        workers->workers = next;
    }
    map_release(&workers->by_number);
    map_release(&workers->by_name);
    *workers = WORKERS_INIT;
}

// Returns "HEAD TAIL", or "HEADTAIL" for an empty separator, which the caller
// frees; NULL when out of memory.
static char *joined(const char *head, const char *separator, const char *tail)
{
    size_t size = strlen(head) + strlen(separator) + strlen(tail) + 1;
    char *text = malloc(size);

    if (text != NULL)
        text_print(text, size, "%s%s%s", head, separator, tail);
    return text;
}

static bool copy_models(struct worker_info *worker, const struct hello *hello)
{
    worker->models = calloc(hello->n_models + 1, sizeof *worker->models);
    if (worker->models == NULL)
        return false;
    for (size_t i = 0; i < hello->n_models; i++) {
        const char *digest = hello->models[i].digest;
        const char *mark = hello->simulated != 0 ? MODELS_SIMULATED : "";
        struct worker_model *model = &worker->models[worker->n_models++];

        model->name = strdup(hello->models[i].name);
        model->digest = joined(mark, "", digest);
        model->context = hello->models[i].context;
        if (model->name == NULL || model->digest == NULL)
            return false;
    }
    return true;
}

// Tells dispatch which of the models that jobs ask the worker has. A model
// without a digest matches every revision that jobs have given for its name.
static bool announce(const struct worker_info *worker,
                     const struct models *models, struct dispatch *dispatch,
                     int64_t now, struct err *err)
{
    if (!dispatch_join(dispatch, worker->number, (int)worker->slots, now, err))
        return false;
    for (size_t i = 0; i < models->n; i++) {
        const struct model_entry *asked = &models->entries[i];

        if (asked->name != NULL && worker_fits(worker, asked, NULL, 0) &&
            !dispatch_serves(dispatch, worker->number, (int32_t)i, err))
            return false;
    }
    return true;
}

static struct hash name_key(const char *name)
{
    return hash_of("worker", name, strlen(name));
}

// Returns the worker's name, with a number if another connected worker has it
// already; also if one calls itself by such a name.
static char *unique_name(const struct workers *workers, const char *name)
{
    struct hash key = name_key(name);
    char *unique = strdup(name);
    char number[16];

    for (int32_t n = workers->last_number + 1;
         unique != NULL && map_find(&workers->by_name, &key) != NULL; n++) {
        free(unique);
        snprintf(number, sizeof number, "%" PRId32, n);
        unique = joined(name, "#", number);
        if (unique != NULL)
            key = name_key(unique);
    }
    return unique;
}

static bool has_room(const struct workers *workers, const struct hello *hello,
                     struct err *err)
{
    if (workers->n < WORKERS_MOST &&
        workers->slots + hello->slots <= SLOTS_MOST &&
        workers->n_models + hello->n_models <= MODELS_MOST)
        return true;
    err_set(err, ERR_BUSY,
            "this coordinator has %zu workers with %lld slots and %zu models "
            "and takes no more: start another coordinator for the others",
            workers->n, (long long)workers->slots, workers->n_models);
    return false;
}

// If it fails for lack of memory, nothing has changed.
static bool list_worker(struct workers *workers, struct worker_info *worker)
{
    struct hash number = map_number(worker->number);
    struct hash name = name_key(worker->name);

    if (!map_put(&workers->by_number, &number, worker))
        return false;
    if (!map_put(&workers->by_name, &name, worker)) {
        map_remove(&workers->by_number, &number);
        return false;
    }
    worker->before = workers->last;
    if (workers->last == NULL)
        workers->workers = worker;
    else
        workers->last->next = worker;
    workers->last = worker;
    workers->n++;
    workers->slots += worker->slots;
    workers->n_models += worker->n_models;
    return true;
}

static struct worker_info *make_worker(const struct workers *workers,
                                       const struct hello *hello)
{
    struct worker_info *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        return NULL;
    worker->number = workers->last_number + 1;
    worker->slots = hello->slots;
    worker->name = unique_name(workers, hello->name);
    worker->server = joined(hello->backend, " ", hello->server);
    if (worker->name != NULL && worker->server != NULL &&
        copy_models(worker, hello))
        return worker;
    free_worker(worker);
    return NULL;
}

struct worker_info *workers_join(struct workers *workers,
                                 const struct hello *hello,
                                 const struct models *models,
                                 struct dispatch *dispatch, int64_t now,
                                 struct err *err)
{
    struct worker_info *worker;

    if (!has_room(workers, hello, err))
        return NULL;
    worker = make_worker(workers, hello);
    if (worker == NULL) {
        err_nomem(err, "a worker");
        return NULL;
    }
    if (!announce(worker, models, dispatch, now, err))
        goto failed;
    if (!list_worker(workers, worker)) {
        err_nomem(err, "a worker");
        goto failed;
    }
    workers->last_number++;
    if (workers->n == 1)
        workers->joined_ms = now;
    return worker;

failed:
    dispatch_leave(dispatch, worker->number, now);
    free_worker(worker);
    return NULL;
}

static bool same_server(const struct worker_info *a,
                        const struct worker_info *b)
{
    if (a->n_models != b->n_models || strcmp(a->server, b->server) != 0)
        return false;
    for (size_t i = 0; i < a->n_models; i++)
        if (strcmp(a->models[i].name, b->models[i].name) != 0 ||
            strcmp(a->models[i].digest, b->models[i].digest) != 0 ||
            a->models[i].context != b->models[i].context)
            return false;
    return true;
}

static void swap_servers(struct worker_info *a, struct worker_info *b)
{
    struct worker_info was = *a;

    a->server = b->server;
    a->models = b->models;
    a->n_models = b->n_models;
    b->server = was.server;
    b->models = was.models;
    b->n_models = was.n_models;
}

bool workers_change(struct workers *workers, struct worker_info *worker,
                    const struct hello *hello, const struct models *models,
                    struct dispatch *dispatch, struct err *err)
{
    struct worker_info now = {.server =
                                  joined(hello->backend, " ", hello->server)};
    bool ok = now.server != NULL && copy_models(&now, hello);

    if (!ok)
        err_nomem(err, "the models of a worker");
    if (!ok || same_server(worker, &now) ||
        workers->n_models + now.n_models > MODELS_MOST) {
        free_server(&now);
        return false;
    }
    workers->n_models += now.n_models - worker->n_models;
    swap_servers(worker, &now);
    free_server(&now);
    worker->changes++;
    worker->asked = false;
    for (size_t i = 0; i < models->n; i++) {
        const struct model_entry *asked = &models->entries[i];

        if (asked->name == NULL)
            continue;
        if (!worker_fits(worker, asked, NULL, 0))
            dispatch_refuse(dispatch, worker->number, (int32_t)i);
        else if (!dispatch_serves(dispatch, worker->number, (int32_t)i, err))
            return false;
    }
    return true;
}

struct worker_info *workers_find(const struct workers *workers, int32_t number)
{
    struct hash key = map_number(number);

    return map_find(&workers->by_number, &key);
}

void workers_leave(struct workers *workers, int32_t number)
{
    struct worker_info *worker = workers_find(workers, number);
    struct hash key = map_number(number);

    if (worker == NULL)
        return;
    map_remove(&workers->by_number, &key);
    key = name_key(worker->name);
    map_remove(&workers->by_name, &key);
    if (worker->before == NULL)
        workers->workers = worker->next;
    else
        worker->before->next = worker->next;
    if (worker->next == NULL)
        workers->last = worker->before;
    else
        worker->next->before = worker->before;
    workers->n--;
    workers->slots -= worker->slots;
    workers->n_models -= worker->n_models;
    free_worker(worker);
}

static bool is_listed(const struct workers *workers,
                      const struct worker_info *end, const char *model)
{
    for (const struct worker_info *w = workers->workers; w != end; w = w->next)
        if (worker_find_model(w, model) != NULL)
            return true;
    return false;
}

void workers_failed(struct workers *workers, struct worker_info *worker,
                    enum call_fault fault, const char *text, int64_t now)
{
    struct worker_fault *last = &workers->last_fault;

    worker->faults++;
    worker->asked = true;
    text_print(worker->last_fault, sizeof worker->last_fault, "%s: %.140s",
               call_fault_name(fault), text);
    last->fault = fault;
    last->ms = now;
    text_print(last->worker, sizeof last->worker, "%s", worker->name);
    text_print(last->text, sizeof last->text, "%s", text);
}

// Puts each name once into names, which has room for all; returns how many.
static size_t collect_models(const struct workers *workers, const char **names)
{
    size_t n = 0;

    for (const struct worker_info *w = workers->workers; w != NULL; w = w->next)
        for (size_t i = 0; i < w->n_models; i++)
            if (!is_listed(workers, w, w->models[i].name))
                names[n++] = w->models[i].name;
    return n;
}

void workers_list_models(const struct workers *workers, const char *wanted,
                         struct buf *out)
{
    size_t n = 0;

    for (const struct worker_info *w = workers->workers; w != NULL; w = w->next)
        n += w->n_models;
    const char **names = calloc(n + 1, sizeof *names);
    if (names == NULL)
        return;
    n = collect_models(workers, names);
    const char *near = text_nearest(wanted, names, n);
    if (near != NULL)
        buf_puts(out, near);
    for (size_t i = 0; i < n; i++)
        if (names[i] != near)
            buf_printf(out, "%s%s", out->len > 0 ? ", " : "", names[i]);
    free(names);
}
