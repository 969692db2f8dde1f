#include "store/call_index.h"
#include "store/evaluation_index.h"

#include <math.h>

#include <criterion/criterion.h>

static struct call_index calls;
static struct evaluation_index evaluations;
static struct err err;

static void release_all(void)
{
    call_index_release(&calls);
    evaluation_index_release(&evaluations);
}

TestSuite(call_index, .fini = release_all);

static struct hash number_key(int64_t number)
{
    return hash_of("test", &number, sizeof number);
}

static void add_call(int64_t id)
{
    struct hash key = number_key(id);
    struct call_ref ref = {
        .id = id,
        .prompt_tokens = (int32_t)id + 1,
        .generated_tokens = (int32_t)id + 2,
        .outcome = CALL_CUT,
    };

    cr_assert(call_index_reserve(&calls, id, &err), "%s", err.text);
    call_index_add(&calls, &key, &ref);
}

Test(call_index, a_call_is_found_by_its_key)
{
    int64_t id = 5;
    struct hash key = hash_of("test", &id, sizeof id);
    struct call_ref ref = {0};

    for (int64_t i = 1; i < 100; i++)
        add_call(i);
    cr_assert(call_index_find(&calls, &key, &ref));
    cr_expect_eq(ref.id, 5);
    cr_expect_eq(ref.prompt_tokens, 6);
    cr_expect_eq(ref.generated_tokens, 7);
    cr_expect_eq(ref.outcome, CALL_CUT);
}

Test(call_index, call_is_found_by_its_id_despite_gaps)
{
    struct call_ref ref = {0};

    for (int64_t i = 1; i < 1000; i += i < 500 ? 1 : 3)
        add_call(i);
    for (int64_t i = 1; i < 1000; i += i < 500 ? 1 : 3) {
        cr_assert(call_index_get(&calls, i, &ref), "%d", (int)i);
        cr_assert_eq(ref.id, i);
    }
}

Test(call_index, missing_id_is_not_found)
{
    struct call_ref ref = {0};

    cr_expect_not(call_index_get(&calls, 1, &ref));
    add_call(4);
    add_call(9);
    cr_expect_not(call_index_get(&calls, 0, &ref));
    cr_expect_not(call_index_get(&calls, -3, &ref));
    cr_expect_not(call_index_get(&calls, 5, &ref));
    cr_expect_not(call_index_get(&calls, 10, &ref));
}

Test(call_index, calls_appended_before_the_build_are_found_after_it)
{
    struct call_ref ref = {0};
    struct hash key;

    for (int64_t i = 1; i < 1000; i++) {
        ref = (struct call_ref){.id = 2 * i, .prompt_tokens = (int32_t)i};
        key = number_key(i % 500); // half of them appear twice
        cr_assert(call_index_append(&calls, &key, &ref, &err));
    }
    cr_assert(call_index_build(&calls, &err));
    key = number_key(600);
    cr_expect_not(call_index_find(&calls, &key, &ref));
    for (int64_t i = 1; i < 1000; i++) {
        key = number_key(i % 500);
        cr_assert(call_index_find(&calls, &key, &ref));
        cr_expect_eq(ref.prompt_tokens, i % 500 == 0 ? 500 : i % 500);
        cr_assert(call_index_get(&calls, 2 * i, &ref));
        cr_expect_eq(ref.prompt_tokens, i);
    }
    ref.id = 5000;
    key = number_key(600);
    cr_assert(call_index_reserve(&calls, ref.id, &err));
    call_index_add(&calls, &key, &ref);
    cr_expect(call_index_find(&calls, &key, &ref));
}

Test(call_index, equal_evaluations_share_one_verdict)
{
    struct history_evaluation one = {.candidate_id = 1, .n_calls = 1};
    struct history_evaluation out = {0};

    for (int32_t i = 0; i < 300; i++) {
        one.row = i;
        one.score = i % 3 == 0 ? (double)NAN : i % 3;
        one.p_right = i % 2 == 0 ? -1 : 0.5f;
        one.calls[0] = 1000 + i;
        cr_assert(evaluation_index_reserve(&evaluations, &one, &err));
        evaluation_index_add(&evaluations, &one);
    }
    cr_expect_eq(evaluations.verdict_slots.n, 6);
    cr_assert(evaluation_index_find(&evaluations, 1, 299, 0, &out));
    cr_expect_eq(out.score, 2);
    cr_expect_eq(out.p_right, 0.5f);
    cr_expect_eq(out.n_calls, 1);
    cr_expect_eq(out.calls[0], 1299);
    cr_assert(evaluation_index_find(&evaluations, 1, 0, 0, &out));
    cr_expect(isnan(out.score));
    cr_expect(out.p_right < 0);
}

Test(call_index, candidate_ids_beyond_32_bits_stay_distinct)
{
    struct history_evaluation one = {.candidate_id = 1};
    struct history_evaluation out = {0};

    cr_assert(evaluation_index_reserve(&evaluations, &one, &err));
    evaluation_index_add(&evaluations, &one);
    cr_expect_not(evaluation_index_find(&evaluations, 1 + (INT64_C(1) << 32), 0,
                                        0, &out));
}

Test(call_index, an_evaluation_is_found_with_all_its_calls)
{
    struct history_evaluation one = {
        .row = 3, .outcome = 1, .lenient = 6, .score = 0.25, .n_calls = 3};
    struct history_evaluation out = {0};

    for (int32_t i = 0; i < 500; i++) {
        one.candidate_id = i;
        for (int32_t k = 0; k < 3; k++)
            one.calls[k] = i * 3 + k;
        cr_assert(evaluation_index_reserve(&evaluations, &one, &err));
        evaluation_index_add(&evaluations, &one);
    }
    cr_assert(evaluation_index_find(&evaluations, 321, 3, 0, &out));
    cr_expect_eq(out.candidate_id, 321);
    cr_expect_eq(out.outcome, 1);
    cr_expect_eq(out.lenient, 6);
    cr_expect_eq(out.score, 0.25);
    cr_expect_eq(out.n_calls, 3);
    cr_expect_eq(out.calls[2], 321 * 3 + 2);
    cr_expect_null(out.feedback);
}

Test(call_index, each_of_many_rows_of_a_candidate_has_its_own_evaluation)
{
    struct history_evaluation one = {.candidate_id = 7, .n_calls = 1};
    struct history_evaluation out = {0};

    for (int32_t i = 0; i < 3000; i++) {
        one.row = i * 987;
        one.calls[0] = i + 1;
        cr_expect_not(evaluation_index_find(&evaluations, 7, one.row, 0, &out));
        cr_assert(evaluation_index_reserve(&evaluations, &one, &err));
        evaluation_index_add(&evaluations, &one);
    }
    for (int32_t i = 0; i < 3000; i++) {
        cr_assert(evaluation_index_find(&evaluations, 7, i * 987, 0, &out));
        cr_assert_eq(out.calls[0], i + 1);
    }
    cr_expect_not(evaluation_index_find(&evaluations, 7, 1, 0, &out));
    cr_expect_leq(evaluations.tables[0].cap, 2 * 3000);
}

Test(call_index, evaluations_are_distinguished_by_row_and_replicate)
{
    struct history_evaluation one = {.candidate_id = 1, .row = 2};
    struct history_evaluation out = {0};

    cr_assert(evaluation_index_reserve(&evaluations, &one, &err));
    evaluation_index_add(&evaluations, &one);
    cr_expect_not(evaluation_index_find(&evaluations, 1, 2, 1, &out));
    cr_expect_not(evaluation_index_find(&evaluations, 1, 3, 0, &out));
    cr_expect_not(evaluation_index_find(&evaluations, 2, 2, 0, &out));
    cr_expect(evaluation_index_find(&evaluations, 1, 2, 0, &out));
}
