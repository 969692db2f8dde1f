// plan: estimates what a run will take. It rehearses the run and measures the
// servers (measure.h), and says what follows from that (estimate.h).

#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/command.h"
#include "cli/estimate.h"
#include "cli/history_file.h"
#include "cli/measure.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "common/json.h"

enum { TEXT_BYTES = 1 << 16 };

// --- for people ---

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

// --- the command ---

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
    struct call_sums measured[ROLE_COUNT] = {0};
    struct estimate plan = {0};
    struct err err = ERR_CLEAR;
    bool there = option_on(options, OPT_COORDINATOR);
    int status = measure_rehearsal(options, file, &rehearsal, &err);

    if (status == EXIT_DONE)
        status = measure_servers(options, file, measured, &err);
    if (status == EXIT_DONE)
        plan.slots = there ? slots_there(options, file, &err)
                           : slots_here(options, file);
    if (err.code != ERR_NONE)
        return output_error(options, &err);
    if (status != EXIT_DONE)
        return status;
    estimate_run(&rehearsal, measured, &plan);
    return option_on(options, OPT_JSON)
               ? print_json(&plan, option_on(options, OPT_SIMULATE))
               : print_text(&plan, file->job);
}

static int run(const struct options *options)
{
    return jobfile_use(options, plan_job);
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
