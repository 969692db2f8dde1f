#include "cli/last_word.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/given.h"
#include "cli/notifier.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "common/file.h"
#include "common/json.h"
#include "common/shell_word.h"
#include "program/run/compiled.h"

enum {
    DOCUMENT_BYTES = 64 << 20,
    REPORT_BYTES = 1 << 22,
    WORDS_BYTES = 1 << 14,
};

// Returns the name of the event for how a job ended.
static const char *event_of(int64_t status)
{
    switch (status) {
    case EXIT_DONE:
    case EXIT_BELOW:
        return "done";
    case EXIT_PAUSED:
        return "paused";
    case EXIT_STOPPED:
        return "stopped";
    default:
        return "failed";
    }
}

// Call once the files are written, since others may act on them now. If one
// could not be written, `unwritten` says why.
static void tell_end(const struct follow *follow,
                     const struct client_result *result, const json_t *document,
                     const struct err *unwritten)
{
    bool failed = unwritten->code != ERR_NONE;
    const json_t *error = json_object_get(document, "error");
    const json_t *compiled = json_object_get(document, "compiled");
    const json_t *score = json_object_get(
        json_is_object(compiled) ? compiled : document, "score");
    json_t *event = json_pack("{s:s,s:s}", "event",
                              failed ? "failed" : event_of(result->status),
                              "job", result->job == NULL ? "" : result->job);

    if (json_is_number(score))
        (void)json_object_set(event, "score", (json_t *)score);
    if (error != NULL)
        (void)json_object_set(event, "text", json_object_get(error, "text"));
    if (failed)
        (void)json_object_set_new(event, "text", json_string(unwritten->text));
    notifier_tell(follow->notifier, event);
}

// Puts the documented members first, in the documented order.
static json_t *order_document(json_t *document, const char *const *names)
{
    json_t *ordered = json_object();
    const char *key;
    json_t *value;

    for (size_t i = 0; names[i] != NULL; i++) {
        value = json_object_get(document, names[i]);
        (void)json_object_set_new(ordered, names[i],
                                  value == NULL ? json_null()
                                                : json_incref(value));
    }
    json_object_foreach(document, key, value) {
        if (json_object_get(ordered, key) == NULL)
            (void)json_object_set(ordered, key, value);
    }
    json_decref(document);
    return ordered;
}

static const char *const run_members[] = {
    "job",    "finish_reason", "baseline",      "compiled", "test", "calls",
    "tokens", "wall_s",        "skipped_steps", "out",      NULL};
static const char *const eval_members[] = {"score",  "low",          "high",
                                           "n",      "model_faults", "calls",
                                           "tokens", "wall_s",       NULL};

static enum out_file_end end_of(const struct follow *follow,
                                const json_t *document)
{
    const char *reason = json_get_text(document, "finish_reason", "");
    struct err ignored = ERR_CLEAR;

    // A finished run replaces the file of another program only if it was named.
    // Without a score this is the program as written: the budget was too small
    // for the baseline.
    if (follow->existing == FOLLOW_SPARES || strcmp(reason, "stopped") == 0 ||
        (!option_on(follow->options, OPT_OUT) &&
         !out_file_check_default(follow->out, &ignored)) ||
        !json_is_object(json_object_get(document, "compiled")))
        return OUT_FILE_STOPPED;
    return OUT_FILE_FINISHED;
}

static bool find_place(const struct follow *follow, const json_t *document,
                       const char *compiled, struct out_file *file,
                       struct err *err)
{
    if (follow->existing != FOLLOW_REPLACES)
        return out_file_place(follow->out, compiled, end_of(follow, document),
                              file, err);
    *file = (struct out_file){.path = strdup(follow->out)};
    if (file->path == NULL)
        err_nomem(err, "a path");
    return file->path != NULL;
}

static bool write_compiled(struct follow *follow,
                           const struct client_result *result, json_t *document,
                           struct err *err)
{
    struct out_file place = {0};

    if (follow->out == NULL || result->compiled_len == 0)
        return true;
    if (find_place(follow, document, result->compiled, &place, err) &&
        file_write(place.path, result->compiled, result->compiled_len, err)) {
        follow->outcome.wrote = true;
        (void)json_object_set_new(document, "out", json_string(place.path));
        if (place.why[0] != '\0')
            output_say("promptcc: %s; the best of this run is in %s\n",
                       place.why, place.path);
    }
    out_file_release(&place);
    return follow->outcome.wrote;
}

// Writes what the job was asked to leave in files.
static bool write_files(struct follow *follow,
                        const struct client_result *result, json_t *document,
                        struct err *err)
{
    int64_t candidate = json_get_int(document, "candidate", 0);

    if (follow->files.write != NULL && candidate > 0 &&
        !follow->files.write(follow->files.user, candidate, err))
        return false;
    return write_compiled(follow, result, document, err);
}

// What the run paid for is in the store, where the same command finds it.
static int report_unwritten(const struct follow *follow, const struct err *err)
{
    int status = output_error(follow->options, err);

    output_say("promptcc: nothing is lost: make room, or name another place "
               "with %s, and repeat the command\n",
               follow->files.write != NULL ? "--rows or --junit" : "--out");
    return status;
}

static bool put_first(const struct options *options, enum option_id id,
                      const char *name, struct buf *out)
{
    const char *const *given = NULL;

    if (option_list(options, id, &given) == 0)
        return false;
    buf_puts(out, name);
    shell_word_show(given[0], out);
    return true;
}

// Names the server that answered here, only the first because `predict` takes
// one.
static void put_server(const struct options *options, bool simulated,
                       struct buf *out)
{
    if (!put_first(options, OPT_OLLAMA, " --ollama ", out) &&
        !put_first(options, OPT_OPENAI, " --openai ", out) && simulated)
        buf_puts(out, " --simulate");
}

static bool runs_commands(const struct program *program)
{
    for (size_t s = 0; s < program->n_steps; s++) {
        if (program->steps[s].command != NULL)
            return true;
    }
    return false;
}

// Appends how to try the program. The inputs are listed by name, since the
// compiled file has them.
static void put_try(const struct follow *follow,
                    const struct client_result *result, const json_t *document,
                    struct buf *out)
{
    struct err ignored = ERR_CLEAR;
    struct buf words = BUF_INIT(REPORT_BYTES);
    struct compiled *compiled = compiled_read(
        "the compiled file", result->compiled, result->compiled_len, &ignored);

    put_server(follow->options, json_get_bool(document, "simulated", false),
               &words);
    if (compiled != NULL) {
        if (runs_commands(compiled->program))
            buf_puts(&words, " --allow-exec");
        given_put_needed(compiled->program->inputs, compiled->program->n_inputs,
                         &words);
    }
    report_try(document, words.data == NULL ? "" : words.data, out);
    buf_release(&words);
    compiled_free(compiled);
}

static int print_document(const struct follow *follow,
                          const struct client_result *result, json_t *document)
{
    bool eval = follow->request.action == REQUEST_EVAL;
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(REPORT_BYTES);
    int status;

    if (option_on(follow->options, OPT_JSON))
        return output_json(document);
    if (eval)
        report_eval(&terminal, document, &text);
    else
        report_run(&terminal, document, &text);
    if (follow->outcome.wrote)
        put_try(follow, result, document, &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int tell_failure(const struct follow *follow, json_t *error, int status)
{
    output_say("%s%s\n",
               json_is_string(json_object_get(error, "place")) ? ""
                                                               : "promptcc: ",
               json_get_text(error, "text", "the job failed"));
    if (option_on(follow->options, OPT_JSON)) {
        json_t *document = json_pack("{s:O}", "error", error);

        (void)output_json(document);
        json_decref(document);
    }
    return status;
}

// The mean of many rows of 0.1 can be 0.0999999999999998, which does not count
// as below 0.1.
static bool is_below(const struct follow *follow, const json_t *document)
{
    const struct option_value *limit = &follow->options->values[OPT_FAIL_BELOW];
    const double rounding = 1e-9;

    return limit->n > 0 &&
           json_get_number(document, "score", 0) < limit->score - rounding;
}

// Prints the document, unless standard output is the compiled file. Returns the
// exit status of a job that ended with `status`.
static int print_result(const struct follow *follow,
                        const struct client_result *result, json_t *document,
                        int status)
{
    bool alone = follow->request.action != REQUEST_EVAL &&
                 follow->out != NULL && out_file_is_standard(follow->out);
    int printed = alone ? EXIT_DONE : print_document(follow, result, document);

    if (printed == EXIT_DONE)
        return status == EXIT_DONE && is_below(follow, document) ? EXIT_BELOW
                                                                 : status;
    if (follow->outcome.wrote)
        output_say("promptcc: the compiled file is written: %s\n",
                   json_get_text(document, "out", ""));
    return printed;
}

static int tell_result(struct follow *follow,
                       const struct client_result *result, json_t *document)
{
    struct err err = ERR_CLEAR;
    bool written = write_files(follow, result, document, &err);

    tell_end(follow, result, document, &err);
    return written ? print_result(follow, result, document, (int)result->status)
                   : report_unwritten(follow, &err);
}

int last_word(struct follow *follow, const struct client_result *result)
{
    struct err err = ERR_CLEAR;
    json_t *document = json_parse(result->document, strlen(result->document),
                                  DOCUMENT_BYTES, &err);
    json_t *error = json_object_get(document, "error");
    bool eval = follow->request.action == REQUEST_EVAL;
    int status = (int)result->status;

    if (document == NULL)
        return output_error(follow->options, &err);
    if (error != NULL) {
        tell_end(follow, result, document, &err);
        status = tell_failure(follow, error, status);
        json_decref(document);
        return status;
    }
    document = order_document(document, eval ? eval_members : run_members);
    if (follow->keeps_result) {
        tell_end(follow, result, document, &err);
        follow->outcome.document = document;
        return status;
    }
    status = tell_result(follow, result, document);
    json_decref(document);
    return status;
}

int last_word_accepted(const struct follow *follow,
                       const struct client_result *result)
{
    struct buf text = BUF_INIT(REPORT_BYTES);
    json_t *document = json_pack("{s:s}", "job", result->job);
    int status;

    if (option_on(follow->options, OPT_JSON)) {
        status = output_json(document);
    } else {
        buf_printf(&text, "%s\n", result->job);
        status = output_text(&text);
    }
    json_decref(document);
    buf_release(&text);
    return status;
}

int last_word_left(const struct follow *follow,
                   const struct client_result *result, const struct err *err)
{
    int status = last_word_accepted(follow, result);
    struct buf text = BUF_INIT(WORDS_BYTES);

    buf_printf(
        &text,
        "promptcc: %s\n"
        "The job continues. Repeat the command to watch it again; to end "
        "it:\n"
        "  promptcc stop %s",
        err->text, result->job);
    ask_put_address(follow->options, &text);
    output_say("%.*s\n", (int)text.len, text.data);
    buf_release(&text);
    return status == EXIT_DONE ? exit_of(err->code) : status;
}
