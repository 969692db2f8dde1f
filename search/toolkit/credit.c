#include "search/toolkit/credit.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/diagnosis.h"
#include "search/toolkit/teacher.h"

// A failed run, and a run of another candidate on its row that ended right.
struct pair {
    const struct task_item *failed;
    const struct entry *winner; // NULL: none
    struct runs *runs;          // of the winner, one item; owned by the credit
    bool explained;             // something is known about it
    size_t culprit;             // predictor
};

// A value that replaces a step's output.
struct attempt {
    size_t pair;
    size_t part;   // predictor
    json_t *given; // {step: outputs}, owned
};

struct credit {
    const struct study *study;
    const struct board *board;
    const struct entry *entry;
    struct pair pairs[CREDIT_ROWS];
    size_t n;
    struct attempt attempts[CREDIT_ROWS * PROGRAM_MAX_STEPS];
    size_t n_attempts;
    size_t last; // the predictor that runs last
};

static void release(struct credit *credit)
{
    for (size_t i = 0; i < credit->n; i++)
        runs_drop(credit->study->session, credit->pairs[i].runs);
    for (size_t i = 0; i < credit->n_attempts; i++)
        json_decref(credit->attempts[i].given);
}

// --- which candidate got it right

static const struct entry *find_winner(const struct credit *credit, int row)
{
    const struct board *board = credit->board;
    const struct entry *best = NULL;
    size_t place = 0;

    while (place < board->n_rows && (int)board->rows[place] != row)
        place++;
    for (size_t i = 0; place < board->n_rows && i < board->n; i++) {
        const struct entry *one = board->entries[i];

        if (one != credit->entry && one->known[place] &&
            one->scores[place] >= credit->study->pass &&
            (best == NULL || one->n > best->n))
            best = one;
    }
    return best;
}

// Runs the winners again to see what their steps gave; these calls are already
// stored.
static bool trace_winners(struct credit *credit, struct err *err)
{
    struct session *session = credit->study->session;

    for (size_t i = 0; i < credit->n; i++) {
        struct pair *pair = &credit->pairs[i];
        size_t row = (size_t)pair->failed->row;

        if (pair->winner == NULL)
            continue;
        pair->runs = diagnosis_trace(session, pair->winner->candidate,
                                     (struct row_span){&row, 1}, err);
        if (pair->runs == NULL)
            return false;
    }
    return true;
}

// --- right values

// Returns what the step gave, with the row's labels laid over it, as a new
// reference. Returns NULL if the row has no label for it, or the step gave
// nothing that could be completed.
static json_t *labelled(const struct credit *credit,
                        const struct task_item *item, int step)
{
    const struct program *program = credit->study->program;
    const struct signature *signature = &program->steps[step].signature;
    json_t *row = dataset_fields(session_dataset(credit->study->session),
                                 (size_t)item->row);
    json_t *out = item->step_outputs[step] != NULL
                      ? json_copy(item->step_outputs[step])
                      : json_object();
    size_t labels = 0;

    for (size_t f = 0; out != NULL && f < signature->n_outputs; f++) {
        json_t *label = (json_t *)program_label(program, row, step, (int)f);

        if (label != NULL && !json_is_null(label) &&
            json_object_set(out, signature->outputs[f].name, label) == 0)
            labels++;
    }
    json_decref(row);
    if (labels > 0 && json_object_size(out) == signature->n_outputs)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *right_value(const struct credit *credit, const struct pair *pair,
                           int step)
{
    json_t *value = labelled(credit, pair->failed, step);
    const struct task_item *won =
        pair->runs == NULL ? NULL : &pair->runs->items[0];

    if (value == NULL && won != NULL && won->state == ITEM_DONE)
        value = json_incref(won->step_outputs[step]);
    return value;
}

static bool add_attempt(struct credit *credit, size_t i, size_t part,
                        struct err *err)
{
    const struct program *program = credit->study->program;
    struct pair *pair = &credit->pairs[i];
    int step = program->predictors[part];
    json_t *value, *given;

    if (pair->failed->step_inputs[step] == NULL)
        return true; // the step was not asked
    value = right_value(credit, pair, step);
    if (value == NULL)
        return true;
    pair->explained = true;
    if (pair->failed->step_outputs[step] != NULL &&
        json_equal(value, pair->failed->step_outputs[step])) {
        json_decref(value);
        return true;
    }
    given = json_pack("{s:o}", program->steps[step].name, value);
    if (given == NULL) {
        err_nomem(err, "a value in place of a step's");
        return false;
    }
    credit->attempts[credit->n_attempts++] = (struct attempt){i, part, given};
    return true;
}

// Plans the attempts in the order in which the steps run, so that the first
// step that mends a run is the one at fault. The last step is not tried:
// replacing its output would always mend the run.
static bool plan_attempts(struct credit *credit, struct err *err)
{
    const struct program *program = credit->study->program;

    for (size_t i = 0; i < credit->n; i++)
        for (size_t s = 0; s < program->n_steps; s++) {
            int part = program->steps[program->order[s]].predictor;

            if (part >= 0 && (size_t)part != credit->last &&
                credit->study->searched[part] &&
                !add_attempt(credit, i, (size_t)part, err))
                return false;
        }
    return true;
}

// --- trying

static struct runs *submit(const struct credit *credit, size_t *rows,
                           json_t **given, struct err *err)
{
    struct session *session = credit->study->session;
    const struct runs_request request = {
        .program = credit->study->program,
        .plan = session_plan(session),
        .candidate = credit->entry->candidate,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = -1, .purpose = "trial"},
        .scored = true,
        .rows = rows,
        .given = given,
        .n = credit->n_attempts,
    };

    for (size_t i = 0; i < credit->n_attempts; i++) {
        const struct attempt *one = &credit->attempts[i];

        rows[i] = (size_t)credit->pairs[one->pair].failed->row;
        given[i] = one->given;
    }
    return runs_submit(session, &request, err);
}

static bool try_all(struct credit *credit, struct err *err)
{
    size_t rows[CREDIT_ROWS * PROGRAM_MAX_STEPS];
    json_t *given[CREDIT_ROWS * PROGRAM_MAX_STEPS];
    struct runs *runs;
    bool ok;

    if (credit->n_attempts == 0)
        return true;
    runs = submit(credit, rows, given, err);
    ok = runs != NULL && runs_wait(credit->study->session, runs, err);
    for (size_t i = credit->n_attempts; ok && i-- > 0;) {
        const struct task_item *item = &runs->items[i];
        const struct attempt *one = &credit->attempts[i];

        if (item->state == ITEM_DONE && item->scored &&
            item->score >= credit->study->pass)
            credit->pairs[one->pair].culprit = one->part;
    }
    if (runs != NULL)
        runs_drop(credit->study->session, runs);
    return ok;
}

static size_t last_part(const struct study *study)
{
    size_t last = 0;

    for (size_t s = 0; s < study->program->n_steps; s++) {
        int part = study->program->steps[study->program->order[s]].predictor;

        if (part >= 0 && study->searched[part])
            last = (size_t)part;
    }
    return last;
}

static void sum_up(const struct credit *credit, double *shares, size_t *tried)
{
    *tried = 0;
    for (size_t i = 0; i < credit->n; i++)
        *tried += credit->pairs[i].explained;
    if (*tried == 0)
        return;
    memset(shares, 0, credit->study->program->n_predictors * sizeof *shares);
    for (size_t i = 0; i < credit->n; i++)
        if (credit->pairs[i].explained)
            shares[credit->pairs[i].culprit] += 1 / (double)*tried;
}

bool credit_measure(const struct study *study, const struct board *board,
                    const struct credit_failures *failures, double *shares,
                    size_t *tried, struct err *err)
{
    struct credit *credit = calloc(1, sizeof *credit);
    bool ok;

    if (credit == NULL) {
        err_nomem(err, "which step is to blame");
        return false;
    }
    credit->study = study;
    credit->board = board;
    credit->entry = failures->entry;
    credit->last = last_part(study);
    for (size_t i = 0; i < failures->n && credit->n < CREDIT_ROWS; i++) {
        const struct task_item *item =
            &failures->runs->items[failures->failed[i]];

        credit->pairs[credit->n++] =
            (struct pair){.failed = item,
                          .winner = find_winner(credit, item->row),
                          .culprit = credit->last};
    }
    ok = trace_winners(credit, err) && plan_attempts(credit, err) &&
         try_all(credit, err);
    if (ok)
        sum_up(credit, shares, tried);
    release(credit);
    free(credit);
    return ok;
}
