#include "coordinator/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/error_document.h"
#include "common/json.h"
#include "common/text.h"
#include "coordinator/jobs.h"
#include "coordinator/peers.h"
#include "coordinator/side_call.h"
#include "store/history.h"
#include "store/lookup.h"
#include "store/query.h"

enum { ARGUMENT_BYTES = 1 << 20, EXCLUDED_MOST = 10000 };

// --- read: off the loop ---

// Reads what a history can tell (store/lookup.h), with the same result as for a
// store on this machine.
static json_t *read_lookup(struct store *store, const struct command *command,
                           struct err *err)
{
    struct err ignored = ERR_CLEAR;
    json_t *argument = json_parse(command->argument, strlen(command->argument),
                                  ARGUMENT_BYTES, &ignored);
    json_t *answer =
        lookup_answer(store, command->verb, command->job, argument, err);

    json_decref(argument);
    return answer;
}

// A command that looks at a job may leave out the name and gets the newest; one
// that ends or resumes a job must name it.
static char *find_named(struct store *store, const struct command *command,
                        struct err *err)
{
    if (command->job[0] != '\0')
        return query_job(store, command->job, err);
    err_set(err, ERR_INPUT, "`%s` needs the name of a job", command->verb);
    return NULL;
}

// Finds the job that command->job names, by id, the beginning of an id, or
// name.
static json_t *read_id(struct store *store, const struct command *command,
                       struct err *err)
{
    char *id = find_named(store, command, err);
    json_t *found = id == NULL ? NULL : json_string(id);

    free(id);
    return found;
}

// Appends to rows the number of an example that the job should leave out.
static bool take_row(struct store *store, int64_t job_no, const json_t *given,
                     json_t *rows, struct err *err)
{
    json_int_t row = json_integer_value(given);
    bool has = false;

    if (!json_is_integer(given) || row < 0 || row > INT32_MAX) {
        err_set(err, ERR_INPUT,
                "`exclude` takes the numbers of examples, such as [17]");
        return false;
    }
    if (!history_has_row(store, job_no, (int32_t)row, &has, err))
        return false;
    if (!has) {
        err_set(err, ERR_INPUT,
                "the job has no example %" JSON_INTEGER_FORMAT
                ": they are counted from 0, in the order of the data file",
                row);
        return false;
    }
    return json_array_append_new(rows, json_integer(row)) == 0;
}

// Reads N, [N...] or nothing at all. Returns NULL on failure.
static json_t *read_excluded(struct store *store, int64_t job_no,
                             const json_t *given, struct err *err)
{
    json_t *rows = json_array();
    bool ok = true;

    if (json_array_size(given) > EXCLUDED_MOST) {
        err_set(err, ERR_INPUT, "`exclude` takes at most %d examples at a time",
                EXCLUDED_MOST);
        ok = false;
    }
    if (ok && given != NULL && !json_is_array(given))
        ok = take_row(store, job_no, given, rows, err);
    for (size_t i = 0; ok && i < json_array_size(given); i++)
        ok = take_row(store, job_no, json_array_get(given, i), rows, err);
    if (ok)
        return rows;
    json_decref(rows);
    return NULL;
}

// Reads a number from 1 to most, or 0 if there is none.
static bool read_number(const json_t *argument, const char *key, int32_t most,
                        json_int_t *out, struct err *err)
{
    const json_t *given = json_object_get(argument, key);

    *out = json_integer_value(given);
    if (given == NULL || (json_is_integer(given) && *out >= 1 && *out <= most))
        return true;
    err_set(err, ERR_INPUT, "`%s` takes a number from 1 to %" PRId32, key,
            most);
    return false;
}

static bool check_keys(const json_t *argument, struct err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)argument, key, value) {
        if (strcmp(key, "exclude") == 0 || strcmp(key, "priority") == 0 ||
            strcmp(key, "max_workers") == 0)
            continue;
        err_set(err, ERR_INPUT,
                "`resume` takes `exclude`, `priority` and `max_workers`, but "
                "not `%.40s`",
                key);
        return false;
    }
    return true;
}

// Reads {"exclude": 17, "priority": 20, "max_workers": 4}; each key is
// optional.
static json_t *read_resume(struct store *store, const struct command *command,
                           struct err *err)
{
    const char *text = command->argument;
    json_t *argument =
        text[0] == '\0' ? json_object()
                        : json_parse(text, strlen(text), ARGUMENT_BYTES, err);
    char *id = argument == NULL ? NULL : find_named(store, command, err);
    int64_t no = id == NULL ? 0 : history_job_no(store, id, err);
    json_int_t priority = 0, max_workers = 0;
    json_t *rows = NULL, *found = NULL;

    if (no != 0 && check_keys(argument, err) &&
        read_number(argument, "priority", REQUEST_MAX_PRIORITY, &priority,
                    err) &&
        read_number(argument, "max_workers", REQUEST_MAX_WORKERS, &max_workers,
                    err))
        rows =
            read_excluded(store, no, json_object_get(argument, "exclude"), err);
    if (rows != NULL)
        found = json_pack("{s:s, s:I, s:o, s:I, s:I}", "id", id, "no",
                          (json_int_t)no, "rows", rows, "priority", priority,
                          "max_workers", max_workers);
    json_decref(argument);
    free(id);
    return found;
}

// --- act: on the loop ---

static const char *const worker_states[] = {
    [DISPATCH_WORKER_SERVING] = "serving",
    [DISPATCH_WORKER_RESTING] = "resting",
    [DISPATCH_WORKER_DRAINING] = "draining",
    [DISPATCH_WORKER_SILENT] = "silent",
};

// Writes which running job does not use the worker, and why; returns false if
// there is none.
static bool tell_misfit(const struct command_scene *at,
                        const struct worker_info *worker, char *out,
                        size_t size)
{
    for (const struct running_job *job = jobs_first(at->jobs); job != NULL;
         job = running_job_next(job))
        for (int r = 0; r < ROLE_COUNT; r++) {
            const struct job_work *work =
                running_job_work_of((struct running_job *)job);
            const struct job_model_pin *model = &work->models[r];
            char why[200] = "";

            if (!model->bound ||
                worker_fits(worker, &at->engine->models.entries[model->number],
                            why, sizeof why) ||
                why[0] == '\0')
                continue;
            text_print(out, size, "not used by job %.60s: %s", work->id, why);
            return true;
        }
    return false;
}

// Writes why the worker gets fewer calls than it could take, or none; "" if it
// does not.
static void tell_reason(const struct command_scene *at,
                        const struct worker_info *worker,
                        const struct dispatch_worker_view *view, char *out,
                        size_t size)
{
    out[0] = '\0';
    if (view->state == DISPATCH_WORKER_RESTING)
        text_print(out, size,
                   "%d faults in a row: it gets one call at a time until it "
                   "answers one",
                   view->n_faults);
    else if (view->state == DISPATCH_WORKER_SILENT)
        text_print(out, size, "nothing has been heard from it for %lld s",
                   (long long)(clock_monotonic_ms() - view->heard_ms) / 1000);
    else if (!tell_misfit(at, worker, out, size))
        (void)proofs_tell(at->engine, worker, out, size);
}

// Gives the same members, in the same order, as for the workers of a store
// (store/lookup.c).
static json_t *act_workers(const struct command_scene *at,
                           const struct command *command, const json_t *found,
                           struct err *err)
{
    json_t *list = json_array();

    (void)command;
    (void)found;
    (void)err;
    for (const struct worker_info *w = at->engine->workers.workers; w != NULL;
         w = w->next) {
        json_t *models = json_array();
        struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};
        char reason[240];

        (void)dispatch_worker_look(at->engine->dispatch, w->number, &view);
        tell_reason(at, w, &view, reason, sizeof reason);
        for (size_t i = 0; i < w->n_models; i++)
            json_array_append_new(models, json_string(w->models[i].name));
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:I, s:o, s:I, s:s, s:s, s:I, s:I, s:s}",
                      "name", w->name, "state", worker_states[view.state],
                      "slots", (json_int_t)w->slots, "models", models, "calls",
                      (json_int_t)w->calls, "last_fault", w->last_fault,
                      "server", w->server, "open", (json_int_t)view.n_calls,
                      "faults", (json_int_t)w->faults, "reason", reason));
    }
    return list;
}

// Returns a fraction, or null while there is none.
static json_t *share_json(double share)
{
    return share < 0 ? json_null() : json_real(share);
}

static json_t *progress_json(const struct running_job *running, int64_t now)
{
    struct progress p = {0};

    running_job_progress(running, now, &p);
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, "
        "s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o, s:f, s:I, s:I}",
        "job", running_job_id(running), "run", running_job_is_run(running),
        "phase", p.phase, "note", p.note, "trial", (json_int_t)p.trial,
        "trials", (json_int_t)p.trials, "done", (json_int_t)p.done, "total",
        (json_int_t)p.total, "examples", (json_int_t)p.examples, "expected",
        (json_int_t)p.expected, "share", share_json(p.share), "calls",
        (json_int_t)p.calls, "reused", (json_int_t)p.reused, "in_flight",
        (json_int_t)p.in_flight, "faults", (json_int_t)p.faults,
        "prompt_tokens", (json_int_t)p.prompt_tokens, "generated_tokens",
        (json_int_t)p.generated_tokens, "best", share_json(p.best), "low",
        share_json(p.best < 0 ? -1 : p.best_low), "high",
        share_json(p.best < 0 ? -1 : p.best_high), "best_trial",
        (json_int_t)p.best_trial, "baseline", share_json(p.baseline),
        "tokens_per_s", p.tokens_per_s, "elapsed_ms", (json_int_t)p.elapsed_ms,
        "left_ms", (json_int_t)p.left_ms);
}

static json_t *calls_json(const struct engine *engine)
{
    struct dispatch_counts counts;

    dispatch_count(engine->dispatch, &counts);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "queued",
        (json_int_t)counts.queued, "waiting", (json_int_t)counts.waiting,
        "leased", (json_int_t)counts.leased, "parked",
        (json_int_t)counts.parked, "sent", (json_int_t)counts.sent, "faults",
        (json_int_t)counts.faults, "hedged", (json_int_t)counts.hedged,
        "model_swaps", (json_int_t)counts.swaps);
}

// Counts the workers in each state.
static json_t *worker_counts_json(const struct engine *engine)
{
    int64_t n[sizeof worker_states / sizeof *worker_states] = {0};
    json_t *counts = json_object();

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next) {
        struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};

        (void)dispatch_worker_look(engine->dispatch, w->number, &view);
        n[view.state]++;
    }
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        (void)json_object_set_new(counts, worker_states[i], json_integer(n[i]));
    return counts;
}

// What a page or a watcher asks for a few times a second: only numbers.
static json_t *act_status(const struct command_scene *at,
                          const struct command *command, const json_t *found,
                          struct err *err)
{
    struct turn_report longest = turn_longest(&at->engine->turn);
    int64_t now = clock_monotonic_ms();
    json_t *jobs = json_array();

    (void)command;
    (void)found;
    (void)err;
    for (const struct running_job *job = jobs_first(at->jobs); job != NULL;
         job = running_job_next(job))
        json_array_append_new(jobs, progress_json(job, now));
    return json_pack("{s:o, s:o, s:o, s:I, s:I}", "jobs", jobs, "calls",
                     calls_json(at->engine), "workers",
                     worker_counts_json(at->engine), "slots",
                     (json_int_t)at->engine->workers.slots, "longest_turn_ms",
                     (json_int_t)longest.wall_ms);
}

// Ends the job that `found` names; it can be resumed later in any state.
static json_t *end_job(const struct command_scene *at, const json_t *found,
                       const struct err *why, enum job_state state,
                       struct err *err)
{
    const char *id =
        jobs_end(at->jobs, json_string_value(found), why, state, err);

    if (id == NULL)
        return NULL;
    return json_pack("{s:s, s:s}", "job", id, "state", job_state_name(state));
}

static json_t *act_stop(const struct command_scene *at,
                        const struct command *command, const json_t *found,
                        struct err *err)
{
    struct err why = ERR_CLEAR;

    (void)command;
    err_set(&why, ERR_STOPPED,
            "stopped; run the same command again to continue");
    return end_job(at, found, &why, JOB_STOPPED, err);
}

static json_t *act_pause(const struct command_scene *at,
                         const struct command *command, const json_t *found,
                         struct err *err)
{
    struct err why = ERR_CLEAR;

    (void)command;
    err_set(&why, ERR_FAULT, "paused by `pause`; `resume` continues it");
    return end_job(at, found, &why, JOB_PAUSED, err);
}

// Rows that have no score yet are left out from here on. They are stored as
// events, so that every later replay does the same. They are put before the job
// is read, so that it begins without them.
static json_t *act_resume(const struct command_scene *at,
                          const struct command *command, const json_t *found,
                          struct err *err)
{
    const json_t *rows = json_object_get(found, "rows");
    const char *id = json_get_text(found, "id", "");
    int64_t job_no = json_get_int(found, "no", 0);
    struct job_share share = {
        .priority = (int32_t)json_get_int(found, "priority", 0),
        .max_workers = (int32_t)json_get_int(found, "max_workers", 0)};
    struct requester requester = requester_from(at->peer, REQUESTER_COMMANDS);
    bool ok = true;

    (void)command;
    if (json_array_size(rows) > 0 && jobs_is_running_or_opening(at->jobs, id)) {
        err_set(err, ERR_INPUT,
                "job %.200s is running: `pause` it first, to leave out "
                "examples",
                id);
        return NULL;
    }
    if (jobs_is_running(at->jobs, id) && share.priority == 0 &&
        share.max_workers == 0) {
        err_set(err, ERR_INPUT, "job %.200s is running", id);
        return NULL;
    }
    for (size_t i = 0; ok && i < json_array_size(rows); i++)
        ok = history_event(at->engine->store, job_no, "exclude",
                           (int32_t)json_integer_value(json_array_get(rows, i)),
                           "resume --exclude", err);
    if (ok)
        (void)jobs_resume(at->jobs, &requester, id, &share, err);
    return NULL; // the reply follows when it has begun, or could not
}

// Asks a model outside of any job. The reply follows when the answer is there.
static json_t *act_ask(const struct command_scene *at,
                       const struct command *command, const json_t *found,
                       struct err *err)
{
    json_t *argument = json_parse(command->argument, strlen(command->argument),
                                  ARGUMENT_BYTES, err);
    struct peer_address asker = peer_address(at->peer);

    (void)found;
    if (argument != NULL)
        (void)side_call_begin(at->engine, &asker, argument,
                              clock_monotonic_ms(), err);
    json_decref(argument);
    return NULL;
}

static const struct verb {
    struct verb_about about;
    json_t *(*read)(struct store *store, const struct command *command,
                    struct err *err);
    json_t *(*act)(const struct command_scene *at,
                   const struct command *command, const json_t *found,
                   struct err *err);
    bool query; // SQL written by the client
} verbs[] = {
    {.about = {"query", false, "`sql`",
               "`columns`, a list of names; `rows`, a list of objects"},
     .query = true},
    {.about =
         {"workers", false, NULL,
          "the connected ones: `name`, `state`, `server`, `slots`, `open` "
          "(calls that it has), `models`, `calls`, `faults`, `last_fault`, "
          "`reason`"},
     .act = act_workers},
    {.about =
         {"status", false, NULL,
          "the current state in numbers: `jobs` with the members of PROGRESS, "
          "`calls`, `workers` by state, `slots`, `longest_turn_ms`"},
     .act = act_status},
    {.about = {"stop", true, NULL, "`job`, `state`"},
     .read = read_id,
     .act = act_stop},
    {.about = {"pause", true, NULL, "`job`, `state`"},
     .read = read_id,
     .act = act_pause},
    {.about =
         {"resume", true,
          "`exclude` (up to 10,000 row numbers), `priority`, "
          "`max_workers`, each optional. A running job takes only the last "
          "two",
          "`job`, `state`"},
     .read = read_resume,
     .act = act_resume},
    {.about =
         {"ask", false,
          "`model`, `digest` (missing: any), `prefix`, `tail`, `format`, "
          "`options` of a CALL",
          "a model's answer outside of any job, not stored: `outcome`, `text`, "
          "`prompt_tokens`, `generated_tokens`, `total_us`. 16 at a time, 120 "
          "s"},
     .act = act_ask},
};

const struct verb_about *command_about(size_t i)
{
    return i < sizeof verbs / sizeof *verbs ? &verbs[i].about : NULL;
}

// Everything that a history answers; lookup.c has the row of each verb.
static const struct verb verb_lookup = {.read = read_lookup};

const struct verb *command_verb(const char *name, struct err *err)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].about.name, name) == 0)
            return &verbs[i];
    if (lookup_knows(name))
        return &verb_lookup;
    err_set(err, ERR_INPUT, "the coordinator does not know `%.40s`", name);
    return NULL;
}

bool command_reads(const struct verb *verb)
{
    return verb->read != NULL || verb->query;
}

bool command_is_query(const struct verb *verb)
{
    return verb->query;
}

bool command_acts(const struct verb *verb)
{
    return verb->act != NULL;
}

json_t *command_read(const struct verb *verb, struct store *store,
                     const struct command *command, struct err *err)
{
    return verb->read(store, command, err);
}

json_t *command_act(const struct verb *verb, const struct command_scene *at,
                    const struct command *command, json_t *found,
                    struct err *err)
{
    json_t *answer = verb->act(at, command, found, err);

    json_decref(found);
    return answer;
}

// A reply that does not fit into any frame becomes an error, so that the client
// does get a reply.
char *command_text(json_t *answer, const struct err *err)
{
    struct err why = *err;
    char *text = answer == NULL ? NULL : json_text(answer);
    size_t len = text == NULL ? 0 : strlen(text);

    if (answer != NULL && text == NULL)
        err_nomem(&why, "a reply");
    if (len >= WIRE_MAX_TEXT) {
        err_set(&why, ERR_LIMIT,
                "the answer has %zu MiB, over the %d MiB of a reply: ask for "
                "less of it, with WHERE or LIMIT, or on the coordinator's own "
                "machine",
                len >> 20, WIRE_MAX_TEXT >> 20);
        free(text);
        text = NULL;
    }
    json_decref(answer);
    return text == NULL ? error_document(&why) : text;
}
