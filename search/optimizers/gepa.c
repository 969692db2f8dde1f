// gepa: instructions that the teacher rewrites after seeing what went wrong.
//
// The pool begins with the program as written. An iteration draws a parent from
// it (one that is the best on some rows, not on average:
// search/toolkit/pool.h), runs it on a few training rows, shows the teacher one
// step's part of these runs with the feedback on them, and gets a new
// instruction for that step. The child must be better than its parent on the
// same few rows. Since three rows say little, a gain that may be chance is then
// tested on more rows. Only after that is the child evaluated on all validation
// rows and added to the pool. Members that learned different things from a
// common ancestor are merged (search/toolkit/merge.h).
//
// As many iterations are under way as the job's window is wide, each in a lane
// of its own. Lanes are served in turn, and each waits only for its own work.
// So the pool at the start of an iteration depends on the answers alone, and a
// cluster works on several iterations at a time.
//
// Source: Agrawal et al. 2025, arXiv 2507.19457; its package 0.1.4, and DSPy
// 3.4. Parameters have their names and defaults (docs/dspy.md).

#include <stddef.h>
#include <stdlib.h>

#include "common/text.h"
#include "search/optimizers/gepa/budget.h"
#include "search/optimizers/gepa/iteration.h"
#include "search/optimizers/gepa/search.h"
#include "search/optimizers/optimizer.h"

static const char *const auto_names[] = {"light", "medium", "heavy", NULL};
static const char *const selection_names[] = {"pareto", "current_best", NULL};
static const char *const selector_names[] = {"round_robin", "all", NULL};

#define AT(member) offsetof(struct gepa_params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(level), 0, 0, GEPA_LIGHT, auto_names,
     "effort, about what `miprov2` would spend"},
    {"max_full_evals", PARAM_INT, AT(max_full_evals), 1, 1e6, -1, NULL,
     "effort, as a number of passes over all training and validation rows, "
     "instead of `auto`"},
    {"max_metric_calls", PARAM_INT, AT(max_metric_calls), 1, 1e9, -1, NULL,
     "effort, as a number of scored runs of the program, including those "
     "of the baseline, instead of `auto`"},
    {"reflection_minibatch_size", PARAM_INT, AT(reflection_minibatch_size), 1,
     1000, 3, NULL, "training rows for one reflection"},
    {"candidate_selection_strategy", PARAM_CHOICE, AT(selection), 0, 0,
     GEPA_SELECT_PARETO, selection_names,
     "whose instruction is rewritten: `pareto` draws among the candidates "
     "that are the best on some validation row; `current_best` takes the "
     "best mean"},
    {"component_selector", PARAM_CHOICE, AT(selector), 0, 0, GEPA_EACH_IN_TURN,
     selector_names,
     "which step's instruction is rewritten: `round_robin` takes one step "
     "after the other, `all` every step at once"},
    {"skip_perfect_score", PARAM_BOOL, AT(skip_perfect_score), 0, 1, 1, NULL,
     "skip the reflection if all rows reach `perfect_score`"},
    {"perfect_score", PARAM_NUMBER, AT(perfect_score), 0, 1, 1, NULL,
     "the score of a perfect row"},
    {"add_format_failure_as_feedback", PARAM_BOOL,
     AT(add_format_failure_as_feedback), 0, 1, 1, NULL,
     "also show the teacher replies that could not be read, with the form "
     "that was expected"},
    {"use_merge", PARAM_BOOL, AT(use_merge), 0, 1, 1, NULL,
     "merge candidates that improved different steps"},
    {"max_merge_invocations", PARAM_INT, AT(max_merge_invocations), 0, 1e6, 5,
     NULL,
     "once so many merged candidates have stayed, no further merge is "
     "scheduled; those already due are still made"},
    {"acceptance_rows", PARAM_INT, AT(acceptance_rows), 0, 1e6, 12, NULL,
     "if a gain on a few rows could be chance, it is first tested on this "
     "many more training rows, before all validation rows are spent on it; "
     "0: no such test"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 0, NULL,
     "seed of the random numbers"},
};

static bool check(const struct job *job, const void *given, struct diags *diags)
{
    const struct gepa_params *values = given;

    if (values->max_full_evals < 0 || values->max_metric_calls < 0)
        return true;
    diag_add(diags, DIAG_ERROR, "bad-parameter", &job->optimizer_place,
             "gepa takes `max_full_evals` or `max_metric_calls`, not both");
    diag_remedy(diags, "keep the one that you mean");
    return false;
}

// --- the effort

static struct effort effort_of(int64_t budget, int64_t spent)
{
    return (struct effort){.examples =
                               budget > spent ? (size_t)(budget - spent) : 0};
}

static struct effort effort(struct session *session, const void *given)
{
    return effort_of(gepa_budget(session, given),
                     (int64_t)session_split(session)->n[SHARE_VAL]);
}

// --- the whole search

// Advances the iteration of a lane, and begins the next one if it ended.
static bool serve(struct gepa_search *search, struct iteration *lane,
                  struct err *err)
{
    if (!iteration_advance(search, lane, err))
        return false;
    if (search->leader.over || lane->stage != ITERATION_NONE ||
        search->spent >= search->budget)
        return true;
    session_expect(search->session, effort_of(search->budget, search->spent));
    return iteration_begin(search, lane, err);
}

static bool run_lanes(struct gepa_search *search, struct err *err)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < search->n_lanes; i++) {
            struct iteration *lane = &search->lanes[i];
            if (!serve(search, lane, err))
                return false;
            if (search->leader.over)
                return true;
            busy = busy || lane->stage != ITERATION_NONE;
        }
    }
    return true;
}

static bool begin_search(struct gepa_search *search, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    const struct reflection_options plain = {.hypotheses = false};
    // Nothing has been tried yet, so the best is the program as written.
    struct pool_member first = {.trial = session_best(search->session)};
    const struct gepa_params *values = search->params;

    search->lanes = calloc(search->n_lanes, sizeof *search->lanes);
    search->parts = calloc(program->n_predictors + 1, sizeof *search->parts);
    if (search->lanes == NULL || search->parts == NULL) {
        err_nomem(err, "a search");
        return false;
    }
    search->n_parts =
        plan_predictors(session_plan(search->session), program, search->parts);
    search->budget = gepa_budget(search->session, values);
    search->spent = (int64_t)first.trial->n_rows;
    return pool_add(&search->pool, &first, err) &&
           minibatches_init(&search->minibatches, search->session,
                            (size_t)values->reflection_minibatch_size,
                            (size_t)values->acceptance_rows, err) &&
           reflection_form_init(&search->form, search->session, &plain, err);
}

static void tell_outcome(const struct gepa_search *search)
{
    char rewritten[TEXT_COUNTED_BYTES];

    session_note(search->session,
                 "gepa: %s rewritten; %lld candidates (%lld of them merged) "
                 "did better on their first rows and joined the pool",
                 text_counted(rewritten, search->proposed, "instruction"),
                 (long long)search->kept, (long long)search->merges_kept);
}

static void release_search(struct gepa_search *search)
{
    for (size_t i = 0; search->lanes != NULL && i < search->n_lanes; i++)
        iteration_end(search, &search->lanes[i]);
    free(search->lanes);
    free(search->parts);
    minibatches_release(&search->minibatches);
    reflection_form_release(&search->form);
    merges_release(&search->merges);
    pool_release(&search->pool);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    struct gepa_search search = {
        .session = session,
        .params = given,
        .leader = leader_of(session, 1.0),
        .n_lanes = (size_t)session_job(session)->window,
    };
    bool ok = true;

    if (search.leader.over || session_split(session)->n[SHARE_TRAIN] == 0)
        return true;
    session_phase(session, "search");
    ok = begin_search(&search, err);
    if (ok && search.n_parts > 0)
        ok = run_lanes(&search, err);
    if (ok)
        tell_outcome(&search);
    ok = leader_end(&search.leader, ok, err);
    release_search(&search);
    return ok;
}

const struct optimizer gepa = {
    .name = "gepa",
    .help =
        "instructions that the teacher rewrites after seeing what went wrong",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct gepa_params),
    .check = check,
    .seeds = true,
    .effort = effort,
    .run = run,
};
