#include "fake_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/graph/kind.h"
#include "program/source/yaml.h"

static struct err err;

// --- the job

static bool pause_faults(const struct session *fake)
{
    return fake->pause != NULL && fake->pause();
}

static void resume_faults(const struct session *fake, bool was)
{
    if (fake->resume != NULL)
        fake->resume(was);
}

static void read_program(struct session *fake, const char *yaml)
{
    struct node *root =
        yaml_parse(&fake->arena, "job.yaml", yaml, strlen(yaml), fake->diags);

    cr_assert_not_null(root, "the YAML of the test");
    fake->job.program = program_parse(root, fake->diags);
    if (fake->job.program == NULL)
        cr_assert_fail("the program: %s", fake->diags->items[0].text);
}

static void add_row(struct session *fake, size_t at, json_t *example)
{
    cr_assert(dataset_put(fake->dataset, example, (int)at + 1));
    fake->fields[at] = dataset_fields(fake->dataset, at);
    fake->inputs[at] = dataset_inputs(fake->dataset, at);
    cr_assert_not_null(fake->inputs[at]);
}

static void read_rows(struct session *fake, const char *examples)
{
    json_t *all = json_parse(examples, strlen(examples), 1 << 20, &err);

    cr_assert_not_null(all, "%s", err.text);
    fake->dataset = dataset_new(fake->job.program);
    cr_assert(dataset_begin_file(fake->dataset, "rows.jsonl", "rows.jsonl"));
    fake->n_rows = json_array_size(all);
    fake->fields = calloc(fake->n_rows, sizeof *fake->fields);
    fake->inputs = calloc(fake->n_rows, sizeof *fake->inputs);
    for (size_t i = 0; i < fake->n_rows; i++)
        add_row(fake, i, json_array_get(all, i));
    json_decref(all);
}

static void set_share(struct session *fake, enum share share, size_t from,
                      size_t n)
{
    fake->split.rows[share] = calloc(n + 1, sizeof(size_t));
    fake->split.n[share] = n;
    for (size_t i = 0; i < n; i++)
        fake->split.rows[share][i] = from + i;
}

static void make_plan(struct session *fake, const char *const *reads)
{
    bool wanted[PROGRAM_MAX_FIELDS] = {false};
    const struct program *program = fake->job.program;

    for (size_t i = 0; i < program->n_outputs; i++) {
        wanted[i] = reads == NULL;
        for (size_t k = 0; reads != NULL && reads[k] != NULL; k++)
            wanted[i] |= strcmp(reads[k], program->outputs[i].name) == 0;
    }
    plan_make(program, wanted, &fake->plan);
}

struct session *fake_new(const char *yaml, const char *examples, size_t n_train,
                         const char *const *reads, struct fake_script script,
                         enum fake_finish finish)
{
    struct session *fake = calloc(1, sizeof *fake);

    fake->script = script;
    fake->finish = finish;
    fake->diags = diags_new(&err);
    fake->arena = ARENA_INIT(1 << 22);
    fake->job.window = 4;
    for (int role = 0; role < ROLE_COUNT; role++) {
        fake->job.models[role].options.num_ctx = 100000;
        fake->job.models[role].options.num_predict = 100;
    }
    fake->job.seed = 9;
    read_program(fake, yaml);
    read_rows(fake, examples);
    size_t n = fake->n_rows;
    set_share(fake, SHARE_TRAIN, 0, n_train > 0 ? n_train : n);
    set_share(fake, SHARE_VAL, n_train, n - n_train);
    set_share(fake, SHARE_TEST, 0, 0);
    fake->split.shared = n_train == 0;
    make_plan(fake, reads);
    fake->baseline = candidate_new(fake->job.program, &err);
    candidate_seal(fake->baseline);
    struct trial *trial =
        trial_submit(fake, TRIAL_BASELINE, fake->baseline,
                     row_span_of(&fake->split, SHARE_VAL), NULL, &err);
    cr_assert(trial_wait(fake, trial, &err));
    fake->best = trial;
    return fake;
}

static json_t *answer_x(void *user, const struct fake_ask *ask)
{
    (void)user;
    (void)ask;
    return json_pack("{s:s}", "label", "x");
}

static double score_nothing(void *user, const json_t *example,
                            const json_t *outputs)
{
    (void)user;
    (void)example;
    (void)outputs;
    return 0;
}

struct session *fake_plain(size_t n_rows, size_t n_train)
{
    struct buf examples = BUF_INIT(1 << 16);

    for (size_t i = 0; i < n_rows; i++)
        buf_printf(&examples, "%s{\"text\": \"row %zu\", \"label\": \"x\"}",
                   i > 0 ? "," : "[", i);
    buf_putc(&examples, ']');
    struct session *fake = fake_new(
        "inputs: {text: {desc: A text}}\n"
        "steps:\n"
        "  one: {predict: Sort., inputs: [text], outputs: {label: {desc: x}}}\n"
        "outputs: {label: one.label}\n",
        examples.data, n_train, NULL,
        (struct fake_script){answer_x, score_nothing, NULL}, FINISH_LATE);
    buf_release(&examples);
    return fake;
}

void fake_free(struct session *fake)
{
    for (size_t i = 0; i < fake->n_trials; i++)
        trial_free(fake->trials[i]);
    for (size_t i = 0; i < fake->n_again; i++)
        trial_free(fake->again[i]);
    row_lists_release(&fake->lists);
    free(fake->again);
    free(fake->trials);
    free(fake->expected);
    candidate_unref(fake->baseline);
    for (size_t i = 0; i < fake->n_rows; i++) {
        json_decref(fake->fields[i]);
        json_decref(fake->inputs[i]);
    }
    free(fake->fields);
    free(fake->inputs);
    dataset_free(fake->dataset);
    for (int i = 0; i < SHARE_COUNT; i++)
        free(fake->split.rows[i]);
    program_free(fake->job.program);
    diags_free(fake->diags);
    arena_release(&fake->arena);
    free(fake);
}

static const void *read_params(struct session *fake, const char *name,
                               const char *params,
                               const struct optimizer **optimizer)
{
    const void *values;

    fake->job.optimizer = name;
    fake->job.optimizer_node = yaml_parse(&fake->arena, "params.yaml", params,
                                          strlen(params), fake->diags);
    values = optimizer_params(&fake->job, optimizer, &fake->arena, fake->diags);
    if (values == NULL)
        cr_assert_fail("%s: %s", name, fake->diags->items[0].text);
    return values;
}

bool fake_optimize(struct session *fake, const char *name, const char *params,
                   struct err *error)
{
    const struct optimizer *optimizer = NULL;
    bool was = pause_faults(fake);
    const void *values = read_params(fake, name, params, &optimizer);

    resume_faults(fake, was);
    return optimizer->run(fake, values, error);
}

struct effort fake_effort(struct session *fake, const char *name,
                          const char *params)
{
    const struct optimizer *optimizer = NULL;
    const void *values = read_params(fake, name, params, &optimizer);

    cr_assert_not_null(optimizer->effort, "%s says what it expects", name);
    return optimizer->effort(fake, values);
}

size_t fake_count(const struct session *fake, enum trial_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < fake->n_trials; i++)
        n += fake->trials[i]->kind == kind;
    return n;
}

// --- running a program

struct work {
    struct session *fake;
    const struct program *program;
    const struct plan *plan;
    const struct candidate *candidate;
    enum role role;
    const struct sampling *sampling;
    const json_t *inputs;
    int row;             // the row of the inputs, or -1
    const json_t *given; // {step: outputs} to use instead of asking these steps
    json_t **step_inputs;
    json_t **step_outputs;
};

static json_t *value_of(const struct work *work, struct source source)
{
    const struct step *step = NULL;

    if (source.step == SOURCE_INPUT)
        return json_object_get(work->inputs,
                               work->program->inputs[source.field].name);
    step = &work->program->steps[source.step];
    if (source.field == SOURCE_WHOLE)
        return work->step_outputs[source.step];
    return json_object_get(work->step_outputs[source.step],
                           step->signature.outputs[source.field].name);
}

static void set_value(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key,
                        value != NULL ? json_incref(value) : json_null());
}

static void count_ask(struct session *fake, const struct sampling *sampling)
{
    const char *purpose = sampling->purpose;

    fake->asked_fill += strcmp(purpose, "fill") == 0;
    fake->asked_summary += strcmp(purpose, "summary") == 0;
    fake->asked_propose += strcmp(purpose, "propose") == 0;
    fake->asked_bootstrap += strcmp(purpose, "bootstrap") == 0;
    fake->asked_reflect += strcmp(purpose, "reflect") == 0;
}

static void ask_model(struct work *work, int at, json_t *inputs)
{
    const struct step *step = &work->program->steps[at];
    const struct candidate_part *part =
        &work->candidate->parts[step->predictor];
    struct demo *others = calloc(part->n_demos + 1, sizeof *others);
    struct candidate_part seen = *part;

    if (part->nearest == 0)
        seen = candidate_part_for(part, work->row, others);
    const struct fake_ask ask = {work->program, step,       &seen,
                                 inputs,        work->role, work->sampling};
    count_ask(work->fake, work->sampling);
    work->step_outputs[at] =
        work->fake->script.answer(work->fake->script.user, &ask);
    free(others);
}

// Returns false when the model gave no readable answer.
static bool run_step(struct work *work, int at)
{
    const struct step *step = &work->program->steps[at];
    json_t *given = json_object_get(work->given, step->name);
    json_t *inputs = NULL;

    if (given != NULL) {
        work->step_outputs[at] = json_incref(given);
        return true;
    }
    inputs = json_object();

    for (size_t i = 0; i < step->signature.n_inputs; i++)
        set_value(inputs, step->signature.inputs[i].name,
                  value_of(work, step->sources[i]));
    work->step_inputs[at] = inputs;
    if (step->kind->compute != NULL) {
        work->step_outputs[at] = step->kind->compute(step, inputs);
        return true;
    }
    ask_model(work, at, inputs);
    return work->step_outputs[at] != NULL;
}

// Returns the outputs of the program, or NULL when a step gave none.
static json_t *run_program(struct work *work)
{
    const struct program *program = work->program;
    json_t *outputs = NULL;

    work->fake->runs[work->role]++;
    for (size_t i = 0; i < program->n_steps; i++) {
        int step = program->order[i];
        if (work->plan->runs[step] && !run_step(work, step))
            return NULL;
    }
    outputs = json_object();
    for (size_t i = 0; i < program->n_outputs; i++)
        set_value(outputs, program->outputs[i].name,
                  value_of(work, program->outputs[i].source));
    return outputs;
}

static void free_values(json_t **values, size_t n)
{
    for (size_t i = 0; values != NULL && i < n; i++)
        json_decref(values[i]);
    free(values);
}

// --- what the optimizers see

const struct job *session_job(const struct session *fake)
{
    return &fake->job;
}

const struct dataset *session_dataset(const struct session *fake)
{
    return fake->dataset;
}

const struct split *session_split(const struct session *fake)
{
    return &fake->split;
}

const struct plan *session_plan(const struct session *fake)
{
    return &fake->plan;
}

struct candidate *session_baseline(const struct session *fake)
{
    return fake->baseline;
}

struct rng session_rng(const struct session *fake, const char *purpose,
                       uint64_t index)
{
    struct rng rng;
    rng_init(&rng, (uint64_t)fake->job.seed, purpose, index);
    return rng;
}

static double score_row(struct session *fake, const struct trial *trial,
                        size_t row)
{
    const struct sampling sampling = {
        .temperature = -1, .purpose = "trial", .replicate = trial->replicate};
    size_t n = fake->job.program->n_steps;
    double score = 0;
    struct work work = {.fake = fake,
                        .program = fake->job.program,
                        .plan = &fake->plan,
                        .candidate = trial->candidate,
                        .role = ROLE_STUDENT,
                        .sampling = &sampling,
                        .inputs = fake->inputs[row],
                        .row = (int)row,
                        .step_inputs = calloc(n, sizeof(json_t *)),
                        .step_outputs = calloc(n, sizeof(json_t *))};
    json_t *outputs = run_program(&work);

    if (outputs != NULL)
        score =
            fake->script.score(fake->script.user, fake->fields[row], outputs);
    json_decref(outputs);
    free_values(work.step_inputs, n);
    free_values(work.step_outputs, n);
    return score;
}

static void finish_trial(struct session *fake, struct trial *trial)
{
    double sum = 0;
    bool was = false;

    if (trial->done)
        return;
    was = pause_faults(fake);
    for (size_t i = 0; i < trial->n_rows; i++) {
        trial->scored[i] = true;
        trial->scores[i] = score_row(fake, trial, trial->rows[i]);
        sum += trial->scores[i];
        trial->n++;
    }
    trial->score = trial->n > 0 ? sum / (double)trial->n : 0;
    trial->done = true;
    resume_faults(fake, was);
}

bool session_admit(struct session *fake, struct err *error)
{
    int64_t next = (int64_t)fake->n_trials + 1;

    (void)error;
    for (size_t i = 0; i < fake->n_trials; i++) {
        if (fake->trials[i]->number <= next - fake->job.window)
            finish_trial(fake, fake->trials[i]);
    }
    return true;
}

static void count_open(struct session *fake)
{
    size_t open = 0;
    for (size_t i = 0; i < fake->n_trials; i++)
        open += !fake->trials[i]->done;
    if (open > fake->most_open)
        fake->most_open = open;
}

struct candidate *session_fit(struct session *fake, struct candidate *candidate,
                              struct err *error)
{
    (void)fake;
    (void)error;
    return candidate_ref(candidate);
}

static struct trial *make_trial(struct session *fake, enum trial_kind kind,
                                struct candidate *candidate,
                                struct row_span rows)
{
    struct row_span shared = row_lists_share(&fake->lists, rows);
    struct trial *trial;

    cr_assert_not_null(shared.rows);
    trial = trial_new(candidate, shared, &err);
    cr_assert_not_null(trial, "%s", err.text);
    trial->kind = kind;
    return trial;
}

// Counts the rows that no trial of the candidate has been on.
static size_t count_fresh(const struct session *fake,
                          const struct candidate *candidate,
                          struct row_span rows)
{
    size_t fresh = 0;

    for (size_t i = 0; i < rows.n; i++) {
        bool known = false;

        for (size_t t = 0; t < fake->n_trials + fake->n_again && !known; t++) {
            const struct trial *trial = t < fake->n_trials
                                            ? fake->trials[t]
                                            : fake->again[t - fake->n_trials];

            if (!hash_equal(&trial->candidate->id, &candidate->id))
                continue;
            for (size_t k = 0; k < trial->n_rows; k++)
                known |= trial->rows[k] == rows.rows[i];
        }
        fresh += !known;
    }
    return fresh;
}

struct trial *session_redraw(struct session *fake, struct candidate *candidate,
                             struct row_span rows, int32_t replicate,
                             struct err *error)
{
    bool was = pause_faults(fake);
    struct trial *trial = make_trial(fake, TRIAL_FULL, candidate, rows);

    (void)error;
    trial->replicate = replicate;
    fake->submitted +=
        replicate > 0 ? rows.n : count_fresh(fake, candidate, rows);
    fake->again =
        realloc(fake->again, (fake->n_again + 1) * sizeof(struct trial *));
    fake->again[fake->n_again++] = trial;
    finish_trial(fake, trial);
    resume_faults(fake, was);
    return trial;
}

struct trial *trial_submit(struct session *fake, enum trial_kind kind,
                           struct candidate *candidate, struct row_span rows,
                           const char *reason, struct err *error)
{
    bool was = false;
    struct trial *trial = NULL;

    (void)reason;
    if (fake->max_trials > 0 && (int64_t)fake->n_trials >= fake->max_trials) {
        cr_assert_not(fake->refused, "a trial after the budget was used up");
        fake->refused = true;
        err_set(error, ERR_BUDGET, "the budget is used up");
        return NULL;
    }
    was = pause_faults(fake);
    fake->submitted += count_fresh(fake, candidate, rows);
    trial = make_trial(fake, kind, candidate, rows);
    fake->trials =
        realloc(fake->trials, (fake->n_trials + 1) * sizeof(struct trial *));
    fake->trials[fake->n_trials++] = trial;
    trial->number = (int64_t)fake->n_trials;
    if (fake->finish == FINISH_EARLY)
        finish_trial(fake, trial);
    count_open(fake);
    resume_faults(fake, was);
    return trial;
}

bool trial_wait(struct session *fake, struct trial *trial, struct err *error)
{
    (void)error;
    finish_trial(fake, trial);
    return true;
}

struct trial *const *session_trials(const struct session *fake, size_t *n)
{
    *n = fake->n_trials;
    return fake->trials;
}

// The fake does not use runs->task, and counts the steps here.
struct fake_runs {
    struct runs runs;
    size_t n_steps;
};

// Writes "row 3: label is b", with what the example says about every output.
static char *make_feedback(const struct session *fake,
                           const struct task_item *item)
{
    const struct program *program = fake->job.program;
    const json_t *example = fake->fields[item->row];
    struct buf text = BUF_INIT(1 << 16);

    buf_printf(&text, "row %d:", item->row);
    for (size_t i = 0; i < program->n_outputs; i++) {
        const char *name = program->outputs[i].name;
        const char *label = json_get_text(example, name, NULL);

        if (label != NULL)
            buf_printf(&text, " %s is %s", name, label);
    }
    return buf_take(&text);
}

static void run_item(struct session *fake, const struct runs_request *request,
                     size_t i, struct task_item *item)
{
    size_t n = request->program->n_steps;
    struct work work = {.fake = fake,
                        .program = request->program,
                        .plan = request->plan,
                        .candidate = request->candidate,
                        .role = request->role,
                        .sampling = &request->sampling};

    item->row = request->rows != NULL ? (int)request->rows[i] : -1;
    item->inputs = json_incref(request->rows != NULL ? fake->inputs[item->row]
                                                     : request->inputs[i]);
    work.inputs = item->inputs;
    work.row = item->row;
    work.given = request->given != NULL ? request->given[i] : NULL;
    work.step_inputs = calloc(n, sizeof(json_t *));
    work.step_outputs = calloc(n, sizeof(json_t *));
    item->outputs = run_program(&work);
    item->step_inputs = work.step_inputs;
    item->step_outputs = work.step_outputs;
    item->state = ITEM_DONE;
    item->outcome = item->outputs != NULL ? RUN_DONE : RUN_FORMAT;
    item->scored = request->scored;
    if (request->scored && item->outputs != NULL)
        item->score = fake->script.score(
            fake->script.user, fake->fields[item->row], item->outputs);
    if (request->scored && item->score < 1)
        item->feedback = make_feedback(fake, item);
}

struct runs *runs_submit(struct session *fake,
                         const struct runs_request *request, struct err *error)
{
    bool was = false;
    struct fake_runs *made = NULL;

    if (fake->max_runs > 0 && fake->runs_asked++ >= fake->max_runs) {
        err_set(error, ERR_BUDGET, "the budget is used up");
        return NULL;
    }
    was = pause_faults(fake);
    fake->submitted += request->n;
    made = calloc(1, sizeof *made);
    made->n_steps = request->program->n_steps;
    made->runs.n = request->n;
    made->runs.items = calloc(request->n, sizeof *made->runs.items);
    for (size_t i = 0; i < request->n; i++)
        run_item(fake, request, i, &made->runs.items[i]);
    resume_faults(fake, was);
    return &made->runs;
}

bool runs_wait(struct session *fake, struct runs *runs, struct err *error)
{
    runs->done = true;
    if (++fake->waits != fake->fault_at)
        return true;
    err_set(error, ERR_FAULT, "calls of a run could not be served");
    return false;
}

void runs_free(struct runs *runs)
{
    struct fake_runs *made = (struct fake_runs *)runs;

    cr_assert(runs == NULL || runs->done, "runs freed while under way");
    for (size_t i = 0; runs != NULL && i < runs->n; i++) {
        json_decref(runs->items[i].inputs);
        json_decref(runs->items[i].outputs);
        free(runs->items[i].feedback);
        free_values(runs->items[i].step_inputs, made->n_steps);
        free_values(runs->items[i].step_outputs, made->n_steps);
    }
    if (runs != NULL)
        free(runs->items);
    free(made);
}

void session_set_baseline(struct session *fake, struct trial *trial)
{
    fake->baseline_trial = trial;
}

struct trial *session_score(struct session *fake, struct candidate *candidate,
                            const struct plan *plan, struct row_span rows,
                            struct err *error)
{
    size_t fresh = count_fresh(fake, candidate, rows);

    (void)plan;
    if (fresh + fake->kept_back > fake->max_proof) {
        err_set(error, ERR_BUDGET, "the budget is used up");
        return NULL;
    }
    fake->max_proof -= fresh;
    return session_redraw(fake, candidate, rows, 0, error);
}

void session_reserve(struct session *fake, size_t n, double share)
{
    size_t most = (size_t)(share * (double)fake->max_proof);

    fake->kept_back = n < most ? n : most;
}

void session_set_rival(struct session *fake, struct trial *trial)
{
    fake->rival = trial;
}

void session_set_best(struct session *fake, struct trial *trial)
{
    fake->best = trial;
}

struct trial *session_seed_trial(const struct session *fake)
{
    return fake->seed;
}

struct trial *session_baseline_trial(const struct session *fake)
{
    return fake->baseline_trial != NULL ? fake->baseline_trial
                                        : fake->trials[0];
}

struct trial *session_best(const struct session *fake)
{
    return fake->best;
}

void session_set_finish(struct session *fake, const char *reason)
{
    fake->ended = reason;
}

void session_phase(struct session *fake, const char *phase)
{
    (void)fake;
    (void)phase;
}

void session_expect(struct session *fake, struct effort to_come)
{
    bool was = pause_faults(fake);
    size_t bytes = (fake->n_expected + 1) * sizeof *fake->expected;

    fake->expected = realloc(fake->expected, bytes);
    fake->expected[fake->n_expected++] = (struct fake_expectation){
        fake->submitted, fake->submitted + to_come.examples,
        to_come.trials == 0 ? 0 : fake->n_trials + to_come.trials};
    resume_faults(fake, was);
}

void session_note(struct session *fake, const char *format, ...)
{
    size_t used = strlen(fake->notes);
    va_list list;

    va_start(list, format);
    vsnprintf(fake->notes + used, sizeof fake->notes - used, format, list);
    va_end(list);
    used = strlen(fake->notes);
    snprintf(fake->notes + used, sizeof fake->notes - used, "\n");
}

void fake_expect_same(const struct session *a, const struct session *b)
{
    cr_assert_eq(a->n_trials, b->n_trials);
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct trial *x = a->trials[i];
        const struct trial *y = b->trials[i];

        cr_assert(hash_equal(&x->candidate->id, &y->candidate->id),
                  "trial %zu differs", i + 1);
        cr_assert_eq(x->kind, y->kind);
        cr_assert_eq(x->n_rows, y->n_rows);
        cr_assert_arr_eq(x->rows, y->rows, x->n_rows * sizeof *x->rows);
    }
    cr_expect_eq(a->best->number, b->best->number);
}
