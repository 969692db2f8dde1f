#include "predict/run_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "predict/corpus.h"
#include "predict/inputs.h"
#include "predict/local_programs.h"
#include "program/graph/ask.h"
#include "program/graph/plan.h"
#include "program/prompt/prompt.h"
#include "program/run/stepper.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"

enum {
    TRIES = 4,         // of a call
    PROGRAM_TRIES = 3, // of a request to a program
    PASSAGES_MAX_BYTES = 64 << 20,
    BACK_OFF_MS = 500, // doubled with each try
};

// The same for all runs of a step.
struct prompt_part {
    struct buf prefix;
    struct buf formats[ADAPTER_COUNT]; // by the form of the answer
};

enum call_state { CALL_NONE, CALL_WAITS, CALL_OPEN };

// Of a call whose prompt shows the demos that are near by embeddings: that of
// its question is asked first.
enum near_state { NEAR_NONE, NEAR_WANTED, NEAR_KNOWN };

struct step_call {
    enum call_state state;
    struct ask ask;
    uint64_t id; // CALL_OPEN: the request whose answer is waited for
    int tries;
    int64_t failed_ms; // when it failed last; 0: it has not
    int64_t due_ms;    // CALL_WAITS: not before
    enum near_state near;
    struct direction *direction; // owned; NULL: the question has none
};

enum run_state { RUN_FREE, RUN_ACTIVE, RUN_ENDED };

struct run {
    enum run_state state;
    uint64_t tag;
    struct stepper *stepper; // owned; NULL when the inputs did not fit
    enum run_end end;        // RUN_ENDED: when it is not RUN_END_OUTPUTS,
    struct err err;          // here is why
    enum call_fault fault;   // the server's last
    struct step_call calls[PROGRAM_MAX_STEPS];
};

struct run_pool {
    struct run_pool_options options;
    struct plan plan;
    struct prompt_part parts[PROGRAM_MAX_STEPS];
    struct run *runs; // owned; options.places of them
    size_t *order;    // owned; the places in use, oldest run first
    size_t n;
    struct local_programs *programs; // owned; NULL where no step has one
    struct retrieval *retrieval;     // the same of steps that search
    struct corpus *corpus;           // and of those that do so by embeddings
    struct nearest *nearest;         // owned: of pools of demos
    uint64_t requests;               // made to programs so far
    int64_t failing_ms; // since when the server has answered nobody; 0: it does
    struct err trouble; // what it says instead
};

// --- prompts ---

static bool render_part(struct run_pool *pool, size_t s, struct err *err)
{
    const struct compiled *compiled = pool->options.compiled;
    const struct step *step = &compiled->program->steps[s];
    struct prompt_part *part = &pool->parts[s];

    if (step->predictor < 0)
        return true;
    for (int form = 0; form < ADAPTER_COUNT; form++) {
        if (!prompt_format(step, (enum adapter)form, &part->formats[form], err))
            return false;
    }
    return prompt_prefix(step, &compiled->candidate->parts[step->predictor],
                         compiled->settings.adapter, &part->prefix, err);
}

static void init_parts(struct run_pool *pool)
{
    for (size_t s = 0; s < PROGRAM_MAX_STEPS; s++) {
        pool->parts[s].prefix = BUF_INIT(PROMPT_MAX_BYTES);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            pool->parts[s].formats[form] = BUF_INIT(PROMPT_MAX_BYTES);
    }
}

static void release_parts(struct run_pool *pool)
{
    for (size_t s = 0; s < PROGRAM_MAX_STEPS; s++) {
        buf_release(&pool->parts[s].prefix);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            buf_release(&pool->parts[s].formats[form]);
    }
}

// --- making and freeing ---

// Its calls have the ids behind those of all runs.
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

struct run_pool *run_pool_new(const struct run_pool_options *options,
                              struct err *err)
{
    struct run_pool *pool = calloc(1, sizeof *pool);
    bool ok = false;

    assert(options->slots >= 1 && options->places >= 1);
    if (pool == NULL)
        goto out;
    pool->options = *options;
    init_parts(pool);
    plan_all(options->compiled->program, &pool->plan);
    pool->runs = calloc(options->places, sizeof *pool->runs);
    pool->order = calloc(options->places, sizeof *pool->order);
    ok = pool->runs != NULL && pool->order != NULL;
out:
    if (!ok)
        err_nomem(err, "the runs");
    for (size_t s = 0; ok && s < options->compiled->program->n_steps; s++)
        ok = render_part(pool, s, err);
    if (ok)
        pool->nearest = nearest_new(err);
    ok = pool->nearest != NULL &&
         local_programs_start(options->compiled->program,
                              options->allow_exec ? options->compiled->folder
                                                  : NULL,
                              &pool->programs, err) &&
         retrieval_open_folder(options->compiled->program,
                               options->compiled->folder, &pool->retrieval,
                               err) &&
         open_corpus(pool, err);
    if (ok)
        return pool;
    run_pool_free(pool);
    return NULL;
}

static int64_t call_id(const struct run_pool *pool, const struct run *run,
                       int step)
{
    return (int64_t)(run - pool->runs) * PROGRAM_MAX_STEPS + step;
}

static void drop_calls(struct run_pool *pool, struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++) {
        if (run->calls[s].state == CALL_OPEN &&
            run->calls[s].ask.answerer != ANSWERER_EXEC)
            model_cancel(pool->options.client, call_id(pool, run, s));
        run->calls[s].state = CALL_NONE;
    }
}

static void release_run(struct run *run)
{
    stepper_free(run->stepper);
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        free(run->calls[s].direction);
    *run = (struct run){0};
}

void run_pool_free(struct run_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->n; i++) {
        drop_calls(pool, &pool->runs[pool->order[i]]);
        release_run(&pool->runs[pool->order[i]]);
    }
    local_programs_stop(pool->programs);
    corpus_close(pool->corpus);
    retrieval_close(pool->retrieval);
    nearest_free(pool->nearest);
    release_parts(pool);
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

static void end_run(struct run *run, enum run_end end)
{
    run->state = RUN_ENDED;
    run->end = end;
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
        end_run(run, RUN_END_INPUT);
}

// --- calls ---

// An answer may come when its run is long gone: the number of the request says
// which it is for.
static bool ask_program(struct run_pool *pool, struct run *run, int step,
                        struct err *err)
{
    struct step_call *call = &run->calls[step];
    uint64_t all = (uint64_t)pool->options.places * PROGRAM_MAX_STEPS;

    call->id = ++pool->requests * all + (uint64_t)call_id(pool, run, step);
    return local_programs_begin(pool->programs, step, call->id,
                                call->ask.payload, call->ask.payload_len, err);
}

// What the model gets behind the step's prefix: the question, and before it,
// where the step has a pool of demos, those that it gets of it.
static bool put_tail(struct run_pool *pool, struct run *run, int step,
                     struct buf *out, struct err *err)
{
    const struct compiled *compiled = pool->options.compiled;
    const struct step *at = &compiled->program->steps[step];
    const struct candidate_part *part =
        &compiled->candidate->parts[at->predictor];
    const struct ask *ask = &run->calls[step].ask;
    enum adapter adapter = compiled->settings.adapter;
    bool ok = true;

    if (run->calls[step].near == NEAR_KNOWN)
        ok = nearest_put_near(pool->nearest, at, part, adapter,
                              corpus_vectors(pool->corpus),
                              run->calls[step].direction, -1, out, err);
    else if (part->nearest > 0)
        ok = nearest_put(pool->nearest, at, part, adapter,
                         stepper_step_inputs(run->stepper, step), -1, out, err);
    if (!ok)
        return false;
    buf_append(out, ask->payload, ask->payload_len);
    return buf_ok(out, "the prompt", err);
}

static bool ask_model(struct run_pool *pool, struct run *run, int step,
                      struct err *err)
{
    struct buf tail = BUF_INIT(PROMPT_MAX_BYTES);
    struct step_call *call = &run->calls[step];
    const struct prompt_part *part = &pool->parts[step];
    const struct compiled *compiled = pool->options.compiled;
    struct call_request request = {.model = compiled->model,
                                   .prefix = part->prefix.data,
                                   .prefix_len = part->prefix.len,
                                   .format = part->formats[call->ask.form].data,
                                   .options = compiled->settings.options};

    bool ok = put_tail(pool, run, step, &tail, err);

    request.tail = tail.data;
    request.tail_len = tail.len;
    ok = ok && model_begin(pool->options.client, call_id(pool, run, step),
                           &request, pool->options.timeout_ms, err);
    buf_release(&tail);
    return ok;
}

static bool ask_embedder(struct run_pool *pool, struct run *run, int step,
                         struct err *err)
{
    const struct ask *ask = &run->calls[step].ask;

    return corpus_begin(pool->corpus, call_id(pool, run, step), ask->payload,
                        ask->payload_len, err);
}

// The text that the demos of a step's pool are compared with; false: it has no
// word.
static bool put_question(const struct run_pool *pool, const struct run *run,
                         int step, struct buf *out)
{
    step_query(&pool->options.compiled->program->steps[step],
               stepper_step_inputs(run->stepper, step), out);
    return ask_can_embed(out);
}

static bool ask_near(struct run_pool *pool, struct run *run, int step,
                     struct err *err)
{
    struct buf query = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf payload = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok = false;

    if (put_question(pool, run, step, &query)) {
        ask_put_embedding(query.data, query.len, &payload);
        ok = buf_ok(&payload, "a question", err) &&
             corpus_begin(pool->corpus, call_id(pool, run, step), payload.data,
                          payload.len, err);
    }
    buf_release(&query);
    buf_release(&payload);
    return ok;
}

static bool slot_is_free(const struct run_pool *pool)
{
    return model_open(pool->options.client) < (size_t)pool->options.slots;
}

// A query is asked when there is something to compare it with.
static bool corpus_is_ready(const struct run_pool *pool)
{
    return corpus_state(pool->corpus) == CORPUS_READY && slot_is_free(pool);
}

// Programs take any number of requests, and work on a few.
static bool is_ready(const struct run_pool *pool)
{
    (void)pool;
    return true;
}

static const struct asking {
    bool (*has_room)(const struct run_pool *pool);
    bool (*ask)(struct run_pool *pool, struct run *run, int step,
                struct err *err);
} askings[ANSWERER_COUNT] = {
    [ANSWERER_MODEL] = {slot_is_free, ask_model},
    [ANSWERER_EXEC] = {is_ready, ask_program},
    [ANSWERER_EMBED] = {corpus_is_ready, ask_embedder},
};

static const struct asking *asking_of(const struct step_call *call)
{
    static const struct asking near = {corpus_is_ready, ask_near};

    return call->near == NEAR_WANTED ? &near : &askings[call->ask.answerer];
}

static bool send_call(struct run_pool *pool, struct run *run, int step,
                      struct err *err)
{
    struct step_call *call = &run->calls[step];

    if (!asking_of(call)->ask(pool, run, step, err))
        return false;
    call->state = CALL_OPEN;
    call->tries++;
    return true;
}

// What is searched has its answer at once.
static bool search(struct run_pool *pool, struct run *run,
                   const struct ask *ask, struct err *err)
{
    struct buf text = BUF_INIT(PASSAGES_MAX_BYTES);
    bool ok = retrieval_answer(pool->retrieval, ask->part, ask->payload,
                               ask->payload_len, &text, err);
    struct call_answer answer = {.outcome = CALL_TEXT,
                                 .text = text.data,
                                 .text_len = text.len,
                                 .cached_tokens = -1};

    ok = ok && stepper_answer(run->stepper, ask->part, &answer, err);
    buf_release(&text);
    return ok;
}

static bool picks_near(const struct run_pool *pool, const struct ask *ask)
{
    const struct compiled *compiled = pool->options.compiled;
    const struct step *step = &compiled->program->steps[ask->part];

    return ask->answerer == ANSWERER_MODEL &&
           compiled->program->pools_by == SEARCH_BY_EMBEDDINGS &&
           compiled->candidate->parts[step->predictor].nearest > 0;
}

// A repair has its question's embedding already.
static void take_ask(struct run_pool *pool, struct run *run,
                     const struct ask *ask)
{
    struct step_call *call = &run->calls[ask->part];
    struct buf query = BUF_INIT(PROMPT_MAX_BYTES);

    *call = (struct step_call){.state = CALL_WAITS,
                               .ask = *ask,
                               .near = call->near,
                               .direction = call->direction};
    if (call->near == NEAR_NONE && picks_near(pool, ask))
        call->near = put_question(pool, run, ask->part, &query) ? NEAR_WANTED
                                                                : NEAR_KNOWN;
    buf_release(&query);
}

// A prompt that does not fit is long because of the inputs: the program's own
// part of it was measured when it was compiled.
static enum run_end end_of(enum run_outcome outcome)
{
    return outcome == RUN_DONE       ? RUN_END_OUTPUTS
           : outcome == RUN_TOO_LONG ? RUN_END_INPUT
                                     : RUN_END_MODEL;
}

// Takes over what the run can ask now.
static void collect_asks(struct run_pool *pool, struct run *run)
{
    struct ask ask;

    while (run->err.code == ERR_NONE &&
           stepper_next(run->stepper, &ask, &run->err)) {
        if (ask.answerer == ANSWERER_RETRIEVE)
            (void)search(pool, run, &ask, &run->err);
        else
            take_ask(pool, run, &ask);
    }
    if (run->err.code != ERR_NONE)
        end_run(run, RUN_END_MODEL);
    else if (stepper_ended(run->stepper))
        end_run(run, end_of(stepper_outcome(run->stepper)));
}

// Sends the waiting calls of a run. *due_ms: when the next may go.
static bool send_waiting(struct run_pool *pool, struct run *run, int64_t now,
                         int64_t *due_ms, struct err *err)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++) {
        struct step_call *call = &run->calls[s];

        if (call->state != CALL_WAITS || !asking_of(call)->has_room(pool))
            continue;
        if (call->due_ms > now)
            *due_ms = call->due_ms < *due_ms ? call->due_ms : *due_ms;
        else if (!send_call(pool, run, s, err))
            return false;
    }
    return true;
}

// --- answers ---

static bool is_hopeless(enum call_fault fault)
{
    return fault == FAULT_MODEL || fault == FAULT_REQUEST;
}

// Whether the call has failed since the server has answered nobody. One that
// answers others meanwhile does not like this call.
static bool is_outage(const struct run_pool *pool, const struct step_call *call,
                      int64_t now)
{
    return call->failed_ms != 0 && pool->failing_ms <= call->failed_ms &&
           now - pool->failing_ms < pool->options.patience_ms;
}

// Whether the call has another try: a few, and in an outage, as long as the
// pool has patience, the same anew.
static bool is_tried_again(struct run_pool *pool, struct step_call *call,
                           const struct model_done *done, int64_t now)
{
    if (is_hopeless(done->fault))
        return false;
    if (call->tries < TRIES)
        return true;
    if (!is_outage(pool, call, now))
        return false;
    call->tries = 1;
    err_set(&pool->trouble, ERR_FAULT, "%s", done->text);
    return true;
}

// Asked again after a while; at the end the run is given up, with what else it
// has asked.
static void take_fault(struct run_pool *pool, struct run *run, int step,
                       const struct model_done *done)
{
    struct step_call *call = &run->calls[step];
    int64_t now = clock_monotonic_ms();
    bool again;

    if (pool->failing_ms == 0)
        pool->failing_ms = now;
    again = is_tried_again(pool, call, done, now);
    call->failed_ms = now;
    if (again) {
        call->state = CALL_WAITS;
        call->due_ms = now + ((int64_t)BACK_OFF_MS << (call->tries - 1));
        return;
    }
    call->state = CALL_NONE;
    drop_calls(pool, run);
    err_set(&run->err, is_hopeless(done->fault) ? ERR_INPUT : ERR_FAULT, "%s",
            done->text);
    run->fault = done->fault;
    end_run(run, RUN_END_SERVER);
}

static void give_answer(struct run *run, int step,
                        const struct call_answer *answer)
{
    run->calls[step].state = CALL_NONE;
    if (!stepper_answer(run->stepper, step, answer, &run->err))
        end_run(run, RUN_END_MODEL);
}

// The embedding of a query: its step gets the passages that are near. A query
// that is too long is the step's to tell of.
static void give_near(struct run_pool *pool, struct run *run, int step,
                      const struct call_answer *answer)
{
    const struct compiled *compiled = pool->options.compiled;
    struct buf text = BUF_INIT(PASSAGES_MAX_BYTES);
    struct call_answer passages = {.outcome = CALL_TEXT, .cached_tokens = -1};

    if (answer->outcome != CALL_TEXT) {
        give_answer(run, step, answer);
        return;
    }
    run->calls[step].state = CALL_NONE;
    if (retrieval_near(pool->retrieval, corpus_vectors(pool->corpus),
                       compiled->program, step, compiled->candidate->values,
                       answer->text, answer->text_len, &text, &run->err)) {
        passages.text = text.data;
        passages.text_len = text.len;
        give_answer(run, step, &passages);
    } else {
        drop_calls(pool, run);
        end_run(run, RUN_END_SERVER);
    }
    buf_release(&text);
}

// A program that failed is asked again at once; at the end this run has failed,
// and no other.
static void take_program_fault(struct run_pool *pool, struct run *run, int step,
                               const struct exec_done *done)
{
    struct step_call *call = &run->calls[step];

    if (call->tries < PROGRAM_TRIES) {
        call->state = CALL_WAITS;
        return;
    }
    call->state = CALL_NONE;
    drop_calls(pool, run);
    err_set(&run->err, ERR_PROTOCOL, "%s", done->fault.text);
    end_run(run, RUN_END_PROGRAM);
}

static void take_program(struct run_pool *pool, const struct exec_done *done)
{
    uint64_t all = (uint64_t)pool->options.places * PROGRAM_MAX_STEPS;
    struct run *run = &pool->runs[done->id % all / PROGRAM_MAX_STEPS];
    int step = (int)(done->id % PROGRAM_MAX_STEPS);
    struct call_answer answer = {.outcome = CALL_TEXT,
                                 .text = done->text,
                                 .text_len = done->len,
                                 .cached_tokens = -1};

    if (run->calls[step].state != CALL_OPEN || run->calls[step].id != done->id)
        return;
    if (done->ok)
        give_answer(run, step, &answer);
    else
        take_program_fault(pool, run, step, done);
}

static void take_programs(struct run_pool *pool)
{
    struct exec_done done;

    while (local_programs_take(pool->programs, &done)) {
        take_program(pool, &done);
        exec_done_release(&done);
    }
}

// The embedding of a question: now the model can be asked. One that is too long
// for it gets the first demos of the pool.
static void take_near(struct run_pool *pool, struct run *run, int step,
                      const struct call_answer *answer)
{
    struct step_call *call = &run->calls[step];

    if (answer->outcome == CALL_TEXT)
        call->direction =
            vectors_read(corpus_vectors(pool->corpus), answer->text,
                         answer->text_len, &run->err);
    call->state = CALL_WAITS;
    call->near = NEAR_KNOWN;
    call->tries = 0;
    call->failed_ms = 0;
    if (run->err.code == ERR_NONE)
        return;
    call->state = CALL_NONE;
    drop_calls(pool, run);
    end_run(run, RUN_END_SERVER);
}

static void take_done(struct run_pool *pool, const struct model_done *done)
{
    struct run *run = &pool->runs[done->id / PROGRAM_MAX_STEPS];
    int step = (int)(done->id % PROGRAM_MAX_STEPS);

    if (done->fault != FAULT_NONE) {
        take_fault(pool, run, step, done);
        return;
    }
    pool->failing_ms = 0;
    pool->trouble = ERR_CLEAR;
    if (run->calls[step].near == NEAR_WANTED)
        take_near(pool, run, step, &done->answer);
    else if (run->calls[step].ask.answerer == ANSWERER_EMBED)
        give_near(pool, run, step, &done->answer);
    else
        give_answer(run, step, &done->answer);
}

static void take_answers(struct run_pool *pool)
{
    struct model_done done;

    while (model_take_done(pool->options.client, &done)) {
        if (!corpus_take(pool->corpus, &done))
            take_done(pool, &done);
        call_answer_release(&done.answer);
    }
}

// --- documents ---

static bool waits_for_corpus(const struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        if (run->calls[s].state == CALL_WAITS &&
            (run->calls[s].ask.answerer == ANSWERER_EMBED ||
             run->calls[s].near == NEAR_WANTED))
            return true;
    return false;
}

// Runs that wait for documents which cannot be embedded end.
static void end_without_corpus(struct run_pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        struct run *run = &pool->runs[pool->order[i]];

        if (run->state != RUN_ACTIVE || !waits_for_corpus(run))
            continue;
        drop_calls(pool, run);
        run->err = *corpus_failure(pool->corpus);
        end_run(run, RUN_END_SERVER);
    }
}

// --- a turn ---

static bool has_open_call(const struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        if (run->calls[s].state == CALL_OPEN)
            return true;
    return false;
}

// A run that failed beside calls that are still open waits for these.
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
            collect_asks(pool, run);
        if (run->state == RUN_ACTIVE &&
            !send_waiting(pool, run, now, &due, err))
            return false;
        if (is_over(run))
            due = now;
    }
    if (!model_poll(pool->options.client, local_programs_fd(pool->programs),
                    due > now ? due - now : 0, err))
        return false;
    take_answers(pool);
    take_programs(pool);
    if (corpus_state(pool->corpus) == CORPUS_FAILED)
        end_without_corpus(pool);
    return true;
}

const char *run_pool_trouble(const struct run_pool *pool)
{
    return pool->trouble.code == ERR_NONE ? NULL : pool->trouble.text;
}

// --- the end of a run ---

static const char *outcome_text(enum run_outcome outcome)
{
    static const char *const texts[] = {
        [RUN_DONE] = "gave no outputs",
        [RUN_FORMAT] = "gave no readable answer, not even when asked again",
        [RUN_CUT] = "was cut at num_predict",
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

// The i-th in order.
static void remove_run(struct run_pool *pool, size_t i)
{
    struct run *run = &pool->runs[pool->order[i]];

    release_run(run);
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
    drop_calls(pool, &pool->runs[pool->order[0]]);
    remove_run(pool, 0);
    return true;
}
