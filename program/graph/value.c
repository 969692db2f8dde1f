#include "program/graph/value.h"

static bool has_equal_members(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)a, key, value) {
        if (!value_equal(value, json_object_get(b, key)))
            return false;
    }
    return json_object_size(a) == json_object_size(b);
}

bool value_equal(const json_t *a, const json_t *b)
{
    bool same = json_array_size(a) == json_array_size(b);

    if (json_is_real(a) || json_is_real(b))
        return json_is_number(a) && json_is_number(b) &&
               json_number_value(a) == json_number_value(b);
    if (json_is_object(a) && json_is_object(b))
        return has_equal_members(a, b);
    if (!json_is_array(a) || !json_is_array(b))
        return json_equal(a, b);
    for (size_t i = 0; same && i < json_array_size(a); i++)
        same = value_equal(json_array_get(a, i), json_array_get(b, i));
    return same;
}
