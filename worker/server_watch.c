#include "worker/server_watch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

enum {
    PROBE_PATIENCE_MS = 1500,
    LOOK_MS = 5000,       // between looks, unless the options say otherwise
    BUSY_LOOK_MS = 1000,  // the same, while there are calls
    LACKS_LOOK_MS = 3000, // the same, when an idle worker has lost a model
    LOOK_PATIENCE_MS = 1000,
    LOOK_SHARE = 50, // at most a 50th of the time is spent looking
    LOADED_MS = 100, // a model that is already loaded is ready sooner
};

struct server_watch {
    struct server_watch_options options;
    struct model_server server; // what was last probed or taken; owned

    atomic_bool fails;
    bool logged_away;  // and not yet as back
    bool lacks_model;  // it has lost a model since its last answer
    int64_t away_ms;   // since when it has not answered; -1: it answers
    int64_t probed_ms; // when it was last asked
    int64_t spare_ms;  // pause before the next look, as the last was slow
    int64_t seen_ms;   // when the last look that saw the models began
    bool blind;        // the last look saw nothing
};

struct server_watch *
server_watch_new(const struct server_watch_options *options, struct err *err)
{
    struct server_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL) {
        err_nomem(err, "a worker");
        return NULL;
    }
    watch->options = *options;
    watch->away_ms = -1;
    return watch;
}

void server_watch_free(struct server_watch *watch)
{
    if (watch == NULL)
        return;
    model_server_release(&watch->server);
    free(watch);
}

const struct model_server *server_watch_server(const struct server_watch *watch)
{
    return &watch->server;
}

// --- asking ---

static void tell(struct server_watch *watch, bool answers,
                 const struct err *why)
{
    const struct server_watch_options *options = &watch->options;

    if (options->refusal != NULL &&
        why->code != ERR_IO) // ERR_IO: no server is there
        last_words_set(options->refusal, answers ? "" : why->text);
    if (!answers && !watch->logged_away)
        log_warn("server-away", "worker %s waits: %s", options->worker,
                 why->text);
    if (answers && watch->logged_away)
        log_info("server-back", "worker %s: %s answers", options->worker,
                 options->url);
    watch->logged_away = !answers;
}

static bool probe(struct server_watch *watch, int64_t patience_ms,
                  struct model_server *out)
{
    struct err err = ERR_CLEAR;
    bool answers = model_probe(watch->options.client, patience_ms, out, &err);

    watch->probed_ms = clock_monotonic_ms();
    if (!answers || watch->logged_away)
        atomic_store(&watch->fails, !answers);
    if (answers)
        watch->away_ms = -1;
    else if (watch->away_ms < 0)
        watch->away_ms = watch->probed_ms;
    tell(watch, answers, &err);
    return answers;
}

void server_watch_take(struct server_watch *watch, struct model_server *found)
{
    model_server_release(&watch->server);
    watch->server = *found;
    *found = (struct model_server){0};
}

bool server_watch_probe(struct server_watch *watch)
{
    struct model_server found = {0};

    if (!probe(watch, PROBE_PATIENCE_MS, &found))
        return false;
    server_watch_take(watch, &found);
    return true;
}

bool server_watch_answers(struct server_watch *watch)
{
    struct model_server found = {0};
    bool answers = probe(watch, LOOK_PATIENCE_MS, &found);

    model_server_release(&found);
    return answers;
}

bool server_watch_lists(struct server_watch *watch, const char *model)
{
    struct model_server found = {0};
    bool lists = probe(watch, LOOK_PATIENCE_MS, &found) &&
                 model_server_find(&found, model) != NULL;

    model_server_release(&found);
    return lists;
}

// --- looking ---

static bool same_models(const struct model_server *a,
                        const struct model_server *b)
{
    if (a->n_models != b->n_models || strcmp(a->version, b->version) != 0)
        return false;
    for (size_t i = 0; i < a->n_models; i++) {
        if (strcmp(a->models[i].name, b->models[i].name) != 0 ||
            strcmp(a->models[i].digest, b->models[i].digest) != 0)
            return false;
    }
    return true;
}

static bool exchanged_model(const struct model_server *had,
                            const struct model_server *has)
{
    for (size_t i = 0; i < had->n_models; i++) {
        const struct model_info *now =
            model_server_find(has, had->models[i].name);
        if (now != NULL && strcmp(now->digest, had->models[i].digest) != 0)
            return true;
    }
    return false;
}

// Does not report SERVER_GONE: the calls themselves show whether the server is
// up.
static enum server_news look_while_busy(struct server_watch *watch,
                                        struct model_server *found)
{
    struct err ignored = ERR_CLEAR;
    enum server_news news = SERVER_UNCHANGED;

    int64_t begun_ms = clock_monotonic_ms();

    watch->blind =
        !model_probe(watch->options.client, LOOK_PATIENCE_MS, found, &ignored);
    if (!watch->blind) {
        watch->seen_ms = begun_ms;
        if (exchanged_model(&watch->server, found))
            news = SERVER_EXCHANGED;
        else if (!same_models(&watch->server, found))
            news = SERVER_CHANGED;
    }
    watch->probed_ms = clock_monotonic_ms();
    return news;
}

static enum server_news look_while_idle(struct server_watch *watch,
                                        struct model_server *found)
{
    if (!probe(watch, LOOK_PATIENCE_MS, found))
        return SERVER_GONE;
    return same_models(&watch->server, found) ? SERVER_UNCHANGED
                                              : SERVER_CHANGED;
}

static int64_t look_every_ms(const struct server_watch *watch, bool has_calls)
{
    if (watch->lacks_model && !has_calls)
        return LACKS_LOOK_MS;
    if (watch->options.look_ms > 0)
        return watch->options.look_ms;
    return has_calls ? BUSY_LOOK_MS : LOOK_MS;
}

enum server_news server_watch_look(struct server_watch *watch, bool has_calls,
                                   int64_t now_ms, struct model_server *found)
{
    int64_t wait_ms = look_every_ms(watch, has_calls);
    enum server_news news;

    if (wait_ms < watch->spare_ms)
        wait_ms = watch->spare_ms;
    if (now_ms < watch->probed_ms + wait_ms)
        return SERVER_UNCHANGED;
    news = has_calls ? look_while_busy(watch, found)
                     : look_while_idle(watch, found);
    watch->spare_ms = has_calls ? LOOK_SHARE * (watch->probed_ms - now_ms) : 0;
    if (news != SERVER_CHANGED)
        model_server_release(found);
    return news;
}

// --- what calls show about it ---

bool server_watch_differs(const struct server_watch *watch,
                          const struct call_message *call)
{
    const struct model_info *model =
        model_server_find(&watch->server, call->request.model);

    return model != NULL && model->digest[0] != '\0' &&
           call->digest[0] != '\0' && strcmp(model->digest, call->digest) != 0;
}

// A model that took at least LOADED_MS to load was exchanged before that, so a
// look that began since then has seen it. A server that is slow to list its
// models is not asked again for each such answer.
static bool may_differ(const struct server_watch *watch,
                       const struct call_message *call, int64_t load_us)
{
    int64_t now_ms = clock_monotonic_ms();

    if (load_us < (int64_t)LOADED_MS * 1000 || call->digest[0] == '\0')
        return false;
    if (watch->blind && now_ms < watch->probed_ms + watch->spare_ms)
        return false;
    return watch->seen_ms + LOADED_MS < now_ms;
}

bool server_watch_exchanged(struct server_watch *watch,
                            const struct call_message *call, int64_t load_us)
{
    struct model_server found = {0};
    int64_t begun_ms = clock_monotonic_ms();
    const struct model_info *model;
    bool exchanged;

    if (!may_differ(watch, call, load_us))
        return false;
    (void)look_while_busy(watch, &found);
    watch->spare_ms = LOOK_SHARE * (watch->probed_ms - begun_ms);
    model = model_server_find(&found, call->request.model);
    exchanged = model != NULL && model->digest[0] != '\0' &&
                strcmp(model->digest, call->digest) != 0;
    model_server_release(&found);
    return exchanged;
}

void server_watch_answered(struct server_watch *watch)
{
    atomic_store(&watch->fails, false);
    watch->lacks_model = false;
}

void server_watch_failed(struct server_watch *watch)
{
    atomic_store(&watch->fails, true);
}

void server_watch_lacks_model(struct server_watch *watch)
{
    watch->lacks_model = true;
}

void server_watch_look_soon(struct server_watch *watch)
{
    watch->spare_ms = 0;
}

int64_t server_watch_away_ms(const struct server_watch *watch, int64_t now_ms)
{
    return watch->away_ms < 0 ? -1 : now_ms - watch->away_ms;
}

bool server_watch_fails(const struct server_watch *watch)
{
    return atomic_load(&watch->fails);
}

void server_watch_describe(const struct server_watch *watch,
                           const struct model_server *server,
                           struct wire_model *out, struct hello *hello)
{
    const char *digest = watch->options.digest;
    size_t n = server->n_models;

    if (n > WIRE_MAX_MODELS)
        n = WIRE_MAX_MODELS;
    for (size_t i = 0; i < n; i++) {
        out[i].name = server->models[i].name;
        out[i].digest = server->models[i].digest;
        if (out[i].digest[0] == '\0' && digest != NULL)
            out[i].digest = digest;
        out[i].context = server->models[i].context;
        out[i].quantization = server->models[i].quantization;
    }
    hello->server = server->version;
    hello->simulated = server->simulated ? 1 : 0;
    hello->models = out;
    hello->n_models = n;
}
