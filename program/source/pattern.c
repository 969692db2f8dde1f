#include "program/source/pattern.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

// A step is one move of the matcher: some 10 ms at worst.
enum { MAX_STEPS = 1000000, MAX_DEPTH = 10000, MAX_HEAP_KIB = 8192 };

struct pattern {
    pcre2_code *code;             // owned
    pcre2_match_context *context; // owned; holds the limits
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
    pattern->context = pcre2_match_context_create(NULL);
    if (pattern->context == NULL) {
        err_nomem(err, "a pattern");
        return false;
    }
    (void)pcre2_set_match_limit(pattern->context, MAX_STEPS);
    (void)pcre2_set_depth_limit(pattern->context, MAX_DEPTH);
    (void)pcre2_set_heap_limit(pattern->context, MAX_HEAP_KIB);
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
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    free(pattern);
}

bool pattern_matches(const struct pattern *pattern, const char *text,
                     size_t len, bool *matches, struct err *err)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);

    if (data == NULL) {
        err_nomem(err, "a match");
        return false;
    }
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, 0, data,
                           pattern->context);
    pcre2_match_data_free(data);
    if (code == PCRE2_ERROR_NOMEMORY) {
        err_nomem(err, "a match");
        return false;
    }
    if (code < 0 && code != PCRE2_ERROR_NOMATCH) {
        err_set(err, ERR_LIMIT,
                "the pattern is too costly for a text of %zu "
                "bytes, or the text is no UTF-8",
                len);
        return false;
    }
    *matches = code >= 0;
    return true;
}
