#include "predict/runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "program/graph/plan.h"
#include "program/prompt/prompt.h"

enum {
    AHEAD = 2,         // runs open for each slot
    TRIES = 4,         // of a call
    BACK_OFF_MS = 500, // doubled with each try
    POLL_MS = 1000,
};

// The same for all runs of a step.
struct prompt_part {
    struct buf prefix;
    struct buf formats[ADAPTER_COUNT]; // by the form of the answer
};

enum call_state { CALL_NONE, CALL_WAITS, CALL_OPEN };

struct step_call {
    enum call_state state;
    struct ask ask;
    int tries;
    int64_t due_ms; // CALL_WAITS: not before
};

enum run_state { RUN_FREE, RUN_ACTIVE, RUN_ENDED };

struct one_run {
    enum run_state state;
    size_t index;
    struct stepper *stepper; // owned; NULL when err was set at once
    struct err err;
    struct step_call calls[PROGRAM_MAX_STEPS];
};

struct work {
    const struct runner *runner;
    const struct runner_io *io;
    struct plan plan;
    struct prompt_part parts[PROGRAM_MAX_STEPS];
    struct one_run *runs; // owned; a ring: index % n_runs
    size_t n_runs;
    size_t next, told; // indices
    bool exhausted;
};

// --- prompts ---

static bool render_parts(struct work *work, struct err *err)
{
    const struct compiled *compiled = work->runner->compiled;

    for (size_t s = 0; s < compiled->program->n_steps; s++) {
        const struct step *step = &compiled->program->steps[s];
        struct prompt_part *part = &work->parts[s];

        part->prefix = BUF_INIT(PROMPT_MAX_BYTES);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            part->formats[form] = BUF_INIT(PROMPT_MAX_BYTES);
        if (step->predictor < 0)
            continue;
        if (!prompt_prefix(step, &compiled->candidate->parts[step->predictor],
                           compiled->settings.adapter, &part->prefix, err))
            return false;
        for (int form = 0; form < ADAPTER_COUNT; form++) {
            if (!prompt_format(step, (enum adapter)form, &part->formats[form],
                               err))
                return false;
        }
    }
    return true;
}

// --- starting runs ---

static void begin_run(struct work *work, struct one_run *run, json_t *values,
                      const struct err *why)
{
    const struct compiled *compiled = work->runner->compiled;
    json_t *inputs = NULL;

    *run = (struct one_run){.state = RUN_ACTIVE, .index = work->next++};
    if (values == NULL)
        run->err = *why;
    else
        inputs = program_inputs(compiled->program, values, &run->err);
    if (inputs != NULL)
        run->stepper =
            stepper_new(compiled->program, &work->plan,
                        compiled->settings.adapter, inputs, &run->err);
    if (run->stepper == NULL)
        run->state = RUN_ENDED;
    json_decref(inputs);
    json_decref(values);
}

static void fill_ring(struct work *work)
{
    while (!work->exhausted && work->next - work->told < work->n_runs) {
        struct one_run *run = &work->runs[work->next % work->n_runs];
        struct err err = ERR_CLEAR;
        json_t *values = NULL;

        if (work->io->next(work->io->user, &values, &err))
            begin_run(work, run, values, &err);
        else
            work->exhausted = true;
    }
}

// --- calls ---

static int64_t call_id(const struct work *work, const struct one_run *run,
                       int step)
{
    return (int64_t)(run->index % work->n_runs) * PROGRAM_MAX_STEPS + step;
}

static bool send_call(struct work *work, struct one_run *run, int step,
                      struct err *err)
{
    const struct runner *runner = work->runner;
    struct step_call *call = &run->calls[step];
    const struct prompt_part *part = &work->parts[step];
    struct call_request request = {.model = runner->compiled->model,
                                   .prefix = part->prefix.data,
                                   .prefix_len = part->prefix.len,
                                   .tail = call->ask.payload,
                                   .tail_len = call->ask.payload_len,
                                   .format = part->formats[call->ask.form].data,
                                   .options =
                                       runner->compiled->settings.options};

    if (!model_begin(runner->client, call_id(work, run, step), &request,
                     runner->timeout_ms, err))
        return false;
    call->state = CALL_OPEN;
    call->tries++;
    return true;
}

// Takes over what the run can ask now.
static void collect_asks(struct one_run *run)
{
    struct ask ask;

    while (run->state == RUN_ACTIVE &&
           stepper_next(run->stepper, &ask, &run->err))
        run->calls[ask.part] =
            (struct step_call){.state = CALL_WAITS, .ask = ask};
    if (run->err.code != ERR_NONE || stepper_ended(run->stepper))
        run->state = RUN_ENDED;
}

static bool has_room(const struct work *work)
{
    return model_open(work->runner->client) < (size_t)work->runner->slots;
}

// Sends waiting calls, oldest run first. *due_ms: when the next may go.
static bool send_waiting(struct work *work, int64_t now, int64_t *due_ms,
                         struct err *err)
{
    for (size_t i = work->told; i < work->next; i++) {
        struct one_run *run = &work->runs[i % work->n_runs];

        for (int s = 0; run->state == RUN_ACTIVE && s < PROGRAM_MAX_STEPS;
             s++) {
            struct step_call *call = &run->calls[s];

            if (call->state != CALL_WAITS || !has_room(work))
                continue;
            if (call->due_ms > now) {
                *due_ms = call->due_ms < *due_ms ? call->due_ms : *due_ms;
                continue;
            }
            if (!send_call(work, run, s, err))
                return false;
        }
    }
    return true;
}

// --- answers ---

static bool is_hopeless(enum call_fault fault)
{
    return fault == FAULT_MODEL || fault == FAULT_REQUEST;
}

// Asked again after a while; at the end the whole is given up.
static bool take_fault(struct step_call *call, const struct model_done *done,
                       struct err *err)
{
    if (is_hopeless(done->fault) || call->tries >= TRIES) {
        err_set(err, is_hopeless(done->fault) ? ERR_INPUT : ERR_FAULT, "%s",
                done->text);
        return false;
    }
    call->state = CALL_WAITS;
    call->due_ms =
        clock_monotonic_ms() + ((int64_t)BACK_OFF_MS << (call->tries - 1));
    return true;
}

static bool take_answers(struct work *work, struct err *err)
{
    struct model_done done;

    while (model_take_done(work->runner->client, &done)) {
        struct one_run *run = &work->runs[done.id / PROGRAM_MAX_STEPS];
        int step = (int)(done.id % PROGRAM_MAX_STEPS);
        bool ok = true;

        if (done.fault != FAULT_NONE) {
            ok = take_fault(&run->calls[step], &done, err);
        } else {
            run->calls[step].state = CALL_NONE;
            if (!stepper_answer(run->stepper, step, &done.answer, &run->err))
                run->state = RUN_ENDED;
        }
        call_answer_release(&done.answer);
        if (!ok)
            return false;
    }
    return true;
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

static bool tell_run(struct work *work, struct one_run *run, struct err *err)
{
    struct runner_result result = {.index = run->index, .err = run->err};
    bool ok;

    if (run->stepper != NULL)
        result.repairs = stepper_repairs(run->stepper);
    if (run->stepper != NULL && run->err.code == ERR_NONE &&
        stepper_outcome(run->stepper) != RUN_DONE) {
        int step = stepper_failed_step(run->stepper);
        const struct program *program = work->runner->compiled->program;
        const char *problem = stepper_problem(run->stepper);

        err_set(&result.err, ERR_PROTOCOL, "the model of step `%s` %s%s%s",
                step < 0 ? "?" : program->steps[step].name,
                outcome_text(stepper_outcome(run->stepper)),
                problem[0] == '\0' ? "" : ": ", problem);
    } else if (run->stepper != NULL && run->err.code == ERR_NONE) {
        result.outputs = stepper_outputs(run->stepper);
    }
    ok = work->io->done(work->io->user, &result, err);
    stepper_free(run->stepper);
    *run = (struct one_run){0};
    return ok;
}

static bool has_open_call(const struct one_run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        if (run->calls[s].state == CALL_OPEN)
            return true;
    return false;
}

// In order; a run whose calls are still open (it failed beside them) waits.
static bool tell_ended(struct work *work, struct err *err)
{
    while (work->told < work->next) {
        struct one_run *run = &work->runs[work->told % work->n_runs];

        if (run->state != RUN_ENDED || has_open_call(run))
            return true;
        if (!tell_run(work, run, err))
            return false;
        work->told++;
    }
    return true;
}

// --- the loop ---

static bool turn(struct work *work, struct err *err)
{
    int64_t now = clock_monotonic_ms();
    int64_t due = now + POLL_MS;

    fill_ring(work);
    for (size_t i = work->told; i < work->next; i++) {
        struct one_run *run = &work->runs[i % work->n_runs];

        if (run->state == RUN_ACTIVE)
            collect_asks(run);
    }
    if (!send_waiting(work, now, &due, err) || !tell_ended(work, err))
        return false;
    if (work->told == work->next)
        return true;
    return model_poll(work->runner->client, -1, due > now ? due - now : 0,
                      err) &&
           take_answers(work, err);
}

static void release_work(struct work *work)
{
    for (size_t i = 0; work->runs != NULL && i < work->n_runs; i++)
        stepper_free(work->runs[i].stepper);
    for (size_t s = 0; s < PROGRAM_MAX_STEPS; s++) {
        buf_release(&work->parts[s].prefix);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            buf_release(&work->parts[s].formats[form]);
    }
    free(work->runs);
}

bool runner_run(const struct runner *runner, const struct runner_io *io,
                struct err *err)
{
    struct work work = {
        .runner = runner, .io = io, .n_runs = (size_t)runner->slots * AHEAD};
    bool ok = false;

    plan_all(runner->compiled->program, &work.plan);
    work.runs = calloc(work.n_runs, sizeof *work.runs);
    if (work.runs == NULL)
        err_nomem(err, "the runs");
    else
        ok = render_parts(&work, err);
    while (ok && !(work.exhausted && work.told == work.next))
        ok = turn(&work, err);
    release_work(&work);
    return ok;
}
