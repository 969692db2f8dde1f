#include "program/run/stepper.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/graph/kind.h"
#include "program/graph/type_form.h"
#include "program/prompt/prompt.h"
#include "program/prompt/reply.h"

// A step that stands behind a failed one is BLOCKED: it never runs. One whose
// `when` does not hold is LEFT OUT, and so is one that needs a value of such a
// step: their values are null.
enum slot_state {
    SLOT_UNUSED, // the plan leaves it out
    SLOT_WAITING,
    SLOT_ASKED,
    SLOT_BROKEN,
    SLOT_DONE,
    SLOT_FAILED,
    SLOT_BLOCKED,
    SLOT_LEFT_OUT,
};

struct step_progress {
    enum slot_state state;
    enum run_outcome outcome; // of a failed one
    bool harmless;            // failed, and nothing needs it
    int attempt;
    json_t *inputs;             // owned
    json_t *outputs;            // owned
    struct buf tail;            // its payload, until it is let go, or
    struct kept_question *kept; // a reference to whose it is; NULL
    char *problem;              // with its last answer; owned, or NULL
};

struct stepper {
    const struct program *program; // borrowed, as the plan
    const struct plan *plan;
    const json_t *values; // of the candidate, or NULL; borrowed
    enum adapter adapter;
    struct question_cache *cache; // of its row; NULL: none; borrowed
    size_t row;
    bool ended;
    unsigned lenient;
    int repairs;
    json_t *inputs;               // owned
    json_t *outputs;              // owned; NULL until the run has ended
    struct step_progress slots[]; // one a step
};

static const char *const outcome_names[RUN_OUTCOME_COUNT] = {
    "done", "format", "cut", "empty", "loop", "too_long", "unjudged",
};

const char *run_outcome_name(enum run_outcome outcome)
{
    if ((int)outcome < 0 || (int)outcome >= RUN_OUTCOME_COUNT)
        return "unknown";
    return outcome_names[outcome];
}

int stepper_asks(const struct program *program, const struct plan *plan)
{
    int asks = 0;

    for (size_t i = 0; i < program->n_steps; i++)
        asks += plan->runs[i] && program->steps[i].kind->compute == NULL &&
                program->steps[i].search == NULL;
    return asks;
}

int stepper_predictions(const struct program *program, const struct plan *plan)
{
    int asks = 0;

    for (size_t i = 0; i < program->n_predictors; i++)
        asks += plan->runs[program->predictors[i]];
    return asks;
}

// ---- values

static bool set_value(json_t *object, const char *name, const json_t *value,
                      struct err *err)
{
    json_t *given = value != NULL ? json_incref((json_t *)value) : json_null();

    if (object != NULL && json_object_set_new_nocheck(object, name, given) == 0)
        return true;
    if (object == NULL)
        json_decref(given);
    err_nomem(err, "a run's values");
    return false;
}

// Borrowed; NULL where the source has no value.
static const json_t *source_value(const struct stepper *stepper,
                                  struct source source)
{
    const struct program *program = stepper->program;

    if (source.step == SOURCE_INPUT)
        return json_object_get(stepper->inputs,
                               program->inputs[source.field].name);
    const json_t *outputs = stepper->slots[source.step].outputs;
    if (source.field == SOURCE_WHOLE)
        return outputs;
    const struct signature *signature = &program->steps[source.step].signature;
    return json_object_get(outputs, signature->outputs[source.field].name);
}

// Takes object, which may be NULL for want of memory, and fills *out.
static bool keep(json_t **out, json_t *object, bool ok)
{
    if (!ok) {
        json_decref(object);
        return false;
    }
    json_decref(*out);
    *out = object;
    return true;
}

// Most programs hand all that they get to their first step. Then its inputs are
// theirs: building them anew is a tenth of what a run costs.
static bool takes_all_inputs(const struct stepper *stepper,
                             const struct step *step)
{
    const struct program *program = stepper->program;
    size_t n = program->n_inputs;

    if (step->signature.n_inputs != n || json_object_size(stepper->inputs) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (step->sources[i].step != SOURCE_INPUT ||
            step->sources[i].field != (int)i ||
            strcmp(step->signature.inputs[i].name, program->inputs[i].name) !=
                0)
            return false;
    }
    return true;
}

static bool take_inputs(struct stepper *stepper, int step, struct err *err)
{
    const struct step *at = &stepper->program->steps[step];

    if (takes_all_inputs(stepper, at))
        return keep(&stepper->slots[step].inputs, json_incref(stepper->inputs),
                    true);
    json_t *object = json_object();
    bool ok = object != NULL;

    if (!ok)
        err_nomem(err, "a step's inputs");
    for (size_t i = 0; ok && i < at->signature.n_inputs; i++)
        ok = set_value(object, at->signature.inputs[i].name,
                       source_value(stepper, at->sources[i]), err);
    return keep(&stepper->slots[step].inputs, object, ok);
}

// A step that computes is done as soon as its inputs are there.
static bool compute_outputs(struct stepper *stepper, int step, struct err *err)
{
    const struct step *at = &stepper->program->steps[step];
    struct step_progress *slot = &stepper->slots[step];

    if (!take_inputs(stepper, step, err))
        return false;
    slot->outputs = at->kind->compute(at, slot->inputs);
    if (slot->outputs == NULL) {
        err_nomem(err, "a run's values");
        return false;
    }
    slot->state = SLOT_DONE;
    return true;
}

static bool null_outputs(struct stepper *stepper, int step, struct err *err)
{
    const struct signature *signature =
        &stepper->program->steps[step].signature;
    json_t *object = json_object();
    bool ok = object != NULL;

    if (!ok)
        err_nomem(err, "a step's outputs");
    for (size_t i = 0; ok && i < signature->n_outputs; i++)
        ok = set_value(object, signature->outputs[i].name, NULL, err);
    return keep(&stepper->slots[step].outputs, object, ok);
}

// The step whose outputs are those of the program, one by one; -1: none.
static int whole_source(const struct program *program)
{
    int step = program->n_outputs == 0 ? -1 : program->outputs[0].source.step;

    if (step < 0 ||
        program->steps[step].signature.n_outputs != program->n_outputs)
        return -1;
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        const struct field *field = &program->steps[step].signature.outputs[i];

        if (output->source.step != step || output->source.field != (int)i ||
            strcmp(output->name, field->name) != 0)
            return -1;
    }
    return step;
}

static bool fill_outputs(struct stepper *stepper, struct err *err)
{
    const struct program *program = stepper->program;
    int whole = whole_source(program);
    json_t *object = whole < 0 ? NULL : stepper->slots[whole].outputs;
    bool ok = true;

    if (json_object_size(object) == program->n_outputs)
        return keep(&stepper->outputs, json_incref(object), true);
    object = json_object();
    for (size_t i = 0; ok && i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];

        ok = set_value(object, output->name,
                       source_value(stepper, output->source), err);
    }
    return keep(&stepper->outputs, object, ok && object != NULL);
}

// ---- moving on

enum readiness { READY, NOT_YET, NEVER, LEFT_OUT };

static enum readiness source_readiness(const struct stepper *stepper,
                                       struct source source)
{
    if (source.step == SOURCE_INPUT)
        return READY;
    const struct step_progress *slot = &stepper->slots[source.step];
    switch (slot->state) {
    case SLOT_UNUSED:
    case SLOT_DONE:
        return READY;
    case SLOT_FAILED:
        return slot->harmless ? READY : NEVER;
    case SLOT_BLOCKED:
        return NEVER;
    case SLOT_LEFT_OUT:
        return LEFT_OUT;
    case SLOT_WAITING:
    case SLOT_ASKED:
    case SLOT_BROKEN:
        break;
    }
    return NOT_YET;
}

// Whether all conditions hold, as far as they can be told.
static enum readiness when_readiness(const struct stepper *stepper,
                                     const struct step *step)
{
    enum readiness worst = READY;

    for (size_t i = 0; i < step->n_when; i++) {
        const struct condition *one = &step->when[i];
        enum readiness source = source_readiness(stepper, one->source);

        if (source == NEVER)
            return NEVER;
        if (source == NOT_YET)
            worst = NOT_YET;
        else if (!condition_holds(one, source_value(stepper, one->source)) &&
                 worst == READY)
            worst = LEFT_OUT;
    }
    return worst;
}

// What was left out before a step leaves it out too, unless it can do without.
static enum readiness input_readiness(const struct stepper *stepper,
                                      const struct step *step, size_t i)
{
    enum readiness one = source_readiness(stepper, step->sources[i]);

    return one == LEFT_OUT && (step->kind->takes_null ||
                               step->signature.inputs[i].type.optional)
               ? READY
               : one;
}

// Whether a step runs that some of its inputs never reach. One that waits for
// others waits: its answer must not depend on which came first.
static enum readiness survivor_readiness(const struct stepper *stepper,
                                         const struct step *step)
{
    bool lost[PROGRAM_MAX_FIELDS * VOTERS_MAX + 1];
    enum readiness worst = READY;

    assert(step->signature.n_inputs <= sizeof lost / sizeof *lost);
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        enum readiness one = input_readiness(stepper, step, i);

        lost[i] = one == NEVER;
        if (one == NOT_YET)
            worst = NOT_YET;
    }
    return worst == READY && !step->kind->survives(step, lost) ? NEVER : worst;
}

// The same whatever comes first: a step that waits for any of its sources
// waits, and one behind a failure never runs.
static enum readiness step_readiness(const struct stepper *stepper, int step)
{
    const struct step *at = &stepper->program->steps[step];
    enum readiness worst = when_readiness(stepper, at);

    if (worst != READY)
        return worst;
    if (at->kind->survives != NULL)
        return survivor_readiness(stepper, at);
    for (size_t i = 0; i < at->signature.n_inputs; i++) {
        enum readiness one = input_readiness(stepper, at, i);
        if (one == NEVER)
            return NEVER;
        if (one == NOT_YET || (one == LEFT_OUT && worst == READY))
            worst = one;
    }
    return worst;
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
    enum readiness readiness = step_readiness(stepper, step);
    if (readiness == NEVER)
        slot->state = SLOT_BLOCKED;
    if (readiness == LEFT_OUT)
        slot->state = SLOT_LEFT_OUT;
    return readiness != READY ||
           stepper->program->steps[step].kind->compute == NULL ||
           compute_outputs(stepper, step, err);
}

// Does everything that needs no answer from outside. One pass is enough:
// `order` has each step behind its sources.
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
    if (!fill_outputs(stepper, err))
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
    return null_outputs(stepper, step, err);
}

// ---- birth and end

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

// A model is asked in our words; whatever else a kind asks, it says itself.
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

// Whether a step's question follows from the row alone.
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

// The same, put together once for all who ask about the row.
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
    if (slot->attempt == 0 && !take_inputs(stepper, step, err))
        return false;
    return is_of_row(stepper, step) ? render_shared(stepper, step, out, err)
                                    : render_tail(stepper, step, out, err);
}

// True when the step is asked now. A prompt over the cap is a fact about it,
// not a failure of ours.
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
            step_readiness(stepper, step) == READY);
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

void stepper_let_go(struct stepper *stepper, int step)
{
    struct step_progress *slot = &stepper->slots[step];

    buf_release(&slot->tail);
    kept_question_unref(slot->kept);
    slot->kept = NULL;
}

// ---- answers

// The first unreadable answer of a predictor that matters is asked for again.
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

// refusal: the words that came in place of an answer, or "".
static bool find_empty(struct stepper *stepper, int step, const char *refusal,
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
        return find_empty(stepper, step, "", err);
    if (problem.code == ERR_INPUT)
        return break_step(stepper, step, &problem, err);
    err_set(err, problem.code, "%s", problem.text);
    return false;
}

// A reply that was cut behind its end is whole.
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
                  ? find_empty(stepper, step, answer->text, err)
                  : fail_step(stepper, step, outcomes[answer->outcome], err);
    stepper_let_go(stepper, step);
    return ok && settle(stepper, err);
}

// ---- what came of it

bool stepper_ended(const struct stepper *stepper)
{
    return stepper->ended;
}

static bool is_lost(const struct stepper *stepper, struct source source)
{
    return source_readiness(stepper, source) == NEVER;
}

// Whether a step that can do without what failed ran, and all outputs are
// there.
static bool is_survived(const struct stepper *stepper)
{
    const struct program *program = stepper->program;
    bool survivor = false;

    for (size_t i = 0; i < program->n_steps; i++)
        survivor = survivor || (program->steps[i].kind->survives != NULL &&
                                stepper->slots[i].state == SLOT_DONE);
    for (size_t i = 0; survivor && i < program->n_outputs; i++)
        survivor = !is_lost(stepper, program->outputs[i].source);
    return survivor;
}

int stepper_failed_step(const struct stepper *stepper)
{
    if (is_survived(stepper))
        return -1;
    for (size_t i = 0; i < stepper->program->n_steps; i++) {
        int step = stepper->program->order[i];
        const struct step_progress *slot = &stepper->slots[step];

        if (slot->state == SLOT_FAILED && !slot->harmless)
            return step;
    }
    return -1;
}

enum run_outcome stepper_outcome(const struct stepper *stepper)
{
    int step = stepper_failed_step(stepper);

    return step < 0 ? RUN_DONE : stepper->slots[step].outcome;
}

const char *stepper_problem(const struct stepper *stepper)
{
    int step = stepper_failed_step(stepper);

    return step >= 0 && (stepper->slots[step].outcome == RUN_FORMAT ||
                         stepper->slots[step].outcome == RUN_EMPTY)
               ? stepper->slots[step].problem
               : "";
}

// "`intent` (one of: a; b; c)"
static void put_expected(struct buf *out, const struct field *field)
{
    struct buf type = BUF_INIT(PROMPT_MAX_BYTES);

    type_describe(&field->type, &type);
    buf_printf(out, "`%s`", field->name);
    if (type.len > 0)
        buf_printf(out, " (%s)", type.data);
    buf_release(&type);
}

static void put_form(const struct stepper *stepper, int step, struct buf *out)
{
    const struct signature *signature =
        &stepper->program->steps[step].signature;

    buf_puts(out, stepper->adapter == ADAPTER_JSON
                      ? " Expected is one JSON object with "
                      : " Expected are, each below its marker, ");
    for (size_t i = 0; i < signature->n_outputs; i++) {
        if (i > 0)
            buf_puts(out, i + 1 < signature->n_outputs ? ", " : " and ");
        put_expected(out, &signature->outputs[i]);
    }
    buf_putc(out, '.');
}

void stepper_feedback(const struct stepper *stepper, struct buf *out)
{
    static const char *const told[RUN_OUTCOME_COUNT] = {
        [RUN_FORMAT] = "could not be read",
        [RUN_CUT] = "was cut off at num_predict, before it was complete",
        [RUN_EMPTY] = "was empty",
        [RUN_LOOP] = "repeated itself without an end",
        [RUN_TOO_LONG] = "never came: the prompt does not fit num_ctx",
    };
    int step = stepper_failed_step(stepper);

    if (step < 0)
        return;
    const char *problem = stepper_problem(stepper);
    buf_printf(out, "The reply of `%s` %s", stepper->program->steps[step].name,
               told[stepper_outcome(stepper)]);
    if (problem[0] != '\0')
        buf_printf(out, ": %s", problem);
    buf_putc(out, '.');
    if (stepper_outcome(stepper) != RUN_TOO_LONG)
        put_form(stepper, step, out);
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
