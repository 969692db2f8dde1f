#include "store_fixture.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/costs.h"
#include "store/remove.h"

TestSuite(history, .init = open_store, .fini = close_folder);

// --- jobs ---

Test(history, a_job_keeps_its_number)
{
    struct history_job job = {
        .id = "j-1", .name = "j", .path = "", .canonical = "{\"a\":1}"};
    bool created = false;
    int64_t no = history_open_job(store, &job, &created, &err);

    cr_assert_neq(no, 0, "%s", err.text);
    cr_expect(created);
    cr_expect_eq(history_open_job(store, &job, &created, &err), no);
    cr_expect_not(created);
    reopen();
    cr_expect_eq(history_open_job(store, &job, &created, &err), no);
    cr_expect_not(created);
    cr_expect_neq(open_job("j-2"), no);
}

Test(history, previous_job_is_the_latest_other_job_of_the_same_name)
{
    struct history_job job = {
        .id = "a-1", .name = "a", .path = "", .canonical = "{\"v\":1}"};
    bool created = false;
    int64_t first, version = 0;

    job.replay_version = 7;
    first = history_open_job(store, &job, &created, &err);
    cr_expect_null(history_previous(store, "a", first, "", &version, &err));
    // An evaluation is not a run that another run could differ from.
    job.id = "a-1-eval";
    cr_assert_geq(history_open_job(store, &job, &created, &err), 0);
    cr_expect_null(history_previous(store, "a", first, "", &version, &err));
    job.id = "a-2";
    job.canonical = "{\"v\":2}";
    int64_t second = history_open_job(store, &job, &created, &err);
    char *text = history_previous(store, "a", second, "", &version, &err);
    cr_assert_not_null(text);
    cr_expect_str_eq(text, "{\"v\":1}");
    cr_expect_eq(version, 7);
    free(text);
    cr_expect_null(history_previous(store, "a", second, "a-1", &version, &err));
}

Test(history, running_time_of_earlier_sessions_is_kept)
{
    int64_t job = open_job("j-1");
    int64_t wall_ms = -1;

    cr_assert(history_load_time(store, job, &wall_ms, &err));
    cr_expect_eq(wall_ms, 0);
    cr_assert(history_job_time(store, job, 1234, &err), "%s", err.text);
    cr_assert(history_load_time(store, job, &wall_ms, &err));
    cr_expect_eq(wall_ms, 1234);
}

Test(history, a_model_is_pinned_to_its_digest)
{
    int64_t job = open_job("j-1");
    char *digest = history_model(store, job, "student", &err);

    cr_assert_not_null(digest, "%s", err.text);
    cr_expect_str_eq(digest, "");
    free(digest);
    cr_assert(history_pin_model(store, job,
                                &(struct history_pin){.role = "student",
                                                      .name = "m",
                                                      .digest = "sha256:1"},
                                &err));
    digest = history_model(store, job, "student", &err);
    cr_expect_str_eq(digest, "sha256:1");
    free(digest);
}

Test(history, a_simulated_model_and_the_mark_of_its_job_are_one_put)
{
    int64_t job = open_job("j-1");
    uint64_t before = store_last_put(store);
    char *marked;

    cr_assert(history_pin_model(store, job,
                                &(struct history_pin){.role = "student",
                                                      .name = "m",
                                                      .digest = "sha256:1",
                                                      .simulated = true},
                                &err));
    cr_expect_eq(store_last_put(store), before + 1);
    cr_assert(store_flush(store, &err));
    marked = text_outside("SELECT simulated FROM jobs");
    cr_expect_str_eq(marked, "1");
    free(marked);
}

Test(history, a_frozen_split_takes_no_other_rows)
{
    int64_t job = open_job("j-1");
    const size_t rows[] = {4, 1, 7};
    const size_t other[] = {4, 1, 8};

    cr_assert(history_split(store, job, "train", rows, 3, &err), "%s",
              err.text);
    cr_expect(history_split(store, job, "train", rows, 3, &err), "%s",
              err.text);
    cr_expect(history_split(store, job, "test", NULL, 0, &err), "%s", err.text);
    cr_expect_not(history_split(store, job, "train", other, 3, &err));
    cr_expect_eq(err.code, ERR_DIFFERS);
    reopen();
    cr_expect(history_split(store, job, "train", rows, 3, &err), "%s",
              err.text);
    cr_expect_not(history_split(store, job, "train", rows, 2, &err));
}

// --- candidates and trials ---

static int64_t put_candidate(int64_t job, int64_t number)
{
    struct history_part parts[] = {
        {"classify", "Sort the message.", "[]", 1, 0},
        {"reply", "Answer kindly.", "[{\"a\":1}]", 2, number},
    };
    struct history_candidate candidate = {
        .hash = number_key(number),
        .parts = parts,
        .n_parts = 2,
        .reason = "proposed",
    };

    return history_candidate(store, job, &candidate, &err);
}

Test(history, a_candidate_names_the_ids_of_its_parents)
{
    int64_t job = open_job("j-1");
    int64_t first = put_candidate(job, 1);
    struct hash parents[] = {number_key(1), number_key(77)};
    struct history_candidate child = {
        .hash = number_key(2), .parents = parents, .n_parents = 2};
    char expected[32];

    cr_assert(history_candidate(store, job, &child, &err) > first, "%s",
              err.text);
    cr_assert(store_flush(store, &err), "%s", err.text);
    snprintf(expected, sizeof expected, "[%lld]", (long long)first);
    char *stored =
        text_outside("SELECT parents FROM candidates ORDER BY id DESC");
    cr_expect_str_eq(stored, expected, "one that was never put is left out");
    free(stored);
}

Test(history, a_candidate_keeps_its_id)
{
    int64_t job = open_job("j-1");
    int64_t first = put_candidate(job, 1);
    int64_t second = put_candidate(job, 2);

    cr_assert_gt(first, 0, "%s", err.text);
    cr_expect_neq(first, second);
    cr_expect_eq(put_candidate(job, 1), first);
    reopen();
    cr_expect_eq(put_candidate(job, 2), second);
    cr_expect_gt(put_candidate(job, 3), second);
}

Test(history, equal_candidates_of_two_jobs_are_stored_separately)
{
    int64_t one = put_candidate(open_job("j-1"), 1);
    int64_t two = put_candidate(open_job("j-2"), 1);

    cr_expect_neq(one, two);
}

static struct history_trial make_trial(int64_t number, int64_t candidate)
{
    return (struct history_trial){.number = number,
                                  .kind = "minibatch",
                                  .candidate_id = candidate,
                                  .rows = number_key(9)};
}

Test(history, trial_is_new_once_and_found_again_afterwards)
{
    int64_t job = open_job("j-1");
    struct history_trial trial = make_trial(1, put_candidate(job, 1));

    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_NEW);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_SAME);
    reopen();
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_SAME, "%s",
                 err.text);
}

Test(history, trial_that_differs_on_replay_is_named_in_the_error)
{
    int64_t job = open_job("j-1");
    struct history_trial trial = make_trial(3, put_candidate(job, 1));

    (void)history_trial(store, job, &trial, &err);
    trial.kind = "full";
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_OTHER);
    cr_expect_eq(err.code, ERR_DIFFERS);
    cr_expect_not_null(strstr(err.text, "trial 3 has a different kind"), "%s",
                       err.text);
    trial = make_trial(3, put_candidate(job, 2));
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_OTHER);
    trial = make_trial(3, put_candidate(job, 1));
    trial.rows = number_key(8);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_OTHER);
}

Test(history, replacing_a_trial_removes_the_later_ones)
{
    int64_t job = open_job("j-1");
    struct history_trial trial;
    uint64_t before;

    for (int64_t i = 1; i <= 4; i++) {
        trial = make_trial(i, put_candidate(job, 1));
        cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_NEW);
    }
    trial = make_trial(2, put_candidate(job, 2));
    trial.replaces = true;
    before = store_last_put(store);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_NEW);
    cr_expect_eq(store_last_put(store), before + 1);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_SAME);
    reopen();
    char *numbers =
        text_outside("SELECT group_concat(number || ':' || state) FROM trials");
    cr_expect_str_eq(numbers, "1:running,2:running");
    free(numbers);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_SAME);
    trial = make_trial(3, put_candidate(job, 1));
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_NEW);
    cr_expect_eq(history_trial(store, job, &trial, &err), TRIAL_SAME);
}

Test(history, repeating_the_same_trial_end_writes_nothing)
{
    int64_t job = open_job("j-1");
    struct history_trial trial = make_trial(1, put_candidate(job, 1));
    struct history_trial_end end = {
        .number = 1, .state = "done", .score = 0.5, .n = 20, .calls = 3};

    (void)history_trial(store, job, &trial, &err);
    cr_assert(history_trial_end(store, job, &end, &err), "%s", err.text);
    reopen();
    cr_assert(history_trial_end(store, job, &end, &err), "%s", err.text);
    cr_expect_eq(store_last_put(store), 0);
    end.score = 0.25;
    cr_assert(history_trial_end(store, job, &end, &err), "%s", err.text);
    cr_expect_eq(store_last_put(store), 1);
}

Test(history, best_trial_is_the_one_stored_last)
{
    int64_t job = open_job("j-1");
    struct history_best best = {
        1, put_candidate(job, 1), 0.5, 0.4, 0.6, 32, 0.5, 0.4, 0.6, 1};

    cr_assert(history_put_best(store, job, &best, &err), "%s", err.text);
    best.trial = 7;
    best.score = 0.75;
    cr_assert(history_put_best(store, job, &best, &err), "%s", err.text);
    flush();
    char *found = text_outside("SELECT count(*) || ' ' || max(trial) || ' ' ||"
                               " max(score) FROM bests");
    cr_expect_str_eq(found, "1 7 0.75");
    free(found);
}

Test(history, an_incomplete_trial_has_no_score)
{
    int64_t job = open_job("j-1");
    struct history_trial trial = make_trial(1, put_candidate(job, 1));
    struct history_trial_end end = {
        .number = 1, .state = "incomplete", .score = (double)NAN};

    (void)history_trial(store, job, &trial, &err);
    cr_assert(history_trial_end(store, job, &end, &err), "%s", err.text);
    cr_assert(history_trial_end(store, job, &end, &err), "%s", err.text);
    cr_expect_eq(store_last_put(store), 8);
}

Test(history, the_end_of_a_trial_that_never_began_is_an_error)
{
    struct history_trial_end end = {.number = 4, .state = "done"};

    cr_expect_not(history_trial_end(store, open_job("j-1"), &end, &err));
    cr_expect_eq(err.code, ERR_STORE);
}

// --- evaluations ---

static bool put_evaluation(int64_t job, int32_t row)
{
    struct history_evaluation one = {
        .candidate_id = 1,
        .row = row,
        .outcome = 2,
        .repairs = 1,
        .lenient = 5,
        .score = row / 4.0,
        .p_right = row % 2 == 0 ? -1 : 0.3f,
        .feedback = "late",
        .n_calls = 2,
        .calls = {row * 2 + 1, row * 2 + 2},
    };

    return history_put_evaluation(store, job, &one, &err);
}

// Finds the evaluation of candidate 1 in its first draw.
static bool find_evaluation(int64_t job, int32_t row,
                            struct history_evaluation *out)
{
    *out = (struct history_evaluation){.candidate_id = 1, .row = row};
    return history_find_evaluation(store, job, out, &err);
}

static void expect_evaluation(int64_t job, int32_t row)
{
    struct history_evaluation out = {0};

    cr_assert(find_evaluation(job, row, &out), "%s", err.text);
    cr_expect_eq(out.outcome, 2);
    cr_expect_eq(out.repairs, 1);
    cr_expect_eq(out.lenient, 5);
    cr_expect_eq(out.score, row / 4.0);
    cr_expect(out.p_right == (row % 2 == 0 ? -1 : 0.3f), "%g",
              (double)out.p_right);
    cr_expect_eq(out.n_calls, 2);
    cr_expect_eq(out.calls[0], row * 2 + 1);
    cr_expect_eq(out.calls[1], row * 2 + 2);
}

Test(history, evaluation_keeps_every_call_it_is_based_on)
{
    int64_t job = open_job("j-1");
    struct history_evaluation one = {.candidate_id = 1, .n_calls = 144};
    struct history_evaluation out = {0};

    for (int i = 0; i < one.n_calls; i++)
        one.calls[i] = 1000 + i;
    cr_assert(history_put_evaluation(store, job, &one, &err), "%s", err.text);
    reopen();
    cr_assert(load_job(job), "%s", err.text);
    cr_assert(find_evaluation(job, 0, &out), "%s", err.text);
    cr_expect_eq(out.n_calls, 144);
    cr_expect_eq(out.calls[143], 1143);
}

Test(history, an_evaluation_is_found_at_once_and_after_reopening)
{
    int64_t job = open_job("j-1");
    struct history_evaluation out = {0};

    cr_expect_not(find_evaluation(job, 3, &out));
    cr_assert(put_evaluation(job, 3), "%s", err.text);
    cr_assert(put_evaluation(job, 4), "%s", err.text);
    expect_evaluation(job, 3);
    reopen();
    cr_assert(load_job(job), "%s", err.text);
    expect_evaluation(job, 3);
    expect_evaluation(job, 4);
}

Test(history, an_unloaded_job_is_loaded_again_with_what_was_put_last)
{
    int64_t job = open_job("j-1");

    cr_assert(put_evaluation(job, 3), "%s", err.text);
    history_unload_job(store, job);
    expect_evaluation(job, 3);
}

Test(history, evaluations_of_another_job_are_not_found)
{
    struct history_evaluation out = {0};

    cr_assert(put_evaluation(open_job("j-1"), 3), "%s", err.text);
    reopen();
    cr_expect_not(find_evaluation(open_job("j-2"), 3, &out));
}

// --- events, workers, cost ---

static void add_row(void *user, int32_t row, int64_t after_call,
                    const char *text)
{
    int32_t *sum = user;

    cr_expect_eq(after_call, 0);
    *sum = *sum * 10 + row;
    cr_expect_str_eq(text, "why");
}

Test(history, events_of_a_kind_come_oldest_first)
{
    int64_t job = open_job("j-1");
    const int32_t rows[] = {4, 2};
    int32_t sum = 0;

    cr_assert(history_exclude(store, job, rows, 1, "why", &err));
    cr_assert(history_event(store, job, "note", "no", &err));
    cr_assert(history_exclude(store, job, rows + 1, 1, "why", &err));
    cr_assert(history_events(store, job, "exclude", add_row, &sum, &err), "%s",
              err.text);
    cr_expect_eq(sum, 42);
}

Test(history, excluded_rows_are_one_put)
{
    int64_t job = open_job("j-1");
    const int32_t rows[] = {4, 2};
    uint64_t before = store_last_put(store);
    int32_t sum = 0;

    cr_assert(history_exclude(store, job, rows, 2, "why", &err), "%s",
              err.text);
    cr_expect_eq(store_last_put(store), before + 1);
    cr_assert(history_events(store, job, "exclude", add_row, &sum, &err));
    cr_expect_eq(sum, 42);
}

static void add_text(void *user, int32_t row, int64_t after_call,
                     const char *text)
{
    char *all = user;

    (void)after_call;
    cr_expect_eq(row, -1);
    strcat(strcat(all, text), ";");
}

Test(history, job_state_is_among_its_events)
{
    int64_t job = open_job("j-1");
    const struct history_job_state states[] = {
        {.state = JOB_RUNNING, .score = -1},
        {.state = JOB_PAUSED, .reason = "no worker", .score = -1},
        {.state = JOB_RUNNING, .reason = "", .score = -1},
        {.state = JOB_DONE, .score = 0.5, .document = "{}"}};
    char all[200] = "";

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        cr_assert(history_job_state(store, job, &states[i], &err), "%s",
                  err.text);
    cr_assert(history_events(store, job, "state", add_text, all, &err), "%s",
              err.text);
    cr_expect_str_eq(all, "running;paused: no worker;running;done;");
}

// The state of a job and the compiled file that it has then.
static void end_job(int64_t job, enum job_state state, double score,
                    const char *compiled)
{
    const struct history_job_state end = {
        .state = state, .score = score, .compiled = compiled};
    const struct history_job_state running = {.state = JOB_RUNNING,
                                              .score = -1};
    uint64_t before;

    cr_assert(history_job_state(store, job, &running, &err), "%s", err.text);
    before = store_last_put(store);
    cr_assert(history_job_state(store, job, &end, &err), "%s", err.text);
    cr_expect_eq(store_last_put(store), before + 1);
    cr_assert(store_flush(store, &err));
}

static void expect_compiled(const char *compiled)
{
    char *text = text_outside("SELECT compiled FROM jobs");

    cr_expect_str_eq(text, compiled);
    free(text);
}

#define COMPILED(score)                                                        \
    "{\"metadata\":{\"promptcc\":{\"scores\":{\"compiled\":{\"score\":" score  \
    "}}}}}"

Test(history, a_job_that_is_stopped_keeps_the_better_compiled_file)
{
    int64_t job = open_job("j-1");

    end_job(job, JOB_STOPPED, 0.5, COMPILED("0.5"));
    expect_compiled(COMPILED("0.5"));
    end_job(job, JOB_STOPPED, 0.25, COMPILED("0.25"));
    expect_compiled(COMPILED("0.5"));
    end_job(job, JOB_STOPPED, 0.75, COMPILED("0.75"));
    expect_compiled(COMPILED("0.75"));
    end_job(job, JOB_DONE, 0.5, "no JSON");
    expect_compiled("no JSON");
    end_job(job, JOB_STOPPED, 0.25, COMPILED("0.25"));
    expect_compiled(COMPILED("0.25"));
}

static void add_left(void *user, const struct history_left *left)
{
    char *all = user;

    strcat(strcat(strcat(all, left->id), " awaits "),
           left->awaits != NULL ? left->awaits : "nothing");
}

// A coordinator that was killed between two puts left a job that was paused and
// that nobody continued.
Test(history, a_pause_and_what_the_job_awaits_are_one_put)
{
    const struct history_job_state pause = {
        .state = JOB_PAUSED, .reason = "no worker", .score = -1};
    struct history_job_state awaits = pause;
    int64_t job = open_job("j-1");
    uint64_t before;
    char all[100] = "";

    cr_assert(history_job_state(store, open_job("j-2"), &pause, &err), "%s",
              err.text);
    awaits.awaits = "another worker";
    before = store_last_put(store);
    cr_assert(history_job_state(store, job, &awaits, &err), "%s", err.text);
    cr_expect_eq(store_last_put(store), before + 1);
    cr_assert(history_unfinished(store, add_left, all, &err), "%s", err.text);
    cr_expect_str_eq(all, "j-1 awaits another worker");
}

Test(history, a_worker_has_one_row_however_often_it_is_put)
{
    struct history_worker worker = {
        .name = "w", .state = "serving", .slots = 2};

    cr_assert(history_put_worker(store, &worker, &err), "%s", err.text);
    worker.state = "lost";
    cr_assert(history_put_worker(store, &worker, &err), "%s", err.text);
    flush();
    cr_expect(store_healthy(store, &err), "%s", err.text);
}

// Checks that v_workers equals the sum of its calls: counts the rows that are
// in one of the two and not in the other.
static const char worker_differences[] =
    "WITH s AS (SELECT c.worker, j.id AS job, k.role, k.purpose, k.model,"
    "  count(*) AS calls, sum(c.prompt_tokens),"
    "  sum(nullif(c.cached_tokens, -1)) AS cached, sum(c.generated_tokens),"
    "  sum(c.hedged), sum(c.total_us) / 1e6, sum(c.cached_tokens >= 0)"
    "  FROM calls c JOIN jobs j ON j.no = c.job_no"
    "  JOIN call_kinds k ON k.id = c.kind_id"
    "  GROUP BY c.worker, c.job_no, k.role, k.purpose, k.model)"
    " SELECT ((SELECT count(*) FROM (SELECT * FROM s EXCEPT"
    "   SELECT * FROM v_workers)) + (SELECT count(*) FROM"
    "   (SELECT * FROM v_workers EXCEPT SELECT * FROM s))) || ' of ' ||"
    "   (SELECT count(DISTINCT worker) FROM s)";

// The same for v_cost.
static const char differences[] =
    "WITH s AS (SELECT j.id AS job, k.role, k.purpose, k.model,"
    "  count(*) AS calls, sum(c.prompt_tokens), sum(nullif(c.cached_tokens, "
    "-1))"
    "   AS cached, sum(c.generated_tokens), sum(c.hedged),"
    "  sum(c.total_us) / 1e6, sum(c.cached_tokens >= 0) FROM calls c"
    "  JOIN jobs j ON j.no = c.job_no JOIN call_kinds k ON k.id = c.kind_id"
    "  GROUP BY c.job_no, k.role, k.purpose, k.model)"
    " SELECT ((SELECT count(*) FROM (SELECT * FROM s EXCEPT"
    "   SELECT * FROM v_cost)) + (SELECT count(*) FROM"
    "   (SELECT * FROM v_cost EXCEPT SELECT * FROM s))) || ' of ' ||"
    "   (SELECT count(*) FROM s)";

// Compares v_cost and v_workers with the calls. `rows` says how many rows of
// v_cost may differ, and of how many: "0 of 3".
static void expect_same_costs(const char *rows)
{
    bool none = strcmp(rows, "0 of 0") == 0;
    char *found;
    char *of_workers;

    flush();
    found = text_outside(differences);
    of_workers = text_outside(worker_differences);
    cr_expect_str_eq(found, rows);
    cr_expect_str_eq(of_workers, none ? "0 of 0" : "0 of 2");
    free(found);
    free(of_workers);
}

static int64_t calls_added_up(void)
{
    char *text =
        text_outside("SELECT CAST(coalesce(sum(calls), 0) AS TEXT) FROM costs");
    int64_t calls = atoll(text);

    free(text);
    return calls;
}

// Stores enough calls of two jobs for their sums to be written several times.
static void put_many(int64_t first, int64_t last, int64_t one, int64_t other)
{
    for (int64_t i = first; i < last; i++)
        (void)put_call_of(i % 3 == 0 ? other : one, i,
                          i % 50 == 0 ? "teacher" : "student", "trial",
                          i % 50 == 0 ? -1 : (int)(i % 7));
}

Test(history, cost_always_equals_the_sum_of_all_calls)
{
    int64_t one = open_job("j-1");
    int64_t other = open_job("j-2");

    expect_same_costs("0 of 0");
    put_many(1, 100, one, other);
    expect_same_costs("0 of 3");
    cr_expect_eq(calls_added_up(), 0);
    put_many(100, 2500, one, other);
    expect_same_costs("0 of 4");
    cr_expect_eq(calls_added_up(), 2 * COSTS_CALLS);
    // What was not written is lost with the process, and is added up again.
    reopen();
    expect_same_costs("0 of 4");
    put_many(2500, 4000, one, other);
    expect_same_costs("0 of 4");
    cr_expect_eq(calls_added_up(), 3 * COSTS_CALLS);
}

// Stores calls until the process is killed between commits; how many there were
// is random.
static _Noreturn void put_until_killed(void)
{
    int64_t one, other;

    store = store_open(path, &err);
    if (store == NULL)
        _exit(EXIT_FAILURE);
    one = open_job("j-1");
    other = open_job("j-2");
    put_many(1, 2500, one, other);
    flush();
    put_many(2500, 6000, one, other);
    (void)kill(getpid(), SIGKILL);
    abort();
}

Test(history, cost_equals_the_sum_of_all_calls_after_a_kill)
{
    int status = 0;

    store_close(store);
    store = NULL;
    pid_t child = fork();
    if (child == 0)
        put_until_killed();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    reopen();
    expect_same_costs("0 of 4");
    cr_expect_geq(calls_added_up(), 2 * COSTS_CALLS);
    put_many(6000, 8000, open_job("j-1"), open_job("j-2"));
    expect_same_costs("0 of 4");
}

static bool take_nothing(void *user, const struct history_submission *stored,
                         struct err *why)
{
    (void)user;
    (void)stored;
    (void)why;
    return true;
}

Test(history, submission_without_files_is_reported)
{
    const struct history_file file = {"job.yaml", "name: a\n", 8};
    const struct history_submission whole = {
        .options = "{}", .folder = "", .files = &file, .n_files = 1};
    int64_t job = open_job("j-1");

    cr_assert(history_put_submission(store, job, &whole, &err));
    flush();
    cr_expect(history_load_submission(store, job, take_nothing, NULL, &err));
    store_close(store);
    store = NULL;
    run_outside("DELETE FROM job_files");
    reopen();
    cr_expect_not(
        history_load_submission(store, job, take_nothing, NULL, &err));
    cr_expect_not_null(strstr(err.text, "does not hold the files"), "%s",
                       err.text);
}

static void keep_removed(void *user, const struct removed *removed)
{
    *(struct removed *)user = *removed;
}

static struct removed remove_job(const char *job)
{
    struct removed removed = {.job = "none"};
    const struct removal removal = {
        .jobs = &job, .n = 1, .done = keep_removed, .user = &removed};

    store_close(store);
    store = NULL;
    cr_assert(store_remove(path, &removal, &err), "%s", err.text);
    cr_assert_eq(removed.err.code, ERR_NONE, "%s", removed.err.text);
    reopen();
    return removed;
}

Test(history, removing_a_job_removes_its_cost)
{
    int64_t one = open_job("j-1");

    put_many(1, 3000, one, open_job("j-2"));
    put_many(3000, 3100, one, one);
    // The calls of a model stay if another job also asks it.
    cr_assert(history_pin_model(store, one,
                                &(struct history_pin){.role = "student",
                                                      .name = "m",
                                                      .digest = "sha256:0"},
                                &err));
    expect_same_costs("0 of 4");
    cr_expect_gt(remove_job("j-2").kept, 0);
    expect_same_costs("0 of 4");
    cr_expect_gt(remove_job("j-1").calls, 0);
    expect_same_costs("0 of 2");
    put_many(4000, 6000, open_job("j-3"), open_job("j-4"));
    expect_same_costs("0 of 6");
}

// Sums, exclusions and evaluations of other jobs refer to calls by their id.
Test(history, id_of_a_removed_call_is_never_given_again)
{
    int64_t other = open_job("j-2"), next;

    put_many(1, 1000, other, other);
    (void)put_call_of(open_job("j-1"), 1000, "student", "trial", -1);
    put_many(1001, 2000, open_job("j-1"), open_job("j-1"));
    cr_assert(history_pin_model(store, other,
                                &(struct history_pin){.role = "student",
                                                      .name = "m",
                                                      .digest = "sha256:1"},
                                &err));
    next = calls_last(store) + 1;
    cr_expect_gt(remove_job("j-1").calls, 0);
    cr_expect_eq(put_call(other, 3000), next);
    reopen();
    cr_expect_eq(put_call(other, 3001), next + 1);
    cr_expect_gt(remove_job("j-2").calls, 0);
    cr_expect_eq(put_call(open_job("j-3"), 1), next + 2, "none is left");
}

Test(history, cost_equals_the_sum_of_all_calls_after_a_removal_and_a_kill)
{
    int64_t one = open_job("j-1"), other = open_job("j-2");

    // Both jobs are in the first sum, and the removed one has its last calls.
    put_many(1, 900, one, other);
    put_many(900, COSTS_CALLS + 300, one, one);
    flush();
    cr_assert_eq(calls_added_up(), COSTS_CALLS);
    remove_job("j-1");
    put_many(5000, 5100, other, other);
    expect_same_costs("0 of 2");
    reopen(); // as after a kill: the new calls are not summed up yet
    expect_same_costs("0 of 2");
}

Test(history, upgrading_an_older_store_adds_up_its_cost)
{
    int64_t one = open_job("j-1");

    put_many(1, 1500, one, open_job("j-2"));
    flush();
    store_close(store);
    store = NULL;
    run_outside("ALTER TABLE calls DROP COLUMN sum;"
                "ALTER TABLE call_texts DROP COLUMN sum;"
                "ALTER TABLE evaluations DROP COLUMN sum;"
                "ALTER TABLE events DROP COLUMN sum;"
                "ALTER TABLE job_files DROP COLUMN sum;"
                "ALTER TABLE jobs DROP COLUMN compiled_sum;"
                "ALTER TABLE jobs DROP COLUMN models_sum;"
                "DROP VIEW v_cost; DROP VIEW v_workers;"
                "DROP TABLE costs; DROP TABLE bests;"
                "PRAGMA user_version = 6");
    reopen();
    cr_expect_eq(calls_added_up(), 1499);
    expect_same_costs("0 of 4");
    put_many(1500, 3000, one, one);
    expect_same_costs("0 of 4");
}

Test(history, costs_add_up_the_calls_of_each_role)
{
    int64_t job = open_job("j-1");
    static const char *const roles[] = {"student", "teacher", "judge"};
    struct history_cost costs[3];

    (void)put_call(job, 1);
    (void)put_call_of(job, 2, "student", "baseline", 30);
    (void)put_call_of(job, 3, "teacher", "propose", -1);
    (void)put_call_of(job, 4, "teacher", "bootstrap", 5);
    (void)put_call(open_job("j-2"), 5);
    flush();
    cr_assert(history_costs(store, job, roles, 3, costs, &err), "%s", err.text);
    cr_expect_eq(costs[0].calls, 2);
    cr_expect_eq(costs[0].prompt_tokens, 200);
    cr_expect_eq(costs[0].cached_tokens, 90);
    cr_expect_eq(costs[0].generated_tokens, 14);
    cr_expect(costs[0].cached_known);
    cr_expect_eq(costs[1].calls, 2);
    cr_expect_eq(costs[1].cached_tokens, 5);
    cr_expect_not(costs[1].cached_known);
    cr_expect_eq(costs[2].calls, 0);
    cr_expect_not(costs[2].cached_known);
}
