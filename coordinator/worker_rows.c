#include "coordinator/worker_rows.h"

#include <stdlib.h>

#include <jansson.h>

#include "common/json.h"
#include "coordinator/workers.h"
#include "store/history.h"

enum {
    NOTES_BURST = 256, // rows about workers that have not answered yet
    NOTES_PER_S = 8,
};

void worker_rows_init(struct worker_rows *rows, struct store *store)
{
    *rows = (struct worker_rows){
        .store = store,
        .unproven = token_bucket_full(NOTES_BURST, NOTES_PER_S, 0)};
}

// Returns a list of names; NULL when out of memory.
static char *model_names(const struct worker_info *worker)
{
    json_t *names = json_array();
    char *text;

    for (size_t i = 0; i < worker->n_models; i++)
        json_array_append_new(names, json_string(worker->models[i].name));
    text = json_text(names);
    json_decref(names);
    return text;
}

void worker_rows_note(struct worker_rows *rows, struct worker_info *worker,
                      const char *state, int64_t now)
{
    struct history_worker row = {.name = worker->name,
                                 .state = state,
                                 .server = worker->server,
                                 .slots = worker->slots,
                                 .calls = worker->calls,
                                 .last_fault = worker->last_fault};
    char *models;

    if (worker->calls == 0 && !worker->noted &&
        !token_bucket_take(&rows->unproven, 1, now))
        return;
    worker->noted = true;
    models = model_names(worker);
    row.models = models == NULL ? "[]" : models;
    history_put_worker(rows->store, &row, NULL);
    free(models);
}
