#include "common/logprobs.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"

// One way through the reply towards a label.
struct path {
    const json_t *list;
    const char *text;
    size_t len;
    const char *right;
    size_t right_len;
    const char *const *labels;
    size_t n;
};

// Counts the labels that begin with the first `done` bytes of the right one.
static size_t count_alike(const struct path *path, size_t done)
{
    size_t alike = 0;

    for (size_t i = 0; i < path->n; i++)
        alike += strncasecmp(path->labels[i], path->right, done) == 0;
    return alike > 0 ? alike : 1;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' ||
           (unsigned char)c >= 0x80;
}

static bool is_decoration(char c)
{
    return c != '\0' && strchr(" \t\r\n\"'`*", c) != NULL;
}

enum fit {
    FIT_NOT,  // not a beginning of the right label
    FIT_PART, // a beginning of it; *done has grown
    FIT_ALL,  // all of it, followed by a word end
};

// Matches text against the right label, of which `*done` bytes are already
// matched. A text that ends where the label does may still continue to a longer
// label.
static enum fit fit_text(const struct path *path, const char *text, size_t len,
                         size_t *done)
{
    size_t i = 0;

    if (*done == 0)
        while (i < len && is_decoration(text[i]))
            i++;
    while (i < len && *done < path->right_len &&
           tolower((unsigned char)text[i]) ==
               tolower((unsigned char)path->right[*done])) {
        i++;
        (*done)++;
    }
    if (i == len)
        return FIT_PART;
    if (*done < path->right_len || is_word(text[i]))
        return FIT_NOT;
    return FIT_ALL;
}

// Returns the first doubtful token that ends after `at`; NULL if there is none.
static const json_t *find_token(const struct path *path, size_t at,
                                size_t *begins, size_t *ends)
{
    for (size_t i = 0; i < json_array_size(path->list); i++) {
        const json_t *entry = json_array_get(path->list, i);
        json_int_t from = json_integer_value(json_array_get(entry, 0));
        json_int_t bytes = json_integer_value(json_array_get(entry, 1));

        if (from < 0 || bytes <= 0 || (size_t)from >= path->len ||
            (size_t)bytes > path->len - (size_t)from ||
            (size_t)(from + bytes) <= at)
            continue;
        *begins = (size_t)from;
        *ends = (size_t)(from + bytes);
        return entry;
    }
    return NULL;
}

// For a token that begins before the label, returns what follows `before`, the
// text in between; NULL if the token does not lead to the label.
static const char *after_prefix(const char *token, const char *before,
                                size_t len)
{
    if (strncmp(token, before, len) == 0)
        return token + len;
    for (size_t i = 0; i < len; i++) {
        if (!is_decoration(before[i]))
            return NULL;
    }
    return token;
}

// Reads a server's number, which may be anything.
static double probability(const json_t *value)
{
    double p = json_number_value(value);

    return p >= 0 && p <= 1 ? p : p > 1;
}

// Returns how much the alternatives to the written token add for the right
// label.
static double sum_others(const struct path *path, const json_t *entry,
                         const char *before, size_t before_len, size_t done)
{
    double sum = 0;

    for (size_t i = 3; i + 1 < json_array_size(entry); i += 2) {
        const char *token = json_string_value(json_array_get(entry, i));
        double p = probability(json_array_get(entry, i + 1));
        const char *rest =
            token == NULL ? NULL : after_prefix(token, before, before_len);
        size_t then = done;

        if (rest == NULL)
            continue;
        enum fit fit = fit_text(path, rest, strlen(rest), &then);
        if (fit == FIT_ALL)
            sum += p;
        else if (fit == FIT_PART)
            sum += p / (double)count_alike(path, then);
    }
    return sum;
}

// Returns true if the first `done` bytes can only become the right label. All
// of the right label may still be the beginning of a longer one.
static bool is_decided(const struct path *path, size_t done)
{
    return done > 0 && count_alike(path, done) == 1;
}

static double follow_path(const struct path *path, size_t at)
{
    size_t len = path->len;
    double sum = 0;
    double reached = 1; // probability of the path so far
    size_t done = 0;

    while (at < len && !is_decided(path, done)) {
        size_t begins = len;
        size_t ends = len;
        const json_t *entry = find_token(path, at, &begins, &ends);

        if (entry == NULL || begins > at) { // written with certainty
            size_t until = entry == NULL ? len : begins;
            enum fit fit = fit_text(path, path->text + at, until - at, &done);
            if (fit != FIT_PART)
                return fit == FIT_ALL ? sum + reached : sum;
            at = until;
            continue;
        }
        sum += reached *
               sum_others(path, entry, path->text + begins, at - begins, done);
        reached *= probability(json_array_get(entry, 2));
        enum fit fit = fit_text(path, path->text + at, ends - at, &done);
        if (fit != FIT_PART)
            return fit == FIT_ALL ? sum + reached : sum;
        at = ends;
    }
    return is_decided(path, done) || done == path->right_len ? sum + reached
                                                             : sum;
}

double logprobs_right(const json_t *list, const char *text, size_t len,
                      size_t at, const char *right, const char *const *labels,
                      size_t n)
{
    const struct path path = {list, text, len, right, strlen(right), labels, n};
    double p = follow_path(&path, at);

    return p < 1 ? p : 1;
}
