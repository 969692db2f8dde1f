#include "coordinator/commands.h"

#include <string.h>

#include "common/json.h"
#include "coordinator/desk_result.h"
#include "store/query.h"

static const char jobs_sql[] =
    "SELECT job, state, score, reason FROM v_jobs ORDER BY rowid DESC";
static const char show_sql[] = "SELECT * FROM v_jobs WHERE job = ?1";

static json_t *answer_jobs(struct engine *engine, struct desk *desks,
                           const struct command *command, struct err *err)
{
    (void)desks;
    (void)command;
    return query_rows(engine->store, jobs_sql, NULL, 0, err);
}

// The job that command->job names by id or its beginning, or by name.
static char *find_job(struct engine *engine, const struct command *command,
                      struct err *err)
{
    return query_job(engine->store, command->job, err);
}

static json_t *answer_show(struct engine *engine, struct desk *desks,
                           const struct command *command, struct err *err)
{
    char *id = find_job(engine, command, err);
    const char *args[] = {id};
    json_t *rows, *row = NULL;

    (void)desks;
    if (id == NULL)
        return NULL;
    rows = query_rows(engine->store, show_sql, args, 1, err);
    row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    free(id);
    return row;
}

static json_t *answer_workers(struct engine *engine, struct desk *desks,
                              const struct command *command, struct err *err)
{
    json_t *list = json_array();

    (void)desks;
    (void)command;
    (void)err;
    for (const struct crew_worker *w = engine->crew.workers; w != NULL;
         w = w->next) {
        json_t *models = json_array();

        for (size_t i = 0; i < w->n_models; i++)
            json_array_append_new(models, json_string(w->models[i].name));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:o, s:I, s:s}", "name", w->name,
                            "state", "serving", "slots", (json_int_t)w->slots,
                            "models", models, "calls", (json_int_t)w->calls,
                            "last_fault", w->last_fault));
    }
    return list;
}

static struct desk *running_job(struct engine *engine, struct desk *desks,
                                const struct command *command, struct err *err)
{
    char *id = find_job(engine, command, err);
    struct desk *desk = desks;

    while (id != NULL && desk != NULL && strcmp(desk->id, id) != 0)
        desk = desk->next;
    if (id != NULL && desk == NULL)
        err_set(err, ERR_INPUT, "job %.200s is not running", id);
    free(id);
    return desk;
}

static json_t *answer_stop(struct engine *engine, struct desk *desks,
                           const struct command *command, struct err *err)
{
    struct desk *desk = running_job(engine, desks, command, err);
    struct err why = ERR_CLEAR;

    if (desk == NULL)
        return NULL;
    err_set(&why, ERR_STOPPED, "stopped; run the same command again to go on");
    desk_close(desk, &why);
    return json_pack("{s:s, s:s}", "job", desk->id, "state", "stopped");
}

static const struct verb {
    const char *name;
    json_t *(*answer)(struct engine *, struct desk *, const struct command *,
                      struct err *);
} verbs[] = {
    {"jobs", answer_jobs},
    {"show", answer_show},
    {"workers", answer_workers},
    {"stop", answer_stop},
};

char *command_answer(struct engine *engine, struct desk *desks,
                     const struct command *command)
{
    struct err err = ERR_CLEAR;
    json_t *answer = NULL;
    char *text;
    size_t i = 0, n = sizeof verbs / sizeof *verbs;

    while (i < n && strcmp(verbs[i].name, command->verb) != 0)
        i++;
    if (i == n)
        err_set(&err, ERR_INPUT, "the coordinator does not know `%.40s`",
                command->verb);
    else
        answer = verbs[i].answer(engine, desks, command, &err);
    text = answer == NULL ? error_document(&err) : json_text(answer);
    json_decref(answer);
    return text;
}
