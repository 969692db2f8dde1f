#include "program/metric/metric.h"

#include <assert.h>
#include <string.h>

#include "program/metric/kind.h"

static const struct metric_kind *const metric_kinds[] = {
#define METRIC_KIND(name) &metric_##name,
#include "program/metric/kinds/kinds.def"
#undef METRIC_KIND
};

enum { N_KINDS = sizeof metric_kinds / sizeof metric_kinds[0] };

struct metric *metric_parse(struct arena *arena, const struct node *node,
                            const struct program *program, struct diags *diags)
{
    struct metric_reader reader = {.kinds = metric_kinds,
                                   .n_kinds = N_KINDS,
                                   .arena = arena,
                                   .program = program,
                                   .diags = diags};
    size_t errors = diags->errors;
    struct metric *metric = metric_read(&reader, node);

    // A finding about the metric is an error even if the metric could be read.
    if (metric != NULL && (diags->errors > errors || diags->nomem)) {
        metric_release(metric);
        return NULL;
    }
    return metric;
}

void metric_check(struct arena *arena, const struct node *node,
                  struct diags *diags)
{
    struct metric_reader reader = {.kinds = metric_kinds,
                                   .n_kinds = N_KINDS,
                                   .arena = arena,
                                   .diags = diags};

    metric_release(metric_read(&reader, node));
}

// Questions about a metric. The walks visit the parts in the order of the file.

static void mark_reads(const struct metric *metric, bool *reads, size_t n)
{
    bool all = metric->command != NULL && metric->n_fields == 0;

    for (size_t i = 0; all && i < n; i++)
        reads[i] = true;
    for (size_t i = 0; i < metric->n_fields; i++)
        reads[metric->fields[i].output] = true;
    for (size_t i = 0; i < metric->n_parts; i++)
        mark_reads(metric->parts[i], reads, n);
}

void metric_reads(const struct metric *metric, bool *reads)
{
    memset(reads, 0, metric->n_outputs * sizeof *reads);
    mark_reads(metric, reads, metric->n_outputs);
}

static bool is_listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static size_t add_labels(const struct metric *metric, const char **out,
                         size_t n, size_t max)
{
    for (size_t i = 0; i < metric->n_fields; i++) {
        const char *label = metric->fields[i].label;
        if (label != NULL && n < max && !is_listed(out, n, label))
            out[n++] = label;
    }
    for (size_t i = 0; i < metric->n_needs; i++)
        if (n < max && !is_listed(out, n, metric->needs[i]))
            out[n++] = metric->needs[i];
    for (size_t i = 0; i < metric->n_parts; i++)
        n = add_labels(metric->parts[i], out, n, max);
    return n;
}

size_t metric_labels(const struct metric *metric, const char **out, size_t max)
{
    assert(max > 0);

    size_t n = add_labels(metric, out, 0, max - 1);
    out[n] = NULL;
    return n;
}

size_t metric_labelled(const struct metric *metric, struct metric_label *out,
                       size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < metric->n_fields && n < max; i++) {
        const struct metric_field *field = &metric->fields[i];

        if (field->label != NULL)
            out[n++] = (struct metric_label){field->output, field->label};
    }
    for (size_t i = 0; i < metric->n_parts; i++)
        n += metric_labelled(metric->parts[i], out + n, max - n);
    return n;
}

size_t metric_ask_count(const struct metric *metric)
{
    size_t n = metric->n_asks;

    for (size_t i = 0; i < metric->n_parts; i++)
        n += metric_ask_count(metric->parts[i]);
    return n;
}

bool metric_asks_model(const struct metric *metric)
{
    bool asks = metric->n_asks > 0 && metric->kind->ask_prefix != NULL;

    for (size_t i = 0; i < metric->n_parts; i++)
        asks = asks || metric_asks_model(metric->parts[i]);
    return asks;
}

// Returns the part that makes that ask; NULL if it is not in metric.
static const struct metric *find_outside(const struct metric *metric,
                                         size_t part)
{
    const struct metric *found = NULL;

    if (part >= metric->outside && part < metric->outside + metric->n_asks)
        return metric;
    for (size_t i = 0; i < metric->n_parts && found == NULL; i++)
        found = find_outside(metric->parts[i], part);
    return found;
}

void metric_replicate(const struct metric *metric, size_t part, int32_t *which,
                      int32_t *of)
{
    const struct metric *found = find_outside(metric, part);

    assert(found != NULL);
    *which = (int32_t)(part - found->outside);
    *of = (int32_t)found->n_asks;
}

bool metric_prefix(const struct metric *metric, size_t part, struct buf *text,
                   struct buf *format, struct err *err)
{
    const struct metric *found = find_outside(metric, part);

    assert(found != NULL && found->kind->ask_prefix != NULL);
    return found->kind->ask_prefix(found, text, format, err);
}

bool metric_ask(const struct metric *metric, size_t part,
                const struct metric_case *given, struct buf *text,
                struct ask *out, struct err *err)
{
    const struct metric *found = find_outside(metric, part);

    assert(found != NULL);
    *out = (struct ask){0};
    if (!found->kind->ask(found, given, text, out, err))
        return false;
    out->part = (int)part;
    out->payload = text->data;
    out->payload_len = text->len;
    return true;
}

bool metric_read_answer(const struct metric *metric, size_t part,
                        const struct call_answer *answer, struct score *out,
                        struct err *err)
{
    const struct metric *found = find_outside(metric, part);

    assert(found != NULL);
    return found->kind->answered(found, answer, out, err);
}

size_t metric_commands(const struct metric *metric,
                       const struct user_command *out[METRIC_MAX_OUTSIDE])
{
    size_t n = 0;

    for (size_t part = 0; part < metric_ask_count(metric); part++) {
        const struct metric *found = find_outside(metric, part);

        if (found->command != NULL)
            out[n++] = found->command;
    }
    return n;
}

json_t *metric_json(const struct metric *metric)
{
    json_t *map = json_object();

    if (map != NULL && json_object_set_new(map, metric->kind->name,
                                           metric->kind->json(metric)) != 0) {
        json_decref(map);
        map = NULL;
    }
    return map;
}

bool metric_score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    return metric_part_score(metric, given, out, err);
}
