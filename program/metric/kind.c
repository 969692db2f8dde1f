#include "program/metric/kind.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "common/utf8.h"
#include "program/graph/type_form.h"
#include "program/metric/compare.h"

enum {
    METRIC_MAX_KINDS = 32,
    VALUE_SHOWN_BYTES = 160,
    VALUE_MAX_BYTES = 1 << 20,
    NAMES_MAX_BYTES = 4096,
};

bool metric_nomem(struct metric_reader *reader)
{
    reader->diags->nomem = true;
    return false;
}

// --- reading ---

static const struct metric_kind *find_kind(const struct metric_reader *reader,
                                           const char *name)
{
    for (size_t i = 0; i < reader->n_kinds; i++) {
        if (strcmp(reader->kinds[i]->name, name) == 0)
            return reader->kinds[i];
    }
    return NULL;
}

// Appends "a, b and c".
static void put_names(struct buf *out, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_puts(out, i + 1 == n ? " and " : ", ");
        buf_puts(out, names[i]);
    }
}

static void add_names_remedy(struct diags *diags, const char *what,
                             const char *const *names, size_t n)
{
    struct buf list = BUF_INIT(NAMES_MAX_BYTES);

    put_names(&list, names, n);
    if (list.len > 0)
        diag_remedy(diags, "%s: %s", what, list.data);
    buf_release(&list);
}

static void report_kind(struct metric_reader *reader, const struct place *place,
                        const char *name)
{
    const char *names[METRIC_MAX_KINDS];
    size_t n = 0;

    for (; n < reader->n_kinds && n < METRIC_MAX_KINDS; n++)
        names[n] = reader->kinds[n]->name;
    const char *near = text_nearest(name, names, n);
    if (near != NULL)
        diag_add(reader->diags, DIAG_ERROR, "unknown-metric", place,
                 "unknown metric `%.60s`, did you mean `%s`?", name, near);
    else
        diag_add(reader->diags, DIAG_ERROR, "unknown-metric", place,
                 "unknown metric `%.60s`", name);
    add_names_remedy(reader->diags, "the metrics are", names, n);
}

// Returns the kind named by a key of node. Further kinds are findings.
static const struct metric_kind *
choose_kind(struct metric_reader *reader, const struct node *node, size_t *at)
{
    const struct metric_kind *kind = NULL;
    bool named = false; // rightly or wrongly

    for (size_t i = 0; i < node->n; i++) {
        const struct metric_kind *row = find_kind(reader, node->keys[i]);
        if (reader->depth > 0 && strcmp(node->keys[i], "weight") == 0)
            continue;
        if (row == NULL) {
            report_kind(reader, &node->key_places[i], node->keys[i]);
        } else if (kind != NULL) {
            diag_add(reader->diags, DIAG_ERROR, "bad-value",
                     &node->key_places[i],
                     "a metric has one kind, but this one has `%s` and `%s`",
                     kind->name, row->name);
            diag_remedy(reader->diags, "combine them with `weighted`");
        } else {
            kind = row;
            *at = i;
        }
        named = true;
    }
    if (!named)
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "this metric does not say which kind it is");
    return kind;
}

// Returns the type of the output, or -1 for a composed value, which may be
// anything.
static int output_type(const struct program *program, size_t output)
{
    const struct source *source = &program->outputs[output].source;

    if (source->step == SOURCE_INPUT)
        return (int)program->inputs[source->field].type.kind;
    if (source->field == SOURCE_WHOLE)
        return -1;
    return (int)program->steps[source->step]
        .signature.outputs[source->field]
        .type.kind;
}

static bool check_fit(struct metric_reader *reader, const struct metric *metric,
                      const struct place *place, size_t output)
{
    static const char *const type_names[] = {
        [TYPE_STR] = "a text",       [TYPE_INT] = "an int",
        [TYPE_FLOAT] = "a float",    [TYPE_BOOL] = "a bool",
        [TYPE_ENUM] = "an enum",     [TYPE_LIST] = "a list",
        [TYPE_OBJECT] = "an object",
    };
    int type = output_type(reader->program, output);

    if (metric->kind->fits == 0 || type < 0 ||
        (metric->kind->fits & FITS(type)) != 0)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "bad-value", place,
             "`%s` %s, but `%s` is %s", metric->kind->name,
             metric->kind->fits_text, reader->program->outputs[output].name,
             type_names[type]);
    return false;
}

static void report_output(struct metric_reader *reader,
                          const struct place *place, const char *name)
{
    const struct program *program = reader->program;
    const char *names[PROGRAM_MAX_FIELDS];
    size_t n = 0;

    for (; n < program->n_outputs && n < PROGRAM_MAX_FIELDS; n++)
        names[n] = program->outputs[n].name;
    const char *near = text_nearest(name, names, n);
    if (near != NULL)
        diag_add(reader->diags, DIAG_ERROR, "unknown-field", place,
                 "the program has no output `%.60s`, did you mean `%s`?", name,
                 near);
    else
        diag_add(reader->diags, DIAG_ERROR, "unknown-field", place,
                 "the program has no output `%.60s`", name);
    add_names_remedy(reader->diags, "its outputs are", names, n);
}

static bool keep_field(struct metric_reader *reader, size_t output,
                       const char *name, bool labelled, struct metric *metric)
{
    char *copy = arena_strdup(reader->arena, name);

    if (copy == NULL)
        return metric_nomem(reader);
    metric->fields[metric->n_fields++] = (struct metric_field){
        .output = output, .name = copy, .label = labelled ? copy : NULL};
    return true;
}

// Without a program, every name is taken for a new output.
static bool add_field(struct metric_reader *reader, const struct node *node,
                      bool labelled, struct metric *metric)
{
    const struct program *program = reader->program;
    const char *name = NULL;

    if (!node_text(node, "the name of an output", &name, reader->diags))
        return false;
    if (program == NULL)
        return keep_field(reader, metric->n_fields, name, labelled, metric);
    for (size_t i = 0; i < program->n_outputs; i++) {
        if (strcmp(program->outputs[i].name, name) == 0)
            return keep_field(reader, i, name, labelled, metric) &&
                   check_fit(reader, metric, &node->place, i);
    }
    report_output(reader, &node->place, name);
    return false;
}

static bool is_repeated(struct metric_reader *reader, const struct node *node,
                        const struct metric *metric)
{
    const struct metric_field *last = &metric->fields[metric->n_fields - 1];

    for (size_t i = 0; i + 1 < metric->n_fields; i++) {
        if (metric->fields[i].output != last->output)
            continue;
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "the output `%s` is named twice", last->name);
        return true;
    }
    return false;
}

static bool add_fields(struct metric_reader *reader, const struct node *list,
                       bool labelled, struct metric *metric)
{
    bool ok = true;

    for (size_t i = 0; i < list->n; i++) {
        size_t before = metric->n_fields;
        ok = add_field(reader, list->items[i], labelled, metric) && ok;
        if (metric->n_fields > before)
            ok = !is_repeated(reader, list->items[i], metric) && ok;
    }
    return ok;
}

static bool make_fields(struct metric_reader *reader, struct metric *metric,
                        size_t n)
{
    metric->fields = arena_array(reader->arena, n, sizeof *metric->fields);
    return metric->fields != NULL || metric_nomem(reader);
}

bool metric_take_asks(struct metric_reader *reader, struct metric *metric,
                      size_t n, const struct place *place)
{
    metric->outside = reader->n_outside;
    metric->n_asks = n;
    reader->n_outside += n;
    if (reader->n_outside > METRIC_MAX_OUTSIDE &&
        reader->n_outside - n <= METRIC_MAX_OUTSIDE)
        diag_add(reader->diags, DIAG_ERROR, "bad-value", place,
                 "a metric asks at most %d questions about an answer, counting "
                 "each part that asks and each replicate",
                 METRIC_MAX_OUTSIDE);
    return reader->n_outside <= METRIC_MAX_OUTSIDE;
}

static bool read_fields(struct metric_reader *reader, const struct node *node,
                        bool labelled, struct metric *metric)
{
    bool list = node->kind == NODE_LIST;

    if (node->kind != NODE_SCALAR && !list) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`%s` takes the name of an output, or a list of them",
                 metric->kind->name);
        return false;
    }
    if (list && (node->n == 0 || node->n > PROGRAM_MAX_FIELDS)) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`%s` takes 1 to %d outputs, but this one has %zu",
                 metric->kind->name, PROGRAM_MAX_FIELDS, node->n);
        return false;
    }
    if (!make_fields(reader, metric, list ? node->n : 1))
        return false;
    if (list)
        return add_fields(reader, node, labelled, metric);
    return add_field(reader, node, labelled, metric);
}

bool metric_read_fields(struct metric_reader *reader, const struct node *node,
                        struct metric *metric)
{
    return read_fields(reader, node, true, metric);
}

bool metric_read_outputs(struct metric_reader *reader, const struct node *node,
                         struct metric *metric)
{
    return read_fields(reader, node, false, metric);
}

static bool read_label(struct metric_reader *reader, const struct node *node,
                       struct metric *metric)
{
    const char *name = NULL;

    if (!node_text(node, "`label`", &name, reader->diags))
        return false;
    char *copy = arena_strdup(reader->arena, name);
    if (copy == NULL)
        return metric_nomem(reader);
    metric->fields[0].label = copy;
    return true;
}

bool metric_read_field(struct metric_reader *reader, const struct node *node,
                       const char *const *keys, size_t n_keys,
                       struct metric *metric)
{
    const struct node *field = node_find(node, "field");
    const struct node *label = node_find(node, "label");
    char where[40];

    if (node->kind == NODE_MAP) {
        (void)snprintf(where, sizeof where, "`%s`", metric->kind->name);
        node_only_keys(node, where, keys, n_keys, reader->diags);
    }
    if (node->kind == NODE_MAP ? field == NULL : node->kind != NODE_SCALAR) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`%s` needs the output that it reads", metric->kind->name);
        diag_remedy(reader->diags, "write {field: NAME}");
        return false;
    }
    if (!make_fields(reader, metric, 1) ||
        !add_field(reader, field != NULL ? field : node, true, metric))
        return false;
    return label == NULL || read_label(reader, label, metric);
}

struct metric *metric_read(struct metric_reader *reader,
                           const struct node *node)
{
    size_t at = 0;

    if (node->kind != NODE_MAP) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "a metric is a map from its kind to what it reads");
        diag_remedy(reader->diags, "write {exact_match: NAME-OF-AN-OUTPUT}");
        return NULL;
    }
    const struct metric_kind *kind = choose_kind(reader, node, &at);
    if (kind == NULL)
        return NULL;
    struct metric *metric = arena_alloc(reader->arena, sizeof *metric);
    if (metric == NULL) {
        metric_nomem(reader);
        return NULL;
    }
    metric->kind = kind;
    metric->n_outputs =
        reader->program == NULL ? 0 : reader->program->n_outputs;
    if (kind->parse(reader, node->items[at], metric))
        return metric;
    metric_release(metric);
    return NULL;
}

void metric_release(struct metric *metric)
{
    if (metric == NULL)
        return;
    for (size_t i = 0; i < metric->n_parts; i++)
        metric_release(metric->parts[i]);
    metric->n_parts = 0;
    if (metric->kind->release != NULL)
        metric->kind->release(metric);
    metric->params = NULL;
}

static bool set_text(json_t *map, const char *key, const char *text)
{
    return json_object_set_new(map, key, json_string(text)) == 0;
}

static json_t *field_map(const struct metric_field *field)
{
    json_t *map = json_object();
    bool ok = map != NULL && set_text(map, "field", field->name);

    if (ok && field->label != NULL && strcmp(field->label, field->name) != 0)
        ok = set_text(map, "label", field->label);
    if (!ok) {
        json_decref(map);
        map = NULL;
    }
    return map;
}

json_t *metric_field_names(const struct metric *metric)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < metric->n_fields; i++) {
        if (json_array_append_new(list, json_string(metric->fields[i].name)) !=
            0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

json_t *metric_field_map(const struct metric *metric)
{
    return field_map(&metric->fields[0]);
}

json_t *metric_fields_json(const struct metric *metric)
{
    const struct metric_field *first = &metric->fields[0];

    if (metric->n_fields != 1)
        return metric_field_names(metric);
    return first->label != NULL && strcmp(first->label, first->name) == 0
               ? json_string(first->name)
               : metric_field_map(metric);
}

// --- scoring ---

const json_t *case_answer(const struct metric_case *given,
                          const struct metric_field *field)
{
    return json_object_get(given->outputs, field->name);
}

const json_t *case_label(const struct metric_case *given,
                         const struct metric_field *field)
{
    return field->label == NULL ? NULL
                                : json_object_get(given->example, field->label);
}

// Adds how an answer differs from what the example has under the same name, if
// it has anything.
static void put_difference(struct buf *feedback, const char *name,
                           const json_t *answer, const json_t *label)
{
    if (label == NULL || values_same(answer, label))
        return;
    feedback_wrong(feedback, &(struct metric_field){.name = name}, answer,
                   label);
}

// An exec metric that reads all outputs has no fields, so the outputs
// themselves give the names.
static bool make_feedback(const struct metric *metric,
                          const struct metric_case *given, struct score *out,
                          struct err *err)
{
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    const char *name;
    json_t *answer;

    for (size_t i = 0; i < metric->n_fields; i++) {
        const struct metric_field *field = &metric->fields[i];
        const char *label = field->label != NULL ? field->label : field->name;

        put_difference(&feedback, field->name, case_answer(given, field),
                       json_object_get(given->example, label));
    }
    if (metric->n_fields == 0 && metric->n_parts == 0)
        json_object_foreach((json_t *)given->outputs, name, answer)
            put_difference(&feedback, name, answer,
                           json_object_get(given->example, name));
    return score_give(out, out->value, &feedback, err);
}

bool metric_part_score(const struct metric *metric,
                       const struct metric_case *given, struct score *out,
                       struct err *err)
{
    *out = (struct score){.variance = -1};
    if (!metric->kind->score(metric, given, out, err))
        return false;
    assert(out->value >= 0 && out->value <= 1);
    return out->value == 1 || out->feedback != NULL ||
           make_feedback(metric, given, out, err);
}

void feedback_next(struct buf *feedback)
{
    if (feedback->len > 0)
        buf_putc(feedback, ' ');
}

// Appends the beginning of a value, as it is written.
static void put_shown(struct buf *feedback, const char *text, size_t len)
{
    size_t shown = len;

    if (len == 0 || len > VALUE_MAX_BYTES) {
        buf_puts(feedback, len == 0 ? "an empty text" : "a very long value");
        return;
    }
    if (len > VALUE_SHOWN_BYTES)
        shown = utf8_cut(text, VALUE_SHOWN_BYTES);
    buf_putc(feedback, '`');
    buf_append(feedback, text, shown);
    buf_puts(feedback, shown < len ? " ...`" : "`");
}

void feedback_value(struct buf *feedback, const json_t *value)
{
    struct buf text = BUF_INIT(VALUE_MAX_BYTES);

    if (value == NULL || json_is_null(value)) {
        buf_puts(feedback, "nothing");
    } else if (json_is_string(value)) { // nearly always
        put_shown(feedback, json_string_value(value),
                  json_string_length(value));
    } else {
        value_put(value, &text);
        put_shown(feedback, text.data,
                  text.failed ? (size_t)VALUE_MAX_BYTES + 1 : text.len);
    }
    buf_release(&text);
}

void feedback_wrong(struct buf *feedback, const struct metric_field *field,
                    const json_t *answer, const json_t *label)
{
    feedback_next(feedback);
    buf_putc(feedback, '`');
    buf_puts(feedback, field->name);
    buf_puts(feedback, "` is ");
    feedback_value(feedback, answer);
    buf_puts(feedback, ", but ");
    feedback_value(feedback, label);
    buf_puts(feedback, " is right.");
}
