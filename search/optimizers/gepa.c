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
//   READING ------> REFLECTING -----> SAMPLED -------> CHECKED -----> EVALUATED
//   the parent's    the teacher's     the child on     both on more   the child
//   runs            answers           the same rows    rows           on all
//                                        |                ^              |
//   a merge: --------------------------> '----------------'-----------> pool
//   on validation rows
//
// As many iterations are under way as the job's window is wide, each in a lane
// of its own. Lanes are served in turn, and each waits only for its own work.
// So the pool at the start of an iteration depends on the answers alone, and a
// cluster works on several iterations at a time.
//
// Source: Agrawal et al. 2025, arXiv 2507.19457; its package 0.1.4, and DSPy
// 3.4. Parameters have their names and defaults (docs/dspy.md).

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/text.h"
#include "search/optimizers/gepa/acceptance.h"
#include "search/optimizers/gepa/minibatches.h"
#include "search/optimizers/gepa/rewrites.h"
#include "search/optimizers/optimizer.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/merge.h"
#include "search/toolkit/pool.h"
#include "search/toolkit/reflection.h"

enum auto_level { AUTO_LIGHT, AUTO_MEDIUM, AUTO_HEAVY };
static const char *const auto_names[] = {"light", "medium", "heavy", NULL};
enum selection { SELECT_PARETO, SELECT_BEST };
static const char *const selection_names[] = {"pareto", "current_best", NULL};
enum selector { EACH_IN_TURN, ALL_TOGETHER };
static const char *const selector_names[] = {"round_robin", "all", NULL};

struct params {
    int level;
    int64_t max_full_evals;   // -1: not given
    int64_t max_metric_calls; // -1: not given
    int64_t reflection_minibatch_size;
    int selection;
    int selector;
    bool skip_perfect_score;
    double perfect_score;
    bool add_format_failure_as_feedback;
    bool use_merge;
    int64_t max_merge_invocations;
    int64_t acceptance_rows;
    int64_t seed;
};

#define AT(member) offsetof(struct params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(level), 0, 0, AUTO_LIGHT, auto_names,
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
     SELECT_PARETO, selection_names,
     "whose instruction is rewritten: `pareto` draws among the candidates "
     "that are the best on some validation row; `current_best` takes the "
     "best mean"},
    {"component_selector", PARAM_CHOICE, AT(selector), 0, 0, EACH_IN_TURN,
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
     NULL, "how many merged candidates may stay"},
    {"acceptance_rows", PARAM_INT, AT(acceptance_rows), 0, 1e6, 12, NULL,
     "if a gain on a few rows could be chance, it is first tested on this "
     "many more training rows, before all validation rows are spent on it; "
     "0: no such test"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 0, NULL,
     "seed of the random numbers"},
};

enum { MERGE_ROWS = 5 };

enum stage { FREE, READING, REFLECTING, SAMPLED, CHECKED, EVALUATED };

// An iteration in progress.
struct lane {
    enum stage stage;
    int64_t no; // of the iteration, from 0
    bool is_merge;
    size_t parents[POOL_PARENTS]; // in the pool; the second only for a merge
    struct minibatch minibatch;   // unused in a merge
    struct runs *runs;            // owned: the parent's runs on the minibatch
    struct runs *more_runs;       // owned: the parent on the further rows
    struct rewrites rewrites;     // of the parent's steps
    struct candidate *child;      // owned
    struct trial *sample;         // the child's trials; the session owns them
    struct trial *more;
    struct trial *full;
};

struct gepa_search {
    struct session *session;
    const struct params *params;
    struct leader leader;
    struct reflection_form form;
    struct pool pool;
    struct merges merges;
    struct lane *lanes; // owned
    size_t n_lanes;
    size_t *parts; // owned: the predictors that the plan runs
    size_t n_parts;
    struct minibatches minibatches;
    int64_t budget; // scored runs
    int64_t spent;
    int64_t begun; // iterations
    int64_t proposed, kept;
    int64_t childless; // iterations without a child
    int64_t merges_due, merges_kept;
    bool found_new; // whether the last iteration that ended added to the pool
};

static bool check(const struct job *job, const void *given, struct diags *diags)
{
    const struct params *values = given;

    if (values->max_full_evals < 0 || values->max_metric_calls < 0)
        return true;
    diag_add(diags, DIAG_ERROR, "bad-parameter", &job->optimizer_place,
             "gepa takes `max_full_evals` or `max_metric_calls`, not both");
    diag_remedy(diags, "keep the one that you mean");
    return false;
}

// --- the budget

// Returns DSPy's formula, which makes gepa cost about as much as miprov2 would.
// All predictors count, including those that are not searched.
static int64_t auto_budget(const struct session *session, int level)
{
    static const double candidates[] = {6, 12, 18};
    enum { SAMPLE = 35, STEPS = 5 };
    double n = candidates[level];
    double parts = (double)session_job(session)->program->n_predictors;
    int64_t trials = (int64_t)fmax(2 * (parts * 2) * log2(n), 1.5 * n);
    int64_t val = (int64_t)session_split(session)->n[SHARE_VAL];
    int64_t fulls = (trials + 1) / STEPS + 1 + (trials < STEPS ? 1 : 0);

    return val + 5 * (int64_t)n + trials * SAMPLE + fulls * val;
}

// Returns the number of scored runs, including those of the program as written.
static int64_t count_budget(const struct session *session,
                            const struct params *values)
{
    const struct split *split = session_split(session);

    if (values->max_metric_calls > 0)
        return values->max_metric_calls;
    if (values->max_full_evals > 0)
        return values->max_full_evals *
               (int64_t)(split->n[SHARE_TRAIN] + split->n[SHARE_VAL]);
    return auto_budget(session, values->level);
}

static struct effort effort_of(int64_t budget, int64_t spent)
{
    return (struct effort){.examples =
                               budget > spent ? (size_t)(budget - spent) : 0};
}

static struct effort effort(struct session *session, const void *given)
{
    return effort_of(count_budget(session, given),
                     (int64_t)session_split(session)->n[SHARE_VAL]);
}

// --- the work of a lane

static const struct trial *trial_of(const struct gepa_search *search,
                                    size_t member)
{
    return search->pool.members[member].trial;
}

static struct candidate *parent_of(const struct gepa_search *search,
                                   const struct lane *lane)
{
    return trial_of(search, lane->parents[0])->candidate;
}

static void end_lane(struct gepa_search *search, struct lane *lane)
{
    rewrites_release(&lane->rewrites);
    runs_drop(search->session, lane->runs);
    runs_drop(search->session, lane->more_runs);
    candidate_unref(lane->child);
    minibatch_release(&lane->minibatch);
    *lane = (struct lane){.stage = FREE};
}

static struct runs *run_parent(struct gepa_search *search,
                               const struct lane *lane, const size_t *rows,
                               size_t n, struct err *err)
{
    const struct runs_request request = {
        .program = session_job(search->session)->program,
        .plan = session_plan(search->session),
        .candidate = parent_of(search, lane),
        .role = ROLE_STUDENT,
        // As in a trial: calls that a trial has already made on a row are not
        // repeated.
        .sampling = {.temperature = -1, .purpose = "trial"},
        .scored = true,
        .rows = rows,
        .n = n,
    };

    search->spent += (int64_t)n;
    return runs_submit(search->session, &request, err);
}

// The rows that a child is tried on.
struct attempt {
    enum trial_kind kind;
    const size_t *rows; // borrowed
    size_t n;
    const char *reason; // static
};

// Submits a trial of the child, unless the search is over; then *out stays
// NULL.
static bool run_child(struct gepa_search *search, const struct lane *lane,
                      const struct attempt *on, struct trial **out,
                      struct err *err)
{
    if (!leader_admit(&search->leader, err))
        return false;
    if (search->leader.over)
        return true;
    *out = trial_submit(search->session, on->kind, lane->child, on->rows, on->n,
                        on->reason, err);
    search->spent += (int64_t)on->n;
    return *out != NULL;
}

// --- the start of an iteration

static bool begin_merge(struct gepa_search *search, struct lane *lane,
                        struct err *err)
{
    struct rng rng = session_rng(search->session, "merges", (uint64_t)lane->no);
    struct merge merge;
    size_t rows[MERGE_ROWS];
    size_t n = 0;

    if (!merge_find(&search->pool, &search->merges, &rng, &merge, err))
        return false;
    if (merge.candidate == NULL)
        return true;
    lane->child = merge.candidate;
    lane->is_merge = true;
    lane->parents[0] = merge.a;
    lane->parents[1] = merge.b;
    const struct trial *a = trial_of(search, merge.a);
    if (!merge_rows(a, trial_of(search, merge.b), MERGE_ROWS, &rng, rows, &n,
                    err))
        return false;
    for (size_t i = 0; i < n; i++)
        rows[i] = a->rows[rows[i]];
    const struct attempt few = {TRIAL_MINIBATCH, rows, n, "merge"};
    lane->stage = SAMPLED;
    return run_child(search, lane, &few, &lane->sample, err);
}

static bool choose_parent(struct gepa_search *search, struct lane *lane,
                          struct err *err)
{
    struct rng rng =
        session_rng(search->session, "parents", (uint64_t)lane->no);

    if (search->params->selection == SELECT_PARETO)
        return pool_pick(&search->pool, &rng, &lane->parents[0], err);
    lane->parents[0] = pool_best(&search->pool);
    return true;
}

// Chooses the parts that this iteration rewrites. The parent's turn advances
// whatever the result.
static bool choose_parts(struct gepa_search *search, struct lane *lane,
                         struct err *err)
{
    struct pool_member *parent = &search->pool.members[lane->parents[0]];
    size_t n = search->params->selector == ALL_TOGETHER ? search->n_parts : 1;

    if (!rewrites_init(&lane->rewrites, search->session, lane->no, n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        rewrites_add(&lane->rewrites,
                     search->parts[(parent->turn + i) % search->n_parts]);
    parent->turn = (parent->turn + n) % search->n_parts;
    return true;
}

static bool begin(struct gepa_search *search, struct lane *lane,
                  struct err *err)
{
    bool found_new = search->found_new;

    lane->no = search->begun++;
    search->found_new = false;
    if (found_new && search->merges_due > 0 && !begin_merge(search, lane, err))
        return false;
    if (lane->stage != FREE)
        return true;
    if (!choose_parent(search, lane, err) || !choose_parts(search, lane, err) ||
        !minibatches_take(&search->minibatches, lane->no, &lane->minibatch,
                          err))
        return false;
    lane->stage = READING;
    lane->runs =
        run_parent(search, lane, lane->minibatch.rows, lane->minibatch.n, err);
    return lane->runs != NULL;
}

// --- READING -> REFLECTING

static bool is_perfect(const struct gepa_search *search,
                       const struct runs *runs)
{
    for (size_t i = 0; i < runs->n; i++) {
        if (runs->items[i].scored &&
            runs->items[i].score < search->params->perfect_score)
            return false;
    }
    return true;
}

// Ends an iteration without a child. A model that refuses the task may be its
// own teacher, and then no iteration ever yields a child.
static void end_without_child(struct gepa_search *search, struct lane *lane)
{
    end_lane(search, lane);
    search->childless++;
    if (search->childless >= MUTE_CANDIDATES)
        leader_check_replies(&search->leader);
}

static bool reflect(struct gepa_search *search, struct lane *lane,
                    struct err *err)
{
    if (!runs_wait(search->session, lane->runs, err))
        return false;
    for (size_t i = 0; i < lane->runs->n; i++)
        leader_count(&search->leader, &lane->runs->items[i]);
    if (search->params->skip_perfect_score && is_perfect(search, lane->runs)) {
        end_lane(search, lane);
        return true;
    }
    const struct rewrites_source source = {
        .form = &search->form,
        .parent = parent_of(search, lane),
        .runs = lane->runs,
        .unreadable = search->params->add_format_failure_as_feedback,
    };
    lane->stage = REFLECTING;
    if (!rewrites_ask(&lane->rewrites, &source, err))
        return false;
    if (lane->rewrites.n == 0)
        end_without_child(search, lane);
    return true;
}

// --- REFLECTING -> SAMPLED

static bool is_under_way(const struct gepa_search *search,
                         const struct lane *lane)
{
    for (size_t i = 0; i < search->n_lanes; i++) {
        const struct lane *other = &search->lanes[i];
        if (other != lane && other->stage >= SAMPLED &&
            hash_equal(&other->child->id, &lane->child->id))
            return true;
    }
    return false;
}

static bool make_child(struct gepa_search *search, struct lane *lane,
                       struct err *err)
{
    bool changed = false;

    lane->child = candidate_child(parent_of(search, lane), err);
    if (lane->child == NULL ||
        !rewrites_take(&lane->rewrites, lane->child, &changed, err))
        return false;
    candidate_seal(lane->child);
    search->proposed += changed;
    if (!changed || pool_has(&search->pool, lane->child) ||
        is_under_way(search, lane)) {
        end_without_child(search, lane);
        return true;
    }
    const struct attempt few = {TRIAL_MINIBATCH, lane->minibatch.rows,
                                lane->minibatch.n, "reflection"};
    lane->stage = SAMPLED;
    return run_child(search, lane, &few, &lane->sample, err);
}

// --- SAMPLED -> CHECKED -> EVALUATED

static bool evaluate(struct gepa_search *search, struct lane *lane,
                     struct err *err)
{
    const struct split *split = session_split(search->session);
    const struct attempt all = {TRIAL_FULL, split->rows[SHARE_VAL],
                                split->n[SHARE_VAL],
                                lane->is_merge ? "merge" : "better"};

    lane->stage = EVALUATED;
    return run_child(search, lane, &all, &lane->full, err);
}

// Tries the same child and its parent on further rows.
static bool test_on_more_rows(struct gepa_search *search, struct lane *lane,
                              struct err *err)
{
    const size_t *rows = lane->minibatch.rows + lane->minibatch.n;
    size_t n = lane->minibatch.n_more;
    const struct attempt more = {TRIAL_MINIBATCH, rows, n, "chance?"};

    lane->stage = CHECKED;
    lane->more_runs = run_parent(search, lane, rows, n, err);
    return lane->more_runs != NULL &&
           run_child(search, lane, &more, &lane->more, err);
}

static bool weigh_merge(struct gepa_search *search, struct lane *lane,
                        struct err *err)
{
    if (acceptance_of_merged(lane->sample, trial_of(search, lane->parents[0]),
                             trial_of(search, lane->parents[1])))
        return evaluate(search, lane, err);
    end_lane(search, lane);
    return true;
}

// Weighs the child against its parent on the minibatch, and on the further rows
// too if it was tried there.
static bool weigh(const struct gepa_search *search, const struct lane *lane,
                  struct acceptance *out, struct err *err)
{
    const struct acceptance_rows rows[] = {{lane->runs, lane->sample},
                                           {lane->more_runs, lane->more}};
    size_t n = lane->stage == CHECKED ? 2 : 1;
    uint64_t seed = (uint64_t)session_job(search->session)->seed;

    return acceptance_weigh(rows, n, seed, out, err);
}

static bool weigh_sample(struct gepa_search *search, struct lane *lane,
                         struct err *err)
{
    struct acceptance acceptance;

    if (!trial_wait(search->session, lane->sample, err))
        return false;
    if (lane->is_merge)
        return weigh_merge(search, lane, err);
    if (!weigh(search, lane, &acceptance, err))
        return false;
    if (acceptance.better)
        return acceptance.clear || lane->minibatch.n_more == 0
                   ? evaluate(search, lane, err)
                   : test_on_more_rows(search, lane, err);
    end_lane(search, lane);
    return true;
}

static bool weigh_all(struct gepa_search *search, struct lane *lane,
                      struct err *err)
{
    struct acceptance acceptance;

    if (!runs_wait(search->session, lane->more_runs, err) ||
        !trial_wait(search->session, lane->more, err) ||
        !weigh(search, lane, &acceptance, err))
        return false;
    if (acceptance.better)
        return evaluate(search, lane, err);
    end_lane(search, lane);
    return true;
}

// --- EVALUATED -> the pool

static void count_merges(struct gepa_search *search, const struct lane *lane)
{
    if (lane->is_merge) {
        search->merges_due--;
        search->merges_kept++;
    } else if (search->params->use_merge &&
               search->merges_kept < search->params->max_merge_invocations) {
        search->merges_due++;
    }
}

static bool join_pool(struct gepa_search *search, struct lane *lane,
                      struct err *err)
{
    const struct pool_member *parents = search->pool.members;
    struct pool_member member = {.trial = lane->full,
                                 .n_parents = lane->is_merge ? 2 : 1};

    if (!trial_wait(search->session, lane->full, err))
        return false;
    for (size_t i = 0; i < member.n_parents; i++) {
        size_t turn = parents[lane->parents[i]].turn;
        member.parents[i] = lane->parents[i];
        member.turn = turn > member.turn ? turn : member.turn;
    }
    if (lane->full->n > 0) {
        if (!pool_add(&search->pool, &member, err))
            return false;
        count_merges(search, lane);
        search->kept++;
        search->found_new = true;
    }
    end_lane(search, lane);
    return true;
}

// --- the whole search

// Waits for the lane's work in progress, and continues from there.
static bool advance(struct gepa_search *search, struct lane *lane,
                    struct err *err)
{
    static bool (*const next[])(struct gepa_search *, struct lane *,
                                struct err *) = {
        [READING] = reflect,      [REFLECTING] = make_child,
        [SAMPLED] = weigh_sample, [CHECKED] = weigh_all,
        [EVALUATED] = join_pool,
    };

    return lane->stage == FREE || next[lane->stage](search, lane, err);
}

static bool serve(struct gepa_search *search, struct lane *lane,
                  struct err *err)
{
    if (!advance(search, lane, err))
        return false;
    if (search->leader.over || lane->stage != FREE ||
        search->spent >= search->budget)
        return true;
    session_expect(search->session, effort_of(search->budget, search->spent));
    return begin(search, lane, err);
}

static bool run_lanes(struct gepa_search *search, struct err *err)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < search->n_lanes; i++) {
            struct lane *lane = &search->lanes[i];
            if (!serve(search, lane, err))
                return false;
            if (search->leader.over)
                return true;
            busy = busy || lane->stage != FREE;
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
    const struct params *values = search->params;

    search->lanes = calloc(search->n_lanes, sizeof *search->lanes);
    search->parts = calloc(program->n_predictors + 1, sizeof *search->parts);
    if (search->lanes == NULL || search->parts == NULL) {
        err_nomem(err, "a search");
        return false;
    }
    search->n_parts =
        plan_predictors(session_plan(search->session), program, search->parts);
    search->budget = count_budget(search->session, values);
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
        end_lane(search, &search->lanes[i]);
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
    .params_size = sizeof(struct params),
    .check = check,
    .seeds = true,
    .effort = effort,
    .run = run,
};
