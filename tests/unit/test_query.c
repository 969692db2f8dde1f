#include "store/query.h"

#include "common/file.h"
#include "store/parts.h"
#include "store_fixture.h"

TestSuite(query, .init = open_store, .fini = close_folder);

static void expect_refused(const char *sql, const char *words)
{
    err = ERR_CLEAR;
    json_t *rows = query_rows(store, sql, NULL, 0, &err);

    cr_expect_null(rows, "%s", sql);
    cr_expect_eq(err.code, ERR_INPUT, "%s: %s", sql, err.text);
    cr_expect_not_null(strstr(err.text, words), "%s: %s", sql, err.text);
    json_decref(rows);
}

// Returns the value of the first row's member.
static json_t *first_row(const char *sql)
{
    json_t *rows = query_rows(store, sql, NULL, 0, &err);

    cr_assert_not_null(rows, "%s: %s", sql, err.text);
    cr_assert_gt(json_array_size(rows), 0, "%s", sql);
    json_t *row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return row;
}

Test(query, values_keep_their_types)
{
    json_t *row = first_row("SELECT 1 AS i, 0.5 AS r, 'x' AS t, NULL AS n,"
                            " x'00fF' AS b");
    json_t *wanted = json_pack("{s:i,s:f,s:s,s:n,s:s}", "i", 1, "r", 0.5, "t",
                               "x", "n", "b", "00ff");

    cr_expect(json_equal(row, wanted));
    json_decref(row);
    json_decref(wanted);
}

Test(query, columns_keep_their_order)
{
    json_t *names = query_columns(store, "SELECT 1 AS z, 2 AS a", &err);

    cr_assert_not_null(names, "%s", err.text);
    cr_expect_str_eq(json_string_value(json_array_get(names, 0)), "z");
    cr_expect_str_eq(json_string_value(json_array_get(names, 1)), "a");
    json_decref(names);
}

Test(query, columns_with_the_same_name_are_all_kept)
{
    const char *sql = "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a";
    json_t *row = first_row(sql);
    json_t *names = query_columns(store, sql, &err);
    json_t *wanted =
        json_pack("{s:i,s:i,s:i,s:i}", "a", 1, "a_2", 2, "a_2_2", 3, "a_3", 4);
    json_t *wanted_names = json_pack("[s,s,s,s]", "a", "a_2", "a_2_2", "a_3");

    cr_expect(json_equal(row, wanted));
    cr_expect(json_equal(names, wanted_names));
    json_decref(row);
    json_decref(names);
    json_decref(wanted);
    json_decref(wanted_names);
}

Test(query, arguments_are_bound_as_texts)
{
    const char *args[] = {"it's", "b"};
    json_t *rows = query_rows(store, "SELECT ?1 AS x, ?2 AS y", args, 2, &err);

    cr_assert_not_null(rows, "%s", err.text);
    cr_expect_str_eq(
        json_string_value(json_object_get(json_array_get(rows, 0), "x")),
        "it's");
    json_decref(rows);
    expect_refused("SELECT ?1", "without a value");
}

Test(query, writing_statements_are_refused)
{
    char attach[128];

    (void)snprintf(attach, sizeof attach, "ATTACH '%s/x.db' AS x", folder);
    expect_refused("UPDATE jobs SET name = 'x'", "only read");
    expect_refused("DELETE FROM jobs", "only read");
    expect_refused("INSERT INTO meta VALUES('a', 'b')", "only read");
    expect_refused("DROP TABLE jobs", "only read");
    expect_refused("CREATE TEMP TABLE t(x)", "only read");
    expect_refused(attach, "only read");
    expect_refused("VACUUM INTO '/tmp/promptcc-copy.db'", "only read");
    expect_refused("PRAGMA query_only = OFF", "only read");
    expect_refused("PRAGMA user_version = 7", "only read");
    expect_refused("PRAGMA journal_mode = DELETE", "only read");
    expect_refused("BEGIN", "only read");
    expect_refused("UPDATE sqlite_schema SET sql = ''", "not be modified");
    expect_refused("SELECT load_extension('x')", "not authorized");
    expect_refused("SELECT fts3_tokenizer('simple')", "not authorized");
    expect_refused("SELECT 1; DELETE FROM jobs", "one statement");
}

Test(query, wrong_sql_is_reported_with_sqlites_message)
{
    expect_refused("SELEC 1", "near \"SELEC\"");
    expect_refused("SELECT * FROM nowhere", "no such table: nowhere");
    expect_refused("", "empty");
    expect_refused("  -- only a comment", "empty");
}

Test(query, one_statement_may_end_with_a_semicolon_and_a_comment)
{
    json_decref(first_row("SELECT 1 AS x; -- done"));
}

Test(query, tables_may_be_described)
{
    json_t *row = first_row("SELECT name FROM pragma_table_info('trials')");

    cr_expect_str_eq(json_string_value(json_object_get(row, "name")), "job_no");
    json_decref(row);
}

Test(query, endless_query_is_stopped)
{
    store->snapshot_ms = 100;
    cr_expect_null(query_rows(store,
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                              " SELECT i + 1 FROM n) SELECT max(i) FROM n",
                              NULL, 0, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "100 ms"), "%s", err.text);
    json_decref(first_row("SELECT 1"));
}

Test(query, invalid_utf8_is_returned_as_hex)
{
    json_t *row = first_row("SELECT CAST(x'ff41' AS TEXT) AS t");

    cr_expect_str_eq(json_string_value(json_object_get(row, "t")), "ff41");
    json_decref(row);
}

Test(query, text_with_a_nul_is_returned_as_hex)
{
    json_t *row = first_row("SELECT 'a' || char(0) || 'b' AS t");

    cr_expect_str_eq(json_string_value(json_object_get(row, "t")), "610062");
    json_decref(row);
}

// In its own process, like every test here.
Test(query, a_confined_query_gets_no_more_memory_than_it_may_have)
{
    query_confine(store);
    cr_expect_null(query_rows(store,
                              "SELECT hex(zeroblob(30000000)) AS a,"
                              " hex(zeroblob(30000000)) AS b,"
                              " hex(zeroblob(30000000)) AS c,"
                              " hex(zeroblob(30000000)) AS d,"
                              " hex(zeroblob(30000000)) AS e",
                              NULL, 0, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "memory"), "%s", err.text);
    json_decref(first_row("SELECT 1"));
}

Test(query, infinity_is_returned_as_null)
{
    json_t *row = first_row("SELECT 9e999 AS x");

    cr_expect(json_is_null(json_object_get(row, "x")));
    json_decref(row);
}

// --- views ---

static int64_t fill(void)
{
    int64_t job = open_job("care-1");
    struct history_part parts[] = {{"classify", "Sort.", "[]", 3, 0},
                                   {"answer", "Reply.", "[]", 1, 2}};
    struct history_candidate candidate = {
        .hash = number_key(1), .parts = parts, .n_parts = 2, .reason = "first"};
    struct history_trial trial = {
        .number = 1, .kind = "full", .rows = number_key(2)};
    struct history_trial_end end = {
        .number = 1, .state = "done", .score = 0.75, .n = 8, .calls = 9};
    struct history_evaluation evaluation = {
        .row = 4, .score = 1, .n_calls = 2, .calls = {1, 2}};

    (void)put_call(job, 1);
    (void)put_call(job, 2);
    trial.candidate_id = history_candidate(store, job, &candidate, &err);
    cr_assert_eq(history_trial(store, job, &trial, &err), TRIAL_NEW);
    evaluation.candidate_id = trial.candidate_id;
    cr_assert(history_put_evaluation(store, job, &evaluation, &err));
    cr_assert(history_trial_end(store, job, &end, &err));
    cr_assert(history_job_state(store, job,
                                &(struct history_job_state){.state = JOB_DONE,
                                                            .score = 0.75,
                                                            .document = "{}"},
                                &err));
    flush();
    return job;
}

static void expect_text(const json_t *row, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(row, key));

    cr_assert_not_null(text, "%s", key);
    cr_expect_str_eq(text, wanted, "%s is %s", key, text);
}

Test(query, v_trials_has_the_fields_of_the_command)
{
    (void)fill();
    json_t *row = first_row("SELECT * FROM v_trials WHERE job = 'care-1'");

    expect_text(row, "state", "done");
    expect_text(row, "kind", "full");
    expect_text(row, "instructions", "{\"classify\":3,\"answer\":1}");
    expect_text(row, "demos", "{\"classify\":0,\"answer\":2}");
    cr_expect_eq(json_integer_value(json_object_get(row, "trial")), 1);
    cr_expect_eq(json_real_value(json_object_get(row, "score")), 0.75);
    cr_expect_eq(json_integer_value(json_object_get(row, "calls")), 9);
    cr_expect(json_is_string(json_object_get(row, "started")));
    cr_expect(json_is_string(json_object_get(row, "finished")));
    json_decref(row);
}

Test(query, a_score_is_traced_to_its_calls_by_sql)
{
    (void)fill();
    json_t *row = first_row(
        "SELECT count(*) AS n, max(c.reply) AS reply FROM v_evaluations e,"
        " json_each(e.calls) i JOIN v_calls c ON c.id = i.value"
        " WHERE e.row = 4 AND e.outcome = 'done'");

    cr_expect_eq(json_integer_value(json_object_get(row, "n")), 2);
    expect_text(row, "reply", "reply 2");
    json_decref(row);
}

Test(query, v_cost_and_v_best_and_v_jobs_and_v_candidates_answer)
{
    (void)fill();
    json_t *cost = first_row("SELECT * FROM v_cost");
    json_t *best = first_row("SELECT * FROM v_best WHERE rank = 1");
    json_t *job = first_row("SELECT * FROM v_jobs");
    json_t *part = first_row("SELECT * FROM v_candidates");

    cr_expect_eq(json_integer_value(json_object_get(cost, "calls")), 2);
    cr_expect_eq(json_integer_value(json_object_get(best, "trial")), 1);
    expect_text(job, "state", "done");
    expect_text(part, "instruction", "Sort.");
    json_decref(cost);
    json_decref(best);
    json_decref(job);
    json_decref(part);
}

Test(query, a_finished_job_has_its_score_on_the_rows_of_the_baseline)
{
    int64_t job = fill();
    json_t *row;

    cr_assert(history_job_state(
        store, job,
        &(struct history_job_state){
            .state = JOB_DONE,
            .score = 0.375,
            .document = "{\"compiled\": {\"score\": 0.375, \"n\": 64},"
                        " \"same_rows\": {\"compiled\": {\"score\": 0.25}}}"},
        &err));
    flush();
    row = first_row("SELECT score FROM v_jobs");
    cr_expect_eq(json_real_value(json_object_get(row, "score")), 0.25);
    json_decref(row);
}

// The candidate of the only trial leads, with a score that it got afterwards.
Test(query, v_best_begins_with_a_best_that_is_not_a_trial)
{
    struct history_best best = {.score = 0.875, .n = 16, .baseline = 0.5};
    int64_t job = fill();
    json_t *trial = first_row("SELECT candidate FROM v_trials");
    json_t *row;

    best.candidate_id = json_integer_value(json_object_get(trial, "candidate"));
    cr_assert(history_put_best(store, job, &best, &err), "%s", err.text);
    flush();
    row = first_row("SELECT *, count(*) OVER () AS rows FROM v_best");
    cr_expect_eq(json_integer_value(json_object_get(row, "rows")), 1);
    cr_expect_eq(json_integer_value(json_object_get(row, "trial")), 0);
    cr_expect_eq(json_integer_value(json_object_get(row, "n")), 16);
    cr_expect_eq(json_real_value(json_object_get(row, "score")), 0.875);
    expect_text(row, "demos", "{\"classify\":0,\"answer\":2}");
    json_decref(trial);
    json_decref(row);
}

// Runs the text between ```sql and ``` of the page, statement by statement.
static int run_examples(char *page)
{
    int count = 0;

    for (char *at = strstr(page, "```sql\n"); at != NULL;
         at = strstr(at, "```sql\n")) {
        char *end = NULL;

        at += strlen("```sql\n");
        end = strstr(at, "```");
        cr_assert_not_null(end);
        *end = '\0';
        for (char *sql = strtok(at, ";"); sql != NULL && sql[1] != '\0';
             sql = strtok(NULL, ";")) {
            json_t *rows = query_rows(store, sql, NULL, 0, &err);
            cr_assert_not_null(rows, "%s: %s", sql, err.text);
            json_decref(rows);
            count++;
        }
        at = end + 1;
    }
    return count;
}

Test(query, the_examples_of_the_documentation_run)
{
    struct buf page = BUF_INIT(1 << 20);

    (void)fill();
    cr_assert(file_read(DOCS "/store.md", &page, &err), "%s", err.text);
    cr_expect_geq(run_examples(page.data), 5);
    buf_release(&page);
}
