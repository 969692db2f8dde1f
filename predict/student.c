#include "predict/student.h"

#include <string.h>

#include "common/text.h"

enum { PROBE_MS = 5000 };

// Finds a model of the file, which the server must have. Returns NULL with err
// if it does not.
static const struct model_info *find_model(const struct model_server *server,
                                           const char *name, struct err *err)
{
    const struct model_info *info = model_server_find(server, name);

    if (info == NULL)
        err_set(err, ERR_INPUT,
                "the server does not have the model `%.80s`: run `ollama pull "
                "%.80s`",
                name, name);
    return info;
}

static bool is_other(const struct model_info *info, const char *digest)
{
    return info->digest[0] != '\0' && digest[0] != '\0' &&
           strcmp(info->digest, digest) != 0;
}

static void warn(const struct compiled *compiled,
                 const struct model_server *server,
                 const struct model_info *info,
                 const struct model_info *embedder, struct student *out)
{
    bool student = is_other(info, compiled->digest);

    if (compiled->simulated && !server->simulated)
        text_print(out->warning, sizeof out->warning,
                   "it was made with a simulated model: no real model took "
                   "part in choosing its prompts");
    else if (!server->simulated &&
             (student ||
              (embedder != NULL && is_other(embedder, compiled->embed_digest))))
        text_print(out->warning, sizeof out->warning,
                   "it was compiled for another digest of %s",
                   student ? compiled->model : compiled->embed_model);
}

static bool check_server(const struct compiled *compiled,
                         const struct model_address *address,
                         const struct model_server *server, struct student *out,
                         struct err *err)
{
    bool embeds = compiled->embed_model[0] != '\0';
    const struct model_info *embedder = NULL;
    const struct model_info *info;

    out->simulated = server->simulated;
    // An OpenAI-compatible server may serve its only model under any name.
    if (strcmp(address->backend, "ollama") != 0)
        return true;
    info = find_model(server, compiled->model, err);
    if (info != NULL && embeds)
        embedder = find_model(server, compiled->embed_model, err);
    if (info == NULL || (embeds && embedder == NULL))
        return false;
    warn(compiled, server, info, embedder, out);
    return true;
}

bool student_open(const struct compiled *compiled,
                  const struct model_address *address, struct student *out,
                  struct err *err)
{
    struct model_server server = {0};
    struct err why = ERR_CLEAR;
    bool ok = false;

    *out = (struct student){.client = model_client_new(address, err)};
    if (out->client == NULL)
        return false;
    if (model_probe(out->client, PROBE_MS, &server, &why))
        ok = check_server(compiled, address, &server, out, err);
    else if (why.code == ERR_IO)
        err_set(err, ERR_FAULT,
                "no model server answers at %.120s: start it%s, or name "
                "another with --ollama or --openai",
                address->url,
                strcmp(address->backend, "ollama") == 0 ? " (`ollama serve`)"
                                                        : "");
    else if (err != NULL)
        *err = why;
    model_server_release(&server);
    if (!ok)
        student_close(out);
    return ok;
}

void student_close(struct student *student)
{
    model_client_free(student->client);
    student->client = NULL;
}
