// Whole searches through the real parts. A stopped, a shared and an undisturbed
// run of each optimizer end with the same bytes.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "spine.h"

// Two steps. The metric needs only the first, and nobody labels its confidence.
static const char job_format[] =
    "name: topics\n"
    "models: {student: 'qwen2.5:0.5b'}\n"
    "inputs: {text: {desc: A note}}\n"
    "steps:\n"
    "  sort:\n"
    "    predict: Say what the note is about.\n"
    "    inputs: [text]\n"
    "    outputs:\n"
    "      topic: {enum: [garden, kitchen, travel, music]}\n"
    "      sureness: {type: float, min: 0, max: 1}\n"
    "  reply:\n"
    "    chain_of_thought: Answer the note.\n"
    "    inputs: {text: , topic: sort.topic}\n"
    "    outputs: {answer: {desc: A sentence}}\n"
    "outputs: {topic: sort.topic, answer: reply.answer}\n"
    "data: {examples: examples.jsonl}\n"
    "metric: {exact_match: topic}\n"
    "optimizer: {%s}\n";

static struct spine spine;
static char *examples;

static void set_up(void)
{
    spine_init(&spine, &(struct sim_options){.slots = 4});
    examples = spine_examples();
}

static void tear_down(void)
{
    spine_release(&spine);
    free(examples);
}

TestSuite(search, .init = set_up, .fini = tear_down, .timeout = 300);

static char *job_of(const char *optimizer)
{
    char *job = malloc(sizeof job_format + strlen(optimizer));

    snprintf(job, sizeof job_format + strlen(optimizer), job_format, optimizer);
    return job;
}

static void submit_with(const char *options, const char *optimizer)
{
    char *job = job_of(optimizer);

    spine_submit(&spine, "run", options, job, examples);
    cr_assert_eq(spine.status, 0, "status %lld, %s", (long long)spine.status,
                 json_get_text(json_object_get(spine.document, "error"), "text",
                               "(no error)"));
    free(job);
}

static void submit(const char *optimizer)
{
    submit_with("{}", optimizer);
}

static char *run_whole(const char *optimizer, size_t n_workers, int slots)
{
    char *compiled;

    spine_start(&spine, n_workers, slots);
    submit(optimizer);
    compiled = strdup(spine.compiled);
    spine_stop(&spine);
    return compiled;
}

static void fresh_spine(const struct sim_options *sim)
{
    spine_release(&spine);
    spine_init(&spine, sim);
}

static double score_of(const char *which)
{
    return json_get_number(json_object_get(spine.document, which), "score", -1);
}

static void expect_gain(const char *optimizer)
{
    spine_start(&spine, 2, 2);
    submit(optimizer);
    cr_expect_gt(score_of("compiled"), score_of("baseline"), "%s: %g, %g",
                 optimizer, score_of("compiled"), score_of("baseline"));
}

static const char small_mipro[] =
    "miprov2: {num_candidates: 3, num_trials: 12, minibatch: true, "
    "minibatch_size: 10}";

Test(search, miprov2_gains)
{
    expect_gain(small_mipro);
}

Test(search, labeled_few_shot_gains)
{
    expect_gain("labeled_few_shot: {k: 8}");
}

Test(search, bootstrap_random_search_gains)
{
    expect_gain("bootstrap_random_search: {num_candidate_programs: 3}");
}

Test(search, miprov2_is_the_same_with_one_worker_and_with_eight)
{
    char *one = run_whole(small_mipro, 1, 1);

    fresh_spine(&(struct sim_options){.slots = 4});
    char *eight = run_whole(small_mipro, 8, 2);
    cr_expect_str_eq(one, eight);
    free(one);
    free(eight);
}

static const char small_race[] = "screen_and_race: {evaluations: 120}";

Test(search, screen_and_race_gains)
{
    expect_gain(small_race);
}

Test(search, screen_and_race_is_the_same_with_one_worker_and_with_eight)
{
    char *one = run_whole(small_race, 1, 1);

    fresh_spine(&(struct sim_options){.slots = 4});
    char *eight = run_whole(small_race, 8, 2);
    cr_expect_str_eq(one, eight);
    free(one);
    free(eight);
}

Test(search, miprov2_resumes_where_it_was_stopped)
{
    char *whole = run_whole(small_mipro, 1, 2);
    char *job = job_of(small_mipro);

    fresh_spine(&(struct sim_options){.slots = 4, .latency_ms = 2});
    for (int64_t calls = 30; calls <= 150; calls += 60) {
        spine_start(&spine, 1, 2);
        spine_submit_and_stop(&spine, job, examples, calls);
        spine_stop(&spine);
    }
    char *resumed = run_whole(small_mipro, 1, 2);
    cr_expect_str_eq(whole, resumed);
    free(job);
    free(whole);
    free(resumed);
}

// --- budgets ---

// Counts requests without the copies of slow calls; on a slow or emulated
// machine every call is slow.
static int64_t chats(void)
{
    const json_t *calls = json_object_get(spine.document, "calls");
    struct sim_stats stats;

    sim_server_stats(spine.sim, &stats);
    return (int64_t)stats.chats - json_get_int(calls, "hedged", 0);
}

static const char *budget_of(int64_t calls)
{
    static char options[64];

    snprintf(options, sizeof options, "{\"set\": [\"budget.max_calls=%lld\"]}",
             (long long)calls);
    return options;
}

static char *run_with_budget(int64_t calls, size_t n_workers, int slots)
{
    char *compiled;

    fresh_spine(&(struct sim_options){.slots = 4});
    spine_start(&spine, n_workers, slots);
    submit_with(budget_of(calls), small_mipro);
    cr_expect_str_eq(json_get_text(spine.document, "finish_reason", ""),
                     "budget");
    compiled = strdup(spine.compiled);
    spine_stop(&spine);
    return compiled;
}

Test(search, call_budget_ends_the_search_equally_on_any_cluster)
{
    for (int64_t calls = 20; calls <= 120; calls += 20) {
        char *one = run_with_budget(calls, 1, 1);

        cr_expect_leq(chats(), calls);
        char *many = run_with_budget(calls, 8, 2);
        cr_expect_leq(chats(), calls);
        cr_expect_str_eq(one, many, "%lld calls", (long long)calls);
        free(one);
        free(many);
    }
}

Test(search, run_ended_by_its_budget_continues_with_a_larger_one)
{
    char *whole = run_whole(small_mipro, 1, 2);
    int64_t paid = chats();

    fresh_spine(&(struct sim_options){.slots = 4});
    spine_start(&spine, 2, 2);
    for (int64_t calls = 40; calls <= 160; calls += 40)
        submit_with(budget_of(calls), small_mipro);
    spine_stop(&spine);
    char *resumed = run_whole(small_mipro, 1, 2);
    cr_expect_str_eq(whole, resumed);
    // Each of the four runs may have scored the eight test rows with a
    // different winner.
    cr_expect_leq(chats(), paid + 4 * 8 * 2);
    free(whole);
    free(resumed);
}

Test(search, resumed_run_ends_at_the_same_budget)
{
    char *whole = run_with_budget(100, 1, 2);
    char *job = job_of(small_mipro);

    fresh_spine(&(struct sim_options){.slots = 4, .latency_ms = 2});
    for (int64_t calls = 25; calls <= 75; calls += 25) {
        spine_start(&spine, 1, 2);
        spine_submit_and_stop(&spine, job, examples, calls);
        spine_stop(&spine);
    }
    spine_start(&spine, 2, 2);
    submit_with(budget_of(100), small_mipro);
    cr_expect_str_eq(spine.compiled, whole);
    spine_stop(&spine);
    free(job);
    free(whole);
}

Test(search, steps_that_are_not_searched_still_get_demos)
{
    struct err err = ERR_CLEAR;

    spine_start(&spine, 2, 2);
    submit(small_mipro);
    json_t *file =
        json_parse(spine.compiled, strlen(spine.compiled), 1 << 22, &err);
    cr_assert_not_null(file, "%s", err.text);
    cr_expect_gt(json_array_size(json_object_get(
                     json_object_get(file, "reply.predict"), "demos")),
                 0);
    json_decref(file);
}
