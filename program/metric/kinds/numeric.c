// numeric: an output is a number close enough to its label.

#include <math.h>

#include "program/metric/compare.h"
#include "program/metric/kind.h"

struct numeric {
    double tolerance; // absolute
};

static const char *const keys[] = {"field", "label", "tolerance"};

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *tolerance = node_find(node, "tolerance");
    struct numeric *params = arena_alloc(reader->arena, sizeof *params);

    metric->params = params;
    if (params == NULL)
        return metric_nomem(reader);
    bool ok = metric_read_field(reader, node, keys, 3, metric);
    if (tolerance != NULL)
        ok = node_number(tolerance, "`tolerance` of `numeric`", 0, 1e300,
                         &params->tolerance, reader->diags) &&
             ok;
    return ok;
}

// A tolerance of 0.1 accepts 2.3 for 2.2, although in binary their difference
// is slightly larger.
static bool is_near(double answer, double label, double tolerance)
{
    double slack = 1e-12 * (fabs(answer) + fabs(label));

    return fabs(answer - label) <= tolerance + (tolerance > 0 ? slack : 0);
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct metric_field *field = &metric->fields[0];
    const struct numeric *params = metric->params;
    const json_t *answer = case_answer(given, field);
    const json_t *label = case_label(given, field);
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    double one = 0;
    double other = 0;
    bool right = false;

    if (value_number(answer, &one) && value_number(label, &other))
        right = is_near(one, other, params->tolerance);
    else
        right = values_same(answer, label);
    if (!right)
        feedback_wrong(&feedback, field, answer, label);
    return score_give(out, right ? 1 : 0, &feedback, err);
}

static json_t *json(const struct metric *metric)
{
    const struct numeric *params = metric->params;
    json_t *map = metric_field_map(metric);

    if (map != NULL && json_object_set_new(map, "tolerance",
                                           json_real(params->tolerance)) != 0) {
        json_decref(map);
        return NULL;
    }
    return map;
}

const struct metric_kind metric_numeric = {
    .name = "numeric",
    .fits =
        FITS(TYPE_STR) | FITS(TYPE_INT) | FITS(TYPE_FLOAT) | FITS(TYPE_ENUM),
    .fits_text = "compares numbers",
    .parse = parse,
    .score = score,
    .json = json,
};
