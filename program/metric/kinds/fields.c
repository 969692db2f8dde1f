// fields: the share of the named outputs that equal their labels.

#include "program/metric/compare.h"
#include "program/metric/kind.h"

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    return metric_read_fields(reader, node, metric);
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    size_t right = 0;

    for (size_t i = 0; i < metric->n_fields; i++) {
        const json_t *answer = case_answer(given, &metric->fields[i]);
        const json_t *label = case_label(given, &metric->fields[i]);
        if (values_same(answer, label))
            right++;
        else
            feedback_wrong(&feedback, &metric->fields[i], answer, label);
    }
    return score_give(out, (double)right / (double)metric->n_fields, &feedback,
                      err);
}

static json_t *json(const struct metric *metric)
{
    return metric_fields_json(metric);
}

const struct metric_kind metric_fields = {
    .name = "fields",
    .parse = parse,
    .score = score,
    .json = json,
};
