// weighted: the weighted mean of other metrics. The weights need not add up to
// 1.

#include "program/metric/kind.h"

enum { MAX_PARTS = 32, MAX_DEPTH = 4 };

struct weighted {
    double *weights; // one for each part
    double total;
};

static bool read_weight(struct metric_reader *reader, const struct node *node,
                        double *out)
{
    const struct node *weight = node_find(node, "weight");

    if (weight == NULL) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "a part of `weighted` needs `weight`");
        diag_remedy(reader->diags, "write {weight: 0.5, exact_match: FIELD}");
        return false;
    }
    if (!node_number(weight, "`weight`", 0, 1e9, out, reader->diags))
        return false;
    if (*out == 0)
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &weight->place,
                 "`weight` is 0: leave out a part that does not count");
    return *out > 0;
}

static bool check_shape(struct metric_reader *reader, const struct node *node)
{
    if (node->kind != NODE_LIST || node->n == 0 || node->n > MAX_PARTS) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`weighted` takes a list of 1 to %d metrics", MAX_PARTS);
        diag_remedy(reader->diags, "write [{weight: 0.6, exact_match: A}, "
                                   "{weight: 0.4, token_f1: B}]");
        return false;
    }
    if (reader->depth == MAX_DEPTH)
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`weighted` is nested more than %d deep", MAX_DEPTH);
    return reader->depth < MAX_DEPTH;
}

static bool read_parts(struct metric_reader *reader, const struct node *node,
                       struct metric *metric, struct weighted *params)
{
    bool ok = true;

    reader->depth++;
    for (size_t i = 0; i < node->n; i++) {
        const struct node *item = node->items[i];
        struct metric *part = metric_read(reader, item);
        if (part != NULL)
            metric->parts[metric->n_parts++] = part;
        ok = part != NULL && ok;
        if (item->kind == NODE_MAP)
            ok = read_weight(reader, item, &params->weights[i]) && ok;
        params->total += params->weights[i];
    }
    reader->depth--;
    return ok;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    if (!check_shape(reader, node))
        return false;
    struct weighted *params = arena_alloc(reader->arena, sizeof *params);
    metric->params = params;
    metric->parts =
        arena_array(reader->arena, node->n, sizeof(struct metric *));
    if (params == NULL || metric->parts == NULL)
        return metric_nomem(reader);
    params->weights = arena_array(reader->arena, node->n, sizeof(double));
    if (params->weights == NULL)
        return metric_nomem(reader);
    return read_parts(reader, node, metric, params);
}

static bool score_part(const struct metric *part,
                       const struct metric_case *given, double *value,
                       double *variance, struct buf *feedback, struct err *err)
{
    struct score score = {0};

    if (!metric_part_score(part, given, &score, err))
        return false;
    *value = score.value;
    *variance = score.variance;
    if (score.feedback != NULL) {
        feedback_next(feedback);
        buf_puts(feedback, score.feedback);
    }
    score_release(&score);
    return true;
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct weighted *params = metric->params;
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    double sum = 0;
    double variance = -1; // of the parts that know their variance
    bool perfect = true;  // the score is exactly 1, however weights round
    bool ok = true;

    for (size_t i = 0; ok && i < metric->n_parts; i++) {
        double share = params->weights[i] / params->total;
        double value = 0;
        double part = -1;
        ok = score_part(metric->parts[i], given, &value, &part, &feedback, err);
        if (part >= 0)
            variance = (variance > 0 ? variance : 0) + share * share * part;
        sum += params->weights[i] * value;
        perfect = perfect && value == 1;
    }
    out->variance = variance;
    double mean = perfect ? 1 : sum / params->total;
    ok = ok && score_give(out, mean > 1 ? 1 : mean, &feedback, err);
    buf_release(&feedback);
    return ok;
}

static json_t *part_json(const struct metric *part, double weight)
{
    json_t *value = part->kind->json(part);
    json_t *map = json_object();

    if (map == NULL || value == NULL ||
        json_object_set_new(map, "weight", json_real(weight)) != 0 ||
        json_object_set(map, part->kind->name, value) != 0) {
        json_decref(map);
        map = NULL;
    }
    json_decref(value);
    return map;
}

static json_t *json(const struct metric *metric)
{
    const struct weighted *params = metric->params;
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < metric->n_parts; i++) {
        json_t *part = part_json(metric->parts[i], params->weights[i]);
        if (json_array_append_new(list, part) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

const struct metric_kind metric_weighted = {
    .name = "weighted",
    .parse = parse,
    .score = score,
    .json = json,
};
