#include "search/toolkit/lessons.h"

#include <math.h>
#include <stdlib.h>

#include "search/toolkit/row_demo.h"
#include "search/toolkit/teacher.h"

enum { BLOCK_WINDOWS = 4 }; // a block is at most this many windows of rows

static const double ROUND_TEMPERATURE = 1.0;

bool lessons_init(struct lessons *lessons, struct session *session,
                  const struct plan *plan, struct err *err)
{
    *lessons = (struct lessons){.session = session,
                                .program = session_job(session)->program,
                                .dataset = session_dataset(session),
                                .plan = plan};
    lessons->items =
        calloc(dataset_size(lessons->dataset) + 1, sizeof *lessons->items);
    if (lessons->items == NULL)
        err_nomem(err, "demo sets");
    return lessons->items != NULL;
}

void lessons_release(struct lessons *lessons)
{
    for (size_t i = 0;
         lessons->items != NULL && i < dataset_size(lessons->dataset); i++)
        demo_array_free(lessons->items[i].demos,
                        lessons->program->n_predictors);
    free(lessons->items);
    candidate_unref(lessons->teacher);
    *lessons = (struct lessons){0};
}

// --- the teacher

static bool same_row(const struct lessons *lessons, int a, size_t b)
{
    return a >= 0 && dataset_same(lessons->dataset, (size_t)a, b);
}

static bool part_shows(const struct lessons *lessons,
                       const struct candidate_part *part, size_t row)
{
    for (size_t i = 0; i < part->n_demos; i++) {
        if (same_row(lessons, part->demos[i].row, row))
            return true;
    }
    return false;
}

static bool teacher_shows(const struct lessons *lessons, size_t row)
{
    for (size_t i = 0; i < lessons->teacher->n_parts; i++) {
        if (part_shows(lessons, &lessons->teacher->parts[i], row))
            return true;
    }
    return false;
}

static bool drop_row(const struct lessons *lessons, size_t row,
                     struct candidate *candidate, size_t part, struct err *err)
{
    const struct candidate_part *from = &lessons->teacher->parts[part];
    struct demo *kept = calloc(from->n_demos + 1, sizeof *kept);
    size_t n = 0;

    if (kept == NULL) {
        err_nomem(err, "a teacher");
        return false;
    }
    for (size_t i = 0; i < from->n_demos; i++) {
        if (!same_row(lessons, from->demos[i].row, row))
            kept[n++] = from->demos[i];
    }
    bool ok =
        candidate_set_demos(candidate, part, from->demo_set_no, kept, n, err);
    free(kept);
    return ok;
}

// Returns the teacher for a run on this row: without demos equal to the row.
// New reference.
static struct candidate *teacher_for(const struct lessons *lessons, size_t row,
                                     struct err *err)
{
    if (!teacher_shows(lessons, row))
        return candidate_ref(lessons->teacher);
    struct candidate *candidate = candidate_copy(lessons->teacher, err);
    for (size_t i = 0; candidate != NULL && i < candidate->n_parts; i++) {
        if (drop_row(lessons, row, candidate, i, err))
            continue;
        candidate_unref(candidate);
        candidate = NULL;
    }
    if (candidate != NULL)
        candidate_seal(candidate);
    return candidate;
}

static struct runs *submit(struct lessons *lessons, size_t row, int64_t round,
                           struct err *err)
{
    struct candidate *teacher = teacher_for(lessons, row, err);

    if (teacher == NULL)
        return NULL;
    const struct runs_request request = {
        .program = lessons->program,
        .plan = lessons->plan,
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
    struct runs *runs = runs_submit(lessons->session, &request, err);
    candidate_unref(teacher);
    return runs;
}

// --- what a run gave

static bool passes(const struct demo_recipe *recipe, double score)
{
    if (isnan(recipe->metric_threshold))
        return score > 0;
    return score >= recipe->metric_threshold;
}

static bool learn_demos(struct lessons *lessons, size_t row,
                        const struct task_item *item, struct lesson *lesson,
                        struct err *err)
{
    const struct program *program = lessons->program;

    lesson->demos = calloc(program->n_predictors, sizeof *lesson->demos);
    if (lesson->demos == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    for (size_t i = 0; i < program->n_predictors; i++) {
        int step = program->predictors[i];
        if (!lessons->plan->runs[step] || item->step_inputs == NULL ||
            item->step_outputs == NULL)
            continue;
        const struct row_demo_run run = {step, row, item->step_inputs[step],
                                         item->step_outputs[step]};
        if (!row_demo_of_run(program, lessons->dataset, &run, &lesson->demos[i],
                             err))
            return false;
        lesson->demos[i].augmented = true;
    }
    return true;
}

static bool learn(struct lessons *lessons, const struct demo_recipe *recipe,
                  size_t row, const struct task_item *item, struct err *err)
{
    struct lesson *lesson = &lessons->items[row];

    lesson->rounds++;
    lesson->excluded = item->state == ITEM_EXCLUDED;
    if (item->state != ITEM_DONE || item->outcome != RUN_DONE)
        return true;
    lesson->answered = true;
    lesson->passed = item->scored && passes(recipe, item->score);
    return !lesson->passed || learn_demos(lessons, row, item, lesson, err);
}

// --- blocks of rows

// Runs a round on those rows of the block that have not passed yet.
static bool run_round(struct lessons *lessons, const struct demo_recipe *recipe,
                      int64_t round, struct row_span block, struct err *err)
{
    bool ok = false;
    struct runs **runs = calloc(block.n + 1, sizeof(struct runs *));

    if (runs == NULL) {
        err_nomem(err, "teacher runs");
        return false;
    }
    for (size_t i = 0; i < block.n; i++) {
        const struct lesson *lesson = &lessons->items[block.rows[i]];
        if (lesson->passed || lesson->excluded)
            continue;
        runs[i] = submit(lessons, block.rows[i], round, err);
        if (runs[i] == NULL)
            goto out;
    }
    for (size_t i = 0; i < block.n; i++) {
        if (runs[i] == NULL)
            continue;
        if (!runs_wait(lessons->session, runs[i], err) ||
            !learn(lessons, recipe, block.rows[i], &runs[i]->items[0], err))
            goto out;
    }
    ok = true;

out:
    for (size_t i = 0; i < block.n; i++)
        runs_drop(lessons->session, runs[i]);
    free(runs);
    return ok;
}

// Picks the next rows of the order that were not run yet, at most `most`.
static size_t pick_block(const struct lessons *lessons, struct row_span rows,
                         size_t most, size_t *block)
{
    size_t picked = 0;
    for (size_t i = 0; i < rows.n && picked < most; i++) {
        if (lessons->items[rows.rows[i]].rounds == 0)
            block[picked++] = rows.rows[i];
    }
    return picked;
}

// Returns twice the missing number, since the teacher is sometimes wrong, but
// at least one window and at most a few.
static size_t block_size(const struct lessons *lessons, size_t missing)
{
    size_t window = (size_t)session_job(lessons->session)->window;
    size_t most = window * BLOCK_WINDOWS;

    if (missing * 2 < window)
        return window;
    return missing * 2 < most ? missing * 2 : most;
}

bool lessons_run(struct lessons *lessons, const struct demo_recipe *recipe,
                 struct row_span rows, size_t missing, struct err *err)
{
    size_t most = block_size(lessons, missing);
    size_t *block = calloc(most + 1, sizeof *block);
    bool ok = true;

    if (block == NULL) {
        err_nomem(err, "teacher runs");
        return false;
    }
    size_t picked = pick_block(lessons, rows, most, block);
    for (int64_t round = 0; ok && round < recipe->max_rounds; round++)
        ok = run_round(lessons, recipe, round, (struct row_span){block, picked},
                       err);
    free(block);
    return ok;
}
