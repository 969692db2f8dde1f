#include "cli/check_models.h"

#include <stdlib.h>
#include <string.h>

#include "cli/servers.h"
#include "common/text.h"
#include "model/model.h"

enum { PROBE_MS = 3000, URLS_SHOWN = 3, URLS_BYTES = 400 };

// What each server said, in the order of the options.
struct server_said {
    struct model_server server;
    struct err away; // why it does not answer; ERR_NONE: it does
};

static const struct place *place_of(const struct jobfile *file,
                                    const char *name)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        if (file->job->models[r].name != NULL &&
            strcmp(file->job->models[r].name, name) == 0)
            return &file->job->models[r].place;
    return &file->job->models[ROLE_STUDENT].place;
}

// Servers that lack a model, for one sentence about all of them. If some
// servers embed and others answer, most servers lack one model or the other.
struct missing {
    size_t n;
    char urls[URLS_BYTES]; // those of the first few, "URL, URL"
};

static void note_missing(struct missing *missing, const char *url)
{
    size_t len = strlen(missing->urls);

    if (missing->n++ < URLS_SHOWN)
        text_print(missing->urls + len, sizeof missing->urls - len, "%s%.100s",
                   len == 0 ? "" : ", ", url);
}

static void tell_missing(struct jobfile *file, const struct missing *missing,
                         const char *name)
{
    char more[40] = "";

    if (missing->n == 0)
        return;
    if (missing->n > URLS_SHOWN)
        text_print(more, sizeof more, " and %zu more", missing->n - URLS_SHOWN);
    diag_add(file->diags, DIAG_WARNING, "model-missing", place_of(file, name),
             "%s%s %s not have the model `%.80s`", missing->urls, more,
             missing->n == 1 ? "does" : "do", name);
    diag_remedy(file->diags, "run `ollama pull %.80s` there", name);
}

// Checks that all servers have the model of this name, and that it is the same
// model everywhere.
static void compare_model(struct jobfile *file, const struct servers *servers,
                          const struct server_said *said, const char *name)
{
    const struct place *place = place_of(file, name);
    const struct model_info *first = NULL;
    const char *where = NULL;
    struct missing missing = {0};

    for (size_t i = 0; i < servers->n; i++) {
        const struct model_address *address = &servers->addresses[i];
        const struct model_info *model;

        // Servers other than Ollama may serve their one model by any name.
        if (said[i].away.code != ERR_NONE ||
            strcmp(address->backend, "ollama") != 0)
            continue;
        model = model_server_find(&said[i].server, name);
        if (model == NULL) {
            note_missing(&missing, address->url);
        } else if (first == NULL) {
            first = model;
            where = address->url;
        } else if (strcmp(first->digest, model->digest) != 0) {
            diag_add(
                file->diags, DIAG_ERROR, "model-differs", place,
                "`%.80s` is not the same model at %.100s (%.12s) as at %.100s "
                "(%.12s), and a job needs the same model everywhere",
                name, address->url, model->digest, where, first->digest);
            diag_remedy(file->diags, "run `ollama pull %.80s` on both", name);
        }
    }
    tell_missing(file, &missing, name);
}

static void probe(const struct model_address *address, struct server_said *out)
{
    struct model_client *client = model_client_new(address, &out->away);

    if (client != NULL)
        (void)model_probe(client, PROBE_MS, &out->server, &out->away);
    model_client_free(client);
}

// If none answers, `replies` reports it.
static void tell_away(struct jobfile *file, const struct server_said *said,
                      size_t n)
{
    size_t away = 0;

    for (size_t i = 0; i < n; i++)
        away += said[i].away.code != ERR_NONE;
    for (size_t i = 0; away < n && i < n; i++)
        if (said[i].away.code != ERR_NONE)
            diag_add(file->diags, DIAG_WARNING, "server-away",
                     place_of(file, file->job->models[ROLE_STUDENT].name), "%s",
                     said[i].away.text);
}

void check_models(struct jobfile *file, const struct options *options)
{
    const char *models[ROLE_COUNT];
    size_t n = jobfile_models(file, models);
    struct servers servers = {0};
    struct err ignored = ERR_CLEAR;
    struct server_said *said = NULL;

    if (!option_on(options, OPT_OLLAMA) && !option_on(options, OPT_OPENAI))
        return;
    if (servers_open(&servers, options, false, models, n, &ignored))
        said = calloc(servers.n + 1, sizeof *said);
    for (size_t i = 0; said != NULL && i < servers.n; i++)
        probe(&servers.addresses[i], &said[i]);
    if (said != NULL)
        tell_away(file, said, servers.n);
    for (size_t m = 0; said != NULL && m < n; m++)
        compare_model(file, &servers, said, models[m]);
    for (size_t i = 0; said != NULL && i < servers.n; i++)
        model_server_release(&said[i].server);
    free(said);
    servers_close(&servers);
}
