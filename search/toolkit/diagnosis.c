#include "search/toolkit/diagnosis.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "program/graph/type_form.h"
#include "search/toolkit/teacher.h"

enum { VALUE_BYTES = 1 << 16 };

struct runs *diagnosis_submit(struct session *session,
                              struct candidate *candidate, struct row_span rows,
                              struct err *err)
{
    const struct runs_request request = {
        .program = session_job(session)->program,
        .plan = session_plan(session),
        .candidate = candidate,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = -1, .purpose = "trial"},
        .scored = true,
        .rows = rows.rows,
        .n = rows.n,
    };

    return runs_submit(session, &request, err);
}

struct runs *diagnosis_trace(struct session *session,
                             struct candidate *candidate, struct row_span rows,
                             struct err *err)
{
    struct runs *runs = diagnosis_submit(session, candidate, rows, err);

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
    json_t *row;
    enum verdict verdict = UNKNOWN;

    if (item->step_inputs == NULL || item->step_inputs[step] == NULL)
        return CLEARED; // the step was not asked
    if (item->step_outputs[step] == NULL)
        return GUILTY;
    row = dataset_fields(session_dataset(session), (size_t)item->row);
    for (size_t f = 0; verdict != GUILTY && f < signature->n_outputs; f++) {
        const json_t *label = program_label(program, row, step, (int)f);
        const json_t *given = json_object_get(item->step_outputs[step],
                                              signature->outputs[f].name);

        if (label == NULL || json_is_null(label))
            continue;
        verdict = given != NULL && same_value(label, given) ? CLEARED : GUILTY;
    }
    json_decref(row);
    return verdict;
}

// Returns the predictor that the failure is charged to.
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

// Returns the index of the value that the item gave for a field, or -1 if it is
// none of the known ones.
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

size_t diagnosis_confusions(const struct diagnosis_runs *runs,
                            struct confusion *out, size_t most)
{
    const struct classes *classes = runs->classes;
    enum { PAIRS_MAX = 512 };
    struct confusion list[PAIRS_MAX];
    size_t pairs = 0, taken = 0;

    for (size_t f = 0; f < classes->n_fields; f++) {
        const struct class_field *field = &classes->fields[f];

        for (size_t i = 0; i < runs->n; i++) {
            int expected = field->of_row[runs->places[i]];
            int given = given_value(field, runs->step, &runs->items[i]);

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

// --- groups

struct member {
    size_t item;
    size_t pair;   // of labels; NO_PAIR: it missed none of the step's labels
    size_t size;   // of its group: the members with the same pair
    size_t turn;   // the round in which its group gets its next portion
    bool reversed; // the higher of the two was expected
    size_t no;     // number within its group, sides alternating
};

static const size_t NO_PAIR = SIZE_MAX;

// Finds the first label that the item missed, and what it gave instead.
static void find_pair(const struct diagnosis_runs *runs, size_t item,
                      struct member *member)
{
    const struct classes *classes = runs->classes;
    size_t before = 0;

    member->pair = NO_PAIR;
    for (size_t f = 0; f < classes->n_fields; f++) {
        const struct class_field *field = &classes->fields[f];
        int expected = field->of_row[runs->places[item]];
        int given = given_value(field, runs->step, &runs->items[item]);

        if (expected >= 0 && given >= 0 && expected != given) {
            size_t low = (size_t)(expected < given ? expected : given);
            size_t high = (size_t)(expected < given ? given : expected);

            member->pair = before + low * field->n + high;
            member->reversed = expected > given;
            return;
        }
        before += field->n * field->n;
    }
}

// Counts a member's group and numbers it within the group: first one of each
// side, then the second of each, and so on.
static void place_member(struct member *members, size_t n, size_t i)
{
    size_t side = 0;

    members[i].size = 0;
    for (size_t k = 0; k < n; k++) {
        if (members[k].pair != members[i].pair)
            continue;
        members[i].size++;
        side += k < i && members[k].reversed == members[i].reversed;
    }
    members[i].no = 2 * side + members[i].reversed;
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

// Orders by turn; within a turn, the largest groups come first.
static int compare_members(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;

    if ((x->pair == NO_PAIR) != (y->pair == NO_PAIR))
        return x->pair == NO_PAIR ? 1 : -1;
    if (x->turn != y->turn)
        return compare_sizes(x->turn, y->turn);
    if (x->size != y->size)
        return compare_sizes(y->size, x->size);
    if (x->pair != y->pair)
        return compare_sizes(x->pair, y->pair);
    if (x->no != y->no)
        return compare_sizes(x->no, y->no);
    return compare_sizes(x->item, y->item);
}

// Counts the members before this one in its group, by number.
static size_t count_before(const struct member *members, size_t n, size_t i)
{
    size_t before = 0;

    for (size_t k = 0; k < n; k++)
        before += members[k].pair == members[i].pair &&
                  (members[k].no < members[i].no ||
                   (members[k].no == members[i].no && k < i));
    return before;
}

bool diagnosis_group(const struct diagnosis_runs *runs, size_t portion,
                     size_t *failed, size_t n, struct err *err)
{
    struct member *members = calloc(n + 1, sizeof *members);

    if (members == NULL) {
        err_nomem(err, "groups of mistakes");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        members[i].item = failed[i];
        find_pair(runs, failed[i], &members[i]);
    }
    for (size_t i = 0; i < n; i++)
        place_member(members, n, i);
    for (size_t i = 0; i < n; i++)
        members[i].turn = count_before(members, n, i) / portion;
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 0; i < n; i++)
        failed[i] = members[i].item;
    free(members);
    return true;
}

static bool is_among(size_t one, const size_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == one)
            return true;
    return false;
}

// Returns true if the failed run gave the label of the row that `right` ran on,
// instead of its own row's. Both are indices of items.
static bool is_contrast(const struct diagnosis_runs *runs, size_t failed,
                        size_t right)
{
    const struct classes *classes = runs->classes;

    for (size_t f = 0; f < classes->n_fields; f++) {
        const struct class_field *field = &classes->fields[f];
        int given = given_value(field, runs->step, &runs->items[failed]);

        if (given >= 0 && given != field->of_row[runs->places[failed]] &&
            given == field->of_row[runs->places[right]])
            return true;
    }
    return false;
}

size_t diagnosis_contrasts(const struct diagnosis_runs *runs,
                           const size_t *failed, size_t n_failed, size_t *out,
                           size_t most)
{
    size_t taken = 0;

    for (size_t k = 0; k < n_failed && taken < most; k++)
        for (size_t i = 0; i < runs->n; i++) {
            const struct task_item *item = &runs->items[i];

            if (item->state != ITEM_DONE || !item->scored ||
                item->score < runs->pass || is_among(i, out, taken) ||
                !is_contrast(runs, failed[k], i))
                continue;
            out[taken++] = i;
            break;
        }
    return taken;
}
