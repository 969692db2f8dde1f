// enum: one of the labels of a type.

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/prompt/label.h"
#include "program/prompt/reply.h"
#include "program/prompt/value_reader.h"

static json_t *text_of_enum(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    const struct label_set set = {.texts = type->labels,
                                  .n = type->n_labels,
                                  .n_contradicting = type->n_labels};

    for (size_t i = 0; i < type->n_labels; i++) {
        if (span_is(text, type->labels[i]))
            return value_reader_checked(reader, json_string(type->labels[i]));
    }
    json_t *quoted = value_reader_quoted(reader, text);
    int found = label_find(
        &set, quoted == NULL ? text : value_reader_clean(reader, quoted),
        reader->problem);
    json_decref(quoted);
    if (found < 0)
        return value_reader_refuse(reader, type, text);
    reader->lenient |= LENIENT_LABEL;
    return value_reader_checked(reader, json_string(type->labels[found]));
}

static json_t *json_of_enum(struct value_reader *reader,
                            const struct type *type, const json_t *value)
{
    if (json_is_string(value))
        return text_of_enum(reader, type, value_reader_clean(reader, value));
    char *text = json_text(value);
    json_t *label = NULL;

    reader->lenient |= LENIENT_LABEL;
    if (text == NULL)
        err_nomem(reader->problem, "a value");
    else
        label = text_of_enum(reader, type, (struct span){text, strlen(text)});
    free(text);
    return label;
}

const struct value_kind value_kind_enum = {.text = text_of_enum,
                                           .json = json_of_enum};
