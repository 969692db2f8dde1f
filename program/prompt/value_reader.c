#include "program/prompt/value_reader.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/utf8.h"
#include "program/graph/type_form.h"
#include "program/prompt/literal.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_json.h"

enum {
    SHOWN_MAX = 60, // bytes of a wrong value shown in a problem
};

// Blanks out control characters, so that they do not reach a terminal.
json_t *value_reader_refuse(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    if (reader->problem->code == ERR_NOMEM)
        return NULL;
    char shown[SHOWN_MAX + 1];
    struct buf wanted = BUF_INIT(1 << 16);
    size_t len = text.len > SHOWN_MAX ? utf8_cut(text.at, SHOWN_MAX) : text.len;

    for (size_t i = 0; i < len; i++)
        shown[i] = (unsigned char)text.at[i] < 0x20 ? ' ' : text.at[i];
    shown[len] = '\0';
    type_describe(type, &wanted);
    err_set(reader->problem, ERR_INPUT, "`%s` is \"%s\", but must be %s",
            reader->name, shown, wanted.len > 0 ? wanted.data : "text");
    buf_release(&wanted);
    return NULL;
}

json_t *value_reader_refuse_json(struct value_reader *reader,
                                 const struct type *type, const json_t *value)
{
    char *text = json_text(value);

    if (text == NULL)
        err_nomem(reader->problem, "a value");
    else
        (void)value_reader_refuse(reader, type,
                                  (struct span){text, strlen(text)});
    free(text);
    return NULL;
}

json_t *value_reader_checked(struct value_reader *reader, json_t *made)
{
    if (made == NULL)
        err_nomem(reader->problem, "a value");
    return made;
}

struct span value_reader_clean(struct value_reader *reader,
                               const json_t *string)
{
    return reply_clean_value(
        (struct span){json_string_value(string), json_string_length(string)},
        &reader->lenient);
}

bool value_reader_spelling(struct value_reader *reader, const json_t *number,
                           struct span *out)
{
    *out = (struct span){NULL, 0};
    if (reader->source.len > LITERAL_MAX_TEXT ||
        ++reader->searches > LITERAL_MAX_SEARCHES)
        return !json_is_real(number);
    return literal_find(reader->source, number, out);
}

char *value_reader_json_text(struct value_reader *reader,
                             const struct type *type, const json_t *value)
{
    struct span written = {NULL, 0};

    if (json_is_number(value) &&
        !value_reader_spelling(reader, value, &written)) {
        (void)value_reader_refuse_json(reader, type, value);
        return NULL;
    }
    char *text = written.at == NULL ? json_text(value)
                                    : strndup(written.at, written.len);
    if (text == NULL)
        err_nomem(reader->problem, "a value");
    return text;
}

json_t *value_reader_quoted(struct value_reader *reader, struct span text)
{
    json_t *value = span_starts(text, "\"")
                        ? reply_whole_json(text, reader->problem)
                        : NULL;

    if (json_is_string(value))
        return value;
    json_decref(value);
    return NULL;
}

json_t *value_reader_or_refuse(struct value_reader *reader,
                               const struct type *type, struct span text,
                               json_t *read)
{
    return read != NULL || reader->problem->code != ERR_NONE
               ? read
               : value_reader_refuse(reader, type, text);
}

json_t *value_reader_nested(struct value_reader *reader,
                            const struct type *type, const json_t *value)
{
    if (!json_is_string(value))
        return value_reader_refuse_json(reader, type, value);
    reader->lenient |= LENIENT_FORM;
    return reader->text(reader, type, value_reader_clean(reader, value));
}
