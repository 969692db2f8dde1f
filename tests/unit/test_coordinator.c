// The whole spine in one process: a job's result must not depend on how it was
// run.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "spine.h"

static const char job[] =
    SPINE_JOB("bootstrap_few_shot: {max_bootstrapped_demos: 4, "
              "max_labeled_demos: 8}");

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

TestSuite(coordinator, .init = set_up, .fini = tear_down);

static const char *finish_of(const struct spine *s)
{
    return json_get_text(
        s->document, "finish_reason",
        json_get_text(json_object_get(s->document, "error"), "text", "(none)"));
}

Test(coordinator, compiles_a_program_that_beats_its_baseline)
{
    double before, after;

    spine_start(&spine, 1, 2);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0, "%s", finish_of(&spine));
    before = json_get_number(json_object_get(spine.document, "baseline"),
                             "score", -1);
    after = json_get_number(json_object_get(spine.document, "compiled"),
                            "score", -1);
    cr_expect_gt(after, before);
    cr_expect_gt(strlen(spine.compiled), 100);
}

static char *run_whole(size_t n_workers, int slots)
{
    char *compiled;

    spine_start(&spine, n_workers, slots);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0, "%s", finish_of(&spine));
    compiled = strdup(spine.compiled);
    spine_stop(&spine);
    return compiled;
}

Test(coordinator, gives_the_same_bytes_with_one_worker_and_with_sixteen)
{
    char *one = run_whole(1, 1);
    char *sixteen;

    spine_release(&spine);
    spine_init(&spine, &(struct sim_options){.slots = 8});
    sixteen = run_whole(16, 2);
    cr_expect_str_eq(one, sixteen);
    free(one);
    free(sixteen);
}

Test(coordinator, makes_no_calls_for_a_finished_job)
{
    struct sim_stats before, after;
    char *first = run_whole(1, 2);
    char *second;

    sim_server_stats(spine.sim, &before);
    second = run_whole(1, 2);
    sim_server_stats(spine.sim, &after);
    cr_expect_str_eq(first, second);
    cr_expect_eq(before.chats, after.chats);
    free(first);
    free(second);
}

Test(coordinator, resumes_after_a_stop_and_ends_with_the_same_bytes)
{
    char *whole = run_whole(1, 2);
    char *resumed;

    spine_release(&spine);
    spine_init(&spine, &(struct sim_options){.slots = 2, .latency_ms = 20});
    spine_start(&spine, 1, 2);
    spine_submit_and_stop(&spine, job, examples, 20);
    cr_expect_eq(spine.status, 130, "%s", finish_of(&spine));
    spine_stop(&spine);
    resumed = run_whole(1, 2);
    cr_expect_str_eq(whole, resumed);
    free(whole);
    free(resumed);
}

Test(coordinator, gives_the_same_bytes_when_a_fifth_of_requests_fail)
{
    char *whole = run_whole(1, 2);
    char *shaky;

    spine_release(&spine);
    spine_init(&spine, &(struct sim_options){.slots = 4,
                                             .fault_rate = 0.2,
                                             .fault_kinds = "500,503,cut"});
    shaky = run_whole(4, 1);
    cr_expect_str_eq(whole, shaky);
    free(whole);
    free(shaky);
}

Test(coordinator, says_which_model_is_missing_and_what_to_do)
{
    static const char *const models[] = {"other:1b"};

    spine_release(&spine);
    spine_init(&spine, &(struct sim_options){.models = models,
                                             .n_models = 1,
                                             .only_models = true});
    spine_start(&spine, 1, 1);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_expect_eq(spine.status, 2);
    cr_expect_not_null(strstr(finish_of(&spine), "ollama pull qwen2.5:0.5b"),
                       "%s", finish_of(&spine));
}

Test(coordinator, evaluates_the_program_as_written)
{
    spine_start(&spine, 1, 2);
    spine_submit(&spine, "eval", "{}", job, examples);
    cr_assert_eq(spine.status, 0, "%s", finish_of(&spine));
    cr_expect_gt(json_get_int(spine.document, "n", 0), 0);
    cr_expect_geq(json_get_number(spine.document, "score", -1), 0);
}
