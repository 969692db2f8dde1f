#include "cli/command.h"
#include "cli/follow.h"
#include "cli/jobfile_files.h"
#include "cli/outcomes.h"
#include "cli/output.h"
#include "common/file.h"

// Returns the score at which a row counts as passed: a full score, unless
// --fail-below asks for less overall.
static double pass_of(const struct options *options)
{
    return option_on(options, OPT_FAIL_BELOW)
               ? options->values[OPT_FAIL_BELOW].score
               : 1;
}

// The files of --rows and --junit.
struct row_files {
    const struct options *options;
    const char *job; // path of the job file
};

static bool write_rows(const void *user, int64_t candidate, struct err *err)
{
    const struct row_files *of = user;
    const char *rows = option_text(of->options, OPT_ROWS);
    const char *junit = option_text(of->options, OPT_JUNIT);

    if (rows != NULL &&
        !outcomes_write(of->options, of->job, candidate, rows, err))
        return false;
    if (junit == NULL || outcomes_write_junit(of->options, of->job, candidate,
                                              pass_of(of->options), junit, err))
        return true;
    if (rows != NULL) {
        struct err why = *err;

        err_set(err, why.code, "%.110s; %s is written", why.text,
                FILE_SHOWN(rows, 110));
    }
    return false;
}

// Adds the file of --data.
static bool add_data(struct jobfile *file, const struct options *options,
                     const char **name, struct err *err)
{
    struct err why = ERR_CLEAR;

    if (jobfile_add(file, option_text(options, OPT_DATA), name, &why))
        return true;
    if (why.code == ERR_LIMIT)
        err_set(err, ERR_LIMIT,
                "%.150s: score some of the rows, such as `shuf -n 1000 OLD > "
                "NEW`",
                why.text);
    else
        *err = why;
    return false;
}

static int eval_file(const struct options *options, struct jobfile *file)
{
    const struct row_files files = {.options = options, .job = file->path};
    struct follow follow = {
        .options = options,
        .file = file,
        .files = {.user = &files, .write = write_rows},
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE),
                    .all_steps = option_on(options, OPT_ALL_STEPS)}};
    struct err err = ERR_CLEAR;
    int status = EXIT_DONE;

    if (!jobfile_add_compiled(file, option_text(options, OPT_COMPILED),
                              &follow.request.compiled, &err) ||
        !add_data(file, options, &follow.request.data, &err))
        return output_error(options, &err);
    if (follow.request.data != NULL)
        status = jobfile_check_data(file, options, follow.request.data);
    return status == EXIT_DONE ? follow_here(&follow) : status;
}

static int run(const struct options *options)
{
    return jobfile_use(options, eval_file);
}

const struct command_entry cmd_eval = {
    .name = "eval",
    .usage = "JOB",
    .summary = "scores the program, as written or with compiled prompts",
    .about = "With --data it scores every row of that file; without it the "
             "test share, or the validation share if the job has no test "
             "share. With --compiled, the program and its prompts come "
             "from that file, the metric and the models from JOB. Files "
             "that DSPy saved can be read too (docs/compiled.md).",
    .example = "promptcc eval job.yaml --compiled compiled.json "
               "--fail-below 0.8",
    .options = OPTIONS_SERVERS | OPTIONS_WAIT | OPTIONS_PRINT |
               OPTION_BIT(OPT_SET) | OPTION_BIT(OPT_STORE) |
               OPTION_BIT(OPT_COMPILED) | OPTION_BIT(OPT_DATA) |
               OPTION_BIT(OPT_ALL_STEPS) | OPTION_BIT(OPT_FAIL_BELOW) |
               OPTION_BIT(OPT_ROWS) | OPTION_BIT(OPT_JUNIT),
    .min_operands = 1,
    .max_operands = 1,
    .document = "`score`, `low`, `high`, `n`, `model_faults`, `faults`, "
                "`fault_example`, `lenient`, `calls`, `tokens`, `wall_s`, "
                "`job`, `candidate`, `simulated`",
    .run = run,
};
