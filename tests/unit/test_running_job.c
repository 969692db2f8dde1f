// A running job in the coordinator: what it waits for, how it pauses, stops and
// continues, and what happens to calls that it shares with another job.

#include "coordinator/running_job.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "coordinator/running_job_news.h"
#include "coordinator/running_job_state.h"
#include "stage.h"

static struct stage stage;
static struct actor client, w;

#define HEAD                                                                   \
    "name: notes\n"                                                            \
    "models: {student: 'little:1b'}\n"                                         \
    "inputs: {text: {desc: A note}}\n"

#define SORT                                                                   \
    "steps:\n"                                                                 \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: [text]\n"                                                     \
    "    outputs: {topic: {enum: [garden, kitchen]}}\n"

#define TAIL                                                                   \
    "data: {examples: rows.jsonl}\n"                                           \
    "optimizer: {labeled_few_shot: {k: 1}}\n"

static const char job[] = HEAD SORT "metric: {exact_match: topic}\n" TAIL;

static const char two_steps[] =
    HEAD SORT "  name:\n"
              "    predict: Name somebody who is in it.\n"
              "    inputs: [text]\n"
              "    outputs: {topic: {desc: A name}}\n"
              "outputs: {topic: sort.topic, name: name.topic}\n"
              "metric: {exact_match: topic}\n" TAIL;

#define ROW(text) "{\"text\": \"" text "\", \"topic\": \"garden\"}\n"

static const char one_row[] = ROW("a rose");
static const char two_rows[] = ROW("a rose") ROW("a tulip");

static void set_up(void)
{
    stage_open(&stage);
}

static void tear_down(void)
{
    stage_close(&stage);
}

TestSuite(running, .init = set_up, .fini = tear_down);

static void begin(void)
{
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
}

static void greet_worker(const char *digest)
{
    actor_greet_as_worker(&w, &stage, "w", 2, digest);
}

static void submit(struct actor *by, const char *action, const char *options,
                   const char *text, const char *rows)
{
    const struct stage_file files[] = {{"rows.jsonl", rows}, {NULL, NULL}};

    actor_submit(by, action, options, "", text, files);
}

static void evaluate(const char *text, const char *rows)
{
    submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", text, rows);
}

// Returns sixteen different rows, enough to run a job on; the caller frees
// them.
static char *many_rows(void)
{
    struct buf out = BUF_INIT(1 << 16);

    for (int i = 0; i < 16; i++)
        buf_printf(&out, "{\"text\": \"note %d\", \"topic\": \"%s\"}\n", i,
                   i % 2 == 0 ? "garden" : "kitchen");
    return buf_take(&out);
}

static void expect_failure(struct actor *by, int64_t wanted, const char *words)
{
    int64_t status;
    json_t *document = actor_take_result(by, &status);

    cr_expect_eq(status, wanted, "%s", stage_error(document));
    cr_expect_not_null(strstr(stage_error(document), words), "\"%s\"",
                       stage_error(document));
    json_decref(document);
}

// --- who ends a job ---

static bool ends(enum running_job_state state, const char *first,
                 enum err_code code, bool interrupted, char said[240])
{
    static char id[] = "notes-1";
    struct running_job running = {
        .state = state, .spec.id = id, .interrupted = interrupted};
    struct err err = ERR_CLEAR, why = ERR_CLEAR;
    bool ok;

    if (first != NULL)
        err_set(&running.closing, code, "%s", first);
    err_set(&why, ERR_STOPPED, "stopped");
    ok = running_job_end(&running, &why, &err);
    strcpy(said, err.text);
    return ok;
}

Test(running, stopping_a_job_that_is_already_ending_gives_the_reason)
{
    char said[240];

    cr_expect_not(ends(RUNNING_JOB_CLOSING, "paused", ERR_FAULT, false, said));
    cr_expect_str_eq(said, "job notes-1 is already ending: paused");
    cr_expect_not(ends(RUNNING_JOB_SUMMED, NULL, ERR_NONE, false, said));
    cr_expect_str_eq(said, "job notes-1 is already ending");
    // The next coordinator takes up that job.
    cr_expect_not(
        ends(RUNNING_JOB_CLOSING, "it goes on", ERR_STOPPED, true, said));
    cr_expect_str_eq(said, "job notes-1 is already ending: it goes on");
    cr_expect(ends(RUNNING_JOB_CLOSING, "stopped", ERR_STOPPED, false, said));
}

// --- waiting ---

Test(running, job_without_answers_is_paused)
{
    stage.options.wait_start_ms = 300;
    begin();
    evaluate(job, one_row);
    expect_failure(&client, 3, "no worker is connected");
}

Test(running, a_paused_job_names_the_servers_of_its_process)
{
    stage.options.wait_start_ms = 300;
    stage.options.servers = "http://127.0.0.1:1, http://an-example.org:11434, "
                            "http://another-much-longer-example.org:11434";
    begin();
    evaluate(job, one_row);
    expect_failure(&client, 3,
                   "answered for 0.3 s at http://127.0.0.1:1, "
                   "http://an-example.org:11434, ...; start one");
}

Test(running, list_of_models_is_cut_after_a_whole_name)
{
    enum { N = 12 };
    static const char name[] = "a-model-of-some-%02d-billion:latest";
    struct wire_model models[N];
    char names[N][60];
    struct hello hello;
    struct actor other;

    begin();
    for (int i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], name, i);
        models[i] =
            (struct wire_model){.name = names[i], .digest = STAGE_DIGEST};
    }
    hello = actor_worker_hello("other", 1, 1, models);
    hello.n_models = N;
    actor_enter(&other, &stage, "other");
    actor_hello(&other, &hello);
    evaluate(job, one_row);
    cr_expect_not(actor_hears(&other, MESSAGE_CALL, 3500));
    expect_failure(&client, 2, "-billion:latest, ...");
}

Test(running, a_job_whose_workers_stay_silent_after_an_answer_is_paused)
{
    stage.options.wait_after_ms = 300;
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, two_rows);
    actor_answer_next(&w, "garden");
    actor_goodbye(&w, 0);
    expect_failure(&client, 3, "no model server answered");
}

Test(running, a_job_waits_for_the_first_worker_to_come)
{
    begin();
    evaluate(job, one_row);
    cr_expect_not(actor_hears(&client, MESSAGE_RESULT, 300));
    greet_worker(STAGE_DIGEST);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(running, a_server_without_digests_needs_a_revision_in_the_job)
{
    begin();
    greet_worker("");
    evaluate(job, one_row);
    expect_failure(&client, 2, "`revision: NAME`");
}

Test(running, revision_replaces_the_digest)
{
    static const char revised[] =
        "name: notes\n"
        "models: {student: 'little:1b', revision: may}\n"
        "inputs: {text: {desc: A note}}\n" SORT
        "metric: {exact_match: topic}\n" TAIL;

    begin();
    greet_worker("");
    evaluate(revised, one_row);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

static const char other_digest[] =
    "ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

Test(running, a_model_that_has_changed_is_refused_with_the_remedy)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, two_rows);
    actor_answer_next(&w, "garden");
    actor_leave(&client);
    actor_leave(&w);
    stage_stop(&stage);
    begin();
    greet_worker(other_digest);
    evaluate(job, two_rows);
    expect_failure(&client, 3, "is not the one that this job began with");
}

Test(running, a_job_whose_only_worker_is_lost_waits_for_it_to_come_back)
{
    struct wire_model model = {.name = "another:1b", .digest = STAGE_DIGEST};
    struct hello hello = actor_worker_hello("other", 1, 1, &model);
    struct actor other;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, one_row);
    actor_take_call(&w);
    actor_enter(&other, &stage, "other");
    actor_hello(&other, &hello);
    // Only the worker without the model sends heartbeats.
    cr_expect_not(actor_hears(&other, MESSAGE_CALL, 4500));
    cr_expect_not(actor_hears(&client, MESSAGE_RESULT, 0));
    actor_leave(&w);
    greet_worker(STAGE_DIGEST);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

// --- parked calls ---

// Refuses n requests, as a server that never accepts them.
static void refuse_all(size_t n)
{
    for (size_t i = 0; i < n; i++)
        actor_fault(&w, actor_take_call(&w), FAULT_REQUEST);
}

Test(running, call_that_fails_everywhere_pauses_the_job_and_names_the_example)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, one_row);
    refuse_all(3);
    expect_failure(&client, 3, "example 0 (rows.jsonl:1)");
}

Test(running, remedy_for_a_parked_call_is_shown_in_full)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, one_row);
    refuse_all(3);
    expect_failure(&client, 3, " --exclude 0` continues without it");
}

Test(running, parked_call_counts_as_missing_for_every_waiting_example)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, ROW("a rose") ROW("a rose") ROW("a rose"));
    refuse_all(3);
    expect_failure(&client, 3, "failed wherever it was tried");
}

Test(running, resumed_job_asks_only_for_missing_answers)
{
    int64_t first, second;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, two_rows);
    first = actor_take_call(&w);
    second = actor_take_call(&w);
    actor_answer(&w, first, "garden");
    actor_fault(&w, second, FAULT_REQUEST);
    refuse_all(2);
    expect_failure(&client, 3, "example 1");
    evaluate(job, two_rows);
    actor_answer_next(&w, "kitchen");
    actor_expect_score(&client, 0.5, 2);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 50));
}

// --- stops ---

static char *accepted_job(struct actor *by)
{
    return strdup(actor_await(by, MESSAGE_ACCEPTED)->as.accepted.job);
}

static void stop(struct actor *by, const char *id)
{
    json_t *reply = actor_command(by, "stop", id);

    cr_expect_str_eq(json_get_text(reply, "state", ""), "stopped", "%s",
                     stage_error(reply));
    json_decref(reply);
}

Test(running, all_watchers_are_notified_of_a_stopped_job)
{
    char *rows = many_rows(), *id;
    struct actor boss;
    int64_t status;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, rows);
    id = accepted_job(&client);
    actor_take_call(&w);
    actor_greet_as_client(&boss, &stage, "boss");
    stop(&boss, id);
    json_decref(actor_take_result(&client, &status));
    cr_expect_eq(status, 130);
    actor_await(&w, MESSAGE_CANCEL);
    actor_leave(&boss);
    free(id);
    free(rows);
}

Test(running, answer_to_a_stopped_job_is_dropped_and_frees_its_slot)
{
    char *rows = many_rows(), *id;
    struct actor boss;
    int64_t leases[3], status;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, rows);
    id = accepted_job(&client);
    for (int i = 0; i < 3; i++)
        leases[i] = actor_take_call(&w);
    actor_greet_as_client(&boss, &stage, "boss");
    stop(&boss, id);
    json_decref(actor_take_result(&client, &status));
    for (int i = 0; i < 3; i++)
        actor_answer(&w, leases[i], "garden");
    evaluate(job, one_row);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
    actor_leave(&boss);
    free(id);
    free(rows);
}

Test(running, a_call_that_another_job_waits_for_outlives_its_own)
{
    char *rows = many_rows(), *id;
    struct actor other;
    int64_t leases[3], status;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, rows);
    id = accepted_job(&client);
    for (int i = 0; i < 3; i++)
        leases[i] = actor_take_call(&w);
    actor_greet_as_client(&other, &stage, "other");
    submit(&other, "eval", "{\"data\": \"rows.jsonl\"}", job, rows);
    free(accepted_job(&other));
    // The second job's evaluations have joined once its progress shows them.
    while (actor_await(&other, MESSAGE_PROGRESS)->as.progress.total == 0)
        ;
    stop(&client, id);
    json_decref(actor_take_result(&client, &status));
    cr_expect_eq(status, 130);
    for (int i = 0; i < 3; i++)
        actor_answer(&w, leases[i], "garden");
    for (int i = 0; i < 13; i++)
        actor_answer_next(&w, "garden");
    actor_expect_score(&other, 0.5, 16);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 50), "no call twice");
    actor_leave(&other);
    free(id);
    free(rows);
}

// --- progress ---

// Waits for a progress message with at least n examples done.
static const struct progress *await_examples(int64_t n)
{
    const struct progress *progress;

    do
        progress = &actor_await(&client, MESSAGE_PROGRESS)->as.progress;
    while (progress->examples < n);
    return progress;
}

static void answer_some(int n)
{
    for (int i = 0; i < n; i++)
        actor_answer_next(&w, "garden");
}

Test(running, job_reports_its_progress_and_time_left)
{
    char *rows = many_rows();
    const struct progress *progress;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, rows);
    answer_some(8);
    progress = await_examples(8);
    cr_expect_eq(progress->expected, 16);
    cr_expect_float_eq(progress->share, 0.5, 1e-9);
    cr_expect_geq(progress->left_ms, 0);
    actor_leave(&w);
    w.socket = NULL;
    do
        progress = &actor_await(&client, MESSAGE_PROGRESS)->as.progress;
    while (progress->slots > 0);
    cr_expect_eq(progress->left_ms, -1, "nobody is there who answers");
    cr_expect_float_eq(progress->share, 0.5, 1e-9);
    free(rows);
}

// Trials overlap, so a later one may end first.
Test(running, a_trial_that_ends_late_does_not_set_the_progress_back)
{
    char path[sizeof stage.folder + 16];
    struct err err = ERR_CLEAR;
    struct engine engine = {0};
    struct running_job running = {.engine = &engine};
    struct note note = {.kind = NOTE_TRIAL, .end = {.state = "done"}};

    (void)snprintf(path, sizeof path, "%s/news.db", stage.folder);
    engine.store = store_open(path, &err);
    cr_assert_not_null(engine.store, "%s", err.text);
    for (note.end.number = 3; note.end.number > 1; note.end.number--)
        running_job_take_news(&running, &note);
    cr_expect_eq(running.view.progress.trial, 3);
    store_close(engine.store);
}

Test(running, stored_answers_count_toward_progress_but_not_the_pace)
{
    char *rows = many_rows();
    const struct progress *progress;
    char *id;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, rows);
    id = accepted_job(&client);
    answer_some(8);
    (void)await_examples(8);
    stop(&client, id);
    expect_failure(&client, 130, "");
    actor_leave(&w); // with the calls in flight
    evaluate(job, rows);
    greet_worker(STAGE_DIGEST);
    progress = await_examples(8);
    cr_expect_eq(progress->examples, 8);
    cr_expect_float_eq(progress->share, 0.5, 1e-9);
    cr_expect_eq(progress->left_ms, -1, "eight in no time are no measure");
    answer_some(4);
    cr_expect_geq(await_examples(12)->left_ms, 0);
    free(id);
    free(rows);
}

// --- continuing without a command ---

// Refuses every call until the client has a result.
static int64_t refuse_until_the_end(void)
{
    while (!actor_hears(&client, MESSAGE_RESULT, 0))
        if (actor_hears(&w, MESSAGE_CALL, 20))
            actor_fault(&w, w.message.as.call.id, FAULT_REQUEST);
    return client.message.as.result.status;
}

// Both rows make the same call, so its faults say nothing about the worker.
Test(running, job_paused_by_a_parked_call_resumes_with_another_worker)
{
    struct actor second;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, ROW("a rose") ROW("a rose"));
    free(accepted_job(&client));
    cr_expect_eq(refuse_until_the_end(), 3);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 1200), "it had its say");

    actor_greet_as_worker(&second, &stage, "second", 1, STAGE_DIGEST);
    cr_expect(actor_hears(&second, MESSAGE_CALL, 60000));
}

Test(running, job_paused_without_answers_resumes_with_the_next_worker)
{
    char *rows = many_rows();

    stage.options.wait_start_ms = 4000; // also after it has resumed
    begin();
    submit(&client, "run", "{}", job, rows);
    free(accepted_job(&client));
    expect_failure(&client, 3, "no worker is connected");

    greet_worker(STAGE_DIGEST);
    cr_expect(actor_hears(&w, MESSAGE_CALL, 60000));
    free(rows);
}

Test(running, job_with_a_replaced_model_resumes_when_it_is_restored)
{
    char *rows = many_rows();

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, rows);
    free(accepted_job(&client));
    (void)actor_take_call(&w);
    actor_leave(&w);
    greet_worker(other_digest);
    expect_failure(&client, 3, "bring that one back");
    actor_leave(&w);
    greet_worker(STAGE_DIGEST);
    cr_expect(actor_hears(&w, MESSAGE_CALL, 60000));
    free(rows);
}

Test(running, the_first_worker_after_a_restart_does_not_decide_for_all)
{
    char *rows = many_rows();
    struct actor odd;
    json_t *workers;
    const char *why;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "run", "{}", job, rows);
    free(accepted_job(&client));
    (void)actor_take_call(&w);
    actor_leave(&client);
    actor_leave(&w);
    stage_stop(&stage);
    begin();
    actor_greet_as_worker(&odd, &stage, "odd", 1, other_digest);
    cr_expect_not(actor_hears(&odd, MESSAGE_CALL, 4500));
    actor_greet_as_client(&client, &stage, "client");
    workers = actor_command(&client, "workers", "");
    why = json_get_text(json_array_get(workers, 0), "reason", "");
    cr_expect_not_null(strstr(why, "(ffff456789abcdef012345, the job's is "
                                   "0123456789abcdef012345)"),
                       "%s", why);
    json_decref(workers);
    greet_worker(STAGE_DIGEST);
    cr_expect(actor_hears(&w, MESSAGE_CALL, 60000));
    free(rows);
}

Test(running, job_stopped_while_paused_stays_stopped)
{
    char *rows = many_rows(), *id;

    stage.options.wait_start_ms = 100;
    begin();
    submit(&client, "run", "{}", job, rows);
    id = accepted_job(&client);
    expect_failure(&client, 3, "no worker is connected");
    stop(&client, id);

    greet_worker(STAGE_DIGEST);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 1500));
    free(id);
    free(rows);
}

// --- joining ---

Test(running, a_job_that_is_submitted_twice_runs_once)
{
    char *rows = many_rows(), *first, *second;
    struct actor other;
    int64_t status;

    begin();
    greet_worker(STAGE_DIGEST);
    actor_greet_as_client(&other, &stage, "other");
    submit(&client, "run", "{}", job, rows);
    submit(&other, "run", "{}", job, rows);
    first = accepted_job(&client);
    second = accepted_job(&other);
    cr_expect_str_eq(first, second);
    stop(&other, first);
    json_decref(actor_take_result(&client, &status));
    cr_expect_eq(status, 130);
    json_decref(actor_take_result(&other, &status));
    cr_expect_eq(status, 130);
    actor_leave(&other);
    free(first);
    free(second);
    free(rows);
}

Test(running, evaluations_of_one_job_on_different_data_are_separate)
{
    const struct stage_file files[] = {
        {"rows.jsonl", one_row}, {"more.jsonl", two_rows}, {NULL, NULL}};
    struct actor other;

    begin();
    greet_worker(STAGE_DIGEST);
    actor_greet_as_client(&other, &stage, "other");
    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", "", job, files);
    actor_submit(&other, "eval", "{\"data\": \"more.jsonl\"}", "", job, files);
    actor_answer_next(&w, "garden");
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
    actor_expect_score(&other, 1, 2);
}

// --- branches ---

Test(running, a_job_may_pause_while_the_call_of_another_branch_is_out)
{
    int64_t lost, out;

    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "eval", "{\"data\": \"rows.jsonl\", \"all_steps\": true}",
           two_steps, one_row);
    lost = actor_take_call(&w);
    out = actor_take_call(&w);
    actor_fault(&w, lost, FAULT_REQUEST);
    refuse_all(2);
    expect_failure(&client, 3, "example 0");
    cr_expect(actor_hears(&w, MESSAGE_CANCEL, 60000),
              "nobody wants the other call any more");
    actor_answer(&w, out, "Ada");
    evaluate(job, ROW("an oak")); // the coordinator works as before
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

// Takes the calls of both steps for both rows of two_rows. out[row][0] is that
// of `sort`.
static void take_four(int64_t out[2][2])
{
    for (int i = 0; i < 4; i++) {
        int64_t lease = actor_take_call(&w);
        const struct call_request *request = &w.message.as.call.request;
        bool rose = strstr(request->tail, "a rose") != NULL;
        bool sort = strstr(request->prefix, "about") != NULL;

        out[rose ? 0 : 1][sort ? 0 : 1] = lease;
    }
}

static void refuse_to_the_end(int64_t lease)
{
    actor_fault(&w, lease, FAULT_REQUEST);
    refuse_all(2);
}

// The first call that is given up ends the example; the second one says nothing
// new about it.
Test(running, example_that_fails_in_two_branches_is_named)
{
    int64_t calls[2][2];

    begin();
    actor_greet_as_worker(&w, &stage, "w", 8, STAGE_DIGEST);
    submit(&client, "eval", "{\"data\": \"rows.jsonl\", \"all_steps\": true}",
           two_steps, two_rows);
    take_four(calls);
    refuse_to_the_end(calls[0][0]);
    refuse_to_the_end(calls[0][1]);
    actor_answer(&w, calls[1][0], "garden");
    actor_answer(&w, calls[1][1], "Ada");
    expect_failure(&client, 3, "example 0 (rows.jsonl:1): the call");
}

Test(running, only_the_steps_that_the_metric_needs_run)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(two_steps, one_row);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

// --- metrics that ask a judge ---

#define JUDGED(further)                                                        \
    HEAD SORT "metric: {judge: {instruction: Good?, inputs: [topic, text], "   \
              "scale: [0, 10]" further "}}\n" TAIL

#define SAYS(score) "{\"feedback\": \"so so\", \"score\": " score "}"

// Answers the next calls; a judge's question gets the next verdict.
static void answer_judged(const char *const *verdicts)
{
    while (*verdicts != NULL) {
        int64_t lease = actor_take_call(&w);

        if (strstr(w.message.as.call.request.prefix, "Good?") == NULL)
            actor_answer(&w, lease, "garden");
        else
            actor_reply(&w, lease, *verdicts++);
    }
}

Test(running, a_judge_scores_by_its_scale)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(JUDGED(""), one_row);
    answer_judged((const char *[]){SAYS("7"), NULL});
    actor_expect_score(&client, 0.7, 1);
}

Test(running, replicates_of_a_judge_are_averaged_with_their_noise_reported)
{
    int64_t status;
    json_t *document, *judge;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(JUDGED(", replicates: 2"), one_row);
    answer_judged((const char *[]){SAYS("6"), SAYS("10"), NULL});
    document = actor_take_result(&client, &status);
    judge = json_object_get(document, "judge");
    cr_expect_eq(status, 0, "%s", stage_error(document));
    cr_expect_eq(json_get_number(document, "score", -1), 0.8);
    cr_expect_eq(json_get_number(judge, "noise", -1), 0.2);
    cr_expect_eq(json_get_int(judge, "unjudged", -1), 0);
    json_decref(document);
}

Test(running, unreadable_judge_is_asked_again)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(JUDGED(""), one_row);
    answer_judged((const char *[]){"fine!", SAYS("11"), SAYS("10"), NULL});
    actor_expect_score(&client, 1, 1);
}

// The score is neither 0 nor 0.5: only the other example is scored.
Test(running, answer_that_the_judge_cannot_score_is_left_out_and_counted)
{
    int64_t status;
    json_t *document;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(JUDGED(""), two_rows);
    for (int judged = 0; judged < 4;) {
        int64_t lease = actor_take_call(&w);
        const struct call_request *request = &w.message.as.call.request;
        bool rose = strstr(request->tail, "rose") != NULL;

        if (strstr(request->prefix, "Good?") == NULL) {
            actor_answer(&w, lease, "garden");
            continue;
        }
        actor_reply(&w, lease, rose ? "fine!" : SAYS("10"));
        judged++;
    }
    document = actor_take_result(&client, &status);
    cr_expect_eq(status, 0, "%s", stage_error(document));
    cr_expect_eq(json_get_number(document, "score", -1), 1);
    cr_expect_eq(json_get_int(document, "n", -1), 1);
    cr_expect_eq(
        json_get_int(json_object_get(document, "judge"), "unjudged", -1), 1);
    json_decref(document);
}

Test(running, judge_that_is_mostly_unreadable_pauses_the_job)
{
    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(JUDGED(""), two_rows);
    answer_judged((const char *[]){"no", "no", "no", "no", "no", "no", NULL});
    expect_failure(&client, 3, "the judge");
}

// --- metrics that run a program ---

// Writes metric.sh into the job's folder.
static void judge_by(const char *script, const char *further)
{
    char path[128], text[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/metric.sh", stage.folder);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(script, file);
    fclose(file);
    snprintf(text, sizeof text,
             HEAD SORT "metric: {exec: {command: [sh, metric.sh], reads: "
                       "[topic]%s}}\n" TAIL,
             further);
    stage.options.local = true;
    begin();
    greet_worker(STAGE_DIGEST);
    actor_submit(
        &client, "eval", "{\"data\": \"rows.jsonl\"}", stage.folder, text,
        (struct stage_file[]){
            {"metric.sh", script}, {"rows.jsonl", two_rows}, {NULL, NULL}});
    actor_answer_next(&w, "garden");
    actor_answer_next(&w, "kitchen");
}

Test(running, absurd_counts_of_tokens_are_added_up)
{
    int64_t status;
    json_t *document;

    begin();
    greet_worker(STAGE_DIGEST);
    evaluate(job, two_rows);
    for (int i = 0; i < 2; i++)
        actor_answer_counted(&w, actor_take_call(&w), "garden", INT32_MAX,
                             INT32_MAX);
    document = actor_take_result(&client, &status);
    cr_expect_eq(status, 0, "%s", stage_error(document));
    cr_expect_eq(json_integer_value(json_object_get(
                     json_object_get(document, "tokens"), "generated")),
                 2 * (json_int_t)INT32_MAX);
    json_decref(document);
}

Test(running, external_program_can_be_the_metric)
{
    judge_by("while read line; do\n"
             "  case $line in *kitchen*) echo 0.5;; *) echo 1;; esac\n"
             "done\n",
             "");
    actor_expect_score(&client, 0.75, 2);
}

Test(running, metric_that_dies_is_a_fault_with_its_message_never_a_score)
{
    judge_by("read line; echo lost my glasses >&2; exit 3\n", "");
    expect_failure(&client, 3, "lost my glasses");
}

Test(running, metric_that_prints_nonsense_is_a_fault)
{
    judge_by("while read line; do echo very good; done\n", "");
    expect_failure(&client, 3, "metric.sh");
}

Test(running, a_metric_that_hangs_is_a_fault)
{
    judge_by("read line; sleep 60\n", ", timeout: 1s");
    expect_failure(&client, 3, "metric.sh");
}

Test(running, missing_metric_program_is_bad_input)
{
    stage.options.local = true;
    begin();
    greet_worker(STAGE_DIGEST);
    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", stage.folder,
                 HEAD SORT
                 "metric: {exec: {command: [no-such-program]}}\n" TAIL,
                 (struct stage_file[]){{"rows.jsonl", one_row}, {NULL, NULL}});
    expect_failure(&client, 2, "no-such-program");
}

Test(running, a_submitted_job_may_not_run_programs)
{
    begin();
    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", "",
                 HEAD SORT "metric: {exec: {command: [cat]}}\n" TAIL,
                 (struct stage_file[]){{"rows.jsonl", one_row}, {NULL, NULL}});
    expect_failure(&client, 2, "--allow-exec");
}

Test(running, simulated_job_is_not_answered_by_a_real_model)
{
    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "eval", "{\"data\": \"rows.jsonl\", \"simulated\": true}",
           job, one_row);
    expect_failure(&client, 2, "--simulate");
}

// A stranger can give a false folder for the job.
Test(running, folder_in_a_message_does_not_make_a_job_local)
{
    begin();
    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", stage.folder,
                 HEAD SORT "metric: {exec: {command: [cat]}}\n" TAIL,
                 (struct stage_file[]){{"rows.jsonl", one_row}, {NULL, NULL}});
    expect_failure(&client, 2, "--allow-exec");
    actor_submit(&client, "eval", "{\"data\": \"/etc/passwd\"}", "/",
                 HEAD SORT "metric: {exact_match: topic}\n" TAIL,
                 (struct stage_file[]){{"rows.jsonl", one_row}, {NULL, NULL}});
    expect_failure(&client, 2, "was sent without the file /etc/passwd");
}

// --- bad jobs ---

Test(running, a_job_that_cannot_be_read_is_bad_input)
{
    begin();
    evaluate("name: [", one_row);
    expect_failure(&client, 2, "job.yaml");
    evaluate("name: x\n", one_row);
    expect_failure(&client, 2, "job.yaml");
}

Test(running, an_action_or_options_that_make_no_sense_are_bad_input)
{
    begin();
    submit(&client, "destroy", "{}", job, one_row);
    expect_failure(&client, 2, "destroy");
    submit(&client, "eval", "{\"set\": 3}", job, one_row);
    expect_failure(&client, 2, "`set`");
}

Test(running, compiled_file_missing_from_the_message_is_bad_input)
{
    begin();
    greet_worker(STAGE_DIGEST);
    submit(&client, "eval",
           "{\"data\": \"rows.jsonl\", \"compiled\": \"best.json\"}", job,
           one_row);
    expect_failure(&client, 2, "best.json did not come with the job");
}
