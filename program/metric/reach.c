#include "program/metric/reach.h"

#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "program/graph/type_check.h"
#include "program/graph/type_form.h"
#include "program/metric/compare.h"
#include "program/metric/kind.h"

enum { MAX_TRIES = 4, TEXT_BYTES = 16 << 20 };

static size_t add_parts(const struct metric *metric, struct reach_part *out,
                        size_t n)
{
    for (size_t i = 0; i < metric->n_parts; i++)
        n = add_parts(metric->parts[i], out, n);
    if (metric->n_parts > 0 || metric->kind->ask != NULL ||
        metric->n_fields == 0 || n == REACH_MAX_PARTS)
        return n;
    out[n++] = (struct reach_part){.metric = metric,
                                   .kind = metric->kind->name,
                                   .output = metric->fields[0].name,
                                   .label = metric->fields[0].label};
    return n;
}

size_t reach_parts(const struct metric *metric,
                   struct reach_part out[REACH_MAX_PARTS])
{
    size_t n = add_parts(metric, out, 0);

    for (size_t i = 0; i < n; i++)
        out[i].whole = metric->n_parts == 0;
    return n;
}

static const struct type *output_type(const struct program *program,
                                      size_t output)
{
    return step_source_type(program, &program->outputs[output].source);
}

// --- what the best model would say ---

static json_t *joined(const json_t *list)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    json_t *value = NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            buf_puts(&text, ", ");
        value_put(json_array_get(list, i), &text);
    }
    if (!text.failed)
        value = json_stringn(text.len == 0 ? "" : text.data, text.len);
    buf_release(&text);
    return value;
}

static json_t *as_text(const json_t *value)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    json_t *string = NULL;

    value_put(value, &text);
    if (!text.failed)
        string = json_stringn(text.len == 0 ? "" : text.data, text.len);
    buf_release(&text);
    return string;
}

static json_t *as_number(const json_t *value)
{
    double number = 0;

    if (!value_number(value, &number))
        return NULL;
    return number == (double)(json_int_t)number
               ? json_integer((json_int_t)number)
               : json_real(number);
}

// Lists the ways to say a label: as it is, as a number, as a text, and for a
// list also as its first item or as all items in one text. New references;
// entries may be NULL.
static size_t ways_to_say(const json_t *label, json_t *out[MAX_TRIES])
{
    size_t n = 0;

    out[n++] = json_incref((json_t *)label);
    out[n++] = as_number(label);
    if (!json_is_array(label)) {
        out[n++] = json_is_string(label) ? NULL : as_text(label);
        return n;
    }
    out[n++] = json_incref(json_array_get(label, 0));
    out[n++] = joined(label);
    return n;
}

static bool score_outputs(const struct metric *metric, const json_t *example,
                          const json_t *outputs, double *value, struct err *err)
{
    struct score score = {0};
    struct metric_case given = {.example = example, .outputs = outputs};

    if (!metric->kind->score(metric, &given, &score, err))
        return false;
    *value = score.value;
    score_release(&score);
    return true;
}

// An example being tried: the outputs said so far, and whether the metric
// scores them.
struct attempt {
    const struct metric *metric;
    const struct program *program;
    const json_t *example;
    json_t *outputs; // owned
    bool scores;     // above 0
};

static bool may_say(const struct type *type, const char *name,
                    const json_t *answer)
{
    return type == NULL ? json_is_object(answer) // composed
                        : type_check(type, name, answer, NULL);
}

// Says answer, which may be NULL, for a field of the metric. An answer that the
// output's type does not allow is not tried.
static bool try_answer(struct attempt *attempt,
                       const struct metric_field *field, json_t *answer,
                       struct err *err)
{
    const struct type *type = output_type(attempt->program, field->output);
    double value = 0;

    attempt->scores = false;
    if (answer == NULL || !may_say(type, field->name, answer))
        return true;
    if (json_object_set(attempt->outputs, field->name, answer) != 0) {
        err_nomem(err, "an answer");
        return false;
    }
    if (!score_outputs(attempt->metric, attempt->example, attempt->outputs,
                       &value, err))
        return false;
    attempt->scores = value > 0;
    return true;
}

// Says a value that holds the item alone, a list or something composed. Takes
// the reference to item, which may be NULL.
static bool try_holder(struct attempt *attempt,
                       const struct metric_field *field, json_t *item,
                       struct err *err)
{
    const struct type *type = output_type(attempt->program, field->output);
    json_t *holder = item == NULL   ? NULL
                     : type == NULL ? json_pack("{s:O}", "value", item)
                                    : json_pack("[O]", item);
    bool ok = attempt->scores || try_answer(attempt, field, holder, err);

    json_decref(holder);
    json_decref(item);
    return ok;
}

// Says each label of a list's items.
static bool try_item_labels(struct attempt *attempt,
                            const struct metric_field *field, struct err *err)
{
    const struct type *type = output_type(attempt->program, field->output);
    const struct type *item = type == NULL ? NULL : type->item;
    bool ok = true;

    for (size_t i = 0; ok && item != NULL && i < item->n_labels; i++)
        ok = try_holder(attempt, field, json_string(item->labels[i]), err);
    return ok;
}

// A text may also be the right answer to a list or to a composed value, as one
// of its items or as several with commas between them.
static bool try_items(struct attempt *attempt, const struct metric_field *field,
                      const json_t *label, struct err *err)
{
    const struct type *type = output_type(attempt->program, field->output);
    const char *text = json_string_value(label);
    bool ok = true;

    if (text == NULL || (type != NULL && type->kind != TYPE_LIST))
        return true;
    ok = try_holder(attempt, field, json_incref((json_t *)label), err);
    while (ok && !attempt->scores && *text != '\0') {
        size_t n = strcspn(text, ",\n");
        size_t len = 0;
        const char *piece = text_trim(text, n, &len);
        json_t *item = json_stringn(piece, len);

        ok = try_holder(attempt, field, as_number(item), err) &&
             try_holder(attempt, field, item, err);
        text += n + (text[n] != '\0');
    }
    return ok && try_item_labels(attempt, field, err);
}

// Finds the way to say field i that scores. The other fields have been said
// already, or are still missing, in which case a metric of several fields may
// score nothing yet. Then the first way that fits the type and equals the label
// is taken.
static bool say_field(struct attempt *attempt, size_t i, struct err *err)
{
    const struct metric *metric = attempt->metric;
    const struct metric_field *field = &metric->fields[i];
    const json_t *label = json_object_get(
        attempt->example, field->label != NULL ? field->label : field->name);
    json_t *ways[MAX_TRIES] = {NULL};
    size_t n = label == NULL ? 0 : ways_to_say(label, ways);
    bool ok = true;

    attempt->scores = false;
    for (size_t w = 0; ok && !attempt->scores && w < n; w++) {
        ok = try_answer(attempt, field, ways[w], err);
        if (ok && !attempt->scores && metric->n_fields > 1 &&
            values_same(json_object_get(attempt->outputs, field->name), label))
            break;
    }
    for (size_t w = 0; w < n; w++)
        json_decref(ways[w]);
    if (ok && !attempt->scores && metric->n_fields == 1)
        ok = try_items(attempt, field, label, err);
    return ok;
}

// For an enum, tries each of its labels: the example's may differ from them in
// case, or there may be none. For any other type, nothing is known without a
// right answer in the example, so the metric may score.
static bool try_labels(struct attempt *attempt, struct err *err)
{
    const struct metric_field *field = &attempt->metric->fields[0];
    const struct type *type = output_type(attempt->program, field->output);

    if (type == NULL || type->kind != TYPE_ENUM) {
        attempt->scores =
            field->label == NULL &&
            json_object_get(attempt->example, field->name) == NULL;
        return true;
    }
    for (size_t i = 0; !attempt->scores && i < type->n_labels; i++) {
        json_t *answer = json_string(type->labels[i]);
        bool ok = answer != NULL && try_answer(attempt, field, answer, err);
        json_decref(answer);
        if (!ok) {
            err_nomem(err, "an answer");
            return false;
        }
    }
    return true;
}

// `numeric` also accepts equal texts, but those are not numbers.
static bool lacks_number(const struct reach_part *part, const json_t *example)
{
    double number = 0;

    return strcmp(part->kind, "numeric") == 0 &&
           !value_number(json_object_get(example, part->label), &number);
}

bool reach_example(const struct reach_part *part, const struct program *program,
                   const json_t *example, bool *reaches, struct err *err)
{
    const struct metric *metric = part->metric;
    struct attempt attempt = {.metric = metric,
                              .program = program,
                              .example = example,
                              .outputs = json_object()};
    bool ok = attempt.outputs != NULL;

    *reaches = false;
    if (!ok)
        err_nomem(err, "an answer");
    if (ok && lacks_number(part, example)) {
        json_decref(attempt.outputs);
        return true;
    }
    for (size_t i = 0; ok && i < metric->n_fields; i++)
        ok = say_field(&attempt, i, err);
    if (ok && metric->n_fields == 1 && !attempt.scores)
        ok = try_labels(&attempt, err);
    json_decref(attempt.outputs);
    *reaches = attempt.scores;
    return ok;
}
