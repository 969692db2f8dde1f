#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/checks.h"
#include "cli/command.h"
#include "cli/jobfile.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/json.h"
#include "common/text.h"

enum { SUMMARY_BYTES = 1 << 16 };

static void put_skipped(const struct jobfile *file, struct buf *out)
{
    const struct program *program = file->job->program;
    bool any = false;

    for (size_t s = 0; s < program->n_steps; s++) {
        if (program->steps[s].predictor < 0 || file->plan.runs[s])
            continue;
        buf_printf(out, "%s%s", any ? ", " : "  skipped   ",
                   program->steps[s].name);
        any = true;
    }
    if (any)
        buf_puts(out, " (the metric reads nothing from them)\n");
}

static void put_examples(const struct jobfile *file, struct buf *out)
{
    const struct split *split = &file->split;
    char bad[TEXT_COUNTED_BYTES];

    // With a single share there is nothing to report: scripts compare the one
    // line that says that a job is fine.
    if (!split->shared || split->n[SHARE_TEST] > 0)
        buf_printf(out,
                   "  examples  %zu: train %zu, validation %zu%s, test %zu\n",
                   dataset_size(file->dataset), split->n[SHARE_TRAIN],
                   split->n[SHARE_VAL], split->shared ? " (the same rows)" : "",
                   split->n[SHARE_TEST]);
    if (dataset_skipped(file->dataset) > 0)
        buf_printf(out, "  left out  %s\n",
                   text_counted(bad, (int64_t)dataset_skipped(file->dataset),
                                "bad row"));
}

// Besides the good news, appends only what the job file does not say itself:
// which steps the search skips, and how the examples are split.
static void put_summary(const struct jobfile *file, struct buf *out)
{
    size_t len;

    buf_printf(out, "%s is fine\n\n", file->path);
    len = out->len;
    put_skipped(file, out);
    put_examples(file, out);
    if (out->len == len)
        out->len--;
}

static int print_json(const struct jobfile *file, bool ok)
{
    json_t *document =
        json_pack("{s:b, s:o}", "ok", ok, "findings", diags_json(file->diags));
    int status = document == NULL ? EXIT_FAILED : output_json(document);

    json_decref(document);
    if (status != EXIT_DONE)
        return status;
    return ok ? EXIT_DONE : EXIT_USAGE;
}

static int print_text(const struct options *options, const struct jobfile *file)
{
    struct buf text = BUF_INIT(SUMMARY_BYTES);
    struct err none = ERR_CLEAR;
    int status = output_findings(options, file->diags, &none);

    if (status != EXIT_DONE)
        return status;
    const struct terminal terminal = terminal_of(STDOUT_FILENO);
    put_summary(file, &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct jobfile file;
    struct err err = ERR_CLEAR;
    struct err first = ERR_CLEAR;
    int status;

    bool read = jobfile_read(&file, options, options->operands[0], &err);
    if (read)
        checks_run(&file, options);
    if (!read)
        status = output_error(options, &err);
    else if (option_on(options, OPT_JSON))
        status = print_json(&file, diags_ok(file.diags, &first));
    else
        status = print_text(options, &file);
    jobfile_release(&file);
    return status;
}

const struct command_entry cmd_check = {
    .name = "check",
    .usage = "JOB",
    .summary = "reads the job file and its data and reports every mistake",
    .about = "It also says which steps the search skips and how the examples "
             "are split. It looks at the data before anything is paid for, and "
             "says what to do about each finding.",
    .example = "promptcc check jobs/customer_care/job.yaml",
    .options = OPTIONS_JOB | OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) |
               OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .document = "`ok`, `findings`: a list of `level`, `code`, `text`, "
                "`remedy`, `place`",
    .run = run,
};
