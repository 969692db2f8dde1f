#include "cli/job_report.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/plain.h"
#include "common/text.h"
#include "common/word_diff.h"

enum { TEXT_BYTES = 4 << 20 };

// Appends a text in one line of Markdown, with everything escaped that would be
// markup or HTML.
static void put_text(struct buf *out, const char *text, size_t len)
{
    struct buf plain = BUF_INIT(TEXT_BYTES);

    plain_put_line(&plain, text, len);
    for (size_t i = 0; i < plain.len; i++) {
        if (plain.data[i] == '<') {
            buf_puts(out, "&lt;");
            continue;
        }
        if (plain.data[i] == '&') {
            buf_puts(out, "&amp;");
            continue;
        }
        if (strchr("\\`*_{}[]()#+!|~>", plain.data[i]) != NULL)
            buf_putc(out, '\\');
        buf_putc(out, plain.data[i]);
    }
    buf_release(&plain);
}

static void put(struct buf *out, const char *text)
{
    put_text(out, text, strlen(text));
}

static void put_member(struct buf *out, const json_t *object, const char *key)
{
    put(out, json_get_text(object, key, ""));
}

// Appends a sentence, with its quotations as code. A quotation with a bar is
// escaped as text instead, because a bar would end the cell of a table.
static void put_words(struct buf *out, const char *text)
{
    while (*text != '\0') {
        size_t code = job_report_code(text);
        size_t len = code > 0 ? code : 1 + strcspn(text + 1, "`");

        if (code > 0 && strcspn(text, "|<&") >= code) {
            struct buf plain = BUF_INIT(TEXT_BYTES);

            plain_put_line(&plain, text, code);
            buf_append(out, plain.data == NULL ? "" : plain.data, plain.len);
            buf_release(&plain);
        } else {
            put_text(out, text, len);
        }
        text += len;
    }
}

static void put_brief(struct buf *out, const json_t *object)
{
    struct buf text = BUF_INIT(TEXT_BYTES);

    job_report_brief(object, &text);
    put(out, text.data == NULL ? "" : text.data);
    buf_release(&text);
}

// --- what was gained ---

static void put_side(struct buf *out, const char *name, const json_t *side)
{
    buf_printf(out, "| %s | %.1f %% | %.0f to %.0f |\n", name,
               100 * json_get_number(side, "score", 0),
               100 * json_get_number(side, "low", 0),
               100 * json_get_number(side, "high", 0));
}

static void put_gain(struct buf *out, const char *where, const json_t *a,
                     const json_t *b, int64_t n, double p_value)
{
    double gain =
        json_get_number(b, "score", 0) - json_get_number(a, "score", 0);
    char examples[TEXT_COUNTED_BYTES];

    buf_printf(out,
               "On the %s (%s):\n\n"
               "| | score | 95 %% interval |\n| --- | --- | --- |\n",
               where, text_counted(examples, n, "example"));
    put_side(out, "baseline", a);
    put_side(out, "best", b);
    buf_printf(out, "\n**%+.1f points**, ", 100 * gain);
    job_report_verdict(p_value, gain, out);
    buf_puts(out, ".\n\n");
}

// Appends the score of a job without trials: one of `eval`, or one that has
// only just begun.
static void put_score(const json_t *document, struct buf *out)
{
    char examples[TEXT_COUNTED_BYTES];

    if (!json_is_number(json_object_get(document, "score")))
        buf_puts(out, "The baseline is not scored yet.\n\n");
    else
        buf_printf(
            out, "**%.1f %%** (%.0f to %.0f) on %s\n\n",
            100 * json_get_number(document, "score", 0),
            100 * json_get_number(document, "low", 0),
            100 * json_get_number(document, "high", 0),
            text_counted(examples, json_get_int(document, "n", 0), "example"));
}

static void put_claim(const struct job_report *report, struct buf *out)
{
    const json_t *compare = job_report_part(report, "compare");
    const json_t *document =
        json_object_get(job_report_part(report, "summary"), "document");
    const json_t *test = json_object_get(document, "test");
    const json_t *compiled = json_object_get(test, "compiled");
    char won[TEXT_COUNTED_BYTES];

    buf_puts(out, "## What was gained, and how sure that is\n\n");
    if (compare == NULL) {
        put_score(document, out);
        return;
    }
    put_gain(out, "validation share, on which the search chose",
             json_object_get(compare, "a"), json_object_get(compare, "b"),
             json_get_int(compare, "n", 0),
             json_get_number(compare, "p_value", 1));
    buf_printf(out,
               "%s became right or better, %" PRId64 " worse, %" PRId64
               " stayed the same.\n\n",
               text_counted(won, json_get_int(compare, "won", 0), "example"),
               json_get_int(compare, "lost", 0),
               json_get_int(compare, "same", 0));
    if (json_is_object(test))
        put_gain(out, "test share, which the search never saw",
                 json_object_get(test, "baseline"), compiled,
                 json_get_int(compiled, "n", 0),
                 json_get_number(test, "p_value", 1));
}

// --- prompts ---

// Appends a piece between marks. The marks must touch its words, not the space
// around them, or Markdown does not see them as marks.
static void put_marked(struct buf *out, const struct word_piece *piece,
                       const char *mark)
{
    size_t lead = 0, len;
    const char *text = text_trim(piece->text, piece->len, &len);

    lead = (size_t)(text - piece->text);
    put_text(out, piece->text, lead);
    if (len > 0) {
        buf_puts(out, mark);
        put_text(out, text, len);
        buf_puts(out, mark);
    }
    put_text(out, text + len, piece->len - lead - len);
}

static void put_diff(struct buf *out, const char *before, const char *after)
{
    struct word_diff diff = {0};
    struct err ignored = ERR_CLEAR;

    if (word_diff_make(before, after, &diff, &ignored)) {
        buf_puts(out, "> ");
        for (size_t i = 0; i < diff.n; i++) {
            const struct word_piece *piece = &diff.pieces[i];

            if (piece->change == WORD_SAME)
                put_text(out, piece->text, piece->len);
            else
                put_marked(out, piece, piece->change == WORD_NEW ? "**" : "~~");
        }
        buf_puts(out, "\n\n");
    }
    word_diff_release(&diff);
}

static void put_step(struct buf *out, const json_t *before, const json_t *after)
{
    const char *old = json_get_text(before, "instruction", "");
    const char *new = json_get_text(after, "instruction", "");
    json_t *demos = job_report_new_demos(json_object_get(before, "demos"),
                                         json_object_get(after, "demos"));

    if (strcmp(old, new) != 0 || json_array_size(demos) > 0) {
        buf_puts(out, "### ");
        put_member(out, after, "step");
        buf_puts(out, "\n\n");
        if (strcmp(old, new) != 0)
            put_diff(out, old, new);
        for (size_t i = 0; i < json_array_size(demos); i++) {
            buf_puts(out, i == 0 ? "New demos:\n\n- " : "- ");
            put_brief(out, json_array_get(demos, i));
            buf_puts(out, "\n");
        }
        buf_puts(out, "\n");
    }
    json_decref(demos);
}

static void put_prompts(const struct job_report *report, struct buf *out)
{
    const json_t *before = job_report_part(report, "before");
    const json_t *parts =
        json_object_get(job_report_part(report, "after"), "parts");

    buf_puts(out,
             "## What changed in the prompts\n\n"
             "New words are **bold**, removed words are ~~struck out~~.\n\n");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);

        put_step(out, job_report_step(before, json_get_text(part, "step", "")),
                 part);
    }
}

// --- examples ---

static void put_answer(struct buf *out, const json_t *side)
{
    struct buf text = BUF_INIT(TEXT_BYTES);

    job_report_answer(json_get_text(side, "answer", ""), &text);
    put(out, text.data == NULL ? "" : text.data);
    buf_release(&text);
}

static void put_examples(const struct job_report *report, struct buf *out)
{
    const json_t *rows =
        json_object_get(job_report_part(report, "compare"), "examples");

    buf_puts(out, "## Which examples flipped\n\n"
                  "| | example | right | baseline | best |\n"
                  "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        buf_printf(out, "| %s | ", json_get_text(row, "change", ""));
        put_brief(out, json_object_get(row, "inputs"));
        buf_puts(out, " | ");
        put_brief(out, json_object_get(row, "labels"));
        buf_puts(out, " | ");
        put_answer(out, json_object_get(row, "a"));
        buf_puts(out, " | ");
        put_answer(out, json_object_get(row, "b"));
        buf_puts(out, " |\n");
    }
    buf_puts(out, "\n");
}

static void put_failures(const struct job_report *report, struct buf *out)
{
    const json_t *groups =
        json_object_get(job_report_part(report, "failures"), "groups");

    buf_puts(out, "## What still goes wrong\n\n| examples | kind | why |\n"
                  "| --- | --- | --- |\n");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);

        buf_printf(out, "| %" PRId64 " | ", json_get_int(group, "n", 0));
        put_member(out, group, "kind");
        buf_puts(out, " | ");
        put_words(out, json_get_text(group, "reason", ""));
        buf_puts(out, " |\n");
    }
    buf_puts(out, "\n");
}

static void put_cost(const struct job_report *report, struct buf *out)
{
    const json_t *rows = job_report_part(report, "cost");

    buf_puts(out, "## What it cost\n\n| role | for | model | calls | prompt "
                  "tokens | generated |\n| --- | --- | --- | --- | --- | --- "
                  "|\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        buf_puts(out, "| ");
        put_member(out, row, "role");
        buf_puts(out, " | ");
        put_member(out, row, "purpose");
        buf_puts(out, " | ");
        put_member(out, row, "model");
        buf_printf(out, " | %" PRId64 " | %" PRId64 " | %" PRId64 " |\n",
                   json_get_int(row, "calls", 0),
                   json_get_int(row, "prompt_tokens", 0),
                   json_get_int(row, "generated_tokens", 0));
    }
}

void job_report_markdown(const struct job_report *report, struct buf *out)
{
    const json_t *summary = job_report_part(report, "summary");
    struct buf text = BUF_INIT(TEXT_BYTES);

    buf_puts(out, "# ");
    put_member(out, summary, "name");
    buf_puts(out, "\n\n");
    put_member(out, summary, "job");
    buf_puts(out, ", ");
    put_member(out, summary, "state");
    buf_puts(out, "\n\n");
    if (json_get_bool(summary, "simulated", false))
        buf_puts(out, "A stand-in answered instead of a model: these scores "
                      "say nothing about a real one.\n\n");
    put_claim(report, out);
    job_report_what_ran(summary, &text);
    buf_puts(out, "## What ran\n\n");
    put(out, text.data == NULL ? "" : text.data);
    buf_puts(out, "\n\n");
    if (job_report_part(report, "after") != NULL) {
        put_prompts(report, out);
        put_examples(report, out);
        put_failures(report, out);
    }
    put_cost(report, out);
    buf_release(&text);
}
