// plan: estimates what a run will take.
//
// How many calls an optimizer makes depends on the answers, but hardly on what
// they say. So the run is rehearsed on the stand-in, in a temporary store. That
// gives the number of calls and the bytes of their prompts, in the same way for
// every optimizer. What a call takes is measured: the program as written is
// scored on the test share. (A run does the same and finds these answers in the
// store, so nothing is paid for twice.) This gives the tokens per byte, the
// times, and how much longer replies are than those of the stand-in to the same
// questions.
//
// With --coordinator, the workers of a cluster are measured: they score the
// program as written, and the cluster's history says what their calls took. A
// run that is submitted there finds these answers too.

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/history_file.h"
#include "cli/jobfile_files.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "store/query.h"

enum { TEXT_BYTES = 1 << 16 };

// Sums over the calls of a store, by role.
struct sums {
    double calls, bytes, prompt, generated;
    double prompt_us, generate_us, total_us; // without loading a model
};

// What the stand-in measured: a whole run, and the program as written.
struct rehearsal {
    struct sums run[ROLE_COUNT];
    struct sums eval[ROLE_COUNT];
};

#define SUMS                                                                   \
    "SELECT role, count(*) AS calls, sum(length(messages)) AS bytes,"          \
    " sum(prompt_tokens) AS prompt, sum(generated_tokens) AS generated,"       \
    " sum(prompt_us) AS prompt_us, sum(generate_us) AS generate_us,"           \
    " sum(total_us - load_us) AS total_us FROM v_calls"

static const char all_calls[] = SUMS " GROUP BY role";

// The calls that the scores of the job's evaluation rest on, whoever paid for
// them.
static const char job_calls[] =
    SUMS " WHERE id IN (SELECT i.value FROM evaluations e, json_each(e.calls) i"
         " WHERE e.job_no = (SELECT no FROM jobs WHERE id = '%s-eval'))"
         " GROUP BY role";

static void take_sums(const json_t *rows, struct sums out[ROLE_COUNT])
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        for (int r = 0; r < ROLE_COUNT; r++)
            if (strcmp(json_get_text(row, "role", ""), role_names[r]) == 0)
                out[r] = (struct sums){json_get_number(row, "calls", 0),
                                       json_get_number(row, "bytes", 0),
                                       json_get_number(row, "prompt", 0),
                                       json_get_number(row, "generated", 0),
                                       json_get_number(row, "prompt_us", 0),
                                       json_get_number(row, "generate_us", 0),
                                       json_get_number(row, "total_us", 0)};
    }
}

static bool read_sums(const char *path, const char *sql,
                      struct sums out[ROLE_COUNT], struct err *err)
{
    struct store *store = store_open_read(path, err);
    json_t *rows = store == NULL ? NULL : query_rows(store, sql, NULL, 0, err);

    take_sums(rows, out);
    store_close(store);
    bool ok = rows != NULL;
    json_decref(rows);
    return ok;
}

// ---- rehearsal and calibration

static int remove_entry(const char *path, const struct stat *stat, int kind,
                        struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

// Returns the SQL that sums the calls of an evaluation. The caller frees the
// result.
static char *sums_of(const json_t *document, struct err *err)
{
    struct buf sql = BUF_INIT(TEXT_BYTES);
    const char *job = json_get_text(document, "job", "");

    // A job id has no quotes, but a coordinator may send anything.
    if (strchr(job, '\'') == NULL)
        buf_printf(&sql, job_calls, job);
    if (!sql.failed && sql.data != NULL)
        return buf_take(&sql);
    buf_release(&sql);
    err_set(err, ERR_PROTOCOL,
            "the coordinator returned an evaluation without a job's id, so its "
            "calls cannot be added up");
    return NULL;
}

static int read_measured(const char *store, const json_t *document,
                         struct sums out[ROLE_COUNT], struct err *err)
{
    char *sql = sums_of(document, err);
    bool ok = sql != NULL && read_sums(store, sql, out, err);

    free(sql);
    return ok ? EXIT_DONE : exit_of(err->code);
}

static int follow_in(const char *store, const struct options *options,
                     struct jobfile *file, enum request_action action,
                     json_t **document)
{
    struct follow follow = {.options = options,
                            .file = file,
                            .keeps_result = true,
                            .store = store,
                            .request = {.action = action, .simulated = true}};
    int status = follow_here(&follow);

    *document = follow.outcome.document;
    return status;
}

// Rehearses the run, and then what is measured on the servers, so that like can
// be compared with like.
static int rehearse_in(const char *store, const struct options *options,
                       struct jobfile *file, struct rehearsal *out,
                       struct err *err)
{
    json_t *document = NULL;
    int status = follow_in(store, options, file, REQUEST_RUN, &document);

    json_decref(document);
    if (status != EXIT_DONE)
        return status;
    if (!read_sums(store, all_calls, out->run, err))
        return exit_of(err->code);
    status = follow_in(store, options, file, REQUEST_EVAL, &document);
    if (status == EXIT_DONE)
        status = read_measured(store, document, out->eval, err);
    json_decref(document);
    return status;
}

// Rehearses on the stand-in, whatever servers are named.
static int rehearse(const struct options *options, struct jobfile *file,
                    struct rehearsal *out, struct err *err)
{
    char *folder = file_join(file_temp_folder(), "promptcc-plan-XXXXXX");
    bool made = folder != NULL && mkdtemp(folder) != NULL;
    char *store = made ? file_join(folder, "plan.db") : NULL;
    struct options here = *options;
    int status = EXIT_FAILED;

    if (store == NULL) {
        err_set(err, ERR_IO,
                "cannot make a folder for the rehearsal in %s (%s): name "
                "another one in TMPDIR",
                FILE_SHOWN(file_temp_folder(), 120), strerror(errno));
        goto out;
    }
    here.values[OPT_OLLAMA] = here.values[OPT_OPENAI] =
        here.values[OPT_COORDINATOR] = (struct option_value){0};
    status = rehearse_in(store, &here, file, out, err);

out:
    if (made)
        (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(store);
    free(folder);
    return status;
}

static bool ask_sums(const struct options *options, const char *sql,
                     struct sums out[ROLE_COUNT], struct err *err)
{
    json_t *argument = json_pack("{s:s}", "sql", sql);
    json_t *answer = history_ask(options, "query", NULL, argument, err);

    take_sums(json_object_get(answer, "rows"), out);
    json_decref(argument);
    bool ok = answer != NULL;
    json_decref(answer);
    return ok;
}

// Scores the program as written on the workers of a cluster.
static int calibrate_there(const struct options *options, struct jobfile *file,
                           struct sums sums[ROLE_COUNT], struct err *err)
{
    struct follow follow = {
        .options = options,
        .file = file,
        .keeps_result = true,
        .wait = true,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE)}};
    int status = follow_there(&follow);
    char *sql =
        status == EXIT_DONE ? sums_of(follow.outcome.document, err) : NULL;

    if (status == EXIT_DONE &&
        (sql == NULL || !ask_sums(options, sql, sums, err)))
        status = exit_of(err->code);
    free(sql);
    json_decref(follow.outcome.document);
    return status;
}

// Scores the program as written on the servers at hand.
static int calibrate_here(const struct options *options, struct jobfile *file,
                          struct sums sums[ROLE_COUNT], struct err *err)
{
    char *store = jobfile_given_or(option_text(options, OPT_STORE), file->path,
                                   JOBFILE_STORE);
    struct follow follow = {
        .options = options,
        .file = file,
        .keeps_result = true,
        .store = store,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE)}};
    int status = EXIT_FAILED;

    if (store == NULL)
        err_nomem(err, "a path");
    else
        status = follow_here(&follow);
    if (status == EXIT_DONE)
        status = read_measured(store, follow.outcome.document, sums, err);
    json_decref(follow.outcome.document);
    free(store);
    return status;
}

// ---- the estimate

struct estimate {
    double calls[ROLE_COUNT];
    double prompt, generated;
    double seconds; // of work on one slot
    double call_s;  // of a call of the student
    int64_t slots;
    double measured; // number of calls that this is based on
};

static double ratio(double a, double b, double fallback)
{
    return b > 0 ? a / b : fallback;
}

// Returns how much longer replies are than the stand-in's to the same
// questions.
static double length_ratio(const struct sums *measured,
                           const struct sums *rehearsed)
{
    return measured->calls > 0
               ? ratio(measured->generated / measured->calls,
                       ratio(rehearsed->generated, rehearsed->calls, 0), 1)
               : 1;
}

// A role that was not measured is assumed to be as fast as the student: it
// often has the same model, and its calls are few.
static void estimate_role(const struct rehearsal *rehearsal,
                          const struct sums measured[ROLE_COUNT], int role,
                          struct estimate *out)
{
    const struct sums *run = &rehearsal->run[role];
    const struct sums *own = &measured[role];
    const struct sums *real = own->calls > 0 ? own : &measured[ROLE_STUDENT];
    double prompt = run->bytes * ratio(real->prompt, real->bytes, 0.25);
    double generated =
        run->generated * length_ratio(own, &rehearsal->eval[role]);
    double rest_us =
        fmax(0, real->total_us - real->prompt_us - real->generate_us);

    out->prompt += prompt;
    out->generated += generated;
    out->seconds += (prompt * ratio(real->prompt_us, real->prompt, 0) +
                     generated * ratio(real->generate_us, real->generated, 0) +
                     run->calls * ratio(rest_us, real->calls, 0)) /
                    1e6;
}

static void estimate(const struct rehearsal *rehearsal,
                     const struct sums measured[ROLE_COUNT],
                     struct estimate *out)
{
    const struct sums *student = &measured[ROLE_STUDENT];

    for (int r = 0; r < ROLE_COUNT; r++) {
        out->calls[r] = rehearsal->run[r].calls;
        out->measured += measured[r].calls;
        estimate_role(rehearsal, measured, r, out);
    }
    out->call_s = ratio(student->total_us, student->calls, 0) / 1e6;
}

// ---- printing

static void put_hours(double seconds, struct buf *out)
{
    if (seconds < 90)
        buf_printf(out, "%.0f s", seconds);
    else if (seconds < 5400)
        buf_printf(out, "%.0f min", seconds / 60);
    else
        buf_printf(out, "%.1f hours", seconds / 3600);
}

static void put_calls(const struct estimate *plan, struct buf *out)
{
    int any = 0;

    for (int r = 0; r < ROLE_COUNT; r++)
        if (plan->calls[r] > 0) {
            buf_puts(out, any++ ? ", " : "");
            buf_put_number(out, (int64_t)plan->calls[r]);
            buf_printf(out, " %s", role_names[r]);
        }
    if (any == 0)
        buf_puts(out, "none: the budget is too small to score the program as "
                      "it is written");
}

static int print_text(const struct estimate *plan, const struct job *job)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    double wall_s = plan->seconds / (double)plan->slots;
    int status;

    buf_puts(&text, "calls     ");
    put_calls(plan, &text);
    buf_puts(&text, "\ntokens    ");
    buf_put_number(&text, (int64_t)plan->prompt);
    buf_puts(&text, " prompt, ");
    buf_put_number(&text, (int64_t)plan->generated);
    buf_puts(&text, " generated\ntime      ");
    put_hours(wall_s, &text);
    buf_puts(&text, " on ");
    put_count(&text, plan->slots, "slot");
    buf_puts(&text, ", based on ");
    put_count(&text, (int64_t)plan->measured, "call");
    buf_printf(&text, " of %.2f s\n", plan->call_s);
    if (job->budget.max_time_ms > 0 &&
        wall_s * 1000 > (double)job->budget.max_time_ms)
        buf_puts(&text, "          more than the job's max_time: the run ends "
                        "before it is done\n");
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int print_json(const struct estimate *plan, bool simulated)
{
    json_t *document = json_pack(
        "{s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:f, s:I, s:{s:I, s:f}, s:b}",
        "calls", "student", (json_int_t)plan->calls[ROLE_STUDENT], "teacher",
        (json_int_t)plan->calls[ROLE_TEACHER], "judge",
        (json_int_t)plan->calls[ROLE_JUDGE], "tokens", "prompt",
        (json_int_t)plan->prompt, "generated", (json_int_t)plan->generated,
        "hours", plan->seconds / (double)plan->slots / 3600, "slots",
        (json_int_t)plan->slots, "measured", "calls",
        (json_int_t)plan->measured, "call_s", plan->call_s, "simulated",
        simulated);
    json_t *calls = json_object_get(document, "calls");

    // Only for jobs that search by embeddings.
    if (plan->calls[ROLE_EMBED] > 0 &&
        json_object_set_new(
            calls, role_names[ROLE_EMBED],
            json_integer((json_int_t)plan->calls[ROLE_EMBED])) != 0) {
        json_decref(document);
        document = NULL;
    }
    int status = document == NULL ? EXIT_FAILED : output_json(document);

    json_decref(document);
    return status;
}

static bool has_model(const json_t *worker, const char *model)
{
    const json_t *models = json_object_get(worker, "models");

    for (size_t i = 0; i < json_array_size(models); i++) {
        const char *name = json_string_value(json_array_get(models, i));

        if (name != NULL && strcmp(name, model) == 0)
            return true;
    }
    return false;
}

// Returns the slots of the cluster's workers that have the student.
static int64_t slots_there(const struct options *options,
                           const struct jobfile *file, struct err *err)
{
    json_t *workers = history_ask(options, "workers", NULL, NULL, err);
    int64_t slots = 0;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (has_model(worker, file->job->models[ROLE_STUDENT].name))
            slots += json_get_int(worker, "slots", 0);
    }
    json_decref(workers);
    return slots > 0 ? slots : 1;
}

static int64_t slots_here(const struct options *options,
                          const struct jobfile *file)
{
    const char *models[ROLE_COUNT];
    size_t n = jobfile_models(file, models);
    struct servers servers = {0};
    struct err ignored = ERR_CLEAR;
    int64_t slots = 0;

    if (servers_open(&servers, options, option_on(options, OPT_SIMULATE),
                     models, n, &ignored))
        for (size_t i = 0; i < servers.n; i++)
            slots += servers.addresses[i].slots;
    servers_close(&servers);
    return slots > 0 ? slots : 1;
}

static int plan_job(const struct options *options, struct jobfile *file)
{
    struct rehearsal rehearsal = {0};
    struct sums measured[ROLE_COUNT] = {0};
    struct estimate plan = {0};
    struct err err = ERR_CLEAR;
    bool there = option_on(options, OPT_COORDINATOR);
    int status = rehearse(options, file, &rehearsal, &err);

    if (status == EXIT_DONE)
        status = there ? calibrate_there(options, file, measured, &err)
                       : calibrate_here(options, file, measured, &err);
    if (status == EXIT_DONE)
        plan.slots = there ? slots_there(options, file, &err)
                           : slots_here(options, file);
    if (err.code != ERR_NONE)
        return output_error(options, &err);
    if (status != EXIT_DONE)
        return status;
    estimate(&rehearsal, measured, &plan);
    return option_on(options, OPT_JSON)
               ? print_json(&plan, option_on(options, OPT_SIMULATE))
               : print_text(&plan, file->job);
}

static int run(const struct options *options)
{
    struct jobfile file;
    int status = jobfile_load(&file, options, options->operands[0]);

    if (status == EXIT_DONE)
        status = plan_job(options, &file);
    jobfile_release(&file);
    return status;
}

const struct command_entry cmd_plan = {
    .name = "plan",
    .usage = "JOB",
    .summary = "says how many calls, tokens and hours a run will take",
    .about = "It rehearses the run on the built-in stand-in, and measures "
             "the servers (with --coordinator, the workers of a cluster) "
             "on the test share.",
    .example = "promptcc plan jobs/customer_care/job.yaml --simulate",
    .options = OPTIONS_JOB | OPTIONS_SERVERS | OPTIONS_WAIT | OPTIONS_PRINT |
               OPTIONS_THERE | OPTION_BIT(OPT_STORE),
    .min_operands = 1,
    .max_operands = 1,
    .document = "`calls` (`student`, `teacher`, `judge`, and `embed` if texts "
                "are embedded), `tokens` (`prompt`, `generated`), `hours`, "
                "`slots`, `measured` (`calls`, `call_s`), `simulated`",
    .run = run,
};
