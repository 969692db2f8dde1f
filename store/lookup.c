#include "store/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "store/job_name.h"
#include "store/lookup_parts.h"
#include "store/query.h"

enum { BEST_LIMIT = 5 };

// A state without a score is stored as -1.
#define JOB_SCORE "nullif(v.score, -1.0)"
#define JOB_NAMES "v.job, v.name, v.state"
#define JOB_FACTS                                                              \
    "v.reason, v.simulated, v.trials, v.seed, v.wall_s, v.path, v.created,"    \
    " v.updated, v.priority, v.max_workers"

#define JOB_FIGURE(member)                                                     \
    "iif(" JOB_SCORE " IS NULL, b." member ","                                 \
    " coalesce(json_extract(j.document, '$.same_rows.compiled." member "'),"   \
    " json_extract(j.document, '$.compiled." member "'),"                      \
    " json_extract(j.document, '$." member "'))) AS " member
#define JOB_FIGURES                                                            \
    JOB_FIGURE("low") ", " JOB_FIGURE("high") ", " JOB_FIGURE("n")

// A job without a final score shows its score so far, from bests. Both are of
// the rows that the baseline was scored on too; an `eval` has only its own.
#define JOB_COLUMNS                                                            \
    JOB_NAMES ", coalesce(" JOB_SCORE ", b.score) AS score, " JOB_FACTS        \
              ", " JOB_FIGURES
#define JOB_ROWS                                                               \
    " FROM v_jobs v JOIN jobs j ON j.id = v.job"                               \
    " LEFT JOIN bests b ON b.job_no = j.no "

static const char jobs_sql[] =
    "SELECT " JOB_COLUMNS JOB_ROWS "ORDER BY v.updated DESC";
// The same for a job that was last run by a promptcc that did not write bests.
static const char score_so_far_sql[] =
    "SELECT score, n FROM v_best WHERE job = ?1 AND rank = 1";
static const char show_sql[] =
    "SELECT " JOB_COLUMNS ", j.document" JOB_ROWS "WHERE v.job = ?1";
static const char trials_sql[] =
    "SELECT trial, state, kind, score, low, high, baseline, n, candidate,"
    " instructions, demos, tuned, calls, tokens, started, finished FROM "
    "v_trials WHERE job = "
    "?1"
    " ORDER BY trial";
static const char best_sql[] =
    "SELECT rank, trial, kind, score, baseline, n, candidate, instructions, "
    "demos, tuned"
    " FROM v_best WHERE job = ?1 AND rank <= CAST(?2 AS INTEGER)"
    " ORDER BY rank";
static const char prompts_sql[] =
    "SELECT step, instruction, demos FROM v_candidates"
    " WHERE job = ?1 AND candidate = CAST(?2 AS INTEGER)";
// A worker can only be serving while its coordinator runs.
static const char workers_sql[] =
    "SELECT name, iif(state = 'serving' AND ?1 = '', 'gone', state) AS state,"
    " slots, models, calls, last_fault, server, NULL AS open, NULL AS faults,"
    " NULL AS reason FROM workers"
    " WHERE ?2 <> '0' OR (state = 'serving' AND ?1 <> '') ORDER BY name";
static const char export_sql[] =
    "SELECT id AS job, state, document, compiled, replay_version FROM jobs"
    " WHERE id = ?1 AND row_check('jobs', no, compiled_sum, no, compiled)";

// Adds the score so far to such a job. Returns false on failure.
static bool add_score_so_far(struct store *store, json_t *job, struct err *err)
{
    json_t *best;
    bool ok = true;

    if (json_is_number(json_object_get(job, "score")) ||
        json_get_int(job, "trials", 0) == 0)
        return true;
    best = lookup_rows(store, score_so_far_sql,
                       &(struct lookup_values){json_get_text(job, "job", "")},
                       err);
    if (best == NULL)
        return false;
    if (json_array_size(best) > 0) {
        lookup_add_intervals(best);
        ok = json_object_update(job, json_array_get(best, 0)) == 0;
    }
    if (!ok)
        err_nomem(err, "the list of jobs");
    json_decref(best);
    return ok;
}

// A killed job still has state "running", since nobody was left to change it.
// If no process has the store open, says so in its reason.
static void explain_abandoned(const struct store *store, json_t *rows)
{
    static const char reason[] =
        "nothing is working on it now; the same command, or its coordinator, "
        "continues it";

    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *state = json_get_text(row, "state", "");

        if ((strcmp(state, "running") == 0 || strcmp(state, "queued") == 0) &&
            !store_in_use(store))
            (void)json_object_set_new(row, "reason", json_string(reason));
    }
}

static json_t *answer_jobs(struct store *store, const char *id,
                           const json_t *argument, struct err *err)
{
    json_t *rows = query_rows(store, jobs_sql, NULL, 0, err);

    (void)id;
    (void)argument;
    lookup_boolean(rows, "simulated");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!add_score_so_far(store, json_array_get(rows, i), err)) {
            json_decref(rows);
            return NULL;
        }
    explain_abandoned(store, rows);
    return rows;
}

static json_t *answer_show(struct store *store, const char *id,
                           const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, show_sql, &(struct lookup_values){id}, err);
    json_t *job;

    (void)argument;
    lookup_boolean(rows, "simulated");
    lookup_parse(rows, "document");
    explain_abandoned(store, rows);
    job = lookup_only(rows, "job", err);
    if (job != NULL && !add_score_so_far(store, job, err)) {
        json_decref(job);
        return NULL;
    }
    return job;
}

static json_t *answer_trials(struct store *store, const char *id,
                             const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, trials_sql, &(struct lookup_values){id}, err);

    (void)argument;
    lookup_parse(rows, "instructions");
    lookup_parse(rows, "demos");
    lookup_parse(rows, "tuned");
    return rows;
}

// The first row includes its complete prompts.
static json_t *answer_best(struct store *store, const char *id,
                           const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, best_sql,
                    &(struct lookup_values){
                        id, json_get_int(argument, "limit", BEST_LIMIT)},
                    err);
    json_t *first = json_array_get(rows, 0);
    json_t *prompts;

    if (first == NULL)
        return rows;
    prompts = lookup_rows(
        store, prompts_sql,
        &(struct lookup_values){id, json_get_int(first, "candidate", -1)}, err);
    if (prompts == NULL) {
        json_decref(rows);
        return NULL;
    }
    lookup_parse(rows, "instructions");
    lookup_parse(rows, "demos");
    lookup_parse(rows, "tuned");
    lookup_parse(prompts, "demos");
    (void)json_object_set_new(first, "prompts", prompts);
    return rows;
}

static json_t *answer_export(struct store *store, const char *id,
                             const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, export_sql, &(struct lookup_values){id}, err);

    (void)argument;
    lookup_parse(rows, "document");
    return lookup_only(rows, "job", err);
}

// Lists the serving workers, or with {"all": true} all that the store
// remembers. Columns that only a coordinator knows are null.
static json_t *answer_workers(struct store *store, const char *id,
                              const json_t *argument, struct err *err)
{
    json_t *rows = lookup_rows(
        store, workers_sql,
        &(struct lookup_values){store_in_use(store) ? "used" : "",
                                json_get_bool(argument, "all", false)},
        err);

    (void)id;
    lookup_parse(rows, "models");
    return rows;
}

static json_t *answer_query(struct store *store, const char *id,
                            const json_t *argument, struct err *err)
{
    const char *sql = json_get_text(argument, "sql", "");
    json_t *rows = query_rows(store, sql, NULL, 0, err);
    json_t *columns = rows == NULL ? NULL : query_columns(store, sql, err);

    (void)id;
    if (columns == NULL) {
        json_decref(rows);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
}

#define LIKE_THE_COMMAND "what the command prints with --json"
// The pages' questions take the parameters of their URL.
#define URL_PARAMETERS "its parameters"

static const struct verb {
    struct verb_about about;
    lookup_function *answer;
} verbs[] = {
    {{"jobs", false, NULL, LIKE_THE_COMMAND}, answer_jobs},
    {{"show", true, NULL, LIKE_THE_COMMAND}, answer_show},
    {{"trials", true, NULL, LIKE_THE_COMMAND}, answer_trials},
    {{"best", true, "`limit`", LIKE_THE_COMMAND}, answer_best},
    {{"export", true, NULL,
      "`job`, `state`, `document`, `compiled` (a text, null before the "
      "first end), `replay_version` (of the promptcc that ran it)"},
     answer_export},
    {{"query", false, "`sql`",
      "`columns`, a list of names; `rows`, a list of objects"},
     answer_query},
    {{"workers", false, "`all`",
      "those that the store remembers: a coordinator answers with those "
      "that are here"},
     answer_workers},
    {{"summary", true, URL_PARAMETERS,
      "as `GET /api/v1/jobs/{job}` of docs/http-api.md"},
     lookup_summary},
    {{"trial-page", true, URL_PARAMETERS,
      "as `GET .../trials` of docs/http-api.md"},
     lookup_trial_page},
    {{"curve", true, URL_PARAMETERS, "as `GET .../curve` of docs/http-api.md"},
     lookup_curve},
    {{"importance", true, URL_PARAMETERS,
      "as `GET .../importance` of docs/http-api.md"},
     lookup_importance},
    {{"tokens", true, URL_PARAMETERS,
      "as `GET .../tokens` of docs/http-api.md"},
     lookup_tokens},
    {{"candidate", true, URL_PARAMETERS,
      "as `GET .../candidates/{number}` of docs/http-api.md"},
     lookup_candidate},
    {{"lineage", true, URL_PARAMETERS,
      "as `GET .../candidates/{number}/lineage` of docs/http-api.md"},
     lookup_lineage},
    {{"origins", true, URL_PARAMETERS,
      "as `GET .../candidates/{number}/origins` of docs/http-api.md"},
     lookup_origins},
    {{"compare", true, URL_PARAMETERS,
      "as `GET .../compare` of docs/http-api.md"},
     lookup_compare},
    {{"failures", true, URL_PARAMETERS,
      "as `GET .../candidates/{number}/failures` of docs/http-api.md"},
     lookup_failures},
    {{"evaluations", true, URL_PARAMETERS,
      "as `GET .../candidates/{number}/evaluations` of docs/http-api.md"},
     lookup_evaluations},
    {{"evaluation", true, URL_PARAMETERS,
      "as `GET .../evaluations/{number}` of docs/http-api.md"},
     lookup_evaluation},
    {{"call", true, URL_PARAMETERS,
      "as `GET .../calls/{number}` of docs/http-api.md"},
     lookup_call},
    {{"cost", true, URL_PARAMETERS, "as `GET .../cost` of docs/http-api.md"},
     lookup_cost},
    {{"events", true, URL_PARAMETERS,
      "as `GET .../events` of docs/http-api.md"},
     lookup_events},
    {{"worker-history", false, URL_PARAMETERS,
      "as `GET /api/v1/workers/history` of docs/http-api.md"},
     lookup_worker_history},
};

const struct verb_about *lookup_about(size_t i)
{
    return i < sizeof verbs / sizeof *verbs ? &verbs[i].about : NULL;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].about.name, name) == 0)
            return &verbs[i];
    return NULL;
}

bool lookup_knows(const char *verb)
{
    return find_verb(verb) != NULL;
}

json_t *lookup_answer(struct store *store, const char *name, const char *job,
                      const json_t *argument, struct err *err)
{
    const struct verb *verb = find_verb(name);
    char *id = NULL;
    json_t *answer = NULL;

    if (verb == NULL) {
        err_set(err, ERR_INPUT,
                "`%.40s` is not a question that a history can answer", name);
        return NULL;
    }
    if (verb->about.of_job) {
        id = job_name_find(store, job, err);
        if (id == NULL)
            return NULL;
    }
    answer = verb->answer(store, id, argument, err);
    free(id);
    return answer;
}
