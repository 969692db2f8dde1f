#include "simulated/sim_sections.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/json.h"

enum { JSON_MAX_BYTES = 1 << 20 };

bool sim_sections_read(struct arena *arena, struct sim_span text,
                       const struct sim_field *fields, size_t n,
                       const char **values)
{
    bool any = false;
    size_t open = n;
    const char *start = text.at;
    struct sim_span rest = text;
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (sim_span_line(&rest, &line)) {
        if (!sim_span_marker(line, &name, &after))
            continue;
        if (open < n && values[open] == NULL)
            values[open] = sim_span_copy(
                arena, (struct sim_span){start, (size_t)(line.at - start)});
        open = sim_field_index(fields, n, name);
        start = after.at;
        any = true;
    }
    const char *end = text.at + text.len;
    if (open < n && values[open] == NULL)
        values[open] = sim_span_copy(
            arena, (struct sim_span){start, (size_t)(end - start)});
    return any;
}

static const char *value_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return arena_strdup(arena, json_string_value(value));
    char *text = json_text(value);
    const char *copy = text == NULL ? NULL : arena_strdup(arena, text);
    free(text);
    return copy;
}

bool sim_sections_object(struct arena *arena, struct sim_span text,
                         const struct sim_field *fields, size_t n,
                         const char **values)
{
    const char *open = memchr(text.at, '{', text.len);
    if (open == NULL)
        return false;
    size_t len = (size_t)(text.at + text.len - open);
    while (len > 0 && open[len - 1] != '}')
        len--;
    json_t *object = json_parse(open, len, JSON_MAX_BYTES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (value != NULL)
            values[i] = value_text(arena, value);
    }
    json_decref(object);
    return true;
}
