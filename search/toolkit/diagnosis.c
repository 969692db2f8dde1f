#include "search/toolkit/diagnosis.h"

#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/text.h"
#include "search/toolkit/teacher.h"

enum { VALUE_BYTES = 1 << 16 };

struct runs *diagnosis_trace(struct session *session,
                             struct candidate *candidate, const size_t *rows,
                             size_t n, struct err *err)
{
    const struct runs_request request = {
        .program = session_job(session)->program,
        .plan = session_plan(session),
        .candidate = candidate,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = -1, .purpose = "trial"},
        .scored = true,
        .rows = rows,
        .n = n,
    };
    struct runs *runs = runs_submit(session, &request, err);

    if (runs != NULL && !runs_wait(session, runs, err)) {
        runs_drop(session, runs);
        runs = NULL;
    }
    return runs;
}

bool diagnosis_failed(const struct task_item *item, double pass)
{
    return item->state == ITEM_DONE && item->scored && item->score < pass;
}

// --- charges

enum verdict { CLEARED, UNKNOWN, GUILTY };

static bool same_value(const json_t *a, const json_t *b)
{
    struct buf x = BUF_INIT(VALUE_BYTES);
    struct buf y = BUF_INIT(VALUE_BYTES);
    bool same;

    value_put(a, &x);
    value_put(b, &y);
    same = x.data != NULL && y.data != NULL && fold_same(x.data, y.data);
    buf_release(&x);
    buf_release(&y);
    return same;
}

static enum verdict judge(const struct session *session,
                          const struct task_item *item, int step)
{
    const struct program *program = session_job(session)->program;
    const struct signature *signature = &program->steps[step].signature;
    const json_t *row = session_dataset(session)->rows[item->row].fields;
    enum verdict verdict = UNKNOWN;

    if (item->step_inputs == NULL || item->step_inputs[step] == NULL)
        return CLEARED; // it was not even asked
    if (item->step_outputs[step] == NULL)
        return GUILTY;
    for (size_t f = 0; f < signature->n_outputs; f++) {
        const json_t *label = program_label(program, row, step, (int)f);
        const json_t *given = json_object_get(item->step_outputs[step],
                                              signature->outputs[f].name);

        if (label == NULL || json_is_null(label))
            continue;
        if (given == NULL || !same_value(label, given))
            return GUILTY;
        verdict = CLEARED;
    }
    return verdict;
}

// The predictor that the failure is charged to.
static size_t culprit(const struct session *session,
                      const struct task_item *item)
{
    const struct program *program = session_job(session)->program;
    int unknown = -1, last = 0;

    for (size_t i = 0; i < program->n_steps; i++) {
        int step = program->order[i];
        enum verdict verdict;

        if (program->steps[step].predictor < 0 ||
            !session_plan(session)->runs[step])
            continue;
        last = program->steps[step].predictor;
        verdict = judge(session, item, step);
        if (verdict == GUILTY)
            return (size_t)last;
        if (verdict == UNKNOWN)
            unknown = last;
    }
    return (size_t)(unknown >= 0 ? unknown : last);
}

void diagnosis_charge(const struct session *session,
                      const struct task_item *items, size_t n, double pass,
                      double *shares)
{
    size_t parts = session_job(session)->program->n_predictors;
    size_t failed = 0;

    memset(shares, 0, parts * sizeof *shares);
    for (size_t i = 0; i < n; i++) {
        if (!diagnosis_failed(&items[i], pass))
            continue;
        shares[culprit(session, &items[i])]++;
        failed++;
    }
    for (size_t p = 0; failed > 0 && p < parts; p++)
        shares[p] /= (double)failed;
}

// --- confusions

// The value that the item gave for a field; -1 when it gave none of them.
static int given_value(const struct class_field *field, int step,
                       const struct task_item *item)
{
    struct buf text = BUF_INIT(VALUE_BYTES);
    const json_t *value = NULL;
    int found = -1;

    if (item->state == ITEM_DONE && item->step_outputs != NULL)
        value = json_object_get(item->step_outputs[step], field->name);
    if (value != NULL)
        value_put(value, &text);
    if (text.data != NULL)
        found = classes_find(field, text.data);
    buf_release(&text);
    return found;
}

// Counts a pair, whichever of the two was expected. list has room for cap;
// further pairs are not counted.
static size_t count_pair(struct confusion *list, size_t n, size_t cap,
                         size_t field, int expected, int given)
{
    for (size_t i = 0; i < n; i++) {
        struct confusion *one = &list[i];

        if (one->field == field &&
            ((one->expected == expected && one->given == given) ||
             (one->expected == given && one->given == expected))) {
            one->n++;
            return n;
        }
    }
    if (n < cap)
        list[n++] = (struct confusion){field, expected, given, 1};
    return n;
}

size_t diagnosis_confusions(const struct classes *classes, int step,
                            const struct task_item *items, const size_t *places,
                            size_t n, struct confusion *out, size_t most)
{
    enum { PAIRS_MAX = 512 };
    struct confusion list[PAIRS_MAX];
    size_t pairs = 0, taken = 0;

    for (size_t f = 0; f < classes->n_fields; f++) {
        const struct class_field *field = &classes->fields[f];

        for (size_t i = 0; i < n; i++) {
            int expected = field->of_row[places[i]];
            int given = given_value(field, step, &items[i]);

            if (expected >= 0 && given >= 0 && expected != given)
                pairs = count_pair(list, pairs, PAIRS_MAX, f, expected, given);
        }
    }
    for (; taken < most; taken++) {
        size_t best = 0;

        for (size_t i = 1; i < pairs; i++)
            if (list[i].n > list[best].n)
                best = i;
        if (pairs == 0 || list[best].n == 0)
            break;
        out[taken] = list[best];
        list[best].n = 0;
    }
    return taken;
}
