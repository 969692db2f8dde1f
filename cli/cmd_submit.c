#include <stdlib.h>

#include "cli/command.h"
#include "cli/follow.h"
#include "cli/jobfile_files.h"
#include "cli/output.h"

static int submit(const struct options *options, struct jobfile *file)
{
    char *out = jobfile_given_or(option_text(options, OPT_OUT), file->path,
                                 JOBFILE_COMPILED);
    struct follow follow = {
        .options = options,
        .file = file,
        .request = {.action = REQUEST_RUN,
                    .simulated = option_on(options, OPT_SIMULATE),
                    .priority =
                        (int32_t)option_number(options, OPT_PRIORITY, 0),
                    .max_workers =
                        (int32_t)option_number(options, OPT_MAX_WORKERS, 0)},
        .wait = option_on(options, OPT_AWAIT)};
    int status;

    follow.out = follow.wait ? out : NULL;
    status = follow_there(&follow);
    free(out);
    return status;
}

static int run(const struct options *options)
{
    return jobfile_use(options, submit);
}

const struct command_entry cmd_submit = {
    .name = "submit",
    .usage = "JOB",
    .summary = "sends a job to a cluster",
    .about = "It also sends the files that the job names. It prints the job's "
             "id, or with --wait what `run` prints; Ctrl-C then only ends the "
             "waiting, and the job continues.",
    .example = "promptcc submit job.yaml --coordinator tcp://127.0.0.1:5570 "
               "--wait",
    .options = OPTIONS_JOB | OPTIONS_PRINT | OPTIONS_THERE |
               OPTION_BIT(OPT_AWAIT) | OPTION_BIT(OPT_OUT) |
               OPTION_BIT(OPT_SIMULATE) | OPTION_BIT(OPT_PRIORITY) |
               OPTION_BIT(OPT_MAX_WORKERS) | OPTIONS_NOTIFY,
    .min_operands = 1,
    .max_operands = 1,
    .document =
        "`job`; with --wait the result, as for `run`, or `job` after Ctrl-C",
    .run = run,
};
