// enum: one of the labels of a type.

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/prompt/label.h"
#include "program/prompt/reply.h"
#include "program/prompt/value_reader.h"

static json_t *exact_label(struct value_reader *reader, const struct type *type,
                           struct span text)
{
    for (size_t i = 0; i < type->n_labels; i++) {
        if (span_is(text, type->labels[i]))
            return value_reader_checked(reader, json_string(type->labels[i]));
    }
    return NULL;
}

static json_t *text_of_enum(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    const struct label_set set = {.texts = type->labels,
                                  .n = type->n_labels,
                                  .n_contradicting = type->n_labels};

    json_t *exact = exact_label(reader, type, text);

    if (exact != NULL || reader->problem->code == ERR_NOMEM)
        return exact;
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

// Returns the label that a number spells: 1.10 is not the label 1.1.
static json_t *spelt_label(struct value_reader *reader, const struct type *type,
                           const json_t *value)
{
    struct span written = {NULL, 0};

    return json_is_number(value) &&
                   value_reader_spelling(reader, value, &written) &&
                   written.at != NULL
               ? exact_label(reader, type, written)
               : NULL;
}

static json_t *json_of_enum(struct value_reader *reader,
                            const struct type *type, const json_t *value)
{
    if (json_is_string(value))
        return text_of_enum(reader, type, value_reader_clean(reader, value));
    reader->lenient |= LENIENT_LABEL;
    json_t *label = spelt_label(reader, type, value);
    if (label != NULL || reader->problem->code == ERR_NOMEM)
        return label;
    char *text = json_text(value);
    if (text == NULL)
        err_nomem(reader->problem, "a value");
    else
        label = text_of_enum(reader, type, (struct span){text, strlen(text)});
    free(text);
    return label;
}

const struct value_kind value_kind_enum = {.text = text_of_enum,
                                           .json = json_of_enum};
