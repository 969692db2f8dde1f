#include "cli/replies.h"

#include <string.h>

#include "cli/check_embeddings.h"
#include "cli/servers.h"
#include "common/json.h"
#include "common/text.h"
#include "model/model.h"
#include "predict/runner.h"

enum {
    PROBE_MS = 3000,
    CALL_MS = 120000,
    MAX_ROWS = 2,
    MAX_TEXTS = 200, // most texts that are embedded for these rows
    WHY_BYTES = 160,
};

// The rows, asked in one form.
struct attempt {
    const struct dataset *dataset;
    size_t n;
    size_t next;
    size_t read;         // read at once, without a repair
    char why[WHY_BYTES]; // what was wrong with the last one that was not
};

static bool next_row(void *user, json_t **values, struct err *err)
{
    struct attempt *attempt = user;

    if (attempt->next == attempt->n)
        return false;
    *values = dataset_inputs(attempt->dataset, attempt->next++);
    if (*values == NULL)
        err_nomem(err, "an example");
    return true;
}

static bool take_result(void *user, const struct runner_result *result,
                        struct err *err)
{
    struct attempt *attempt = user;

    (void)err;
    if (result->outputs != NULL && result->repairs == 0)
        attempt->read++;
    else
        text_print(attempt->why, sizeof attempt->why, "%s",
                   result->outputs != NULL ? "it took a second call"
                                           : result->err.text);
    return true;
}

// Asks for the rows in one form. Returns false if the model could not be asked.
static bool try_form(const struct jobfile *file, struct model_client *client,
                     struct candidate *candidate, enum adapter adapter,
                     struct attempt *out)
{
    const struct job_model *student = &file->job->models[ROLE_STUDENT];
    const struct job_model *embedder = &file->job->models[ROLE_EMBED];
    struct compiled compiled = {.program = file->job->program,
                                .candidate = candidate,
                                .model = (char *)student->name,
                                .embed_model = (char *)embedder->name,
                                .embed_num_ctx = embedder->options.num_ctx,
                                .folder = file->bundle->folder};
    struct runner runner = {.compiled = &compiled,
                            .client = client,
                            .slots = 1,
                            .timeout_ms = CALL_MS,
                            .allow_exec = true};
    struct runner_io io = {.user = out, .next = next_row, .done = take_result};
    struct err err = ERR_CLEAR;

    job_settings(file->job, ROLE_STUDENT, &compiled.settings);
    compiled.settings.adapter = adapter;
    *out = (struct attempt){.dataset = file->dataset,
                            .n = dataset_size(file->dataset) < MAX_ROWS
                                     ? dataset_size(file->dataset)
                                     : MAX_ROWS};
    return runner_run(&runner, &io, &err);
}

static void report(struct jobfile *file, const struct attempt *chat,
                   const struct attempt *json)
{
    const struct job_model *student = &file->job->models[ROLE_STUDENT];

    if (chat->read == chat->n)
        return;
    if (json->read > chat->read) {
        diag_add(file->diags, DIAG_WARNING, "replies", &student->place,
                 "of %zu replies of `%s` to rows of the data, %zu could be "
                 "read in the chat form (%s), and %zu under a schema",
                 chat->n, student->name, chat->read, chat->why, json->read);
        diag_remedy(file->diags, "set `adapter: json`");
        return;
    }
    diag_add(file->diags, DIAG_WARNING, "replies", &student->place,
             "of %zu replies of `%s` to rows of the data, %zu could be read: "
             "%s",
             chat->n, student->name, chat->read, chat->why);
    diag_remedy(file->diags, "look at the prompt and the reply, or use a "
                             "larger model; `docs/zero-scores.md` says how");
}

static bool has_model(const struct model_server *server,
                      const struct model_address *address, const char *name)
{
    if (strcmp(address->backend, "ollama") != 0)
        return true; // it may serve its one model by any name
    return model_server_find(server, name) != NULL;
}

// Returns a client of the first server that answers and has the model, or NULL
// if there is none.
static struct model_client *open_client(const struct servers *servers,
                                        const char *model, struct err *why)
{
    for (size_t i = 0; i < servers->n; i++) {
        const struct model_address *address = &servers->addresses[i];
        struct model_client *client = model_client_new(address, why);
        struct model_server server = {0};
        bool found = client != NULL &&
                     model_probe(client, PROBE_MS, &server, why) &&
                     has_model(&server, address, model);
        model_server_release(&server);
        if (found)
            return client;
        if (client != NULL && why->code == ERR_NONE)
            err_set(why, ERR_INPUT, "%.120s does not have the model `%.80s`",
                    address->url, model);
        model_client_free(client);
    }
    return NULL;
}

static void ask_both(struct jobfile *file, struct model_client *client)
{
    struct err err = ERR_CLEAR;
    struct candidate *candidate = candidate_new(file->job->program, &err);
    struct attempt chat = {0};
    struct attempt json = {0};

    if (candidate == NULL) {
        file->diags->nomem = true;
        return;
    }
    candidate_seal(candidate);
    // A job that asks under a schema is tried only in that form.
    if (file->job->settings.adapter == ADAPTER_JSON &&
        try_form(file, client, candidate, ADAPTER_JSON, &json))
        report(file, &json, &json);
    else if (try_form(file, client, candidate, ADAPTER_CHAT, &chat) &&
             try_form(file, client, candidate, ADAPTER_JSON, &json))
        report(file, &chat, &json);
    candidate_unref(candidate);
}

void replies_try(struct jobfile *file, const struct options *options)
{
    const char *model = file->job->models[ROLE_STUDENT].name;
    bool named =
        option_on(options, OPT_OLLAMA) || option_on(options, OPT_OPENAI);
    struct servers servers = {0};
    struct err err = ERR_CLEAR;
    struct model_client *client = NULL;

    // Too many embeddings to throw away; `eval` keeps them.
    if (embeddings_count(file) > MAX_TEXTS)
        return;
    if (servers_open(&servers, options, false, &model, 1, &err))
        client = open_client(&servers, model, &err);
    if (client != NULL)
        ask_both(file, client);
    else if (named) {
        diag_add(file->diags, DIAG_WARNING, "replies",
                 &file->job->models[ROLE_STUDENT].place,
                 "the replies of `%s` were not tried: %s", model, err.text);
    }
    model_client_free(client);
    servers_close(&servers);
}
