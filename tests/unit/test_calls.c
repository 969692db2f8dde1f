#include "store_fixture.h"

TestSuite(calls, .init = open_store, .fini = close_folder);

Test(calls, a_call_is_found_at_once_and_after_reopening)
{
    struct hash key = number_key(1);
    struct call_ref ref = {0};
    int64_t id = put_call(open_job("j-1"), 1);

    cr_assert_gt(id, 0, "%s", err.text);
    cr_assert(calls_find(store, &key, &ref));
    cr_expect_eq(ref.id, id);
    reopen();
    cr_assert(calls_find(store, &key, &ref));
    cr_expect_eq(ref.id, id);
    cr_expect_eq(ref.prompt_tokens, 100);
    cr_expect_eq(ref.generated_tokens, 7);
    cr_expect_eq(ref.outcome, CALL_TEXT);
}

Test(calls, an_unknown_key_and_id_are_not_found)
{
    struct hash key = number_key(2);
    struct call_ref ref = {0};

    (void)put_call(open_job("j-1"), 1);
    cr_expect_not(calls_find(store, &key, &ref));
    cr_expect_not(calls_ref(store, 2, &ref));
}

Test(calls, ids_continue_after_reopening)
{
    int64_t job = open_job("j-1");
    int64_t first = put_call(job, 1);

    reopen();
    cr_expect_eq(put_call(job, 2), first + 1);
}

Test(calls, a_durable_answer_is_loaded_whole)
{
    struct call_answer answer = {0};
    int64_t id = put_call(open_job("j-1"), 42);

    flush();
    cr_assert(calls_load(store, id, &answer, &err), "%s", err.text);
    cr_expect_str_eq(answer.text, "reply 42");
    cr_expect_eq(answer.text_len, 8);
    cr_expect_eq(answer.outcome, CALL_TEXT);
    cr_expect_eq(answer.prompt_tokens, 100);
    cr_expect_eq(answer.cached_tokens, 60);
    cr_expect_eq(answer.generated_tokens, 7);
    cr_expect_eq(answer.total_us, 5);
    cr_expect_null(answer.logprobs);
    call_answer_release(&answer);
}

Test(calls, loading_a_missing_id_is_an_error)
{
    struct call_answer answer = {0};

    cr_expect_not(calls_load(store, 7, &answer, &err));
    cr_expect_eq(err.code, ERR_STORE);
    cr_expect_not_null(strstr(err.text, "no call 7"), "%s", err.text);
}

Test(calls, a_prefix_is_stored_once)
{
    struct hash hash = number_key(1);
    struct hash other = number_key(2);
    int64_t id = calls_prefix(store, &hash, "[{}", 3, &err);
    uint64_t puts = store_last_put(store);

    cr_assert_gt(id, 0, "%s", err.text);
    cr_expect_eq(calls_prefix(store, &hash, "[{}", 3, &err), id);
    cr_expect_eq(store_last_put(store), puts);
    cr_expect_neq(calls_prefix(store, &other, "[[]", 3, &err), id);
    reopen();
    cr_expect_eq(calls_prefix(store, &hash, "[{}", 3, &err), id);
}

// This holds even if the process forgot the question; another process then only
// adds a row.
Test(calls, a_question_is_stored_once_and_shown_with_each_call)
{
    int64_t job = open_job("j-1");
    char *text;

    (void)put_call(job, 1);
    (void)put_call(job, 2);
    flush();
    text = text_outside("SELECT count(*) || ' ' || min(text) FROM questions");
    cr_expect_str_eq(text, "1 ,{}]");
    free(text);
    reopen();
    (void)put_call(job, 3);
    flush();
    text = text_outside("SELECT group_concat(messages, ' ') FROM v_calls");
    cr_expect_str_eq(text, ",{}] ,{}] ,{}]");
    free(text);
    text = text_outside("SELECT count(*) FROM call_texts WHERE tail <> ''"
                        " OR question_id NOT IN (SELECT id FROM questions)");
    cr_expect_str_eq(text, "0");
    free(text);
}

Test(calls, a_call_of_an_older_store_shows_its_own_question)
{
    char *text;

    (void)put_call(open_job("j-1"), 1);
    flush();
    run_outside("UPDATE call_texts SET tail = ',{old}]', question_id = NULL");
    text = text_outside("SELECT messages FROM v_calls");
    cr_expect_str_eq(text, ",{old}]");
    free(text);
}

Test(calls, reply_with_any_text_round_trips)
{
    char text[] = "caf\xC3\xA9 \"quoted\"\n\xF0\x9F\x98\x80";
    struct call_answer answer = {.outcome = CALL_CUT,
                                 .text = text,
                                 .text_len = sizeof text - 1,
                                 .cached_tokens = -1,
                                 .logprobs = "[[0,3,0.5]]"};
    struct call_put call = {.key = number_key(3),
                            .job_no = open_job("j-1"),
                            .role = "teacher",
                            .answer = &answer};
    struct call_answer out = {0};
    int64_t id = calls_put(store, &call, &err);

    cr_assert_gt(id, 0, "%s", err.text);
    flush();
    cr_assert(calls_load(store, id, &out, &err), "%s", err.text);
    cr_expect_str_eq(out.text, text);
    cr_expect_eq(out.cached_tokens, -1);
    cr_expect_str_eq(out.logprobs, "[[0,3,0.5]]");
    call_answer_release(&out);
}

Test(calls, more_calls_than_the_queue_holds_are_still_put)
{
    static char big[1024 * 1024];
    struct call_answer answer = {.text = big, .text_len = sizeof big};
    struct call_put call = {.job_no = open_job("j-1"), .answer = &answer};
    struct call_answer out = {0};
    int64_t id = 0;

    memset(big, 'x', sizeof big);
    for (int i = 0; i < 12; i++) {
        call.key = number_key(i);
        id = calls_put(store, &call, &err);
        cr_assert_eq(id, i + 1, "%s", err.text);
    }
    flush();
    cr_assert(calls_load(store, id, &out, &err), "%s", err.text);
    cr_expect_eq(out.text_len, sizeof big);
    call_answer_release(&out);
}

Test(calls, a_remembered_question_is_not_looked_up_and_not_stored_again)
{
    int64_t question = 0;
    char answered[] = "yes";
    struct call_answer answer = {.text = answered, .text_len = 3};
    struct call_put call = {.job_no = open_job("j-1"),
                            .tail = ",{q}]",
                            .tail_len = 5,
                            .question = &question,
                            .answer = &answer};
    char *text;

    call.key = number_key(1);
    cr_assert_gt(calls_put(store, &call, &err), 0, "%s", err.text);
    cr_assert_gt(question, 0);
    call.key = number_key(2);
    cr_assert_gt(calls_put(store, &call, &err), 0, "%s", err.text);
    call.question = NULL;
    call.key = number_key(3);
    cr_assert_gt(calls_put(store, &call, &err), 0, "%s", err.text);
    flush();
    text = text_outside("SELECT count(*) FROM questions");
    cr_expect_str_eq(text, "1");
    free(text);
    text = text_outside("SELECT group_concat(messages) FROM v_calls");
    cr_expect_str_eq(text, ",{q}],,{q}],,{q}]");
    free(text);
}
