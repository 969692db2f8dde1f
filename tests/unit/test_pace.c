// How long calls take: by kind, and by the size of the prompt to read.

#include <criterion/criterion.h>

#include "dispatch/pace.h"

enum { LABEL = 1, LETTER = 2 };

static void learn(struct pace *pace, int64_t kind, int64_t prefix_size,
                  int64_t us)
{
    pace_learn(pace, &(struct pace_sample){
                         .kind = kind, .prefix_size = prefix_size, .us = us});
}

static void learn_fresh(struct pace *pace, int64_t kind, int64_t prefix_size,
                        int64_t us)
{
    pace_learn(pace, &(struct pace_sample){.kind = kind,
                                           .prefix_size = prefix_size,
                                           .fresh = true,
                                           .us = us});
}

Test(pace, nothing_is_known_at_first)
{
    struct pace pace = {0};

    cr_expect_eq(pace_call_us(&pace, LABEL), 0);
    cr_expect_eq(pace_read_us(&pace, 100), 0);
}

Test(pace, call_that_reads_its_prompt_counts_until_one_does_not)
{
    struct pace pace = {0};

    learn_fresh(&pace, LABEL, 1000, 6000);
    cr_expect_eq(pace_call_us(&pace, LABEL), 6000);

    learn(&pace, LABEL, 1000, 1000);
    cr_expect_eq(pace_call_us(&pace, LABEL), 1000);
    cr_expect_eq(pace_read_us(&pace, 1000), 5000);
}

Test(pace, reading_time_is_proportional_to_the_prefix)
{
    struct pace pace = {0};

    learn(&pace, LABEL, 0, 1000);
    learn_fresh(&pace, LABEL, 2000, 11000);

    cr_expect_eq(pace_read_us(&pace, 2000), 10000);
    cr_expect_eq(pace_read_us(&pace, 200), 1000);
}

// The first call may have had to load the model as well.
Test(pace, second_reading_replaces_the_first)
{
    struct pace pace = {0};

    learn_fresh(&pace, LABEL, 1000, 90000);
    learn(&pace, LABEL, 1000, 1000);
    learn_fresh(&pace, LABEL, 1000, 4000);

    cr_expect_eq(pace_read_us(&pace, 1000), 3000);
}

Test(pace, kinds_are_measured_separately)
{
    struct pace pace = {0};

    learn(&pace, LABEL, 0, 1000);
    learn(&pace, LETTER, 0, 20000);

    cr_expect_eq(pace_call_us(&pace, LABEL), 1000);
    cr_expect_eq(pace_call_us(&pace, LETTER), 20000);
    cr_expect_eq(pace_call_us(&pace, 3), 0);
}

Test(pace, a_new_kind_takes_the_place_of_the_one_learnt_longest_ago)
{
    struct pace pace = {0};

    for (int kind = 0; kind < PACE_KINDS; kind++)
        learn(&pace, kind, 0, 1000);
    learn(&pace, 0, 0, 1000);
    learn(&pace, PACE_KINDS, 0, 2000);

    cr_expect_eq(pace_call_us(&pace, 0), 1000);
    cr_expect_eq(pace_call_us(&pace, 1), 0);
    cr_expect_eq(pace_call_us(&pace, PACE_KINDS), 2000);
}

Test(pace, usual_time_is_a_median_per_kind)
{
    struct pace_usual usual = {0};

    cr_expect_eq(pace_usual_shortest_ms(&usual), -1);
    for (int i = 0; i < MEDIAN_MIN_SAMPLES; i++) {
        pace_usual_learn(&usual, LABEL, 100);
        pace_usual_learn(&usual, LETTER, 5000);
    }

    cr_expect_eq(pace_usual_ms(&usual, LABEL), 100);
    cr_expect_eq(pace_usual_ms(&usual, LETTER), 5000);
    cr_expect_eq(pace_usual_ms(&usual, 3), -1);
    cr_expect_eq(pace_usual_shortest_ms(&usual), 100);
}
