// vote: the answer that most of several steps agree on.
//
//   vote: {intent: [one.intent, two.intent, three.intent],
//          reply: [one.reply, two.reply, three.reply]}
//   field: intent
//
// The lists have the same length, with one entry per voter. The votes are the
// values of `field`. The value that most voters give wins; on a tie, the one
// that came from the earliest voter. All outputs are taken from the first voter
// who gave the winning value, so that they belong together. With `choice`, a
// number from elsewhere (a judge's, for example) says whose outputs to take,
// and votes count only if it names no voter with a value.
//
// Voters may fail: one without a value does not vote, and the step fails only
// if no voter has a value. The step's inputs are intent_1, intent_2, ...,
// reply_1, ..., in the order of its outputs, followed by `choice`.

#include <string.h>

#include "common/fold.h"
#include "program/graph/kind.h"
#include "program/graph/step.h"
#include "program/graph/type_check.h"
#include "program/graph/value.h"

static const char *const keys[] = {"field", "choice", "outputs", NULL};

static size_t input_of(const struct step *step, size_t output, size_t voter)
{
    return output * step->vote->voters + voter;
}

static size_t choice_of(const struct step *step)
{
    return step->signature.n_outputs * step->vote->voters;
}

// --- reading ---

static bool refuse(struct scope *scope, const struct step *step,
                   const struct node *at, const char *what)
{
    diag_add(scope->diags, DIAG_ERROR, "wrong-value",
             at == NULL ? &step->place : &at->place, "step `%s`: %s",
             step->name, what);
    diag_remedy(scope->diags, "write vote: {intent: [one.intent, two.intent]}, "
                              "with a list for each of `outputs`");
    return false;
}

// Returns the output that is counted by default: the first label, or else the
// last output.
static size_t usual_field(const struct signature *signature)
{
    for (size_t i = 0; i < signature->n_outputs; i++) {
        enum type_kind kind = signature->outputs[i].type.kind;

        if (kind == TYPE_ENUM || kind == TYPE_BOOL)
            return i;
    }
    return signature->n_outputs - 1;
}

static bool read_field(struct scope *scope, struct step *step,
                       const struct node *node)
{
    const struct signature *signature = &step->signature;
    const char *name = NULL;

    step->vote->field = usual_field(signature);
    if (node == NULL)
        return true;
    if (!node_text(node, "`field`", &name, scope->diags))
        return false;
    for (size_t i = 0; i < signature->n_outputs; i++)
        if (strcmp(signature->outputs[i].name, name) == 0) {
            step->vote->field = i;
            return true;
        }
    return refuse(scope, step, node, "`field` must be one of its outputs");
}

static bool declare(struct scope *scope, struct step *step,
                    const struct node *node)
{
    struct vote_spec *spec = arena_alloc(&scope->program->arena, sizeof *spec);

    if (spec == NULL)
        return step_nomem(scope);
    *spec = (struct vote_spec){.chosen = node_find(node, "choice") != NULL};
    step->vote = spec;
    return step_declare_outputs(scope, step, node) &&
           read_field(scope, step, node_find(node, "field"));
}

static const struct node *voters_node(const struct node *map, const char *name)
{
    return map == NULL || map->kind != NODE_MAP ? NULL : node_find(map, name);
}

// Counts the voters; the number must be the same for all outputs.
static bool count_voters(struct scope *scope, struct step *step,
                         const struct node *map)
{
    const struct signature *signature = &step->signature;

    for (size_t i = 0; i < signature->n_outputs; i++) {
        const struct node *list = voters_node(map, signature->outputs[i].name);

        if (list == NULL || list->kind != NODE_LIST || list->n == 0)
            return refuse(scope, step, list == NULL ? map : list,
                          "`vote` must have a list of sources for each output");
        if (list->n > VOTERS_MAX)
            return refuse(scope, step, list, "`vote` has more than 32 voters");
        if (i > 0 && list->n != step->vote->voters)
            return refuse(scope, step, list,
                          "the lists of `vote` must have the same length");
        step->vote->voters = list->n;
    }
    return map->n == signature->n_outputs ||
           refuse(scope, step, map,
                  "`vote` has a list for a name that is not an output of the "
                  "step");
}

static bool add_voter(struct scope *scope, struct step *step, const char *name,
                      size_t voter, const struct node *source)
{
    const char *input =
        arena_printf(&scope->program->arena, "%s_%zu", name, voter + 1);

    return input == NULL ? step_nomem(scope)
                         : step_add_input(scope, step, input, source);
}

static bool resolve(struct scope *scope, struct step *step,
                    const struct node *node)
{
    const struct node *map = node_find(node, "vote");
    const struct node *choice = node_find(node, "choice");
    size_t n = step->signature.n_outputs;

    if (!count_voters(scope, step, map) ||
        !step_make_inputs(scope, step, n * step->vote->voters + 1))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *name = step->signature.outputs[i].name;
        const struct node *list = voters_node(map, name);

        for (size_t v = 0; v < list->n; v++)
            if (!add_voter(scope, step, name, v, list->items[v]))
                return false;
    }
    return choice == NULL || step_add_input(scope, step, "choice", choice);
}

static json_t *voters_json(const struct step *step, json_t *inputs)
{
    const struct signature *signature = &step->signature;
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < signature->n_outputs; i++) {
        json_t *list = json_array();

        bool ok = list != NULL;

        for (size_t v = 0; ok && v < step->vote->voters; v++)
            ok = json_array_append(
                     list, json_object_get(
                               inputs,
                               signature->inputs[input_of(step, i, v)].name)) ==
                 0;
        if (json_object_set_new(map, signature->outputs[i].name, list) != 0 ||
            !ok) {
            json_decref(map);
            map = NULL;
        }
    }
    return map;
}

static json_t *json(const struct program *program, const struct step *step)
{
    json_t *inputs = step_inputs_json(program, step);
    json_t *voters = voters_json(step, inputs);
    json_t *outputs = step_outputs_json(step);
    json_t *map =
        json_pack("{s:o, s:s, s:o, s:O*}", "vote", voters, "field",
                  step->signature.outputs[step->vote->field].name, "outputs",
                  outputs, "choice", json_object_get(inputs, "choice"));

    json_decref(inputs);
    return map;
}

// --- counting ---

// Returns the value of a voter; NULL if it does not count.
static const json_t *vote_of(const struct step *step, const json_t *inputs,
                             size_t output, size_t voter)
{
    const struct field *field = &step->signature.outputs[output];
    const json_t *value = json_object_get(
        inputs, step->signature.inputs[input_of(step, output, voter)].name);

    return value != NULL && !json_is_null(value) &&
                   type_check(&field->type, field->name, value, NULL)
               ? value
               : NULL;
}

// Texts are alike if they differ only in case and surrounding white space.
static bool is_alike(const json_t *a, const json_t *b)
{
    if (!json_is_string(a) || !json_is_string(b))
        return value_equal(a, b);
    return fold_same(json_string_value(a), json_string_value(b));
}

static size_t count_alike(const struct step *step, const json_t *inputs,
                          const json_t *value)
{
    size_t n = 0;

    for (size_t v = 0; v < step->vote->voters; v++) {
        const json_t *other = vote_of(step, inputs, step->vote->field, v);

        n += other != NULL && is_alike(value, other);
    }
    return n;
}

// Returns the first voter with the value that most voters gave; `voters` if
// nobody voted.
static size_t majority(const struct step *step, const json_t *inputs)
{
    size_t winner = step->vote->voters;
    size_t most = 0;

    for (size_t v = 0; v < step->vote->voters; v++) {
        const json_t *value = vote_of(step, inputs, step->vote->field, v);
        size_t n = value == NULL ? 0 : count_alike(step, inputs, value);

        if (n > most)
            winner = v;
        if (n > most)
            most = n;
    }
    return winner;
}

static size_t elect(const struct step *step, const json_t *inputs)
{
    const json_t *choice = json_object_get(inputs, "choice");
    json_int_t named = json_integer_value(choice);

    if (json_is_integer(choice) && named >= 1 &&
        (size_t)named <= step->vote->voters &&
        vote_of(step, inputs, step->vote->field, (size_t)named - 1) != NULL)
        return (size_t)named - 1;
    return majority(step, inputs);
}

static json_t *compute(const struct step *step, json_t *inputs)
{
    const struct signature *signature = &step->signature;
    size_t winner = elect(step, inputs);
    json_t *outputs = json_object();

    for (size_t i = 0; outputs != NULL && i < signature->n_outputs; i++) {
        const json_t *value = winner < step->vote->voters
                                  ? vote_of(step, inputs, i, winner)
                                  : NULL;

        if (json_object_set_new(outputs, signature->outputs[i].name,
                                value == NULL
                                    ? json_null()
                                    : json_incref((json_t *)value)) != 0) {
            json_decref(outputs);
            outputs = NULL;
        }
    }
    return outputs;
}

static bool needs(const struct step *step, uint64_t reads, size_t input)
{
    size_t output = input / step->vote->voters;

    return input == choice_of(step) || output == step->vote->field ||
           (reads & (UINT64_C(1) << output)) != 0;
}

static bool survives(const struct step *step, const bool *lost)
{
    for (size_t v = 0; v < step->vote->voters; v++)
        if (!lost[input_of(step, step->vote->field, v)])
            return true;
    return false;
}

const struct step_kind step_vote = {
    .key = "vote",
    .keys = keys,
    .declare = declare,
    .resolve = resolve,
    .json = json,
    .takes_null = true,
    .compute = compute,
    .needs = needs,
    .survives = survives,
    .dspy_remark = "its votes are counted by the program that loads this file",
};
