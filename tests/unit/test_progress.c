#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/amounts.h"
#include "cli/progress.h"
#include "common/text.h"

static struct buf out;

static struct progress some_progress(void)
{
    return (struct progress){.job = "customer-care-3f2a1b90c4de",
                             .phase = "search",
                             .note = "",
                             .trial = 7,
                             .trials = 18,
                             .done = 120,
                             .total = 285,
                             .examples = 1412,
                             .expected = 3100,
                             .share = 0.455,
                             .calls = 1812,
                             .reused = 2210,
                             .in_flight = 8,
                             .workers = 2,
                             .slots = 8,
                             .best = 0.84,
                             .best_low = 0.77,
                             .best_high = 0.9,
                             .baseline = 0.61,
                             .tokens_per_s = 410,
                             .elapsed_ms = 41000,
                             .left_ms = 58000};
}

static void open_buf(void)
{
    out = BUF_INIT(1 << 16);
}

static void close_buf(void)
{
    buf_release(&out);
}

static bool shows(const char *text)
{
    return out.data != NULL && strstr(out.data, text) != NULL;
}

static size_t widest_line(void)
{
    size_t widest = 0;

    for (const char *line = out.data; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t columns = terminal_columns(line, len);

        widest = columns > widest ? columns : widest;
        line += len + (line[len] == '\n');
    }
    return widest;
}

TestSuite(progress, .init = open_buf, .fini = close_buf);

Test(progress, the_block_says_what_a_person_waits_for)
{
    struct terminal terminal = {.width = 100};
    struct progress progress = some_progress();

    cr_expect_eq(progress_block(&terminal, &progress, false, &out), 6);
    cr_expect(shows("trial 7/18"), "%s", out.data);
    cr_expect(shows(" 46 %, 1,412 of about 3,100 examples"), "%s", out.data);
    cr_expect(shows("84.0 % (77 to 90), baseline 61.0 %"), "%s", out.data);
    cr_expect(shows("1,812 done, 2,210 reused, 8 in flight"), "%s", out.data);
    cr_expect(shows("410 tokens/s, 2 workers, 8 slots, 0:41, about 0:58 left"),
              "%s", out.data);
}

Test(progress, block_reports_its_number_of_lines_correctly)
{
    struct terminal terminal = {.width = 100};
    struct progress progress = some_progress();
    int lines, counted = 0;

    progress.note = "a note";
    lines = progress_block(&terminal, &progress, true, &out);
    for (size_t i = 0; i < out.len; i++)
        counted += out.data[i] == '\n';
    cr_expect_eq(counted, lines);
}

Test(progress, no_line_of_the_block_reaches_the_edge_of_the_terminal)
{
    struct progress progress = some_progress();

    progress.note = "a note that is much longer than any narrow terminal could "
                    "ever show in one line without wrapping it";
    for (int width = 40; width < 140; width += 9) {
        struct terminal terminal = {
            .width = width, .color = true, .utf8 = width % 2 == 0};

        buf_clear(&out);
        progress_block(&terminal, &progress, true, &out);
        cr_expect_lt(widest_line(), (size_t)width, "width %d", width);
        cr_expect(shows("0:58"), "width %d: %s", width, out.data);
        cr_expect(shows("in flight"), "width %d: %s", width, out.data);
    }
}

Test(progress, a_long_name_stays_whole_and_its_lines_are_counted)
{
    struct terminal terminal = {.width = 40};
    struct progress progress = some_progress();
    int lines = progress_block(&terminal, &progress, false, &out);

    buf_clear(&out);
    progress.job = "a-very-long-name-that-somebody-gave-to-a-job-in-november-"
                   "which-takes-three-lines-3f2a1b90";
    cr_expect_eq(progress_block(&terminal, &progress, false, &out), lines + 2);
    cr_expect(shows(progress.job), "%s", out.data);
}

Test(progress, without_colour_there_is_no_escape_sequence)
{
    struct terminal terminal = {.width = 80, .utf8 = true};
    struct progress progress = some_progress();

    progress_block(&terminal, &progress, true, &out);
    cr_expect_null(strchr(out.data, '\x1b'));
}

Test(progress, without_utf8_the_block_is_ascii)
{
    struct terminal terminal = {.width = 80};
    struct progress progress = some_progress();

    progress_block(&terminal, &progress, false, &out);
    for (size_t i = 0; i < out.len; i++)
        cr_assert_lt((unsigned char)out.data[i], 0x80);
}

Test(progress, a_simulated_model_is_named)
{
    struct terminal terminal = {.width = 80};
    struct progress progress = some_progress();

    progress_block(&terminal, &progress, true, &out);
    cr_expect(shows("simulated model"), "%s", out.data);
}

Test(progress, missing_score_and_worker_are_shown)
{
    struct terminal terminal = {.width = 80};
    struct progress progress = some_progress();

    progress.best = progress.baseline = -1;
    progress.workers = progress.calls = 0;
    progress.left_ms = -1;
    progress_block(&terminal, &progress, false, &out);
    cr_expect(shows("no score yet"), "%s", out.data);
    cr_expect(shows("no model server yet"), "%s", out.data);
    cr_expect_not(shows("left"), "%s", out.data);
}

Test(progress, lost_server_is_not_shown_as_still_expected)
{
    struct terminal terminal = {.width = 80};
    struct progress progress = some_progress();

    progress.workers = 0;
    progress_block(&terminal, &progress, false, &out);
    cr_expect(shows("no model server now"), "%s", out.data);
}

Test(progress, untrusted_text_cannot_control_the_terminal)
{
    struct terminal terminal = {.width = 80};
    struct progress progress = some_progress();

    progress.note = "evil \x1b[2J\x1b]0;title\x07 note\nsecond";
    progress_block(&terminal, &progress, false, &out);
    cr_expect_null(strchr(out.data, '\x1b'));
    cr_expect_null(strchr(out.data, '\x07'));
    cr_expect(shows("note second"), "%s", out.data);
}

Test(progress, the_plain_line_is_one_line)
{
    struct progress progress = some_progress();

    progress_line(&progress, &out);
    cr_expect_str_eq(out.data,
                     "0:41 search, trial 7 of 18, 46 %, 1,412 of about 3,100 "
                     "examples, best 84.0 % (77 to 90), 1,812 calls, 2,210 "
                     "reused, about 0:58 left\n");
}

Test(progress, unknown_progress_is_not_shown)
{
    struct terminal terminal = {.width = 100};
    struct progress progress = some_progress();

    progress.expected = 0;
    progress.left_ms = -1;
    progress.share = -1;
    progress_block(&terminal, &progress, false, &out);
    cr_expect(shows("1,412 examples"), "%s", out.data);
    cr_expect_not(shows("about"), "%s", out.data);
    buf_clear(&out);
    progress_line(&progress, &out);
    cr_expect(shows("trial 7 of 18, 1,412 examples, best"), "%s", out.data);
}

Test(progress, numbers_are_written_for_people)
{
    buf_put_number(&out, 0);
    buf_put_number(&out, 999);
    buf_putc(&out, ' ');
    buf_put_number(&out, 1234567);
    buf_putc(&out, ' ');
    put_time(&out, 3723000);
    buf_putc(&out, ' ');
    put_percent(&out, 0.615);
    cr_expect_str_eq(out.data, "0999 1,234,567 1:02:03 61.5 %");
}

// --- the view when the output is not a terminal ---

static FILE *file;
static struct progress_view view;

static void open_view(void)
{
    open_buf();
    file = tmpfile();
    cr_assert_not_null(file);
    progress_init(&view, file, false, false);
}

static void close_view(void)
{
    (void)fclose(file);
    close_buf();
}

static int count_lines(void)
{
    int c, lines = 0;

    rewind(file);
    while ((c = fgetc(file)) != EOF)
        lines += c == '\n';
    return lines;
}

TestSuite(progress_view, .init = open_view, .fini = close_view);

Test(progress_view, plain_lines_come_only_with_news)
{
    struct progress progress = some_progress();

    progress_update(&view, &progress, 1000);
    progress.calls = 5000; // not worth a line
    progress_update(&view, &progress, 9000);
    cr_expect_eq(count_lines(), 1);
}

Test(progress_view, plain_lines_come_once_a_second_at_most)
{
    struct progress progress = some_progress();

    for (int i = 0; i < 30; i++) {
        progress.trial = i;
        progress_update(&view, &progress, 1000 + i * 100);
    }
    cr_expect_eq(count_lines(), 3);
}

Test(progress_view, a_quiet_view_writes_nothing)
{
    struct progress progress = some_progress();

    progress_init(&view, file, true, false);
    progress_update(&view, &progress, 1000);
    progress_say(&view, "the coordinator is gone");
    progress_end(&view);
    cr_expect_eq(ftell(file), 0);
}

Test(progress_view, texts_of_the_caller_are_copied)
{
    struct progress progress = some_progress();
    char phase[] = "search";

    progress.phase = phase;
    progress_update(&view, &progress, 1000);
    memset(phase, 'x', sizeof phase - 1);
    cr_expect_str_eq(view.last.phase, "search");
}

static size_t lines_of(FILE *from)
{
    size_t n = 0;

    rewind(from);
    for (int c = getc(from); c != EOF; c = getc(from))
        n += c == '\n';
    (void)fseek(from, 0, SEEK_END);
    return n;
}

Test(progress, without_a_terminal_a_line_is_printed_every_30_seconds)
{
    struct progress progress = some_progress();
    struct progress_view plain;
    FILE *log = tmpfile();

    cr_assert_not_null(log);
    progress_init(&plain, log, false, false);
    progress_update(&plain, &progress, 1000);
    cr_expect_eq(lines_of(log), 1);
    progress.done++;
    progress_update(&plain, &progress, 1000 + PROGRESS_ALIVE_MS - 1);
    cr_expect_eq(lines_of(log), 1);
    progress_tick(&plain, 1000 + PROGRESS_ALIVE_MS);
    cr_expect_eq(lines_of(log), 2);
    fclose(log);
}
