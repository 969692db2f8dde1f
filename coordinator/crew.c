#include "coordinator/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_worker(struct crew_worker *worker)
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

void crew_release(struct crew *crew)
{
    while (crew->workers != NULL) {
        struct crew_worker *next = crew->workers->next;

        free_worker(crew->workers);
        crew->workers = next;
    }
    *crew = CREW_INIT;
}

// strdup of "HEAD TAIL" or "HEADTAIL"; NULL without memory.
static char *joined(const char *head, const char *separator, const char *tail)
{
    size_t size = strlen(head) + strlen(separator) + strlen(tail) + 1;
    char *text = malloc(size);

    if (text != NULL)
        snprintf(text, size, "%s%s%s", head, separator, tail);
    return text;
}

static bool copy_models(struct crew_worker *worker, const struct hello *hello)
{
    worker->models = calloc(hello->n_models + 1, sizeof *worker->models);
    if (worker->models == NULL)
        return false;
    for (size_t i = 0; i < hello->n_models; i++) {
        const char *digest = hello->models[i].digest;
        const char *mark = hello->simulated != 0 ? MODELS_SIMULATED : "";
        struct crew_model *model = &worker->models[worker->n_models++];

        model->name = strdup(hello->models[i].name);
        model->digest = joined(mark, "", digest);
        if (model->name == NULL || model->digest == NULL)
            return false;
    }
    return true;
}

// Tells dispatch which numbered models the worker has. A model without digest
// goes by every revision that jobs have given for its name.
static bool announce_model(const struct crew_worker *worker,
                           const struct crew_model *model,
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

static bool announce(const struct crew_worker *worker, struct models *models,
                     struct dispatch *dispatch, int64_t now, struct err *err)
{
    if (!dispatch_join(dispatch, worker->number, (int)worker->slots, now, err))
        return false;
    for (size_t i = 0; i < worker->n_models; i++)
        if (!announce_model(worker, &worker->models[i], models, dispatch, err))
            return false;
    return true;
}

static bool name_taken(const struct crew *crew, const char *name)
{
    for (const struct crew_worker *w = crew->workers; w != NULL; w = w->next)
        if (strcmp(w->name, name) == 0)
            return true;
    return false;
}

// The worker's name, told apart from that of another one that is here.
static char *unique_name(const struct crew *crew, const char *name)
{
    char number[16];

    if (!name_taken(crew, name))
        return strdup(name);
    snprintf(number, sizeof number, "%d", crew->last_number + 1);
    return joined(name, "#", number);
}

struct crew_worker *crew_join(struct crew *crew, const struct hello *hello,
                              struct models *models, struct dispatch *dispatch,
                              int64_t now, struct err *err)
{
    struct crew_worker *worker = calloc(1, sizeof *worker);
    struct crew_worker **last = &crew->workers;

    if (worker == NULL)
        goto nomem;
    worker->number = crew->last_number + 1;
    worker->slots = hello->slots;
    worker->name = unique_name(crew, hello->name);
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
    crew->last_number++;
    crew->n++;
    if (crew->joined_ms < 0)
        crew->joined_ms = now;
    return worker;

nomem:
    if (worker != NULL)
        free_worker(worker);
    err_nomem(err, "a worker");
    return NULL;
}

void crew_leave(struct crew *crew, int32_t number)
{
    for (struct crew_worker **at = &crew->workers; *at != NULL;
         at = &(*at)->next) {
        struct crew_worker *worker = *at;

        if (worker->number == number) {
            *at = worker->next;
            crew->n--;
            free_worker(worker);
            return;
        }
    }
}

struct crew_worker *crew_find(const struct crew *crew, int32_t number)
{
    struct crew_worker *worker = crew->workers;

    while (worker != NULL && worker->number != number)
        worker = worker->next;
    return worker;
}

static const struct crew_model *find_model(const struct crew_worker *worker,
                                           const char *name)
{
    for (size_t i = 0; i < worker->n_models; i++)
        if (models_same(worker->models[i].name, name))
            return &worker->models[i];
    return NULL;
}

const char *crew_worker_digest(const struct crew_worker *worker,
                               const char *model)
{
    const struct crew_model *found = find_model(worker, model);

    return found == NULL ? NULL : found->digest;
}

const char *crew_digest(const struct crew *crew, const char *model)
{
    for (const struct crew_worker *w = crew->workers; w != NULL; w = w->next) {
        const struct crew_model *found = find_model(w, model);

        if (found != NULL)
            return found->digest;
    }
    return NULL;
}

bool crew_serve(const struct crew *crew, const char *model, const char *digest,
                int32_t number, struct dispatch *dispatch, struct err *err)
{
    for (const struct crew_worker *w = crew->workers; w != NULL; w = w->next) {
        const struct crew_model *found = find_model(w, model);

        if (found != NULL && models_fits(digest, found->digest) &&
            !dispatch_serves(dispatch, w->number, number, err))
            return false;
    }
    return true;
}

static bool is_listed(const struct crew *crew, const struct crew_worker *end,
                      const char *model)
{
    for (const struct crew_worker *w = crew->workers; w != end; w = w->next)
        if (crew_worker_digest(w, model) != NULL)
            return true;
    return false;
}

void crew_list_models(const struct crew *crew, struct buf *out)
{
    for (const struct crew_worker *w = crew->workers; w != NULL; w = w->next)
        for (size_t i = 0; i < w->n_models; i++) {
            if (is_listed(crew, w, w->models[i].name))
                continue;
            if (out->len > 0)
                buf_puts(out, ", ");
            buf_puts(out, w->models[i].name);
        }
}
