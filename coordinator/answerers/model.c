// The answerer for most asks: a model, on whichever worker dispatch finds for
// it. Dispatch handles faults, retries and parking.

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/logprobs.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/answerers/model.h"
#include "coordinator/call_key.h"

static struct call_options options_for(const struct order *order,
                                       const struct task *task)
{
    const struct job *job = order->work->job;
    struct call_options options = order->bill == (int)task->role
                                      ? task_options(task)
                                      : job->models[order->bill].options;

    if (order->logprobs)
        options.top_logprobs = LOGPROBS_TOP;
    options.seed = call_seed(options.temperature, job->seed, &order->sampling,
                             order->step);
    return options;
}

static bool address(struct order *order, const struct task *task,
                    struct err *err)
{
    const struct job_model_pin *pin = &order->work->models[order->bill];
    struct call_request request = {.tail = order->ask.payload,
                                   .tail_len = order->ask.payload_len,
                                   .format = order->prefix->format};

    (void)err;
    order->model = pin->number;
    order->options = request.options = options_for(order, task);
    order->key = call_key(&order->prefix->begun, pin->digest, &request,
                          order->sampling.replicate);
    return true;
}

// Returns a number for calls that take about equally long: those of one step,
// or one part of a metric, with the same room for the answer.
static int64_t kind_of(const struct order *order)
{
    return (int64_t)((uint64_t)order->work->number << 40 |
                     (uint64_t)order->bill << 36 |
                     (uint64_t)(order->ask.part & 0xfff) << 24 |
                     (uint64_t)(order->options.num_predict & 0xffffff));
}

bool model_call_begin(struct flight *flight, struct err *err)
{
    const struct order *order = &flight->order;
    struct engine *engine = order->work->engine;
    struct dispatch_call call = {
        .id = flight->id,
        .job = order->work->number,
        .model = order->model,
        .trial = order->age,
        .batch = order->batch,
        .group = order->prefix->number,
        .kind = kind_of(order),
        .prefix_size = (int64_t)order->prefix->len,
        .window = (int32_t)order->work->job->window,
        .priority = order->work->priority,
        .timeout_ms = flight->timeout_ms = engine->call_timeout_ms,
    };

    return dispatch_queue(engine->dispatch, &call, clock_monotonic_ms(), err);
}

void model_call_cancel(struct engine *engine, struct flight *flight)
{
    dispatch_cancel(engine->dispatch, flight->id, clock_monotonic_ms());
}

static bool put_prefix(struct engine *engine, struct prefix *prefix,
                       struct err *err)
{
    if (prefix->id == 0)
        prefix->id = calls_prefix(engine->store, &prefix->hash, prefix->text,
                                  prefix->len, err);
    return prefix->id != 0;
}

static bool same_options(const struct call_options *a,
                         const struct call_options *b)
{
    return a->num_ctx == b->num_ctx && a->num_predict == b->num_predict &&
           a->temperature == b->temperature && a->seed == b->seed;
}

// Returns the options as the store has them. Nearly all calls have the options
// of the previous one, and printing a number costs more than placing a call.
static const char *options_text(struct options_text *last,
                                const struct call_options *options)
{
    if (last->text[0] != '\0' && same_options(&last->options, options))
        return last->text;
    last->options = *options;
    snprintf(last->text, sizeof last->text,
             "{\"num_ctx\": %d, \"num_predict\": %d, \"temperature\": %.17g, "
             "\"seed\": %" PRId64 "}",
             options->num_ctx, options->num_predict, options->temperature,
             options->seed);
    return last->text;
}

bool model_call_record(const struct flight *flight, struct call_put *row,
                       struct err *err)
{
    const struct order *order = &flight->order;
    struct engine *engine = order->work->engine;
    const struct model_entry *model = &engine->models.entries[order->model];

    if (!put_prefix(engine, order->prefix, err))
        return false;
    row->prefix_id = order->prefix->id;
    row->model = model->name;
    row->digest = model->digest;
    row->options = options_text(&engine->options, &order->options);
    return true;
}

const struct answerer answerer_model = {
    .name = "model",
    .address = address,
    .begin = model_call_begin,
    .cancel = model_call_cancel,
    .record = model_call_record,
};
