#include "search/toolkit/demos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/session/fit.h"
#include "search/toolkit/labels.h"
#include "search/toolkit/lessons.h"

struct demo_maker {
    struct session *session;
    const struct program *program;
    struct plan plan;
    struct labels *labels;
    struct lessons lessons; // the teacher is set when a recipe needs it
};

// --- the maker

struct demo_maker *demo_maker_new(struct session *session,
                                  struct candidate *teacher,
                                  const struct plan *plan, struct err *err)
{
    struct demo_maker *maker = calloc(1, sizeof *maker);

    if (maker == NULL) {
        err_nomem(err, "demo sets");
        return NULL;
    }
    maker->session = session;
    maker->program = session_job(session)->program;
    maker->plan = *plan;
    if (lessons_init(&maker->lessons, session, &maker->plan, err))
        maker->labels = labels_new(session, err);
    if (maker->labels == NULL) {
        demo_maker_free(maker);
        return NULL;
    }
    maker->lessons.teacher = teacher != NULL ? candidate_ref(teacher) : NULL;
    return maker;
}

void demo_maker_free(struct demo_maker *maker)
{
    if (maker == NULL)
        return;
    lessons_release(&maker->lessons);
    labels_free(maker->labels);
    free(maker);
}

static bool runs_predictor(const struct demo_maker *maker, size_t predictor)
{
    return maker->plan.runs[maker->program->predictors[predictor]];
}

// --- labelled demos

// Adds demos of rows until the list holds `want`. Fills no more rows at a time
// than it needs, since a label costs a call if outputs are missing.
static bool add_labeled(struct demo_maker *maker, size_t predictor,
                        struct row_span rows, size_t want,
                        struct demo_list *list, struct err *err)
{
    int step = maker->program->predictors[predictor];

    for (size_t at = 0; at < rows.n && list->n < want;) {
        struct row_span rest = {rows.rows + at, rows.n - at};
        struct row_span next = row_span_first(rest, want - list->n);
        if (!labels_fill(maker->labels, step, next, err))
            return false;
        for (size_t i = 0; i < next.n; i++) {
            const struct demo *demo =
                labels_demo(maker->labels, step, next.rows[i]);
            if (demo != NULL && !demo_list_add(list, demo, err))
                return false;
        }
        at += next.n;
    }
    return true;
}

bool demos_labeled(struct demo_maker *maker, const struct demo_rows *from,
                   int64_t k, struct demo_set *out, struct err *err)
{
    bool ok = false;
    size_t n = from->n;
    struct demo_set set = {0};
    size_t *order = calloc(n + 1, sizeof *order);

    if (order == NULL) {
        err_nomem(err, "a demo set");
        goto out;
    }
    if (!demo_set_init(&set, maker->program, err))
        goto out;
    for (size_t i = 0; i < set.n_lists; i++) {
        if (!runs_predictor(maker, i))
            continue;
        memcpy(order, from->rows, n * sizeof *order);
        if (from->rng != NULL)
            rng_shuffle(from->rng, order, n);
        if (!add_labeled(maker, i, (struct row_span){order, n}, (size_t)k,
                         &set.lists[i], err))
            goto out;
    }
    *out = set;
    set = (struct demo_set){0};
    ok = true;

out:
    demo_set_release(&set);
    free(order);
    return ok;
}

// --- demos of the teacher's runs

// Returns the candidate with as many demos as its longest prompts have room
// for. Takes over candidate, also on failure; accepts NULL and returns it.
static struct candidate *fit_taken(const struct session *session,
                                   const struct plan *plan,
                                   struct candidate *candidate, struct err *err)
{
    struct fit *fit = NULL;
    struct candidate *fitting = NULL;

    if (candidate == NULL)
        return NULL;
    fit = fit_new(session_job(session), session_dataset(session), plan, err);
    if (fit != NULL)
        fitting = fit_candidate(fit, candidate, err);
    fit_free(fit);
    candidate_unref(candidate);
    return fitting;
}

static bool get_teacher(struct demo_maker *maker,
                        const struct demo_recipe *recipe,
                        const struct demo_rows *from, struct err *err)
{
    struct demo_set set = {0};
    struct rng rng = session_rng(maker->session, "teacher-demos", 0);
    const struct demo_rows own = {from->rows, from->n, &rng};

    if (maker->lessons.teacher != NULL)
        return true;
    if (!demos_labeled(maker, &own, recipe->max_labeled, &set, err))
        return false;
    maker->lessons.teacher =
        fit_taken(maker->session, &maker->plan,
                  demo_set_candidate(&set, 0, maker->session, err), err);
    demo_set_release(&set);
    return maker->lessons.teacher != NULL;
}

// Adds the demos of a row that passed to the lists.
static bool take_lesson(const struct lesson *lesson, struct demo_set *set,
                        struct err *err)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        if (lesson->demos[i].fields == NULL)
            continue;
        if (!demo_list_add(&set->lists[i], &lesson->demos[i], err))
            return false;
        set->n_traced++;
    }
    return true;
}

// Reads rows in order until enough have passed. Sets taken (one per row of the
// order) for rows whose traces are in the set.
static bool add_traces(struct demo_maker *maker,
                       const struct demo_recipe *recipe,
                       const struct demo_rows *from, struct demo_set *set,
                       bool *taken, struct err *err)
{
    const size_t *rows = from->rows;
    size_t n = from->n;
    size_t want = (size_t)recipe->max_bootstrapped;
    size_t found = 0;
    int64_t errors = 0;
    size_t i = 0;

    for (; i < n && found < want && errors < recipe->max_errors; i++) {
        const struct lesson *lesson = &maker->lessons.items[rows[i]];
        if (lesson->rounds == 0 &&
            !lessons_run(&maker->lessons, recipe,
                         (struct row_span){rows + i, n - i}, want - found, err))
            return false;
        if (!lesson->answered && !lesson->excluded)
            errors++;
        if (!lesson->passed)
            continue;
        if (!take_lesson(lesson, set, err))
            return false;
        taken[i] = true;
        found++;
    }
    if (errors >= recipe->max_errors && found < want)
        session_note(maker->session,
                     "the teacher could not answer %lld of %zu examples, so "
                     "no others are tried",
                     (long long)errors, i);
    return true;
}

// Adds labelled demos of the rows that gave no traces, up to max_labeled in
// all.
static bool add_rest(struct demo_maker *maker, const struct demo_recipe *recipe,
                     const struct demo_rows *from, const bool *taken,
                     struct demo_set *set, struct err *err)
{
    size_t *order = calloc(from->n + 1, sizeof *order);
    bool ok = order != NULL;

    if (!ok)
        err_nomem(err, "a demo set");
    for (size_t i = 0; ok && i < set->n_lists; i++) {
        size_t left = 0;
        if (!runs_predictor(maker, i))
            continue;
        for (size_t k = 0; k < from->n; k++) {
            if (!taken[k])
                order[left++] = from->rows[k];
        }
        rng_shuffle(from->rng, order, left);
        ok = add_labeled(maker, i, (struct row_span){order, left},
                         (size_t)recipe->max_labeled, &set->lists[i], err);
    }
    free(order);
    return ok;
}

bool demos_bootstrap(struct demo_maker *maker, const struct demo_recipe *recipe,
                     const struct demo_rows *from, struct demo_set *out,
                     struct err *err)
{
    bool ok = false;
    struct demo_set set = {0};
    bool *taken = calloc(from->n + 1, sizeof *taken);

    if (taken == NULL) {
        err_nomem(err, "a demo set");
        goto out;
    }
    if (!demo_set_init(&set, maker->program, err))
        goto out;
    if (recipe->max_bootstrapped > 0 &&
        (!get_teacher(maker, recipe, from, err) ||
         !add_traces(maker, recipe, from, &set, taken, err)))
        goto out;
    if (!add_rest(maker, recipe, from, taken, &set, err))
        goto out;
    *out = set;
    set = (struct demo_set){0};
    ok = true;

out:
    demo_set_release(&set);
    free(taken);
    return ok;
}

size_t demos_effort(const struct demo_recipe *recipe, size_t sets, size_t n)
{
    size_t runs = sets * (size_t)recipe->max_bootstrapped;
    size_t most = n * (size_t)recipe->max_rounds;

    return runs < most ? runs : most;
}

bool demos_pool(struct demo_maker *maker, const struct demo_recipe *recipe,
                const struct demo_rows *from, size_t nearest,
                struct demo_set *out, struct err *err)
{
    struct demo_recipe all = *recipe;

    all.max_labeled = POOL_ROWS;
    if (!demos_bootstrap(maker, &all, from, out, err))
        return false;
    for (size_t i = 0; i < out->n_lists; i++)
        out->lists[i].nearest = nearest;
    return true;
}

// --- steps that the search left out

static bool apply_skipped(const struct demo_set *set,
                          const struct program *program,
                          const struct plan *plan, struct candidate *candidate,
                          struct err *err)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        const struct demo_list *list = &set->lists[i];
        if (!plan->runs[program->predictors[i]] &&
            !candidate_set_demos(candidate, i, 1, list->demos, list->n, err))
            return false;
    }
    candidate_seal(candidate);
    return true;
}

bool demos_for_skipped(struct session *session, struct candidate *winner,
                       size_t max, struct candidate **out, struct err *err)
{
    const struct program *program = session_job(session)->program;
    const struct plan *plan = session_plan(session);
    const struct split *split = session_split(session);
    const struct demo_recipe recipe = {
        .max_bootstrapped = (int64_t)max,
        .max_rounds = 1,
        .max_errors = (int64_t)max + 10,
        .metric_threshold = NAN,
    };
    struct rng rng = session_rng(session, "skipped-demos", 0);
    const struct demo_rows from = {split->rows[SHARE_TRAIN],
                                   split->n[SHARE_TRAIN], &rng};
    struct demo_maker *maker = NULL;
    struct demo_set set = {0};
    struct candidate *candidate = NULL;
    struct plan all;
    bool ok = false;

    if (max == 0 ||
        plan_predictors(plan, program, NULL) == program->n_predictors) {
        *out = candidate_ref(winner);
        return true;
    }
    plan_all(program, &all);
    maker = demo_maker_new(session, winner, &all, err);
    if (maker == NULL || !demos_bootstrap(maker, &recipe, &from, &set, err))
        goto out;
    candidate = candidate_copy(winner, err);
    if (candidate == NULL ||
        !apply_skipped(&set, program, plan, candidate, err))
        goto out;
    *out = fit_taken(session, &all, candidate_ref(candidate), err);
    ok = *out != NULL;

out:
    candidate_unref(candidate);
    demo_set_release(&set);
    demo_maker_free(maker);
    return ok;
}
