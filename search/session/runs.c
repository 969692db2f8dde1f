#include "search/session/runs.h"

#include <assert.h>
#include <stdlib.h>

#include "search/session/unit.h"

// Returns false when out of memory.
static bool fill_item(const struct session *session,
                      const struct runs_request *request, size_t i,
                      struct task_item *item)
{
    if (request->given != NULL)
        item->given = json_incref(request->given[i]);
    if (request->texts != NULL) {
        item->text = json_incref(json_array_get(request->texts, i));
        return true;
    }
    if (request->rows != NULL) {
        item->row = (int)request->rows[i];
        item->inputs = dataset_inputs(session->setup.dataset, request->rows[i]);
    } else {
        item->inputs = json_incref(request->inputs[i]);
    }
    return item->inputs != NULL;
}

static bool fill_runs(const struct session *session,
                      const struct runs_request *request, struct task *task,
                      struct err *err)
{
    for (size_t i = 0; i < request->n; i++) {
        if (!fill_item(session, request, i, &task->items[i])) {
            err_nomem(err, "a run");
            return false;
        }
        task->rows[i] = task->items[i].row;
    }
    task->program = request->program;
    task->plan = request->plan;
    task->candidate = candidate_ref(request->candidate);
    task->role = request->role;
    unit_fill_settings(session, task);
    task->sampling = request->sampling;
    task->scored = request->scored;
    task->logprobs = request->scored && session->logprobs;
    task->free_text = request->free_text;
    task->traced = true;
    return true;
}

// Returns the texts of the candidate's pools that no earlier candidate had. New
// reference.
static json_t *new_texts(struct session *session,
                         const struct candidate *candidate, struct err *err)
{
    json_t *all = json_array();
    json_t *list = json_array();
    bool ok =
        all != NULL && list != NULL &&
        candidate_pool_texts(candidate, session->setup.job->program, all, err);

    for (size_t i = 0; ok && i < json_array_size(all); i++) {
        json_t *text = json_array_get(all, i);
        struct hash key =
            hash_of("text", json_string_value(text), json_string_length(text));

        if (map_find(&session->embedded, &key) != NULL)
            continue;
        ok = map_put(&session->embedded, &key, session) &&
             json_array_append(list, text) == 0;
    }
    json_decref(all);
    if (ok)
        return list;
    json_decref(list);
    err_nomem(err, "an index of demos");
    return NULL;
}

bool runs_embed_pools(struct session *session, struct candidate *candidate,
                      struct err *err)
{
    const struct session_setup *setup = &session->setup;
    struct runs_request request = {
        .program = setup->job->program,
        .plan = setup->plan,
        .candidate = candidate,
        .role = ROLE_EMBED,
        .sampling = {.temperature = -1, .purpose = "demos"}};
    struct runs *runs = NULL;
    json_t *texts;
    bool ok;

    if (setup->job->program->pools_by != SEARCH_BY_EMBEDDINGS)
        return true;
    texts = new_texts(session, candidate, err);
    ok = texts != NULL;
    request.texts = texts;
    request.n = json_array_size(texts);
    if (request.n > 0) {
        runs = runs_submit(session, &request, err);
        ok = runs != NULL && runs_wait(session, runs, err);
    }
    if (ok)
        runs_free(runs);
    json_decref(texts);
    return ok;
}

struct runs *runs_submit(struct session *session,
                         const struct runs_request *request, struct err *err)
{
    struct runs *runs;
    struct task *task;
    struct unit *unit = NULL;

    if (request->texts == NULL &&
        request->program == session->setup.job->program &&
        !runs_embed_pools(session, request->candidate, err))
        return NULL;
    runs = calloc(1, sizeof *runs);
    task = task_new(request->n, true, err);
    if (runs != NULL && task != NULL && fill_runs(session, request, task, err))
        unit = unit_add(session, err);
    if (unit == NULL) {
        err_nomem(err, "a run");
        task_free(task);
        free(runs);
        return NULL;
    }
    unit->runs = runs;
    runs->task = task;
    if (!unit_claim(session, unit, task, false, err)) {
        unit_drop_last(session);
        task_free(task);
        free(runs);
        return NULL;
    }
    *runs =
        (struct runs){.items = task->items, .n = task->n_items, .task = task};
    unit_send(session, task, unit);
    return runs;
}

bool runs_wait(struct session *session, struct runs *runs, struct err *err)
{
    return unit_wait(session, runs->task->owner, err);
}

void runs_free(struct runs *runs)
{
    if (runs == NULL)
        return;
    assert(runs->done);
    ((struct unit *)runs->task->owner)->runs = NULL;
    task_free(runs->task);
    free(runs);
}
