#include "store_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "store/lookup.h"

static int64_t job_no;

static void open_with_rows(void)
{
    const char file[] = "name: care\n";
    const struct history_file files[] = {
        {.name = "job.yaml", .data = file, .len = sizeof file - 1}};
    const struct history_submission submission = {
        .options = "{}", .folder = "", .files = files, .n_files = 1};
    const struct history_evaluation evaluation = {.candidate_id = 1,
                                                  .row = 3,
                                                  .score = -0.0,
                                                  .p_right = 0.25F,
                                                  .judge_noise = -1,
                                                  .n_calls = 1,
                                                  .calls = {1}};

    open_store();
    job_no = open_job("j-1");
    (void)put_call(job_no, 1);
    (void)put_call(job_no, 2);
    cr_assert(history_put_evaluation(store, job_no, &evaluation, &err));
    cr_assert(history_pin_model(store, job_no,
                                &(struct history_pin){.role = "student",
                                                      .name = "small:1b",
                                                      .digest = "d1"},
                                &err));
    cr_assert(
        history_exclude(store, job_no, &(int32_t){3}, 1, "by hand", &err));
    cr_assert(history_put_submission(store, job_no, &submission, &err));
    cr_assert(history_job_state(
        store, job_no,
        &(struct history_job_state){
            .state = JOB_DONE, .score = 1, .compiled = "{\"a\": 1}"},
        &err));
    store_close(store);
    store = NULL;
}

TestSuite(row_sum, .init = open_with_rows, .fini = close_folder);

static void take_event(void *user, int32_t row, int64_t after_call,
                       const char *text)
{
    (void)user;
    (void)row;
    (void)after_call;
    (void)text;
}

static bool take_submission(void *user, const struct history_submission *found,
                            struct err *why)
{
    (void)user;
    (void)found;
    (void)why;
    return true;
}

static bool load_export(void)
{
    json_t *argument = json_object();
    json_t *answer = lookup_answer(store, "export", "j-1", argument, &err);
    bool ok = answer != NULL;

    json_decref(argument);
    json_decref(answer);
    return ok;
}

// Reads everything that a replay, a resume and an export read.
static bool read_all(void)
{
    struct call_answer answer = {0};
    char *digest = NULL;
    bool ok;

    store_close(store);
    store = store_open(path, &err);
    ok = store != NULL && calls_load(store, 1, &answer, &err) &&
         (digest = history_model(store, job_no, "student", &err)) != NULL &&
         load_job(job_no) &&
         history_events(store, job_no, "exclude", take_event, NULL, &err) &&
         history_load_submission(store, job_no, take_submission, NULL, &err) &&
         load_export();
    call_answer_release(&answer);
    free(digest);
    return ok;
}

static void expect_damaged(const char *sql, const char *words)
{
    run_outside(sql);
    cr_assert_not(read_all(), "%s", sql);
    cr_expect_eq(err.code, ERR_STORE);
    cr_expect_not_null(strstr(err.text, words), "%s: %s", sql, err.text);
    cr_expect_not_null(strstr(err.text, path), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "restore a copy, or "), "%s", err.text);
}

Test(row_sum, unchanged_rows_are_read)
{
    cr_expect(read_all(), "%s", err.text);
}

Test(row_sum, altered_reply_is_not_read)
{
    expect_damaged("UPDATE call_texts SET reply = 'reply 7' WHERE id = 1",
                   "call 1 is damaged");
}

Test(row_sum, altered_key_is_not_accepted)
{
    expect_damaged("UPDATE calls SET key = zeroblob(16) WHERE id = 2",
                   "call 2 is damaged");
}

Test(row_sum, altered_token_count_is_not_accepted)
{
    expect_damaged("UPDATE calls SET generated_tokens = 8 WHERE id = 2",
                   "call 2 is damaged");
}

Test(row_sum, altered_score_is_not_accepted)
{
    expect_damaged("UPDATE evaluations SET score = 1", "evaluation 1 is");
}

Test(row_sum, altered_exclusion_is_not_accepted)
{
    expect_damaged("UPDATE events SET after_call = 1", "event 1 is damaged");
}

Test(row_sum, altered_file_of_a_job_is_not_accepted)
{
    expect_damaged("UPDATE job_files SET data = CAST('name: carp' AS BLOB)",
                   "a file of job 1");
}

Test(row_sum, altered_digest_is_not_accepted)
{
    expect_damaged("UPDATE job_models SET digest = 'd2'",
                   "the list of models of job 1 is damaged");
}

Test(row_sum, missing_digest_is_detected)
{
    expect_damaged("DELETE FROM job_models", "the list of models of job 1");
}

Test(row_sum, altered_compiled_file_is_not_handed_out)
{
    expect_damaged("UPDATE jobs SET compiled = '{\"a\": 2}'",
                   "the compiled file of job 1");
}

Test(row_sum, a_call_without_its_text_says_what_to_do)
{
    expect_damaged("DELETE FROM call_texts WHERE id = 1", "no call 1 on disk");
}

Test(row_sum, call_ids_that_do_not_increase_count_as_damage)
{
    expect_damaged("UPDATE calls SET id = 4294967296, sum = NULL WHERE id = 2",
                   "is damaged");
}

// This follows the advice of the error message.
Test(row_sum, deleted_damaged_call_is_asked_again)
{
    const struct hash key = number_key(2);
    struct call_ref ref = {0};

    expect_damaged("UPDATE calls SET outcome = 1 WHERE id = 2",
                   "delete its row from `calls`");
    run_outside("DELETE FROM calls WHERE id = 2");
    cr_assert(read_all(), "%s", err.text);
    cr_assert_not(calls_find(store, &key, &ref));
    cr_assert_gt(put_call(job_no, 2), 1, "%s", err.text);
    cr_assert(store_flush(store, &err), "%s", err.text);
}

Test(row_sum, rows_of_older_stores_without_a_checksum_are_read)
{
    run_outside("UPDATE calls SET sum = NULL;"
                "UPDATE call_texts SET sum = NULL, reply = 'other';"
                "UPDATE evaluations SET sum = NULL;"
                "UPDATE events SET sum = NULL;"
                "UPDATE job_files SET sum = NULL;"
                "UPDATE jobs SET compiled_sum = NULL, models_sum = NULL");
    cr_expect(read_all(), "%s", err.text);
}
