#include "cli/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "cli/ask.h"
#include "cli/dashboard.h"
#include "cli/jobfile_files.h"
#include "cli/last_word.h"
#include "cli/local.h"
#include "cli/notifier.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "cli/viewer.h"
#include "client/client.h"
#include "common/descriptors.h"
#include "common/file.h"
#include "common/json.h"
#include "common/signals.h"
#include "coordinator/coordinator.h"
#include "wire/socket.h"

enum {
    REQUEST_BYTES = 1 << 20,
    DOCUMENT_BYTES = 64 << 20,
    // About 60 while running, and some for its programs. Asked for before
    // anything is paid for.
    FILES_LEAST = 96,
};

// --- what is sent ---

// Hands over the files, which nobody needs here again unless the caller keeps
// them.
static bool hand_over(struct follow *follow, struct err *err)
{
    struct bundle *bundle = follow->file->bundle;

    if (follow->keeps_result)
        bundle = bundle_copy(bundle, err);
    else
        follow->file->bundle = NULL;
    if (bundle == NULL)
        return false;
    coordinator_hand_over(follow->coordinator, bundle);
    return true;
}

static bool make_submit(struct follow *follow, struct submit *out,
                        struct wire_file *files, struct buf *options,
                        struct err *err)
{
    const struct bundle *bundle = follow->file->bundle;

    follow->request.overrides = follow->file->overrides;
    follow->request.n_overrides = follow->file->n_overrides;
    if (!request_write(&follow->request, options, err))
        return false;
    *out =
        (struct submit){.action = request_action_name(follow->request.action),
                        .options = options->data,
                        .folder = "",
                        .files = files};
    if (follow->coordinator != NULL)
        return hand_over(follow, err);
    for (size_t i = 0; i < bundle->n_files; i++)
        files[i] = (struct wire_file){.name = bundle->files[i].name,
                                      .data = bundle->files[i].data,
                                      .len = bundle->files[i].len};
    out->n_files = bundle->n_files;
    return true;
}

// Sends the rows to exclude first. That starts the job, and the submission that
// follows joins it.
static bool send_excluded(const struct follow *follow, struct client *client,
                          struct err *err)
{
    char *reply = NULL;
    json_t *answer, *error;
    bool ok;

    if (follow->exclude == NULL)
        return true;
    if (!client_command(client, "resume", follow->id, follow->exclude, &reply,
                        err))
        return false;
    answer = json_parse(reply, strlen(reply), DOCUMENT_BYTES, err);
    error = json_object_get(answer, "error");
    if (error != NULL)
        err_set(err, ERR_INPUT, "%s", json_get_text(error, "text", ""));
    ok = answer != NULL && error == NULL;
    json_decref(answer);
    free(reply);
    return ok;
}

static void open_viewer(struct viewer *viewer, const struct follow *follow)
{
    const struct viewer_rules rules = {
        .notifier = follow->notifier,
        .quiet = option_on(follow->options, OPT_QUIET) || follow->frozen ||
                 follow->keeps_result,
        .simulated = follow->request.simulated,
        .frozen = follow->frozen,
        .remote = follow->remote,
        .patience_ms = option_number(follow->options, OPT_AWAIT, 0)};

    viewer_open(viewer, &rules);
}

static bool exchange(struct follow *follow, struct client_result *result,
                     struct err *err)
{
    struct viewer viewer;
    struct client_watch watch;
    struct wire_file files[BUNDLE_MAX_FILES];
    struct buf options = BUF_INIT(REQUEST_BYTES);
    struct client *client = NULL;
    struct submit submit;
    bool ok = false;

    open_viewer(&viewer, follow);
    watch = viewer_watch(&viewer);
    watch.leaves = follow->remote;
    if (!make_submit(follow, &submit, files, &options, err))
        goto out;
    client = client_open(follow->zmq, follow->endpoint, &follow->key,
                         ASK_PATIENCE_MS, err);
    ok = client != NULL && send_excluded(follow, client, err) &&
         client_submit(client, &submit,
                       follow->wait ? CLIENT_UNTIL_RESULT
                                    : CLIENT_UNTIL_ACCEPTED,
                       &watch, result, err);

out:
    viewer_close(&viewer);
    client_close(client);
    buf_release(&options);
    return ok;
}

// --- following to the end ---

static int watch_to_the_end(struct follow *follow)
{
    struct client_result result = {.document = ""};
    struct err err = ERR_CLEAR;
    int status;

    if (!exchange(follow, &result, &err))
        status = follow->remote && result.job != NULL && result.job[0] != '\0'
                     ? last_word_left(follow, &result, &err)
                     : output_error(follow->options, &err);
    else if (result.document[0] == '\0')
        status = last_word_accepted(follow, &result);
    else
        status = last_word(follow, &result);
    client_result_release(&result);
    return status;
}

// Checks that the files that this job ends with (--out, --rows, --junit)
// overwrite nothing of value. `store` is NULL for a job elsewhere.
static bool check_place(const struct follow *follow, const char *store,
                        struct err *err)
{
    bool eval = follow->request.action == REQUEST_EVAL;
    const char *const scored[] = {option_text(follow->options, OPT_COMPILED),
                                  option_text(follow->options, OPT_DATA)};
    const char *rows = option_text(follow->options, OPT_ROWS);
    const char *junit = option_text(follow->options, OPT_JUNIT);
    struct out_file_reads reads = {.bundle = follow->file->bundle,
                                   .store = store};

    if (!eval && follow->keeps_result)
        return true;
    if (!eval)
        return out_file_check(follow->out, "--out", &reads, err);
    reads.others = scored;
    reads.n_others = 2;
    return out_file_check(rows, "--rows", &reads, err) &&
           out_file_check(junit, "--junit", &reads, err) &&
           out_file_check_distinct(rows, "--rows", junit, "--junit", err);
}

// --- elsewhere ---

int follow_there(struct follow *follow)
{
    struct err err = ERR_CLEAR;
    int status;

    follow->endpoint = ask_endpoint(follow->options, &err);
    if (follow->endpoint == NULL || !check_place(follow, NULL, &err) ||
        !ask_key(follow->options, KEY_CLIENT, &follow->key, &err) ||
        !signals_open(&err))
        return output_error(follow->options, &err);
    if (!notifier_start(&follow->notifier, follow->options, &err)) {
        signals_close();
        return output_error(follow->options, &err);
    }
    follow->remote = true;
    jobfile_add_programs(follow->file);
    if (!follow->keeps_result)
        jobfile_drop_rows(follow->file);
    follow->zmq = wire_context(&err);
    signals_accept();
    if (follow->zmq != NULL) {
        status = watch_to_the_end(follow);
        zmq_ctx_term(follow->zmq);
    } else {
        status = output_error(follow->options, &err);
    }
    notifier_stop(follow->notifier);
    signals_close();
    key_wipe(&follow->key);
    return status;
}

// --- here and now ---

static int follow_local(struct follow *follow, const struct servers *servers,
                        const char *store)
{
    struct local local = {0};
    struct dashboard *dashboard = NULL;
    struct err err = ERR_CLEAR;
    int status;

    if (!signals_open(&err))
        return output_error(follow->options, &err);
    if (notifier_start(&follow->notifier, follow->options, &err) &&
        local_start(&local, follow->options, store, servers, &err) &&
        dashboard_start(&dashboard, follow->options, local.zmq,
                        local.coordinator, store, &err)) {
        if (dashboard != NULL)
            (void)fprintf(stderr, "dashboard at %s\n",
                          dashboard_url(dashboard));
        signals_accept();
        follow->zmq = local.zmq;
        follow->coordinator = local.coordinator;
        if (!follow->keeps_result)
            jobfile_drop_rows(follow->file);
        follow->endpoint = local_endpoint(&local);
        status = watch_to_the_end(follow);
    } else {
        status = output_error(follow->options, &err);
    }
    dashboard_stop(dashboard);
    local_stop(&local);
    notifier_stop(follow->notifier);
    signals_close();
    return status;
}

static bool open_servers(const struct follow *follow, struct servers *servers,
                         struct err *err)
{
    const char *models[ROLE_COUNT];
    size_t n = jobfile_models(follow->file, models);

    return follow->frozen ||
           servers_open(servers, follow->options, follow->request.simulated,
                        models, n, err);
}

int follow_here(struct follow *follow)
{
    const struct options *options = follow->options;
    const char *given_store =
        follow->store != NULL ? follow->store : option_text(options, OPT_STORE);
    const char *given_out = option_text(options, OPT_OUT) != NULL
                                ? option_text(options, OPT_OUT)
                                : follow->request.out;
    bool eval = follow->request.action == REQUEST_EVAL;
    char *store =
        jobfile_given_or(given_store, follow->file->path, JOBFILE_STORE);
    char *out =
        jobfile_given_or(given_out, follow->file->path, JOBFILE_COMPILED);
    char *kept = out == NULL ? NULL : file_absolute(out);
    struct servers servers = {0};
    struct err err = ERR_CLEAR;
    int status;

    follow->wait = true;
    follow->out = eval ? NULL : out;
    follow->request.out = kept;
    if (store == NULL || out == NULL || kept == NULL)
        err_nomem(&err, "a path");
    if (err.code == ERR_NONE && descriptors_suffice(FILES_LEAST, &err) &&
        check_place(follow, store, &err) &&
        open_servers(follow, &servers, &err))
        status = follow_local(follow, &servers, store);
    else
        status = output_error(options, &err);
    servers_close(&servers);
    free(store);
    free(out);
    free(kept);
    return status;
}
