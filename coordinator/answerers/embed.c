// The answerer for a model that embeds. It is asked like any other model, on
// whichever worker has it; its answer is a vector, as text (common/vector.h).
//
// A text has one embedding, regardless of job, trial and seed. So the key
// covers only the text, the model's digest and num_ctx: when a corpus changes,
// only what changed is paid for.

#include "coordinator/answerers/answerer.h"
#include "coordinator/answerers/model.h"
#include "coordinator/call_key.h"

static bool address(struct order *order, const struct task *task,
                    struct err *err)
{
    const struct job_work *work = order->work;
    const struct job_model_pin *pin = &work->models[ROLE_EMBED];
    struct call_request request = {.kind = CALL_EMBED,
                                   .tail = order->ask.payload,
                                   .tail_len = order->ask.payload_len,
                                   .options =
                                       work->job->models[ROLE_EMBED].options};

    (void)task;
    (void)err;
    order->kind = request.kind;
    order->model = pin->number;
    order->options = request.options;
    order->key = call_key(&order->prefix->begun, pin->digest, &request, 0);
    return true;
}

const struct answerer answerer_embed = {
    .name = "embed",
    .address = address,
    .begin = model_call_begin,
    .cancel = model_call_cancel,
    .record = model_call_record,
};
