#include "cli/follow.h"
#include "cli/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "cli/ask.h"
#include "cli/dashboard.h"
#include "cli/given.h"
#include "cli/local.h"
#include "cli/notifier.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/servers.h"
#include "client/client.h"
#include "common/clock.h"
#include "common/descriptors.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/signals.h"
#include "common/text.h"
#include "coordinator/coordinator.h"
#include "program/run/compiled.h"
#include "wire/socket.h"

enum {
    PATIENCE_MS = 5000,
    STILL_MS = 1500, // without news a replay has come to its end
    REQUEST_BYTES = 1 << 20,
    DOCUMENT_BYTES = 64 << 20,
    REPORT_BYTES = 1 << 22,
    WORDS_BYTES = 1 << 14,
    FILES_LEAST = 96, // 60 of a run at work, and some for its programs
};

// --- what is shown meanwhile ---

struct viewer {
    struct progress_view view;
    struct notifier *notifier; // borrowed; NULL: nobody is told
    bool frozen;
    int64_t news_ms;     // when anything last moved
    int64_t patience_ms; // without news; 0: for ever
    int64_t calls, reused, trial, done;
};

static void show_accepted(void *user, const char *job)
{
    struct viewer *viewer = user;
    char text[300];

    viewer->news_ms = clock_monotonic_ms();
    if (viewer->view.live)
        return; // the block names it
    (void)text_print(text, sizeof text, "job %s%s", job,
                     viewer->view.simulated ? " (simulated model)" : "");
    progress_say(&viewer->view, text);
}

static void show_progress(void *user, const struct progress *progress)
{
    struct viewer *viewer = user;
    int64_t now = clock_monotonic_ms();

    if (viewer->calls != progress->calls ||
        viewer->reused != progress->reused ||
        viewer->trial != progress->trial || viewer->done != progress->done)
        viewer->news_ms = now;
    viewer->calls = progress->calls;
    viewer->reused = progress->reused;
    viewer->trial = progress->trial;
    viewer->done = progress->done;
    notifier_look(viewer->notifier, progress);
    progress_update(&viewer->view, progress, now);
}

static void show_text(void *user, const char *text)
{
    struct viewer *viewer = user;

    progress_say(&viewer->view, text);
}

static void show_tick(void *user)
{
    struct viewer *viewer = user;

    progress_tick(&viewer->view, clock_monotonic_ms());
}

static bool has_come_to_rest(void *user)
{
    const struct viewer *viewer = user;

    return viewer->frozen && viewer->news_ms > 0 &&
           clock_monotonic_ms() - viewer->news_ms > STILL_MS;
}

static bool is_impatient(void *user)
{
    const struct viewer *viewer = user;

    return viewer->patience_ms > 0 &&
           clock_monotonic_ms() - viewer->news_ms > viewer->patience_ms;
}

static void open_viewer(struct viewer *viewer, const struct follow *follow)
{
    bool quiet = option_on(follow->options, OPT_QUIET) || follow->frozen ||
                 follow->keeps;

    *viewer = (struct viewer){
        .frozen = follow->frozen,
        .notifier = follow->notifier,
        .news_ms = follow->remote ? clock_monotonic_ms() : 0,
        .patience_ms = option_number(follow->options, OPT_AWAIT, 0)};
    progress_init(&viewer->view, stderr, quiet, follow->request.simulated);
    // On a terminal the block shows what the log would say, and log lines would
    // tear it apart.
    if (viewer->view.live || quiet)
        log_set_level(LOG_ERROR);
}

// --- what is sent ---

// Nobody asks for the files again, unless the caller keeps them.
static bool hand_over(struct follow *follow, struct err *err)
{
    struct bundle *bundle = follow->file->bundle;

    if (follow->keeps)
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

static bool exchange(struct follow *follow, struct client_result *result,
                     struct err *err)
{
    struct viewer viewer;
    struct client_watch watch = {.user = &viewer,
                                 .accepted = show_accepted,
                                 .progress = show_progress,
                                 .say = show_text,
                                 .tick = show_tick,
                                 .wants_stop = has_come_to_rest,
                                 .wants_to_leave = is_impatient,
                                 .leaves = follow->remote};
    struct wire_file files[BUNDLE_MAX_FILES];
    struct buf options = BUF_INIT(REQUEST_BYTES);
    struct client *client = NULL;
    struct submit submit;
    bool ok = false;

    open_viewer(&viewer, follow);
    if (!make_submit(follow, &submit, files, &options, err))
        goto out;
    client = client_open(follow->zmq, follow->endpoint, &follow->key,
                         PATIENCE_MS, err);
    ok = client != NULL && send_excluded(follow, client, err) &&
         client_submit(client, &submit, follow->wait, &watch, result, err);

out:
    progress_end(&viewer.view);
    client_close(client);
    buf_release(&options);
    return ok;
}

// --- the last word ---

// The word of an event for how a job ended.
static const char *event_of(int64_t status)
{
    switch (status) {
    case EXIT_DONE:
    case EXIT_BELOW:
        return "done";
    case EXIT_PAUSED:
        return "paused";
    case EXIT_STOPPED:
        return "stopped";
    default:
        return "failed";
    }
}

static void tell_end(const struct follow *follow,
                     const struct client_result *result, const json_t *document)
{
    const json_t *error = json_object_get(document, "error");
    const json_t *compiled = json_object_get(document, "compiled");
    const json_t *score = json_object_get(
        json_is_object(compiled) ? compiled : document, "score");
    json_t *event = json_pack("{s:s,s:s}", "event", event_of(result->status),
                              "job", result->job == NULL ? "" : result->job);

    if (json_is_number(score))
        (void)json_object_set(event, "score", (json_t *)score);
    if (error != NULL)
        (void)json_object_set(event, "text", json_object_get(error, "text"));
    notifier_tell(follow->notifier, event);
}

// Puts the documented members first, in their documented order.
static json_t *order_document(json_t *document, const char *const *names)
{
    json_t *ordered = json_object();
    const char *key;
    json_t *value;

    for (size_t i = 0; names[i] != NULL; i++) {
        value = json_object_get(document, names[i]);
        (void)json_object_set_new(ordered, names[i],
                                  value == NULL ? json_null()
                                                : json_incref(value));
    }
    json_object_foreach(document, key,
                        value) if (json_object_get(ordered, key) == NULL)(void)
        json_object_set(ordered, key, value);
    json_decref(document);
    return ordered;
}

static const char *const run_members[] = {
    "job",    "finish_reason", "baseline",      "compiled", "test", "calls",
    "tokens", "wall_s",        "skipped_steps", "out",      NULL};
static const char *const eval_members[] = {"score",  "low",          "high",
                                           "n",      "model_faults", "calls",
                                           "tokens", "wall_s",       NULL};

static bool find_place(const struct follow *follow, const json_t *document,
                       const char *compiled, struct out_file *file,
                       struct err *err)
{
    bool stopped =
        strcmp(json_get_text(document, "finish_reason", ""), "stopped") == 0;
    // A budget that was too small for the baseline: the program as written.
    bool unscored = !json_is_object(json_object_get(document, "compiled"));

    if ((stopped || unscored || follow->spares) && !follow->as_asked)
        return out_file_beside(follow->out, compiled, file, err);
    *file = (struct out_file){.path = strdup(follow->out)};
    if (file->path == NULL)
        err_nomem(err, "a path");
    return file->path != NULL;
}

static bool write_compiled(struct follow *follow,
                           const struct client_result *result, json_t *document,
                           struct err *err)
{
    struct out_file place = {0};

    if (follow->out == NULL || result->compiled_len == 0)
        return true;
    if (find_place(follow, document, result->compiled, &place, err) &&
        file_write(place.path, result->compiled, result->compiled_len, err)) {
        follow->wrote = true;
        (void)json_object_set_new(document, "out", json_string(place.path));
        if (place.why[0] != '\0')
            output_say("promptcc: %s; the best of this run is in %s\n",
                       place.why, place.path);
    }
    out_file_release(&place);
    return follow->wrote;
}

// Whatever the run cost is in the store, and the same command finds it there.
static int tell_unwritten(const struct follow *follow, const struct err *err)
{
    int status = output_error(follow->options, err);

    output_say("promptcc: nothing is lost: make room, or name another place "
               "with --out, and repeat the command\n");
    return status;
}

// The inputs of the program are told by name; the compiled file has them.
static void put_try(const struct client_result *result, const json_t *document,
                    struct buf *out)
{
    struct err ignored = ERR_CLEAR;
    struct buf words = BUF_INIT(REPORT_BYTES);
    struct compiled *compiled = compiled_read(
        "the compiled file", result->compiled, result->compiled_len, &ignored);

    if (compiled != NULL)
        given_put_needed(compiled->program->inputs, compiled->program->n_inputs,
                         &words);
    report_try(document, words.data == NULL ? "" : words.data, out);
    buf_release(&words);
    compiled_free(compiled);
}

static int print_document(const struct follow *follow,
                          const struct client_result *result, json_t *document)
{
    bool eval = follow->request.action == REQUEST_EVAL;
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(REPORT_BYTES);
    int status;

    if (option_on(follow->options, OPT_JSON))
        return output_json(document);
    if (eval)
        report_eval(&terminal, document, &text);
    else
        report_run(&terminal, document, &text);
    if (follow->wrote)
        put_try(result, document, &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int tell_failure(const struct follow *follow, json_t *error,
                        int64_t status)
{
    output_say("%s%s\n",
               json_is_string(json_object_get(error, "place")) ? ""
                                                               : "promptcc: ",
               json_get_text(error, "text", "the job failed"));
    if (option_on(follow->options, OPT_JSON)) {
        json_t *document = json_pack("{s:O}", "error", error);

        (void)output_json(document);
        json_decref(document);
    }
    return (int)status;
}

static bool is_below(const struct follow *follow, const json_t *document)
{
    const struct option_value *limit = &follow->options->values[OPT_FAIL_BELOW];

    return limit->n > 0 && json_get_number(document, "score", 0) < limit->score;
}

int follow_result(struct follow *follow, const struct client_result *result)
{
    struct err err = ERR_CLEAR;
    json_t *document = json_parse(result->document, strlen(result->document),
                                  DOCUMENT_BYTES, &err);
    json_t *error = json_object_get(document, "error");
    bool eval = follow->request.action == REQUEST_EVAL;
    int status = (int)result->status;
    int printed;

    if (document == NULL)
        return output_error(follow->options, &err);
    tell_end(follow, result, document);
    if (error != NULL) {
        status = tell_failure(follow, error, result->status);
        json_decref(document);
        return status;
    }
    document = order_document(document, eval ? eval_members : run_members);
    if (follow->keeps) {
        follow->document = document;
        return status;
    }
    if (eval)
        follow->candidate = json_get_int(document, "candidate", 0);
    bool alone =
        !eval && follow->out != NULL && out_file_is_standard(follow->out);

    if (!write_compiled(follow, result, document, &err)) {
        json_decref(document);
        return tell_unwritten(follow, &err);
    }
    printed = alone ? EXIT_DONE : print_document(follow, result, document);
    if (printed != EXIT_DONE)
        status = printed;
    else if (status == EXIT_DONE && is_below(follow, document))
        status = EXIT_BELOW;
    json_decref(document);
    return status;
}

static int print_id(const struct follow *follow,
                    const struct client_result *result)
{
    struct buf text = BUF_INIT(REPORT_BYTES);
    json_t *document = json_pack("{s:s}", "job", result->job);
    int status;

    if (option_on(follow->options, OPT_JSON)) {
        status = output_json(document);
    } else {
        buf_printf(&text, "%s\n", result->job);
        status = output_text(&text);
    }
    json_decref(document);
    buf_release(&text);
    return status;
}

// For a client that left while the job goes on: prints what `submit` without
// --wait does, and says how to come back.
static int tell_left(const struct follow *follow,
                     const struct client_result *result, const struct err *err)
{
    int status = print_id(follow, result);
    struct buf text = BUF_INIT(WORDS_BYTES);

    buf_printf(&text,
               "promptcc: %s\n"
               "The job goes on. Repeat the command to watch it again; to end "
               "it:\n"
               "  promptcc stop %s",
               err->text, result->job);
    ask_put_address(follow->options, &text);
    output_say("%.*s\n", (int)text.len, text.data);
    buf_release(&text);
    return status == EXIT_DONE ? exit_of(err->code) : status;
}

static int watch_to_the_end(struct follow *follow)
{
    struct client_result result = {.document = ""};
    struct err err = ERR_CLEAR;
    int status;

    if (!exchange(follow, &result, &err))
        status = follow->remote && result.job != NULL && result.job[0] != '\0'
                     ? tell_left(follow, &result, &err)
                     : output_error(follow->options, &err);
    else if (result.document[0] == '\0')
        status = print_id(follow, &result);
    else
        status = follow_result(follow, &result);
    client_result_release(&result);
    return status;
}

// Whether the file that this job ends with, of --out, --rows or --junit, has a
// place where it overwrites nothing of value. store is NULL for a job
// elsewhere.
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

    if (!eval && follow->keeps)
        return true;
    if (!eval)
        return out_file_check(follow->out, "--out", &reads, err);
    reads.others = scored;
    reads.n_others = 2;
    return out_file_check(rows, "--rows", &reads, err) &&
           out_file_check(junit, "--junit", &reads, err) &&
           out_file_apart(rows, "--rows", junit, "--junit", err);
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
    if (!follow->keeps)
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
        if (!follow->keeps)
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

// Found out before anything is paid: otherwise the compiled file may be what
// cannot be opened at the end.
static bool check_descriptors(struct err *err)
{
    size_t limit = descriptors_limit();

    if (limit >= FILES_LEAST)
        return true;
    err_set(err, ERR_LIMIT,
            "this process may have %zu files open, and needs %d: raise the "
            "limit (`ulimit -n 1024`) and run the same command again",
            limit, FILES_LEAST);
    return false;
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
    char *store = given_store != NULL
                      ? strdup(given_store)
                      : jobfile_beside(follow->file->path, "promptcc.db");
    char *out = given_out != NULL
                    ? strdup(given_out)
                    : jobfile_beside(follow->file->path, "compiled.json");
    char *kept = out == NULL ? NULL : out_file_absolute(out);
    struct servers servers = {0};
    struct err err = ERR_CLEAR;
    int status;

    follow->wait = true;
    follow->out = eval ? NULL : out;
    follow->request.out = kept;
    if (store == NULL || out == NULL || kept == NULL)
        err_nomem(&err, "a path");
    if (err.code == ERR_NONE && check_descriptors(&err) &&
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
