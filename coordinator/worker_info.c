#include "coordinator/worker_info.h"

#include <stddef.h>
#include <string.h>

#include "common/model_name.h"
#include "common/text.h"

const struct worker_model *worker_find_model(const struct worker_info *worker,
                                             const char *name)
{
    for (size_t i = 0; i < worker->n_models; i++)
        if (model_name_same(worker->models[i].name, name))
            return &worker->models[i];
    return NULL;
}

void worker_kind(const struct worker_info *worker, char out[WORKER_KIND_BYTES])
{
    const char *space = strchr(worker->server, ' ');
    size_t major = space == NULL ? 0 : strspn(space + 1, "0123456789");
    size_t minor = major > 0 && space[1 + major] == '.'
                       ? strspn(space + 2 + major, "0123456789")
                       : 0;

    out[0] = '\0';
    if (minor > 0)
        (void)text_print(out, WORKER_KIND_BYTES, "%.*s",
                         (int)(space - worker->server + 2 + (ptrdiff_t)major +
                               (ptrdiff_t)minor),
                         worker->server);
}

static bool has_kind(const struct worker_info *worker, const char *wanted)
{
    char kind[WORKER_KIND_BYTES];

    worker_kind(worker, kind);
    return wanted[0] == '\0' || kind[0] == '\0' || strcmp(kind, wanted) == 0;
}

// Nobody knows which of the two digests is newer: a pull brings the newest
// model, which does not help if the worker's model was pulled while the job
// ran.
static void tell_other_digest(const struct worker_info *worker,
                              const struct model_entry *model,
                              const struct worker_model *has, char *why,
                              size_t size)
{
    bool pulls = strncmp(worker->server, "ollama", 6) == 0;

    text_print(why, size,
               "its `%.50s` is another model (%.22s, the job's is %.22s): "
               "%s%.50s%s",
               has->name, has->digest, model->digest,
               pulls ? "run `ollama pull " : "start its server with the job's",
               pulls ? has->name : "",
               pulls ? "` there, or bring the job's back if that is older"
                     : "");
}

bool worker_fits(const struct worker_info *worker,
                 const struct model_entry *model, char *why, size_t size)
{
    const struct worker_model *has = worker_find_model(worker, model->name);

    if (size > 0)
        why[0] = '\0';
    if (has == NULL)
        return false;
    if (!models_digest_fits(model->digest, has->digest)) {
        if (size > 0)
            tell_other_digest(worker, model, has, why, size);
        return false;
    }
    if (has->context > 0 && has->context < model->needs.num_ctx) {
        if (size > 0)
            text_print(why, size,
                       "its `%.60s` takes %lld tokens, and num_ctx is %d: "
                       "start its server with more, or lower num_ctx",
                       has->name, (long long)has->context,
                       (int)model->needs.num_ctx);
        return false;
    }
    if (has_kind(worker, model->needs.server))
        return true;
    if (size > 0)
        text_print(why, size,
                   "it runs %.40s, and most others run %.40s: install that "
                   "version there",
                   worker->server, model->needs.server);
    return false;
}
