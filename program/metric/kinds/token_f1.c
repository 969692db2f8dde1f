// token_f1: how many words an output and its label share. If the label is a
// list, each text in it is a right answer, and the closest one counts.

#include "program/graph/type_form.h"
#include "program/metric/bag.h"
#include "program/metric/compare.h"
#include "program/metric/kind.h"

static const char *const keys[] = {"field", "label"};

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    return metric_read_field(reader, node, keys, 2, metric);
}

static bool fill_bag(struct bag *bag, const json_t *value, struct err *err)
{
    struct buf text = BUF_INIT(BAG_MAX_BYTES);
    bool ok = false;

    if (value != NULL && !json_is_null(value))
        value_put(value, &text);
    if (buf_ok(&text, "an answer to compare", err)) {
        bag_add_words(bag, text.len > 0 ? text.data : "", text.len);
        ok = bag_sort(bag, err);
    }
    buf_release(&text);
    return ok;
}

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

// Texts without any word, such as + and -, or A and the, have nothing in
// common, so they are compared as they are. If the label is empty, any such
// answer is right.
static double f1_of(const struct bag *answer, const json_t *value,
                    const struct bag *right, const json_t *label)
{
    if (answer->n > 0 || right->n > 0)
        return bag_f1(answer, right);
    return is_empty(label) || values_same(value, label) ? 1 : 0;
}

// Raises *best to the F1 of answer against one right answer.
static bool compare_label(const struct bag *answer, const json_t *value,
                          const json_t *label, double *best, struct err *err)
{
    struct bag right = BAG_INIT;
    bool ok = fill_bag(&right, label, err);
    double f1 = ok ? f1_of(answer, value, &right, label) : 0;

    *best = f1 > *best ? f1 : *best;
    bag_release(&right);
    return ok;
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct metric_field *field = &metric->fields[0];
    const json_t *value = case_answer(given, field);
    const json_t *label = case_label(given, field);
    size_t n = json_is_array(label) ? json_array_size(label) : 1;
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    struct bag answer = BAG_INIT;
    double best = 0;
    bool ok = fill_bag(&answer, value, err);

    for (size_t i = 0; ok && i < n; i++) {
        const json_t *one =
            json_is_array(label) ? json_array_get(label, i) : label;
        ok = compare_label(&answer, value, one, &best, err);
    }
    if (ok && best < 1)
        feedback_wrong(&feedback, field, value, label);
    ok = ok && score_give(out, best, &feedback, err);
    bag_release(&answer);
    buf_release(&feedback);
    return ok;
}

static json_t *json(const struct metric *metric)
{
    return metric_fields_json(metric);
}

const struct metric_kind metric_token_f1 = {
    .name = "token_f1",
    .fits = FITS(TYPE_STR) | FITS(TYPE_ENUM),
    .fits_text = "compares the words of texts",
    .parse = parse,
    .score = score,
    .json = json,
};
