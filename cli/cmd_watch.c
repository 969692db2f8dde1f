// watch: shows a job of a cluster as it runs, until it ends. It asks the
// coordinator for its status twice a second, which does not affect the job.

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/job_operand.h"
#include "cli/notifier.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "client/client.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/shell_word.h"
#include "common/signals.h"
#include "store/job_state.h"
#include "wire/socket.h"

enum {
    LOOK_MS = 500,
    REPORT_BYTES = 1 << 22,
    WORDS_BYTES = 1 << 14,
};

struct watch {
    const struct options *options;
    struct client *client;
    struct notifier *notifier;
    struct progress_view view;
    char *job;    // its id; owned
    json_t *last; // what `show` last said about it; owned
    bool away;    // the coordinator did not answer last time
};

// --- what the coordinator says ---

static double share(const json_t *job, const char *key)
{
    return json_get_number(job, key, -1);
}

static void read_progress(const json_t *job, struct progress *out)
{
    *out = (struct progress){
        .job = json_get_text(job, "job", ""),
        .phase = json_get_text(job, "phase", ""),
        .note = json_get_text(job, "note", ""),
        .trial = json_get_int(job, "trial", 0),
        .trials = json_get_int(job, "trials", 0),
        .done = json_get_int(job, "done", 0),
        .total = json_get_int(job, "total", 0),
        .examples = json_get_int(job, "examples", 0),
        .expected = json_get_int(job, "expected", 0),
        .share = share(job, "share"),
        .calls = json_get_int(job, "calls", 0),
        .reused = json_get_int(job, "reused", 0),
        .in_flight = json_get_int(job, "in_flight", 0),
        .faults = json_get_int(job, "faults", 0),
        .prompt_tokens = json_get_int(job, "prompt_tokens", 0),
        .generated_tokens = json_get_int(job, "generated_tokens", 0),
        .best = share(job, "best"),
        .best_trial = json_get_int(job, "best_trial", 0),
        .best_low = share(job, "low"),
        .best_high = share(job, "high"),
        .baseline = share(job, "baseline"),
        .tokens_per_s = json_get_number(job, "tokens_per_s", 0),
        .elapsed_ms = json_get_int(job, "elapsed_ms", 0),
        .left_ms = json_get_int(job, "left_ms", -1)};
}

static int64_t count_workers(const json_t *status)
{
    const char *state;
    json_t *n;
    int64_t all = 0;

    json_object_foreach(json_object_get(status, "workers"), state, n) {
        all += json_integer_value(n);
    }
    return all;
}

// Returns false if the job is not among the running ones.
static bool show_status(struct watch *watch, const json_t *status)
{
    const json_t *jobs = json_object_get(status, "jobs");
    struct progress progress;

    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);

        if (strcmp(json_get_text(job, "job", ""), watch->job) != 0)
            continue;
        read_progress(job, &progress);
        progress.workers = count_workers(status);
        progress.slots = json_get_int(status, "slots", 0);
        notifier_look(watch->notifier, &progress);
        progress_update(&watch->view, &progress, clock_monotonic_ms());
        return true;
    }
    return false;
}

static json_t *ask(struct watch *watch, const char *verb, const char *job,
                   struct err *err)
{
    json_t *reply = ask_client(watch->client, verb, job, "", err);
    bool answers = reply != NULL || err->code == ERR_INPUT;

    if (reply != NULL && watch->away)
        progress_say(&watch->view, "the coordinator is back");
    if (!answers && !watch->away)
        progress_say(&watch->view,
                     "the coordinator does not answer; waiting for it (Ctrl-C "
                     "leaves; the job is not affected)");
    watch->away = !answers;
    return reply;
}

// --- how it ends ---

static bool has_ended(const json_t *shown)
{
    enum job_state state;

    return job_state_read(json_get_text(shown, "state", ""), &state) &&
           job_state_has_ended(state);
}

static int status_of(const json_t *shown)
{
    static const int statuses[JOB_STATE_COUNT] = {[JOB_DONE] = EXIT_DONE,
                                                  [JOB_PAUSED] = EXIT_PAUSED,
                                                  [JOB_STOPPED] = EXIT_STOPPED,
                                                  [JOB_FAILED] = EXIT_FAILED};
    enum job_state state;

    return job_state_read(json_get_text(shown, "state", ""), &state)
               ? statuses[state]
               : EXIT_FAILED;
}

static int tell_end(const struct watch *watch)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    const json_t *document = json_object_get(watch->last, "document");
    const char *state = json_get_text(watch->last, "state", "");
    struct buf text = BUF_INIT(REPORT_BYTES);
    int printed;

    notifier_tell(watch->notifier,
                  json_pack("{s:s,s:s,s:s}", "event", state, "job", watch->job,
                            "text", json_get_text(watch->last, "reason", "")));
    if (option_on(watch->options, OPT_JSON)) {
        printed = output_json(watch->last);
    } else {
        if (json_is_string(json_object_get(document, "finish_reason")))
            report_run(&terminal, document, &text);
        else
            buf_printf(&text, "%s: %s %s\n", watch->job, state,
                       json_get_text(watch->last, "reason", ""));
        printed = output_lines(&terminal, &text);
    }
    buf_release(&text);
    return printed == EXIT_DONE ? status_of(watch->last) : printed;
}

static int tell_left(const struct watch *watch)
{
    static const char *const verbs[] = {"watch", "stop"};
    struct buf text = BUF_INIT(WORDS_BYTES);

    buf_puts(&text, "The job continues. To watch it again, or to end it:");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        buf_printf(&text, "\n  promptcc %s ", verbs[i]);
        shell_word_show(watch->job, &text);
        ask_put_address(watch->options, &text);
    }
    output_say("%.*s\n", (int)text.len, text.data);
    buf_release(&text);
    return EXIT_STOPPED;
}

// --- the loop ---

// Takes what `show` says now. Returns false if there is no such job, or no
// coordinator.
static bool look_up(struct watch *watch, const char *job, struct err *err)
{
    json_t *shown = ask(watch, "show", job, err);

    if (shown == NULL)
        return false;
    json_decref(watch->last);
    watch->last = shown;
    if (watch->job == NULL)
        watch->job = strdup(json_get_text(shown, "job", job));
    if (watch->job == NULL)
        err_nomem(err, "a job's name");
    return watch->job != NULL;
}

// Looks once at how the job is doing. Returns false if there is no such job any
// more, or if our key is not allowed any more; a coordinator that does not
// answer is asked again later.
static bool look(struct watch *watch, struct err *err)
{
    struct err why = ERR_CLEAR;
    json_t *status = ask(watch, "status", "", &why);
    bool found = status != NULL && (show_status(watch, status) ||
                                    look_up(watch, watch->job, &why));

    json_decref(status);
    if (found || why.code != ERR_INPUT)
        return true;
    *err = why;
    return false;
}

// Returns false if the job can no longer be watched.
static bool follow(struct watch *watch, struct err *err)
{
    struct pollfd signal = {.fd = signals_fd(), .events = POLLIN};
    bool there = true;

    while (there && !has_ended(watch->last) && !signals_came()) {
        there = look(watch, err);
        progress_tick(&watch->view, clock_monotonic_ms());
        if (there && !has_ended(watch->last))
            (void)poll(&signal, 1, LOOK_MS);
    }
    progress_end(&watch->view);
    return there;
}

static int run_watch(struct watch *watch)
{
    struct err err = ERR_CLEAR;
    char *job =
        job_operand_name(watch->options, watch->options->operands[0], &err);
    bool found =
        job != NULL && look_up(watch, job, &err) && follow(watch, &err);

    free(job);
    if (!found)
        return output_error(watch->options, &err);
    return has_ended(watch->last) ? tell_end(watch) : tell_left(watch);
}

static int run(const struct options *options)
{
    struct watch watch = {.options = options};
    struct err err = ERR_CLEAR;
    struct key key = KEY_EMPTY;
    const char *endpoint = ask_endpoint(options, &err);
    void *zmq = NULL;
    int status;

    progress_init(&watch.view, stderr, option_on(options, OPT_QUIET), false);
    if (endpoint != NULL && ask_key(options, KEY_CLIENT, &key, &err) &&
        signals_open(&err) && notifier_start(&watch.notifier, options, &err))
        zmq = wire_context(&err);
    if (zmq != NULL) {
        watch.client = client_open(zmq, endpoint, &key, ASK_PATIENCE_MS, &err);
        signals_accept();
    }
    status =
        watch.client == NULL ? output_error(options, &err) : run_watch(&watch);
    client_close(watch.client);
    if (zmq != NULL)
        zmq_ctx_term(zmq);
    notifier_stop(watch.notifier);
    signals_close();
    key_wipe(&key);
    json_decref(watch.last);
    free(watch.job);
    return status;
}

const struct command_entry cmd_watch = {
    .name = "watch",
    .usage = "ID",
    .summary = "shows a job of a cluster as it runs, until it ends",
    .about = "It looks like `run`, and at the end it prints the report and "
             "exits as `run` would. Ctrl-C leaves, and the job continues.",
    .example = "promptcc watch customer-care --coordinator "
               "tcp://127.0.0.1:5570",
    .options = OPTIONS_THERE | OPTIONS_PRINT | OPTIONS_NOTIFY,
    .min_operands = 1,
    .max_operands = 1,
    .document = "what `show` prints about it",
    .run = run,
};
