#include "coordinator/guest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static char *copy_text(const json_t *argument, const char *key, size_t *len)
{
    const json_t *value = json_object_get(argument, key);

    if (!json_is_string(value))
        return NULL;
    if (len != NULL)
        *len = json_string_length(value);
    return strdup(json_string_value(value));
}

static bool in_range(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

static bool read_options(const json_t *given, struct call_options *out,
                         struct err *err)
{
    int64_t num_ctx = json_get_int(given, "num_ctx", 0);
    int64_t num_predict = json_get_int(given, "num_predict", 0);

    *out = (struct call_options){.temperature =
                                     json_get_number(given, "temperature", 0),
                                 .seed = json_get_int(given, "seed", 0)};
    if (!in_range(num_ctx, 1, INT32_MAX) ||
        !in_range(num_predict, 1, INT32_MAX) || !isfinite(out->temperature) ||
        out->temperature < 0) {
        err_set(err, ERR_INPUT,
                "`options` of a call needs num_ctx and num_predict above 0, "
                "and a temperature of 0 or more");
        return false;
    }
    out->num_ctx = (int32_t)num_ctx;
    out->num_predict = (int32_t)num_predict;
    return true;
}

static void free_guest(struct guest *guest)
{
    free((char *)guest->request.model);
    free((char *)guest->request.prefix);
    free((char *)guest->request.tail);
    free((char *)guest->request.format);
    free(guest);
}

static struct guest *read_guest(const json_t *argument, struct err *err)
{
    struct guest *guest = calloc(1, sizeof *guest);
    struct call_request *request;

    if (guest == NULL) {
        err_nomem(err, "a call");
        return NULL;
    }
    guest->model = -1;
    request = &guest->request;
    request->model = copy_text(argument, "model", NULL);
    request->prefix = copy_text(argument, "prefix", &request->prefix_len);
    request->tail = copy_text(argument, "tail", &request->tail_len);
    request->format = copy_text(argument, "format", NULL);
    if (request->model != NULL && request->prefix != NULL &&
        request->tail != NULL &&
        read_options(json_object_get(argument, "options"), &request->options,
                     err))
        return guest;
    if (err->code == ERR_NONE)
        err_set(err, ERR_INPUT, "a call needs `model`, `prefix` and `tail`");
    free_guest(guest);
    return NULL;
}

// Gives the model a number, as a job does that pins it.
static bool bind_model(struct engine *engine, struct guest *guest,
                       const char *digest, struct err *err)
{
    const char *name = guest->request.model;

    if (digest[0] == '\0')
        digest = workers_digest(&engine->workers, name);
    if (digest != NULL) {
        guest->model = models_use(&engine->models, name, digest, err);
        if (guest->model < 0 ||
            !workers_serve(&engine->workers, &engine->models, guest->model,
                           engine->dispatch, err))
            return false;
    }
    if (digest != NULL && dispatch_can_serve(engine->dispatch, guest->model))
        return true;
    err_set(err, ERR_INPUT,
            "no worker that is here has the model %.80s%s: start one with "
            "`promptcc worker`",
            name,
            digest != NULL ? " of this job (another digest differs)" : "");
    return false;
}

static bool queue(struct engine *engine, struct guest *guest, int64_t now,
                  struct err *err)
{
    struct dispatch_call call = {.id = engine->flights.last_id + 1,
                                 .model = guest->model,
                                 .timeout_ms =
                                     engine->call_timeout_ms < GUEST_MS
                                         ? engine->call_timeout_ms
                                         : GUEST_MS};

    if (!dispatch_queue(engine->dispatch, &call, now, err))
        return false;
    guest->id = ++engine->flights.last_id;
    guest->until_ms = now + GUEST_MS;
    guest->next = engine->guests;
    engine->guests = guest;
    engine->n_guests++;
    return true;
}

// As a job that has no use for it any more (running_job_wait.c): while other
// calls of it are about, the number stays taken.
static void drop_model(struct engine *engine, const struct guest *guest)
{
    if (guest->model < 0)
        return;
    if (engine->models.entries[guest->model].users > 1 ||
        dispatch_forget_model(engine->dispatch, guest->model))
        models_drop(&engine->models, guest->model);
}

bool guest_begin(struct engine *engine, const struct wire_id *peer,
                 int64_t epoch, const json_t *argument, int64_t now,
                 struct err *err)
{
    struct guest *guest;

    if (engine->n_guests >= GUESTS_MOST) {
        err_set(err, ERR_BUSY,
                "%d messages are being tried already: try again in a moment",
                GUESTS_MOST);
        return false;
    }
    guest = read_guest(argument, err);
    if (guest == NULL)
        return false;
    guest->peer = *peer;
    guest->epoch = epoch;
    if (bind_model(engine, guest, json_get_text(argument, "digest", ""), err) &&
        queue(engine, guest, now, err))
        return true;
    drop_model(engine, guest);
    free_guest(guest);
    return false;
}

struct guest *guest_find(const struct engine *engine, int64_t id)
{
    struct guest *guest = engine->guests;

    while (guest != NULL && guest->id != id)
        guest = guest->next;
    return guest;
}

struct guest *guest_late(const struct engine *engine, int64_t now)
{
    struct guest *guest = engine->guests;

    while (guest != NULL && guest->until_ms > now)
        guest = guest->next;
    return guest;
}

struct call_message guest_message(const struct engine *engine,
                                  const struct guest *guest,
                                  const struct action *action)
{
    const struct model_entry *model = &engine->models.entries[guest->model];

    return (struct call_message){.id = action->lease,
                                 .timeout_ms =
                                     engine->call_timeout_ms < GUEST_MS
                                         ? engine->call_timeout_ms
                                         : GUEST_MS,
                                 .digest = models_worker_digest(model->digest),
                                 .request = guest->request};
}

json_t *guest_reply(const struct call_answer *answer)
{
    return json_pack("{s:i, s:s#, s:I, s:I, s:I}", "outcome",
                     (int)answer->outcome, "text", answer->text,
                     (int)answer->text_len, "prompt_tokens",
                     (json_int_t)answer->prompt_tokens, "generated_tokens",
                     (json_int_t)answer->generated_tokens, "total_us",
                     (json_int_t)answer->total_us);
}

void guest_end(struct engine *engine, struct guest *guest, int64_t now)
{
    struct guest **at = &engine->guests;

    while (*at != guest)
        at = &(*at)->next;
    *at = guest->next;
    engine->n_guests--;
    dispatch_cancel(engine->dispatch, guest->id, now);
    drop_model(engine, guest);
    free_guest(guest);
}

void guests_release(struct engine *engine)
{
    while (engine->guests != NULL) {
        struct guest *next = engine->guests->next;

        free_guest(engine->guests);
        engine->guests = next;
    }
    engine->n_guests = 0;
}
