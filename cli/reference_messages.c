#include "cli/reference_messages.h"

#include <stddef.h>

#include "wire/fields.h"
#include "wire/message.h"

static const char *const type_names[] = {
    [TYPE_INT] = "int",     [TYPE_INT32] = "int", [TYPE_ENUM] = "int",
    [TYPE_REAL] = "real",   [TYPE_TEXT] = "text", [TYPE_SLICE] = "text",
    [TYPE_BYTES] = "bytes", [TYPE_LIST] = "list",
};

static json_t *fields_document(const struct field_table *table)
{
    json_t *list = json_array();

    for (size_t i = 0; table != NULL && i < table->n; i++) {
        const struct message_field *field = &table->fields[i];

        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:I, s:I, s:s, s:o}", "key",
                            field->key, "type", type_names[field->type],
                            "required", (field->flags & REQUIRED) != 0, "min",
                            (json_int_t)field->min, "max",
                            (json_int_t)field->max, "about", field->about,
                            "items", fields_document(field->items)));
    }
    return list;
}

json_t *reference_messages(void)
{
    json_t *list = json_array();

    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++)
        (void)json_array_append_new(
            list,
            json_pack(
                "{s:i, s:s, s:o}", "kind", kind, "name",
                message_kind_name((enum message_kind)kind), "fields",
                fields_document(message_fields((enum message_kind)kind))));
    return list;
}
