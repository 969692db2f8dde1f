// set_f1: how many items a list and its label share, ignoring order and
// repetition. A text is split into items at commas and newlines.

#include <math.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/metric/bag.h"
#include "program/metric/kind.h"

static const char *const keys[] = {"field", "label"};

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    return metric_read_field(reader, node, keys, 2, metric);
}

static void add_pieces(struct bag *bag, const char *text, size_t len)
{
    size_t start = 0;

    for (size_t i = 0; i <= len; i++) {
        size_t piece = 0;
        if (i < len && text[i] != ',' && text[i] != '\n')
            continue;
        const char *item = text_trim(text + start, i - start, &piece);
        if (piece > 0)
            bag_add_item(bag, item, piece);
        start = i + 1;
    }
}

// Returns a copy of an object without its null members, because examples leave
// these out; for any other value, a new reference. Returns NULL when out of
// memory.
static json_t *without_nulls(const json_t *item)
{
    json_t *copy =
        json_is_object(item) ? json_object() : json_incref((json_t *)item);
    json_t *all = (json_t *)item; // iterators need it non-const

    for (void *at = json_is_object(item) ? json_object_iter(all) : NULL;
         copy != NULL && at != NULL; at = json_object_iter_next(all, at)) {
        json_t *value = json_object_iter_value(at);
        if (!json_is_null(value) &&
            json_object_set(copy, json_object_iter_key(at), value) != 0) {
            json_decref(copy);
            copy = NULL;
        }
    }
    return copy;
}

static bool put_object(struct buf *text, const json_t *item, struct err *err)
{
    json_t *copy = without_nulls(item);

    if (copy == NULL) {
        err_nomem(err, "an item to compare");
        return false;
    }
    json_put_sorted(text, copy);
    json_decref(copy);
    return true;
}

// Adds numbers as their shortest text, because 2 and 2.0 are one item.
static bool add_item(struct bag *bag, const json_t *item, struct err *err)
{
    struct buf text = BUF_INIT(BAG_MAX_BYTES);
    double number = json_is_real(item) ? json_real_value(item) : 0.5;
    bool ok = true;

    if (json_is_string(item))
        buf_append(&text, json_string_value(item), json_string_length(item));
    else if (number == floor(number) && fabs(number) < 1e15)
        buf_printf(&text, "%.0f", number);
    else
        ok = put_object(&text, item, err);
    ok = ok && buf_ok(&text, "an item to compare", err);
    if (ok)
        bag_add_item(bag, text.len > 0 ? text.data : "", text.len);
    buf_release(&text);
    return ok;
}

static bool fill_bag(struct bag *bag, const json_t *value, struct err *err)
{
    bool ok = true;

    if (json_is_string(value)) {
        add_pieces(bag, json_string_value(value), json_string_length(value));
    } else if (json_is_array(value)) {
        for (size_t i = 0; ok && i < json_array_size(value); i++)
            ok = add_item(bag, json_array_get(value, i), err);
    } else if (value != NULL && !json_is_null(value)) {
        ok = add_item(bag, value, err);
    }
    return ok && bag_sort_unique(bag, err);
}

// null is not the empty set; it matches only null.
static bool is_null(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct metric_field *field = &metric->fields[0];
    const json_t *value = case_answer(given, field);
    const json_t *label = case_label(given, field);
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    struct bag answer = BAG_INIT;
    struct bag right = BAG_INIT;
    bool ok = fill_bag(&answer, value, err) && fill_bag(&right, label, err);

    if (ok) {
        double f1 =
            is_null(value) == is_null(label) ? bag_f1(&answer, &right) : 0;
        if (f1 < 1)
            feedback_wrong(&feedback, field, value, label);
        ok = score_give(out, f1, &feedback, err);
    }
    bag_release(&answer);
    bag_release(&right);
    buf_release(&feedback);
    return ok;
}

static json_t *json(const struct metric *metric)
{
    return metric_fields_json(metric);
}

const struct metric_kind metric_set_f1 = {
    .name = "set_f1",
    .fits = FITS(TYPE_LIST) | FITS(TYPE_STR),
    .fits_text = "compares lists",
    .parse = parse,
    .score = score,
    .json = json,
};
