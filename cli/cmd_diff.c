// diff: what two compiled programs say differently. Each is a compiled file, or
// a job whose compiled file is in the history.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/command.h"
#include "cli/compiled_text.h"
#include "cli/job_report.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/json.h"
#include "common/word_diff.h"
#include "predict/compiled_file.h"

enum { TEXT_BYTES = 64 << 20 };

// --- the two documents ---

// Returns true if the document has the prompts of a step. DSPy's file of a
// single predictor is one itself.
static bool has_predictor(const json_t *document)
{
    bool found = json_object_get(document, "signature") != NULL;

    for (void *at = json_object_iter((json_t *)document); !found && at != NULL;
         at = json_object_iter_next((json_t *)document, at))
        found =
            json_object_get(json_object_iter_value(at), "signature") != NULL ||
            json_object_get(json_object_iter_value(at),
                            "signature_instructions") != NULL;
    return found;
}

static json_t *read_operand(const struct options *options, const char *name,
                            struct err *err)
{
    struct buf text = BUF_INIT(COMPILED_FILE_MAX_BYTES);
    json_t *document = NULL;

    struct err why = ERR_CLEAR;
    bool ok = compiled_text_read(options, name, &text, err);
    if (ok)
        document = json_parse(text.data == NULL ? "" : text.data, text.len,
                              COMPILED_FILE_MAX_BYTES, &why);
    buf_release(&text);
    if (!ok || (document != NULL && has_predictor(document)))
        return document;
    if (document == NULL)
        err_set(err, why.code, "%s: %s", FILE_SHOWN(name, 150), why.text);
    else
        err_set(err, ERR_INPUT,
                "%s: this is not a compiled file: it has no prompts",
                FILE_SHOWN(name, 150));
    json_decref(document);
    return NULL;
}

// --- the comparison, as JSON ---

static json_t *pieces_json(const char *a, const char *b, struct err *err)
{
    static const char *const NAMES[] = {
        [WORD_SAME] = "same", [WORD_GONE] = "gone", [WORD_NEW] = "new"};
    struct word_diff diff;
    json_t *list = json_array();

    if (word_diff_make(a, b, &diff, err))
        for (size_t i = 0; i < diff.n; i++)
            (void)json_array_append_new(
                list,
                json_pack("{s:s,s:s%}", "change", NAMES[diff.pieces[i].change],
                          "text", diff.pieces[i].text, diff.pieces[i].len));
    word_diff_release(&diff);
    return list;
}

static const char *instruction_of(const json_t *predictor)
{
    return json_get_text(json_object_get(predictor, "signature"),
                         "instructions", "");
}

static json_t *step_json(const char *name, const json_t *a, const json_t *b,
                         struct err *err)
{
    const json_t *before = json_object_get(a, "demos");
    const json_t *after = json_object_get(b, "demos");

    return json_pack("{s:s,s:b,s:o,s:I,s:I,s:o,s:o}", "step", name, "changed",
                     !(strcmp(instruction_of(a), instruction_of(b)) == 0 &&
                       json_equal(before, after)),
                     "instruction",
                     pieces_json(instruction_of(a), instruction_of(b), err),
                     "demos_before", (json_int_t)json_array_size(before),
                     "demos_after", (json_int_t)json_array_size(after),
                     "demos_gone", job_report_new_demos(after, before),
                     "demos_new", job_report_new_demos(before, after));
}

static json_t *steps_json(const json_t *a, const json_t *b, struct err *err)
{
    json_t *list = json_array();
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)a, name, value) {
        if (strcmp(name, "metadata") != 0)
            (void)json_array_append_new(
                list, step_json(name, value, json_object_get(b, name), err));
    }
    json_object_foreach((json_t *)b, name, value) {
        if (json_object_get(a, name) == NULL)
            (void)json_array_append_new(list,
                                        step_json(name, NULL, value, err));
    }
    return list;
}

static const json_t *facts_of(const json_t *document)
{
    return json_object_get(json_object_get(document, "metadata"), "promptcc");
}

// Adds {"name", "before", "after"} if the two values differ.
static void compare_value(json_t *list, const char *name, json_t *a, json_t *b)
{
    if (a == b || (a != NULL && b != NULL && json_equal(a, b)))
        return;
    (void)json_array_append_new(list, json_pack("{s:s,s:O?,s:O?}", "name", name,
                                                "before", a, "after", b));
}

static void compare_members(json_t *list, const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)a, name, value) {
        compare_value(list, name, value, json_object_get(b, name));
    }
    json_object_foreach((json_t *)b, name, value) {
        if (json_object_get(a, name) == NULL)
            compare_value(list, name, NULL, value);
    }
}

static const json_t *student_of(const json_t *facts)
{
    return json_object_get(json_object_get(facts, "models"), "student");
}

static json_t *settings_json(const json_t *a, const json_t *b)
{
    json_t *list = json_array();

    compare_value(list, "model", json_object_get(student_of(a), "name"),
                  json_object_get(student_of(b), "name"));
    compare_value(list, "adapter", json_object_get(a, "adapter"),
                  json_object_get(b, "adapter"));
    compare_members(list, json_object_get(student_of(a), "options"),
                    json_object_get(student_of(b), "options"));
    compare_members(list, json_object_get(a, "tuned"),
                    json_object_get(b, "tuned"));
    return list;
}

static json_t *score_of(const json_t *facts)
{
    return json_object_get(
        json_object_get(json_object_get(facts, "scores"), "compiled"), "score");
}

static json_t *diff_json(const json_t *a, const json_t *b, struct err *err)
{
    const json_t *before = facts_of(a);
    const json_t *after = facts_of(b);
    json_t *document =
        json_pack("{s:o,s:o,s:{s:O?,s:O?}}", "steps", steps_json(a, b, err),
                  "settings", settings_json(before, after), "scores", "before",
                  score_of(before), "after", score_of(after));

    if (document == NULL)
        err_nomem(err, "the comparison");
    return document;
}

// --- for people ---

static void put_piece(const struct terminal *terminal, const json_t *piece,
                      struct buf *out)
{
    const char *change = json_get_text(piece, "change", "");
    const char *text = json_get_text(piece, "text", "");
    bool gone = strcmp(change, "gone") == 0;
    bool new = strcmp(change, "new") == 0;

    if (gone || new)
        buf_puts(out, terminal_style(terminal, gone ? STYLE_WARN : STYLE_GOOD));
    buf_puts(out, gone ? "[-" : new ? "{+" : "");
    for (; *text != '\0'; text++) {
        buf_putc(out, *text);
        if (*text == '\n')
            buf_puts(out, "    ");
    }
    buf_puts(out, gone ? "-]" : new ? "+}" : "");
    if (gone || new)
        buf_puts(out, terminal_style(terminal, STYLE_PLAIN));
}

static void put_demos(const struct terminal *terminal, const json_t *demos,
                      char mark, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(demos); i++) {
        buf_puts(out, terminal_style(terminal,
                                     mark == '-' ? STYLE_WARN : STYLE_GOOD));
        buf_printf(out, "    %c ", mark);
        json_put(out, json_array_get(demos, i));
        buf_puts(out, terminal_style(terminal, STYLE_PLAIN));
        buf_putc(out, '\n');
    }
}

static void put_step(const struct terminal *terminal, const json_t *step,
                     struct buf *out)
{
    const json_t *pieces = json_object_get(step, "instruction");
    int64_t before = json_get_int(step, "demos_before", 0);
    int64_t after = json_get_int(step, "demos_after", 0);

    buf_printf(out, "%s%s%s\n", terminal_style(terminal, STYLE_BOLD),
               json_get_text(step, "step", "?"),
               terminal_style(terminal, STYLE_PLAIN));
    if (!json_get_bool(step, "changed", true)) {
        buf_puts(out, "  the same\n\n");
        return;
    }
    buf_puts(out, "  instruction\n    ");
    for (size_t i = 0; i < json_array_size(pieces); i++)
        put_piece(terminal, json_array_get(pieces, i), out);
    buf_printf(out, "\n  demos: %lld -> %lld\n", (long long)before,
               (long long)after);
    put_demos(terminal, json_object_get(step, "demos_gone"), '-', out);
    put_demos(terminal, json_object_get(step, "demos_new"), '+', out);
    buf_putc(out, '\n');
}

static void put_value(const json_t *value, struct buf *out)
{
    if (value == NULL || json_is_null(value))
        buf_puts(out, "not set");
    else
        json_put(out, value);
}

static void put_settings(const json_t *settings, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(settings); i++) {
        const json_t *one = json_array_get(settings, i);

        buf_printf(out, "%s: ", json_get_text(one, "name", "?"));
        put_value(json_object_get(one, "before"), out);
        buf_puts(out, " -> ");
        put_value(json_object_get(one, "after"), out);
        buf_putc(out, '\n');
    }
}

static void put_scores(const json_t *scores, struct buf *out)
{
    const json_t *before = json_object_get(scores, "before");
    const json_t *after = json_object_get(scores, "after");

    if (!json_is_number(before) || !json_is_number(after))
        return;
    buf_puts(out, "score on its own validation rows: ");
    put_percent(out, json_number_value(before));
    buf_puts(out, " -> ");
    put_percent(out, json_number_value(after));
    buf_putc(out, '\n');
}

static int print_diff(const json_t *document)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    const json_t *steps = json_object_get(document, "steps");
    int status;

    for (size_t i = 0; i < json_array_size(steps); i++)
        put_step(&terminal, json_array_get(steps, i), &text);
    put_settings(json_object_get(document, "settings"), &text);
    put_scores(json_object_get(document, "scores"), &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *a = read_operand(options, options->operands[0], &err);
    json_t *b =
        a == NULL ? NULL : read_operand(options, options->operands[1], &err);
    json_t *document = b == NULL ? NULL : diff_json(a, b, &err);
    int status;

    if (document == NULL || err.code != ERR_NONE)
        status = output_error(options, &err);
    else if (option_on(options, OPT_JSON))
        status = output_json(document);
    else
        status = print_diff(document);
    json_decref(document);
    json_decref(b);
    json_decref(a);
    return status;
}

const struct command_entry cmd_diff = {
    .name = "diff",
    .usage = "A B",
    .summary = "shows word by word how two compiled programs differ",
    .about = "A and B are compiled files (.json) or jobs. It shows their "
             "instructions, demos, settings and scores.",
    .example = "promptcc diff before.json customer-care",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_JSON),
    .min_operands = 2,
    .max_operands = 2,
    .document = "`steps`: a list of `step`, `changed`, `instruction` (a "
                "list of `change`, which is `same`, `gone` or `new`, and "
                "`text`), `demos_before`, `demos_after`, `demos_gone`, "
                "`demos_new`; `settings`: a list of `name`, `before`, "
                "`after`; `scores` (`before`, `after`)",
    .run = run,
};
