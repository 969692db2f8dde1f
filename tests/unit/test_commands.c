#include "coordinator/commands.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "stage.h"

static struct stage stage;
static struct actor client;

static const char row[] = "{\"text\": \"a rose\", \"topic\": \"garden\"}\n";

static void set_up(void)
{
    stage_open(&stage);
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
}

static void tear_down(void)
{
    stage_close(&stage);
}

TestSuite(commands, .init = set_up, .fini = tear_down);

static void expect_error(const char *verb, const char *id, const char *words)
{
    json_t *reply = actor_command(&client, verb, id);

    cr_expect_not_null(strstr(stage_error(reply), words), "%s: \"%s\"", verb,
                       stage_error(reply));
    json_decref(reply);
}

static void finish_one(void)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};
    struct actor w;
    int64_t status;

    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", "", STAGE_JOB,
                 files);
    actor_answer_next(&w, "garden");
    json_decref(actor_take_result(&client, &status));
    cr_assert_eq(status, 0);
}

Test(commands, workers_are_listed_with_their_slots_and_models)
{
    struct actor w;
    json_t *reply, *entry;

    actor_greet_as_worker(&w, &stage, "left-machine", 3, STAGE_DIGEST);
    reply = actor_command(&client, "workers", "");
    cr_assert_eq(json_array_size(reply), 1);
    entry = json_array_get(reply, 0);
    cr_expect_str_eq(json_get_text(entry, "name", ""), "left-machine");
    cr_expect_eq(json_get_int(entry, "slots", 0), 3);
    cr_expect_str_eq(
        json_string_value(json_array_get(json_object_get(entry, "models"), 0)),
        STAGE_MODEL);
    json_decref(reply);
}

Test(commands, listing_workers_is_empty_when_none_have_joined)
{
    json_t *reply = actor_command(&client, "workers", "");

    cr_expect(json_is_array(reply));
    cr_expect_eq(json_array_size(reply), 0);
    json_decref(reply);
}

Test(commands, jobs_are_listed_with_state_and_score)
{
    json_t *reply, *entry;

    finish_one();
    reply = actor_command(&client, "jobs", "");
    cr_assert_eq(json_array_size(reply), 1);
    entry = json_array_get(reply, 0);
    cr_expect_str_eq(json_get_text(entry, "state", ""), "done");
    cr_expect_eq(json_get_number(entry, "score", -1), 1);
    json_decref(reply);
}

Test(commands, a_job_is_shown_by_its_name)
{
    json_t *reply;

    finish_one();
    reply = actor_command(&client, "show", "notes");
    cr_expect_str_eq(json_get_text(reply, "state", ""), "done", "%s",
                     stage_error(reply));
    json_decref(reply);
}

Test(commands, unknown_job_is_an_error)
{
    expect_error("show", "nothing", "no jobs yet");
    finish_one();
    expect_error("show", "nothing", "nothing");
    expect_error("stop", "nothing", "nothing");
}

Test(commands, a_job_that_is_done_cannot_be_stopped)
{
    finish_one();
    expect_error("stop", "notes", "not running");
}

Test(commands, paused_job_is_shown_as_paused_and_keeps_its_worker)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};
    int64_t status;
    struct actor w;
    json_t *reply;

    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    actor_submit(&client, "run", "{}", "", STAGE_JOB, files);
    actor_await(&client, MESSAGE_ACCEPTED);
    reply = actor_command(&client, "pause", "notes");
    cr_expect_str_eq(json_get_text(reply, "state", ""), "paused", "%s",
                     stage_error(reply));
    json_decref(reply);
    json_decref(actor_take_result(&client, &status));
    cr_expect_eq(status, 3);
    reply = actor_command(&client, "show", "notes");
    cr_expect_str_eq(json_get_text(reply, "state", ""), "paused");
    json_decref(reply);
    reply = actor_command(&client, "workers", "");
    cr_expect_eq(json_array_size(reply), 1);
    json_decref(reply);
}

static json_t *take_reply(void)
{
    const struct message *reply = actor_await(&client, MESSAGE_REPLY);
    const char *text = reply->as.reply.document;
    struct err err = ERR_CLEAR;

    return json_parse(text, strlen(text), 1 << 20, &err);
}

static void send_command(const char *verb)
{
    struct message message = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = verb, .job = "notes", .argument = ""}};

    actor_say(&client, &message);
}

static void submit_run(struct actor *by)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};

    actor_submit(by, "run", "{}", "", STAGE_JOB, files);
}

static void expect_note(struct actor *by, const char *options,
                        const char *words)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};
    const char *note;

    actor_submit(by, "run", options, "", STAGE_JOB, files);
    note = actor_await(by, MESSAGE_ACCEPTED)->as.accepted.note;
    if (words[0] == '\0')
        cr_expect_str_eq(note, "");
    else
        cr_expect_not_null(strstr(note, words), "%s: \"%s\"", options, note);
}

Test(commands, submitting_a_running_job_reports_which_options_are_ignored)
{
    struct actor other;

    expect_note(&client,
                "{\"priority\": 20, \"set\": [\"budget.max_calls=90\"]}", "");
    actor_greet_as_client(&other, &stage, "other");
    expect_note(&other,
                "{\"priority\": 20, \"set\": [\"budget.max_calls=90\"]}", "");
    expect_note(&other, "{\"set\": [\"budget.max_calls=90\"]}", "");
    expect_note(&other,
                "{\"priority\": 30, \"set\": [\"budget.max_calls=90\"]}",
                "keeps its share");
    expect_note(&other,
                "{\"max_workers\": 1, \"set\": [\"budget.max_calls=90\"]}",
                "keeps its share");
    expect_note(&other, "{\"set\": [\"budget.max_calls=40\"]}",
                "keeps its budget");
    expect_note(&other, "{\"priority\": 3, \"set\": [\"budget.max_time=5m\"]}",
                "submit it again; it keeps its share");
}

// Returns the job's document once it has ended. Its RESULT may come before the
// last of several replies, so no fixed order of waiting for both works.
static json_t *show_ended(void)
{
    json_t *shown = NULL;

    for (int i = 0; i < 500; i++) {
        json_decref(shown);
        shown = actor_command(&client, "show", "notes");
        if (strcmp(json_get_text(shown, "state", "running"), "running") != 0)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return shown;
}

// Keeps the store from being written, so that no job can end, until the caller
// closes the connection.
static sqlite3 *hold_store(void)
{
    char store[128];
    sqlite3 *db = NULL;

    (void)snprintf(store, sizeof store, "%s/store.db", stage.folder);
    cr_assert_eq(sqlite3_open(store, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                 SQLITE_OK);
    return db;
}

Test(commands, pause_and_stop_at_once_report_success_to_one_client_only)
{
    json_t *replies[2], *shown;
    const char *state;
    sqlite3 *db;
    int done = 0;

    submit_run(&client);
    actor_await(&client, MESSAGE_ACCEPTED);
    db = hold_store();
    send_command("pause");
    send_command("stop");
    // The one that came too late is refused at once; the other waits.
    replies[0] = take_reply();
    (void)sqlite3_close(db);
    replies[1] = take_reply();
    shown = show_ended();
    state = json_get_text(shown, "state", "");
    for (int i = 0; i < 2; i++) {
        bool told = stage_error(replies[i])[0] == '\0';

        done += told;
        if (told)
            cr_expect_str_eq(json_get_text(replies[i], "state", ""), state);
        json_decref(replies[i]);
    }
    cr_expect_eq(done, 1);
    json_decref(shown);
}

Test(commands, a_submission_is_accepted_once_it_is_on_disk)
{
    sqlite3 *db = hold_store();

    submit_run(&client);
    cr_expect_not(actor_hears(&client, MESSAGE_ACCEPTED, 500));
    (void)sqlite3_close(db);
    actor_await(&client, MESSAGE_ACCEPTED);
}

// Sends the command while nothing can be written. It is answered as soon as
// something can, with that state.
static void expect_answer_from_disk(const char *verb, const char *argument,
                                    const char *state)
{
    struct message message = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = verb, .job = "notes", .argument = argument}};
    sqlite3 *db = hold_store();
    json_t *reply;

    actor_say(&client, &message);
    cr_expect_not(actor_hears(&client, MESSAGE_REPLY, 500), "%s", verb);
    (void)sqlite3_close(db);
    reply = take_reply();
    cr_expect_str_eq(json_get_text(reply, "state", ""), state, "%s %s: %s",
                     verb, argument, stage_error(reply));
    json_decref(reply);
}

Test(commands, what_changes_a_job_is_answered_once_it_is_on_disk)
{
    submit_run(&client);
    actor_await(&client, MESSAGE_ACCEPTED);
    expect_answer_from_disk("resume", "{\"priority\": 20}", "running");
    expect_answer_from_disk("pause", "", "paused");
    expect_answer_from_disk("resume", "", "running");
    expect_answer_from_disk("stop", "", "stopped");
}

Test(commands, a_result_that_is_not_stored_says_so)
{
    char store[128], away[128];
    const char *why;
    int64_t status;
    json_t *reply;
    sqlite3 *db;

    submit_run(&client);
    actor_await(&client, MESSAGE_ACCEPTED);
    db = hold_store();
    send_command("pause");
    send_command("stop");
    json_decref(take_reply()); // one of them is refused at once
    (void)snprintf(store, sizeof store, "%s/store.db", stage.folder);
    (void)snprintf(away, sizeof away, "%s/away.db", stage.folder);
    cr_assert_eq(rename(store, away), 0);
    (void)sqlite3_close(db);
    reply = take_reply();
    cr_expect_not_null(strstr(stage_error(reply), "was removed, moved"), "%s",
                       stage_error(reply));
    json_decref(reply);
    reply = actor_take_result(&client, &status);
    cr_expect_eq(status, 3);
    why = json_get_text(reply, "reason", stage_error(reply)); // if stopped
    cr_expect_not_null(strstr(why, "was removed, moved"), "%s", why);
    json_decref(reply);
    cr_assert_eq(rename(away, store), 0);
}

Test(commands, submitting_a_job_that_is_ending_restarts_it)
{
    struct actor other, w;
    sqlite3 *db;
    bool accepted;

    submit_run(&client);
    actor_await(&client, MESSAGE_ACCEPTED);
    db = hold_store(); // the job's end takes as long as the disk does
    send_command("pause");
    send_command("stop");
    json_decref(take_reply()); // one of them is refused at once
    actor_greet_as_client(&other, &stage, "other");
    submit_run(&other);
    accepted = actor_hears(&other, MESSAGE_ACCEPTED, 500);
    (void)sqlite3_close(db);
    if (!accepted)
        actor_await(&other, MESSAGE_ACCEPTED);
    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    (void)actor_take_call(&w);
}

Test(commands, job_that_is_ending_can_be_resumed_at_once)
{
    json_t *reply;

    submit_run(&client);
    actor_await(&client, MESSAGE_ACCEPTED);
    json_decref(actor_command(&client, "pause", "notes"));
    reply = actor_command(&client, "resume", "notes");
    cr_expect_str_eq(json_get_text(reply, "state", ""), "running", "%s",
                     stage_error(reply));
    json_decref(reply);
}

static int count_excluded(void)
{
    char store[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int n;

    (void)snprintf(store, sizeof store, "%s/store.db", stage.folder);
    cr_assert_eq(sqlite3_open(store, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(
                     db, "SELECT count(*) FROM events WHERE kind = 'exclude'",
                     -1, &stmt, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return n;
}

static json_t *resume_without_row_0(void)
{
    const struct message message = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = "resume",
                       .job = "notes",
                       .argument = "{\"exclude\": [0], \"priority\": 20}"}};

    actor_say(&client, &message);
    return take_reply();
}

// Its program needs --allow-exec, which the second coordinator does not have.
Test(commands, a_job_that_cannot_be_resumed_excludes_nothing)
{
    const struct stage_file files[] = {
        {"rows.jsonl", row}, {"judge", "#!/bin/sh\ncat\n"}, {NULL, NULL}};
    char job[sizeof STAGE_JOB + 128];
    char *metric;
    json_t *reply;

    stage_stop(&stage);
    stage.options.allow_exec = true;
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
    (void)snprintf(job, sizeof job, "%s", STAGE_JOB);
    metric = strstr(job, "metric:");
    cr_assert_not_null(metric);
    (void)snprintf(metric, sizeof job - (size_t)(metric - job), "%s",
                   "metric: {exec: {command: [sh, judge], reads: [topic]}}\n"
                   "optimizer: {labeled_few_shot: {k: 1}}\n");
    actor_submit(&client, "run", "{}", "", job, files);
    actor_await(&client, MESSAGE_ACCEPTED);
    json_decref(actor_command(&client, "pause", "notes"));
    stage_stop(&stage);

    stage.options.allow_exec = false;
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
    reply = resume_without_row_0();
    cr_expect_not_null(strstr(stage_error(reply), "--allow-exec"), "\"%s\"",
                       stage_error(reply));
    json_decref(reply);
    stage_stop(&stage);
    cr_expect_eq(count_excluded(), 0);

    stage.options.allow_exec = true;
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
    reply = resume_without_row_0();
    cr_expect_str_eq(json_get_text(reply, "state", ""), "running", "%s",
                     stage_error(reply));
    json_decref(reply);
    stage_stop(&stage);
    cr_expect_eq(count_excluded(), 1);
}

Test(commands, an_evaluation_can_be_stopped)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};
    int64_t status;
    json_t *reply;

    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", "", STAGE_JOB,
                 files);
    actor_await(&client, MESSAGE_ACCEPTED);
    reply = actor_command(&client, "stop", "notes");
    cr_expect_str_eq(json_get_text(reply, "state", ""), "stopped", "%s",
                     stage_error(reply));
    json_decref(reply);
    json_decref(actor_take_result(&client, &status));
    cr_expect_eq(status, 130);
}

Test(commands, unknown_verb_is_an_error)
{
    expect_error("dance", "", "`dance`");
}

Test(commands, the_status_counts_workers_and_slots)
{
    struct actor w;
    json_t *reply;

    actor_greet_as_worker(&w, &stage, "left-machine", 3, STAGE_DIGEST);
    reply = actor_command(&client, "status", "");
    cr_expect_eq(json_get_int(reply, "slots", 0), 3, "%s", stage_error(reply));
    cr_expect_eq(json_get_int(json_object_get(reply, "workers"), "serving", 0),
                 1);
    cr_expect_eq(json_array_size(json_object_get(reply, "jobs")), 0);
    json_decref(reply);
}

Test(commands, status_shows_the_progress_of_a_running_job)
{
    const struct stage_file files[] = {{"rows.jsonl", row}, {NULL, NULL}};
    json_t *reply, *entry;

    actor_submit(&client, "eval", "{\"data\": \"rows.jsonl\"}", "", STAGE_JOB,
                 files);
    actor_await(&client, MESSAGE_ACCEPTED);
    reply = actor_command(&client, "status", "");
    entry = json_array_get(json_object_get(reply, "jobs"), 0);
    cr_expect_eq(strncmp(json_get_text(entry, "job", ""), "notes-", 6), 0, "%s",
                 stage_error(reply));
    cr_expect_not(json_get_bool(entry, "run", true));
    cr_expect(json_is_null(json_object_get(entry, "best")));
    json_decref(reply);
}

Test(commands, cost_is_answered_for_a_job_without_running_it)
{
    json_t *reply;

    finish_one();
    reply = actor_command(&client, "cost", "notes");
    cr_assert_eq(json_array_size(reply), 1, "%s", stage_error(reply));
    cr_expect_eq(json_get_int(json_array_get(reply, 0), "calls", 0), 1);
    json_decref(reply);
}

// --- calls that belong to no job ---

#define ASKED(model)                                                           \
    "{\"model\": \"" model "\", \"prefix\": \"[{}\", \"tail\": \",{}]\","      \
    " \"options\": {\"num_ctx\": 4096, \"num_predict\": 100}}"

static void send_ask(const char *argument)
{
    struct message message = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = "ask", .job = "", .argument = argument}};

    actor_say(&client, &message);
}

Test(commands, client_call_goes_to_a_worker_and_returns_its_answer)
{
    struct actor w;
    json_t *reply;

    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    send_ask(ASKED(STAGE_MODEL));
    actor_reply(&w, actor_take_call(&w), "a rose");
    reply = take_reply();
    cr_expect_str_eq(json_get_text(reply, "text", ""), "a rose", "%s",
                     stage_error(reply));
    json_decref(reply);
    // The answer is not kept: the same question again makes a new call.
    send_ask(ASKED(STAGE_MODEL));
    actor_reply(&w, actor_take_call(&w), "a tulip");
    json_decref(take_reply());
}

Test(commands, a_call_that_no_worker_can_answer_is_refused_at_once)
{
    static const char *const bad[] = {
        ASKED(STAGE_MODEL),
        "{}",
        "[]",
        "",
        "{\"model\": \"m\", \"prefix\": \"[\", \"tail\": \"]\"}",
        "{\"model\": 7, \"prefix\": \"[\", \"tail\": \"]\", \"options\": {}}"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *reply;

        send_ask(bad[i]);
        reply = take_reply();
        cr_expect_str_neq(stage_error(reply), "", "%s", bad[i]);
        json_decref(reply);
    }
}

Test(commands, call_whose_worker_lost_the_model_ends_with_the_servers_message)
{
    struct actor w;
    json_t *reply;

    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    send_ask(ASKED(STAGE_MODEL));
    for (int i = 0; i < 3; i++)
        actor_fault(&w, actor_take_call(&w), FAULT_REQUEST);
    reply = take_reply();
    cr_expect_not_null(strstr(stage_error(reply), "wherever it was tried"),
                       "%s", stage_error(reply));
    json_decref(reply);
}

Test(commands, client_that_left_gets_no_answer_and_causes_no_harm)
{
    struct actor w, other;
    json_t *reply;

    actor_greet_as_worker(&w, &stage, "w", 1, STAGE_DIGEST);
    send_ask(ASKED(STAGE_MODEL));
    int64_t lease = actor_take_call(&w);
    actor_leave(&client);
    actor_greet_as_client(&other, &stage, "other");
    actor_reply(&w, lease, "for nobody");
    reply = actor_command(&other, "status", "");
    cr_expect(json_is_object(json_object_get(reply, "calls")));
    json_decref(reply);
}
