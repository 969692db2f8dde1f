#include "given_data.h"

#include <stdlib.h>

#include "common/json.h"

static struct given_data given;
static const char *const labels[] = {"track", "cancel", "refund"};

static void close_given(void)
{
    given_data_close(&given);
}

// Writes n rows; the label of row i is i mod n_labels.
static void put_rows(char *out, size_t size, const char *word, int n,
                     int n_labels)
{
    size_t used = 0;

    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(
            out + used, size - used,
            "{\"message\": \"%s %d\", \"intent\": \"%s\", \"own\": %d}\n", word,
            i, labels[i % n_labels], i);
    cr_assert(used < size);
}

static void add_rows(const char *file, int n, int n_labels)
{
    static char text[1 << 16];

    put_rows(text, sizeof text, file, n, n_labels);
    given_data_add(&given, file, text, strlen(text));
}

static bool make(void)
{
    given_data_load(&given);
    cr_assert_not_null(given.dataset, "%s",
                       given.diags->n > 0 ? given.diags->items[0].text : "");
    return split_make(given.job, given.dataset, &given.split, given.diags);
}

static void make_one(const char *data, int n, int n_labels)
{
    given_data_open(&given, data, "");
    add_rows("e.jsonl", n, n_labels);
    cr_assert(make(), "%s",
              given.diags->n > 0 ? given.diags->items[0].text : "");
}

static void expect_sizes(size_t train, size_t val, size_t test)
{
    cr_expect_eq(given.split.n[SHARE_TRAIN], train, "train has %zu",
                 given.split.n[SHARE_TRAIN]);
    cr_expect_eq(given.split.n[SHARE_VAL], val, "val has %zu",
                 given.split.n[SHARE_VAL]);
    cr_expect_eq(given.split.n[SHARE_TEST], test, "test has %zu",
                 given.split.n[SHARE_TEST]);
}

static size_t count_label(enum share share, const char *label)
{
    size_t n = 0;

    for (size_t i = 0; i < given.split.n[share]; i++) {
        json_t *fields =
            dataset_fields(given.dataset, given.split.rows[share][i]);

        n += strcmp(json_get_text(fields, "intent", ""), label) == 0;
        json_decref(fields);
    }
    return n;
}

// Checks that every row is in as many shares as it should be.
static void expect_apart(size_t most)
{
    size_t *seen = calloc(dataset_size(given.dataset), sizeof *seen);

    cr_assert_not_null(seen);
    for (int share = 0; share < SHARE_COUNT; share++) {
        if (share == SHARE_VAL && given.split.shared)
            continue;
        for (size_t i = 0; i < given.split.n[share]; i++) {
            cr_assert(given.split.rows[share][i] < dataset_size(given.dataset));
            seen[given.split.rows[share][i]]++;
        }
    }
    for (size_t i = 0; i < dataset_size(given.dataset); i++)
        cr_expect(seen[i] <= most);
    free(seen);
}

TestSuite(split, .fini = close_given);

Test(split, the_default_is_two_two_one)
{
    make_one("{examples: e.jsonl}", 150, 3);
    expect_sizes(60, 60, 30);
    cr_expect_not(given.split.shared);
    expect_apart(1);
}

Test(split, each_label_is_divided_alike)
{
    make_one("{examples: e.jsonl, split: {train: 0.4, val: 0.4, test: 0.2, "
             "stratify: intent}}",
             150, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(count_label(SHARE_TRAIN, labels[i]), 20);
        cr_expect_eq(count_label(SHARE_VAL, labels[i]), 20);
        cr_expect_eq(count_label(SHARE_TEST, labels[i]), 10);
    }
}

Test(split, the_label_of_the_metric_is_balanced_without_being_named)
{
    make_one("{examples: e.jsonl}", 150, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(count_label(SHARE_TEST, labels[i]), 10);
}

// 34 rows of a label: 13.6, 13.6, 6.8. The test share has the largest
// remainder; among equal remainders, the share with the fewest rows so far
// comes first.
Test(split, rounding_is_by_largest_remainder)
{
    make_one("{examples: e.jsonl}", 102, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(count_label(SHARE_TEST, labels[i]), 7);
        cr_expect_eq(count_label(SHARE_TRAIN, labels[i]) +
                         count_label(SHARE_VAL, labels[i]),
                     27);
    }
    expect_sizes(41, 40, 21);
}

Test(split, below_100_rows_train_and_val_are_the_same_rows)
{
    make_one("{examples: e.jsonl}", 60, 3);
    expect_sizes(48, 48, 12);
    cr_expect(given.split.shared);
    cr_expect_arr_eq(given.split.rows[SHARE_TRAIN], given.split.rows[SHARE_VAL],
                     48 * sizeof(size_t));
    expect_apart(1);
}

Test(split, separate_keeps_few_rows_apart)
{
    make_one("{examples: e.jsonl, split: {separate: true}}", 60, 3);
    expect_sizes(24, 24, 12);
    cr_expect_not(given.split.shared);
    expect_apart(1);
}

Test(split, a_hundred_rows_are_enough_for_separate_shares)
{
    make_one("{examples: e.jsonl}", 100, 2);
    expect_sizes(40, 40, 20);
    cr_expect_not(given.split.shared);
}

Test(split, rows_outside_all_shares_stay_unused)
{
    make_one("{examples: e.jsonl, split: {train: 0.3, val: 0.2}}", 200, 2);
    expect_sizes(60, 40, 0);
    expect_apart(1);
    cr_expect_not(given.split.test_empty);
}

Test(split, the_seed_alone_decides)
{
    struct given_data first;

    make_one("{examples: e.jsonl, split: {seed: 1}}", 120, 3);
    first = given;
    make_one("{examples: e.jsonl, split: {seed: 1}}", 120, 3);
    for (int share = 0; share < SHARE_COUNT; share++)
        cr_expect_arr_eq(first.split.rows[share], given.split.rows[share],
                         given.split.n[share] * sizeof(size_t));
    given_data_close(&given);
    make_one("{examples: e.jsonl, split: {seed: 0}}", 120, 3);
    cr_expect_arr_neq(first.split.rows[0], given.split.rows[0],
                      given.split.n[0] * sizeof(size_t));
    given_data_close(&first);
}

Test(split, every_prefix_of_a_share_mixes_the_labels)
{
    make_one("{examples: e.jsonl}", 150, 3);
    for (int share = 0; share < SHARE_COUNT; share++) {
        size_t n = given.split.n[share];
        given.split.n[share] = 6;
        for (int i = 0; i < 3; i++)
            cr_expect_eq(count_label((enum share)share, labels[i]), 2);
        given.split.n[share] = n;
    }
}

Test(split, a_label_that_is_never_repeated_still_fills_all_shares)
{
    make_one("{examples: e.jsonl, split: {stratify: own}}", 150, 3);
    expect_sizes(60, 60, 30);
}

Test(split, shares_that_are_files_keep_their_rows_in_order)
{
    given_data_open(&given, "{train: t.jsonl, val: v.jsonl, test: h.jsonl}",
                    "");
    add_rows("t.jsonl", 20, 3);
    add_rows("v.jsonl", 10, 3);
    add_rows("h.jsonl", 5, 3);
    cr_assert(make());
    expect_sizes(20, 10, 5);
    cr_expect_not(given.split.shared);
    cr_expect_eq(given.split.rows[SHARE_VAL][0], 20);
    cr_expect_eq(given.split.rows[SHARE_VAL][9], 29);
}

Test(split, a_test_file_leaves_all_examples_to_train_and_val)
{
    given_data_open(&given, "{examples: e.jsonl, test: h.jsonl}", "");
    add_rows("e.jsonl", 120, 3);
    add_rows("h.jsonl", 30, 3);
    cr_assert(make());
    expect_sizes(60, 60, 30);
    expect_apart(1);
}

Test(split, train_without_val_is_divided)
{
    given_data_open(&given, "{train: t.jsonl}", "");
    add_rows("t.jsonl", 120, 3);
    cr_assert(make());
    expect_sizes(60, 60, 0);
    expect_apart(1);
}

Test(split, train_and_val_from_one_file_are_shared)
{
    given_data_open(&given, "{train: t.jsonl, val: t.jsonl}", "");
    add_rows("t.jsonl", 120, 3);
    cr_assert(make());
    expect_sizes(120, 120, 0);
    cr_expect(given.split.shared);
}

Test(split, one_example_cannot_be_split_into_separate_shares)
{
    given_data_open(&given, "{examples: e.jsonl, split: {separate: true}}", "");
    add_rows("e.jsonl", 1, 1);
    cr_expect_not(make());
    given_data_expect(&given, "empty-share", given.job->data.place.line,
                      "no example falls into the val share");
    cr_expect_eq(given.split.n[SHARE_TRAIN], 0);
}

Test(split, an_empty_test_share_is_noted)
{
    make_one("{examples: e.jsonl}", 2, 1);
    expect_sizes(2, 2, 0);
    cr_expect(given.split.test_empty);
}

Test(split, stratify_field_that_no_example_has_is_reported)
{
    given_data_open(&given, "{examples: e.jsonl, split: {stratify: colour}}",
                    "");
    add_rows("e.jsonl", 40, 3);
    cr_expect_not(make());
    given_data_expect(&given, "unknown-field", given.job->data.place.line,
                      "no example has the field `colour`");
}

Test(split, equal_inputs_across_shares_are_reported_once)
{
    static char text[1 << 16];

    given_data_open(&given, "{train: t.jsonl, val: v.jsonl}", "");
    put_rows(text, sizeof text, "same", 40, 3);
    given_data_add(&given, "t.jsonl", text, strlen(text));
    given_data_add(&given, "v.jsonl", text, strlen(text));
    cr_assert(make());
    given_data_expect(&given, "duplicate-rows", 1,
                      "40 examples have the same inputs as an earlier one in "
                      "another share; the first repeats t.jsonl:1");
}

Test(split, equal_inputs_among_shared_rows_are_reported)
{
    static char text[1 << 16];

    given_data_open(&given,
                    "{examples: e.jsonl, split: {train: 0.5, val: "
                    "0.5}}",
                    "");
    put_rows(text, sizeof text, "a", 30, 3);
    (void)snprintf(text + strlen(text), 64,
                   "{\"message\": \"a 4\", \"intent\": \"cancel\"}\n");
    given_data_add(&given, "e.jsonl", text, strlen(text));
    cr_assert(make());
    given_data_expect(&given, "duplicate-rows", 31,
                      "1 example has the same inputs as an earlier one and may "
                      "be scored with a demo");
}
