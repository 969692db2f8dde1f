#include "cli/option_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { WORDS_MOST = 16 };

static bool read_digits(const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

// Reads a share such as "0.8" or "80%".
static bool read_share(const char *text, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end != text && strcmp(end, "%") == 0)
        value /= 100;
    else if (end == text || *end != '\0')
        return false;
    *out = value;
    return isfinite(value) && value >= 0 && value <= 1;
}

// Returns true if `text` is one of the words, which are separated by `|`.
static bool is_word(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (; *words != '\0'; words += strcspn(words, "|"), words += *words == '|')
        if (strcspn(words, "|") == len && memcmp(words, text, len) == 0)
            return true;
    return false;
}

// Returns true for "tcp://HOST:PORT". A port beyond 65535 would turn into
// another one.
static bool is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;

    return strncmp(text, "tcp://", 6) == 0 && colon > text + 6 &&
           read_digits(colon + 1, &port) && port <= UINT16_MAX;
}

// A flag takes no value, whatever it is.
static bool take_flag(const struct option_row *row, const char *text,
                      struct option_value *value)
{
    (void)row;
    (void)text;
    (void)value;
    return false;
}

static bool take_text(const struct option_row *row, const char *text,
                      struct option_value *value)
{
    (void)row;
    (void)value;
    return text[0] != '\0';
}

static bool take_whole(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    (void)row;
    return read_digits(text, &value->number);
}

static bool take_count(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    (void)row;
    return text_count(text, &value->number);
}

static bool take_time(const struct option_row *row, const char *text,
                      struct option_value *value)
{
    (void)row;
    return text_duration_ms(text, &value->number);
}

static bool take_ports(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    (void)row;
    (void)value;
    return strspn(text, "0123456789-,") == strlen(text);
}

static bool take_score(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    (void)row;
    return read_share(text, &value->score);
}

static bool take_word(const struct option_row *row, const char *text,
                      struct option_value *value)
{
    (void)value;
    return is_word(row->offer.words, text);
}

static bool take_endpoint(const struct option_row *row, const char *text,
                          struct option_value *value)
{
    (void)row;
    (void)value;
    return is_endpoint(text);
}

static const struct {
    // Returns false if `text` cannot be a value of the row.
    bool (*take)(const struct option_row *row, const char *text,
                 struct option_value *value);
    const char *wants; // what it takes; NULL: the words of the row
    enum option_value_place place;
} kinds[] = {
    [KIND_FLAG] = {take_flag, "1 or 0", VALUE_NEVER},
    [KIND_TEXT] = {take_text, "a text", VALUE_ALWAYS},
    [KIND_LIST] = {take_text, "a text", VALUE_ALWAYS},
    [KIND_LINES] = {take_text, "a text", VALUE_ALWAYS},
    [KIND_WHOLE] = {take_whole, "a whole number", VALUE_ALWAYS},
    [KIND_COUNT] = {take_count, "a number such as 500, 20K or 3M",
                    VALUE_ALWAYS},
    [KIND_TIME] = {take_time, "a time such as 90s, 60m or 2h", VALUE_ALWAYS},
    [KIND_MAYBE_TIME] = {take_time, "nothing, or a time such as 90s, 60m or 2h",
                         VALUE_MAYBE},
    [KIND_MAYBE_WHOLE] = {take_whole, "nothing, or a whole number",
                          VALUE_MAYBE},
    [KIND_MAYBE_PORTS] = {take_ports,
                          "nothing, or ports such as 11434-11449,8080",
                          VALUE_MAYBE},
    [KIND_SCORE] = {take_score, "a share such as 0.8 or 80%", VALUE_ALWAYS},
    [KIND_WORD] = {take_word, NULL, VALUE_ALWAYS},
    [KIND_ENDPOINT] = {take_endpoint,
                       "tcp://HOST:PORT, with a port from 0 to 65535",
                       VALUE_ALWAYS},
};

bool option_value_take(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    return kinds[row->kind].take(row, text, value);
}

enum option_value_place option_value_place(const struct option_row *row)
{
    return kinds[row->kind].place;
}

bool option_value_in_range(const struct option_row *row,
                           const struct option_value *value)
{
    return row->range == NULL ||
           (value->number >= row->least && value->number <= row->most);
}

bool option_value_near(const struct option_row *row, const char *text,
                       char out[OPTION_WANTS_BYTES])
{
    const char *words[WORDS_MOST];
    char copy[OPTION_WANTS_BYTES];
    char *rest = NULL;
    size_t n = 0;

    if (row->kind != KIND_WORD)
        return false;
    (void)snprintf(copy, sizeof copy, "%s", row->offer.words);
    for (char *word = strtok_r(copy, "|", &rest);
         word != NULL && n < WORDS_MOST; word = strtok_r(NULL, "|", &rest))
        words[n++] = word;
    const char *near = text_nearest(text, words, n);
    if (near != NULL)
        (void)snprintf(out, OPTION_WANTS_BYTES, "%s", near);
    return near != NULL;
}

const char *option_value_wants(const struct option_row *row,
                               char out[OPTION_WANTS_BYTES])
{
    size_t len = 0;

    if (kinds[row->kind].wants != NULL)
        return kinds[row->kind].wants;
    for (const char *at = row->offer.words;
         *at != '\0' && len < OPTION_WANTS_BYTES;) {
        size_t word = strcspn(at, "|");
        bool last = at[word] == '\0' || at[word + 1] == '\0';

        len += (size_t)snprintf(out + len, OPTION_WANTS_BYTES - len, "%s%.*s",
                                len == 0 ? ""
                                : last   ? " or "
                                         : ", ",
                                (int)word, at);
        at += word + (at[word] == '|');
    }
    return out;
}
