#include "coordinator/commands.h"

#include <string.h>

#include "common/error_document.h"
#include "common/json.h"
#include "coordinator/running_job_result.h"
#include "store/history.h"
#include "store/query.h"

static const char jobs_sql[] = "SELECT job, state, nullif(score, -1.0) AS "
                               "score, reason FROM v_jobs ORDER BY rowid DESC";
static const char show_sql[] = "SELECT * FROM v_jobs WHERE job = ?1";

static json_t *answer_jobs(const struct command_scene *at,
                           const struct command *command, struct err *err)
{
    (void)command;
    return query_rows(at->engine->store, jobs_sql, NULL, 0, err);
}

// The job that command->job names by id or its beginning, or by name.
static char *find_job(const struct command_scene *at,
                      const struct command *command, struct err *err)
{
    return query_job(at->engine->store, command->job, err);
}

static json_t *answer_show(const struct command_scene *at,
                           const struct command *command, struct err *err)
{
    char *id = find_job(at, command, err);
    const char *args[] = {id};
    json_t *rows, *row = NULL;

    if (id == NULL)
        return NULL;
    rows = query_rows(at->engine->store, show_sql, args, 1, err);
    row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    free(id);
    return row;
}

static json_t *answer_workers(const struct command_scene *at,
                              const struct command *command, struct err *err)
{
    json_t *list = json_array();

    (void)command;
    (void)err;
    for (const struct worker_info *w = at->engine->workers.workers; w != NULL;
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

// The run of that id; where there is none, an evaluation of the job, which the
// history knows as "ID-eval".
static struct running_job *find_running(struct running_job *running_jobs,
                                        const char *id)
{
    struct running_job *found = NULL;

    for (struct running_job *d = running_jobs; d != NULL; d = d->next) {
        size_t len = strlen(d->id);
        const char *rest = strncmp(d->id, id, len) == 0 ? id + len : "other";

        if (d->request->action == REQUEST_RUN && rest[0] == '\0')
            return d;
        if (d->request->action == REQUEST_EVAL &&
            (rest[0] == '\0' || strcmp(rest, "-eval") == 0))
            found = d;
    }
    return found;
}

static struct running_job *running_job(const struct command_scene *at,
                                       const struct command *command,
                                       struct err *err)
{
    char *id = find_job(at, command, err);
    struct running_job *running =
        id == NULL ? NULL : find_running(at->running_jobs, id);

    if (id != NULL && running == NULL)
        err_set(err, ERR_INPUT, "job %.200s is not running", id);
    free(id);
    return running;
}

static json_t *answer_stop(const struct command_scene *at,
                           const struct command *command, struct err *err)
{
    struct running_job *running = running_job(at, command, err);
    struct err why = ERR_CLEAR;

    if (running == NULL)
        return NULL;
    err_set(&why, ERR_STOPPED, "stopped; run the same command again to go on");
    running_job_close(running, &why);
    return json_pack("{s:s, s:s}", "job", running->id, "state", "stopped");
}

static bool exclude_row(const struct command_scene *at, int64_t job_no,
                        const json_t *row, struct err *err)
{
    if (!json_is_integer(row) || json_integer_value(row) < 0 ||
        json_integer_value(row) > INT32_MAX) {
        err_set(err, ERR_INPUT, "`exclude` must name examples by number");
        return false;
    }
    return history_event(at->engine->store, job_no, "exclude",
                         (int32_t)json_integer_value(row), "resume --exclude",
                         err);
}

// From here on the rows (one, or a list) are left out where they have no score
// yet; stored events, so that every later replay does the same.
static bool exclude_rows(const struct command_scene *at, int64_t job_no,
                         const json_t *argument, struct err *err)
{
    const json_t *rows = json_object_get(argument, "exclude");

    if (rows == NULL)
        return true;
    if (!json_is_array(rows))
        return exclude_row(at, job_no, rows, err);
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!exclude_row(at, job_no, json_array_get(rows, i), err))
            return false;
    return true;
}

static json_t *answer_resume(const struct command_scene *at,
                             const struct command *command, struct err *err)
{
    char *id = find_job(at, command, err);
    int64_t job_no =
        id == NULL ? 0 : history_job_no(at->engine->store, id, err);
    struct err ignored = ERR_CLEAR;
    json_t *argument = json_parse(command->argument, strlen(command->argument),
                                  4096, &ignored);
    json_t *answer = NULL;

    if (job_no != 0 && exclude_rows(at, job_no, argument, err) &&
        at->resume(at->user, id, err))
        answer = json_pack("{s:s, s:s}", "job", id, "state", "running");
    json_decref(argument);
    free(id);
    return answer;
}

static const struct verb {
    const char *name;
    json_t *(*answer)(const struct command_scene *, const struct command *,
                      struct err *);
} verbs[] = {
    {"jobs", answer_jobs},       {"show", answer_show},
    {"workers", answer_workers}, {"stop", answer_stop},
    {"resume", answer_resume},
};

char *command_answer(const struct command_scene *at,
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
        answer = verbs[i].answer(at, command, &err);
    text = answer == NULL ? error_document(&err) : json_text(answer);
    json_decref(answer);
    return text;
}
