#include "coordinator/evaluation_questions.h"

#include <stdlib.h>

#include "common/buf.h"
#include "coordinator/evaluation_ask.h"
#include "coordinator/evaluation_result.h"
#include "coordinator/evaluation_state.h"
#include "coordinator/flight.h"
#include "coordinator/prompt_prefixes.h"
#include "program/metric/metric.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"
#include "retrieve/vectors.h"

enum { QUESTION_MAX_BYTES = 2 * PROMPT_MAX_BYTES }; // escaped

// Answers an ask that is too long to be written, as a server answers a prompt
// that is too long to be read: that is a fact about the example, not a failure
// of the job. Nothing is stored. Returns false on any other failure, which is
// in why.
static bool take_too_long(struct evaluation *ev, enum asker asker, int part,
                          const struct err *why, struct err *err)
{
    static char nothing[] = "";
    const struct call_answer answer = {
        .outcome = CALL_TOO_LONG, .text = nothing, .cached_tokens = -1};

    if (why->code == ERR_LIMIT)
        return ev->take(ev, asker, part, &answer, err);
    *err = *why;
    return false;
}

// Puts the demos that this question gets from its step's pool, followed by the
// question. near is the question's embedding if demos are picked by that, else
// NULL.
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
        ok = nearest_put_by_embeddings(*nearest, &pool, ev->work->vectors, near,
                                       out, err);
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

// Writes the ask, with tail holding its payload if demos are picked for it.
static bool write_order(struct evaluation *ev, const struct ask *wanted,
                        const struct direction *near, struct order *order,
                        struct buf *tail, struct err *err)
{
    const struct task *task = ev->task;
    const struct step *step = &task->program->steps[wanted->part];

    order->prefix = prompt_prefixes_step(ev->work, ev->task, wanted->part,
                                         ev->item->row, wanted->form, err);
    if (order->prefix == NULL)
        return false;
    order->logprobs =
        task->logprobs &&
        right_is_measurable(task->program, ev->work->job->metric, wanted->part);
    if (task->candidate->parts[step->predictor].nearest == 0)
        return true;
    if (!put_nearest(ev, wanted, near, tail, err))
        return false;
    order->ask.payload = tail->data;
    order->ask.payload_len = tail->len;
    order->ask.kept = NULL;
    return true;
}

bool evaluation_ask_model(struct evaluation *ev, const struct ask *wanted,
                          const struct direction *near, struct err *err)
{
    struct order order = step_order(ev, wanted);
    struct buf tail = BUF_INIT(QUESTION_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok = write_order(ev, wanted, near, &order, &tail, &why)
                  ? evaluation_ask(ev, ASKER_STEP, &order, err)
                  : take_too_long(ev, ASKER_STEP, wanted->part, &why, err);

    buf_release(&tail);
    if (order.prefix != NULL)
        prefix_unref(&ev->work->engine->flights, order.prefix);
    if (ev->stepper != NULL) // the flight has a copy
        stepper_free_payload(ev->stepper, wanted->part);
    return ok;
}

static bool ask_embedder(struct evaluation *ev, enum asker asker,
                         struct order *order, struct err *err)
{
    order->bill = ROLE_EMBED;
    order->prefix = prompt_prefixes_embed(ev->work, err);
    return order->prefix != NULL && evaluation_ask(ev, asker, order, err);
}

static bool embed(struct evaluation *ev, enum asker asker, struct order *order,
                  const char *text, size_t len, struct err *err)
{
    struct buf payload = BUF_INIT(QUESTION_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok;

    ask_put_embedding(text, len, &payload);
    order->ask.answerer = ANSWERER_EMBED;
    order->ask.payload = payload.data;
    order->ask.payload_len = payload.len;
    order->ask.kept = NULL; // that is the step's question, not this
    if (buf_ok(&payload, asker == ASKER_TEXT ? "a document" : "a question",
               &why))
        ok = ask_embedder(ev, asker, order, err);
    else
        ok = take_too_long(ev, asker, order->ask.part, &why, err);
    buf_release(&payload);
    return ok;
}

// --- demos picked by the embedding of a question ---

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

// Asks for the embedding of a question. *asked is false if the question has no
// word in it.
static bool ask_near(struct evaluation *ev, const struct ask *wanted,
                     bool *asked, struct err *err)
{
    const struct step *step = &ev->task->program->steps[wanted->part];
    struct order order = step_order(ev, wanted);
    struct buf query = BUF_INIT(PROMPT_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok = true;

    step_query(step, stepper_step_inputs(ev->stepper, wanted->part), &query);
    *asked = query.failed || ask_can_embed(&query);
    if (!buf_ok(&query, "a question", &why))
        ok = take_too_long(ev, ASKER_DEMOS, wanted->part, &why, err);
    else if (*asked)
        ok = embed(ev, ASKER_DEMOS, &order, query.data, query.len, err);
    buf_release(&query);
    return ok;
}

// The ask to the model waits until the question's embedding is there. Its
// payload belongs to the stepper until the ask is answered.
static bool ask_for_demos(struct evaluation *ev, const struct ask *wanted,
                          struct err *err)
{
    struct picking *picking = picking_of(ev, wanted->part, err);
    bool asked = false;

    if (picking == NULL)
        return false;
    if (picking->asked)
        return evaluation_ask_model(ev, wanted, picking->near, err);
    picking->asked = true;
    picking->ask = *wanted;
    return ask_near(ev, wanted, &asked, err) &&
           (asked || evaluation_ask_model(ev, wanted, NULL, err));
}

bool evaluation_ask_step(struct evaluation *ev, const struct ask *wanted,
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
        return evaluation_ask(ev, ASKER_STEP, &order, err);
    return picks_by_embedding(ev, step)
               ? ask_for_demos(ev, wanted, err)
               : evaluation_ask_model(ev, wanted, NULL, err);
}

bool evaluation_ask_text(struct evaluation *ev, struct err *err)
{
    const json_t *text = ev->item->text;
    struct order order = {.purpose = ev->task->sampling.purpose, .step = ""};

    return embed(ev, ASKER_TEXT, &order, json_string_value(text),
                 json_string_length(text), err);
}

// A judge is asked in the same way in all trials, because what it says of an
// answer is a fact. Its replicates, and the tries within each of them, have
// numbers of their own.
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

static bool write_metric_order(struct evaluation *ev, size_t part,
                               struct order *order, struct buf *payload,
                               struct err *err)
{
    const struct metric *metric = ev->work->job->metric;
    const struct metric_case given = {.example = evaluation_example(ev, err),
                                      .outputs = stepper_outputs(ev->stepper)};

    if (given.example == NULL ||
        !metric_ask(metric, part, &given, payload, &order->ask, err))
        return false;
    if (order->ask.answerer != ANSWERER_MODEL)
        return true;
    order->prefix = prompt_prefixes_metric(ev->work, part, err);
    order->sampling = metric_sampling(ev, part);
    return order->prefix != NULL;
}

bool evaluation_ask_metric(struct evaluation *ev, size_t part, struct err *err)
{
    struct order order = {.bill = ROLE_JUDGE, .purpose = "metric", .step = ""};
    struct buf payload = BUF_INIT(QUESTION_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok = write_metric_order(ev, part, &order, &payload, &why)
                  ? evaluation_ask(ev, ASKER_METRIC, &order, err)
                  : take_too_long(ev, ASKER_METRIC, (int)part, &why, err);

    buf_release(&payload);
    return ok;
}
