#include "predict/run_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "common/clock.h"
#include "predict/answers.h"
#include "predict/asking.h"
#include "predict/inputs.h"
#include "predict/run.h"

// --- making and freeing ---

// Opens the corpus, whose calls have ids after those of all runs.
static bool open_corpus(struct run_pool *pool, struct err *err)
{
    const struct run_pool_options *options = &pool->options;
    struct corpus_options with = {.compiled = options->compiled,
                                  .retrieval = pool->retrieval,
                                  .client = options->client,
                                  .slots = options->slots,
                                  .timeout_ms = options->timeout_ms,
                                  .first_id = (int64_t)options->places *
                                              PROGRAM_MAX_STEPS};

    return corpus_open(&with, &pool->corpus, err);
}

static bool make_places(struct run_pool *pool, struct err *err)
{
    size_t places = pool->options.places;

    pool->runs = calloc(places, sizeof *pool->runs);
    pool->order = calloc(places, sizeof *pool->order);
    if (pool->runs == NULL || pool->order == NULL)
        err_nomem(err, "the runs");
    return pool->runs != NULL && pool->order != NULL;
}

static bool render_parts(struct run_pool *pool, struct err *err)
{
    const struct compiled *compiled = pool->options.compiled;
    bool ok = true;

    for (size_t s = 0; ok && s < compiled->program->n_steps; s++)
        ok = prompt_part_render(&pool->parts[s], compiled, s, err);
    return ok;
}

// Starts and opens all that answers beside the model.
static bool open_answerers(struct run_pool *pool, struct err *err)
{
    const struct compiled *compiled = pool->options.compiled;
    const char *programs = pool->options.allow_exec ? compiled->folder : NULL;

    pool->nearest = nearest_new(err);
    return pool->nearest != NULL &&
           local_programs_start(compiled->program, programs, &pool->programs,
                                err) &&
           retrieval_open_folder(compiled->program, compiled->folder,
                                 &pool->retrieval, err) &&
           open_corpus(pool, err);
}

struct run_pool *run_pool_new(const struct run_pool_options *options,
                              struct err *err)
{
    struct run_pool *pool = calloc(1, sizeof *pool);

    assert(options->slots >= 1 && options->places >= 1);
    if (pool == NULL) {
        err_nomem(err, "the runs");
        return NULL;
    }
    pool->options = *options;
    prompt_parts_init(pool->parts, PROGRAM_MAX_STEPS);
    plan_all(options->compiled->program, &pool->plan);
    if (make_places(pool, err) && render_parts(pool, err) &&
        open_answerers(pool, err))
        return pool;
    run_pool_free(pool);
    return NULL;
}

void run_pool_free(struct run_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->n; i++) {
        run_drop_calls(pool, &pool->runs[pool->order[i]]);
        run_release(&pool->runs[pool->order[i]]);
    }
    local_programs_stop(pool->programs);
    corpus_close(pool->corpus);
    retrieval_close(pool->retrieval);
    nearest_free(pool->nearest);
    prompt_parts_release(pool->parts, PROGRAM_MAX_STEPS);
    free(pool->order);
    free(pool->runs);
    free(pool);
}

bool run_pool_is_loading(const struct run_pool *pool)
{
    return corpus_state(pool->corpus) == CORPUS_WANTED;
}

// --- beginning ---

bool run_pool_has_room(const struct run_pool *pool)
{
    return pool->n < pool->options.places;
}

size_t run_pool_size(const struct run_pool *pool)
{
    return pool->n;
}

static struct run *free_place(struct run_pool *pool)
{
    size_t place = 0;

    while (pool->runs[place].state != RUN_FREE)
        place++;
    pool->order[pool->n++] = place;
    return &pool->runs[place];
}

void run_pool_begin(struct run_pool *pool, uint64_t tag, json_t *values)
{
    const struct compiled *compiled = pool->options.compiled;
    struct run *run;
    json_t *inputs = NULL;

    assert(run_pool_has_room(pool));
    if (corpus_state(pool->corpus) == CORPUS_FAILED)
        corpus_want(pool->corpus);
    run = free_place(pool);
    *run = (struct run){.state = RUN_ACTIVE, .tag = tag};
    if (inputs_check_names(compiled->program->inputs,
                           compiled->program->n_inputs, values, &run->err))
        inputs = program_inputs(compiled->program, values, &run->err);
    if (inputs != NULL)
        run->stepper = stepper_new(
            compiled->program, &pool->plan, compiled->settings.adapter,
            compiled->candidate->values, inputs, &run->err);
    json_decref(inputs);
    if (run->stepper == NULL)
        run_finish(run, RUN_END_INPUT);
}

// --- a turn ---

static bool has_open_call(const struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        if (run->calls[s].state == CALL_OPEN)
            return true;
    return false;
}

// A run that failed while other calls of it are still open waits for these.
static bool is_over(const struct run *run)
{
    return run->state == RUN_ENDED && !has_open_call(run);
}

bool run_pool_turn(struct run_pool *pool, int64_t wait_ms, struct err *err)
{
    int64_t now = clock_monotonic_ms();
    int64_t due = now + wait_ms;

    if (!corpus_send(pool->corpus, now, &due, err))
        return false;
    for (size_t i = 0; i < pool->n; i++) {
        struct run *run = &pool->runs[pool->order[i]];

        if (run->state == RUN_ACTIVE)
            asking_collect(pool, run);
        if (run->state == RUN_ACTIVE && !asking_send(pool, run, now, &due, err))
            return false;
        if (is_over(run))
            due = now;
    }
    if (!model_poll(pool->options.client, local_programs_fd(pool->programs),
                    due > now ? due - now : 0, err))
        return false;
    answers_take(pool);
    answers_take_programs(pool);
    if (corpus_state(pool->corpus) == CORPUS_FAILED)
        answers_end_without_corpus(pool);
    return true;
}

const char *run_pool_outage(const struct run_pool *pool)
{
    return pool->trouble.code == ERR_NONE ? NULL : pool->trouble.text;
}

// --- the end of a run ---

static const char *outcome_text(enum run_outcome outcome)
{
    static const char *const texts[] = {
        [RUN_DONE] = "gave no outputs",
        [RUN_FORMAT] = "gave no readable answer, not even when asked again",
        [RUN_CUT] = "was cut off at num_predict",
        [RUN_EMPTY] = "gave an empty answer",
        [RUN_LOOP] = "repeated itself without end",
        [RUN_TOO_LONG] = "got a prompt beyond num_ctx: shorten the inputs",
    };

    return texts[outcome];
}

static void tell_model_fault(const struct run_pool *pool, const struct run *run,
                             struct err *err)
{
    const struct program *program = pool->options.compiled->program;
    int step = stepper_failed_step(run->stepper);
    const char *problem = stepper_problem(run->stepper);

    err_set(err, run->end == RUN_END_INPUT ? ERR_INPUT : ERR_PROTOCOL,
            "the model of step `%s` %s%s%s",
            step < 0 ? "?" : program->steps[step].name,
            outcome_text(stepper_outcome(run->stepper)),
            problem[0] == '\0' ? "" : ": ", problem);
}

static void fill_result(const struct run_pool *pool, const struct run *run,
                        struct run_result *out)
{
    *out = (struct run_result){
        .tag = run->tag, .end = run->end, .fault = run->fault, .err = run->err};
    if (run->stepper != NULL)
        out->repairs = stepper_repairs(run->stepper);
    if (run->end == RUN_END_OUTPUTS)
        out->outputs = json_incref((json_t *)stepper_outputs(run->stepper));
    else if (run->err.code == ERR_NONE)
        tell_model_fault(pool, run, &out->err);
}

// Removes the i-th run in `order`.
static void remove_run(struct run_pool *pool, size_t i)
{
    struct run *run = &pool->runs[pool->order[i]];

    run_release(run);
    pool->n--;
    for (; i < pool->n; i++)
        pool->order[i] = pool->order[i + 1];
}

bool run_pool_take(struct run_pool *pool, struct run_result *out)
{
    for (size_t i = 0; i < pool->n; i++) {
        struct run *run = &pool->runs[pool->order[i]];

        if (!is_over(run))
            continue;
        fill_result(pool, run, out);
        remove_run(pool, i);
        return true;
    }
    return false;
}

bool run_pool_drop(struct run_pool *pool, uint64_t *tag)
{
    if (pool->n == 0)
        return false;
    *tag = pool->runs[pool->order[0]].tag;
    run_drop_calls(pool, &pool->runs[pool->order[0]]);
    remove_run(pool, 0);
    return true;
}
