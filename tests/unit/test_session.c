// A session whose running job is the test: it takes the tasks over the PAIR
// socket and returns them in any order.

#include "search/session/session_thread.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "given_data.h"
#include "search/session/comparison.h"
#include "search/session/note.h"
#include "search/toolkit/teacher.h"

enum { ROWS = 12, TASKS_MAX = 64, QUIET_MS = 60 };

static struct given_data given;
static struct plan plan;
static struct request request;
static struct model_facts facts;
static void *zmq, *pair;
static struct session *session;
static struct ending *ended; // of the last session, made by the scenario
static size_t all_rows[ROWS];

// What a scenario saw, on the session's thread. Read it after the thread's end.
static struct {
    struct err err;
    size_t n;
    int64_t calls[TASKS_MAX];
    int64_t tokens[TASKS_MAX];
    struct trial trial; // a copy: its lists belong to the session
    bool scored[ROWS];
    size_t placed[ROWS];
    double gain, of_a, of_b;
    size_t common;
    bool told;
    float p_right[2];
    bool untold;
    struct note expected; // the last progress note
} seen;

static void open_job(const char *further)
{
    char text[4096];
    size_t len = 0;

    for (int i = 0; i < ROWS; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "{\"message\": \"number %d\", \"intent\": "
                                "\"track\", \"sure\": 1, \"urgent\": true, "
                                "\"tags\": [], \"note\": \"n\"}\n",
                                i);
        all_rows[i] = (size_t)i;
    }
    given_data_open(&given, "{examples: rows.jsonl}", further);
    given_data_add(&given, "rows.jsonl", text, len);
    given_data_load(&given);
    cr_assert_not_null(given.dataset, "%s",
                       given.diags->n > 0 ? given.diags->items[0].text : "");
    plan_all(given.job->program, &plan);
}

static void start(struct ending *(*conduct)(struct session *))
{
    static int n;
    char endpoint[32]; // a closed one stays in use for a moment
    struct session_setup setup = {.zmq = zmq,
                                  .endpoint = endpoint,
                                  .request = &request,
                                  .bundle = given.bundle,
                                  .job = given.job,
                                  .dataset = given.dataset,
                                  .split = &given.split,
                                  .plan = &plan,
                                  .job_id = "given-1",
                                  .models = &facts,
                                  .conduct = conduct};
    struct err err = ERR_CLEAR;

    memset(&seen, 0, sizeof seen);
    pair = zmq_socket(zmq, ZMQ_PAIR);
    snprintf(endpoint, sizeof endpoint, "inproc://running-%d", n++);
    cr_assert_eq(zmq_bind(pair, endpoint), 0);
    session = session_start(&setup, &err);
    cr_assert_not_null(session, "%s", err.text);
}

static void end(void)
{
    session_join(session);
    zmq_close(pair);
    free(ended);
    session = NULL;
    pair = NULL;
    ended = NULL;
}

static void set_up(void)
{
    zmq = zmq_ctx_new();
}

static void tear_down(void)
{
    given_data_close(&given);
    zmq_ctx_term(zmq);
}

TestSuite(session, .init = set_up, .fini = tear_down, .timeout = 300);

// --- the running job ---

// Returns the next task, or NULL when the session has ended or says nothing.
static struct task *take_task(void)
{
    zmq_pollitem_t item = {.socket = pair, .events = ZMQ_POLLIN};
    struct note note;

    for (;;) {
        cr_assert_gt(zmq_poll(&item, 1, 60000), 0, "the session is silent");
        cr_assert(note_await(pair, &note));
        if (note.kind == NOTE_TASK)
            return note.task;
        if (note.kind == NOTE_TRIAL)
            seen.told = true;
        if (note.kind == NOTE_EXPECT)
            seen.expected = note;
        if (note.kind == NOTE_ENDED) {
            ended = note.ending;
            return NULL;
        }
    }
}

static bool is_quiet(void)
{
    zmq_pollitem_t item = {.socket = pair, .events = ZMQ_POLLIN};

    return zmq_poll(&item, 1, QUIET_MS) == 0;
}

static void give(struct task *task)
{
    cr_assert(note_send(pair, &(struct note){.kind = NOTE_TASK, .task = task}));
}

static void end_item(struct task *task, size_t i, enum item_state state)
{
    struct task_item item = TASK_ITEM_INIT(task->rows[i]);

    item.state = state;
    task_settle(task, i, &item, NULL, 0);
}

static void answer_item(struct task *task, size_t i, double score,
                        float p_right)
{
    struct used_call call = {.id = task->trial + task->rows[i] + 1,
                             .tokens = 10};
    struct task_item own = TASK_ITEM_INIT(task->rows[i]);
    struct task_item *item = task->items != NULL ? &task->items[i] : &own;

    item->state = ITEM_DONE;
    item->scored = task->scored;
    item->score = score;
    item->p_right = p_right;
    task_settle(task, i, item, &call, 1);
}

// Scores every item. Each used one call of 10 tokens. Its id is the row's place
// in a sequence of calls that trials share: trial t uses t, t + 1, ...
static void answer(struct task *task, double score)
{
    for (size_t i = 0; i < task->n_items; i++)
        answer_item(task, i, score, -1);
    give(task);
}

static void answer_all(void)
{
    struct task *task;

    while ((task = take_task()) != NULL)
        answer(task, 1);
}

static struct ending *new_ending(void)
{
    struct ending *ending = calloc(1, sizeof *ending);

    ending->state = JOB_DONE;
    return ending;
}

static struct trial *try_baseline(struct session *s, size_t n_rows)
{
    return trial_submit(s, TRIAL_FULL, session_baseline(s),
                        (struct row_span){all_rows, n_rows}, "a test",
                        &seen.err);
}

// Submits a candidate that was not tried before.
static struct trial *try_new(struct session *s, size_t n_rows)
{
    struct candidate *candidate =
        candidate_child(session_baseline(s), &seen.err);
    struct trial *trial = NULL;
    char text[32];

    snprintf(text, sizeof text, "Number %zu.", seen.n);
    if (candidate != NULL &&
        candidate_set_instruction(candidate, 0, 1, text, &seen.err)) {
        candidate_seal(candidate);
        trial = trial_submit(s, TRIAL_FULL, candidate,
                             (struct row_span){all_rows, n_rows}, "a test",
                             &seen.err);
    }
    candidate_unref(candidate);
    return trial;
}

// --- the lag ---

static struct ending *submit_five(struct session *s)
{
    for (int t = 0; t < 5; t++) {
        if (!session_admit(s, &seen.err) || try_baseline(s, 2) == NULL)
            break;
        seen.n++;
    }
    return new_ending();
}

Test(session, trial_is_admitted_when_the_one_a_window_earlier_is_done)
{
    struct task *tasks[3];

    open_job("window: 3\n");
    start(submit_five);
    for (int t = 0; t < 3; t++)
        tasks[t] = take_task();
    cr_expect(is_quiet());
    answer(tasks[1], 1);
    answer(tasks[2], 1);
    cr_expect(is_quiet(), "trial 4 must wait for trial 1 alone");
    answer(tasks[0], 1);
    answer_all();
    end();
    cr_expect_eq(seen.n, 5);
    cr_expect_eq(seen.err.code, ERR_NONE);
}

// --- budgets ---

// Submits trials until the budget ends it, and notes what each trial used.
static struct ending *use_budget(struct session *s)
{
    struct trial *const *trials;
    size_t n;

    while (session_admit(s, &seen.err))
        if (try_new(s, 3) == NULL || seen.n++ == 40)
            break;
    session_settle(s);
    trials = session_trials(s, &n);
    for (size_t t = 0; t < n; t++) {
        seen.calls[t] = trials[t]->calls;
        seen.tokens[t] = trials[t]->tokens;
    }
    return new_ending();
}

// Answers tasks newest first, once the window is full.
static void answer_backwards(size_t window)
{
    struct task *held[TASKS_MAX];
    struct task *task;
    size_t n = 0;

    while ((task = take_task()) != NULL) {
        held[n++] = task;
        if (n < window && !is_quiet())
            continue;
        while (n > 0)
            answer(held[--n], 1);
    }
}

// The program asks about one step. So a trial on three rows needs at least
// three calls left in the budget, and six at most. Trial t uses the calls t, t
// + 1 and t + 2. One of these is new; for the first trial, three are.

Test(session, a_budget_of_calls_ends_at_the_same_trial_in_any_order)
{
    open_job("window: 3\nbudget: {max_calls: 7}\n");
    start(use_budget);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_BUDGET, "%s", seen.err.text);
    // Three trials have used five calls: two are left, and the fourth needs
    // three.
    cr_expect_eq(seen.n, 3);

    start(use_budget);
    answer_backwards(3);
    end();
    cr_expect_eq(seen.err.code, ERR_BUDGET, "%s", seen.err.text);
    cr_expect_eq(seen.n, 3);
}

Test(session, a_trial_that_could_pass_the_budget_is_given_a_limit)
{
    struct task *task;

    open_job("budget: {max_calls: 7}\n");
    start(use_budget);
    task = take_task();
    cr_expect_not(task->limit.set, "6 is within 7");
    cr_expect(is_quiet(), "the next one must wait until it is back");
    answer(task, 1);
    task = take_task();
    cr_expect(task->limit.set);
    cr_expect_eq(task->limit.in_all.calls, 4);
    cr_expect_eq(task->limit.of_item.calls, 2);
    cr_expect(is_quiet(), "the next one must wait until it is back");
    answer(task, 1);
    answer_all();
    end();
}

Test(session, trials_overlap_while_the_budget_covers_their_maximum)
{
    struct task *tasks[3];

    open_job("window: 3\nbudget: {max_calls: 18}\n");
    start(use_budget);
    for (int t = 0; t < 3; t++) {
        tasks[t] = take_task();
        cr_expect_not(tasks[t]->limit.set);
    }
    for (int t = 2; t >= 0; t--)
        answer(tasks[t], 1);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_BUDGET);
}

Test(session, a_budget_that_is_too_small_for_one_trial_makes_no_call)
{
    open_job("budget: {max_calls: 2}\n");
    start(use_budget);
    cr_expect_null(take_task());
    end();
    cr_expect_eq(seen.err.code, ERR_BUDGET);
    cr_expect_str_eq(seen.err.text, "the budget is 2 calls; 0 are used, and "
                                    "trial 1 needs at least 3");
}

static struct ending *keep_some(struct session *s)
{
    session_reserve_for_test(s, (struct use){.calls = 3});
    return use_budget(s);
}

Test(session, search_cannot_use_the_amount_set_aside)
{
    open_job("budget: {max_calls: 7}\n");
    start(keep_some);
    answer_all();
    end();
    cr_expect_eq(seen.n, 1);
    cr_expect_str_eq(seen.err.text,
                     "the budget is 7 calls; 3 are used, 3 are kept for the "
                     "test share, and trial 2 needs at least 3");
}

// One row with one call; at most half of the remaining budget is kept back.
static struct ending *keep_back(struct session *s)
{
    session_reserve(s, 100, 0.5);
    return use_budget(s);
}

static struct ending *keep_back_and_free(struct session *s)
{
    session_reserve(s, 100, 0.5);
    session_reserve(s, 0, 0);
    return use_budget(s);
}

Test(session, at_most_half_of_the_remaining_budget_is_kept_back)
{
    open_job("budget: {max_calls: 8}\n");
    start(keep_back);
    answer_all();
    end();
    cr_expect_eq(seen.n, 1);
    cr_expect_str_eq(seen.err.text,
                     "the budget is 8 calls; 3 are used, 4 are kept for the "
                     "end of the search, and trial 2 needs at least 3");
}

Test(session, amount_kept_back_can_be_released)
{
    open_job("budget: {max_calls: 8}\n");
    start(keep_back_and_free);
    answer_all();
    end();
    cr_expect_geq(seen.n, 2);
}

// Tries the baseline on two rows, then on all three.
static struct ending *try_more_rows(struct session *s)
{
    struct trial *trial = try_baseline(s, 2);

    if (trial_wait(s, trial, &seen.err) && try_baseline(s, 3) != NULL)
        seen.n = 2;
    session_settle(s);
    return new_ending();
}

Test(session, rows_already_scored_for_a_candidate_need_no_budget)
{
    struct task *task;

    open_job("budget: {max_calls: 4}\n");
    start(try_more_rows);
    task = take_task();
    cr_expect_not(task->marks[0].paid);
    answer(task, 1);
    task = take_task();
    cr_expect(task->marks[0].paid && task->marks[1].paid);
    cr_expect_not(task->marks[2].paid);
    answer(task, 1);
    answer_all();
    end();
    cr_expect_eq(seen.n, 2, "%s", seen.err.text);
}

static struct ending *try_rows_in_parts(struct session *s)
{
    struct trial *first =
        trial_submit(s, TRIAL_FULL, session_baseline(s),
                     (struct row_span){all_rows, 1}, "a test", &seen.err);
    struct trial *other = try_new(s, 3);
    struct trial *second =
        trial_submit(s, TRIAL_FULL, session_baseline(s),
                     (struct row_span){all_rows + 2, 1}, "a test", &seen.err);

    if (trial_wait(s, first, &seen.err) && trial_wait(s, other, &seen.err) &&
        trial_wait(s, second, &seen.err) && try_baseline(s, 3) != NULL)
        seen.n = 1;
    session_settle(s);
    return new_ending();
}

Test(session, rows_are_paid_by_any_earlier_trial_of_the_candidate)
{
    struct task *task;

    open_job("");
    start(try_rows_in_parts);
    for (int i = 0; i < 3; i++)
        answer(take_task(), 1);
    task = take_task();
    cr_expect(task->marks[0].paid);
    cr_expect_not(task->marks[1].paid);
    cr_expect(task->marks[2].paid);
    answer(task, 1);
    answer_all();
    end();
    cr_expect_eq(seen.n, 1, "%s", seen.err.text);
}

// --- expected work ---

static struct ending *expect_ten(struct session *s)
{
    session_expect_after(s, 4);
    session_expect(s, (struct effort){.examples = 10, .trials = 3});
    return try_more_rows(s);
}

Test(session, expectation_counts_only_examples_that_are_newly_run)
{
    struct task *task;

    open_job("");
    start(expect_ten);
    task = take_task();
    cr_expect_eq(seen.expected.examples, 10 + 4);
    cr_expect_eq(seen.expected.trials, 3);
    cr_expect_eq(task->n_paid, 0);
    answer(task, 1);
    task = take_task();
    cr_expect_eq(task->n_items, 3);
    cr_expect_eq(task->n_paid, 2, "the baseline was scored on two of them");
    answer(task, 1);
    answer_all();
    end();
    cr_expect_eq(seen.expected.examples, 10 + 4, "it is in all, as before");
}

static struct ending *expect_two(struct session *s)
{
    session_expect(s, (struct effort){.examples = 2, .trials = 1});
    try_new(s, 3);
    seen.n++;
    try_new(s, 3);
    return new_ending();
}

Test(session, expectation_rises_to_what_the_search_has_actually_done)
{
    open_job("");
    start(expect_two);
    answer_all();
    end();
    cr_expect_eq(seen.expected.examples, 6);
    cr_expect_eq(seen.expected.trials, 2);
}

// Three rows per trial, with one call each.
static struct ending *expect_a_hundred(struct session *s)
{
    struct trial *trial;

    session_expect(s, (struct effort){.examples = 100});
    trial = try_new(s, 3);
    (void)trial_wait(s, trial, &seen.err);
    return new_ending();
}

Test(session, expectation_is_capped_by_the_budget)
{
    open_job("budget: {max_calls: 24}\n");
    start(expect_a_hundred);
    answer_all();
    end();
    cr_expect_eq(seen.expected.examples, 24);
}

static struct ending *expect_nothing(struct session *s)
{
    struct trial *trial = try_new(s, 3);

    (void)trial_wait(s, trial, &seen.err);
    return new_ending();
}

Test(session, budget_is_the_expectation_if_there_is_no_other)
{
    open_job("budget: {max_tokens: 500}\n"); // 10 per call
    start(expect_nothing);
    answer_all();
    end();
    cr_expect_eq(seen.expected.examples, 50);

    given_data_close(&given);
    open_job("");
    start(expect_nothing);
    answer_all();
    end();
    cr_expect_eq(seen.expected.examples, 0, "nobody knows");
}

static struct ending *try_twice(struct session *s)
{
    try_baseline(s, 2);
    try_baseline(s, 2);
    return new_ending();
}

Test(session, an_evaluation_has_no_budget)
{
    open_job("budget: {max_calls: 1}\n");
    request.action = REQUEST_EVAL;
    start(try_twice);
    answer_all();
    end();
    request.action = REQUEST_RUN;
    cr_expect_eq(seen.err.code, ERR_NONE, "%s", seen.err.text);
}

Test(session, a_call_is_charged_to_the_first_trial_in_order_of_submission)
{
    open_job("window: 3\nbudget: {max_calls: 12}\n");
    start(use_budget);
    answer_backwards(3);
    end();
    cr_expect_eq(seen.calls[0], 3);
    cr_expect_eq(seen.tokens[0], 30);
    for (size_t t = 1; t < seen.n; t++) {
        cr_expect_eq(seen.calls[t], 1, "trial %zu", t + 1);
        cr_expect_eq(seen.tokens[t], 10, "trial %zu", t + 1);
    }
}

Test(session, a_budget_of_tokens_ends_a_job)
{
    open_job("budget: {max_tokens: 45}\n");
    start(use_budget);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_BUDGET);
    cr_expect_not_null(strstr(seen.err.text, "tokens"), "%s", seen.err.text);
    // 30 are used, and another three calls will probably use 30 again.
    cr_expect_eq(seen.n, 1);
}

// The loop returns the second task cut short.
static struct ending *meet_a_cut(struct session *s)
{
    struct trial *first = try_baseline(s, 2);
    struct trial *second = try_baseline(s, 2);

    seen.n = trial_wait(s, first, &seen.err);
    if (trial_wait(s, second, &seen.err))
        seen.n++;
    return new_ending();
}

Test(session, aborted_trial_gives_no_score_but_its_calls_count)
{
    struct task *task;

    open_job("");
    start(meet_a_cut);
    answer(take_task(), 1);
    task = take_task();
    end_item(task, 1, ITEM_UNPAID);
    err_set(&task->err, ERR_BUDGET, "used up");
    end_item(task, 0, ITEM_DONE);
    give(task);
    answer_all();
    end();
    cr_expect_eq(seen.n, 1);
    cr_expect_eq(seen.err.code, ERR_BUDGET);
}

// --- rows ---

// Makes the baseline with rows 0 to n - 1 as demos of its step.
static struct candidate *showing(struct session *s, size_t n)
{
    struct candidate *candidate =
        candidate_copy(session_baseline(s), &seen.err);
    struct demo demos[ROWS];

    for (size_t i = 0; i < n; i++)
        demos[i] = (struct demo){.fields = dataset_fields(given.dataset, i),
                                 .row = (int)i};
    cr_assert(candidate_set_demos(candidate, 0, 1, demos, n, &seen.err));
    for (size_t i = 0; i < n; i++)
        json_decref(demos[i].fields);
    candidate_seal(candidate);
    return candidate;
}

static struct ending *try_showing(struct session *s, size_t n, size_t n_rows)
{
    struct candidate *candidate = showing(s, n);
    struct trial *trial =
        trial_submit(s, TRIAL_FULL, candidate,
                     (struct row_span){all_rows, n_rows}, "a test", &seen.err);

    candidate_unref(candidate);
    if (trial != NULL && trial_wait(s, trial, &seen.err)) {
        seen.trial = *trial;
        memcpy(seen.scored, trial->scored, n_rows * sizeof *trial->scored);
    }
    return new_ending();
}

static struct ending *show_two(struct session *s)
{
    return try_showing(s, 2, 5);
}

// Each row is asked without its own demo (candidate_part_for).
Test(session, row_shown_as_a_demo_is_scored_like_all_others)
{
    struct task *task;

    open_job("");
    start(show_two);
    task = take_task();
    cr_expect_eq(task->n_items, 5);
    cr_expect_eq(task->rows[0], 0);
    answer(task, 0.5);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_NONE, "%s", seen.err.text);
    cr_expect_eq(seen.trial.n, 5);
    cr_expect_eq(seen.trial.score, 0.5);
    cr_expect(seen.scored[0] && seen.scored[4]);
}

static struct ending *compare_two(struct session *s)
{
    struct trial *a = try_baseline(s, 4);
    struct trial *b =
        trial_submit(s, TRIAL_FULL, session_baseline(s),
                     (struct row_span){all_rows + 2, 3}, "a test", &seen.err);

    if (trial_wait(s, a, &seen.err) && trial_wait(s, b, &seen.err))
        seen.common = comparison_means(a, b, &seen.of_a, &seen.of_b);
    return new_ending();
}

Test(session, two_trials_are_compared_on_their_common_rows)
{
    open_job("");
    start(compare_two);
    answer(take_task(), 0.25); // rows 0 to 3
    answer(take_task(), 0.75); // rows 2 to 4
    answer_all();
    end();
    cr_expect_eq(seen.common, 2);
    cr_expect_eq(seen.of_a, 0.25);
    cr_expect_eq(seen.of_b, 0.75);
}

// Compares rows 0 to 3 with the first scores and rows 1 to 4 with the second.
static bool ties(const double of_a[4], const double of_b[4])
{
    size_t rows[] = {0, 1, 2, 3, 4};
    bool scored[] = {true, true, true, true};
    struct trial a = {.rows = rows,
                      .n_rows = 4,
                      .done = true,
                      .scored = scored,
                      .scores = (double *)of_a};
    struct trial b = a;

    b.rows = rows + 1;
    b.scores = (double *)of_b;
    return comparison_ties(&a, &b);
}

Test(session, trials_tie_if_they_score_their_common_rows_equally)
{
    cr_expect(ties((double[]){1, 0, 1, 0.5}, (double[]){0, 1, 0.5, 1}));
    cr_expect_not(ties((double[]){1, 0, 1, 0.5}, (double[]){0, 1, 0, 1}));
}

// Returns true if trials of this many candidates, each with this many examples,
// of which this many could not be read, are enough to give up.
static bool are_mute(size_t candidates, size_t examples, size_t unreadable)
{
    struct candidate made[2 * MUTE_CANDIDATES] = {0};
    struct trial each[2 * MUTE_CANDIDATES] = {0};
    struct trial *all[2 * MUTE_CANDIDATES];
    size_t n = 2 * candidates;

    for (size_t i = 0; i < n; i++) {
        made[i].id.bytes[0] = (unsigned char)(i % candidates);
        each[i] = (struct trial){.done = true,
                                 .candidate = &made[i],
                                 .n = examples,
                                 .model_faults = unreadable};
        all[i] = &each[i];
    }
    return trials_are_mute(all, n);
}

Test(session, model_is_mute_if_no_candidate_gets_readable_replies)
{
    cr_expect(are_mute(MUTE_CANDIDATES, MUTE_EXAMPLES / 2, MUTE_EXAMPLES / 2));
    cr_expect_not(are_mute(MUTE_CANDIDATES - 1, MUTE_EXAMPLES, MUTE_EXAMPLES));
    cr_expect_not(are_mute(MUTE_CANDIDATES, 4, 4));
    cr_expect_not(are_mute(MUTE_CANDIDATES, MUTE_EXAMPLES, MUTE_EXAMPLES - 1));
    cr_expect_not(are_mute(0, 0, 0));
}

static struct ending *ask_for_logprobs(struct session *s)
{
    struct err err = ERR_CLEAR;
    struct trial *told, *plain;

    session_ask_logprobs(s, true);
    told = try_baseline(s, 2);
    session_ask_logprobs(s, false);
    plain = try_baseline(s, 2);
    cr_assert(trial_wait(s, told, &err) && trial_wait(s, plain, &err));
    for (int i = 0; i < 2; i++)
        seen.p_right[i] = told->p_right[i];
    seen.untold = plain->p_right == NULL;
    return new_ending();
}

Test(session, trial_with_logprobs_knows_how_likely_the_right_labels_were)
{
    struct task *told, *plain;

    open_job("");
    start(ask_for_logprobs);
    told = take_task();
    plain = take_task();
    cr_expect(told->logprobs);
    cr_expect_not(plain->logprobs);
    answer_item(told, 0, 1, -1); // without log-probabilities for the first row
    answer_item(told, 1, 1, 0.25f);
    give(told);
    answer(plain, 1);
    answer_all();
    end();
    cr_expect(seen.p_right[0] < 0);
    cr_expect(seen.p_right[1] == 0.25f);
    cr_expect(seen.untold);
}

Test(session, two_trials_of_one_candidate_draw_the_same_samples)
{
    struct task *first, *second;

    open_job("");
    start(try_twice);
    first = take_task();
    second = take_task();
    cr_expect_eq(first->sampling.trial, second->sampling.trial);
    cr_expect_eq(first->sampling.draw, second->sampling.draw);
    cr_expect_eq(first->sampling.replicate, second->sampling.replicate);
    cr_expect_str_eq(first->sampling.purpose, second->sampling.purpose);
    answer(first, 1);
    answer(second, 1);
    answer_all();
    end();
}

// --- faults and stops ---

static struct ending *wait_for_first(struct session *s)
{
    struct trial *first = try_baseline(s, 2);

    try_baseline(s, 2);
    seen.n = trial_wait(s, first, &seen.err);
    return new_ending();
}

Test(session, trial_with_a_missing_row_is_a_fault_and_never_a_score)
{
    struct task *task, *other;

    open_job("");
    start(wait_for_first);
    task = take_task();
    other = take_task();
    answer_item(task, 0, 1, -1);
    end_item(task, 1, ITEM_HOLE);
    err_set(&task->err, ERR_FAULT, "nobody answered");
    give(task);
    answer(other, 1);
    answer_all();
    end();
    cr_expect_eq(seen.n, 0);
    cr_expect_eq(seen.err.code, ERR_FAULT);
    cr_expect_str_eq(seen.err.text, "nobody answered");
}

Test(session, job_ends_only_when_all_its_trials_have_returned)
{
    struct task *task, *other;

    open_job("");
    start(wait_for_first);
    task = take_task();
    other = take_task();
    err_set(&task->err, ERR_STOPPED, "stopped");
    give(task);
    // The end may not be reported while the second task is out.
    for (struct note note; !is_quiet();) {
        cr_assert(note_await(pair, &note));
        cr_expect_neq(note.kind, NOTE_ENDED);
    }
    answer(other, 1);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_STOPPED);
}

static struct ending *no_ending(struct session *s)
{
    try_baseline(s, 2);
    return NULL;
}

Test(session, job_without_an_end_callback_still_reports_its_end)
{
    open_job("");
    start(no_ending);
    answer_all();
    cr_expect_null(ended);
    end();
}

// --- runs and scores outside of trials ---

static struct ending *run_and_score(struct session *s)
{
    const struct runs_request runs_request = {
        .program = given.job->program,
        .plan = &plan,
        .candidate = session_baseline(s),
        .role = ROLE_TEACHER,
        .sampling = {.temperature = 1, .purpose = "bootstrap", .draw = 3},
        .rows = all_rows,
        .n = 2};
    struct runs *runs = runs_submit(s, &runs_request, &seen.err);
    struct trial *trial;
    struct ending *ending;

    if (runs != NULL && runs_wait(s, runs, &seen.err))
        seen.common = runs->n;
    runs_free(runs);
    trial = session_score(s, session_baseline(s), &plan,
                          (struct row_span){all_rows, 2}, &seen.err);
    seen.gain = trial == NULL ? -1 : trial->score;
    session_trials(s, &seen.n);
    ending = new_ending();
    return ending;
}

Test(session, runs_and_test_scores_are_not_trials_but_their_calls_count)
{
    struct task *task;

    open_job("");
    start(run_and_score);
    task = take_task();
    cr_expect(task->traced);
    cr_expect_not(task->kept);
    cr_expect_eq(task->role, ROLE_TEACHER);
    cr_expect_eq(task->trial, 0);
    answer(task, 1);
    task = take_task();
    cr_expect(task->kept && task->scored && !task->traced);
    cr_expect_eq(task->trial, 0);
    answer(task, 0.5);
    answer_all();
    cr_assert_not_null(ended);
    end();
    cr_expect_eq(seen.err.code, ERR_NONE, "%s", seen.err.text);
    cr_expect_eq(seen.n, 0);
    cr_expect_eq(seen.common, 2);
    cr_expect_eq(seen.gain, 0.5);
    cr_expect_not(seen.told, "only trials are told to the history");
}

static struct runs *run_a_row(struct session *s)
{
    const struct runs_request runs_request = {.program = given.job->program,
                                              .plan = &plan,
                                              .candidate = session_baseline(s),
                                              .sampling = {.purpose = "t"},
                                              .rows = all_rows,
                                              .n = 1};

    return runs_submit(s, &runs_request, &seen.err);
}

static struct ending *leave_runs(struct session *s)
{
    run_a_row(s);
    return new_ending();
}

Test(session, runs_left_unfreed_are_freed_at_the_end)
{
    open_job("");
    start(leave_runs);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_NONE, "%s", seen.err.text);
}

// --- a judge that says too little ---

// Returns true if the session only reports its progress.
static bool sends_no_task(void)
{
    struct note note;

    while (!is_quiet()) {
        cr_assert(note_await(pair, &note));
        if (note.kind == NOTE_TASK)
            return false;
    }
    return true;
}

static void answer_unjudged(struct task *task)
{
    for (size_t i = 0; i < task->n_items; i++) {
        struct task_item item = TASK_ITEM_INIT(task->rows[i]);

        item.state = ITEM_DONE;
        item.outcome = RUN_UNJUDGED;
        task_settle(task, i, &item, NULL, 0);
    }
    give(task);
}

static struct ending *drop_runs(struct session *s)
{
    struct trial *trial;

    try_baseline(s, 2);
    runs_drop(s, run_a_row(s));
    trial = try_new(s, 1);
    if (trial != NULL)
        (void)trial_wait(s, trial, &seen.err);
    return new_ending();
}

// The loop runs them until it returns them. Whoever drops the runs also frees
// their program.
Test(session, returned_runs_are_dropped_without_losing_errors)
{
    struct task *runs;

    open_job("");
    start(drop_runs);
    answer_unjudged(take_task());
    runs = take_task();
    cr_expect(sends_no_task(), "they are not back yet");
    end_item(runs, 0, ITEM_HOLE);
    give(runs);
    answer_all();
    end();
    cr_expect_eq(seen.err.code, ERR_FAULT, "%s", seen.err.text);
    cr_expect_not_null(strstr(seen.err.text, "2 of 2 answers"), "%s",
                       seen.err.text);
}
