// miprov2: searches instructions and demo sets of all steps, and the job's
// tunables, together.
//
//   demos      sets of demos: none, labelled, bootstrapped in order and at
//              random; the teacher's traces are also used in the next phase
//   proposals  instructions for each searched step
//              (search/toolkit/proposer.h)
//   search     TPE chooses a combination for each trial, which is scored on a
//              newly drawn minibatch. Every few trials, and at the end, the
//              combination with the best mean is evaluated on all rows. The
//              best full score wins.
//
// Its parts are in search/optimizers/miprov2: extent.h says how far it goes,
// val_rows.h has the rows, demo_sets.h the demos, seed_choices.h the program of
// an earlier run, and tried.h what TPE may know about the trials so far.

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/text.h"
#include "search/optimizers/miprov2/demo_sets.h"
#include "search/optimizers/miprov2/extent.h"
#include "search/optimizers/miprov2/seed_choices.h"
#include "search/optimizers/miprov2/tried.h"
#include "search/optimizers/miprov2/val_rows.h"
#include "search/optimizers/optimizer.h"
#include "search/toolkit/combos.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/proposer.h"

static const char *const auto_names[] = {"light", "medium", "heavy", "none",
                                         NULL};
static const char *const tristate_names[] = {"auto", "false", "true", NULL};

#define AT(member) offsetof(struct miprov2_params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(level), 0, 0, MIPROV2_LIGHT, auto_names,
     "effort: 6, 12 or 18 candidates, and at most 100, 300 or 1,000 "
     "validation rows"},
    {"num_candidates", PARAM_INT, AT(num_candidates), 1, 1000, -1, NULL,
     "demo sets, and proposed instructions per step; by default, from `auto`"},
    {"num_trials", PARAM_INT, AT(num_trials), 1, 1e6, -1, NULL,
     "combinations tried; by default, computed from the number of candidates"},
    {"max_bootstrapped_demos", PARAM_INT, AT(max_bootstrapped_demos), 0, 1000,
     4, NULL,
     "demos from the teacher's runs, for each predictor; if "
     "`max_labeled_demos` is 0 too, only instructions are searched"},
    {"max_labeled_demos", PARAM_INT, AT(max_labeled_demos), 0, 1000, 4, NULL,
     "labelled examples are added until a predictor has this many demos"},
    {"max_errors", PARAM_INT, AT(max_errors), 1, 1e9, 10, NULL,
     "stop after this many examples without a readable answer"},
    {"metric_threshold", PARAM_NUMBER, AT(metric_threshold), 0, 1, NAN, NULL,
     "the score that a teacher's run needs to become a demo; by default, any "
     "above 0"},
    {"init_temperature", PARAM_NUMBER, AT(init_temperature), 0, 2, 1, NULL,
     "temperature at which instructions are proposed"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 9, NULL,
     "seed of the random numbers"},
    {"minibatch", PARAM_CHOICE, AT(minibatch), 0, 0, MIPROV2_BY_AUTO,
     tristate_names,
     "score trials on a sample of the validation rows; `auto`: if there are "
     "more than 50"},
    {"minibatch_size", PARAM_INT, AT(minibatch_size), 1, 1e6, 35, NULL,
     "rows of a minibatch"},
    {"minibatch_full_eval_steps", PARAM_INT, AT(minibatch_full_eval_steps), 1,
     1e6, 5, NULL,
     "after this many trials, the candidate with the best mean is "
     "evaluated on all rows"},
    {"program_aware_proposer", PARAM_BOOL, AT(program_aware_proposer), 0, 1, 1,
     NULL, "show the program to the proposer"},
    {"data_aware_proposer", PARAM_BOOL, AT(data_aware_proposer), 0, 1, 1, NULL,
     "show a summary of the data to the proposer"},
    {"view_data_batch_size", PARAM_INT, AT(view_data_batch_size), 1, 1000, 10,
     NULL, "examples that the summary of the data reads at a time"},
    {"tip_aware_proposer", PARAM_BOOL, AT(tip_aware_proposer), 0, 1, 1, NULL,
     "give the proposer a tip, a different one for each proposal"},
    {"fewshot_aware_proposer", PARAM_BOOL, AT(fewshot_aware_proposer), 0, 1, 1,
     NULL, "show bootstrapped demos to the proposer"},
};

struct miprov2_search {
    struct session *session;
    const struct miprov2_params *params;
    struct extent extent;
    struct val_rows val;
    struct leader leader;
    const struct trial *baseline; // the program as written; the session's
    struct demo_sets sets;
    struct proposals proposals;
    struct combos combos;
    struct tried tried;
};

static bool check(const struct job *job, const void *given, struct diags *diags)
{
    const struct miprov2_params *values = given;

    if (values->level != MIPROV2_NONE || values->num_candidates > 0)
        return true;
    diag_add(diags, DIAG_ERROR, "missing-parameter", &job->optimizer_place,
             "miprov2 with `auto: none` needs `num_candidates`");
    diag_remedy(diags, "set num_candidates, or auto to light, medium or "
                       "heavy");
    return false;
}

static struct effort effort(struct session *session, const void *given)
{
    const struct extent extent = extent_of(session, given);

    return extent_effort(&extent, session);
}

static void tell_plan(const struct miprov2_search *search)
{
    const struct extent *extent = &search->extent;
    char instructions[TEXT_COUNTED_BYTES], sets[TEXT_COUNTED_BYTES],
        trials[TEXT_COUNTED_BYTES], rows[TEXT_COUNTED_BYTES];

    session_note(
        search->session, "miprov2: %s per step, %s, %s on %s%s",
        text_counted(instructions, extent->n_instructions, "instruction"),
        text_counted(sets, extent->zero_shot ? 0 : extent->n_sets, "demo set"),
        text_counted(trials, extent_trials(extent), "trial"),
        text_counted(rows, (int64_t)extent->n_val, "row"),
        extent->minibatch ? " in minibatches" : "");
}

// --- proposals

static bool propose(struct miprov2_search *search, struct err *err)
{
    const struct miprov2_params *given = search->params;
    const struct proposer_options options = {
        .n = search->extent.n_instructions,
        .temperature = given->init_temperature,
        .program_aware = given->program_aware_proposer,
        .data_aware = given->data_aware_proposer,
        .tip_aware = given->tip_aware_proposer,
        .fewshot_aware = given->fewshot_aware_proposer,
        .view_data_batch_size = given->view_data_batch_size,
    };
    session_phase(search->session, "proposals");
    return proposals_make(search->session, &options, search->sets.items,
                          search->sets.n, &search->proposals, err);
}

// --- the study

// Adds the program of an earlier run: its score is known from the start.
static bool tell_seed(struct miprov2_search *search, const struct trial *seed,
                      struct err *err)
{
    int *choices = calloc(search->combos.space.n + 1, sizeof *choices);
    struct combo *combo = NULL;

    if (choices == NULL) {
        err_nomem(err, "a search space");
        return false;
    }
    seed_choices_get(&search->combos, seed->candidate, choices);
    combo = combos_get(&search->combos, choices, err);
    bool ok =
        combo != NULL && tried_add(&search->tried, seed, combo, choices, err);
    if (ok)
        combo->full = true;
    free(choices);
    return ok;
}

static bool start_study(struct miprov2_search *search, struct err *err)
{
    struct session *session = search->session;
    const struct trial *seed = session_seed_trial(session);
    struct demo_sets *sets = search->extent.zero_shot ? NULL : &search->sets;

    if (seed != NULL && !seed_choices_add(session, seed->candidate,
                                          &search->proposals, sets, err))
        return false;
    return combos_init(&search->combos, session, &search->proposals,
                       sets != NULL ? sets->items : NULL,
                       sets != NULL ? sets->n : 0, err) &&
           tried_init(&search->tried, session, &search->combos,
                      val_rows_mean(&search->val, search->baseline), err) &&
           (seed == NULL || tell_seed(search, seed, err));
}

// --- trials

// What a trial tries. Everything is borrowed.
struct attempt {
    struct combo *combo;
    const int *choices; // of the combination, one per place of the space
    const char *reason; // static
};

static bool submit_full(struct miprov2_search *search,
                        const struct attempt *attempt, struct err *err)
{
    struct combo *combo = attempt->combo;
    struct trial *trial =
        trial_submit(search->session, TRIAL_FULL, combo->candidate,
                     (struct row_span){search->val.rows, search->val.n},
                     attempt->reason, err);

    combo->full = true;
    return trial != NULL &&
           tried_add(&search->tried, trial, combo, attempt->choices, err);
}

static bool submit_minibatch(struct miprov2_search *search,
                             const struct attempt *attempt, int64_t index,
                             struct err *err)
{
    struct rng rng = session_rng(search->session, "minibatch", (uint64_t)index);
    size_t n = search->extent.n_rows;
    size_t *rows = calloc(search->val.n + 1, sizeof *rows);

    if (rows == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    val_rows_draw(&search->val, &rng, n, rows);
    struct trial *trial = trial_submit(
        search->session, TRIAL_MINIBATCH, attempt->combo->candidate,
        (struct row_span){rows, n}, attempt->reason, err);
    free(rows);
    return trial != NULL && tried_add(&search->tried, trial, attempt->combo,
                                      attempt->choices, err);
}

static bool try_next(struct miprov2_search *search, int64_t index,
                     struct err *err)
{
    int *choices = calloc(search->combos.space.n + 1, sizeof *choices);
    struct attempt attempt = {.choices = choices, .reason = "tpe"};
    bool ok = choices != NULL;

    if (!ok)
        err_nomem(err, "a trial");
    ok = ok && tried_propose(&search->tried, choices, err);
    if (ok)
        attempt.combo = combos_get(&search->combos, choices, err);
    if (attempt.combo == NULL)
        ok = false;
    else if (search->extent.minibatch)
        ok = submit_minibatch(search, &attempt, index, err);
    else
        ok = submit_full(search, &attempt, err);
    free(choices);
    return ok;
}

// Evaluates the combination with the best known mean, or nothing if every known
// combination has been evaluated.
static bool try_best_mean(struct miprov2_search *search, struct err *err)
{
    struct combo *combo = NULL;

    if (!leader_admit(&search->leader, err))
        return false;
    if (search->leader.over)
        return true;
    tried_count(&search->tried, leader_known(search->session));
    combo = combos_next_full(&search->combos);
    const struct attempt best = {.combo = combo,
                                 .choices =
                                     combo == NULL ? NULL : combo->choices,
                                 .reason = "best mean"};
    return combo == NULL || submit_full(search, &best, err);
}

static bool end_search(struct miprov2_search *search, struct err *err)
{
    size_t n = 0;

    if (!leader_settle(&search->leader, err))
        return false;
    session_trials(search->session, &n);
    tried_count(&search->tried, n);
    if (search->extent.minibatch && !search->leader.over &&
        !try_best_mean(search, err))
        return false;
    return true;
}

static bool run_trials(struct miprov2_search *search, struct err *err)
{
    const struct extent *extent = &search->extent;

    session_phase(search->session, "search");
    for (int64_t i = 1; i <= extent->n_trials; i++) {
        if (!leader_admit(&search->leader, err))
            return false;
        if (search->leader.over)
            break;
        session_expect(search->session, extent_to_come(extent, i - 1));
        if (!try_next(search, i, err))
            return false;
        if (extent->minibatch && i % extent->full_every == 0 &&
            i < extent->n_trials && !try_best_mean(search, err))
            return false;
        if (search->leader.over)
            break;
    }
    return end_search(search, err);
}

// --- the whole search

static bool run_phases(struct miprov2_search *search, struct err *err)
{
    if (!leader_admit(&search->leader, err))
        return false;
    if (!search->leader.over && search->extent.makes_sets &&
        !demo_sets_make(&search->sets, search->session, &search->extent, err))
        return false;
    if (!search->leader.over && !leader_admit(&search->leader, err))
        return false;
    if (search->leader.over)
        return true;
    return propose(search, err) && start_study(search, err) &&
           run_trials(search, err);
}

static void release_search(struct miprov2_search *search)
{
    tried_release(&search->tried);
    combos_release(&search->combos);
    proposals_release(&search->proposals);
    demo_sets_release(&search->sets);
    val_rows_release(&search->val);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    struct miprov2_search search = {.session = session,
                                    .params = given,
                                    .leader = leader_of(session, 1.0),
                                    .baseline =
                                        session_baseline_trial(session)};
    bool ok = true;

    if (search.leader.over)
        return true;
    search.extent = extent_of(session, given);
    ok = val_rows_init(&search.val, session, search.extent.n_val, err);
    if (ok) {
        tell_plan(&search);
        ok = run_phases(&search, err);
    }
    ok = leader_end(&search.leader, ok, err);
    release_search(&search);
    return ok;
}

const struct optimizer miprov2 = {
    .name = "miprov2",
    .help = "instructions and demos of all steps, searched together by TPE",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct miprov2_params),
    .check = check,
    .pools = true,
    .seeds = true,
    .effort = effort,
    .run = run,
};
