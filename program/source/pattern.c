#include "program/source/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

// A step is one move of the matcher: 10,000 of them take about 0.1 ms.
enum {
    LIGHT_STEPS = 2000,     // a match within this many steps, plus
    LIGHT_STEPS_A_BYTE = 4, // this many per byte, is not costly
    MAX_STEPS = 50000,
    MAX_STEPS_A_BYTE = 10,
    STEPS_CEILING = 10000000,
    MAX_DEPTH = 10000,
    MAX_HEAP_KIB = 8192,
};

// The budget of the file that this thread is checking. It is thread-local
// because its matches are spread over all values of the file, and the code that
// reads those does not know about patterns.
static _Thread_local struct {
    bool open, spent;
    int left; // costly matches
} budget;

struct pattern {
    pcre2_code *code; // owned
};

static void set_compile_error(struct err *err, int code, size_t offset)
{
    PCRE2_UCHAR text[128] = {0};

    if (code == PCRE2_ERROR_NOMEMORY) {
        err_nomem(err, "a pattern");
        return;
    }
    (void)pcre2_get_error_message(code, text, sizeof text);
    err_set(err, ERR_INPUT, "the pattern is not valid at character %zu: %s",
            offset + 1, (const char *)text);
}

static bool compile(struct pattern *pattern, const char *text, struct err *err)
{
    int code = 0;
    size_t offset = 0;

    pattern->code = pcre2_compile(
        (PCRE2_SPTR)text, strlen(text),
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
    if (pattern->code == NULL) {
        set_compile_error(err, code, offset);
        return false;
    }
    return true;
}

struct pattern *pattern_new(const char *text, struct err *err)
{
    if (strlen(text) > PATTERN_MAX_BYTES) {
        err_set(err, ERR_INPUT, "the pattern is too long (over %d bytes)",
                PATTERN_MAX_BYTES);
        return NULL;
    }
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL) {
        err_nomem(err, "a pattern");
        return NULL;
    }
    if (!compile(pattern, text, err)) {
        pattern_free(pattern);
        return NULL;
    }
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    free(pattern);
}

static uint32_t steps_for(size_t len, uint32_t base, size_t a_byte)
{
    size_t more = len > STEPS_CEILING / a_byte ? STEPS_CEILING : len * a_byte;

    return base + (uint32_t)more;
}

// What a match needs in addition to the pattern. Each match makes its own,
// since threads share the pattern.
struct match {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static bool open_match(struct match *match, struct err *err)
{
    match->context = pcre2_match_context_create(NULL);
    match->data = pcre2_match_data_create(1, NULL);
    if (match->context == NULL || match->data == NULL) {
        err_nomem(err, "a match");
        return false;
    }
    (void)pcre2_set_depth_limit(match->context, MAX_DEPTH);
    (void)pcre2_set_heap_limit(match->context, MAX_HEAP_KIB);
    return true;
}

static void close_match(struct match *match)
{
    pcre2_match_data_free(match->data);
    pcre2_match_context_free(match->context);
}

static int match_within(const struct pattern *pattern, struct match *match,
                        const char *text, size_t len, uint32_t steps)
{
    (void)pcre2_set_match_limit(match->context, steps);
    return pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, 0, match->data,
                       match->context);
}

static bool is_over(int code)
{
    return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
           code == PCRE2_ERROR_HEAPLIMIT;
}

// Counts a costly match; returns false if there have been too many.
static bool spend(struct err *err)
{
    if (!budget.open || budget.left-- > 0)
        return true;
    budget.left = 0;
    budget.spent = true;
    err_set(err, ERR_LIMIT,
            "the pattern is too costly: it backtracked far in more than %d "
            "values; write it so that it can match in only one way",
            PATTERN_BUDGET);
    return false;
}

static bool read_code(int code, size_t len, bool *matches, struct err *err)
{
    *matches = code >= 0;
    if (code >= 0 || code == PCRE2_ERROR_NOMATCH)
        return true;
    if (code == PCRE2_ERROR_NOMEMORY)
        err_nomem(err, "a match");
    else if (is_over(code))
        err_set(err, ERR_LIMIT,
                "the pattern is too costly for a text of %zu bytes; write it "
                "so that it can match in only one way",
                len);
    else
        err_set(err, ERR_INPUT, "the text is not UTF-8");
    return false;
}

bool pattern_matches(const struct pattern *pattern, const char *text,
                     size_t len, bool *matches, struct err *err)
{
    struct match match = {0};
    bool ok = false;
    int code;

    if (!open_match(&match, err))
        goto out;
    code = match_within(pattern, &match, text, len,
                        steps_for(len, LIGHT_STEPS, LIGHT_STEPS_A_BYTE));
    if (is_over(code)) {
        if (!spend(err))
            goto out;
        code = match_within(pattern, &match, text, len,
                            steps_for(len, MAX_STEPS, MAX_STEPS_A_BYTE));
    }
    ok = read_code(code, len, matches, err);

out:
    close_match(&match);
    return ok;
}

void pattern_budget_start(void)
{
    budget.open = true;
    budget.spent = false;
    budget.left = PATTERN_BUDGET;
}

void pattern_budget_end(void)
{
    budget.open = false;
}

bool pattern_budget_spent(void)
{
    return budget.spent;
}
