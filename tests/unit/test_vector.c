#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/vector.h"

static struct err err;
static struct buf text;
static float read[VECTOR_MAX];
static size_t n;

static void set_up(void)
{
    err = ERR_CLEAR;
    text = BUF_INIT(1 << 20);
}

static void tear_down(void)
{
    buf_release(&text);
}

TestSuite(vector, .init = set_up, .fini = tear_down);

static bool read_back(const char *what)
{
    return vector_read(what, strlen(what), read, &n, &err);
}

Test(vector, numbers_come_back_as_32_bit_floats)
{
    const double numbers[] = {0.5, -1.25, 0, 1e-3};

    cr_assert(vector_write(numbers, 4, &text, &err), "%s", err.text);
    cr_assert(read_back(text.data), "%s", err.text);
    cr_expect_eq(n, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(read[i], (float)numbers[i]);
}

Test(vector, text_is_openais_base64_format)
{
    const double numbers[] = {1, -2};

    cr_assert(vector_write(numbers, 2, &text, &err), "%s", err.text);
    cr_expect_str_eq(text.data, "AACAPwAAAMA="); // 00 00 80 3f, 00 00 00 c0
}

Test(vector, longest_vector_round_trips)
{
    double *numbers = calloc(VECTOR_MAX + 1, sizeof *numbers);

    numbers[VECTOR_MAX - 1] = 3;
    cr_assert(vector_write(numbers, VECTOR_MAX, &text, &err), "%s", err.text);
    cr_assert(read_back(text.data), "%s", err.text);
    cr_expect_eq(n, VECTOR_MAX);
    cr_expect_eq(read[VECTOR_MAX - 1], 3.0F);
    cr_expect_not(vector_write(numbers, VECTOR_MAX + 1, &text, &err));
    cr_expect_str_eq(err.text, "an embedding has 8193 numbers, where 1 to 8192 "
                               "are expected");
    free(numbers);
}

Test(vector, zero_vector_is_refused)
{
    const double zeros[] = {0, 0, 0};
    const double tiny[] = {1e-300};

    cr_expect_not(vector_write(zeros, 3, &text, &err));
    cr_expect_str_eq(err.text, "an embedding is nothing but zeros");
    cr_expect_not(vector_write(tiny, 1, &text, &err));
    cr_expect_not(read_back("AAAAAA=="));
    cr_expect_str_eq(err.text, "an embedding is nothing but zeros");
}

Test(vector, non_finite_vector_is_refused)
{
    const double bad[][1] = {{NAN}, {INFINITY}, {1e300}, {-1e39}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_not(vector_write(bad[i], 1, &text, &err));
        cr_expect_str_eq(err.text,
                         "an embedding holds a number that is not finite");
    }
    cr_expect_eq(text.len, 0);
    cr_expect_not(read_back("AADAfw==")); // 00 00 c0 7f: not a number
    cr_expect_not(read_back("AACAfw==")); // 00 00 80 7f: infinite
}

Test(vector, malformed_base64_is_refused)
{
    static const char *const texts[] = {"",           "AACAP",    "[1, 2]",
                                        "AACAPw",     "AACAPwA=", "AACAPw==\n",
                                        "caf\xc3\xa9"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        err = ERR_CLEAR;
        cr_expect_not(read_back(texts[i]), "%s", texts[i]);
        cr_expect_eq(err.code, ERR_PROTOCOL);
    }
}

Test(vector, a_text_that_is_too_long_is_refused_unread)
{
    size_t len = 8 << 20;
    char *huge = malloc(len);

    memset(huge, 'A', len);
    cr_expect_not(vector_read(huge, len, read, &n, &err));
    cr_expect_eq(err.code, ERR_PROTOCOL);
    free(huge);
}
