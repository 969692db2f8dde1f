#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/text.h"

static FILE *caught;
static int kept;

// Sends standard error to a file while a test runs.
static void open_log(void)
{
    caught = tmpfile();
    kept = dup(STDERR_FILENO);
    cr_assert_not_null(caught);
    cr_assert_neq(kept, -1);
}

static void close_log(void)
{
    (void)fclose(caught);
    (void)close(kept);
}

TestSuite(log, .init = open_log, .fini = close_log);

static void catch_errors(void)
{
    (void)dup2(fileno(caught), STDERR_FILENO);
}

// Restores standard error and returns what was written meanwhile.
static size_t read_caught(char *text, size_t size)
{
    (void)dup2(kept, STDERR_FILENO);
    rewind(caught);
    size_t len = fread(text, 1, size - 1, caught);
    text[len] = '\0';
    return len;
}

Test(log, a_line_has_time_level_id_and_sentence)
{
    char text[256];
    int hour = -1;
    int minute = -1;
    int second = -1;
    int used = 0;

    catch_errors();
    log_warn("lease-lost", "worker %s is gone", "w1");
    (void)read_caught(text, sizeof text);

    cr_assert_eq(sscanf(text, "%2d:%2d:%2d %n", &hour, &minute, &second, &used),
                 3);
    cr_expect_eq(used, 9);
    cr_expect_str_eq(text + used, "warn lease-lost: worker w1 is gone\n");
}

Test(log, lines_below_the_level_are_dropped)
{
    char text[256];

    catch_errors();
    log_info("quiet", "not to be seen");
    log_set_level(LOG_SILENT);
    log_error("silent", "not to be seen");
    (void)read_caught(text, sizeof text);

    cr_expect_str_eq(text, "");
}

Test(log, the_level_can_be_lowered)
{
    char text[256];

    catch_errors();
    log_set_level(LOG_DEBUG);
    log_debug("detail", "seen");
    (void)read_caught(text, sizeof text);

    cr_expect_not_null(strstr(text, "debug detail: seen\n"));
}

Test(log, untrusted_text_cannot_start_a_line_or_control_a_terminal)
{
    char text[256];

    catch_errors();
    log_error("reply", "%s", "a\n00:00:00 error forged: \x1B[2J\x7F");
    size_t len = read_caught(text, sizeof text);

    cr_expect_eq(strchr(text, '\n'), text + len - 1);
    cr_expect_null(strchr(text, '\x1B'));
    cr_expect_null(strchr(text, '\x7F'));
}

Test(log, a_long_line_is_cut_between_characters)
{
    char sentence[6001] = "";
    char text[8000];

    for (size_t i = 0; i < 6000; i += 3)
        memcpy(sentence + i, "\xE2\x82\xAC", 3);
    catch_errors();
    log_warn("long", "%s", sentence);
    size_t len = read_caught(text, sizeof text);

    cr_expect(len > 1000 && len <= 2048, "%zu", len);
    cr_expect_eq(text[len - 1], '\n');
    cr_expect(text_is_utf8(text, len));
}

static int count_lines(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

Test(log, lines_of_one_kind_are_limited_and_counted)
{
    static char text[64 * 1024];

    catch_errors();
    for (int i = 0; i < 10000; i++)
        log_warn("flood", "line %d", i);
    log_warn("other", "is still heard");
    (void)read_caught(text, sizeof text);

    cr_expect_geq(count_lines(text), LOG_BURST);
    cr_expect_leq(count_lines(text), LOG_BURST + 30);
    cr_expect_not_null(strstr(text, "other: is still heard"));
}

Test(log, a_line_says_how_many_of_its_kind_were_left_out)
{
    static char text[64 * 1024];

    catch_errors();
    for (int i = 0; i < LOG_BURST + 7; i++)
        log_warn("flood", "line %d", i);
    sleep(2);
    log_warn("flood", "afterwards");
    (void)read_caught(text, sizeof text);

    cr_expect_not_null(strstr(text, "flood: afterwards (and "));
}

Test(log, errno_is_preserved)
{
    char text[256];

    catch_errors();
    errno = EAGAIN;
    log_warn("kept", "a line");
    int after = errno;
    (void)read_caught(text, sizeof text);

    cr_expect_eq(after, EAGAIN);
}

enum { LINES = LOG_BURST / 2 };

static void *log_many(void *name)
{
    for (int i = 0; i < LINES; i++)
        log_warn("many", "%s%s%s", (const char *)name, (const char *)name,
                 (const char *)name);
    return NULL;
}

// Counts the lines that end with one of the two sentences.
static int whole_lines(char *text)
{
    int whole = 0;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strlen(line) != strlen("HH:MM:SS warn many: aaabbbccc"))
            continue;
        const char *tail = line + strlen("HH:MM:SS warn many: ");
        whole +=
            strcmp(tail, "aaaaaaaaa") == 0 || strcmp(tail, "bbbbbbbbb") == 0;
    }
    return whole;
}

Test(log, lines_of_two_threads_do_not_mix)
{
    static char text[64 * 1024];
    pthread_t other;

    catch_errors();
    cr_assert_eq(pthread_create(&other, NULL, log_many, "aaa"), 0);
    (void)log_many("bbb");
    (void)pthread_join(other, NULL);
    (void)read_caught(text, sizeof text);

    cr_expect_eq(whole_lines(text), 2 * LINES);
}
