#include "program/run/ensemble_program.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/type_form.h"

const char *const ensemble_reduce_names[] = {"majority", "judge", NULL};

enum { NAME_BYTES = 1 << 10 };

static const char judge_instruction[] =
    "Say which of the answers is the best one: the one that is right, and does "
    "what the descriptions of its fields ask for.";

// The program being built. All pointers are borrowed.
struct work {
    const struct ensemble_members *members;
    const struct ensemble_options *options;
    struct program *first; // all members share its inputs and outputs
    struct err *err;
};

static bool nomem(const struct work *work)
{
    err_nomem(work->err, "an ensemble");
    return false;
}

// --- the steps of a member ---

// Returns NAME_2; NULL when out of memory. The caller frees the result.
static char *renamed(const char *name, size_t member)
{
    struct buf text = BUF_INIT(NAME_BYTES);

    buf_printf(&text, "%s_%zu", name, member + 1);
    if (!text.failed)
        return buf_take(&text);
    buf_release(&text);
    return NULL;
}

json_t *ensemble_source_json(const struct program *program, const char *source,
                             size_t member)
{
    size_t len = strcspn(source, ".");
    struct buf text = BUF_INIT(NAME_BYTES);
    json_t *value = NULL;

    buf_append(&text, source, len);
    buf_putc(&text, '\0');
    if (!text.failed && program_find_step(program, text.data) >= 0 &&
        (source[len] == '.' ||
         program->steps[program_find_step(program, text.data)].kind->whole))
        value = json_sprintf("%s_%zu%s", text.data, member + 1, source + len);
    else if (!text.failed)
        value = json_string(source);
    buf_release(&text);
    return value;
}

static json_t *sources_json(const struct program *program, const json_t *given,
                            size_t member)
{
    json_t *made = json_is_array(given) ? json_array() : json_object();
    bool ok = made != NULL;
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_string(given)) {
        json_decref(made);
        return ensemble_source_json(program, json_string_value(given), member);
    }
    json_array_foreach(given, i, value)
        ok = json_array_append_new(made,
                                   sources_json(program, value, member)) == 0 &&
             ok;
    json_object_foreach((json_t *)given, key, value)
        ok = json_object_set_new(made, key,
                                 sources_json(program, value, member)) == 0 &&
             ok;
    if (ok)
        return made;
    json_decref(made);
    return NULL;
}

// Returns {SOURCE: VALUES}, with the sources renamed.
static json_t *when_json(const struct program *program, json_t *given,
                         size_t member)
{
    json_t *made = json_object();
    bool ok = made != NULL;
    const char *key;
    json_t *value;

    json_object_foreach(given, key, value) {
        json_t *source = ensemble_source_json(program, key, member);

        ok = json_object_set(made, json_string_value(source), value) == 0 && ok;
        json_decref(source);
    }
    if (ok)
        return made;
    json_decref(made);
    return NULL;
}

// Returns a step of a member, with what it reads renamed.
static json_t *member_step_json(const struct program *program,
                                const json_t *step, size_t member)
{
    static const char *const of_sources[] = {"inputs", "compose", "vote",
                                             "choice"};
    json_t *json = json_deep_copy(step);
    json_t *when = json_object_get(json, "when");
    bool ok = json != NULL;

    for (size_t i = 0; ok && i < sizeof of_sources / sizeof *of_sources; i++) {
        json_t *given = json_object_get(json, of_sources[i]);

        ok = given == NULL ||
             json_object_set_new(json, of_sources[i],
                                 sources_json(program, given, member)) == 0;
    }
    if (ok && when != NULL)
        ok = json_object_set_new(json, "when",
                                 when_json(program, when, member)) == 0;
    if (ok)
        return json;
    json_decref(json);
    return NULL;
}

static bool put_member(const struct work *work, size_t member, json_t *steps)
{
    const struct program *program =
        work->members->items[member].compiled->program;
    json_t *whole = program_json(program);
    bool ok = whole != NULL;
    const char *key;
    json_t *step;

    json_object_foreach(json_object_get(whole, "steps"), key, step) {
        char *name = renamed(key, member);

        ok = ok && name != NULL &&
             json_object_set_new(steps, name,
                                 member_step_json(program, step, member)) == 0;
        free(name);
    }
    json_decref(whole);
    return ok || nomem(work);
}

// Returns the source of output `o` in that member's program.
static json_t *output_source(const struct work *work, size_t member, size_t o)
{
    const struct program *program =
        work->members->items[member].compiled->program;
    json_t *whole = program_json(program);
    const json_t *output = json_object_get(json_object_get(whole, "outputs"),
                                           work->first->outputs[o].name);
    const char *source = json_is_string(output)
                             ? json_string_value(output)
                             : json_get_text(output, "value", NULL);
    json_t *value =
        source == NULL ? NULL : ensemble_source_json(program, source, member);

    json_decref(whole);
    return value;
}

// --- the judge ---

// No step of a member has such a name, because those end in a digit.
static const char answer_name[] = "answer_%zu_";

static bool put_answers(const struct work *work, json_t *steps, json_t *inputs)
{
    for (size_t m = 0; m < work->members->n; m++) {
        json_t *entries = json_object();
        json_t *name = json_sprintf(answer_name, m + 1);
        bool ok = entries != NULL && name != NULL;

        for (size_t o = 0; ok && o < work->first->n_outputs; o++)
            ok = json_object_set_new(entries, work->first->outputs[o].name,
                                     output_source(work, m, o)) == 0;
        ok = ok &&
             json_object_set(inputs, json_string_value(name), name) == 0 &&
             json_object_set_new(steps, json_string_value(name),
                                 json_pack("{s:O}", "compose", entries)) == 0;
        json_decref(entries);
        json_decref(name);
        if (!ok)
            return nomem(work);
    }
    return true;
}

static bool put_judge(const struct work *work, json_t *steps)
{
    json_t *inputs = json_object();
    bool ok = inputs != NULL || nomem(work);

    for (size_t i = 0; ok && i < work->first->n_inputs; i++)
        ok = json_object_set_new(inputs, work->first->inputs[i].name,
                                 json_string(work->first->inputs[i].name)) ==
                 0 ||
             nomem(work);
    ok = ok && put_answers(work, steps, inputs) &&
         (json_object_set_new(
              steps, "judge",
              json_pack("{s:s, s:O, s:{s:{s:s, s:s, s:i, s:i}}}", "predict",
                        judge_instruction, "inputs", inputs, "outputs", "best",
                        "desc", "The number of the best answer", "type", "int",
                        "min", 1, "max", (int)work->members->n)) == 0 ||
          nomem(work));
    json_decref(inputs);
    return ok;
}

// --- the vote ---

static json_t *voters_json(const struct work *work)
{
    json_t *voters = json_object();

    for (size_t o = 0; voters != NULL && o < work->first->n_outputs; o++) {
        json_t *list = json_array();
        bool ok = list != NULL;

        for (size_t m = 0; ok && m < work->members->n; m++)
            ok = json_array_append_new(list, output_source(work, m, o)) == 0;
        if (json_object_set_new(voters, work->first->outputs[o].name, list) !=
                0 ||
            !ok) {
            json_decref(voters);
            voters = NULL;
        }
    }
    return voters;
}

static bool check_field(const struct work *work)
{
    const char *field = work->options->field;

    for (size_t o = 0; field != NULL && o < work->first->n_outputs; o++)
        if (strcmp(work->first->outputs[o].name, field) == 0)
            return true;
    if (field != NULL)
        err_set(work->err, ERR_INPUT,
                "--field %.60s: the programs have no such output", field);
    return field == NULL;
}

static bool put_vote(const struct work *work, json_t *steps)
{
    json_t *vote = json_pack("{s:o, s:o}", "vote", voters_json(work), "outputs",
                             program_outputs_json(work->first, work->err));
    bool ok = vote != NULL;

    if (ok && work->options->field != NULL)
        ok = json_object_set_new(vote, "field",
                                 json_string(work->options->field)) == 0;
    if (ok && work->options->reduce == ENSEMBLE_JUDGE)
        ok =
            json_object_set_new(vote, "choice", json_string("judge.best")) == 0;
    ok = ok && json_object_set(steps, "vote", vote) == 0;
    json_decref(vote);
    return ok || nomem(work);
}

// Returns the outputs as the first member has them, with the keys of their
// labels.
static json_t *returned_json(const struct work *work)
{
    json_t *whole = program_json(work->first);
    json_t *outputs = json_incref(json_object_get(whole, "outputs"));

    json_decref(whole);
    for (size_t o = 0; outputs != NULL && o < work->first->n_outputs; o++) {
        const char *name = work->first->outputs[o].name;
        const char *from = work->first->outputs[o].from;
        json_t *source = json_sprintf("vote.%s", name);

        if (from != NULL)
            source = json_pack("{s:o, s:s}", "value", source, "from", from);
        if (json_object_set_new(outputs, name, source) != 0) {
            json_decref(outputs);
            outputs = NULL;
        }
    }
    return outputs;
}

static bool put_steps(const struct work *work, json_t *steps)
{
    for (size_t m = 0; m < work->members->n; m++)
        if (!put_member(work, m, steps))
            return false;
    if (work->options->reduce == ENSEMBLE_JUDGE && !put_judge(work, steps))
        return false;
    return put_vote(work, steps);
}

json_t *ensemble_program_json(const struct ensemble_members *members,
                              const struct ensemble_options *options,
                              struct err *err)
{
    const struct work work = {.members = members,
                              .options = options,
                              .first = ensemble_members_first(members),
                              .err = err};
    json_t *steps = json_object();
    json_t *json = NULL;

    if (!check_field(&work)) {
        json_decref(steps);
        return NULL;
    }
    if (steps != NULL && put_steps(&work, steps))
        json = json_pack("{s:o, s:O, s:o}", "inputs",
                         fields_json(work.first->inputs, work.first->n_inputs),
                         "steps", steps, "outputs", returned_json(&work));
    json_decref(steps);
    if (json == NULL && err->code == ERR_NONE)
        (void)nomem(&work);
    return json;
}
