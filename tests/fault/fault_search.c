// The optimizers and their parts, when memory runs out at each allocation.

#include <stdlib.h>

#include <criterion/criterion.h>

#include "fault/alloc_fault.h"
#include "search/toolkit/data_summary.h"
#include "search/toolkit/demos.h"
#include "search/toolkit/proposer.h"
#include "search/toolkit/tpe.h"
#include "unit/fake_support.h"

static struct support support;

static struct session *make_session(void)
{
    support = (struct support){.base = 0.2,
                               .demo_gain = 0.2,
                               .good_gain = 0.4,
                               .teacher = 0.7,
                               .good_every = 2};
    bool was = fault_pause();
    struct session *fake = support_session(&support, 12, 8, FINISH_LATE);
    fake->pause = fault_pause;
    fake->resume = fault_resume;
    fault_resume(was);
    return fake;
}

static bool propose_choices(struct err *err)
{
    static const int n_choices[] = {3, 4};
    static const int choices[] = {1, 2};
    const struct tpe_space space = {n_choices, 2};
    struct tpe_trial trials[12];
    struct rng rng;
    int out[2];

    for (int i = 0; i < 12; i++)
        trials[i] = (struct tpe_trial){choices, i, false};
    rng_init(&rng, 1, "tpe", 0);
    return tpe_propose(&space, trials, 12, uniforms_of(&rng), out, err);
}

Test(fault, search_model_reports_out_of_memory)
{
    cr_expect_geq(fault_each(propose_choices), 5);
}

static bool run_search(const char *name, const char *params, struct err *err)
{
    struct session *fake = make_session();
    bool ok = fake_optimize(fake, name, params, err);
    fake_free(fake);
    return ok;
}

static bool run_labeled(struct err *err)
{
    return run_search("labeled_few_shot", "{k: 2}", err);
}

static bool run_bootstrap(struct err *err)
{
    return run_search("bootstrap_few_shot",
                      "{max_bootstrapped_demos: 2, max_labeled_demos: 3}", err);
}

static bool run_random(struct err *err)
{
    return run_search("bootstrap_random_search",
                      "{num_candidate_programs: 1, max_bootstrapped_demos: 1,"
                      " max_labeled_demos: 1}",
                      err);
}

static bool run_mipro(struct err *err)
{
    return run_search("miprov2",
                      "{num_candidates: 2, num_trials: 3, minibatch: true,"
                      " minibatch_size: 2, minibatch_full_eval_steps: 2,"
                      " max_bootstrapped_demos: 1, max_labeled_demos: 1}",
                      err);
}

static bool run_race(struct err *err)
{
    return run_search("screen_and_race",
                      "{evaluations: 20, proposals: 2, max_demos: 2}", err);
}

static bool run_gepa(struct err *err)
{
    return run_search("gepa", "{max_metric_calls: 40, acceptance_rows: 3}",
                      err);
}

static bool run_copro(struct err *err)
{
    return run_search("copro", "{breadth: 3, depth: 2}", err);
}

static bool run_simba(struct err *err)
{
    return run_search("simba", "{bsize: 4, num_candidates: 2, max_steps: 2}",
                      err);
}

Test(fault, labeled_few_shot_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_labeled), 20);
}

Test(fault, bootstrap_few_shot_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_bootstrap), 20);
}

Test(fault, bootstrap_random_search_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_random), 20);
}

Test(fault, miprov2_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_mipro), 50);
}

Test(fault, screen_and_race_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_race), 50);
}

Test(fault, gepa_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_gepa), 50);
}

Test(fault, copro_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_copro), 50);
}

Test(fault, simba_reports_out_of_memory)
{
    cr_expect_geq(fault_each(run_simba), 50);
}
