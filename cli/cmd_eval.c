#include "cli/command.h"
#include "cli/follow.h"
#include "cli/outcomes.h"
#include "cli/output.h"

// Returns the score at which a row counts as passed: a full score, unless
// --fail-below asks for less overall.
static double pass_of(const struct options *options)
{
    return option_on(options, OPT_FAIL_BELOW)
               ? options->values[OPT_FAIL_BELOW].score
               : 1;
}

static int eval_file(const struct options *options, struct jobfile *file)
{
    struct follow follow = {
        .options = options,
        .file = file,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE),
                    .all_steps = option_on(options, OPT_ALL_STEPS)}};
    const char *rows = option_text(options, OPT_ROWS);
    const char *junit = option_text(options, OPT_JUNIT);
    struct err err = ERR_CLEAR;
    int status = EXIT_DONE;

    if (!jobfile_add_compiled(file, option_text(options, OPT_COMPILED),
                              &follow.request.compiled, &err) ||
        !jobfile_add(file, option_text(options, OPT_DATA), &follow.request.data,
                     &err))
        return output_error(options, &err);
    if (follow.request.data != NULL)
        status = jobfile_check_data(file, options, follow.request.data);
    if (status != EXIT_DONE)
        return status;
    status = follow_here(&follow);
    if (follow.outcome.candidate > 0 &&
        ((rows != NULL &&
          !outcomes_write(options, file->path, follow.outcome.candidate, rows,
                          &err)) ||
         (junit != NULL &&
          !outcomes_write_junit(options, file->path, follow.outcome.candidate,
                                pass_of(options), junit, &err))))
        return output_error(options, &err);
    return status;
}

static int run(const struct options *options)
{
    struct jobfile file;
    int status = jobfile_load(&file, options, options->operands[0]);

    if (status == EXIT_DONE)
        status = eval_file(options, &file);
    jobfile_release(&file);
    return status;
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
