#include "predict/asking.h"

#include "common/buf.h"
#include "program/prompt/prompt.h"

// An answer may arrive long after its run has ended, so the id of the request
// says which run it is for.
static bool ask_program(struct run_pool *pool, struct run *run, int step,
                        struct err *err)
{
    struct step_call *call = &run->calls[step];
    uint64_t all = (uint64_t)pool->options.places * PROGRAM_MAX_STEPS;

    call->id = ++pool->requests * all + (uint64_t)run_call_id(pool, run, step);
    return local_programs_begin(pool->programs, step, call->id,
                                call->ask.payload, call->ask.payload_len, err);
}

// Appends what the model gets after the step's prefix: the demos from its pool,
// if it has one, and then the question.
static bool put_tail(struct run_pool *pool, struct run *run, int step,
                     struct buf *out, struct err *err)
{
    const struct compiled *compiled = pool->options.compiled;
    const struct step *at = &compiled->program->steps[step];
    const struct nearest_pool demos = {
        .step = at,
        .part = &compiled->candidate->parts[at->predictor],
        .adapter = compiled->settings.adapter,
        .row = -1};
    const struct ask *ask = &run->calls[step].ask;
    bool ok = true;

    if (run->calls[step].near == NEAR_KNOWN)
        ok = nearest_put_by_embeddings(pool->nearest, &demos,
                                       corpus_vectors(pool->corpus),
                                       run->calls[step].direction, out, err);
    else if (demos.part->nearest > 0)
        ok = nearest_put(pool->nearest, &demos,
                         stepper_step_inputs(run->stepper, step), out, err);
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
    ok = ok && model_begin(pool->options.client, run_call_id(pool, run, step),
                           &request, pool->options.timeout_ms, err);
    buf_release(&tail);
    return ok;
}

static bool ask_embedder(struct run_pool *pool, struct run *run, int step,
                         struct err *err)
{
    const struct ask *ask = &run->calls[step].ask;

    return corpus_begin(pool->corpus, run_call_id(pool, run, step),
                        ask->payload, ask->payload_len, err);
}

// Appends the text that the demos of a step's pool are compared with. Returns
// false if it contains no word.
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
             corpus_begin(pool->corpus, run_call_id(pool, run, step),
                          payload.data, payload.len, err);
    }
    buf_release(&query);
    buf_release(&payload);
    return ok;
}

static bool slot_is_free(const struct run_pool *pool)
{
    return model_open(pool->options.client) < (size_t)pool->options.slots;
}

// A query is asked only once there is something to compare it with.
static bool corpus_is_ready(const struct run_pool *pool)
{
    return corpus_state(pool->corpus) == CORPUS_READY && slot_is_free(pool);
}

// Programs queue any number of requests and work on a few at a time.
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

// Sends a call. If the inputs make it longer than a call can be, this run ends,
// and no other.
static bool send_call(struct run_pool *pool, struct run *run, int step,
                      struct err *err)
{
    struct step_call *call = &run->calls[step];
    struct err why = ERR_CLEAR;

    if (asking_of(call)->ask(pool, run, step, &why)) {
        call->state = CALL_OPEN;
        call->tries++;
        return true;
    }
    if (why.code != ERR_LIMIT) {
        *err = why;
        return false;
    }
    run->err = why;
    run_abandon(pool, run, RUN_END_INPUT);
    return true;
}

// Answers a search immediately.
static bool search(struct run_pool *pool, struct run *run,
                   const struct ask *ask, struct err *err)
{
    struct buf text = BUF_INIT(RUN_PASSAGES_BYTES);
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

// A repair reuses its question's embedding.
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

// A prompt that does not fit is too long because of the inputs: the program's
// own part was measured when it was compiled.
static enum run_end end_of(enum run_outcome outcome)
{
    return outcome == RUN_DONE       ? RUN_END_OUTPUTS
           : outcome == RUN_TOO_LONG ? RUN_END_INPUT
                                     : RUN_END_MODEL;
}

void asking_collect(struct run_pool *pool, struct run *run)
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
        run_finish(run, RUN_END_MODEL);
    else if (stepper_ended(run->stepper))
        run_finish(run, end_of(stepper_outcome(run->stepper)));
}

bool asking_send(struct run_pool *pool, struct run *run, int64_t now,
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
