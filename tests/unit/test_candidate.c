#include "program/graph/candidate.h"

#include <criterion/criterion.h>

#include "given_program.h"
#include "program/graph/tunable.h"

static struct program *program;
static struct err err;

static void open_program(void)
{
    err = ERR_CLEAR;
    program = given_program(given_customer_care);
}

static void close_program(void)
{
    program_free(program);
}

TestSuite(candidate, .init = open_program, .fini = close_program);

static struct candidate *as_written(void)
{
    struct candidate *candidate = candidate_new(program, &err);

    cr_assert(candidate != NULL, "%s", err.text);
    return candidate;
}

static void show(struct candidate *candidate, size_t part, const char *fields,
                 int row, bool augmented)
{
    struct demo demo = {
        .fields = given_json(fields), .augmented = augmented, .row = row};

    cr_assert(candidate_set_demos(candidate, part, 1, &demo, 1, &err), "%s",
              err.text);
    json_decref(demo.fields);
}

Test(candidate, starts_as_the_program_as_written)
{
    struct candidate *candidate = as_written();

    cr_expect_eq(candidate->n_parts, 3);
    cr_expect_str_eq(candidate->parts[0].instruction,
                     "Classify the message into a single intent.");
    cr_expect_str_eq(candidate->parts[2].instruction,
                     "Write a polite and concise answer.");
    cr_expect_eq(candidate->parts[0].n_demos, 0);
    candidate_unref(candidate);
}

// Returns a tunable with whole numbers as choices; the first is the default.
static struct tunable given_tunable(const char *name, const json_t **choices,
                                    size_t n)
{
    return (struct tunable){
        .name = name, .step = -1, .choices = choices, .n_choices = n};
}

Test(candidate, lists_its_choices_and_no_defaults)
{
    const json_t *choices[] = {json_integer(512), json_integer(2048)};
    struct tunable length = given_tunable("num_predict", choices, 2);
    struct tunable k = given_tunable("search.k", choices, 2);
    struct candidate *plain = as_written();
    struct candidate *chosen = as_written();
    struct candidate *back = NULL;

    candidate_seal(plain);
    cr_assert(tunable_set(&length, chosen, 1, &err), "%s", err.text);
    cr_assert(tunable_set(&k, chosen, 1, &err), "%s", err.text);
    candidate_seal(chosen);
    json_t *tuned = candidate_tuned(chosen);
    json_t *expected =
        given_json("{\"num_predict\": 2048, \"search.k\": 2048}");
    cr_expect(json_equal(tuned, expected));
    cr_expect_eq(tunable_get(&k, chosen), 1);
    cr_expect_eq(tunable_get(&k, plain), 0);
    cr_expect_not(hash_equal(&plain->id, &chosen->id));

    back = candidate_child(chosen, &err);
    cr_expect_eq(tunable_get(&length, back), 1, "a copy has them too");
    cr_assert(tunable_set(&length, back, 0, &err));
    candidate_seal(back);
    cr_expect_not(hash_equal(&back->id, &plain->id), "`k` still differs");
    struct candidate *home = candidate_child(back, &err);
    cr_assert(tunable_set(&k, home, 0, &err));
    candidate_seal(home);
    cr_expect(hash_equal(&home->id, &plain->id));

    json_decref(tuned);
    json_decref(expected);
    candidate_unref(plain);
    candidate_unref(chosen);
    candidate_unref(back);
    candidate_unref(home);
    json_decref((json_t *)choices[0]);
    json_decref((json_t *)choices[1]);
}

Test(candidate, the_default_of_a_tunable_has_the_first_place)
{
    struct tunable four = {.n_choices = 4, .default_index = 2};
    static const size_t nth[] = {2, 0, 1, 3};

    for (size_t n = 0; n < 4; n++) {
        cr_expect_eq(tunable_nth(&four, n), nth[n]);
        cr_expect_eq(tunable_place(&four, nth[n]), n);
    }
}

Test(candidate, shows_the_chosen_number_of_demos)
{
    const json_t *choices[] = {json_integer(1), json_integer(4)};
    struct tunable count = given_tunable("demos.count", choices, 2);
    struct candidate *candidate = as_written();
    json_t *fields = given_json("{\"user_message\": \"x\"}");
    struct demo demos[] = {{.fields = fields, .row = 3},
                           {.fields = fields, .row = 5}};

    count.counts_demos = true;
    cr_assert(candidate_set_demos(candidate, 0, 2, demos, 2, &err));
    cr_expect_eq(tunable_get(&count, candidate), 1);
    cr_assert(tunable_set(&count, candidate, 1, &err));
    cr_expect_eq(candidate->parts[0].n_demos, 2);
    cr_assert(tunable_set(&count, candidate, 0, &err));
    cr_expect_eq(candidate->parts[0].n_demos, 1);
    cr_expect_eq(candidate->parts[0].demo_set_no, 2);
    cr_expect_eq(tunable_get(&count, candidate), 0);
    json_decref(fields);
    candidate_unref(candidate);
    json_decref((json_t *)choices[0]);
    json_decref((json_t *)choices[1]);
}

Test(candidate, has_the_same_id_however_it_was_made)
{
    struct candidate *one = as_written();
    struct candidate *other = as_written();

    show(one, 0, "{\"user_message\": \"a\", \"intent\": \"b\"}", 3, false);
    show(other, 0, "{\"intent\": \"b\", \"user_message\": \"a\"}", 7, true);
    cr_assert(candidate_set_instruction(other, 1, 5, one->parts[1].instruction,
                                        &err));
    candidate_seal(one);
    candidate_seal(other);
    cr_expect(hash_equal(&one->id, &other->id));
    candidate_unref(one);
    candidate_unref(other);
}

Test(candidate, id_changes_with_the_instruction_or_a_demo)
{
    struct candidate *one = as_written();
    struct candidate *two = as_written();
    struct candidate *three = as_written();

    cr_assert(candidate_set_instruction(two, 0, 1, "Sort it.", &err));
    show(three, 0, "{\"user_message\": \"a\"}", 3, false);
    candidate_seal(one);
    candidate_seal(two);
    candidate_seal(three);
    cr_expect_not(hash_equal(&one->id, &two->id));
    cr_expect_not(hash_equal(&one->id, &three->id));
    cr_expect_not(hash_equal(&two->id, &three->id));
    candidate_unref(one);
    candidate_unref(two);
    candidate_unref(three);
}

Test(candidate, id_distinguishes_the_same_demo_in_different_predictors)
{
    struct candidate *one = as_written();
    struct candidate *other = as_written();

    show(one, 0, "{\"user_message\": \"a\"}", 3, false);
    show(other, 1, "{\"user_message\": \"a\"}", 3, false);
    candidate_seal(one);
    candidate_seal(other);
    cr_expect_not(hash_equal(&one->id, &other->id));
    candidate_unref(one);
    candidate_unref(other);
}

Test(candidate, leaves_a_copy_alone)
{
    struct candidate *one = as_written();

    show(one, 0, "{\"user_message\": \"a\"}", 3, false);
    struct candidate *copy = candidate_copy(one, &err);
    cr_assert(copy != NULL, "%s", err.text);
    cr_assert(candidate_set_instruction(copy, 0, 2, "Other.", &err));
    cr_assert(candidate_set_demos(copy, 0, 0, NULL, 0, &err));
    cr_expect_str_eq(one->parts[0].instruction,
                     "Classify the message into a single intent.");
    cr_expect_eq(one->parts[0].n_demos, 1);
    cr_expect_eq(copy->parts[0].n_demos, 0);
    cr_expect_eq(copy->parts[0].instruction_no, 2);
    candidate_unref(copy);
    candidate_unref(one);
}

Test(candidate, id_changes_with_a_setting)
{
    struct candidate *one = as_written();
    struct candidate *cold = as_written();
    struct candidate *warm = as_written();
    json_t *half = json_real(0.5);
    json_t *zero = json_real(0);

    cr_assert(settings_set(&cold->settings, "temperature", zero, &err));
    cr_assert(settings_set(&warm->settings, "temperature", half, &err));
    candidate_seal(one);
    candidate_seal(cold);
    candidate_seal(warm);
    cr_expect_not(hash_equal(&one->id, &cold->id), "unset is the job's");
    cr_expect_not(hash_equal(&cold->id, &warm->id));
    json_decref(half);
    json_decref(zero);
    candidate_unref(one);
    candidate_unref(cold);
    candidate_unref(warm);
}

Test(candidate, names_its_parents_without_changing_its_id)
{
    struct candidate *one = as_written();

    candidate_seal(one);
    struct candidate *child = candidate_child(one, &err);
    cr_assert(child != NULL, "%s", err.text);
    struct candidate *fitted = candidate_copy(child, &err);
    cr_assert(fitted != NULL, "%s", err.text);
    candidate_seal(child);
    cr_expect_eq(fitted->n_parents, 1);
    cr_expect(hash_equal(&fitted->parents[0], &one->id));
    cr_expect(hash_equal(&child->id, &one->id));
    candidate_unref(one);
    candidate_unref(child);
    candidate_unref(fitted);
}

Test(candidate, lives_until_the_last_reference_is_dropped)
{
    struct candidate *one = as_written();
    struct candidate *held = candidate_ref(one);

    show(one, 0, "{\"user_message\": \"a\"}", 3, false);
    candidate_unref(one);
    cr_expect_eq(held->parts[0].demos[0].row, 3);
    candidate_unref(held);
    candidate_unref(NULL);
}

Test(candidate, row_sees_a_part_without_the_demo_made_from_it)
{
    struct candidate *one = as_written();
    struct demo others[2];
    struct candidate_part seen;

    show(one, 0, "{\"user_message\": \"a\"}", 3, false);
    show(one, 2, "{\"user_message\": \"b\"}", -1, false);
    cr_expect(candidate_part_has(&one->parts[0], 3));
    cr_expect_not(candidate_part_has(&one->parts[0], 4));
    cr_expect_not(candidate_part_has(&one->parts[2], -1), "no row at all");
    seen = candidate_part_for(&one->parts[0], 3, others);
    cr_expect_eq(seen.n_demos, 0);
    cr_expect_eq(seen.instruction, one->parts[0].instruction);
    seen = candidate_part_for(&one->parts[0], 4, others);
    cr_expect_eq(seen.n_demos, 1);
    cr_expect_eq(seen.demos[0].fields, one->parts[0].demos[0].fields);
    seen = candidate_part_for(&one->parts[2], -1, others);
    cr_expect_eq(seen.n_demos, 1);
    candidate_unref(one);
}
