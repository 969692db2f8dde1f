#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/given.h"
#include "cli/option_about.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "common/clock.h"
#include "common/error_document.h"
#include "common/text.h"
#include "predict/compiled_file.h"
#include "predict/runner.h"
#include "predict/student.h"
#include "program/graph/type_form.h"

enum {
    TIMEOUT_MS = 600000,
    WAIT_MS = 3000,       // for a server that does not answer yet
    PATIENCE_MS = 300000, // for a server that has stopped answering, with many
                          // inputs
    TEXT_BYTES = 16 << 20,
};

// --- inputs and outputs ---

struct feed {
    const struct options *options;
    const struct compiled *compiled;
    bool simulated;
    struct batch *batch; // NULL: inputs come from the command line
    bool given;          // those inputs have been taken
    size_t lines;        // written
    size_t failed;
    int status;
};

static bool next_inputs(void *user, json_t **values, struct err *err)
{
    struct feed *feed = user;
    const struct program *program = feed->compiled->program;

    if (feed->batch != NULL)
        return batch_next(feed->batch, values, err);
    if (feed->given)
        return false;
    feed->given = true;
    *values = given_values(program->inputs, program->n_inputs,
                           feed->options->operands + 1,
                           feed->options->n_operands - 1, err);
    return true;
}

static json_t *result_json(const struct feed *feed,
                           const struct runner_result *result)
{
    json_t *document = json_object();

    if (result->outputs != NULL)
        (void)json_object_set(document, "outputs", (json_t *)result->outputs);
    else
        (void)json_object_set_new(document, "error", error_json(&result->err));
    if (feed->simulated)
        (void)json_object_set_new(document, "simulated", json_true());
    return document;
}

static bool write_line(struct feed *feed, const struct runner_result *result,
                       struct err *err)
{
    bool blank = result->outputs == NULL && result->err.code == ERR_NONE;
    json_t *document = blank ? NULL : result_json(feed, result);
    bool ok = batch_write(feed->batch, document, err);

    feed->lines++;
    feed->failed += result->outputs == NULL && !blank;
    json_decref(document);
    return ok;
}

// Prints one value per line, as it would appear in a prompt.
static int print_outputs(const struct feed *feed, const json_t *outputs)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    const char *name;
    json_t *value;
    int status;

    json_object_foreach((json_t *)outputs, name, value) {
        buf_printf(&text, "%s: ", name);
        value_put(value, &text);
        buf_putc(&text, '\n');
    }
    if (feed->simulated)
        output_say("simulated: a stand-in answered, not a model\n");
    status = output_text(&text);
    buf_release(&text);
    return status;
}

static bool one_done(void *user, const struct runner_result *result,
                     struct err *err)
{
    struct feed *feed = user;
    json_t *document;

    if (feed->batch != NULL)
        return write_line(feed, result, err);
    if (result->outputs == NULL) {
        feed->status = output_error(feed->options, &result->err);
    } else if (option_on(feed->options, OPT_JSON)) {
        document = result_json(feed, result);
        feed->status = output_json(document);
        json_decref(document);
    } else {
        feed->status = print_outputs(feed, result->outputs);
    }
    return true;
}

static bool is_late(void *user)
{
    const struct feed *feed = user;

    return feed->batch != NULL && batch_is_late(feed->batch);
}

static void tell_waiting(void *user, const char *why)
{
    (void)user;
    output_say("waiting for the model server (%s)\n", why);
}

// --- the command ---

static bool open_feed(struct feed *feed, struct err *err)
{
    const char *in = option_text(feed->options, OPT_INPUT);
    const char *out = option_text(feed->options, OPT_OUTPUT);
    const struct out_file_reads reads = {
        .others = (const char *const *)feed->options->operands, .n_others = 1};

    if (in == NULL)
        return true;
    bool standard = out != NULL && strcmp(out, "-") == 0;
    if (!out_file_check(standard ? NULL : out, "--output", &reads, err))
        return false;
    feed->batch = batch_open(feed->compiled->program, in, out, err);
    return feed->batch != NULL;
}

static int tell_batch(const struct feed *feed)
{
    char failed[TEXT_COUNTED_BYTES];

    if (feed->lines == 0)
        output_say("promptcc: %s holds no inputs, so there are no outputs\n",
                   option_text(feed->options, OPT_INPUT));
    if (feed->failed > 0)
        output_say("promptcc: %s got no outputs: see `error` in the output\n",
                   text_counted(failed, (int64_t)feed->failed, "input"));
    return feed->failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

// Waits for a server that has only just been started.
static bool open_student(const struct compiled *compiled,
                         const struct model_address *address, int64_t wait_ms,
                         struct student *out, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    int64_t end = clock_monotonic_ms() + wait_ms;

    for (;;) {
        struct err why = ERR_CLEAR;

        if (student_open(compiled, address, out, &why))
            return true;
        if (why.code != ERR_FAULT || clock_monotonic_ms() >= end) {
            err_set(err, why.code, "%s", why.text);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int predict(const struct options *options,
                   const struct compiled *compiled,
                   const struct servers *servers)
{
    struct feed feed = {.options = options, .compiled = compiled};
    const struct model_address *address = &servers->addresses[0];
    struct runner_io io = {.user = &feed,
                           .next = next_inputs,
                           .late = is_late,
                           .done = one_done,
                           .waits = tell_waiting};
    struct err err = ERR_CLEAR;
    struct runner runner = {
        .compiled = compiled,
        .slots = (int)option_number(options, OPT_SLOTS, address->slots),
        .allow_exec = option_on(options, OPT_ALLOW_EXEC),
        .timeout_ms = TIMEOUT_MS,
        .patience_ms =
            option_number(options, OPT_WAIT,
                          option_on(options, OPT_INPUT) ? PATIENCE_MS : 0)};
    struct student student = {0};

    if (open_feed(&feed, &err) &&
        open_student(compiled, address,
                     option_number(options, OPT_WAIT, WAIT_MS), &student,
                     &err)) {
        if (student.warning[0] != '\0')
            output_say("warning: %s: %s\n", options->operands[0],
                       student.warning);
        feed.simulated = student.simulated;
        runner.client = student.client;
        (void)runner_run(&runner, &io, &err);
    }
    batch_close(feed.batch, &err);
    student_close(&student);
    if (err.code != ERR_NONE)
        return output_error(options, &err);
    return option_on(options, OPT_INPUT) ? tell_batch(&feed) : feed.status;
}

// Checks what was typed before a server is asked.
static bool check_words(const struct options *options,
                        const struct compiled *compiled, struct err *err)
{
    const struct program *program = compiled->program;
    const struct field *needed =
        given_needed(program->inputs, program->n_inputs);
    bool batch = option_on(options, OPT_INPUT);
    json_t *values, *inputs = NULL;

    if (batch && options->n_operands > 1) {
        err_set(err, ERR_INPUT,
                "the inputs come from --input or as "
                "FIELD=VALUE, not both");
        return false;
    }
    if (batch)
        return true;
    if (options->n_operands == 1 && needed != NULL) {
        err_set(err, ERR_INPUT,
                "the input `%s` is missing: write %s=VALUE after the compiled "
                "file, or name a file of inputs with --input",
                needed->name, needed->name);
        return false;
    }
    values = given_values(program->inputs, program->n_inputs,
                          options->operands + 1, options->n_operands - 1, err);
    if (values != NULL)
        inputs = program_inputs(program, values, err);
    json_decref(values);
    json_decref(inputs);
    return inputs != NULL;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct compiled *compiled = compiled_file_read(options->operands[0], &err);
    struct servers servers = {0};
    const char *models[2] = {"", ""};
    size_t n = compiled == NULL ? 0 : compiled_models(compiled, models);
    int status;

    if (compiled == NULL || !check_words(options, compiled, &err) ||
        !servers_open_one(&servers, options, models, n, &err))
        status = output_error(options, &err);
    else
        status = predict(options, compiled, &servers);
    servers_close(&servers);
    compiled_free(compiled);
    return status;
}

const struct command_entry cmd_predict = {
    .name = "predict",
    .usage = "COMPILED [FIELD=VALUE...]",
    .summary = "runs a compiled program on your own input",
    .about = "The inputs come from the command line or, one row for each run, "
             "from --input.",
    .example = "promptcc predict compiled.json "
               "user_message=\"Where is my parcel?\"",
    .options = OPTIONS_SERVERS | OPTION_BIT(OPT_INPUT) |
               OPTION_BIT(OPT_OUTPUT) | OPTION_BIT(OPT_SLOTS) |
               OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_ALLOW_EXEC) |
               OPTION_BIT(OPT_WAIT),
    .min_operands = 1,
    .max_operands = -1,
    .option_help =
        (const struct option_help[]){
            SERVERS_HELP_OF_ONE,
            {OPT_WAIT, "wait at most T while the model server does not answer",
             "3s at the start, 5m in the middle of --input"},
            {OPT_ALLOW_EXEC,
             "run the programs that the compiled file names in exec steps",
             NULL},
            {0}},
    .document = "`outputs`, or `error`; with --input one line for each row",
    .run = run,
};
