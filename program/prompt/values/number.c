// number: an int or a float, however people write it (program/graph/number.h).

#include <math.h>

#include "program/graph/number.h"
#include "program/prompt/dress.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_json.h"
#include "program/prompt/value_reader.h"

static value_json_fn json_of_number;

// A percentage becomes a share if the field's maximum is 1, and stays a plain
// number if the field is an int or may be larger. Without a maximum it could be
// either, so it is refused.
static bool scale_percent(const struct type *type, struct number *number)
{
    if (type->kind == TYPE_INT || (type->has_max && type->max > 1))
        return true;
    number->value = number->share;
    return type->has_max;
}

// Converts a number to the field's type; NULL if it is not finite, or if an int
// cannot hold it exactly.
static json_t *fit_number(struct value_reader *reader, const struct type *type,
                          double value)
{
    if (!isfinite(value))
        return NULL;
    if (type->kind == TYPE_FLOAT)
        return value_reader_checked(reader, json_real(value));
    if (trunc(value) != value || fabs(value) > 9007199254740992.0)
        return NULL;
    return value_reader_checked(reader, json_integer((json_int_t)value));
}

// Finds a number in quotes, in bold, or in a tag.
static bool find_dressed(struct span text, struct number *out)
{
    do {
        text = span_trim(text);
        if (number_find(text.at, text.len, out))
            return true;
    } while (text.len > 0 && dress_unwrap(&text));
    return false;
}

static bool has_digit(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] >= '0' && text.at[i] <= '9')
            return true;
    }
    return false;
}

// Returns true for what a model says after an answer, whatever the answer is.
static bool is_courtesy(struct span line)
{
    static const char *const words[] = {"let me know", "i hope", "hope this",
                                        "feel free", "if you need"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_starts(line, words[i]))
            return true;
    }
    return false;
}

// Finds the one number that every line with digits repeats. Lines without
// digits must lead up to one ("The answer is:") or be a courtesy.
static bool find_repeated(struct span text, struct number *out)
{
    bool any = false;

    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));
        struct number number = {0};

        if (line.len == 0)
            continue;
        if (!has_digit(line) && !span_ends(line, ":") && !is_courtesy(line))
            return false;
        if (!has_digit(line))
            continue;
        if (!find_dressed(line, &number) ||
            (any &&
             (number.value != out->value || number.percent != out->percent)))
            return false;
        *out = number;
        any = true;
    }
    return any;
}

static bool find_number(struct span text, struct number *out)
{
    return find_dressed(text, out) || find_repeated(text, out);
}

static json_t *text_of_number(struct value_reader *reader,
                              const struct type *type, struct span text)
{
    struct number number = {0};
    json_t *value = text.len > NUMBER_MAX_TEXT
                        ? NULL
                        : reply_whole_json(text, reader->problem);
    bool whole = json_is_number(value);

    // In half the world 5.000 is five thousand, and an int has no decimals.
    if (json_is_real(value) && type->kind == TYPE_INT &&
        !number_find(text.at, text.len, &number)) {
        json_decref(value);
        return value_reader_refuse(reader, type, text);
    }
    json_t *read = whole ? json_of_number(reader, type, value) : NULL;
    json_decref(value);
    if (whole)
        return read;
    if (find_number(text, &number) &&
        (!number.percent || scale_percent(type, &number))) {
        reader->lenient |= LENIENT_NUMBER;
        read = fit_number(reader, type, number.value);
    }
    return read != NULL ? read : value_reader_refuse(reader, type, text);
}

static json_t *json_of_number(struct value_reader *reader,
                              const struct type *type, const json_t *value)
{
    json_t *fit = NULL;

    if (json_is_integer(value) ||
        (json_is_real(value) && type->kind == TYPE_FLOAT))
        return json_incref((json_t *)value);
    reader->lenient |= LENIENT_NUMBER;
    if (json_is_string(value))
        return text_of_number(reader, type, value_reader_clean(reader, value));
    if (json_is_real(value))
        fit = fit_number(reader, type, json_real_value(value));
    return fit != NULL ? fit : value_reader_refuse_json(reader, type, value);
}

const struct value_kind value_kind_number = {.text = text_of_number,
                                             .json = json_of_number};
