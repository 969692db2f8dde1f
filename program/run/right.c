#include "program/run/right.h"

#include <string.h>

#include "common/json.h"
#include "common/logprobs.h"
#include "program/prompt/reply.h"

static const char *const truths[] = {"true", "false"};

// Returns the number of labels of a type; 0 if it has none.
static size_t labels_of(const struct type *type, const char *const **out)
{
    *out = type->kind == TYPE_BOOL ? truths : (const char *const *)type->labels;
    return type->kind == TYPE_BOOL   ? 2
           : type->kind == TYPE_ENUM ? type->n_labels
                                     : 0;
}

// Returns the type of the output, if that step makes it and its values are
// labels; else NULL.
static const struct type *type_of(const struct program *program, int step,
                                  const struct metric_label *label)
{
    struct source source = program->outputs[label->output].source;
    const char *const *labels;

    if (source.step != step || source.field == SOURCE_WHOLE ||
        program->steps[step].predictor < 0)
        return NULL;
    const struct type *type =
        &program->steps[step].signature.outputs[source.field].type;
    return labels_of(type, &labels) > 0 ? type : NULL;
}

bool right_is_measurable(const struct program *program,
                         const struct metric *metric, int step)
{
    struct metric_label labels[PROGRAM_MAX_FIELDS];
    size_t n = metric_labelled(metric, labels, PROGRAM_MAX_FIELDS);

    for (size_t i = 0; i < n; i++)
        if (type_of(program, step, &labels[i]) != NULL)
            return true;
    return false;
}

static const char *label_text(const json_t *value)
{
    return json_is_boolean(value) ? truths[json_is_true(value) ? 0 : 1]
                                  : json_string_value(value);
}

void right_add(struct right *right, const struct right_reads *reads,
               const struct right_answer *said, const json_t *example)
{
    const struct program *program = reads->program;
    const struct call_answer *answer = said->answer;
    const struct reply_asked asked = {.step = &program->steps[said->step],
                                      .adapter = said->form,
                                      .reads = reads->plan->reads[said->step]};
    const struct span text = {answer->text, answer->text_len};
    struct metric_label labels[PROGRAM_MAX_FIELDS];
    size_t n = metric_labelled(reads->metric, labels, PROGRAM_MAX_FIELDS);
    json_t *list = answer->logprobs == NULL
                       ? NULL
                       : json_parse(answer->logprobs, strlen(answer->logprobs),
                                    LOGPROBS_MAX_BYTES, NULL);

    for (size_t i = 0; list != NULL && i < n; i++) {
        const struct type *type = type_of(program, said->step, &labels[i]);
        const char *wanted =
            label_text(json_object_get(example, labels[i].label));
        const char *const *all;
        size_t at;

        if (type == NULL || wanted == NULL ||
            !reply_locate(
                &asked, text,
                (size_t)program->outputs[labels[i].output].source.field, &at))
            continue;
        size_t n_all = labels_of(type, &all);
        double p = logprobs_right(list, answer->text, answer->text_len, at,
                                  wanted, all, n_all);
        right->sum += (int64_t)(p * 1e9 + 0.5);
        right->n++;
    }
    json_decref(list);
}

float right_probability(const struct right *right)
{
    return right->n == 0 ? -1
                         : (float)((double)right->sum / 1e9 / (double)right->n);
}
