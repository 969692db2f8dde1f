#include "coordinator/side_call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "coordinator/model_use.h"
#include "coordinator/worker_votes.h"

static char *copy_text(const json_t *argument, const char *key, size_t *len)
{
    const json_t *value = json_object_get(argument, key);

    if (!json_is_string(value))
        return NULL;
    if (len != NULL)
        *len = json_string_length(value);
    return strdup(json_string_value(value));
}

static bool is_count(int64_t value)
{
    return value >= 1 && value <= INT32_MAX;
}

static bool read_options(const json_t *given, struct call_options *out,
                         struct err *err)
{
    int64_t num_ctx = json_get_int(given, "num_ctx", 0);
    int64_t num_predict = json_get_int(given, "num_predict", 0);

    *out = (struct call_options){.temperature =
                                     json_get_number(given, "temperature", 0),
                                 .seed = json_get_int(given, "seed", 0)};
    if (!is_count(num_ctx) || !is_count(num_predict) ||
        !isfinite(out->temperature) || out->temperature < 0) {
        err_set(err, ERR_INPUT,
                "`options` of a call needs num_ctx and num_predict above 0, "
                "and a temperature of 0 or more");
        return false;
    }
    out->num_ctx = (int32_t)num_ctx;
    out->num_predict = (int32_t)num_predict;
    return true;
}

static void free_side_call(struct side_call *side)
{
    free((char *)side->request.model);
    free((char *)side->request.prefix);
    free((char *)side->request.tail);
    free((char *)side->request.format);
    free(side);
}

static struct side_call *read_side_call(const json_t *argument, struct err *err)
{
    struct side_call *side = calloc(1, sizeof *side);
    struct call_request *request;

    if (side == NULL) {
        err_nomem(err, "a call");
        return NULL;
    }
    side->model = -1;
    request = &side->request;
    request->model = copy_text(argument, "model", NULL);
    request->prefix = copy_text(argument, "prefix", &request->prefix_len);
    request->tail = copy_text(argument, "tail", &request->tail_len);
    request->format = copy_text(argument, "format", NULL);
    if (request->model != NULL && request->prefix != NULL &&
        request->tail != NULL &&
        read_options(json_object_get(argument, "options"), &request->options,
                     err))
        return side;
    if (err->code == ERR_NONE)
        err_set(err, ERR_INPUT, "a call needs `model`, `prefix` and `tail`");
    free_side_call(side);
    return NULL;
}

static bool bind_model(struct engine *engine, struct side_call *side,
                       const char *digest, int64_t now, struct err *err)
{
    const char *name = side->request.model;

    if (digest[0] == '\0')
        digest = workers_digest(&engine->workers, name);
    if (digest != NULL) {
        side->model = model_use_begin(engine, name, digest, NULL, now, err);
        if (side->model < 0)
            return false;
    }
    if (digest != NULL && dispatch_can_serve(engine->dispatch, side->model))
        return true;
    err_set(err, ERR_INPUT,
            "no connected worker has the model %.80s%s: start one with "
            "`promptcc worker`",
            name, digest != NULL ? " with the digest that this job uses" : "");
    return false;
}

static bool queue(struct engine *engine, struct side_call *side, int64_t now,
                  struct err *err)
{
    struct dispatch_call call = {.id = engine->flights.last_id + 1,
                                 .model = side->model,
                                 .timeout_ms =
                                     engine->call_timeout_ms < SIDE_CALL_MS
                                         ? engine->call_timeout_ms
                                         : SIDE_CALL_MS};

    if (!dispatch_queue(engine->dispatch, &call, now, err))
        return false;
    side->id = ++engine->flights.last_id;
    side->until_ms = now + SIDE_CALL_MS;
    side->next = engine->side_calls;
    engine->side_calls = side;
    engine->n_side_calls++;
    return true;
}

static void drop_model(struct engine *engine, const struct side_call *side)
{
    if (side->model >= 0)
        model_use_end(engine, side->model);
}

bool side_call_begin(struct engine *engine, const struct peer_address *asker,
                     const json_t *argument, int64_t now, struct err *err)
{
    struct side_call *side;

    if (engine->n_side_calls >= SIDE_CALLS_MOST) {
        err_set(err, ERR_BUSY,
                "%d messages are being tried already: try again in a moment",
                SIDE_CALLS_MOST);
        return false;
    }
    side = read_side_call(argument, err);
    if (side == NULL)
        return false;
    side->asker = *asker;
    if (bind_model(engine, side, json_get_text(argument, "digest", ""), now,
                   err) &&
        queue(engine, side, now, err))
        return true;
    drop_model(engine, side);
    free_side_call(side);
    return false;
}

struct side_call *side_call_find(const struct engine *engine, int64_t id)
{
    struct side_call *side = engine->side_calls;

    while (side != NULL && side->id != id)
        side = side->next;
    return side;
}

struct side_call *side_call_find_late(const struct engine *engine, int64_t now)
{
    struct side_call *side = engine->side_calls;

    while (side != NULL && side->until_ms > now)
        side = side->next;
    return side;
}

struct call_message side_call_message(const struct engine *engine,
                                      const struct side_call *side,
                                      const struct action *action)
{
    const struct model_entry *model = &engine->models.entries[side->model];

    return (struct call_message){.id = action->lease,
                                 .timeout_ms =
                                     engine->call_timeout_ms < SIDE_CALL_MS
                                         ? engine->call_timeout_ms
                                         : SIDE_CALL_MS,
                                 .digest = models_worker_digest(model->digest),
                                 .request = side->request};
}

json_t *side_call_reply(const struct call_answer *answer)
{
    return json_pack("{s:i, s:s#, s:I, s:I, s:I}", "outcome",
                     (int)answer->outcome, "text", answer->text,
                     (int)answer->text_len, "prompt_tokens",
                     (json_int_t)answer->prompt_tokens, "generated_tokens",
                     (json_int_t)answer->generated_tokens, "total_us",
                     (json_int_t)answer->total_us);
}

void side_call_end(struct engine *engine, struct side_call *side, int64_t now)
{
    struct side_call **at = &engine->side_calls;

    while (*at != side)
        at = &(*at)->next;
    *at = side->next;
    engine->n_side_calls--;
    dispatch_cancel(engine->dispatch, side->id, now);
    drop_model(engine, side);
    free_side_call(side);
}

void side_calls_release(struct engine *engine)
{
    while (engine->side_calls != NULL) {
        struct side_call *next = engine->side_calls->next;

        free_side_call(engine->side_calls);
        engine->side_calls = next;
    }
    engine->n_side_calls = 0;
}
