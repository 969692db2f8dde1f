#include "search/toolkit/labels.h"

#include <assert.h>
#include <stdlib.h>

#include "program/graph/kind.h"
#include "search/toolkit/fillers.h"
#include "search/toolkit/row_demo.h"
#include "search/toolkit/teacher.h"

enum { BATCH_MAX = 4096 };

// What is known about a step for an example.
struct known_step {
    bool tried;
    json_t *outputs;  // owned: all of them, or NULL
    struct demo demo; // fields NULL: no demo
};

struct labels {
    struct session *session;
    const struct program *program;
    const struct dataset *dataset;
    struct known_step *
        *examples; // one per row, a slot per step; NULL: untouched
    struct fillers fillers;
    bool no_memory; // a known value could not be built
};

struct labels *labels_new(struct session *session, struct err *err)
{
    struct labels *labels = calloc(1, sizeof *labels);

    if (labels == NULL) {
        err_nomem(err, "labelled demos");
        return NULL;
    }
    labels->session = session;
    labels->program = session_job(session)->program;
    labels->dataset = session_dataset(session);
    labels->examples =
        calloc(dataset_size(labels->dataset) + 1, sizeof *labels->examples);
    if (labels->examples == NULL) {
        err_nomem(err, "labelled demos");
        labels_free(labels);
        return NULL;
    }
    return labels;
}

static void release_example(struct known_step *slots, size_t n)
{
    for (size_t i = 0; slots != NULL && i < n; i++) {
        json_decref(slots[i].outputs);
        json_decref(slots[i].demo.fields);
    }
    free(slots);
}

void labels_free(struct labels *labels)
{
    if (labels == NULL)
        return;
    for (size_t i = 0;
         labels->examples != NULL && i < dataset_size(labels->dataset); i++)
        release_example(labels->examples[i], labels->program->n_steps);
    free(labels->examples);
    fillers_release(&labels->fillers);
    free(labels);
}

static bool get_slot(struct labels *labels, size_t row, int step,
                     struct known_step **out, struct err *err)
{
    struct known_step **slots = &labels->examples[row];

    if (*slots == NULL)
        *slots = calloc(labels->program->n_steps, sizeof **slots);
    if (*slots == NULL) {
        err_nomem(err, "labelled demos");
        return false;
    }
    *out = &(*slots)[step];
    return true;
}

// --- what an example says

static bool has_label(struct labels *labels, size_t row, int step, size_t field)
{
    json_t *label = row_demo_label(labels->program, labels->dataset, row, step,
                                   field, &labels->no_memory);

    json_decref(label);
    return label != NULL;
}

// Stores a known value and takes it over. Returns false if value is NULL or
// when out of memory.
static bool put_known(struct labels *labels, json_t *object, const char *key,
                      json_t *value)
{
    if (value == NULL)
        return false;
    if (json_object_set_new(object, key, value) == 0)
        return true;
    labels->no_memory = true;
    return false;
}

static json_t *new_object(struct labels *labels)
{
    json_t *object = json_object();
    if (object == NULL)
        labels->no_memory = true;
    return object;
}

static json_t *known_output(struct labels *labels, size_t row,
                            struct source source)
{
    const struct step *step = &labels->program->steps[source.step];
    const struct known_step *slots = labels->examples[row];
    json_t *value =
        row_demo_label(labels->program, labels->dataset, row, source.step,
                       (size_t)source.field, &labels->no_memory);

    if (value == NULL && slots != NULL)
        value = json_incref(
            json_object_get(slots[source.step].outputs,
                            step->signature.outputs[source.field].name));
    return value;
}

static json_t *known_inputs(struct labels *labels, size_t row, int step);

// Returns what a step computes from inputs that are all known.
static json_t *known_computed(struct labels *labels, size_t row,
                              struct source source)
{
    const struct step *step = &labels->program->steps[source.step];
    json_t *inputs = known_inputs(labels, row, source.step);
    json_t *outputs = NULL;
    json_t *value = NULL;

    if (inputs == NULL)
        return NULL;
    outputs = step->kind->compute(step, inputs);
    json_decref(inputs);
    if (outputs == NULL)
        labels->no_memory = true;
    if (outputs == NULL || source.field == SOURCE_WHOLE)
        return outputs;
    value = json_incref(
        json_object_get(outputs, step->signature.outputs[source.field].name));
    json_decref(outputs);
    return value;
}

static json_t *known_input(struct labels *labels, size_t row, const char *name)
{
    json_t *inputs = dataset_inputs(labels->dataset, row);
    json_t *value = json_incref(json_object_get(inputs, name));

    labels->no_memory = labels->no_memory || inputs == NULL;
    json_decref(inputs);
    return value;
}

// Returns a new reference, or NULL if the value is unknown.
static json_t *known_value(struct labels *labels, size_t row,
                           struct source source)
{
    const struct program *program = labels->program;

    if (source.step == SOURCE_INPUT)
        return known_input(labels, row, program->inputs[source.field].name);
    return program->steps[source.step].kind->compute != NULL
               ? known_computed(labels, row, source)
               : known_output(labels, row, source);
}

// Returns a new reference to the step's inputs by name, or NULL if one is
// unknown.
static json_t *known_inputs(struct labels *labels, size_t row, int step)
{
    const struct step *at = &labels->program->steps[step];
    json_t *inputs = new_object(labels);

    for (size_t i = 0; inputs != NULL && i < at->signature.n_inputs; i++) {
        if (put_known(labels, inputs, at->signature.inputs[i].name,
                      known_value(labels, row, at->sources[i])))
            continue;
        json_decref(inputs);
        inputs = NULL;
    }
    return inputs;
}

// Returns true if the step is known to run on that row. A row on which the step
// does not run cannot be a demo of it.
static bool is_known_to_run(struct labels *labels, size_t row, int step)
{
    const struct step *at = &labels->program->steps[step];
    bool runs = true;

    for (size_t i = 0; runs && i < at->n_when; i++) {
        json_t *value = known_value(labels, row, at->when[i].source);

        runs = value != NULL && condition_holds(&at->when[i], value);
        json_decref(value);
    }
    return runs;
}

static uint64_t known_outputs(struct labels *labels, size_t row, int step)
{
    size_t n = labels->program->steps[step].signature.n_outputs;
    uint64_t known = 0;

    for (size_t i = 0; i < n; i++) {
        if (has_label(labels, row, step, i))
            known |= UINT64_C(1) << i;
    }
    return known;
}

static uint64_t all_outputs(size_t n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

json_t *labels_inputs(struct labels *labels, int step, size_t row)
{
    return known_inputs(labels, row, step);
}

bool labels_say_all(struct labels *labels, int step, size_t row)
{
    size_t n = labels->program->steps[step].signature.n_outputs;
    json_t *inputs = NULL;

    if (known_outputs(labels, row, step) != all_outputs(n))
        return false;
    inputs = known_inputs(labels, row, step);
    json_decref(inputs);
    return inputs != NULL;
}

// --- filling

// Adds the outputs that the example labels to the inputs that a filler is
// shown.
static bool add_known(struct labels *labels, size_t row, int step,
                      json_t *inputs, struct err *err)
{
    const struct signature *signature = &labels->program->steps[step].signature;

    for (size_t i = 0; i < signature->n_outputs; i++) {
        json_t *value = row_demo_label(labels->program, labels->dataset, row,
                                       step, i, &labels->no_memory);
        bool ok = value == NULL ||
                  row_demo_put(inputs, &signature->outputs[i], value, err);

        json_decref(value);
        if (!ok)
            return false;
    }
    return true;
}

// Keeps all outputs in order, with labels laid over the teacher's answer.
static bool keep(struct labels *labels, size_t row, int step,
                 struct known_step *slot, const json_t *inputs,
                 const json_t *answer, struct err *err)
{
    const struct signature *signature = &labels->program->steps[step].signature;

    if (!row_demo_of_run(labels->program, labels->dataset,
                         &(struct row_demo_run){step, row, inputs, answer},
                         &slot->demo, err))
        return false;
    if (slot->demo.fields == NULL)
        return true;
    slot->outputs = json_object();
    if (slot->outputs == NULL) {
        err_nomem(err, "a demo");
        return false;
    }
    for (size_t i = 0; i < signature->n_outputs; i++) {
        const struct field *field = &signature->outputs[i];
        if (!row_demo_put(slot->outputs, field,
                          json_object_get(slot->demo.fields, field->name), err))
            return false;
    }
    if (known_outputs(labels, row, step) == 0) {
        json_decref(slot->demo.fields);
        slot->demo.fields = NULL;
    }
    return true;
}

// Sets up the question for a row. *asks is false if none is needed or none can
// be asked.
static bool prepare(struct labels *labels, size_t row, int step,
                    struct question *question, bool *asks, struct err *err)
{
    size_t n = labels->program->steps[step].signature.n_outputs;
    uint64_t known = known_outputs(labels, row, step);
    struct known_step *slot = NULL;

    *asks = false;
    if (!get_slot(labels, row, step, &slot, err))
        return false;
    if (slot->tried)
        return true;
    slot->tried = true;
    json_t *inputs = is_known_to_run(labels, row, step)
                         ? known_inputs(labels, row, step)
                         : NULL;
    if (inputs == NULL) {
        if (labels->no_memory)
            err_nomem(err, "labelled demos");
        return !labels->no_memory;
    }
    if (known == all_outputs(n)) {
        bool ok = keep(labels, row, step, slot, inputs, NULL, err);
        json_decref(inputs);
        return ok;
    }
    *question = (struct question){.inputs = inputs, .purpose = "fill"};
    question->draw = (int64_t)row * PROGRAM_MAX_STEPS + step;
    question->form =
        fillers_get(&labels->fillers, labels->program, step, known, err);
    *asks = question->form != NULL;
    if (!*asks || !add_known(labels, row, step, inputs, err)) {
        question_release(question);
        return false;
    }
    return true;
}

static bool keep_answer(struct labels *labels, size_t row, int step,
                        const struct question *question, struct err *err)
{
    struct known_step *slot = NULL;

    if (question->answer == NULL)
        return true;
    return get_slot(labels, row, step, &slot, err) &&
           keep(labels, row, step, slot, question->inputs, question->answer,
                err);
}

static bool fill_batch(struct labels *labels, int step, struct row_span rows,
                       struct err *err)
{
    bool ok = false;
    size_t asked = 0;
    struct question *questions = calloc(rows.n, sizeof *questions);
    size_t *asked_rows = calloc(rows.n, sizeof *asked_rows);

    if (questions == NULL || asked_rows == NULL) {
        err_nomem(err, "labelled demos");
        goto out;
    }
    for (size_t i = 0; i < rows.n; i++) {
        bool asks = false;
        if (!prepare(labels, rows.rows[i], step, &questions[asked], &asks, err))
            goto out;
        asked_rows[asked] = rows.rows[i];
        asked += asks;
    }
    if (!questions_ask(labels->session, questions, asked, err))
        goto out;
    for (size_t i = 0; i < asked; i++) {
        if (!keep_answer(labels, asked_rows[i], step, &questions[i], err))
            goto out;
    }
    ok = true;

out:
    for (size_t i = 0; questions != NULL && i < asked; i++)
        question_release(&questions[i]);
    free(asked_rows);
    free(questions);
    return ok;
}

// Fills what source depends on, for the rows whose example does not say it.
static bool fill_source(struct labels *labels, struct source source,
                        struct row_span rows, struct err *err)
{
    if (source.step == SOURCE_INPUT)
        return true;
    const struct step *step = &labels->program->steps[source.step];
    if (step->kind->compute != NULL) {
        for (size_t i = 0; i < step->signature.n_inputs; i++) {
            if (!fill_source(labels, step->sources[i], rows, err))
                return false;
        }
        return true;
    }
    if (!step->kind->predictor) // only a run tells what it gives
        return true;
    for (size_t i = 0; i < rows.n; i++) {
        if (!has_label(labels, rows.rows[i], source.step, (size_t)source.field))
            return labels_fill(labels, source.step, rows, err);
    }
    return true;
}

bool labels_fill(struct labels *labels, int step, struct row_span rows,
                 struct err *err)
{
    const struct step *at = &labels->program->steps[step];

    assert(at->predictor >= 0);
    for (size_t i = 0; i < step_n_sources(at); i++) {
        if (!fill_source(labels, *step_source(at, i), rows, err))
            return false;
    }
    for (size_t from = 0; from < rows.n; from += BATCH_MAX) {
        struct row_span rest = {rows.rows + from, rows.n - from};
        if (!fill_batch(labels, step, row_span_first(rest, BATCH_MAX), err))
            return false;
    }
    return true;
}

const struct demo *labels_demo(const struct labels *labels, int step,
                               size_t row)
{
    const struct known_step *slots = labels->examples[row];

    if (slots == NULL || slots[step].demo.fields == NULL)
        return NULL;
    return &slots[step].demo;
}
