#include "retrieve/passage.h"

#include <string.h>

static bool is_wanted(const json_t *fields, const char *name)
{
    if (fields == NULL || json_is_null(fields))
        return true;
    if (json_is_string(fields))
        return strcmp(json_string_value(fields), name) == 0;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *one = json_string_value(json_array_get(fields, i));

        if (one != NULL && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

void passage_put(const json_t *document, const json_t *fields, struct buf *out)
{
    size_t before = out->len;

    for (void *at = json_object_iter((json_t *)document); at != NULL;
         at = json_object_iter_next((json_t *)document, at)) {
        const json_t *value = json_object_iter_value(at);

        if (!is_wanted(fields, json_object_iter_key(at)))
            continue;
        if (out->len > before)
            buf_putc(out, '\n');
        buf_append(out, json_string_value(value), json_string_length(value));
    }
}
