// Reading a store in two halves gives the same as reading it in one.

#include "store_fixture.h"

#include "store/query.h"
#include "store/split_scan.h"

TestSuite(split_scan, .init = open_store, .fini = close_folder);

enum { ROWS = SPLIT_SCAN_LEAST + 10, MIDDLE = ROWS / 2 };

static void rows_outside(const char *insert)
{
    char sql[1024];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < %d) %s",
                   ROWS, insert);
    run_outside(sql);
}

// Makes calls whose key is their number in 16 digits, without sums.
static void make_calls(void)
{
    rows_outside("INSERT INTO calls(id, key, outcome, prompt_tokens,"
                 " generated_tokens, cached_tokens, job_no, kind_id, worker,"
                 " attempts, hedged, prompt_us, generate_us, load_us, total_us,"
                 " finished_ms) SELECT i, CAST(printf('%016d', i) AS BLOB), 0,"
                 " i, 7, 0, 1, 1, 'w', 1, 0, 0, 0, 0, 0, 0 FROM n");
}

static void expect_call(int64_t id)
{
    struct call_ref found = {0};
    struct hash key;
    char text[HASH_BYTES + 1];

    (void)snprintf(text, sizeof text, "%016lld", (long long)id);
    memcpy(key.bytes, text, HASH_BYTES);
    cr_assert(calls_find(store, &key, &found), "call %lld", (long long)id);
    cr_expect_eq(found.id, id);
    cr_expect_eq(found.prompt_tokens, id);
    cr_expect(calls_ref(store, id, &found));
}

Test(split_scan, calls_of_both_halves_are_found)
{
    make_calls();
    reopen();
    expect_call(1);
    expect_call(MIDDLE);
    expect_call(MIDDLE + 1);
    expect_call(ROWS);
    cr_expect_eq(put_call(open_job("j"), 1), ROWS + 1);
}

Test(split_scan, damaged_row_of_the_second_half_is_reported)
{
    char sql[80];

    make_calls();
    (void)snprintf(sql, sizeof sql, "UPDATE calls SET sum = 1 WHERE id = %d",
                   ROWS - 1);
    run_outside(sql);
    store_close(store);
    store = store_open(path, &err);
    cr_expect_null(store);
    (void)snprintf(sql, sizeof sql, "call %d is damaged", ROWS - 1);
    cr_expect_not_null(strstr(err.text, sql), "%s", err.text);
}

static bool find(int64_t job, int64_t candidate, int32_t row,
                 struct history_evaluation *out)
{
    *out = (struct history_evaluation){.candidate_id = candidate, .row = row};
    return history_find_evaluation(store, job, out, &err);
}

// One candidate is in each half, and one in both. An evaluation of every third
// row has two calls; the last one is stored already.
Test(split_scan, evaluations_of_both_halves_are_found)
{
    int64_t job = open_job("j");
    struct history_evaluation found;

    flush();
    rows_outside(
        "INSERT INTO evaluations(id, job_no, candidate_id, row, replicate,"
        " outcome, repairs, lenient, score, calls) SELECT i, 1, CASE WHEN"
        " i % 2 = 0 THEN 9 ELSE 1 + i / 25100 END, i, 0, 0, 0, 0, i % 5,"
        " CASE WHEN i % 3 = 0 THEN printf('[%d,%d]', i, i + 1) ELSE"
        " printf('[%d]', i) END FROM n");
    run_outside("INSERT INTO evaluations(job_no, candidate_id, row, replicate,"
                " outcome, repairs, lenient, score, calls)"
                " VALUES(1, 9, 2, 0, 0, 0, 0, 77.0, '[5]')");
    reopen();
    cr_assert(load_job(job), "%s", err.text);
    for (int32_t i = 1; i <= ROWS; i++) {
        cr_assert(find(job, i % 2 == 0 ? 9 : 1 + i / 25100, i, &found),
                  "row %d", i);
        cr_assert_eq(found.score, i % 5);
        cr_assert_eq(found.n_calls, i % 3 == 0 ? 2 : 1);
        cr_assert_eq(found.calls[0], i);
        cr_assert_eq(found.calls[found.n_calls - 1], i + (i % 3 == 0));
    }
    cr_expect_not(find(job, 9, 1, &found));
}
