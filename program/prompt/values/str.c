// str: a text, taken as written.

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_json.h"
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

// Returns true for a tab or a line end before a letter, which may be what JSON
// made of a backslash.
static bool has_other_control(struct span text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (strchr("\n\r\t", text.at[i]) != NULL && text.at[i] != '\0' &&
            span_letter(text.at[i + 1]))
            return true;
    }
    return false;
}

// Nobody means a backspace or a form feed: they are what JSON makes of \beta
// and \frac if the backslash is not doubled.
static bool lost_backslash(struct span text)
{
    return memchr(text.at, '\b', text.len) != NULL ||
           memchr(text.at, '\f', text.len) != NULL;
}

static json_t *restore_backslashes(struct value_reader *reader,
                                   const struct type *type, struct span text)
{
    struct buf whole = BUF_INIT(REPLY_MAX_JSON);
    json_t *string = NULL;

    if (has_other_control(text))
        return value_reader_refuse(reader, type, text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\b' || text.at[i] == '\f')
            buf_puts(&whole, text.at[i] == '\b' ? "\\b" : "\\f");
        else
            buf_putc(&whole, text.at[i]);
    }
    if (buf_ok(&whole, "a value", reader->problem))
        string =
            value_reader_checked(reader, json_string_of(whole.data, whole.len));
    buf_release(&whole);
    reader->lenient |= LENIENT_MENDED;
    return string;
}

// Takes a JSON string as it is, without any thinking before it.
static json_t *clean_str(struct value_reader *reader, const struct type *type,
                         const json_t *value)
{
    const struct span whole = {json_string_value(value),
                               json_string_length(value)};
    unsigned cleaned = 0;
    struct span text = reply_clean_value(whole, &cleaned);

    reader->lenient |= cleaned;
    if (text.len == 0 && cleaned != 0) // it was all thinking
        return value_reader_refuse(reader, type, whole);
    if (lost_backslash(whole))
        return restore_backslashes(reader, type, cleaned == 0 ? whole : text);
    return cleaned == 0 && !is_placeholder(reader, text)
               ? json_incref((json_t *)value)
               : text_of_str(reader, type, text);
}

// A list with a single text is that text; any other value that is not a text
// becomes its JSON, a number as the model wrote it.
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
    char *text = value_reader_json_text(reader, type, value);
    json_t *string =
        text == NULL ? NULL : value_reader_checked(reader, json_string(text));

    reader->lenient |= LENIENT_FORM;
    free(text);
    return string;
}

const struct value_kind value_kind_str = {.text = text_of_str,
                                          .json = json_of_str};
