#include <stdlib.h>
#include <string.h>

#include "cli/again.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/option_about.h"
#include "cli/output.h"
#include "common/json.h"

enum { ROW_DIGITS = 9 };

static bool add_excluded(const struct options *options, json_t *argument,
                         struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, OPT_EXCLUDE, &texts);
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        size_t digits = strspn(texts[i], "0123456789");

        if (texts[i][digits] != '\0' || digits > ROW_DIGITS) {
            err_set(err, ERR_INPUT,
                    "--exclude cannot be `%.40s`: it takes the number of an "
                    "example",
                    texts[i]);
            json_decref(rows);
            return false;
        }
        (void)json_array_append_new(rows,
                                    json_integer(strtol(texts[i], NULL, 10)));
    }
    if (n > 0)
        (void)json_object_set(argument, "exclude", rows);
    json_decref(rows);
    return true;
}

static void add_number(const struct options *options, enum option_id id,
                       const char *key, json_t *argument)
{
    if (option_on(options, id))
        (void)json_object_set_new(argument, key,
                                  json_integer(option_number(options, id, 0)));
}

// Returns the argument for the coordinator, such as {"exclude": [17],
// "priority": 20}, or NULL on failure.
static char *argument_of(const struct options *options, struct err *err)
{
    json_t *argument = json_object();
    char *text = NULL;

    if (add_excluded(options, argument, err)) {
        add_number(options, OPT_PRIORITY, "priority", argument);
        add_number(options, OPT_MAX_WORKERS, "max_workers", argument);
        text = json_text(argument);
        if (text == NULL)
            err_nomem(err, "the command");
    }
    json_decref(argument);
    return text;
}

static int resume_here(const struct options *options, const char *argument)
{
    struct again again;
    int status = again_load(&again, options, options->operands[0]);

    if (status == EXIT_DONE) {
        struct follow follow = {
            .options = options,
            .file = &again.file,
            .store = again.store,
            .id = again.id,
            .exclude = argument,
            .request = {.action = REQUEST_RUN,
                        .simulated = again.request->simulated,
                        .priority = (int32_t)option_number(
                            options, OPT_PRIORITY, again.request->priority),
                        .max_workers =
                            (int32_t)option_number(options, OPT_MAX_WORKERS,
                                                   again.request->max_workers),
                        .out = again.request->out}};

        status = follow_here(&follow);
    }
    again_release(&again);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    char *argument = argument_of(options, &err);
    int status;

    if (argument == NULL)
        status = output_error(options, &err);
    else if (option_on(options, OPT_COORDINATOR))
        status = ask_and_tell(options, "resume", argument, "continues", NULL);
    else
        status =
            resume_here(options, strcmp(argument, "{}") == 0 ? NULL : argument);
    free(argument);
    return status;
}

const struct command_entry cmd_resume = {
    .name = "resume",
    .usage = "ID",
    .summary = "continues a paused or stopped job, as it was submitted",
    .about = "The job runs at a coordinator if one is named, else here, and "
             "writes to the same --out.",
    .example = "promptcc resume customer-care --exclude 17",
    .options = OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) | OPTIONS_WAIT |
               OPTIONS_PRINT | OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_OUT) |
               OPTION_BIT(OPT_EXCLUDE) | OPTION_BIT(OPT_PRIORITY) |
               OPTION_BIT(OPT_MAX_WORKERS) | OPTIONS_THERE | OPTIONS_NOTIFY,
    .min_operands = 1,
    .max_operands = 1,
    .option_help =
        (const struct option_help[]){{OPT_OUT, "where the compiled file goes",
                                      "where the job was going to write it"},
                                     {0}},
    .document = "the result, as for `run`; at a coordinator `job`, `state`",
    .run = run,
};
