// bool: true or false, or a word that says the same.

#include "program/prompt/label.h"
#include "program/prompt/reply.h"
#include "program/prompt/value_reader.h"

// Within other words, only the long ones count: `on` says nothing there.
static const char *const bool_words[] = {
    "true", "yes", "false", "no", "y", "t", "on", "1", "n", "f", "off", "0",
};
static const int bool_values[] = {1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0};

static json_t *text_of_bool(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    static const struct label_set set = {
        .texts = bool_words,
        .n = sizeof bool_words / sizeof bool_words[0],
        .groups = bool_values,
        .n_contradicting = 4,
    };

    if (span_is(text, "true"))
        return json_true();
    if (span_is(text, "false"))
        return json_false();
    reader->lenient |= LENIENT_LABEL;
    int found = label_find(&set, text, reader->problem);
    return found < 0 ? value_reader_refuse(reader, type, text)
                     : json_boolean(bool_values[found]);
}

static json_t *json_of_bool(struct value_reader *reader,
                            const struct type *type, const json_t *value)
{
    if (json_is_boolean(value))
        return json_incref((json_t *)value);
    reader->lenient |= LENIENT_LABEL;
    if (json_is_string(value))
        return text_of_bool(reader, type, value_reader_clean(reader, value));
    if (json_is_integer(value) &&
        (json_integer_value(value) == 0 || json_integer_value(value) == 1))
        return json_boolean(json_integer_value(value));
    return value_reader_refuse_json(reader, type, value);
}

const struct value_kind value_kind_bool = {.text = text_of_bool,
                                           .json = json_of_bool};
