// Optimizers that begin with the program of an earlier run.

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "fake_support.h"

static struct err err;

// Makes a session that has scored a program with another instruction and a demo
// of row 2, in the state that conduct.c passes on.
static struct session *begin(struct support *support)
{
    struct session *fake = support_session(support, 60, 0, FINISH_LATE);
    struct candidate *candidate = candidate_child(session_baseline(fake), &err);
    struct demo demo = {.fields = json_pack("{s:s, s:s, s:f}", "text", "row 2",
                                            "label", "a", "confidence", 0.5),
                        .row = 2};

    cr_assert(candidate_set_instruction(candidate, 0, 1, "The OLD one.", &err));
    cr_assert(candidate_set_demos(candidate, 0, 1, &demo, 1, &err));
    json_decref(demo.fields);
    candidate_seal(candidate);
    fake->seed =
        trial_submit(fake, TRIAL_FULL, candidate,
                     row_span_of(&fake->split, SHARE_VAL), "seed", &err);
    candidate_unref(candidate);
    cr_assert(trial_wait(fake, fake->seed, &err));
    cr_assert_gt(fake->seed->score, session_baseline_trial(fake)->score);
    session_set_best(fake, fake->seed);
    return fake;
}

// Returns true if the trial's candidate contains something of the seed, or
// descends from it.
static bool builds_on(const struct trial *trial, const struct trial *seed)
{
    const struct candidate *one = trial->candidate;

    for (size_t i = 0; i < one->n_parents; i++)
        if (hash_equal(&one->parents[i], &seed->candidate->id))
            return true;
    return strstr(one->parts[0].instruction, "OLD") != NULL ||
           (one->parts[0].n_demos == 1 && one->parts[0].demos[0].row == 2);
}

static void expect_use(const char *name, const char *params)
{
    struct support support = {.base = 0.3,
                              .demo_gain = 0.3,
                              .good_gain = 0.2,
                              .teacher = 1,
                              .good_every = 2};
    struct session *fake = begin(&support);
    size_t used = 0;

    cr_assert(optimizer_find(name)->seeds);
    cr_assert(fake_optimize(fake, name, params, &err), "%s", err.text);
    for (size_t i = 2; i < fake->n_trials; i++)
        used += !hash_equal(&fake->trials[i]->candidate->id,
                            &fake->seed->candidate->id) &&
                builds_on(fake->trials[i], fake->seed);
    cr_expect_gt(used, 0, "%s", name);
    cr_expect_geq(fake->best->score, fake->seed->score - 1e-9, "%s", name);
    fake_free(fake);
}

Test(seed, screen_and_race_builds_on_the_program_of_an_earlier_run)
{
    expect_use("screen_and_race", "{auto: light}");
}

Test(seed, miprov2_builds_on_the_program_of_an_earlier_run)
{
    expect_use("miprov2", "{auto: light}");
}

Test(seed, gepa_builds_on_the_program_of_an_earlier_run)
{
    expect_use("gepa", "{max_metric_calls: 400}");
}

Test(seed, copro_builds_on_the_program_of_an_earlier_run)
{
    expect_use("copro", "{breadth: 4, depth: 2}");
}

Test(seed, simba_builds_on_the_program_of_an_earlier_run)
{
    expect_use("simba", "{bsize: 16, num_candidates: 3, max_steps: 4}");
}
