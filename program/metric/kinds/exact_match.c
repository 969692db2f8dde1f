// exact_match: every named output equals its label.

#include "program/metric/compare.h"
#include "program/metric/kind.h"

static const char *const keys[] = {"field", "label"};

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    if (node->kind == NODE_MAP)
        return metric_read_field(reader, node, keys, 2, metric);
    return metric_read_fields(reader, node, metric);
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    bool right = true;

    for (size_t i = 0; i < metric->n_fields; i++) {
        const json_t *answer = case_answer(given, &metric->fields[i]);
        const json_t *label = case_label(given, &metric->fields[i]);
        if (values_same(answer, label))
            continue;
        right = false;
        feedback_wrong(&feedback, &metric->fields[i], answer, label);
    }
    return score_give(out, right ? 1 : 0, &feedback, err);
}

static json_t *json(const struct metric *metric)
{
    return metric_fields_json(metric);
}

const struct metric_kind metric_exact_match = {
    .name = "exact_match",
    .parse = parse,
    .score = score,
    .json = json,
};
