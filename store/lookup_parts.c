#include "store/lookup_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "store/query.h"

enum { VALUE_BYTES = 64 << 20 };

void lookup_parse(json_t *rows, const char *key)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *text = json_string_value(json_object_get(row, key));
        struct err ignored = ERR_CLEAR;
        json_t *value = text == NULL ? NULL
                                     : json_parse(text, strlen(text),
                                                  VALUE_BYTES, &ignored);

        if (value != NULL)
            (void)json_object_set_new(row, key, value);
    }
}

void lookup_boolean(json_t *rows, const char *key)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);

        (void)json_object_set_new(
            row, key,
            json_boolean(json_integer_value(json_object_get(row, key)) != 0));
    }
}

json_t *lookup_rows(struct store *store, const char *sql,
                    const struct lookup_values *values, struct err *err)
{
    char texts[3][32];
    const char *args[] = {values->id, texts[0], texts[1], texts[2]};

    (void)snprintf(texts[0], sizeof texts[0], "%" PRId64, values->a);
    (void)snprintf(texts[1], sizeof texts[1], "%" PRId64, values->b);
    (void)snprintf(texts[2], sizeof texts[2], "%" PRId64, values->c);
    return query_rows(store, sql, args, 4, err);
}

json_t *lookup_only(json_t *rows, const char *missing, struct err *err)
{
    json_t *row = json_incref(json_array_get(rows, 0));

    if (rows != NULL && row == NULL)
        err_set(err, ERR_INPUT, "there is no %s here", missing);
    json_decref(rows);
    return row;
}

const char *lookup_share(const json_t *argument, const char *otherwise)
{
    const char *share = json_get_text(argument, "share", otherwise);

    return strcmp(share, "all") == 0 ? "" : share;
}

int64_t lookup_limit(const json_t *argument)
{
    int64_t limit = json_get_int(argument, "limit", LOOKUP_PAGE);

    return limit < 1 || limit > LOOKUP_PAGE_MOST ? LOOKUP_PAGE : limit;
}

int64_t lookup_offset(const json_t *argument)
{
    int64_t offset = json_get_int(argument, "offset", 0);

    return offset < 0 || offset > INT32_MAX ? 0 : offset;
}
