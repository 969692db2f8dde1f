#include "cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/wrap.h"
#include "common/plain.h"
#include "common/text.h"

enum { BLOCK_BYTES = 16384, LABEL_COLUMNS = 9, BAR_MOST = 40, BAR_LEAST = 10 };

// Appends for example "84.0 % (77 to 90)".
static void put_interval(struct buf *out, double score, double low, double high)
{
    put_percent(out, score);
    buf_printf(out, " (%.0f to %.0f)", low * 100, high * 100);
}

// --- the block ---

struct painter {
    const struct terminal *terminal;
    struct buf *out;
    struct buf line;
    int lines;
};

static void style(struct painter *p, enum style style)
{
    buf_puts(&p->line, terminal_style(p->terminal, style));
}

static void styled(struct painter *p, enum style look, const char *text)
{
    style(p, look);
    buf_puts(&p->line, text);
    style(p, STYLE_PLAIN);
}

static void label(struct painter *p, const char *text)
{
    style(p, STYLE_DIM);
    buf_printf(&p->line, "  %-*s", LABEL_COLUMNS, text);
    style(p, STYLE_PLAIN);
}

// Ends a line of the block. The last column stays free, because a terminal
// wraps as soon as it is written to. A line that is too long continues below
// its text. A name that is wider than the terminal, which then wraps it, counts
// as that many lines.
static void end_line(struct painter *p)
{
    size_t width = (size_t)p->terminal->width;
    struct buf wrapped = BUF_INIT(BLOCK_BYTES);
    const char *at = p->line.data == NULL ? "" : p->line.data;

    wrap_text(width - 1, 0, 2 + LABEL_COLUMNS, at, &wrapped);
    buf_puts(&wrapped, "\n");
    for (at = wrapped.data == NULL ? "" : wrapped.data; *at != '\0'; at++) {
        size_t len = strcspn(at, "\n");
        size_t columns = terminal_columns(at, len);

        p->lines += 1 + (int)(columns > 0 ? (columns - 1) / width : 0);
        at += len;
    }
    if (wrapped.data != NULL)
        buf_append(p->out, wrapped.data, wrapped.len);
    buf_release(&wrapped);
    buf_clear(&p->line);
}

static const char *separator(const struct painter *p)
{
    return p->terminal->utf8 ? " \xc2\xb7 " : ", ";
}

static void paint_bar(struct painter *p, double share)
{
    const char *full = p->terminal->utf8 ? "\xe2\x94\x81" : "#";
    const char *rest = p->terminal->utf8 ? "\xe2\x94\x80" : "-";
    int width = p->terminal->width / 3;
    int filled;

    if (width > BAR_MOST)
        width = BAR_MOST;
    if (width < BAR_LEAST)
        width = BAR_LEAST;
    filled = (int)(share * width);
    style(p, STYLE_GOOD);
    for (int i = 0; i < width; i++) {
        if (i == filled) {
            style(p, STYLE_PLAIN);
            style(p, STYLE_DIM);
        }
        buf_puts(&p->line, i < filled ? full : rest);
    }
    style(p, STYLE_PLAIN);
}

static void paint_head(struct painter *p, const struct progress *progress,
                       bool simulated)
{
    style(p, STYLE_BOLD);
    plain_put_line(&p->line, progress->job, strlen(progress->job));
    style(p, STYLE_PLAIN);
    if (simulated) {
        buf_puts(&p->line, "  ");
        styled(p, STYLE_WARN, "simulated model");
    }
    end_line(p);
}

// Appends the phase. A job has none before its first trial or while it is
// looked up in the store.
static void put_phase(struct buf *out, const struct progress *progress)
{
    const char *phase = progress->phase[0] == '\0' ? "start" : progress->phase;

    plain_put_line(out, phase, strlen(phase));
}

static void paint_phase(struct painter *p, const struct progress *progress)
{
    label(p, "phase");
    put_phase(&p->line, progress);
    if (progress->trials > 0)
        buf_printf(&p->line, "%strial %" PRId64 "/%" PRId64, separator(p),
                   progress->trial, progress->trials);
    else if (progress->trial > 0)
        buf_printf(&p->line, "%strial %" PRId64, separator(p), progress->trial);
    end_line(p);
}

// Appends for example "412 of about 1,120 examples"; the expected number may
// change.
static void put_examples(struct buf *out, const struct progress *progress)
{
    if (progress->expected <= progress->examples) {
        put_count(out, progress->examples, "example");
        return;
    }
    buf_put_number(out, progress->examples);
    buf_puts(out, " of about ");
    put_count(out, progress->expected, "example");
}

static bool knows_share(const struct progress *progress)
{
    return progress->expected > 0 && progress->share >= 0;
}

static void paint_done(struct painter *p, const struct progress *progress)
{
    label(p, "done");
    if (knows_share(progress)) {
        paint_bar(p, progress->share);
        buf_printf(&p->line, " %.0f %%%s", progress->share * 100, separator(p));
    }
    put_examples(&p->line, progress);
    end_line(p);
}

static void paint_best(struct painter *p, const struct progress *progress)
{
    label(p, "best");
    if (progress->best < 0) {
        styled(p, STYLE_DIM, "no score yet");
        end_line(p);
        return;
    }
    style(p, STYLE_BOLD);
    put_interval(&p->line, progress->best, progress->best_low,
                 progress->best_high);
    style(p, STYLE_PLAIN);
    if (progress->baseline >= 0) {
        buf_printf(&p->line, "%sbaseline ", separator(p));
        put_percent(&p->line, progress->baseline);
    }
    end_line(p);
}

static void paint_calls(struct painter *p, const struct progress *progress)
{
    label(p, "calls");
    buf_put_number(&p->line, progress->calls);
    buf_printf(&p->line, " done%s", separator(p));
    buf_put_number(&p->line, progress->reused);
    buf_printf(&p->line, " reused%s%" PRId64 " in flight", separator(p),
               progress->in_flight);
    if (progress->faults > 0) {
        buf_puts(&p->line, separator(p));
        style(p, STYLE_WARN);
        buf_printf(&p->line, "%" PRId64 " asked again", progress->faults);
        style(p, STYLE_PLAIN);
    }
    end_line(p);
}

// Says why there is no worker: at the start none has come yet, later all have
// gone.
static const char *without_server(const struct progress *progress)
{
    return progress->calls > 0 ? "no model server now" : "no model server yet";
}

static void paint_speed(struct painter *p, const struct progress *progress)
{
    label(p, "speed");
    if (progress->workers == 0) {
        styled(p, STYLE_WARN, without_server(progress));
    } else {
        buf_put_number(&p->line, (int64_t)progress->tokens_per_s);
        buf_printf(&p->line, " tokens/s%s", separator(p));
        put_count(&p->line, progress->workers, "worker");
        buf_puts(&p->line, ", ");
        put_count(&p->line, progress->slots, "slot");
    }
    buf_puts(&p->line, separator(p));
    put_time(&p->line, progress->elapsed_ms);
    if (progress->left_ms >= 0) {
        buf_puts(&p->line, ", about ");
        put_time(&p->line, progress->left_ms);
        buf_puts(&p->line, " left");
    }
    end_line(p);
}

static void paint_note(struct painter *p, const struct progress *progress)
{
    if (progress->note[0] == '\0')
        return;
    label(p, "note");
    plain_put_line(&p->line, progress->note, strlen(progress->note));
    end_line(p);
}

int progress_block(const struct terminal *terminal,
                   const struct progress *progress, bool simulated,
                   struct buf *out)
{
    struct painter painter = {
        .terminal = terminal, .out = out, .line = BUF_INIT(BLOCK_BYTES)};

    paint_head(&painter, progress, simulated);
    paint_phase(&painter, progress);
    paint_done(&painter, progress);
    paint_best(&painter, progress);
    paint_calls(&painter, progress);
    paint_speed(&painter, progress);
    paint_note(&painter, progress);
    buf_release(&painter.line);
    return painter.lines;
}

// --- the plain line ---

void progress_line(const struct progress *progress, struct buf *out)
{
    put_time(out, progress->elapsed_ms);
    buf_putc(out, ' ');
    put_phase(out, progress);
    if (progress->trials > 0)
        buf_printf(out, ", trial %" PRId64 " of %" PRId64, progress->trial,
                   progress->trials);
    else if (progress->trial > 0)
        buf_printf(out, ", trial %" PRId64, progress->trial);
    if (knows_share(progress))
        buf_printf(out, ", %.0f %%", progress->share * 100);
    buf_puts(out, ", ");
    put_examples(out, progress);
    if (progress->best >= 0) {
        buf_puts(out, ", best ");
        put_interval(out, progress->best, progress->best_low,
                     progress->best_high);
    }
    buf_puts(out, ", ");
    put_count(out, progress->calls, "call");
    buf_puts(out, ", ");
    buf_put_number(out, progress->reused);
    buf_puts(out, " reused");
    if (progress->faults > 0)
        buf_printf(out, ", %" PRId64 " asked again", progress->faults);
    if (progress->workers == 0)
        buf_printf(out, ", %s", without_server(progress));
    if (progress->left_ms >= 0) {
        buf_puts(out, ", about ");
        put_time(out, progress->left_ms);
        buf_puts(out, " left");
    }
    buf_putc(out, '\n');
}

// --- the view ---

void progress_init(struct progress_view *view, FILE *out, bool quiet,
                   bool simulated)
{
    struct terminal terminal;

    *view = (struct progress_view){.out = out,
                                   .fd = fileno(out),
                                   .quiet = quiet,
                                   .simulated = simulated,
                                   .shown_trial = -1,
                                   .shown_best = -1};
    terminal = terminal_of(view->fd);
    view->live = terminal.live && !quiet;
    view->shown_ms = INT64_MIN / 2;
}

static void write_out(struct progress_view *view, const struct buf *text)
{
    (void)terminal_write(view->out, text->len > 0 ? text->data : "", text->len);
}

static void erase_block(struct progress_view *view)
{
    terminal_erase(view->out, view->lines);
    view->lines = 0;
}

static void draw_block(struct progress_view *view)
{
    struct terminal terminal = terminal_of(view->fd);
    struct buf text = BUF_INIT(BLOCK_BYTES);

    erase_block(view);
    view->lines =
        progress_block(&terminal, &view->last, view->simulated, &text);
    write_out(view, &text);
    buf_release(&text);
}

static bool has_news(const struct progress_view *view)
{
    return strcmp(view->shown_phase, view->phase) != 0 ||
           strcmp(view->shown_note, view->note) != 0 ||
           view->shown_trial != view->last.trial ||
           view->shown_best < view->last.best ||
           view->shown_best > view->last.best;
}

static void draw_line(struct progress_view *view)
{
    struct buf text = BUF_INIT(BLOCK_BYTES);

    if (strcmp(view->shown_note, view->note) != 0 && view->note[0] != '\0') {
        buf_puts(&text, "     ");
        plain_put_line(&text, view->note, strlen(view->note));
        buf_putc(&text, '\n');
    }
    progress_line(&view->last, &text);
    write_out(view, &text);
    buf_release(&text);
    strcpy(view->shown_phase, view->phase);
    strcpy(view->shown_note, view->note);
    view->shown_trial = view->last.trial;
    view->shown_best = view->last.best;
}

void progress_tick(struct progress_view *view, int64_t now_ms)
{
    int64_t every = view->live ? PROGRESS_REDRAW_MS : PROGRESS_LINE_MS;

    if (view->quiet || !view->any || now_ms - view->shown_ms < every)
        return;
    if (view->live)
        draw_block(view);
    else if (has_news(view) || now_ms - view->shown_ms >= PROGRESS_ALIVE_MS)
        draw_line(view);
    else
        return;
    view->shown_ms = now_ms;
}

void progress_update(struct progress_view *view,
                     const struct progress *progress, int64_t now_ms)
{
    view->last = *progress;
    (void)text_print(view->job, sizeof view->job, "%s", progress->job);
    (void)text_print(view->phase, sizeof view->phase, "%s", progress->phase);
    (void)text_print(view->note, sizeof view->note, "%s", progress->note);
    view->last.job = view->job;
    view->last.phase = view->phase;
    view->last.note = view->note;
    view->any = true;
    progress_tick(view, now_ms);
}

void progress_say(struct progress_view *view, const char *text)
{
    struct buf out = BUF_INIT(BLOCK_BYTES);

    if (view->quiet)
        return;
    erase_block(view);
    plain_put_line(&out, text, strlen(text));
    buf_putc(&out, '\n');
    write_out(view, &out);
    buf_release(&out);
    if (view->live && view->any)
        draw_block(view);
}

void progress_end(struct progress_view *view)
{
    erase_block(view);
    view->any = false;
    (void)fflush(view->out);
}
