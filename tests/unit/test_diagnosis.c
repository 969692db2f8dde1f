#include "search/toolkit/diagnosis.h"

#include <criterion/criterion.h>

enum { ROWS = 10 };

static struct err err;
static char *values[] = {"a", "b", "c"};
// What each row expects, and what the run gave.
static int expected[ROWS] = {0, 0, 0, 1, 2, 0, 1, 1, 2, 2};
static const char *const given[ROWS] = {"b", "b", "b", "a", "b",
                                        "a", "b", "a", "?", "c"};
static struct class_field field = {
    .name = "label", .values = values, .n = 3, .of_row = expected};
static const struct classes classes = {
    .fields = &field, .n_fields = 1, .n_rows = ROWS};
static struct task_item items[ROWS];
static json_t *outputs[ROWS];
static size_t places[ROWS];
static const struct diagnosis_runs runs = {.classes = &classes,
                                           .items = items,
                                           .places = places,
                                           .n = ROWS,
                                           .pass = 1};

static void begin(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        outputs[i] = json_pack("{s:s}", "label", given[i]);
        items[i] = (struct task_item){
            .state = ITEM_DONE,
            .scored = true,
            .score = given[i][0] == values[expected[i]][0] ? 1 : 0,
            .step_outputs = &outputs[i]};
        places[i] = i;
    }
}

static void end(void)
{
    for (size_t i = 0; i < ROWS; i++)
        json_decref(outputs[i]);
}

TestSuite(diagnosis, .init = begin, .fini = end);

Test(diagnosis, confusions_of_the_same_two_labels_are_grouped_and_alternate)
{
    size_t failed[] = {0, 8, 1, 4, 2, 3, 7};
    // a and b in turn, two at a time; b and c in between; rows without a label
    // come last.
    const size_t wanted[] = {0, 3, 4, 1, 7, 2, 8};

    cr_assert(diagnosis_group(&runs, 2, failed, 7, &err));
    cr_expect_arr_eq(failed, wanted, sizeof wanted);
}

Test(diagnosis, contrast_is_a_correct_row_with_the_label_given_by_mistake)
{
    const size_t failed[] = {0, 3, 4};
    size_t out[4];

    // Row 0 gave b for a: row 6 is right with b. Row 3 gave a for b: row 5 is
    // right with a. Row 4 gave b for c: no other row is right with b.
    cr_assert_eq(diagnosis_contrasts(&runs, failed, 3, out, 4), 2);
    cr_expect_eq(out[0], 6);
    cr_expect_eq(out[1], 5);
}
