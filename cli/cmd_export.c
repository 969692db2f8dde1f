#include "cli/again.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/output.h"

// A job is replayed from its store without a model server, up to where it
// stopped, and its best is written.
static int run(const struct options *options)
{
    struct again again;
    int status = again_load(&again, options, options->operands[0]);

    if (status == EXIT_DONE) {
        struct follow follow = {
            .options = options,
            .file = &again.file,
            .frozen = true,
            .store = again.store,
            .request = {.action = REQUEST_RUN,
                        .simulated = again.request->simulated}};

        status = follow_here(&follow);
        // Of an unfinished job: its best so far, if there is one.
        if (status == EXIT_STOPPED)
            status = follow.wrote ? EXIT_DONE : EXIT_FAILED;
    }
    again_release(&again);
    return status;
}

const struct command_entry cmd_export = {
    .name = "export",
    .usage = "ID",
    .summary = "writes the compiled file of a job again, from its store",
    .example = "promptcc export customer-care --out best.json",
    .options =
        OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_OUT) | OPTION_BIT(OPT_JSON),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
