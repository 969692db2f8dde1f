#include "search/toolkit/bank.h"

#include <stdlib.h>

#include "program/graph/type_check.h"
#include "search/toolkit/labels.h"
#include "search/toolkit/row_demo.h"

enum source_kind { BY_NOTHING, BY_LABELS, BY_TRACE, BY_MENDING, BY_TEACHER };

struct account {
    enum source_kind kind;
    struct demo demo; // owned; from a trace, mended or not
};

struct bank {
    struct session *session;
    const struct program *program;
    struct row_span rows; // borrowed
    struct labels *labels;
    struct account *accounts; // by place, then by part
};

static struct account *account_of(const struct bank *bank, size_t part,
                                  size_t place)
{
    return &bank->accounts[place * bank->program->n_predictors + part];
}

static bool runs_part(const struct bank *bank, size_t part)
{
    return session_plan(bank->session)->runs[bank->program->predictors[part]];
}

static bool has_label(const struct bank *bank, int step, size_t field,
                      size_t row)
{
    const struct field *output =
        &bank->program->steps[step].signature.outputs[field];
    json_t *fields = dataset_fields(session_dataset(bank->session), row);
    const json_t *label =
        program_label(bank->program, fields, step, (int)field);
    bool has =
        label != NULL && type_check(&output->type, output->name, label, NULL);

    json_decref(fields);
    return has;
}

// Returns what the row alone provides: all of a demo, part of it, or nothing.
static enum source_kind kind_of(const struct bank *bank, size_t part,
                                size_t row)
{
    int step = bank->program->predictors[part];
    size_t n = bank->program->steps[step].signature.n_outputs;

    if (labels_say_all(bank->labels, step, row))
        return BY_LABELS;
    for (size_t f = 0; f < n; f++)
        if (has_label(bank, step, f, row))
            return BY_TEACHER;
    return BY_NOTHING;
}

struct bank *bank_new(struct session *session, struct row_span rows,
                      struct err *err)
{
    struct bank *bank = calloc(1, sizeof *bank);

    if (bank == NULL)
        goto nomem;
    bank->session = session;
    bank->program = session_job(session)->program;
    bank->rows = rows;
    bank->accounts = calloc(rows.n * bank->program->n_predictors + 1,
                            sizeof *bank->accounts);
    if (bank->accounts == NULL)
        goto nomem;
    bank->labels = labels_new(session, err);
    if (bank->labels == NULL) {
        bank_free(bank);
        return NULL;
    }
    for (size_t i = 0; i < rows.n; i++)
        for (size_t p = 0; p < bank->program->n_predictors; p++)
            if (runs_part(bank, p))
                account_of(bank, p, i)->kind = kind_of(bank, p, rows.rows[i]);
    return bank;

nomem:
    bank_free(bank);
    err_nomem(err, "demos");
    return NULL;
}

void bank_free(struct bank *bank)
{
    if (bank == NULL)
        return;
    for (size_t i = 0; bank->accounts != NULL &&
                       i < bank->rows.n * bank->program->n_predictors;
         i++)
        json_decref(bank->accounts[i].demo.fields);
    free(bank->accounts);
    labels_free(bank->labels);
    free(bank);
}

// Returns true if no output without a label is text: then the student's own
// values will do, whatever the label is.
static bool is_mendable(const struct bank *bank, int step, size_t row)
{
    const struct signature *signature = &bank->program->steps[step].signature;
    bool labelled = false;

    for (size_t f = 0; f < signature->n_outputs; f++) {
        enum type_kind kind = signature->outputs[f].type.kind;

        if (has_label(bank, step, f, row))
            labelled = true;
        else if (kind != TYPE_INT && kind != TYPE_FLOAT && kind != TYPE_BOOL &&
                 kind != TYPE_ENUM)
            return false;
    }
    return labelled;
}

// Makes a demo from a run. If the row itself has the step's inputs, they are
// used instead of the run's, since a wrong run of the earlier steps must not
// become part of the lesson.
static bool make_demo(struct bank *bank, int step, size_t row,
                      const struct task_item *item, struct demo *out,
                      struct err *err)
{
    json_t *known = labels_inputs(bank->labels, step, row);
    const json_t *inputs = known != NULL ? known : item->step_inputs[step];
    bool ok;

    *out = (struct demo){.row = (int)row};
    ok = inputs == NULL || item->step_outputs[step] == NULL ||
         row_demo_of_run(bank->program, session_dataset(bank->session),
                         &(struct row_demo_run){step, row, inputs,
                                                item->step_outputs[step]},
                         out, err);
    json_decref(known);
    return ok;
}

static bool learn_part(struct bank *bank, size_t part, size_t place,
                       const struct task_item *item, bool right,
                       struct err *err)
{
    struct account *account = account_of(bank, part, place);
    int step = bank->program->predictors[part];
    size_t row = bank->rows.rows[place];
    struct demo demo = {0};

    if (account->kind == BY_LABELS || account->kind == BY_TRACE)
        return true;
    if (!right &&
        (account->kind == BY_MENDING || !is_mendable(bank, step, row)))
        return true;
    if (!make_demo(bank, step, row, item, &demo, err))
        return false;
    if (demo.fields == NULL)
        return true;
    json_decref(account->demo.fields);
    account->demo = demo;
    account->kind = right ? BY_TRACE : BY_MENDING;
    return true;
}

bool bank_learn(struct bank *bank, size_t place, const struct task_item *item,
                double pass, struct err *err)
{
    bool right = item->state == ITEM_DONE && item->outcome == RUN_DONE &&
                 item->scored && item->score >= pass;

    if (item->state != ITEM_DONE || item->step_inputs == NULL ||
        item->step_outputs == NULL)
        return true;
    for (size_t p = 0; p < bank->program->n_predictors; p++)
        if (runs_part(bank, p) && !learn_part(bank, p, place, item, right, err))
            return false;
    return true;
}

bool bank_has(const struct bank *bank, size_t part, size_t place, bool *asks)
{
    enum source_kind kind = account_of(bank, part, place)->kind;

    if (asks != NULL)
        *asks = kind == BY_TEACHER;
    return kind != BY_NOTHING;
}

bool bank_fill(struct bank *bank, size_t part, const size_t *places, size_t n,
               struct err *err)
{
    size_t *rows = calloc(n + 1, sizeof *rows);
    size_t asked = 0;
    bool ok = rows != NULL;

    if (!ok)
        err_nomem(err, "demos");
    for (size_t i = 0; ok && i < n; i++) {
        enum source_kind kind = account_of(bank, part, places[i])->kind;

        if (kind == BY_LABELS || kind == BY_TEACHER)
            rows[asked++] = bank->rows.rows[places[i]];
    }
    if (ok && asked > 0)
        ok = labels_fill(bank->labels, bank->program->predictors[part],
                         (struct row_span){rows, asked}, err);
    free(rows);
    return ok;
}

const struct demo *bank_demo(const struct bank *bank, size_t part, size_t place)
{
    const struct account *account = account_of(bank, part, place);

    if (account->kind == BY_TRACE || account->kind == BY_MENDING)
        return &account->demo;
    if (account->kind == BY_NOTHING)
        return NULL;
    return labels_demo(bank->labels, bank->program->predictors[part],
                       bank->rows.rows[place]);
}
