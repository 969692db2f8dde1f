#include "program/metric/judging.h"

#include <stdio.h>
#include <string.h>

#include "program/graph/candidate.h"
#include "program/graph/kind.h"
#include "program/prompt/prompt.h"
#include "program/prompt/reply.h"

enum { NAME_BYTES = 256 };

static const char OWN[] = "example.";

// ---- reading

static bool note_key(struct metric_reader *reader, const char *key,
                     struct metric *metric)
{
    for (size_t i = 0; reader->program != NULL && i < reader->program->n_inputs;
         i++)
        if (strcmp(reader->program->inputs[i].name, key) == 0)
            return true; // every row has its inputs
    metric->needs[metric->n_needs++] = key;
    return true;
}

// Finds the output or the input that a name means.
static void resolve(const struct program *program, struct shown *shown,
                    bool own)
{
    shown->key = shown->from + (own ? sizeof OWN - 1 : 0);
    shown->desc = "";
    for (size_t i = 0; program != NULL && i < program->n_inputs; i++)
        if (strcmp(program->inputs[i].name, shown->key) == 0)
            shown->desc = program->inputs[i].desc;
    for (size_t i = 0; program != NULL && !own && i < program->n_outputs; i++) {
        struct source source = program->outputs[i].source;

        if (strcmp(program->outputs[i].name, shown->from) != 0)
            continue;
        shown->key = NULL;
        shown->output = i;
        shown->desc = source.step < 0 || source.field < 0
                          ? ""
                          : program->steps[source.step]
                                .signature.outputs[source.field]
                                .desc;
    }
}

static bool is_taken(const struct judging *judging, const char *name)
{
    for (size_t i = 0; i < judging->n_shown; i++)
        if (strcmp(judging->shown[i].name, name) == 0)
            return true;
    return false;
}

// `example.response` is shown as `expected_response`.
static const char *name_of(struct metric_reader *reader, const char *from,
                           bool own)
{
    char name[NAME_BYTES];

    if (!own)
        return from;
    (void)snprintf(name, sizeof name, "expected_%s", from + sizeof OWN - 1);
    return arena_strdup(reader->arena, name);
}

bool judging_add(struct metric_reader *reader, const struct node *node,
                 const char *name, struct metric *metric,
                 struct judging *judging)
{
    struct shown *shown = &judging->shown[judging->n_shown];
    const char *text = NULL;

    if (!node_text(node, "what a judge is shown", &text, reader->diags))
        return false;
    bool own = strncmp(text, OWN, sizeof OWN - 1) == 0;
    if (text[own ? sizeof OWN - 1 : 0] == '\0' || strlen(text) > 100) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`%.40s` does not name anything that can be shown", text);
        return false;
    }
    shown->from = arena_strdup(reader->arena, text);
    if (shown->from == NULL)
        return metric_nomem(reader);
    shown->name = name != NULL ? arena_strdup(reader->arena, name)
                               : name_of(reader, shown->from, own);
    if (shown->name == NULL)
        return metric_nomem(reader);
    if (is_taken(judging, shown->name)) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`%.60s` is shown twice", shown->name);
        return false;
    }
    resolve(reader->program, shown, own);
    judging->n_shown++;
    if (shown->key != NULL)
        return note_key(reader, shown->key, metric);
    metric->fields[metric->n_fields++] = (struct metric_field){
        .output = shown->output, .name = shown->from, .label = NULL};
    return true;
}

static bool make_room(struct metric_reader *reader, size_t n,
                      struct metric *metric, struct judging *judging)
{
    judging->shown = arena_array(reader->arena, n, sizeof *judging->shown);
    metric->fields = arena_array(reader->arena, n, sizeof *metric->fields);
    metric->needs = arena_array(reader->arena, n, sizeof *metric->needs);
    return (judging->shown != NULL && metric->fields != NULL &&
            metric->needs != NULL) ||
           metric_nomem(reader);
}

bool judging_read(struct metric_reader *reader, const struct node *node,
                  struct metric *metric, struct judging *judging)
{
    bool map = node->kind == NODE_MAP;
    bool ok = true;

    if ((!map && node->kind != NODE_LIST) || node->n == 0 ||
        node->n > PROGRAM_MAX_FIELDS) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`inputs` of `%s` takes the names of 1 to %d fields that the "
                 "judge is shown",
                 metric->kind->name, PROGRAM_MAX_FIELDS);
        diag_remedy(reader->diags, "write inputs: [OUTPUT, INPUT]");
        return false;
    }
    if (!make_room(reader, node->n, metric, judging))
        return false;
    for (size_t i = 0; i < node->n; i++)
        ok = judging_add(reader, node->items[i], map ? node->keys[i] : NULL,
                         metric, judging) &&
             ok;
    if (ok && reader->program != NULL && metric->n_fields == 0) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "the judge is shown no output of the program, so its score "
                 "cannot depend on the answer");
        ok = false;
    }
    return ok;
}

bool judging_replicates(struct metric_reader *reader, const struct node *node,
                        struct metric *metric)
{
    int64_t n = 1;

    if (node != NULL && !node_int(node, "`replicates`", 1,
                                  JUDGING_MAX_REPLICATES, &n, reader->diags))
        return false;
    return metric_take_asks(reader, metric, (size_t)n,
                            node != NULL ? &node->place : NULL);
}

bool judging_make(struct metric_reader *reader, const char *instruction,
                  const struct field *outputs, size_t n_outputs, uint64_t reads,
                  struct judging *judging)
{
    struct field inputs[PROGRAM_MAX_FIELDS] = {0};
    struct err err = ERR_CLEAR;

    judging->reads = reads;
    if (reader->program == NULL)
        return true;
    for (size_t i = 0; i < judging->n_shown; i++)
        inputs[i] =
            (struct field){.name = judging->shown[i].name,
                           .desc = judging->shown[i].desc,
                           .type = {.min_length = -1, .max_length = -1}};
    judging->program =
        program_single(&(struct single_step){.name = "judge",
                                             .kind = &step_predict,
                                             .instruction = instruction,
                                             .inputs = inputs,
                                             .n_inputs = judging->n_shown,
                                             .outputs = outputs,
                                             .n_outputs = n_outputs},
                       &err);
    return judging->program != NULL || metric_nomem(reader);
}

void judging_release(struct judging *judging)
{
    program_free(judging->program);
    judging->program = NULL;
}

// ---- asking

const json_t *judging_value(const struct shown *shown,
                            const struct metric_case *given)
{
    return shown->key != NULL ? json_object_get(given->example, shown->key)
                              : json_object_get(given->outputs, shown->from);
}

bool judging_prefix(const struct judging *judging, struct buf *text,
                    struct buf *format, struct err *err)
{
    struct candidate *plain = candidate_new(judging->program, err);
    const struct step *step = &judging->program->steps[0];
    bool ok = plain != NULL &&
              prompt_prefix(step, &plain->parts[0], ADAPTER_JSON, text, err) &&
              prompt_format(step, ADAPTER_JSON, format, err);

    candidate_unref(plain);
    return ok;
}

bool judging_ask(const struct judging *judging, const struct metric_case *given,
                 struct buf *text, struct ask *out, struct err *err)
{
    json_t *inputs = json_object();
    bool ok = inputs != NULL;

    for (size_t i = 0; ok && i < judging->n_shown; i++) {
        const json_t *value = judging_value(&judging->shown[i], given);

        ok = json_object_set_new(inputs, judging->shown[i].name,
                                 value == NULL
                                     ? json_null()
                                     : json_incref((json_t *)value)) == 0;
    }
    if (!ok)
        err_nomem(err, "a question to the judge");
    out->answerer = ANSWERER_MODEL;
    out->form = ADAPTER_JSON;
    ok = ok && prompt_question(&judging->program->steps[0], inputs, text, err);
    json_decref(inputs);
    return ok;
}

bool judging_read_answer(const struct judging *judging,
                         const struct call_answer *answer, json_t **values,
                         struct err *err)
{
    const struct reply_asked asked = {.step = &judging->program->steps[0],
                                      .adapter = ADAPTER_JSON,
                                      .reads = judging->reads};
    const struct span text = {answer->text, answer->text_len};
    unsigned ignored = 0;

    // A reply that ran on past its object, as small models write them, is an
    // answer.
    if (answer->outcome == CALL_TEXT ||
        (answer->outcome == CALL_CUT && reply_is_closed(&asked, text)))
        return reply_parse(&asked, text, values, &ignored, err);
    err_set(err, ERR_INPUT, "the judge's answer is not a text (%s)",
            call_outcome_name(answer->outcome));
    return false;
}

// ---- scoring

bool judging_score(const struct metric *metric, const struct metric_case *given,
                   struct score *out, struct err *err)
{
    const struct score *replies = &given->outside[metric->outside];
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    double n = (double)metric->n_asks;
    double sum = 0;
    double squares = 0;

    for (size_t i = 0; i < metric->n_asks; i++) {
        sum += replies[i].value;
        if (feedback.len == 0 && replies[i].value < 1 &&
            replies[i].feedback != NULL)
            buf_puts(&feedback, replies[i].feedback);
    }
    for (size_t i = 0; i < metric->n_asks; i++)
        squares += (replies[i].value - sum / n) * (replies[i].value - sum / n);
    out->variance = metric->n_asks > 1 ? squares / (n - 1) / n : -1;
    return score_give(out, sum / n, &feedback, err);
}

json_t *judging_json(const struct judging *judging)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < judging->n_shown; i++)
        if (json_object_set_new(map, judging->shown[i].name,
                                json_string(judging->shown[i].from)) != 0) {
            json_decref(map);
            map = NULL;
        }
    return map;
}
