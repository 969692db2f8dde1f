#include <string.h>

#include "cli/again.h"
#include "cli/command.h"
#include "cli/compiled_text.h"
#include "cli/follow.h"
#include "cli/forms.h"
#include "cli/history_file.h"
#include "cli/jobfile_files.h"
#include "cli/last_word.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "client/client.h"
#include "common/file.h"
#include "common/json.h"
#include "program/job/job.h"
#include "program/run/compiled.h"

enum { DOCUMENT_BYTES = 64 << 20 };

// Replays the job from its store, without a model server, up to where it
// stopped, and writes the best candidate found. This also works for a job that
// was killed.
static int export_replayed(const struct options *options)
{
    struct again again;
    int status = again_load(&again, options, history_operand(options));

    if (status == EXIT_DONE) {
        struct follow follow = {
            .options = options,
            .file = &again.file,
            .frozen = true,
            .existing =
                option_on(options, OPT_OUT) ? FOLLOW_REPLACES : FOLLOW_BY_END,
            .store = again.store,
            .request = {.action = REQUEST_RUN,
                        .simulated = again.request->simulated,
                        .out = again.request->out}};

        status = follow_here(&follow);
        // An unfinished job yields its best so far, if it has one.
        if (status == EXIT_STOPPED)
            status = follow.outcome.wrote ? EXIT_DONE : EXIT_FAILED;
    }
    again_release(&again);
    return status;
}

// Writes the compiled file that the job last ended with, as the history keeps
// it. Without an explicit --out, another program's file is not overwritten
// (out_file.h).
static int write_stored(const struct options *options, const json_t *job,
                        struct err *err)
{
    const char *out = option_text(options, OPT_OUT);
    const char *compiled = json_get_text(job, "compiled", "");
    struct buf document = BUF_INIT(DOCUMENT_BYTES);
    struct follow follow = {.options = options,
                            .existing =
                                out != NULL ? FOLLOW_REPLACES : FOLLOW_SPARES,
                            .out = out != NULL ? out : JOBFILE_COMPILED,
                            .request = {.action = REQUEST_RUN}};
    struct client_result result = {.compiled = compiled,
                                   .compiled_len = strlen(compiled)};
    int status;

    json_put(&document, json_object_get(job, "document"));
    if (result.compiled_len == 0)
        compiled_text_explain_none(job, err);
    else if (buf_ok(&document, "the result", err))
        result.document = document.data;
    status = result.document == NULL ? output_error(options, err)
                                     : last_word(&follow, &result);
    buf_release(&document);
    return status;
}

static bool check_out(const struct options *options, struct err *err)
{
    const char *name = history_operand(options);

    if (option_text(options, OPT_FORMAT) == NULL &&
        compiled_text_is_file(name)) {
        err_set(err, ERR_INPUT,
                "%s names a compiled file; say which other form of it to "
                "write: --format messages, modelfile, dspy or markdown",
                FILE_SHOWN(name, 110));
        return false;
    }
    return history_check_out(options, history_operand(options),
                             option_text(options, OPT_OUT), err);
}

// A finished job's compiled file is in the history, just as a replay would make
// it. Taking it from there also works if the history is read-only or in use.
static bool is_finished(const struct options *options, const json_t *job)
{
    return strcmp(json_get_text(job, "state", ""), "done") == 0 &&
           option_on(options, OPT_OUT);
}

static int export_finished(const struct options *options, const json_t *job)
{
    struct err err = ERR_CLEAR;
    struct again again;
    int status = again_load(&again, options, history_operand(options));
    const struct out_file_reads reads = {.bundle = again.file.bundle,
                                         .store = again.store};

    if (status == EXIT_DONE)
        status =
            out_file_check(option_text(options, OPT_OUT), "--out", &reads, &err)
                ? write_stored(options, job, &err)
                : output_error(options, &err);
    again_release(&again);
    return status;
}

// A coordinator returns what the job last ended with. Here the history is
// replayed instead, except for a job of another version, which cannot be
// replayed.
static int export_compiled(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *job = NULL;
    int status;

    if (check_out(options, &err))
        job = history_ask(options, "export", history_operand(options), NULL,
                          &err);
    if (job == NULL)
        status = output_error(options, &err);
    else if (option_on(options, OPT_COORDINATOR) ||
             json_get_int(job, "replay_version", REPLAY_VERSION) !=
                 REPLAY_VERSION)
        status = write_stored(options, job, &err);
    else if (is_finished(options, job))
        status = export_finished(options, job);
    else
        status = export_replayed(options);
    json_decref(job);
    return status;
}

// --- other forms ---

// Writes to --out, or to standard output without it.
static int print_form(const struct options *options, const struct buf *text,
                      struct err *err)
{
    const char *out = option_text(options, OPT_OUT);

    if (out == NULL)
        return output_text(text);
    return file_write(out, text->data, text->len, err)
               ? EXIT_DONE
               : output_error(options, err);
}

static int export_form(const struct options *options, const char *form)
{
    const char *name = history_operand(options);
    struct buf text = BUF_INIT(DOCUMENT_BYTES);
    struct buf out = BUF_INIT(DOCUMENT_BYTES * 2);
    struct compiled *compiled = NULL;
    struct err err = ERR_CLEAR;
    int status;

    if (check_out(options, &err) &&
        compiled_text_read(options, name, &text, &err))
        compiled = compiled_read(name == NULL ? "compiled.json" : name,
                                 text.data, text.len, &err);
    if (compiled != NULL &&
        form_write(form, compiled, &text, option_text(options, OPT_STEP), &out,
                   &err))
        status = print_form(options, &out, &err);
    else
        status = output_error(options, &err);
    compiled_free(compiled);
    buf_release(&text);
    buf_release(&out);
    return status;
}

static int run(const struct options *options)
{
    const char *form = option_text(options, OPT_FORMAT);

    return form != NULL ? export_form(options, form) : export_compiled(options);
}

const struct command_entry cmd_export = {
    .name = "export",
    .usage = "[ID|COMPILED]",
    .summary = "writes the compiled file of a job again, from the history, or "
               "in another form",
    .about = "With --format it writes another form, also of a compiled file "
             "that is named: messages (JSON: each step's messages, with "
             "{input} where a value goes, and its schema), modelfile (one "
             "step, for `ollama create`), dspy (the state as DSPy itself saves "
             "it), markdown (to read).",
    .example = "promptcc export customer-care --out best.json",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_OUT) | OPTION_BIT(OPT_FORMAT) |
               OPTION_BIT(OPT_STEP) | OPTION_BIT(OPT_JSON),
    .max_operands = 1,
    .document = "the result, as for `run`",
    .run = run,
};
