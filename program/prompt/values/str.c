// str: a text, taken as written.

#include <stdlib.h>

#include "common/json.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/value_reader.h"

// Returns true for "{title}", which the prompt shows in place of the value.
static bool is_placeholder(const struct value_reader *reader, struct span text)
{
    return text.len > 2 && text.at[0] == '{' && text.at[text.len - 1] == '}' &&
           span_is(span_from(span_to(text, text.len - 1), 1), reader->name);
}

// Returns true if the first line is "|" or similar, which in YAML introduces
// the lines that follow.
static bool is_yaml_block(struct span text)
{
    static const char *const marks[] = {"|", "|-", "|+", ">", ">-", ">+"};
    struct span first = span_trim(span_line(&text));

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (span_is(first, marks[i]))
            return text.len > 0 && !span_starts(text, ">");
    }
    return false;
}

static json_t *text_of_str(struct value_reader *reader, const struct type *type,
                           struct span text)
{
    if (is_placeholder(reader, text) || is_yaml_block(text))
        return value_reader_refuse(reader, type, text);
    return value_reader_checked(reader, json_string_of(text.at, text.len));
}

// Takes a JSON string as it is, without any thinking before it.
static json_t *clean_str(struct value_reader *reader, const struct type *type,
                         const json_t *value)
{
    unsigned cleaned = 0;
    struct span text = reply_clean_value(
        (struct span){json_string_value(value), json_string_length(value)},
        &cleaned);

    reader->lenient |= cleaned;
    return cleaned == 0 && !is_placeholder(reader, text)
               ? json_incref((json_t *)value)
               : text_of_str(reader, type, text);
}

// A list with a single text is that text; any other value that is not a text
// becomes its JSON.
static json_t *json_of_str(struct value_reader *reader, const struct type *type,
                           const json_t *value)
{
    if (json_array_size(value) == 1 &&
        json_is_string(json_array_get(value, 0))) {
        value = json_array_get(value, 0);
        reader->lenient |= LENIENT_FORM;
    }
    if (json_is_string(value))
        return clean_str(reader, type, value);
    if (json_is_null(value))
        return value_reader_refuse_json(reader, type, value);
    char *text = json_text(value);
    json_t *string =
        value_reader_checked(reader, text == NULL ? NULL : json_string(text));

    reader->lenient |= LENIENT_FORM;
    free(text);
    return string;
}

const struct value_kind value_kind_str = {.text = text_of_str,
                                          .json = json_of_str};
