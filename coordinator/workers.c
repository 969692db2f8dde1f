#include "coordinator/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static void free_worker(struct worker_info *worker)
{
    for (size_t i = 0; i < worker->n_models; i++) {
        free(worker->models[i].name);
        free(worker->models[i].digest);
    }
    free(worker->models);
    free(worker->name);
    free(worker->server);
    free(worker);
}

void workers_release(struct workers *workers)
{
    while (workers->workers != NULL) {
        struct worker_info *next = workers->workers->next;

        free_worker(workers->workers);
        workers->workers = next;
    }
    *workers = WORKERS_INIT;
}

// strdup of "HEAD TAIL" or "HEADTAIL"; NULL without memory.
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
        if (model->name == NULL || model->digest == NULL)
            return false;
    }
    return true;
}

// Tells dispatch which numbered models the worker has. A model without digest
// goes by every revision that jobs have given for its name.
static bool announce_model(const struct worker_info *worker,
                           const struct worker_model *model,
                           struct models *models, struct dispatch *dispatch,
                           struct err *err)
{
    int32_t number;

    if (models_worker_digest(model->digest)[0] != '\0') {
        number = models_number(models, model->name, model->digest, err);
        return number >= 0 &&
               dispatch_serves(dispatch, worker->number, number, err);
    }
    for (size_t i = 0; i < models->n; i++)
        if (models_same(models->entries[i].name, model->name) &&
            models_fits(models->entries[i].digest, model->digest) &&
            !dispatch_serves(dispatch, worker->number, (int32_t)i, err))
            return false;
    return true;
}

static bool announce(const struct worker_info *worker, struct models *models,
                     struct dispatch *dispatch, int64_t now, struct err *err)
{
    if (!dispatch_join(dispatch, worker->number, (int)worker->slots, now, err))
        return false;
    for (size_t i = 0; i < worker->n_models; i++)
        if (!announce_model(worker, &worker->models[i], models, dispatch, err))
            return false;
    return true;
}

static bool name_taken(const struct workers *workers, const char *name)
{
    for (const struct worker_info *w = workers->workers; w != NULL; w = w->next)
        if (strcmp(w->name, name) == 0)
            return true;
    return false;
}

// The worker's name, told apart from that of another one that is here.
static char *unique_name(const struct workers *workers, const char *name)
{
    char number[16];

    if (!name_taken(workers, name))
        return strdup(name);
    snprintf(number, sizeof number, "%d", workers->last_number + 1);
    return joined(name, "#", number);
}

struct worker_info *workers_join(struct workers *workers,
                                 const struct hello *hello,
                                 struct models *models,
                                 struct dispatch *dispatch, int64_t now,
                                 struct err *err)
{
    struct worker_info *worker = calloc(1, sizeof *worker);
    struct worker_info **last = &workers->workers;

    if (worker == NULL)
        goto nomem;
    worker->number = workers->last_number + 1;
    worker->slots = hello->slots;
    worker->name = unique_name(workers, hello->name);
    worker->server = joined(hello->backend, " ", hello->server);
    if (worker->name == NULL || worker->server == NULL ||
        !copy_models(worker, hello))
        goto nomem;
    if (!announce(worker, models, dispatch, now, err)) {
        dispatch_leave(dispatch, worker->number, now);
        free_worker(worker);
        return NULL;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = worker;
    workers->last_number++;
    workers->n++;
    if (workers->joined_ms < 0)
        workers->joined_ms = now;
    return worker;

nomem:
    if (worker != NULL)
        free_worker(worker);
    err_nomem(err, "a worker");
    return NULL;
}

void workers_leave(struct workers *workers, int32_t number)
{
    for (struct worker_info **at = &workers->workers; *at != NULL;
         at = &(*at)->next) {
        struct worker_info *worker = *at;

        if (worker->number == number) {
            *at = worker->next;
            workers->n--;
            free_worker(worker);
            return;
        }
    }
}

struct worker_info *workers_find(const struct workers *workers, int32_t number)
{
    struct worker_info *worker = workers->workers;

    while (worker != NULL && worker->number != number)
        worker = worker->next;
    return worker;
}

static const struct worker_model *find_model(const struct worker_info *worker,
                                             const char *name)
{
    for (size_t i = 0; i < worker->n_models; i++)
        if (models_same(worker->models[i].name, name))
            return &worker->models[i];
    return NULL;
}

const char *worker_digest(const struct worker_info *worker, const char *model)
{
    const struct worker_model *found = find_model(worker, model);

    return found == NULL ? NULL : found->digest;
}

const char *workers_digest(const struct workers *workers, const char *model)
{
    for (const struct worker_info *w = workers->workers; w != NULL;
         w = w->next) {
        const struct worker_model *found = find_model(w, model);

        if (found != NULL)
            return found->digest;
    }
    return NULL;
}

bool workers_serve(const struct workers *workers, const char *model,
                   const char *digest, int32_t number,
                   struct dispatch *dispatch, struct err *err)
{
    for (const struct worker_info *w = workers->workers; w != NULL;
         w = w->next) {
        const struct worker_model *found = find_model(w, model);

        if (found != NULL && models_fits(digest, found->digest) &&
            !dispatch_serves(dispatch, w->number, number, err))
            return false;
    }
    return true;
}

static bool is_listed(const struct workers *workers,
                      const struct worker_info *end, const char *model)
{
    for (const struct worker_info *w = workers->workers; w != end; w = w->next)
        if (worker_digest(w, model) != NULL)
            return true;
    return false;
}

void workers_list_models(const struct workers *workers, struct buf *out)
{
    for (const struct worker_info *w = workers->workers; w != NULL; w = w->next)
        for (size_t i = 0; i < w->n_models; i++) {
            if (is_listed(workers, w, w->models[i].name))
                continue;
            if (out->len > 0)
                buf_puts(out, ", ");
            buf_puts(out, w->models[i].name);
        }
}
