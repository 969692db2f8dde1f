#include "program/metric/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/graph/number.h"

bool value_number(const json_t *value, double *out)
{
    if (json_is_string(value))
        return number_read(json_string_value(value), json_string_length(value),
                           out);
    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return true;
}

static bool numbers_same(const json_t *a, const json_t *b)
{
    double one = 0;
    double other = 0;

    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    return value_number(a, &one) && value_number(b, &other) && one == other;
}

static bool lists_same(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!values_same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    }
    return true;
}

// Returns true if each member of a is the same in b. A missing member counts as
// null, because examples leave out what answers have as null. jansson's
// iterators need a non-const value; we do not change it.
static bool has_same_members(const json_t *a, const json_t *b)
{
    json_t *all = (json_t *)a;

    for (void *at = json_object_iter(all); at != NULL;
         at = json_object_iter_next(all, at)) {
        if (!values_same(json_object_iter_value(at),
                         json_object_get(b, json_object_iter_key(at))))
            return false;
    }
    return true;
}

static bool objects_same(const json_t *a, const json_t *b)
{
    return has_same_members(a, b) && has_same_members(b, a);
}

bool values_same(const json_t *a, const json_t *b)
{
    if (a == NULL || json_is_null(a) || b == NULL || json_is_null(b))
        return (a == NULL || json_is_null(a)) && (b == NULL || json_is_null(b));
    if (json_is_string(a) && json_is_string(b))
        return fold_same(json_string_value(a), json_string_value(b));
    if (json_is_number(a) || json_is_number(b))
        return numbers_same(a, b);
    if (json_is_array(a) && json_is_array(b))
        return lists_same(a, b);
    if (json_is_object(a) && json_is_object(b))
        return objects_same(a, b);
    return json_typeof(a) == json_typeof(b);
}
