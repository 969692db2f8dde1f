// plan: what a run will take.
//
// How many calls an optimizer makes depends on its answers, but hardly on what
// they say. So the run is rehearsed on the stand-in, in a store of its own that
// is thrown away: that gives calls and the bytes of their prompts, for every
// optimizer alike. What a call takes is measured: the program as written is
// scored on the test share (a run does the same, and finds these answers in the
// store, so nothing is paid twice). Tokens a byte, tokens of a reply, and times
// come from there.

#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "common/json.h"
#include "common/text.h"
#include "store/query.h"

enum { PATH_BYTES = 512, TEXT_BYTES = 1 << 16 };

// Sums over the calls of a store, by role.
struct sums {
    double calls, bytes, prompt, generated;
    double prompt_us, generate_us, total_us; // loading a model left out
};

static const char SUMS[] =
    "SELECT k.role, count(*) AS calls,"
    " sum(length(coalesce(p.text, '')) + length(t.tail)) AS bytes,"
    " sum(c.prompt_tokens) AS prompt, sum(c.generated_tokens) AS generated,"
    " sum(c.prompt_us) AS prompt_us, sum(c.generate_us) AS generate_us,"
    " sum(c.total_us - c.load_us) AS total_us"
    " FROM calls c JOIN call_kinds k ON k.id = c.kind_id"
    " JOIN call_texts t ON t.id = c.id"
    " LEFT JOIN prefixes p ON p.id = c.prefix_id GROUP BY k.role";

static bool read_sums(const char *path, struct sums out[ROLE_COUNT],
                      struct err *err)
{
    struct store *store = store_open_read(path, err);
    json_t *rows = store == NULL ? NULL : query_rows(store, SUMS, NULL, 0, err);

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

// A run on the stand-in, whatever servers are named.
static int rehearse(const struct options *options, struct jobfile *file,
                    struct sums sums[ROLE_COUNT], struct err *err)
{
    char folder[] = "/tmp/promptcc-plan-XXXXXX";
    char store[PATH_BYTES];
    struct options here = *options;
    struct follow follow = {
        .options = &here,
        .file = file,
        .keeps = true,
        .store = store,
        .request = {.action = REQUEST_RUN, .simulated = true}};
    int status;

    if (mkdtemp(folder) == NULL) {
        err_set(err, ERR_IO, "cannot make a folder in /tmp");
        return EXIT_FAILED;
    }
    (void)snprintf(store, sizeof store, "%s/plan.db", folder);
    here.values[OPT_OLLAMA] = here.values[OPT_OPENAI] =
        (struct option_value){0};
    status = follow_here(&follow);
    if (status == EXIT_DONE && !read_sums(store, sums, err))
        status = exit_of(err->code);
    json_decref(follow.document);
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}

// The program as written, on the servers at hand.
static int calibrate(const struct options *options, struct jobfile *file,
                     struct sums sums[ROLE_COUNT], json_t **document,
                     struct err *err)
{
    const char *given = option_text(options, OPT_STORE);
    char *store = given != NULL ? strdup(given)
                                : jobfile_beside(file->path, "promptcc.db");
    struct follow follow = {
        .options = options,
        .file = file,
        .keeps = true,
        .store = store,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE)}};
    int status = EXIT_FAILED;

    if (store == NULL)
        err_nomem(err, "a path");
    else
        status = follow_here(&follow);
    if (status == EXIT_DONE && !read_sums(store, sums, err))
        status = exit_of(err->code);
    *document = follow.document;
    free(store);
    return status;
}

// ---- what follows

struct estimate {
    double calls[ROLE_COUNT];
    double prompt, generated;
    double seconds; // of work, on one slot
    double call_s;  // of a call of the student
    int64_t slots;
    double measured; // calls that this rests on
};

static double ratio(double a, double b, double otherwise)
{
    return b > 0 ? a / b : otherwise;
}

// A role that was not measured is taken for the student's: often it is the same
// model, and its calls are few.
static void estimate_role(const struct sums *rehearsed,
                          const struct sums *student, const struct sums *own,
                          const struct sums *rehearsed_student,
                          struct estimate *out)
{
    const struct sums *real = own->calls > 0 ? own : student;
    double prompt = rehearsed->bytes * ratio(real->prompt, real->bytes, 0.25);
    // A reply of another length than the stand-in's.
    double longer = ratio(
        ratio(student->generated, student->calls, 1),
        ratio(rehearsed_student->generated, rehearsed_student->calls, 1), 1);
    double generated = rehearsed == rehearsed_student
                           ? rehearsed->generated * longer
                           : rehearsed->generated;
    double rest_us =
        fmax(0, real->total_us - real->prompt_us - real->generate_us);

    out->prompt += prompt;
    out->generated += generated;
    out->seconds += (prompt * ratio(real->prompt_us, real->prompt, 0) +
                     generated * ratio(real->generate_us, real->generated, 0) +
                     rehearsed->calls * ratio(rest_us, real->calls, 0)) /
                    1e6;
}

static void estimate(const struct sums rehearsed[ROLE_COUNT],
                     const struct sums measured[ROLE_COUNT],
                     struct estimate *out)
{
    const struct sums *student = &measured[ROLE_STUDENT];

    for (int r = 0; r < ROLE_COUNT; r++) {
        out->calls[r] = rehearsed[r].calls;
        out->measured += measured[r].calls;
        estimate_role(&rehearsed[r], student, &measured[r],
                      &rehearsed[ROLE_STUDENT], out);
    }
    out->call_s = ratio(student->total_us, student->calls, 0) / 1e6;
}

// ---- the word

static void put_time(double seconds, struct buf *out)
{
    if (seconds < 90)
        buf_printf(out, "%.0f s", seconds);
    else if (seconds < 5400)
        buf_printf(out, "%.0f min", seconds / 60);
    else
        buf_printf(out, "%.1f hours", seconds / 3600);
}

static int print_text(const struct estimate *plan, const struct job *job)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    double wall_s = plan->seconds / (double)plan->slots;
    int status;

    buf_puts(&text, "calls     ");
    for (int r = 0, any = 0; r < ROLE_COUNT; r++)
        if (plan->calls[r] > 0) {
            buf_puts(&text, any++ ? ", " : "");
            buf_put_number(&text, (int64_t)plan->calls[r]);
            buf_printf(&text, " %s", role_names[r]);
        }
    buf_puts(&text, "\ntokens    ");
    buf_put_number(&text, (int64_t)plan->prompt);
    buf_puts(&text, " prompt, ");
    buf_put_number(&text, (int64_t)plan->generated);
    buf_puts(&text, " generated\ntime      ");
    put_time(wall_s, &text);
    buf_printf(&text, " on %" PRId64 " slot%s, by %.0f calls of %.2f s\n",
               plan->slots, plan->slots == 1 ? "" : "s", plan->measured,
               plan->call_s);
    if (job->budget.max_time_ms > 0 &&
        wall_s * 1000 > (double)job->budget.max_time_ms)
        buf_puts(&text, "          more than the job's max_time: the run ends "
                        "before it is done\n");
    status = output_text(&text);
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
    int status = document == NULL ? EXIT_FAILED : output_json(document);

    json_decref(document);
    return status;
}

static int64_t count_slots(const struct options *options,
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
    struct sums rehearsed[ROLE_COUNT] = {0};
    struct sums measured[ROLE_COUNT] = {0};
    struct estimate plan = {.slots = count_slots(options, file)};
    struct err err = ERR_CLEAR;
    json_t *document = NULL;
    int status = rehearse(options, file, rehearsed, &err);

    if (status == EXIT_DONE)
        status = calibrate(options, file, measured, &document, &err);
    json_decref(document);
    if (err.code != ERR_NONE)
        return output_error(options, &err);
    if (status != EXIT_DONE)
        return status;
    estimate(rehearsed, measured, &plan);
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
    .example = "promptcc plan jobs/customer_care/job.yaml --simulate",
    .options = OPTIONS_JOB | OPTIONS_SERVERS | OPTIONS_WAIT | OPTIONS_PRINT |
               OPTION_BIT(OPT_STORE),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
