#include "cli/job_report.h"

#include <inttypes.h>
#include <string.h>

#include "cli/report_plot.h"
#include "common/json.h"
#include "common/plain.h"
#include "common/text.h"
#include "common/word_diff.h"
#include "web/web.h"

enum { TEXT_BYTES = 4 << 20, DEMOS_SHOWN = 8 };

// --- any text as HTML ---

static void put_escaped(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        case '\'':
            buf_puts(out, "&#39;");
            break;
        default:
            buf_putc(out, text[i]);
        }
    }
}

static void put_text(struct buf *out, const char *text, size_t len)
{
    struct buf plain = BUF_INIT(TEXT_BYTES);

    plain_put_text(&plain, text, len);
    if (plain.data != NULL)
        put_escaped(out, plain.data, plain.len);
    buf_release(&plain);
}

static void put(struct buf *out, const char *text)
{
    put_text(out, text, strlen(text));
}

// Appends a member of an object, whatever its type.
static void put_member(struct buf *out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    struct buf text = BUF_INIT(TEXT_BYTES);

    if (json_is_string(value))
        put(out, json_string_value(value));
    else if (value != NULL && !json_is_null(value)) {
        json_put(&text, value);
        put(out, text.data == NULL ? "" : text.data);
    }
    buf_release(&text);
}

// Appends a sentence, with its quotations as code.
static void put_words(struct buf *out, const char *text)
{
    while (*text != '\0') {
        size_t code = job_report_code(text);
        size_t len = code > 0 ? code : 1 + strcspn(text + 1, "`");

        if (code > 0) {
            buf_puts(out, "<code>");
            put_text(out, text + 1, code - 2);
            buf_puts(out, "</code>");
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

static void open_card(struct buf *out, const char *title)
{
    buf_printf(out, "<section class=\"card\"><h2>%s</h2>", title);
}

static void close_card(struct buf *out)
{
    buf_puts(out, "</section>\n");
}

// --- what was gained ---

static void put_sides(struct buf *out, const json_t *a, const json_t *b,
                      const char *name_b)
{
    buf_puts(out, "<div class=\"sides\">");
    report_plot_side("baseline", a, false, out);
    report_plot_side(name_b, b, true, out);
    buf_puts(out, "</div>");
}

static void put_gain(struct buf *out, double gain, double p_value)
{
    buf_printf(out, "<p><b>%+.1f points</b>, ", 100 * gain);
    job_report_verdict(p_value, gain, out);
    buf_puts(out, ".</p>");
}

static void put_test(struct buf *out, const json_t *document)
{
    const json_t *test = json_object_get(document, "test");
    const json_t *a = json_object_get(test, "baseline");
    const json_t *b = json_object_get(test, "compiled");
    char examples[TEXT_COUNTED_BYTES];

    if (!json_is_object(test)) {
        buf_puts(out, "<p class=\"muted\">No score on examples that the "
                      "search has not seen.</p>");
        return;
    }
    buf_printf(out,
               "<h3>On the test share, which the search never saw (%s)</h3>",
               text_counted(examples, json_get_int(b, "n", 0), "example"));
    put_sides(out, a, b, "compiled");
    put_gain(out,
             json_get_number(b, "score", 0) - json_get_number(a, "score", 0),
             json_get_number(test, "p_value", 1));
}

// Appends the score of a job without trials: one of `eval`, or one that has
// only just begun.
static void put_score(const json_t *document, struct buf *out)
{
    char examples[TEXT_COUNTED_BYTES];

    if (!json_is_number(json_object_get(document, "score"))) {
        buf_puts(out, "<p class=\"muted\">The baseline is not scored yet.</p>");
        return;
    }
    buf_printf(
        out,
        "<p class=\"claim\"><b>%.1f %%</b> on %s</p>"
        "<div class=\"sides\">",
        100 * json_get_number(document, "score", 0),
        text_counted(examples, json_get_int(document, "n", 0), "example"));
    report_plot_side("score", document, true, out);
    buf_puts(out, "</div>");
}

static void put_claim(const struct job_report *report, struct buf *out)
{
    const json_t *compare = job_report_part(report, "compare");
    const json_t *a = json_object_get(compare, "a");
    const json_t *b = json_object_get(compare, "b");
    double before = json_get_number(a, "score", 0);
    double after = json_get_number(b, "score", 0);
    char examples[TEXT_COUNTED_BYTES];
    char won[TEXT_COUNTED_BYTES];

    open_card(out, "What was gained, and how sure that is");
    if (compare == NULL) {
        put_score(
            json_object_get(job_report_part(report, "summary"), "document"),
            out);
        close_card(out);
        return;
    }
    buf_printf(
        out, "<p class=\"claim\">From %.1f %% to <b>%.1f %%</b> on %s</p>",
        100 * before, 100 * after,
        text_counted(examples, json_get_int(compare, "n", 0), "example"));
    put_sides(out, a, b, "best");
    put_gain(out, after - before, json_get_number(compare, "p_value", 1));
    buf_printf(
        out,
        "<p>%s became right or better, %" PRId64 " worse, %" PRId64
        " stayed the same.</p><p class=\"muted small\">The bars are 95 %% "
        "intervals. The search picked the best of many by these very examples, "
        "which flatters it a little; examples that it never saw say more.</p>",
        text_counted(won, json_get_int(compare, "won", 0), "example"),
        json_get_int(compare, "lost", 0), json_get_int(compare, "same", 0));
    put_test(out,
             json_object_get(job_report_part(report, "summary"), "document"));
    close_card(out);
}

static void put_what_ran(const struct job_report *report, struct buf *out)
{
    struct buf text = BUF_INIT(TEXT_BYTES);

    job_report_what_ran(job_report_part(report, "summary"), &text);
    open_card(out, "What ran");
    buf_puts(out, "<p>");
    put(out, text.data == NULL ? "" : text.data);
    buf_puts(out, "</p>");
    close_card(out);
    buf_release(&text);
}

// --- plots ---

// Returns the rows with a member `best`: for a row on the front its own score,
// for any other the score of the last front row before it.
static json_t *with_front(const json_t *rows)
{
    json_t *copies = json_deep_copy(rows);
    double best = -1;

    for (size_t i = 0; i < json_array_size(copies); i++) {
        json_t *row = json_array_get(copies, i);

        if (json_is_true(json_object_get(row, "front")))
            best = json_get_number(row, "score", 0);
        if (best >= 0)
            (void)json_object_set_new(row, "best", json_real(best));
    }
    return copies;
}

static void put_plots(const struct job_report *report, struct buf *out)
{
    static const struct report_plot over_trials = {"Scores over trials",
                                                   "trial", "trial", "best"};
    static const struct report_plot over_tokens = {
        "Scores against prompt tokens", "prompt tokens of an example",
        "prompt_tokens", "best"};
    json_t *tokens = with_front(job_report_part(report, "tokens"));

    open_card(out, "Score over trials, %");
    report_plot_put(&over_trials,
                    json_object_get(job_report_part(report, "curve"), "points"),
                    out);
    close_card(out);
    open_card(out, "Score against the length of the prompt, %");
    report_plot_put(&over_tokens, tokens, out);
    close_card(out);
    json_decref(tokens);
}

static void put_importance(const struct job_report *report, struct buf *out)
{
    const json_t *rows = job_report_part(report, "importance");

    open_card(out, "What matters");
    buf_puts(out, "<p class=\"muted small\">How much of the difference between "
                  "trials each choice explains, beyond chance.</p><table>");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (json_get_int(row, "choices", 0) < 2)
            continue;
        buf_puts(out, "<tr><td>");
        put_member(out, row, "step");
        buf_puts(out, " ");
        put_member(out, row, "part");
        buf_printf(out, "</td><td class=\"n\">%.0f %%</td></tr>",
                   100 * json_get_number(row, "importance", 0));
    }
    buf_puts(
        out,
        "</table><p class=\"muted small\">Each share is for one choice alone. "
        "If two choices changed together, both get what they explain together, "
        "so the shares may add up to more than 100 %.</p>");
    close_card(out);
}

// --- prompts ---

static void put_pieces(struct buf *out, const struct word_diff *diff,
                       enum word_change shown, const char *tag)
{
    for (size_t i = 0; i < diff->n; i++) {
        const struct word_piece *piece = &diff->pieces[i];

        if (piece->change == WORD_SAME) {
            put_text(out, piece->text, piece->len);
        } else if (piece->change == shown) {
            buf_printf(out, "<%s>", tag);
            put_text(out, piece->text, piece->len);
            buf_printf(out, "</%s>", tag);
        }
    }
}

static void put_diff(struct buf *out, const char *before, const char *after)
{
    struct word_diff diff = {0};
    struct err ignored = ERR_CLEAR;

    if (word_diff_make(before, after, &diff, &ignored)) {
        buf_puts(out, "<div class=\"diff\"><div><h4>baseline</h4>");
        put_pieces(out, &diff, WORD_GONE, "del");
        buf_puts(out, "</div><div><h4>best</h4>");
        put_pieces(out, &diff, WORD_NEW, "ins");
        buf_puts(out, "</div></div>");
    }
    word_diff_release(&diff);
}

static void put_demo(struct buf *out, const json_t *demo)
{
    const char *key;
    json_t *value;

    buf_puts(out, "<div class=\"demo new\"><dl>");
    json_object_foreach((json_t *)demo, key, value) {
        buf_puts(out, "<dt>");
        put(out, key);
        buf_puts(out, "</dt><dd>");
        put_member(out, demo, key);
        buf_puts(out, "</dd>");
    }
    buf_puts(out, "</dl></div>");
}

static void put_demos(struct buf *out, const json_t *before,
                      const json_t *after)
{
    json_t *demos = job_report_new_demos(json_object_get(before, "demos"),
                                         json_object_get(after, "demos"));
    size_t n = json_array_size(demos);
    char counted[TEXT_COUNTED_BYTES];

    if (n > 0)
        buf_printf(out, "<details open><summary>%s, new</summary>",
                   text_counted(counted, (int64_t)n, "demo"));
    for (size_t i = 0; i < n && i < DEMOS_SHOWN; i++)
        put_demo(out, json_array_get(demos, i));
    if (n > DEMOS_SHOWN)
        buf_printf(out, "<p class=\"muted\">and %zu more</p>", n - DEMOS_SHOWN);
    if (n > 0)
        buf_puts(out, "</details>");
    json_decref(demos);
}

static void put_step(struct buf *out, const json_t *before, const json_t *after)
{
    const char *old = json_get_text(before, "instruction", "");
    const char *new = json_get_text(after, "instruction", "");

    if (strcmp(old, new) == 0 && json_equal(json_object_get(before, "demos"),
                                            json_object_get(after, "demos")))
        return;
    buf_puts(out, "<h3>");
    put_member(out, after, "step");
    buf_puts(out, "</h3>");
    if (strcmp(old, new) == 0)
        buf_puts(out, "<p class=\"muted\">The instruction is as written.</p>");
    else
        put_diff(out, old, new);
    put_demos(out, before, after);
}

static void put_prompts(const struct job_report *report, struct buf *out)
{
    const json_t *before = job_report_part(report, "before");
    const json_t *after = job_report_part(report, "after");
    const json_t *parts = json_object_get(after, "parts");
    const json_t *tuned = json_object_get(after, "tuned");

    open_card(out, "What changed in the prompts");
    if (json_object_size(tuned) > 0) {
        buf_puts(out, "<p>Settings: ");
        put_member(out, after, "tuned");
        buf_puts(out, "</p>");
    }
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);

        put_step(out, job_report_step(before, json_get_text(part, "step", "")),
                 part);
    }
    close_card(out);
}

// --- examples ---

static void put_answer(struct buf *out, const json_t *side)
{
    struct buf text = BUF_INIT(TEXT_BYTES);

    buf_printf(out, "<td class=\"text\">%.1f %%<div class=\"small muted\">",
               100 * json_get_number(side, "score", 0));
    job_report_answer(json_get_text(side, "answer", ""), &text);
    put(out, text.data == NULL ? "" : text.data);
    buf_puts(out, "</div></td>");
    buf_release(&text);
}

static void put_examples(const struct job_report *report, struct buf *out)
{
    const json_t *rows =
        json_object_get(job_report_part(report, "compare"), "examples");

    open_card(out, "Which examples flipped");
    buf_puts(out, "<table><thead><tr><th></th><th>example</th>"
                  "<th>baseline</th><th>best</th></tr></thead><tbody>");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *change = json_get_text(row, "change", "");

        buf_printf(out,
                   "<tr><td><span class=\"pill %s\">%s</span></td>"
                   "<td class=\"text\">",
                   change, change);
        put_brief(out, json_object_get(row, "inputs"));
        buf_puts(out, "<div class=\"muted small\">right: ");
        put_brief(out, json_object_get(row, "labels"));
        buf_puts(out, "</div></td>");
        put_answer(out, json_object_get(row, "a"));
        put_answer(out, json_object_get(row, "b"));
        buf_puts(out, "</tr>");
    }
    buf_puts(out, "</tbody></table>");
    close_card(out);
}

static void put_failures(const struct job_report *report, struct buf *out)
{
    const json_t *groups =
        json_object_get(job_report_part(report, "failures"), "groups");

    open_card(out, "What still goes wrong");
    buf_puts(out, "<table><thead><tr><th class=\"n\">examples</th><th>kind</th>"
                  "<th>why</th></tr></thead><tbody>");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        bool done = strcmp(json_get_text(group, "outcome", ""), "done") == 0;

        buf_printf(out, "<tr><td class=\"n\">%" PRId64 "</td><td>",
                   json_get_int(group, "n", 0));
        put_member(out, group, done ? "kind" : "outcome");
        buf_puts(out, "</td><td class=\"text\">");
        put_words(out, json_get_text(group, "reason", ""));
        buf_puts(out, "</td></tr>");
    }
    buf_puts(out, "</tbody></table>");
    close_card(out);
}

static void put_sum(struct buf *out, const json_t *row, const char *key)
{
    buf_puts(out, "<td class=\"n\">");
    buf_put_number(out, json_get_int(row, key, 0));
    buf_puts(out, "</td>");
}

static void put_cost(const struct job_report *report, struct buf *out)
{
    const json_t *rows = job_report_part(report, "cost");

    open_card(out, "What it cost");
    buf_puts(out, "<table><thead><tr><th>role</th><th>for</th><th>model</th>"
                  "<th class=\"n\">calls</th><th class=\"n\">prompt tokens</th>"
                  "<th class=\"n\">generated</th></tr></thead><tbody>");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        static const char *const texts[] = {"role", "purpose", "model"};

        buf_puts(out, "<tr>");
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            buf_puts(out, "<td>");
            put_member(out, row, texts[k]);
            buf_puts(out, "</td>");
        }
        put_sum(out, row, "calls");
        put_sum(out, row, "prompt_tokens");
        put_sum(out, row, "generated_tokens");
        buf_puts(out, "</tr>");
    }
    buf_puts(out, "</tbody></table>");
    close_card(out);
}

// --- the file ---

static void put_head(const struct job_report *report, struct buf *out)
{
    const json_t *summary = job_report_part(report, "summary");

    buf_puts(out,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width, "
             "initial-scale=1\"><meta name=\"color-scheme\" content=\"light "
             "dark\"><meta http-equiv=\"Content-Security-Policy\" "
             "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
             "<title>");
    put_member(out, summary, "name");
    buf_puts(out, "</title>\n<style>\n");
    buf_puts(out, web_file("page.css"));
    buf_puts(out, "</style></head><body class=\"report\"><main>\n"
                  "<div class=\"head\"><h1>");
    put_member(out, summary, "name");
    buf_puts(out, "</h1><span class=\"pill ");
    put_member(out, summary, "state");
    buf_puts(out, "\">");
    put_member(out, summary, "state");
    buf_puts(out, "</span></div><p class=\"muted small\">");
    put_member(out, summary, "job");
    buf_puts(out, " · ");
    put_member(out, summary, "created");
    buf_puts(out, "</p>\n");
    if (json_get_bool(summary, "simulated", false))
        buf_puts(out, "<div class=\"note\">A stand-in answered instead of a "
                      "model: these scores say nothing about a real one."
                      "</div>\n");
    if (json_get_text(summary, "reason", "")[0] != '\0') {
        buf_puts(out, "<div class=\"note\">");
        put_words(out, json_get_text(summary, "reason", ""));
        buf_puts(out, "</div>\n");
    }
}

void job_report_html(const struct job_report *report, struct buf *out)
{
    put_head(report, out);
    put_claim(report, out);
    put_what_ran(report, out);
    if (job_report_part(report, "after") != NULL) {
        put_prompts(report, out);
        put_examples(report, out);
        put_failures(report, out);
        put_plots(report, out);
        put_importance(report, out);
    }
    put_cost(report, out);
    buf_puts(out, "</main></body></html>\n");
}
