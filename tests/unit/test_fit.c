#include "search/session/fit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "given_data.h"

enum { ROWS = 6, ROOMY = 100000 };

static struct given_data given;
static struct plan plan;
static struct fit *fit;

// Makes rows whose last message is far longer than the others.
static void set_up(void)
{
    static char text[16384];
    size_t len = 0;

    for (int i = 0; i < ROWS; i++)
        len += (size_t)snprintf(
            text + len, sizeof text - len,
            "{\"message\": \"%*d\", \"intent\": \"track\", \"sure\": 1, "
            "\"urgent\": true, \"tags\": [], \"note\": \"n\"}\n",
            i == ROWS - 1 ? 2000 : 400, i);
    given_data_open(&given, "{examples: rows.jsonl}", "");
    given_data_add(&given, "rows.jsonl", text, len);
    given_data_load(&given);
    cr_assert_not_null(given.dataset);
    plan_all(given.job->program, &plan);
    fit = fit_new(given.job, given.dataset, &plan, &given.err);
    cr_assert_not_null(fit, "%s", given.err.text);
}

static void tear_down(void)
{
    fit_free(fit);
    given_data_close(&given);
}

TestSuite(fit, .init = set_up, .fini = tear_down);

static void set_context(int32_t num_ctx)
{
    given.job->models[ROLE_STUDENT].options.num_ctx = num_ctx;
}

// Shows n demos whose message has that many bytes.
static struct candidate *showing_long(size_t n, size_t bytes)
{
    struct candidate *candidate = candidate_new(given.job->program, &given.err);
    json_t *fields = dataset_fields(given.dataset, 0);
    struct demo demos[ROWS];
    char *text = malloc(bytes + 1);

    cr_assert_not_null(text);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    json_object_set_new(fields, "message", json_string(text));
    for (size_t i = 0; i < n; i++)
        demos[i] = (struct demo){.fields = fields, .row = (int)i};
    cr_assert(candidate_set_demos(candidate, 0, 3, demos, n, &given.err));
    candidate_seal(candidate);
    json_decref(fields);
    free(text);
    return candidate;
}

static struct candidate *showing(size_t n)
{
    struct candidate *candidate = candidate_new(given.job->program, &given.err);
    struct demo demos[ROWS];

    for (size_t i = 0; i < n; i++)
        demos[i] = (struct demo){.fields = dataset_fields(given.dataset, i),
                                 .row = (int)i};
    cr_assert(candidate_set_demos(candidate, 0, 3, demos, n, &given.err));
    for (size_t i = 0; i < n; i++)
        json_decref(demos[i].fields);
    candidate_seal(candidate);
    return candidate;
}

// Returns how many of n demos are left in a context of that size.
static size_t demos_left(size_t n, int32_t num_ctx)
{
    struct candidate *candidate = showing(n), *fitting;
    size_t left;

    set_context(num_ctx);
    fitting = fit_candidate(fit, candidate, &given.err);
    cr_assert_not_null(fitting, "%s", given.err.text);
    left = fitting->parts[0].n_demos;
    for (size_t d = 0; d < left; d++)
        cr_expect_eq(fitting->parts[0].demos[d].row, (int)d);
    candidate_unref(fitting);
    candidate_unref(candidate);
    return left;
}

Test(fit, candidate_that_fits_is_unchanged)
{
    struct candidate *candidate = showing(3);
    struct candidate *fitting;

    set_context(ROOMY);
    fitting = fit_candidate(fit, candidate, &given.err);
    cr_expect_eq(fitting, candidate);
    candidate_unref(fitting);
    candidate_unref(candidate);
}

Test(fit, demos_are_dropped_from_the_end_until_the_longest_example_fits)
{
    size_t before = 4;

    // Wherever the limit is, a larger context never leaves fewer demos.
    for (int32_t num_ctx = 4096; num_ctx >= 256; num_ctx -= 64) {
        size_t left = demos_left(4, num_ctx);

        cr_expect_leq(left, before, "num_ctx %d", (int)num_ctx);
        before = left;
    }
    cr_expect_eq(demos_left(4, ROOMY), 4);
    cr_expect_eq(before, 0);
}

Test(fit, demos_are_dropped_until_a_prompt_can_be_written)
{
    static const struct {
        size_t bytes, left;
    } cases[] = {{1 << 20, 3}, {3 << 19, 2}, {2 << 20, 1}, {5 << 20, 0}};

    set_context(16 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct candidate *candidate = showing_long(3, cases[i].bytes);
        struct candidate *fitting = fit_candidate(fit, candidate, &given.err);

        cr_assert_not_null(fitting, "%s", given.err.text);
        cr_expect_eq(fitting->parts[0].n_demos, cases[i].left);
        candidate_unref(fitting);
        candidate_unref(candidate);
    }
}

Test(fit, a_demo_that_cannot_be_written_is_not_shown_from_a_pool)
{
    struct candidate *candidate = showing_long(3, 5 << 20), *fitting;

    candidate_set_nearest(candidate, 0, 2);
    candidate_seal(candidate);
    set_context(16 << 20);
    fitting = fit_candidate(fit, candidate, &given.err);
    cr_assert_not_null(fitting, "%s", given.err.text);
    cr_expect_eq(candidate_part_n_shown(&fitting->parts[0]), 0);
    candidate_unref(fitting);
    candidate_unref(candidate);
}

Test(fit, room_for_the_answer_is_reserved)
{
    int32_t num_ctx = 256;

    given.job->models[ROLE_STUDENT].options.num_predict = 64;
    while (demos_left(2, num_ctx) < 2)
        num_ctx += 16;
    given.job->models[ROLE_STUDENT].options.num_predict = 64 + 512;
    cr_expect_lt(demos_left(2, num_ctx), 2);
    cr_expect_eq(demos_left(2, num_ctx + 512), 2);
}

Test(fit, shortened_candidate_gets_a_new_id)
{
    struct candidate *candidate = showing(4), *fitting;

    set_context(1024);
    fitting = fit_candidate(fit, candidate, &given.err);
    cr_assert_not_null(fitting, "%s", given.err.text);
    cr_expect_lt(fitting->parts[0].n_demos, 4);
    cr_expect_neq(memcmp(&fitting->id, &candidate->id, sizeof fitting->id), 0);
    cr_expect_eq(candidate->parts[0].n_demos, 4);
    candidate_unref(fitting);
    candidate_unref(candidate);
}

Test(fit, program_too_long_as_written_is_reported_with_the_remedy)
{
    struct candidate *candidate = showing(0);

    set_context(ROOMY);
    cr_expect(fit_check(fit, candidate, &given.err), "%s", given.err.text);
    set_context(300);
    cr_expect_not(fit_check(fit, candidate, &given.err));
    cr_expect_eq(given.err.code, ERR_INPUT);
    cr_expect_not_null(strstr(given.err.text, "`classify`"));
    cr_expect_not_null(strstr(given.err.text, "num_ctx"));
    candidate_unref(candidate);
}

Test(fit, limit_below_the_bare_prompt_is_reported)
{
    struct candidate *candidate = showing(0);
    size_t tokens = 0;

    set_context(ROOMY);
    cr_assert(fit_tokens(fit, candidate, &tokens, &given.err));
    given.job->max_prompt_tokens = (int64_t)tokens;
    cr_expect(fit_check(fit, candidate, &given.err), "%s", given.err.text);
    given.job->max_prompt_tokens = (int64_t)tokens - 1;
    cr_expect_not(fit_check(fit, candidate, &given.err));
    cr_expect_not_null(strstr(given.err.text, "`max_prompt_tokens` is"));
    candidate_unref(candidate);
}

Test(fit, a_step_that_does_not_run_keeps_its_demos)
{
    memset(plan.runs, 0, sizeof plan.runs);
    cr_expect_eq(demos_left(4, 300), 4);
}

Test(fit, fewer_demos_of_a_pool_are_shown_until_the_longest_fit)
{
    size_t before = 3;

    for (int32_t num_ctx = ROOMY; num_ctx >= 256; num_ctx /= 2) {
        struct candidate *candidate = showing(ROWS), *fitting;
        const struct candidate_part *part;

        candidate_set_nearest(candidate, 0, 3);
        candidate_seal(candidate);
        set_context(num_ctx);
        fitting = fit_candidate(fit, candidate, &given.err);
        cr_assert_not_null(fitting, "%s", given.err.text);
        part = &fitting->parts[0];
        cr_expect_leq(candidate_part_n_shown(part), before);
        cr_expect(part->n_demos == 0 || part->n_demos == ROWS,
                  "the pool itself stays whole");
        before = candidate_part_n_shown(part);
        candidate_unref(fitting);
        candidate_unref(candidate);
    }
    cr_expect_eq(before, 0);
}
