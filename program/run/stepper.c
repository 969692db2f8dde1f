#include "program/run/stepper.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/graph/kind.h"
#include "program/prompt/prompt.h"
#include "program/prompt/reply.h"
#include "program/run/stepper_readiness.h"
#include "program/run/stepper_state.h"
#include "program/run/stepper_values.h"

int stepper_asks(const struct program *program, const struct plan *plan)
{
    int asks = 0;

    for (size_t i = 0; i < program->n_steps; i++)
        asks += plan->runs[i] && program->steps[i].kind->compute == NULL &&
                program->steps[i].search == NULL;
    return asks;
}

// ---- moving on

// Runs a step that only computes, which is done as soon as its inputs are
// known.
static bool compute_outputs(struct stepper *stepper, int step, struct err *err)
{
    const struct step *at = &stepper->program->steps[step];
    struct step_progress *slot = &stepper->slots[step];

    if (!stepper_take_inputs(stepper, step, err))
        return false;
    slot->outputs = at->kind->compute(at, slot->inputs);
    if (slot->outputs == NULL) {
        err_nomem(err, "a run's values");
        return false;
    }
    slot->state = SLOT_DONE;
    return true;
}

static bool is_open(const struct step_progress *slot)
{
    return slot->state == SLOT_WAITING || slot->state == SLOT_ASKED ||
           slot->state == SLOT_BROKEN;
}

// Blocks, leaves out or computes one waiting step.
static bool settle_step(struct stepper *stepper, int step, struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    if (slot->state != SLOT_WAITING)
        return true;
    enum readiness readiness = stepper_readiness(stepper, step);
    if (readiness == NEVER)
        slot->state = SLOT_BLOCKED;
    if (readiness == LEFT_OUT)
        slot->state = SLOT_LEFT_OUT;
    return readiness != READY ||
           stepper->program->steps[step].kind->compute == NULL ||
           compute_outputs(stepper, step, err);
}

// Does everything that needs no answer from outside. One pass is enough,
// because `order` has each step after its sources.
static bool settle(struct stepper *stepper, struct err *err)
{
    const struct program *program = stepper->program;
    bool open = false;

    for (size_t i = 0; i < program->n_steps; i++) {
        int step = program->order[i];

        if (!settle_step(stepper, step, err))
            return false;
        open = open || is_open(&stepper->slots[step]);
    }
    if (open || stepper->ended)
        return true;
    if (!stepper_fill_outputs(stepper, err))
        return false;
    stepper->ended = true;
    return true;
}

static bool fail_step(struct stepper *stepper, int step,
                      enum run_outcome outcome, struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    slot->state = SLOT_FAILED;
    slot->outcome = outcome;
    slot->harmless = stepper->plan->reads[step] == 0;
    if (!slot->harmless)
        return true;
    stepper->lenient |= LENIENT_UNREAD;
    return stepper_null_outputs(stepper, step, err);
}

// ---- creating and freeing

static bool start(struct stepper *stepper, struct err *err)
{
    const struct program *program = stepper->program;

    for (size_t i = 0; i < program->n_steps; i++) {
        struct step_progress *slot = &stepper->slots[i];

        slot->tail = BUF_INIT(2 * PROMPT_MAX_BYTES);
        slot->state = stepper->plan->runs[i] ? SLOT_WAITING : SLOT_UNUSED;
    }
    return settle(stepper, err);
}

struct stepper *stepper_new(const struct program *program,
                            const struct plan *plan, enum adapter adapter,
                            const json_t *values, json_t *inputs,
                            struct err *err)
{
    struct stepper *stepper =
        calloc(1, sizeof *stepper + program->n_steps * sizeof *stepper->slots);

    if (stepper == NULL) {
        err_nomem(err, "a run");
        return NULL;
    }
    stepper->program = program;
    stepper->plan = plan;
    stepper->adapter = adapter;
    stepper->values = values;
    stepper->inputs = json_incref(inputs);
    if (!start(stepper, err)) {
        stepper_free(stepper);
        return NULL;
    }
    return stepper;
}

void stepper_share(struct stepper *stepper, struct question_cache *cache,
                   size_t row)
{
    stepper->cache = cache;
    stepper->row = row;
}

bool stepper_give(struct stepper *stepper, int step, json_t *outputs,
                  struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    if (slot->state != SLOT_WAITING)
        return true;
    slot->outputs = json_incref(outputs);
    slot->state = SLOT_DONE;
    return settle(stepper, err);
}

void stepper_free(struct stepper *stepper)
{
    if (stepper == NULL)
        return;
    for (size_t i = 0; i < stepper->program->n_steps; i++) {
        struct step_progress *slot = &stepper->slots[i];

        json_decref(slot->inputs);
        json_decref(slot->outputs);
        buf_release(&slot->tail);
        kept_question_unref(slot->kept);
        free(slot->problem);
    }
    json_decref(stepper->inputs);
    json_decref(stepper->outputs);
    free(stepper);
}

// ---- asking

enum adapter stepper_form(const struct stepper *stepper, int step)
{
    return stepper->slots[step].attempt > 0 ? ADAPTER_JSON : stepper->adapter;
}

// We write the question to a model; any other kind writes its own.
static bool put_payload(struct stepper *stepper, int step, struct ask *out,
                        struct err *err)
{
    const struct step *at = &stepper->program->steps[step];
    struct step_progress *slot = &stepper->slots[step];

    if (at->kind->ask != NULL)
        return at->kind->ask(at, stepper->values, slot->inputs, &slot->tail,
                             out, err);
    if (slot->attempt > 0)
        return prompt_repair(at, slot->inputs, &slot->tail, err);
    return prompt_question(at, slot->inputs, &slot->tail, err);
}

// Returns true if a step's question depends only on the row.
static bool is_of_row(const struct stepper *stepper, int step)
{
    const struct step *at = &stepper->program->steps[step];

    if (stepper->cache == NULL || stepper->slots[step].attempt > 0 ||
        at->kind->ask != NULL)
        return false;
    for (size_t i = 0; i < at->signature.n_inputs; i++)
        if (at->sources[i].step != SOURCE_INPUT)
            return false;
    return true;
}

static bool render_tail(struct stepper *stepper, int step, struct ask *out,
                        struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    if (!put_payload(stepper, step, out, err))
        return false;
    out->payload = slot->tail.data;
    out->payload_len = slot->tail.len;
    return true;
}

// Like render_tail, but builds the text once for everyone who asks about the
// row.
static bool render_shared(struct stepper *stepper, int step, struct ask *out,
                          struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];
    struct kept_question *kept =
        question_cache_find(stepper->cache, stepper->row, step);

    if (kept == NULL) {
        if (!render_tail(stepper, step, out, err))
            return false;
        kept = question_cache_keep(stepper->cache, stepper->row, step,
                                   out->payload, out->payload_len);
        if (kept == NULL)
            return true;
        buf_release(&slot->tail);
    }
    slot->kept = kept_question_ref(kept);
    out->kept = kept;
    out->payload = kept->text;
    out->payload_len = kept->len;
    return true;
}

static bool render(struct stepper *stepper, int step, struct ask *out,
                   struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    *out = (struct ask){.answerer = ANSWERER_MODEL,
                        .part = step,
                        .attempt = slot->attempt,
                        .form = stepper_form(stepper, step)};
    buf_clear(&slot->tail);
    if (slot->attempt == 0 && !stepper_take_inputs(stepper, step, err))
        return false;
    return is_of_row(stepper, step) ? render_shared(stepper, step, out, err)
                                    : render_tail(stepper, step, out, err);
}

// Sets *asked if the step is asked now. A prompt over the cap is an outcome of
// the prompt, not a failure of ours.
static bool ask(struct stepper *stepper, int step, struct ask *out, bool *asked,
                struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];
    struct err why = ERR_CLEAR;

    slot->attempt = slot->state == SLOT_BROKEN ? 1 : 0;
    *asked = render(stepper, step, out, &why);
    if (*asked) {
        stepper->repairs += slot->attempt;
        slot->state = SLOT_ASKED;
        return true;
    }
    if (why.code == ERR_LIMIT)
        return fail_step(stepper, step, RUN_TOO_LONG, err);
    err_set(err, why.code, "%s", why.text);
    return false;
}

static bool can_ask(const struct stepper *stepper, int step)
{
    const struct step_progress *slot = &stepper->slots[step];

    return slot->state == SLOT_BROKEN ||
           (slot->state == SLOT_WAITING &&
            stepper->program->steps[step].kind->compute == NULL &&
            stepper_readiness(stepper, step) == READY);
}

bool stepper_next(struct stepper *stepper, struct ask *out, struct err *err)
{
    const struct program *program = stepper->program;

    for (size_t i = 0; i < program->n_steps; i++) {
        int step = program->order[i];
        bool asked = false;

        if (!can_ask(stepper, step))
            continue;
        if (!ask(stepper, step, out, &asked, err))
            return false;
        if (asked)
            return true;
        if (!settle(stepper, err))
            return false;
    }
    return false;
}

void stepper_free_payload(struct stepper *stepper, int step)
{
    struct step_progress *slot = &stepper->slots[step];

    buf_release(&slot->tail);
    kept_question_unref(slot->kept);
    slot->kept = NULL;
}

// ---- answers

static bool set_problem(struct stepper *stepper, int step,
                        const struct err *problem, struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    free(slot->problem);
    slot->problem = strdup(problem->text);
    if (slot->problem == NULL)
        err_nomem(err, "a run");
    return slot->problem != NULL;
}

// Asks again after the first unreadable answer of a predictor that matters.
static bool break_step(struct stepper *stepper, int step,
                       const struct err *problem, struct err *err)
{
    struct step_progress *slot = &stepper->slots[step];

    if (!set_problem(stepper, step, problem, err))
        return false;
    if (slot->attempt > 0 || stepper->plan->reads[step] == 0 ||
        !stepper->program->steps[step].kind->predictor)
        return fail_step(stepper, step, RUN_FORMAT, err);
    slot->state = SLOT_BROKEN;
    return true;
}

// refusal: the text that came in place of an answer, or "".
static bool fail_empty(struct stepper *stepper, int step, const char *refusal,
                       struct err *err)
{
    struct err problem = ERR_CLEAR;

    if (refusal[0] != '\0')
        err_set(&problem, ERR_INPUT, "it was refused with the words \"%s\"",
                refusal);
    return set_problem(stepper, step, &problem, err) &&
           fail_step(stepper, step, RUN_EMPTY, err);
}

static struct reply_asked what_was_asked(const struct stepper *stepper,
                                         int step)
{
    return (struct reply_asked){.step = &stepper->program->steps[step],
                                .adapter = stepper_form(stepper, step),
                                .reads = stepper->plan->reads[step]};
}

static struct span text_of(const struct call_answer *answer)
{
    return (struct span){answer->text, answer->text_len};
}

static bool read_outputs(struct stepper *stepper, int step,
                         const struct call_answer *answer, unsigned *lenient,
                         struct err *problem)
{
    const struct step *at = &stepper->program->steps[step];
    struct step_progress *slot = &stepper->slots[step];
    struct reply_asked asked;

    if (at->kind->answered != NULL)
        return at->kind->answered(at, answer, &slot->outputs, problem);
    asked = what_was_asked(stepper, step);
    return reply_parse(&asked, text_of(answer), &slot->outputs, lenient,
                       problem);
}

static bool read_text(struct stepper *stepper, int step,
                      const struct call_answer *answer, struct err *err)
{
    struct err problem = ERR_CLEAR;
    unsigned lenient = 0;

    if (read_outputs(stepper, step, answer, &lenient, &problem)) {
        stepper->lenient |= lenient;
        stepper->slots[step].state = SLOT_DONE;
        return true;
    }
    if (problem.code == ERR_INPUT && reply_is_empty(text_of(answer)))
        return fail_empty(stepper, step, "", err);
    if (problem.code == ERR_INPUT)
        return break_step(stepper, step, &problem, err);
    err_set(err, problem.code, "%s", problem.text);
    return false;
}

// A reply that was cut after its end is complete.
static bool is_readable(const struct stepper *stepper, int step,
                        const struct call_answer *answer)
{
    struct reply_asked asked;

    if (answer->outcome != CALL_CUT)
        return answer->outcome == CALL_TEXT;
    asked = what_was_asked(stepper, step);
    return asked.step->kind->predictor &&
           reply_is_closed(&asked, text_of(answer));
}

bool stepper_answer(struct stepper *stepper, int step,
                    const struct call_answer *answer, struct err *err)
{
    static const enum run_outcome outcomes[CALL_OUTCOME_COUNT] = {
        [CALL_TEXT] = RUN_DONE,
        [CALL_CUT] = RUN_CUT,
        [CALL_LOOP] = RUN_LOOP,
        [CALL_TOO_LONG] = RUN_TOO_LONG,
    };

    assert(step >= 0 && (size_t)step < stepper->program->n_steps);
    assert(stepper->slots[step].state == SLOT_ASKED);

    bool ok = is_readable(stepper, step, answer)
                  ? read_text(stepper, step, answer, err)
              : answer->outcome == CALL_EMPTY
                  ? fail_empty(stepper, step, answer->text, err)
                  : fail_step(stepper, step, outcomes[answer->outcome], err);
    stepper_free_payload(stepper, step);
    return ok && settle(stepper, err);
}

// ---- what is known about the run

bool stepper_ended(const struct stepper *stepper)
{
    return stepper->ended;
}

unsigned stepper_lenient(const struct stepper *stepper)
{
    return stepper->lenient;
}

int stepper_repairs(const struct stepper *stepper)
{
    return stepper->repairs;
}

const json_t *stepper_outputs(const struct stepper *stepper)
{
    return stepper->outputs;
}

const json_t *stepper_step_inputs(const struct stepper *stepper, int step)
{
    return stepper->slots[step].inputs;
}

const json_t *stepper_step_outputs(const struct stepper *stepper, int step)
{
    return stepper->slots[step].outputs;
}
