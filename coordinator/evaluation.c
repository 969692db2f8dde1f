#include "coordinator/evaluation.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "coordinator/answerers/answerer.h"
#include "coordinator/flight.h"
#include "coordinator/prompt_prefixes.h"
#include "program/graph/ask.h"
#include "program/prompt/prompt.h"
#include "program/run/question_cache.h"
#include "program/run/right.h"
#include "program/run/stepper.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"
#include "store/calls.h"
#include "store/history.h"

// A step whose demos are picked by the embedding of its question.
struct picking {
    struct ask ask;         // for when that is there
    bool asked;             // it was: a repair needs no other
    struct direction *near; // owned; NULL: it has none
};

struct evaluation {
    struct job_work *work;
    struct task *task;       // NULL once the item is finished
    struct task_item *item;  // the same; of runs the task's, else `own`
    struct task_item own;    // of a row that is scored; released with the item
    size_t at;               // of the item in its task
    json_t *example;         // fields of the row; owned, NULL until needed
    struct used_call *calls; // of the item; owned
    size_t n_calls;
    struct stepper *stepper; // owned; NULL once the item is finished
    struct picking *picking; // one a step, n_picking; owned; NULL until needed
    size_t n_picking;
    size_t waiting; // flights that it waits for
    bool judging;
    size_t n_outside, outside_missing;
    struct score *outside; // n_outside; owned; NULL: the metric asks nobody
    uint8_t tries[METRIC_MAX_OUTSIDE]; // that gave nothing to read
    bool unjudged;                     // all of one ask did
    struct right right;
    struct evaluation *previous, *next; // in the job's list
};

struct job_work *evaluation_work(const struct evaluation *evaluation)
{
    return evaluation->work;
}

const struct task_item *evaluation_item(const struct evaluation *evaluation)
{
    return evaluation->item;
}

static void link_in(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    ev->next = work->evaluations;
    if (ev->next != NULL)
        ev->next->previous = ev;
    work->evaluations = ev;
    work->active++;
}

static void release_item(struct evaluation *ev)
{
    task_item_release(&ev->own, 0);
    ev->own = TASK_ITEM_INIT(-1);
    json_decref(ev->example);
    ev->example = NULL;
    free(ev->calls);
    ev->calls = NULL;
    ev->n_calls = 0;
}

void evaluation_drop(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    release_item(ev);
    if (ev->previous != NULL)
        ev->previous->next = ev->next;
    else
        work->evaluations = ev->next;
    if (ev->next != NULL)
        ev->next->previous = ev->previous;
    work->active--;
    stepper_free(ev->stepper);
    for (size_t i = 0; i < ev->n_picking; i++)
        free(ev->picking[i].near);
    free(ev->picking);
    for (size_t i = 0; i < ev->n_outside; i++)
        score_release(&ev->outside[i]);
    free(ev->outside);
    free(ev);
}

// --- the item's end ---

static void detach(struct evaluation *ev, enum item_state state)
{
    ev->item->state = state;
    task_settle(ev->task, ev->at, ev->item, ev->calls, ev->n_calls);
    ev->task = NULL;
    ev->item = NULL;
    release_item(ev);
    stepper_free(ev->stepper); // the program may end with the task
    ev->stepper = NULL;
}

static bool keep_trace(const struct evaluation *ev, struct err *err)
{
    size_t n = ev->task->program->n_steps;
    struct task_item *item = ev->item;

    item->outputs = json_incref((json_t *)stepper_outputs(ev->stepper));
    item->step_inputs = calloc(n, sizeof(json_t *));
    item->step_outputs = calloc(n, sizeof(json_t *));
    if (item->step_inputs == NULL || item->step_outputs == NULL) {
        err_nomem(err, "a trace");
        return false;
    }
    for (size_t s = 0; s < n; s++) {
        item->step_inputs[s] =
            json_incref((json_t *)stepper_step_inputs(ev->stepper, (int)s));
        item->step_outputs[s] =
            json_incref((json_t *)stepper_step_outputs(ev->stepper, (int)s));
    }
    return true;
}

// Two trials under way may score one candidate on one row; the calls are the
// same, and the first that ends is kept.
static bool is_kept(const struct evaluation *ev, struct err *err)
{
    struct history_evaluation kept;

    kept.candidate_id = ev->task->candidate_id;
    kept.row = ev->item->row;
    kept.replicate = ev->task->sampling.replicate;
    return history_find_evaluation(ev->work->engine->store, ev->work->job_no,
                                   &kept, err);
}

// Each step asks twice at most, and once for an embedding.
_Static_assert(3 * PROGRAM_MAX_STEPS + METRIC_MAX_OUTSIDE * METRIC_TRIES <=
                   EVALUATION_MAX_CALLS,
               "all calls of an example are kept");

static bool put_history(const struct evaluation *ev, struct err *err)
{
    const struct task_item *item = ev->item;
    struct history_evaluation row = {
        .candidate_id = ev->task->candidate_id,
        .row = item->row,
        .replicate = ev->task->sampling.replicate,
        .outcome = (int32_t)item->outcome,
        .repairs = item->repairs,
        .lenient = item->lenient,
        .score = item->scored ? item->score : NAN,
        .judge_noise = item->judge_noise,
        .p_right = item->p_right,
        .feedback = item->feedback,
    };

    if (is_kept(ev, err))
        return true;
    assert(ev->n_calls <= EVALUATION_MAX_CALLS);
    for (size_t i = 0; i < ev->n_calls; i++)
        row.calls[row.n_calls++] = ev->calls[i].id;
    return history_put_evaluation(ev->work->engine->store, ev->work->job_no,
                                  &row, err);
}

static bool finish(struct evaluation *ev, struct err *err)
{
    struct task_item *item = ev->item;

    item->outcome = ev->unjudged ? RUN_UNJUDGED : stepper_outcome(ev->stepper);
    item->lenient = stepper_lenient(ev->stepper);
    item->repairs = stepper_repairs(ev->stepper);
    item->p_right = right_probability(&ev->right);
    if (ev->task->traced && !keep_trace(ev, err))
        return false;
    if (ev->task->kept && !put_history(ev, err))
        return false;
    detach(ev, ITEM_DONE);
    return true;
}

// --- answers ---

// NULL without memory.
static const json_t *example_of(struct evaluation *ev, struct err *err)
{
    if (ev->example == NULL)
        ev->example = dataset_fields(ev->work->dataset, (size_t)ev->item->row);
    if (ev->example == NULL)
        err_nomem(err, "an example");
    return ev->example;
}

static bool judge(struct evaluation *ev, struct err *err)
{
    struct score score = {0};
    const json_t *example;

    if (ev->unjudged)
        return finish(ev, err);
    example = example_of(ev, err);
    if (example == NULL ||
        !metric_score(ev->work->job->metric, example,
                      stepper_outputs(ev->stepper), ev->outside, &score, err))
        return false;
    ev->item->score = score.value;
    ev->item->feedback = score.feedback;
    ev->item->judge_noise = score.variance < 0 ? -1 : sqrt(score.variance);
    ev->item->scored = true;
    return finish(ev, err);
}

// What the answer that was read says of the right label.
static bool add_right(struct evaluation *ev, int step,
                      const struct call_answer *answer, struct err *err)
{
    const struct right_reads reads = {ev->task->program, ev->task->plan,
                                      ev->work->job->metric};
    enum adapter form = stepper_form(ev->stepper, step);
    const json_t *example = example_of(ev, err);

    if (example != NULL && stepper_step_outputs(ev->stepper, step) != NULL)
        right_add(&ev->right, &reads,
                  &(struct right_answer){step, form, answer}, example);
    return example != NULL;
}

static bool take_for_step(struct evaluation *ev, int step,
                          const struct call_answer *answer, struct err *err)
{
    if (!stepper_answer(ev->stepper, step, answer, err))
        return false;
    return !ev->task->logprobs || answer->logprobs == NULL ||
           add_right(ev, step, answer, err);
}

// What a step gets that searches by embeddings: the model answered with that of
// its query. A query that is too long is a fact about the example, as a prompt
// is.
static bool take_for_search(struct evaluation *ev, int step,
                            const struct call_answer *answer, struct err *err)
{
    struct job_work *work = ev->work;
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 16);
    struct call_answer passages = {.outcome = CALL_TEXT, .cached_tokens = -1};
    const struct retrieval_query query = {.program = ev->task->program,
                                          .step = step,
                                          .values = ev->task->candidate->values,
                                          .answer = answer->text,
                                          .len = answer->text_len};
    bool ok;

    if (answer->outcome != CALL_TEXT)
        return stepper_answer(ev->stepper, step, answer, err);
    ok = retrieval_near(work->retrieval, work->vectors, &query, &text, err);
    passages.text = text.data;
    passages.text_len = text.len;
    ok = ok && stepper_answer(ev->stepper, step, &passages, err);
    buf_release(&text);
    return ok;
}

// What is stored says what is to come, also after a restart (answer_check.c).
static void note_size(struct job_work *work)
{
    int32_t number = work->models[ROLE_EMBED].number;
    size_t *size = &work->engine->models.entries[number].embedding_size;

    if (*size == 0)
        *size = vectors_size(work->vectors);
}

// The item was a text whose embedding others need.
static bool take_for_text(struct evaluation *ev, int part,
                          const struct call_answer *answer, struct err *err)
{
    const json_t *text = ev->item->text;

    (void)part;
    if (answer->outcome != CALL_TEXT) {
        err_set(err, ERR_INPUT,
                "the text that begins `%.60s` is longer than `%.40s` reads at "
                "once: split the document, or shorten the example",
                json_string_value(text),
                ev->work->job->models[ROLE_EMBED].name);
        return false;
    }
    if (!vectors_put(ev->work->vectors, json_string_value(text),
                     json_string_length(text), answer->text, answer->text_len,
                     err))
        return false;
    note_size(ev->work);
    detach(ev, ITEM_DONE);
    return true;
}

static bool take_for_demos(struct evaluation *ev, int step,
                           const struct call_answer *answer, struct err *err);
static bool ask_for_metric(struct evaluation *ev, size_t part, struct err *err);

// A judge's answer that cannot be read says nothing of what it judges.
static bool take_for_metric(struct evaluation *ev, int part,
                            const struct call_answer *answer, struct err *err)
{
    struct err why = ERR_CLEAR;

    if (metric_answered(ev->work->job->metric, (size_t)part, answer,
                        &ev->outside[part], &why)) {
        ev->outside_missing--;
        return true;
    }
    if (why.code != ERR_INPUT) {
        *err = why;
        return false;
    }
    if (++ev->tries[part] < METRIC_TRIES)
        return ask_for_metric(ev, (size_t)part, err);
    ev->unjudged = true;
    ev->outside_missing--;
    return true;
}

// Hands an answer to who asked for it.
static bool take(struct evaluation *ev, enum asker asker, int part,
                 const struct call_answer *answer, struct err *err)
{
    static bool (*const takers[])(struct evaluation *, int,
                                  const struct call_answer *, struct err *) = {
        [ASKER_STEP] = take_for_step,   [ASKER_SEARCH] = take_for_search,
        [ASKER_DEMOS] = take_for_demos, [ASKER_METRIC] = take_for_metric,
        [ASKER_TEXT] = take_for_text,
    };

    return takers[asker](ev, part, answer, err);
}

static bool remember_call(struct evaluation *ev, const struct call_ref *ref,
                          struct err *err)
{
    job_uses_add(&ev->work->uses, ref->id);
    // Room is made in powers of two.
    if ((ev->n_calls & (ev->n_calls + 1)) == 0) {
        size_t cap = ev->n_calls * 2 + 2;
        struct used_call *calls = realloc(ev->calls, cap * sizeof *calls);

        if (calls == NULL) {
            err_nomem(err, "an evaluation");
            return false;
        }
        ev->calls = calls;
    }
    ev->calls[ev->n_calls++] = (struct used_call){
        .id = ref->id,
        .tokens = (int64_t)ref->prompt_tokens + ref->generated_tokens};
    return true;
}

// --- asking ---

static bool join(struct evaluation *ev, struct flight *flight, enum asker asker,
                 int part, struct err *err)
{
    struct waiter waiter = {.evaluation = ev, .asker = asker, .part = part};

    if (!flight_join(flight, &waiter, err))
        return false;
    ev->waiting++;
    return true;
}

static bool take_stored(struct evaluation *ev, enum asker asker, int part,
                        const struct call_ref *ref, struct err *err)
{
    struct call_answer answer = {0};
    bool ok = calls_load(ev->work->engine->store, ref->id, &answer, err) &&
              remember_call(ev, ref, err) &&
              take(ev, asker, part, &answer, err);

    call_answer_release(&answer);
    return ok;
}

// The last call whose answer the item may use: an excluded row keeps what was
// answered before its exclusion, so replay decides as it did, and takes nothing
// that came later, be it asked by `eval` or by another job.
static int64_t last_call(const struct evaluation *ev)
{
    return job_work_last_call(ev->work, ev->item->row);
}

// An item that may not be paid for ends at its first call that is not in the
// store.
static bool leave_out(struct evaluation *ev)
{
    if (last_call(ev) < INT64_MAX)
        detach(ev, ITEM_EXCLUDED);
    else if (ev->work->time_over)
        detach(ev, ITEM_UNPAID);
    return ev->task == NULL;
}

static bool set_out(struct evaluation *ev, enum asker asker,
                    const struct order *order, struct err *err)
{
    struct flights *flights = &ev->work->engine->flights;
    struct flight *flight = flights_open(flights, order, err);

    if (flight == NULL)
        return false;
    ev->work->asks_anew |= order->kind != CALL_EMBED;
    if (!join(ev, flight, asker, order->ask.part, err)) {
        flights_drop(flights, flight);
        return false;
    }
    if (answerer_of(&order->ask)->begin(flight, err))
        return true;
    ev->waiting--; // nobody may join what never ends
    flights_drop(flights, flight);
    return false;
}

// An answer that follows from the question alone leaves nothing behind.
static bool take_at_once(struct evaluation *ev, enum asker asker,
                         const struct order *order, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 16);
    bool ok = answerer_of(&order->ask)->answer(order, &text, err);
    struct call_answer answer = {.outcome = CALL_TEXT,
                                 .text = text.data,
                                 .text_len = text.len,
                                 .cached_tokens = -1};

    ok = ok && take(ev, asker, order->ask.part, &answer, err);
    buf_release(&text);
    return ok;
}

// The one way to an answer from outside: at once, in flight already, stored, or
// paid.
static bool ask(struct evaluation *ev, enum asker asker, struct order *order,
                struct err *err)
{
    struct engine *engine = ev->work->engine;
    struct flight *flight;
    struct call_ref ref;

    order->work = ev->work;
    if (asker == ASKER_STEP)
        order->sampling = ev->task->sampling;
    order->age = ev->task->age;
    order->batch = ev->task->batch;
    if (answerer_of(&order->ask)->answer != NULL)
        return take_at_once(ev, asker, order, err);
    if (!answerer_of(&order->ask)->address(order, ev->task, err))
        return false;
    flight = flights_find(&engine->flights, &order->key);
    if (flight != NULL && last_call(ev) == INT64_MAX)
        return join(ev, flight, asker, order->ask.part, err);
    if (calls_find(engine->store, &order->key, &ref) && ref.id <= last_call(ev))
        return take_stored(ev, asker, order->ask.part, &ref, err);
    return leave_out(ev) || set_out(ev, asker, order, err);
}

// The demos that this question gets of its step's pool, and then the question.
// near: the question's embedding, where demos are picked by that, or NULL.
static bool put_nearest(struct evaluation *ev, const struct ask *wanted,
                        const struct direction *near, struct buf *out,
                        struct err *err)
{
    struct task *task = ev->task;
    const struct step *step = &task->program->steps[wanted->part];
    const struct nearest_pool pool = {
        .step = step,
        .part = &task->candidate->parts[step->predictor],
        .adapter = task->settings.adapter,
        .row = ev->item->row};
    struct nearest **nearest = &ev->work->nearest;
    bool ok;

    if (*nearest == NULL)
        *nearest = nearest_new(err);
    if (*nearest == NULL)
        return false;
    if (task->program->pools_by == SEARCH_BY_EMBEDDINGS)
        ok = nearest_put_near(*nearest, &pool, ev->work->vectors, near, out,
                              err);
    else
        ok = nearest_put(*nearest, &pool,
                         stepper_step_inputs(ev->stepper, wanted->part), out,
                         err);
    if (!ok)
        return false;
    buf_append(out, wanted->payload, wanted->payload_len);
    return buf_ok(out, "the prompt", err);
}

static struct order step_order(const struct evaluation *ev,
                               const struct ask *wanted)
{
    return (struct order){.ask = *wanted,
                          .bill = (int)ev->task->role,
                          .purpose = ev->task->sampling.purpose,
                          .step = ev->task->program->steps[wanted->part].name};
}

static bool ask_model(struct evaluation *ev, const struct ask *wanted,
                      const struct direction *near, struct err *err)
{
    const struct task *task = ev->task;
    const struct step *step = &task->program->steps[wanted->part];
    struct order made = step_order(ev, wanted);
    struct order *order = &made;
    struct buf tail = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok = true;

    order->prefix = prompt_prefixes_step(ev->work, ev->task, wanted->part,
                                         ev->item->row, wanted->form, err);
    if (order->prefix == NULL)
        return false;
    order->logprobs =
        task->logprobs &&
        right_is_told(task->program, ev->work->job->metric, wanted->part);
    if (task->candidate->parts[step->predictor].nearest > 0) {
        ok = put_nearest(ev, wanted, near, &tail, err);
        order->ask.payload = tail.data;
        order->ask.payload_len = tail.len;
        order->ask.kept = NULL;
    }
    ok = ok && ask(ev, ASKER_STEP, order, err);
    buf_release(&tail);
    prefix_unref(&ev->work->engine->flights, order->prefix);
    if (ev->stepper != NULL) // a flight has a copy
        stepper_let_go(ev->stepper, wanted->part);
    return ok;
}

static bool ask_embedder(struct evaluation *ev, enum asker asker,
                         struct order *order, struct err *err)
{
    order->bill = ROLE_EMBED;
    order->prefix = prompt_prefixes_embed(ev->work, err);
    return order->prefix != NULL && ask(ev, asker, order, err);
}

static bool embed(struct evaluation *ev, enum asker asker, struct order *order,
                  const char *text, size_t len, struct err *err)
{
    struct buf payload = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok;

    ask_put_embedding(text, len, &payload);
    order->ask.answerer = ANSWERER_EMBED;
    order->ask.payload = payload.data;
    order->ask.payload_len = payload.len;
    order->ask.kept = NULL; // the step's question, not this one
    ok = buf_ok(&payload, asker == ASKER_TEXT ? "a document" : "a question",
                err) &&
         ask_embedder(ev, asker, order, err);
    buf_release(&payload);
    return ok;
}

// --- demos that are picked by the embedding of a question ---

static bool picks_by_embedding(const struct evaluation *ev,
                               const struct step *step)
{
    return ev->task->program->pools_by == SEARCH_BY_EMBEDDINGS &&
           ev->task->candidate->parts[step->predictor].nearest > 0;
}

static struct picking *picking_of(struct evaluation *ev, int step,
                                  struct err *err)
{
    size_t n = ev->task->program->n_steps;

    if (ev->picking == NULL)
        ev->picking = calloc(n, sizeof *ev->picking);
    if (ev->picking == NULL) {
        err_nomem(err, "an evaluation");
        return NULL;
    }
    ev->n_picking = n;
    return &ev->picking[step];
}

// Asks for the embedding of a question; false in *asked: it has no word.
static bool ask_near(struct evaluation *ev, const struct ask *wanted,
                     bool *asked, struct err *err)
{
    const struct step *step = &ev->task->program->steps[wanted->part];
    struct order order = step_order(ev, wanted);
    struct buf query = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok;

    step_query(step, stepper_step_inputs(ev->stepper, wanted->part), &query);
    ok = buf_ok(&query, "a question", err);
    *asked = ask_can_embed(&query);
    if (*asked)
        ok = embed(ev, ASKER_DEMOS, &order, query.data, query.len, err);
    buf_release(&query);
    return ok;
}

// What is to be asked of the model waits until the question's embedding is
// there. Its payload is the stepper's until it is answered.
static bool ask_for_demos(struct evaluation *ev, const struct ask *wanted,
                          struct err *err)
{
    struct picking *picking = picking_of(ev, wanted->part, err);
    bool asked = false;

    if (picking == NULL)
        return false;
    if (picking->asked)
        return ask_model(ev, wanted, picking->near, err);
    picking->asked = true;
    picking->ask = *wanted;
    return ask_near(ev, wanted, &asked, err) &&
           (asked || ask_model(ev, wanted, NULL, err));
}

// A question that is too long for an embedding gets the first demos.
static bool take_for_demos(struct evaluation *ev, int step,
                           const struct call_answer *answer, struct err *err)
{
    struct picking *picking = &ev->picking[step];

    if (answer->outcome == CALL_TEXT) {
        picking->near = vectors_read(ev->work->vectors, answer->text,
                                     answer->text_len, err);
        if (picking->near == NULL)
            return false;
    }
    return ask_model(ev, &picking->ask, picking->near, err);
}

static bool ask_for_step(struct evaluation *ev, const struct ask *wanted,
                         struct err *err)
{
    const struct step *step = &ev->task->program->steps[wanted->part];
    struct order order = step_order(ev, wanted);

    if (wanted->answerer == ANSWERER_EMBED && ev->work->vectors == NULL) {
        err_set(err, ERR_INPUT,
                "the compiled program searches by embeddings in step `%.60s`, "
                "and the job does not: write `by: embeddings` there",
                step->name);
        return false;
    }
    if (wanted->answerer == ANSWERER_EMBED)
        return ask_embedder(ev, ASKER_SEARCH, &order, err);
    if (step->predictor < 0)
        return ask(ev, ASKER_STEP, &order, err);
    return picks_by_embedding(ev, step) ? ask_for_demos(ev, wanted, err)
                                        : ask_model(ev, wanted, NULL, err);
}

static bool ask_for_text(struct evaluation *ev, struct err *err)
{
    const json_t *text = ev->item->text;
    struct order order = {.purpose = ev->task->sampling.purpose, .step = ""};

    return embed(ev, ASKER_TEXT, &order, json_string_value(text),
                 json_string_length(text), err);
}

// A judge is asked alike for all trials: what it says of an answer is a fact.
// Its replicates, and the tries in their place, have numbers of their own.
static struct sampling metric_sampling(const struct evaluation *ev, size_t part)
{
    int32_t which = 0;
    int32_t of = 1;

    metric_replicate(ev->work->job->metric, part, &which, &of);
    return (struct sampling){
        .temperature = -1,
        .purpose = "metric",
        .replicate =
            which + of * (ev->tries[part] +
                          METRIC_TRIES * ev->task->sampling.replicate)};
}

static bool ask_for_metric(struct evaluation *ev, size_t part, struct err *err)
{
    struct order order = {.bill = ROLE_JUDGE, .purpose = "metric", .step = ""};
    struct buf payload = BUF_INIT(PROMPT_MAX_BYTES);
    const json_t *example = example_of(ev, err);
    bool ok =
        example != NULL &&
        metric_ask(ev->work->job->metric, part, example,
                   stepper_outputs(ev->stepper), &payload, &order.ask, err);

    if (ok && order.ask.answerer == ANSWERER_MODEL) {
        order.prefix = prompt_prefixes_metric(ev->work, part, err);
        order.sampling = metric_sampling(ev, part);
        ok = order.prefix != NULL;
    }
    ok = ok && ask(ev, ASKER_METRIC, &order, err);
    buf_release(&payload);
    return ok;
}

// Asks what the metric wants to know from outside, which may be nothing.
static bool begin_judging(struct evaluation *ev, struct err *err)
{
    size_t n = metric_outside(ev->work->job->metric);
    bool ok = true;

    ev->judging = true;
    if (n == 0)
        return true;
    ev->outside = calloc(n, sizeof *ev->outside);
    if (ev->outside == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    ev->n_outside = ev->outside_missing = n;
    for (size_t i = 0; ok && i < ev->n_outside && ev->task != NULL; i++)
        ok = ask_for_metric(ev, i, err);
    return ok;
}

// A reply that cannot be used is never shown to the metric, so what is to be
// said about it is said here.
static bool score_fault(struct evaluation *ev, struct err *err)
{
    struct buf feedback = BUF_INIT(PROMPT_MAX_BYTES);

    ev->item->scored = true;
    ev->item->score = 0;
    stepper_feedback(ev->stepper, &feedback);
    if (!buf_ok(&feedback, "feedback", err)) {
        buf_release(&feedback);
        return false;
    }
    ev->item->feedback = buf_take(&feedback);
    return finish(ev, err);
}

// A model fault scores 0; what is only run, not scored, just ends.
static bool end_run(struct evaluation *ev, struct err *err)
{
    if (!ev->task->scored)
        return finish(ev, err);
    if (stepper_outcome(ev->stepper) != RUN_DONE)
        return score_fault(ev, err);
    return begin_judging(ev, err) &&
           (ev->task == NULL || ev->outside_missing > 0 || judge(ev, err));
}

// --- going on ---

// As far as the answers go that are here.
static bool advance(struct evaluation *ev, struct err *err)
{
    struct ask wanted;
    struct err why = ERR_CLEAR;

    if (ev->judging)
        return ev->outside_missing > 0 || judge(ev, err);
    while (stepper_next(ev->stepper, &wanted, &why)) {
        if (!ask_for_step(ev, &wanted, err))
            return false;
        if (ev->task == NULL)
            return true;
    }
    if (why.code != ERR_NONE) {
        *err = why;
        return false;
    }
    return !stepper_ended(ev->stepper) || end_run(ev, err);
}

// What is finished goes once nothing can come back to it.
static void drop_if_over(struct evaluation *ev)
{
    if (ev->task == NULL && ev->waiting == 0)
        evaluation_drop(ev);
}

static bool give_steps(struct evaluation *ev, struct err *err)
{
    const struct program *program = ev->task->program;
    const char *name;
    json_t *outputs;

    json_object_foreach(ev->item->given, name, outputs)
    {
        int step = program_find_step(program, name);

        if (step >= 0 && !stepper_give(ev->stepper, step, outputs, err))
            return false;
    }
    return true;
}

// The rows that are scored are the same in every trial, and so is what the
// job's program is asked about them. Without memory each asks for itself.
static void share_questions(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    if (ev->task->items != NULL || ev->task->program != work->job->program)
        return;
    if (work->questions == NULL)
        work->questions = question_cache_new();
    stepper_share(ev->stepper, work->questions, (size_t)ev->item->row);
}

static bool start_run(struct evaluation *ev, struct err *err)
{
    const struct task *task = ev->task;

    ev->stepper = stepper_new(task->program, task->plan, task->settings.adapter,
                              task->candidate->values, ev->item->inputs, err);
    if (ev->stepper == NULL)
        return false;
    share_questions(ev);
    return give_steps(ev, err) && advance(ev, err);
}

// Runs have their items; that of a row to be scored is made here.
static bool take_item(struct evaluation *ev, struct err *err)
{
    int32_t row = ev->task->rows[ev->at];
    struct row both;

    if (ev->task->items != NULL) {
        ev->item = &ev->task->items[ev->at];
        return true;
    }
    ev->own = TASK_ITEM_INIT(row);
    ev->item = &ev->own;
    if (!dataset_row(ev->work->dataset, (size_t)row, &both)) {
        err_nomem(err, "an example");
        return false;
    }
    ev->own.inputs = both.inputs;
    ev->example = both.fields;
    return true;
}

bool evaluation_start(struct job_work *work, struct task *task, size_t at,
                      struct err *err)
{
    struct evaluation *ev = malloc(sizeof *ev);
    bool ok;

    if (ev == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    *ev = (struct evaluation){.work = work, .task = task, .at = at};
    link_in(ev);
    if (!take_item(ev, err))
        return false; // the job closes, and drops it
    ok = ev->item->text != NULL ? ask_for_text(ev, err) : start_run(ev, err);
    if (ok)
        drop_if_over(ev);
    return ok; // otherwise the job closes, and drops it
}

bool evaluation_feed(const struct waiter *waiter, const struct flight *flight,
                     struct err *err)
{
    struct evaluation *ev = waiter->evaluation;
    struct call_ref ref = {.id = flight->call_id,
                           .prompt_tokens = flight->answer.prompt_tokens,
                           .generated_tokens = flight->answer.generated_tokens,
                           .outcome = flight->answer.outcome};
    bool ok = true;

    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL)
        ok = remember_call(ev, &ref, err) &&
             take(ev, waiter->asker, waiter->part, &flight->answer, err) &&
             (ev->task == NULL || advance(ev, err));
    if (ok)
        drop_if_over(ev);
    return ok;
}

static void lose(struct evaluation *ev, enum item_state state)
{
    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL)
        detach(ev, state);
    drop_if_over(ev);
}

void evaluation_hole(struct evaluation *ev)
{
    lose(ev, ITEM_HOLE);
}

void evaluation_unpaid(struct evaluation *ev)
{
    lose(ev, ITEM_UNPAID);
}
