#include "cli/command.h"
#include "cli/follow.h"
#include "cli/output.h"

static int run_job(const struct options *options, struct jobfile *file)
{
    struct follow follow = {
        .options = options,
        .file = file,
        .request = {.action = REQUEST_RUN,
                    .simulated = option_on(options, OPT_SIMULATE),
                    .max_workers =
                        (int32_t)option_number(options, OPT_MAX_WORKERS, 0)}};

    return follow_here(&follow);
}

static int run(const struct options *options)
{
    return jobfile_use(options, run_job);
}

const struct command_entry cmd_run = {
    .name = "run",
    .usage = "JOB",
    .summary =
        "optimizes a job here and now; continues where an earlier run stopped",
    .about = "For a finished job it writes --out again and makes no calls.",
    .example = "promptcc run jobs/customer_care/job.yaml --simulate",
    .options = OPTIONS_JOB | OPTIONS_SERVERS | OPTIONS_WAIT | OPTIONS_PRINT |
               OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_OUT) | OPTIONS_HTTP |
               OPTION_BIT(OPT_MAX_WORKERS) | OPTIONS_NOTIFY,
    .min_operands = 1,
    .max_operands = 1,
    .document = "the result, described key by key in "
                "docs/command-line.md#the-result-of-a-run",
    .run = run,
};
