#include <stdlib.h>
#include <string.h>

#include "cli/amounts.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "common/error_document.h"
#include "common/json.h"
#include "store/remove.h"

// PRIORITY and WORKERS, a job's share of the cluster, are shown only if some
// job has an unusual share. DONE and LEFT are shown only if some jobs are
// running.
static const struct grid_column columns[] = {
    {"JOB", "job", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"TRIALS", "trials", GRID_COUNT, false},
    {"DONE", "progress", GRID_PERCENT, false},
    {"LEFT", "left", GRID_TEXT, false},
    {"PRIORITY", "priority", GRID_COUNT, false},
    {"WORKERS", "max_workers", GRID_COUNT, false},
    {"UPDATED", "updated", GRID_TIME, false},
    {"REASON", "reason", GRID_TEXT, true},
};

enum {
    TEXT_BYTES = 1 << 20,
    USUAL_PRIORITY = 10,
    COLUMNS = sizeof columns / sizeof *columns,
};

// --- removing ---

// What `jobs --remove` has done so far.
struct removals {
    const struct options *options;
    json_t *removed; // lists
    json_t *refused;
    struct err worst; // of those that could not be removed
    int status;       // of the output
};

static void put_removed(const struct removed *removed, struct buf *out)
{
    buf_printf(out, "removed %s: ", removed->job);
    put_count(out, removed->trials, "trial");
    buf_puts(out, ", ");
    put_count(out, removed->calls, "call");
    if (removed->kept > 0) {
        buf_puts(out, "; ");
        put_count(out, removed->kept, "call");
        buf_puts(out, " kept, which other jobs with the same model may use");
    }
    buf_putc(out, '\n');
}

static void tell_removed(struct removals *all, const struct removed *removed)
{
    struct buf text = BUF_INIT(TEXT_BYTES);

    (void)json_array_append_new(
        all->removed, json_pack("{s:s, s:I, s:I, s:I}", "job", removed->job,
                                "trials", (json_int_t)removed->trials, "calls",
                                (json_int_t)removed->calls, "kept",
                                (json_int_t)removed->kept));
    if (!option_on(all->options, OPT_JSON) && all->status == EXIT_DONE) {
        put_removed(removed, &text);
        all->status = output_text(&text);
    }
    buf_release(&text);
}

// A failure of ours is worse than a wrong name.
static void tell_refused(struct removals *all, const struct removed *refused)
{
    (void)json_array_append_new(all->refused,
                                json_pack("{s:s, s:o}", "job", refused->asked,
                                          "error", error_json(&refused->err)));
    output_say("promptcc: `%s` is not removed: %s\n", refused->asked,
               refused->err.text);
    if (all->worst.code == ERR_NONE || exit_of(all->worst.code) == EXIT_USAGE)
        all->worst = refused->err;
}

static void tell_one(void *user, const struct removed *removed)
{
    if (removed->err.code == ERR_NONE)
        tell_removed(user, removed);
    else
        tell_refused(user, removed);
}

// Returns the exit status.
static int tell_removals(const struct removals *all)
{
    const struct err *worst = &all->worst;
    int status = all->status;

    if (option_on(all->options, OPT_JSON) && worst->code == ERR_NONE) {
        status = output_json(all->removed);
    } else if (option_on(all->options, OPT_JSON)) {
        json_t *document =
            json_pack("{s:o, s:O, s:O}", "error", error_json(worst), "removed",
                      all->removed, "refused", all->refused);

        status = output_json(document);
        json_decref(document);
    }
    return status == EXIT_DONE ? exit_of(worst->code) : status;
}

static int remove_jobs(const struct options *options)
{
    struct removals all = {
        .options = options, .removed = json_array(), .refused = json_array()};
    struct removal removal = {.done = tell_one, .user = &all};
    struct err err = ERR_CLEAR;
    char *path = NULL;
    int status;

    removal.n = option_list(options, OPT_REMOVE, &removal.jobs);
    if (option_on(options, OPT_COORDINATOR))
        err_set(&err, ERR_INPUT,
                "a job is removed from its store file while no coordinator "
                "uses it: stop the coordinator and name the file with --store");
    else
        path = history_file_there(options, NULL, &err);
    if (path != NULL && store_remove(path, &removal, &err))
        status = tell_removals(&all);
    else
        status = output_error(options, &err);
    free(path);
    json_decref(all.removed);
    json_decref(all.refused);
    return status;
}

static bool has_share(const json_t *jobs)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);

        if (json_is_integer(json_object_get(job, "max_workers")) ||
            json_get_int(job, "priority", USUAL_PRIORITY) != USUAL_PRIORITY)
            return true;
    }
    return false;
}

static bool is_of_share(const struct grid_column *column)
{
    return strcmp(column->key, "priority") == 0 ||
           strcmp(column->key, "max_workers") == 0;
}

// --- progress ---

static json_t *find_job(json_t *jobs, const char *id)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        json_t *job = json_array_get(jobs, i);

        if (strcmp(json_get_text(job, "job", ""), id) == 0)
            return job;
    }
    return NULL;
}

// Sets `progress`, a fraction, and `left_ms` if they are known; for the table
// also `left`, which is the same for people.
static void put_progress(const json_t *running, bool table, json_t *job)
{
    int64_t left_ms = json_get_int(running, "left_ms", -1);
    struct buf left = BUF_INIT(TEXT_BYTES);

    if (json_is_number(json_object_get(running, "share")))
        (void)json_object_set(job, "progress",
                              json_object_get(running, "share"));
    if (left_ms >= 0) {
        put_time(&left, left_ms);
        (void)json_object_set_new(job, "left_ms", json_integer(left_ms));
        if (table)
            (void)json_object_set_new(job, "left", json_string(left.data));
    }
    buf_release(&left);
}

// Adds the progress of running jobs, which only a coordinator knows. Returns
// how many jobs are running.
static size_t add_progress(const struct options *options, json_t *jobs,
                           struct err *err)
{
    json_t *status = NULL;
    json_t *running;
    bool table = !option_on(options, OPT_JSON) && !option_on(options, OPT_CSV);
    size_t n = 0;

    if (jobs == NULL || !option_on(options, OPT_COORDINATOR))
        return 0;
    status = history_ask(options, "status", NULL, NULL, err);
    running = json_object_get(status, "jobs");
    for (size_t i = 0; i < json_array_size(running); i++) {
        const json_t *one = json_array_get(running, i);
        json_t *job = find_job(jobs, json_get_text(one, "job", ""));

        if (job == NULL)
            continue;
        put_progress(one, table, job);
        n++;
    }
    json_decref(status);
    return n;
}

static bool is_of_progress(const struct grid_column *column)
{
    return strcmp(column->key, "progress") == 0 ||
           strcmp(column->key, "left") == 0;
}

static void put_none(const struct options *options, struct buf *out)
{
    bool cluster = option_on(options, OPT_COORDINATOR);

    buf_printf(out, "no jobs yet: `promptcc %s JOB",
               cluster ? "submit" : "run");
    if (cluster)
        ask_put_address(options, out);
    buf_puts(out, "` makes one");
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct grid_column shown[COLUMNS];
    json_t *jobs = NULL;
    size_t n = 0;
    struct buf none = BUF_INIT(TEXT_BYTES);
    bool shares, run_now;
    int status;

    if (option_on(options, OPT_REMOVE))
        return remove_jobs(options);
    jobs = history_ask(options, "jobs", NULL, NULL, &err);
    shares = has_share(jobs);
    run_now = add_progress(options, jobs, &err) > 0;
    for (size_t i = 0; i < COLUMNS; i++)
        if ((shares || !is_of_share(&columns[i])) &&
            (run_now || !is_of_progress(&columns[i])))
            shown[n++] = columns[i];
    put_none(options, &none);
    status = listing_print(options, jobs, shown, n,
                           none.data == NULL ? "" : none.data, &err);
    buf_release(&none);
    return status;
}

const struct command_entry cmd_jobs = {
    .name = "jobs",
    .usage = "",
    .summary = "lists the jobs of a store or a cluster, or removes some",
    .about = "With --remove the store must not be in use (docs/store.md).",
    .example = "promptcc jobs --store promptcc.db",
    .options = OPTION_BIT(OPT_STORE) | OPTIONS_THERE | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_REMOVE) | OPTION_BIT(OPT_JSON),
    .max_operands = 0,
    .document =
        "a list of `job`, `name`, `state` (`queued`, `running`, `paused`, "
        "`done`, `stopped`, `failed`), `score`, `reason`, `simulated`, "
        "`trials`, `seed`, `wall_s`, `path`, `created`, `updated`, `priority`, "
        "`max_workers` (null: all workers), and `low`, `high` and `n` of the "
        "compiled program's score; with --coordinator, running jobs also have "
        "`progress` (0 to 1) and `left_ms` if they are known. With --remove a "
        "list of `job`, `trials` and `calls` (how many were removed), `kept` "
        "(calls that stay for other jobs). If some are not removed: `error`, "
        "the worst; `removed`, that list; `refused`, a list of `job`, `error`",
    .run = run,
};
