#include "predict/answers.h"

#include "common/buf.h"
#include "common/clock.h"

enum {
    TRIES = 4,         // for a call
    PROGRAM_TRIES = 3, // for a request to a program
    BACK_OFF_MS = 500, // doubled with each try
};

static bool is_hopeless(enum call_fault fault)
{
    return fault == FAULT_MODEL || fault == FAULT_REQUEST;
}

// Returns true if the call failed in the current outage. If the server answered
// other calls in the meantime, the problem is this call.
static bool is_outage(const struct run_pool *pool, const struct step_call *call,
                      int64_t now)
{
    return call->failed_ms != 0 && pool->failing_ms <= call->failed_ms &&
           now - pool->failing_ms < pool->options.patience_ms;
}

// Returns true if the call may be tried again. It has a few tries, and in an
// outage it gets them anew as long as the pool has patience.
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

// Retries the call after a while. After the last try the run is abandoned,
// together with its other calls.
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
    err_set(&run->err, is_hopeless(done->fault) ? ERR_INPUT : ERR_FAULT, "%s",
            done->text);
    run->fault = done->fault;
    run_abandon(pool, run, RUN_END_SERVER);
}

static void give_answer(struct run *run, int step,
                        const struct call_answer *answer)
{
    run->calls[step].state = CALL_NONE;
    if (!stepper_answer(run->stepper, step, answer, &run->err))
        run_finish(run, RUN_END_MODEL);
}

// Takes the embedding of a query: its step gets the nearest passages. A query
// that is too long is left to the step to report.
static void give_passages(struct run_pool *pool, struct run *run, int step,
                          const struct call_answer *answer)
{
    const struct compiled *compiled = pool->options.compiled;
    const struct retrieval_query query = {.program = compiled->program,
                                          .step = step,
                                          .values = compiled->candidate->values,
                                          .answer = answer->text,
                                          .len = answer->text_len};
    struct buf text = BUF_INIT(RUN_PASSAGES_BYTES);
    struct call_answer passages = {.outcome = CALL_TEXT, .cached_tokens = -1};

    if (answer->outcome != CALL_TEXT) {
        give_answer(run, step, answer);
        return;
    }
    run->calls[step].state = CALL_NONE;
    if (retrieval_answer_by_embedding(pool->retrieval,
                                      corpus_vectors(pool->corpus), &query,
                                      &text, &run->err)) {
        passages.text = text.data;
        passages.text_len = text.len;
        give_answer(run, step, &passages);
    } else {
        run_abandon(pool, run, RUN_END_SERVER);
    }
    buf_release(&text);
}

// Asks a program that failed again right away. After the last try this run
// fails, and no other.
static void take_program_fault(struct run_pool *pool, struct run *run, int step,
                               const struct exec_done *done)
{
    struct step_call *call = &run->calls[step];

    if (call->tries < PROGRAM_TRIES) {
        call->state = CALL_WAITS;
        return;
    }
    call->state = CALL_NONE;
    err_set(&run->err, ERR_PROTOCOL, "%s", done->fault.text);
    run_abandon(pool, run, RUN_END_PROGRAM);
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

void answers_take_programs(struct run_pool *pool)
{
    struct exec_done done;

    while (local_programs_take(pool->programs, &done)) {
        take_program(pool, &done);
        exec_done_release(&done);
    }
}

// Takes the embedding of a question: now the model can be asked. If the
// question was too long to embed, it gets the first demos of the pool.
static void take_embedding(struct run_pool *pool, struct run *run, int step,
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
    run_abandon(pool, run, RUN_END_SERVER);
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
        take_embedding(pool, run, step, &done->answer);
    else if (run->calls[step].ask.answerer == ANSWERER_EMBED)
        give_passages(pool, run, step, &done->answer);
    else
        give_answer(run, step, &done->answer);
}

void answers_take(struct run_pool *pool)
{
    struct model_done done;

    while (model_take_done(pool->options.client, &done)) {
        if (!corpus_take(pool->corpus, &done))
            take_done(pool, &done);
        call_answer_release(&done.answer);
    }
}

static bool waits_for_corpus(const struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        if (run->calls[s].state == CALL_WAITS &&
            (run->calls[s].ask.answerer == ANSWERER_EMBED ||
             run->calls[s].near == NEAR_WANTED))
            return true;
    return false;
}

void answers_end_without_corpus(struct run_pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        struct run *run = &pool->runs[pool->order[i]];

        if (run->state != RUN_ACTIVE || !waits_for_corpus(run))
            continue;
        run->err = *corpus_failure(pool->corpus);
        run_abandon(pool, run, RUN_END_SERVER);
    }
}
