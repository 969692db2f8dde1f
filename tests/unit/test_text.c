#include "common/text.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/utf8.h"

Test(text, a_name_has_letters_digits_and_underscores)
{
    cr_expect(text_is_name("intent"));
    cr_expect(text_is_name("_x9"));
    cr_expect_not(text_is_name(""));
    cr_expect_not(text_is_name("9x"));
    cr_expect_not(text_is_name("a-b"));
    cr_expect_not(text_is_name("a b"));
    cr_expect_not(text_is_name("\xC3\xA9t\xC3\xA9"));
}

static const char *const names[] = {"trainset", "valset", "metric", "k"};

static const char *nearest(const char *text)
{
    return text_nearest(text, names, sizeof names / sizeof names[0]);
}

Test(text, the_nearest_name_is_suggested)
{
    cr_expect_str_eq(nearest("trainet"), "trainset");
    cr_expect_str_eq(nearest("trianset"), "trainset");
    cr_expect_str_eq(nearest("metrics"), "metric");
    cr_expect_str_eq(nearest("vlaest"), "valset");
    cr_expect_str_eq(nearest("K"), "k");
    cr_expect_str_eq(nearest("TrainSet"), "trainset");
    cr_expect_str_eq(nearest("train"), "trainset"); // its beginning
    cr_expect_str_eq(nearest("metric_of_all"), "metric");
}

Test(text, no_name_is_suggested_when_none_is_near)
{
    char long_text[200] = "";

    memset(long_text, 'm', sizeof long_text - 1);
    cr_expect_null(nearest("optimizer"));
    cr_expect_null(nearest("set")); // too short to be sure
    cr_expect_null(nearest("xy"));
    cr_expect_null(nearest("z")); // `k` has none of its letters
    cr_expect_null(nearest(long_text));
    cr_expect_null(text_nearest("a", NULL, 0));
}

Test(text, trimming_takes_white_space_off_the_ends)
{
    size_t len = 0;
    const char *text = " \t\r\na b\v\f\n ";
    const char *trimmed = text_trim(text, strlen(text), &len);

    cr_expect_eq(len, 3);
    cr_expect_eq(strncmp(trimmed, "a b", 3), 0);
    (void)text_trim("  ", 2, &len);
    cr_expect_eq(len, 0);
    (void)text_trim("", 0, &len);
    cr_expect_eq(len, 0);
}

Test(text, sameness_ignores_case_and_outer_space)
{
    cr_expect(fold_same(" Billing\n", "billing"));
    cr_expect(fold_same("\xC3\x84RGER", "\xC3\xA4rger"));         // Ä ä
    cr_expect(fold_same("\xCE\xA3\xCF\x82", "\xCF\x83\xCE\xA3")); // Σς σΣ
    cr_expect(fold_same("\xD0\x96", "\xD0\xB6"));                 // Ж ж
    cr_expect(fold_same("", "  "));
    cr_expect_not(fold_same("a b", "ab"));
    cr_expect_not(fold_same("a", "ab"));
    cr_expect_not(fold_same("ab", "a"));
}

static void expect_fold(const char *text, const char *folded)
{
    struct buf out = BUF_INIT(4096);

    fold_put(&out, text, strlen(text));
    cr_expect_str_eq(out.data, folded);
    buf_release(&out);
}

Test(text, sameness_ignores_how_letters_are_composed)
{
    cr_expect(fold_same("caf\xC3\xA9", "CAFE\xCC\x81"));
    cr_expect_not(fold_same("cafe", "caf\xC3\xA9"));
    // Two marks in either order, and a syllable of Hangul.
    cr_expect(fold_same("q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"));
    cr_expect(
        fold_same("\xED\x95\x9C", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"));
    // The Angstrom sign is the same letter.
    cr_expect(fold_same("\xE2\x84\xAB", "\xC3\xA5"));
    expect_fold("E\xCC\x81t\xC3\xA9", "\xC3\xA9t\xC3\xA9");
}

Test(text, folding_twice_changes_nothing)
{
    struct buf once = BUF_INIT(256), twice = BUF_INIT(256);

    for (uint32_t code = 0x80; code < 0x20000; code++) {
        char bytes[4];

        if (code == 0xD800)
            code = 0xE000; // surrogates are not characters
        buf_clear(&once);
        buf_clear(&twice);
        fold_put(&once, bytes, utf8_put(bytes, code));
        if (once.len > 0)
            fold_put(&twice, once.data, once.len);
        cr_assert(once.len == twice.len &&
                      memcmp(once.data, twice.data, once.len) == 0,
                  "U+%04X", (unsigned)code);
    }
    buf_release(&once);
    buf_release(&twice);
}

Test(text, endless_combining_marks_are_folded_in_pieces)
{
    struct buf marks = BUF_INIT(1 << 16);
    struct buf folded = BUF_INIT(1 << 17);

    for (int i = 0; i < 10000; i++)
        buf_puts(&marks, "\xCC\x81");
    fold_put(&folded, marks.data, marks.len);
    cr_expect_eq(folded.len, marks.len);
    cr_expect(fold_same(marks.data, folded.data));
    buf_release(&folded);
    buf_release(&marks);
}

Test(text, wide_trimming_removes_invisible_characters)
{
    const char text[] = "\xEF\xBB\xBF \xC2\xA0"
                        "a b"
                        "\xE3\x80\x80\n\xE2\x80\x8B";
    size_t len = 0;
    const char *at = text_trim_wide(text, strlen(text), &len);

    cr_expect_eq(len, 3);
    cr_expect_eq(memcmp(at, "a b", 3), 0);
    (void)text_trim_wide("\xC2\xA0", 2, &len);
    cr_expect_eq(len, 0);
    (void)text_trim_wide("\xE6\x97\xA5", 3, &len);
    cr_expect_eq(len, 3);
    (void)text_trim_wide("\xA0\xC2", 2, &len);
    cr_expect_eq(len, 2);
    cr_expect(fold_same("\xC2\xA0"
                        "B\xE2\x80\x8B",
                        "b"));
}

Test(text, invalid_utf8_equals_only_itself)
{
    cr_expect(fold_same("a\xFF", "A\xFF"));
    cr_expect_not(fold_same("\xFF", "\xFE"));
    cr_expect_not(fold_same("\xE9", "\xC3\xA9"));
}

Test(text, folding_takes_the_case_of_all_scripts)
{
    expect_fold("ABC xyz 09 [\\]", "abc xyz 09 [\\]");
    expect_fold("\xC3\x89\xC5\xBD", "\xC3\xA9\xC5\xBE"); // ÉŽ
    expect_fold("\xC4\xB0", "i\xCC\x87");                // İ
    expect_fold("\xE1\xBA\x9E\xC3\x9F", "ssss");         // ẞß
    expect_fold("\xD4\xB1", "\xD5\xA1");                 // Ա, of Armenian
    expect_fold("\xEF\xAC\x81x", "fix");                 // a ligature
    expect_fold("a\xC2\xA0\xC2\xAD\xE2\x80\x8B"
                "b",
                "a b");                                  // without width
    expect_fold("\xCE\xA9\xCE\x86", "\xCF\x89\xCE\xAC"); // ΩΆ
    expect_fold("\xD0\x81\xD0\xAF", "\xD1\x91\xD1\x8F"); // ЁЯ
    expect_fold("\xE6\x97\xA5\xFFZ", "\xE6\x97\xA5\xFFz");
}

Test(text, long_text_is_folded_completely)
{
    char text[1001] = "";
    char folded[1001] = "";

    for (size_t i = 0; i < 1000; i += 2) {
        memcpy(text + i, "\xC3\x84", 2);
        memcpy(folded + i, "\xC3\xA4", 2);
    }
    expect_fold(text, folded);
}

Test(text, only_strict_utf8_without_nul_is_valid)
{
    cr_expect(text_is_utf8("\xF0\x9F\x99\x82 ok", 7));
    cr_expect(text_is_utf8("", 0));
    cr_expect_not(text_is_utf8("a\0b", 3));
    cr_expect_not(text_is_utf8("\xC0\x80", 2));
    cr_expect_not(text_is_utf8("\xE0\x80\xAF", 3));
    cr_expect_not(text_is_utf8("\xED\xBF\xBF", 3));
    cr_expect_not(text_is_utf8("\xF4\x90\x80\x80", 4));
    cr_expect_not(text_is_utf8("\xF5\x80\x80\x80", 4));
    cr_expect_not(text_is_utf8("\xE2\x82", 2));
    cr_expect_not(text_is_utf8("\x80", 1));
}

Test(text, a_number_is_written_as_printf_writes_it)
{
    static const int64_t numbers[] = {
        0, 7, 10, -1, 1234567890123, -9, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[TEXT_INT_BYTES];
        char expected[32];
        size_t len = text_int(text, numbers[i]);

        (void)snprintf(expected, sizeof expected, "%" PRId64, numbers[i]);
        cr_expect(len == strlen(expected) && memcmp(text, expected, len) == 0,
                  "%s", expected);
    }
}

Test(text, invalid_byte_is_found_at_any_offset)
{
    char text[600]; // more than two of the blocks that are tested at once

    memset(text, 'a', sizeof text);
    cr_expect(text_is_utf8(text, sizeof text));
    for (size_t at = 0; at < sizeof text; at++) {
        text[at] = '\0';
        cr_expect_not(text_is_utf8(text, sizeof text), "NUL at %zu", at);
        text[at] = '\xFF';
        cr_expect_not(text_is_utf8(text, sizeof text), "0xFF at %zu", at);
        text[at] = 'a';
    }
}

Test(text, non_latin_scripts_are_valid_at_any_offset)
{
    for (size_t at = 0; at < 40; at++) {
        char text[44];

        memset(text, 'a', sizeof text);
        memcpy(text + at, "\xE6\x97\xA5", 3);
        cr_expect(text_is_utf8(text, sizeof text), "at %zu", at);
        cr_expect_not(text_is_utf8(text, at + 2), "cut at %zu", at);
    }
}

static int64_t count_of(const char *text)
{
    int64_t value = -1;

    return text_count(text, &value) ? value : -1;
}

static int64_t duration_of(const char *text)
{
    int64_t value = -1;

    return text_duration_ms(text, &value) ? value : -1;
}

Test(text, counts_are_read_with_their_unit)
{
    cr_expect_eq(count_of("1"), 1);
    cr_expect_eq(count_of("0"), 0);
    cr_expect_eq(count_of("12.5K"), 12500);
    cr_expect_eq(count_of("12.500K"), 12500);
    cr_expect_eq(count_of("3M"), 3000000);
    cr_expect_eq(count_of("0.000001M"), 1);
    cr_expect_eq(count_of("5.0"), 5);
    cr_expect_eq(count_of("9223372036854775807"), INT64_MAX);
}

Test(text, anything_but_a_whole_count_is_refused)
{
    static const char *const bad[] = {
        "",
        "K",
        "-1",
        "+1",
        "1.5",
        "1.2345K",
        "1.",
        ".5K",
        "1KK",
        "1 K",
        " 1",
        "1G",
        "0x1",
        "1e3",
        "nan",
        "9223372036854775808",
        "9223372036854775807K",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(count_of(bad[i]), -1, "\"%s\"", bad[i]);
}

Test(text, durations_are_read_in_milliseconds)
{
    cr_expect_eq(duration_of("90s"), 90000);
    cr_expect_eq(duration_of("60m"), 3600000);
    cr_expect_eq(duration_of("2h"), 7200000);
    cr_expect_eq(duration_of("1.5h"), 5400000);
    cr_expect_eq(duration_of("30"), 30000);
    cr_expect_eq(duration_of("0.25"), 250);
}

Test(text, anything_but_a_duration_is_refused)
{
    static const char *const bad[] = {
        "", "h", "-1s", "1d", "1h30m", "1.0001", "9223372036854775h"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(duration_of(bad[i]), -1, "\"%s\"", bad[i]);
}

Test(text, truncated_print_ends_at_a_whole_character)
{
    char out[8];

    cr_expect_eq(text_print(out, sizeof out, "%s", "123456\xc3\xa4"), 6);
    cr_expect_str_eq(out, "123456");
    cr_expect_eq(text_print(out, sizeof out, "12345\xc3\xa4"), 7);
    cr_expect_str_eq(out, "12345\xc3\xa4");
}

Test(text, a_precision_that_cuts_a_character_leaves_it_out)
{
    char out[64];

    text_print(out, sizeof out, "<%.3s>", "a\xe6\x8a\x95\xe8\xaf\x89");
    cr_expect_str_eq(out, "<a>");
    text_print(out, sizeof out, "<%.4s>", "a\xe6\x8a\x95\xe8\xaf\x89");
    cr_expect_str_eq(out, "<a\xe6\x8a\x95>");
}

Test(text, invalid_utf8_is_printed_as_a_question_mark)
{
    char out[64];

    text_print(out, sizeof out, "%s",
               "\xff"
               "a\xc0\xaf"
               "b");
    cr_expect_str_eq(out, "?a?b");
    text_print(out, sizeof out, "%.2s|", "\xf0\x9f\x91\xa9");
    cr_expect_str_eq(out, "|");
}

Test(text, print_may_read_its_own_destination)
{
    char out[16] = "tail";

    text_print(out, sizeof out, "head %s", out);
    cr_expect_str_eq(out, "head tail");
}

Test(text, count_is_followed_by_its_noun)
{
    char out[TEXT_COUNTED_BYTES];

    cr_expect_str_eq(text_counted(out, 1, "trial"), "1 trial");
    cr_expect_str_eq(text_counted(out, 0, "trial"), "0 trials");
    cr_expect_str_eq(text_counted(out, 12, "trial"), "12 trials");
}
