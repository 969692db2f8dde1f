#include "cli/report.h"

#include <inttypes.h>
#include <string.h>

#include "cli/amounts.h"
#include "cli/wrap.h"
#include "common/json.h"
#include "common/plain.h"
#include "common/shell_word.h"
#include "common/text.h"

enum {
    LINE_BYTES = 1 << 16,
    MARGIN = 13,
    CHANGE_MARGIN = 11,
    EXCERPT_LINES = 3
};

static const double SIGNIFICANT = 0.05;

static void put_style(const struct terminal *terminal, enum style style,
                      struct buf *out)
{
    buf_puts(out, terminal_style(terminal, style));
}

static void put_label(const struct terminal *terminal, const char *text,
                      struct buf *out)
{
    put_style(terminal, STYLE_DIM, out);
    buf_printf(out, "%-*s", MARGIN, text);
    put_style(terminal, STYLE_PLAIN, out);
}

void report_score(const struct terminal *terminal, const json_t *score,
                  struct buf *out)
{
    if (!json_is_object(score)) {
        buf_puts(out, "-");
        return;
    }
    put_style(terminal, STYLE_BOLD, out);
    put_percent(out, json_get_number(score, "score", 0));
    put_style(terminal, STYLE_PLAIN, out);
    buf_printf(out, " (%.0f to %.0f, n = %" PRId64 ")",
               json_get_number(score, "low", 0) * 100,
               json_get_number(score, "high", 0) * 100,
               json_get_int(score, "n", 0));
}

static size_t score_columns(const json_t *score)
{
    static const struct terminal plain;
    struct buf text = BUF_INIT(LINE_BYTES);
    size_t columns;

    report_score(&plain, score, &text);
    columns = text.len;
    buf_release(&text);
    return columns;
}

// Ends the first column, of which `used` columns are filled.
static void put_arrow(const struct terminal *terminal, size_t used,
                      size_t columns, struct buf *out)
{
    int missing = used < columns ? (int)(columns - used) : 0;

    buf_printf(out, "%*s%s", missing, "",
               terminal->utf8 ? "  \xe2\x86\x92  " : "  ->  ");
}

// Appends one row; `columns` is the width of the baseline's score in all rows.
static void put_pair(const struct terminal *terminal, const char *name,
                     const json_t *pair, size_t columns, struct buf *out)
{
    const json_t *baseline = json_object_get(pair, "baseline");

    put_label(terminal, name, out);
    report_score(terminal, baseline, out);
    put_arrow(terminal, score_columns(baseline), columns, out);
    report_score(terminal, json_object_get(pair, "compiled"), out);
    buf_putc(out, '\n');
}

// Appends the table's heading and rows; test is NULL if there is no test share.
static void put_pairs(const struct terminal *terminal, const json_t *validation,
                      const json_t *test, struct buf *out)
{
    static const char heading[] = "baseline";
    size_t columns = score_columns(json_object_get(validation, heading));
    size_t others = score_columns(json_object_get(test, heading));

    if (columns < others)
        columns = others;
    put_label(terminal, "", out);
    buf_puts(out, heading);
    put_arrow(terminal, strlen(heading), columns, out);
    buf_puts(out, "compiled (95 % interval)\n");
    put_pair(terminal, "validation", validation, columns, out);
    if (test != NULL)
        put_pair(terminal, "test", test, columns, out);
}

const char *report_verdict(const json_t *test)
{
    double before =
        json_get_number(json_object_get(test, "baseline"), "score", 0);
    double after =
        json_get_number(json_object_get(test, "compiled"), "score", 0);

    if (json_get_number(test, "p_value", 1) >= SIGNIFICANT)
        return "no detectable difference";
    return after > before ? "better than the baseline"
                          : "worse than the baseline";
}

// Says why there are no scores on a test share.
static const char *missing_test_reason(const json_t *document)
{
    const char *finish = json_get_text(document, "finish_reason", "");

    if (strcmp(finish, "stopped") == 0)
        return "stopped before the test share was scored";
    if (json_object_get(document, "reason") != NULL)
        return "the search chose on these very examples, so the gain is likely "
               "smaller";
    return "no test share: the search chose on these very examples, so the "
           "gain is likely smaller";
}

// Appends why there is no gain, one reason per line.
static void put_reasons(const struct terminal *terminal, const json_t *verdict,
                        struct buf *out)
{
    const json_t *reasons = json_object_get(verdict, "reasons");

    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *text =
            json_get_text(json_array_get(reasons, i), "text", "");

        put_label(terminal, i == 0 ? "why" : "", out);
        plain_put_line(out, text, strlen(text));
        buf_putc(out, '\n');
    }
}

// Appends how much a score varies on its own, to compare with the gain.
static void put_noise(const struct terminal *terminal, const json_t *document,
                      struct buf *out)
{
    const json_t *noise = json_object_get(document, "noise");
    int64_t n = json_get_int(noise, "n", 0);
    int64_t changed = json_get_int(noise, "changed", 0);
    char examples[TEXT_COUNTED_BYTES];

    if (n == 0)
        return;
    put_label(terminal, "noise", out);
    if (changed == 0)
        buf_printf(out,
                   "%s asked again scored the same, so differences come from "
                   "the prompts\n",
                   text_counted(examples, n, "example"));
    else
        buf_printf(out,
                   "%" PRId64 " of %s scored differently when asked again: a "
                   "score varies by about %.1f points on its own\n",
                   changed, text_counted(examples, n, "example"),
                   100 * json_get_number(noise, "score", 0));
}

static void put_adapter(const struct terminal *terminal, const json_t *document,
                        struct buf *out)
{
    const json_t *adapter = json_object_get(document, "adapter");
    const char *chosen = json_get_text(adapter, "chosen", NULL);
    const char *other =
        chosen != NULL && strcmp(chosen, "json") == 0 ? "chat" : "json";

    char examples[TEXT_COUNTED_BYTES];

    if (chosen == NULL)
        return;
    put_label(terminal, "adapter", out);
    buf_printf(
        out,
        "%s: the program as written scores %.1f %% with it, and %.1f %% "
        "with %s (%s)\n",
        chosen, 100 * json_get_number(adapter, chosen, 0),
        100 * json_get_number(adapter, other, 0), other,
        text_counted(examples, json_get_int(adapter, "n", 0), "example"));
}

// Appends what a shorter prompt would cost in score.
static void put_front(const struct terminal *terminal, const json_t *document,
                      struct buf *out)
{
    const json_t *front = json_object_get(document, "front");
    size_t n = json_array_size(front);

    if (n < 2)
        return;
    put_label(terminal, "by length", out);
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(front, i);

        buf_printf(out, "%s%.1f %% with %" PRId64 "", i == 0 ? "" : ", ",
                   100 * json_get_number(point, "score", 0),
                   json_get_int(point, "prompt_tokens", 0));
    }
    buf_puts(out, " tokens in the longest prompt\n");
}

static void put_scores(const struct terminal *terminal, const json_t *document,
                       struct buf *out)
{
    const json_t *test = json_object_get(document, "test");
    const json_t *same = json_object_get(document, "same_rows");

    if (!json_is_object(json_object_get(document, "compiled")))
        return;
    put_pairs(terminal, json_is_object(same) ? same : document,
              json_is_object(test) ? test : NULL, out);
    if (!json_is_object(test)) {
        put_label(terminal, "", out);
        buf_printf(out, "%s\n", missing_test_reason(document));
        put_reasons(terminal, json_object_get(document, "verdict"), out);
        return;
    }
    put_label(terminal, "verdict", out);
    put_style(terminal, STYLE_BOLD, out);
    buf_puts(out, report_verdict(test));
    put_style(terminal, STYLE_PLAIN, out);
    buf_printf(out, " on the test share (p = %.3g)\n",
               json_get_number(test, "p_value", 1));
    put_reasons(terminal, json_object_get(document, "verdict"), out);
}

// Appends the beginning of an instruction: a few lines on a terminal, or all of
// it elsewhere.
static void put_excerpt(const struct terminal *terminal, const char *head,
                        const char *text, struct buf *out)
{
    struct buf plain = BUF_INIT(LINE_BYTES);
    size_t width = (size_t)terminal->width - CHANGE_MARGIN - 2;
    const char *at, *next;

    plain_put_line(&plain, text, strlen(text));
    at = plain.data == NULL ? "" : plain.data;
    buf_printf(out, "    %-*s", CHANGE_MARGIN - 4, head);
    if (!terminal->live)
        buf_puts(out, at);
    for (int i = 0; terminal->live && *at != '\0' && i < EXCERPT_LINES; i++) {
        if (i > 0)
            buf_printf(out, "\n%*s", CHANGE_MARGIN, "");
        buf_append(out, at, wrap_line(at, width, &next));
        at = next;
        if (*at != '\0' && i + 1 == EXCERPT_LINES)
            buf_puts(out, terminal->utf8 ? "\xe2\x80\xa6" : "...");
    }
    buf_putc(out, '\n');
    buf_release(&plain);
}

static void put_change(const struct terminal *terminal, const char *step,
                       const json_t *change, bool skipped, struct buf *out)
{
    const char *before = json_get_text(change, "before", "");
    const char *after = json_get_text(change, "after", "");
    int64_t demos = json_get_int(change, "demos", 0);
    int64_t pool = json_get_int(change, "of", demos);

    buf_printf(out, "  %s: %s, ", step,
               strcmp(before, after) == 0 ? "instruction as written"
                                          : "new instruction");
    put_count(out, demos, "demo");
    if (pool > demos)
        buf_printf(out, " nearest to the question, of %" PRId64, pool);
    buf_printf(out, "%s\n", skipped ? " (not searched, not measured)" : "");
    if (strcmp(before, after) == 0)
        return;
    put_excerpt(terminal, "before", before, out);
    put_excerpt(terminal, "after", after, out);
}

static bool lists(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (text != NULL && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

static void put_changes(const struct terminal *terminal, const json_t *document,
                        struct buf *out)
{
    json_t *changes = json_object_get(document, "changes");
    const json_t *skipped = json_object_get(document, "skipped_steps");
    const char *step;
    json_t *change;

    if (json_object_size(changes) == 0 ||
        !json_is_object(json_object_get(document, "compiled")))
        return;
    buf_puts(out, "\nwhat changed in the prompts\n");
    json_object_foreach(changes, step, change)
        put_change(terminal, step, change, lists(skipped, step), out);
}

// Appends the values that the winner chose for the job's tunables.
static void put_tuned(const json_t *document, struct buf *out)
{
    json_t *tuned = json_object_get(document, "tuned");
    bool first = true;
    const char *name;
    json_t *value;

    json_object_foreach(tuned, name, value) {
        buf_printf(out, "%s%s ", first ? "  tuned: " : ", ", name);
        json_put(out, value);
        first = false;
    }
    buf_puts(out, first ? "" : "\n");
}

static void put_skipped(const json_t *document, struct buf *out)
{
    const json_t *skipped = json_object_get(document, "skipped_steps");

    if (json_array_size(skipped) == 0)
        return;
    buf_puts(out, "  the metric does not need ");
    for (size_t i = 0; i < json_array_size(skipped); i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ", ",
                   json_string_value(json_array_get(skipped, i)));
    buf_printf(out,
               ", so the search did not run %s (`eval --all-steps` does)\n",
               json_array_size(skipped) == 1 ? "it" : "them");
}

static void put_roles(const json_t *calls, struct buf *out)
{
    static const char *const roles[] = {"student", "teacher", "judge", "embed",
                                        "exec"};
    bool any = false;

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        int64_t n = json_get_int(calls, roles[i], 0);

        if (n == 0)
            continue;
        buf_puts(out, any ? ", " : "");
        buf_put_number(out, n);
        buf_printf(out, " %s", roles[i]);
        any = true;
    }
    if (!any)
        buf_puts(out, "0");
}

static void put_cost(const struct terminal *terminal, const json_t *document,
                     struct buf *out)
{
    const json_t *calls = json_object_get(document, "calls");
    const json_t *tokens = json_object_get(document, "tokens");
    const json_t *cached = json_object_get(tokens, "prompt_cached");

    put_label(terminal, "calls", out);
    put_roles(calls, out);
    buf_puts(out, "; ");
    buf_put_number(out, json_get_int(calls, "reused", 0));
    buf_puts(out, " reused\n");
    put_label(terminal, "tokens", out);
    buf_put_number(out, json_get_int(tokens, "prompt", 0));
    buf_puts(out, " prompt");
    if (json_is_integer(cached)) {
        buf_puts(out, " (");
        buf_put_number(out, json_integer_value(cached));
        buf_puts(out, " of them from the server's cache)");
    }
    buf_puts(out, ", ");
    buf_put_number(out, json_get_int(tokens, "generated", 0));
    buf_puts(out, " generated\n");
    put_label(terminal, "time", out);
    buf_printf(out, "%.1f s\n", json_get_number(document, "wall_s", 0));
}

static void put_simulated(const struct terminal *terminal,
                          const json_t *document, struct buf *out)
{
    if (!json_get_bool(document, "simulated", false))
        return;
    put_style(terminal, STYLE_WARN, out);
    buf_puts(out, "simulated: a stand-in answered instead of a model; these "
                  "scores say nothing about a real one\n");
    put_style(terminal, STYLE_PLAIN, out);
}

static const char *finish_text(const char *reason)
{
    static const char *const texts[][2] = {
        {"trials_done", "all trials done"},
        {"budget", "the budget is used up"},
        {"no_improvement", "nothing better than the baseline was found"},
        {"no_difference",
         "no detectable difference from the program as written"},
        {"unreadable", "no prompt got an answer that can be read"},
        {"perfect", "every validation example is right"},
        {"stopped", "stopped; run the same command again to continue"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i][0], reason) == 0)
            return texts[i][1];
    return reason;
}

// Appends for example " (the baseline and 6 trials of miprov2)".
static void put_trials(const json_t *document, struct buf *out)
{
    int64_t n = json_get_int(document, "trials", 0);

    if (n == 0)
        return;
    buf_puts(out, " (the baseline and ");
    put_count(out, n - 1, "trial");
    buf_printf(out, " of %s)",
               json_get_text(document, "optimizer", "the optimizer"));
}

static void put_head(const struct terminal *terminal, const json_t *document,
                     struct buf *out)
{
    const char *finish =
        finish_text(json_get_text(document, "finish_reason", ""));
    const char *reason = json_get_text(document, "reason", "");

    put_style(terminal, STYLE_BOLD, out);
    buf_puts(out, json_get_text(document, "job", ""));
    put_style(terminal, STYLE_PLAIN, out);
    buf_printf(out, ": %s", finish);
    put_trials(document, out);
    buf_putc(out, '\n');
    if (reason[0] == '\0' || strcmp(reason, finish) == 0)
        return;
    put_style(terminal, STYLE_WARN, out);
    plain_put_line(out, reason, strlen(reason));
    put_style(terminal, STYLE_PLAIN, out);
    buf_putc(out, '\n');
}

// Returns what was wrong with replies, after "could not be read: ", by
// run_outcome_name.
static const char *fault_text(const char *kind)
{
    static const char *const texts[][2] = {
        {"format", "not in the form asked for"},
        {"cut", "cut at num_predict"},
        {"empty", "empty"},
        {"loop", "repeating themselves"},
        {"too_long", "to a prompt beyond num_ctx"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i][0], kind) == 0)
            return texts[i][1];
    return kind;
}

// Appends for example "none of the 34 replies could be read: 30 not in the form
// asked for, 4 cut at num_predict; they scored 0", and then one of the replies.
static void put_faults(const struct terminal *terminal, const json_t *document,
                       int64_t n, struct buf *out)
{
    int64_t faults = json_get_int(document, "model_faults", 0);
    const json_t *example = json_object_get(document, "fault_example");
    const char *reply = json_get_text(example, "reply", "");
    const char *separator = ": ";
    struct buf line = BUF_INIT(LINE_BYTES);
    const char *kind;
    json_t *count;

    if (faults == 0)
        return;
    put_label(terminal, "faults", out);
    if (faults == n)
        put_style(terminal, STYLE_WARN, out);
    buf_printf(out,
               faults == n ? "none of the %" PRId64 " replies could be read"
                           : "%" PRId64 " replies could not be read",
               faults);
    json_object_foreach(json_object_get(document, "faults"), kind, count) {
        buf_printf(out, "%s%" PRId64 " %s", separator,
                   (int64_t)json_integer_value(count), fault_text(kind));
        separator = ", ";
    }
    buf_puts(out, "; they scored 0\n");
    put_style(terminal, STYLE_PLAIN, out);
    if (reply[0] == '\0')
        return;
    put_label(terminal, "", out);
    buf_printf(&line, "example %" PRId64 ": ", json_get_int(example, "row", 0));
    plain_put_line(&line, reply, strlen(reply));
    if (line.data != NULL)
        terminal_put_cut(terminal, line.data,
                         (size_t)(terminal->width - MARGIN - 1), out);
    buf_putc(out, '\n');
    buf_release(&line);
}

// Appends how far the judge can be trusted.
static void put_judge(const struct terminal *terminal, const json_t *document,
                      struct buf *out)
{
    const json_t *judge = json_object_get(document, "judge");
    const json_t *noise = json_object_get(judge, "noise");
    int64_t unjudged = json_get_int(judge, "unjudged", 0);

    if (judge == NULL)
        return;
    put_label(terminal, "judge", out);
    if (json_is_number(noise))
        buf_printf(out,
                   "asked again, it differs by about %.1f points per answer",
                   100 * json_number_value(noise));
    else
        buf_puts(out,
                 "its noise is not known; `replicates: 2` would measure it");
    if (unjudged > 0) {
        buf_puts(out, "; ");
        put_count(out, unjudged, "answer");
        buf_puts(out, " left out, because none of its replies could be read");
    }
    buf_putc(out, '\n');
}

void report_run(const struct terminal *terminal, const json_t *document,
                struct buf *out)
{
    const char *path = json_get_text(document, "out", NULL);

    put_head(terminal, document, out);
    put_simulated(terminal, document, out);
    buf_putc(out, '\n');
    put_scores(terminal, document, out);
    put_noise(terminal, document, out);
    put_front(terminal, document, out);
    put_adapter(terminal, document, out);
    put_faults(terminal, document,
               json_get_int(json_object_get(document, "compiled"), "n", 0),
               out);
    put_judge(terminal, document, out);
    put_changes(terminal, document, out);
    put_tuned(document, out);
    put_skipped(document, out);
    buf_putc(out, '\n');
    put_cost(terminal, document, out);
    if (path == NULL) { // a document from the store names no file
        if (!json_is_object(json_object_get(document, "compiled")))
            buf_puts(out, "no compiled file: nothing has been scored yet\n");
        return;
    }
    put_label(terminal, "file", out);
    plain_put_line(out, path, strlen(path));
    buf_putc(out, '\n');
}

void report_try(const json_t *document, const char *words, struct buf *out)
{
    buf_puts(out, "\nTry it on your own input:\n  promptcc predict ");
    shell_word_show(json_get_text(document, "out", ""), out);
    buf_printf(out, "%s\n", words);
}

void report_eval(const struct terminal *terminal, const json_t *document,
                 struct buf *out)
{
    put_simulated(terminal, document, out);
    put_label(terminal, "score", out);
    report_score(terminal, document, out);
    buf_putc(out, '\n');
    put_faults(terminal, document, json_get_int(document, "n", 0), out);
    put_judge(terminal, document, out);
    put_cost(terminal, document, out);
}
