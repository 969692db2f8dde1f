#include "coordinator/model_use.h"

#include <string.h>

#include "coordinator/engine.h"

// Returns true if these needs are the first that count. A user without a
// num_ctx writes no text, so it needs only a kind of server: what it embeds may
// be shorter than its window.
static bool note_needs(struct model_entry *entry,
                       const struct model_needs *needs)
{
    if (needs->num_ctx == 0)
        memcpy(entry->needs.server, needs->server, sizeof needs->server);
    if (needs->num_ctx == 0 || entry->needs.num_ctx > 0)
        return false;
    entry->needs = *needs;
    return true;
}

// Tells dispatch which workers serve the model. Some may have served it for a
// user that needed less.
static bool announce(struct engine *engine, int32_t number, struct err *err)
{
    const struct model_entry *entry = &engine->models.entries[number];

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next)
        if (!worker_fits(w, entry, NULL, 0) ||
            proofs_refuse(&engine->proofs, w->number, number))
            dispatch_refuse(engine->dispatch, w->number, number);
        else if (!dispatch_serves(engine->dispatch, w->number, number, err))
            return false;
    return true;
}

int32_t model_use_begin(struct engine *engine, const char *name,
                        const char *digest, const struct model_needs *needs,
                        int64_t now, struct err *err)
{
    int32_t number = models_use(&engine->models, name, digest, err);
    bool first;

    if (number < 0)
        return -1;
    first = needs != NULL && note_needs(&engine->models.entries[number], needs);
    if (!announce(engine, number, err)) {
        model_use_end(engine, number);
        return -1;
    }
    if (first)
        proofs_expect_model(engine, number, now);
    return number;
}

void model_use_end(struct engine *engine, int32_t number)
{
    if (engine->models.entries[number].users == 1) {
        if (!dispatch_forget_model(engine->dispatch, number))
            return;
        proofs_forget_model(engine, number);
    }
    models_drop(&engine->models, number);
}
