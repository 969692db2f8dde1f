#include "search/toolkit/demos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/session/fit.h"
#include "search/toolkit/labels.h"
#include "search/toolkit/teacher.h"

enum { BLOCK_WINDOWS = 4 }; // a block is at most this many windows of rows

static const double ROUND_TEMPERATURE = 1.0;

// What the teacher's runs on a row gave.
struct lesson {
    int64_t rounds; // run so far
    bool passed;
    bool answered;      // at least once
    bool excluded;      // must not be run
    struct demo *demos; // owned if passed: one per predictor, fields or NULL
};

struct demo_maker {
    struct session *session;
    const struct program *program;
    const struct dataset *dataset;
    struct plan plan;
    struct labels *labels;
    struct candidate *teacher; // owned; NULL until a recipe needs it
    struct lesson *lessons;    // one per row
};

// --- the maker

static void release_demos(struct demo *demos, size_t n)
{
    for (size_t i = 0; demos != NULL && i < n; i++)
        json_decref(demos[i].fields);
    free(demos);
}

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
    maker->dataset = session_dataset(session);
    maker->plan = *plan;
    maker->teacher = teacher != NULL ? candidate_ref(teacher) : NULL;
    maker->lessons =
        calloc(dataset_size(maker->dataset) + 1, sizeof *maker->lessons);
    if (maker->lessons == NULL)
        err_nomem(err, "demo sets");
    else
        maker->labels = labels_new(session, err);
    if (maker->labels == NULL) {
        demo_maker_free(maker);
        return NULL;
    }
    return maker;
}

void demo_maker_free(struct demo_maker *maker)
{
    if (maker == NULL)
        return;
    for (size_t i = 0;
         maker->lessons != NULL && i < dataset_size(maker->dataset); i++)
        release_demos(maker->lessons[i].demos, maker->program->n_predictors);
    free(maker->lessons);
    labels_free(maker->labels);
    candidate_unref(maker->teacher);
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
                        const size_t *rows, size_t n, size_t want,
                        struct demo_list *list, struct err *err)
{
    int step = maker->program->predictors[predictor];

    for (size_t at = 0; at < n && list->n < want;) {
        size_t take = want - list->n < n - at ? want - list->n : n - at;
        if (!labels_fill(maker->labels, step, rows + at, take, err))
            return false;
        for (size_t i = at; i < at + take; i++) {
            const struct demo *demo = labels_demo(maker->labels, step, rows[i]);
            if (demo != NULL && !demo_list_add(list, demo, err))
                return false;
        }
        at += take;
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
        if (!add_labeled(maker, i, order, n, (size_t)k, &set.lists[i], err))
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

// --- the teacher

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

    if (maker->teacher != NULL)
        return true;
    if (!demos_labeled(maker, &own, recipe->max_labeled, &set, err))
        return false;
    maker->teacher =
        fit_taken(maker->session, &maker->plan,
                  demo_set_candidate(&set, 0, maker->session, err), err);
    demo_set_release(&set);
    return maker->teacher != NULL;
}

static bool same_row(const struct demo_maker *maker, int a, size_t b)
{
    return a >= 0 && dataset_same(maker->dataset, (size_t)a, b);
}

static bool part_shows(const struct demo_maker *maker,
                       const struct candidate_part *part, size_t row)
{
    for (size_t i = 0; i < part->n_demos; i++) {
        if (same_row(maker, part->demos[i].row, row))
            return true;
    }
    return false;
}

static bool teacher_shows(const struct demo_maker *maker, size_t row)
{
    for (size_t i = 0; i < maker->teacher->n_parts; i++) {
        if (part_shows(maker, &maker->teacher->parts[i], row))
            return true;
    }
    return false;
}

static bool drop_row(const struct demo_maker *maker, size_t row,
                     struct candidate *candidate, size_t part, struct err *err)
{
    const struct candidate_part *from = &maker->teacher->parts[part];
    struct demo *kept = calloc(from->n_demos + 1, sizeof *kept);
    size_t n = 0;

    if (kept == NULL) {
        err_nomem(err, "a teacher");
        return false;
    }
    for (size_t i = 0; i < from->n_demos; i++) {
        if (!same_row(maker, from->demos[i].row, row))
            kept[n++] = from->demos[i];
    }
    bool ok =
        candidate_set_demos(candidate, part, from->demo_set_no, kept, n, err);
    free(kept);
    return ok;
}

// Returns the teacher for a run on this row: without demos equal to the row.
// New reference.
static struct candidate *teacher_for(const struct demo_maker *maker, size_t row,
                                     struct err *err)
{
    if (!teacher_shows(maker, row))
        return candidate_ref(maker->teacher);
    struct candidate *candidate = candidate_copy(maker->teacher, err);
    for (size_t i = 0; candidate != NULL && i < candidate->n_parts; i++) {
        if (drop_row(maker, row, candidate, i, err))
            continue;
        candidate_unref(candidate);
        candidate = NULL;
    }
    if (candidate != NULL)
        candidate_seal(candidate);
    return candidate;
}

static struct runs *submit(struct demo_maker *maker, size_t row, int64_t round,
                           struct err *err)
{
    struct candidate *teacher = teacher_for(maker, row, err);

    if (teacher == NULL)
        return NULL;
    const struct runs_request request = {
        .program = maker->program,
        .plan = &maker->plan,
        .candidate = teacher,
        .role = ROLE_TEACHER,
        .sampling = {.temperature = round == 0 ? -1 : ROUND_TEMPERATURE,
                     .purpose = "bootstrap",
                     .draw = round,
                     .replicate = (int32_t)round},
        .scored = true,
        .rows = &row,
        .n = 1,
    };
    struct runs *runs = runs_submit(maker->session, &request, err);
    candidate_unref(teacher);
    return runs;
}

static bool passes(const struct demo_recipe *recipe, double score)
{
    if (isnan(recipe->metric_threshold))
        return score > 0;
    return score >= recipe->metric_threshold;
}

static bool learn_demos(struct demo_maker *maker, size_t row,
                        const struct task_item *item, struct lesson *lesson,
                        struct err *err)
{
    const struct program *program = maker->program;

    lesson->demos = calloc(program->n_predictors, sizeof *lesson->demos);
    if (lesson->demos == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    for (size_t i = 0; i < program->n_predictors; i++) {
        int step = program->predictors[i];
        if (!runs_predictor(maker, i) || item->step_inputs == NULL ||
            item->step_outputs == NULL)
            continue;
        const struct labels_run run = {step, row, item->step_inputs[step],
                                       item->step_outputs[step]};
        if (!labels_demo_of_run(program, maker->dataset, &run,
                                &lesson->demos[i], err))
            return false;
        lesson->demos[i].augmented = true;
    }
    return true;
}

static bool learn(struct demo_maker *maker, const struct demo_recipe *recipe,
                  size_t row, const struct task_item *item, struct err *err)
{
    struct lesson *lesson = &maker->lessons[row];

    lesson->rounds++;
    lesson->excluded = item->state == ITEM_EXCLUDED;
    if (item->state != ITEM_DONE || item->outcome != RUN_DONE)
        return true;
    lesson->answered = true;
    lesson->passed = item->scored && passes(recipe, item->score);
    return !lesson->passed || learn_demos(maker, row, item, lesson, err);
}

// Runs a round on those rows of the block that have not passed yet.
static bool run_round(struct demo_maker *maker,
                      const struct demo_recipe *recipe, int64_t round,
                      const size_t *block, size_t n, struct err *err)
{
    bool ok = false;
    struct runs **runs = calloc(n + 1, sizeof(struct runs *));

    if (runs == NULL) {
        err_nomem(err, "teacher runs");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct lesson *lesson = &maker->lessons[block[i]];
        if (lesson->passed || lesson->excluded)
            continue;
        runs[i] = submit(maker, block[i], round, err);
        if (runs[i] == NULL)
            goto out;
    }
    for (size_t i = 0; i < n; i++) {
        if (runs[i] == NULL)
            continue;
        if (!runs_wait(maker->session, runs[i], err) ||
            !learn(maker, recipe, block[i], &runs[i]->items[0], err))
            goto out;
    }
    ok = true;

out:
    for (size_t i = 0; i < n; i++)
        runs_drop(maker->session, runs[i]);
    free(runs);
    return ok;
}

// Picks the next rows of the order that were not run yet, at most `most`.
static size_t pick_block(const struct demo_maker *maker, const size_t *rows,
                         size_t n, size_t most, size_t *block)
{
    size_t picked = 0;
    for (size_t i = 0; i < n && picked < most; i++) {
        if (maker->lessons[rows[i]].rounds == 0)
            block[picked++] = rows[i];
    }
    return picked;
}

// Returns twice the missing number, since the teacher is sometimes wrong, but
// at least one window and at most a few.
static size_t block_size(const struct demo_maker *maker, size_t missing)
{
    size_t window = (size_t)session_job(maker->session)->window;
    size_t most = window * BLOCK_WINDOWS;

    if (missing * 2 < window)
        return window;
    return missing * 2 < most ? missing * 2 : most;
}

static bool run_block(struct demo_maker *maker,
                      const struct demo_recipe *recipe, const size_t *rows,
                      size_t n, size_t missing, struct err *err)
{
    size_t most = block_size(maker, missing);
    size_t *block = calloc(most + 1, sizeof *block);
    bool ok = true;

    if (block == NULL) {
        err_nomem(err, "teacher runs");
        return false;
    }
    size_t picked = pick_block(maker, rows, n, most, block);
    for (int64_t round = 0; ok && round < recipe->max_rounds; round++)
        ok = run_round(maker, recipe, round, block, picked, err);
    free(block);
    return ok;
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
        const struct lesson *lesson = &maker->lessons[rows[i]];
        if (lesson->rounds == 0 &&
            !run_block(maker, recipe, rows + i, n - i, want - found, err))
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
        ok = add_labeled(maker, i, order, left, (size_t)recipe->max_labeled,
                         &set->lists[i], err);
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
