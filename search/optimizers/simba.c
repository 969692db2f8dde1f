// simba: learns from rows that the model answers differently each time.
//
// A step takes a minibatch of training rows and runs each row several times at
// temperature 1, with programs drawn from the best so far. A row that was
// answered right once and wrong another time teaches most, so rows are ordered
// by the gap between their best and their worst run. The first of them yield
// new programs. Each starts from a program drawn from the best so far and is
// changed in one of two ways:
//
//   a demo   the best run of the row becomes a demo of each step
//   a rule   the teacher compares the best and the worst run, and its advice
//            for each step is appended to the step's instruction
//
// Before that, some demos of the program are dropped at random, so that their
// number stays near max_demos. All new programs are scored on the minibatch.
// The best of each step is its winner, and is evaluated on all validation rows.
//
// Source: SIMBA of DSPy 3.4, "stochastic introspective mini-batch ascent".
// Parameters have its names and defaults (docs/dspy.md).

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "search/optimizers/optimizer.h"
#include "search/optimizers/simba/batch.h"
#include "search/optimizers/simba/demos.h"
#include "search/optimizers/simba/pool.h"
#include "search/optimizers/simba/rules.h"
#include "search/optimizers/simba/search.h"

#define AT(member) offsetof(struct simba_params, member)

static const struct param params[] = {
    {"bsize", PARAM_INT, AT(bsize), 1, 1e6, 32, NULL,
     "training rows per minibatch"},
    {"num_candidates", PARAM_INT, AT(num_candidates), 1, 1000, 6, NULL,
     "runs of each row at temperature 1; a minibatch yields one new program "
     "more than that"},
    {"max_steps", PARAM_INT, AT(max_steps), 1, 1e6, 8, NULL, "minibatches"},
    {"max_demos", PARAM_INT, AT(max_demos), 0, 1000, 4, NULL,
     "when a step has this many demos, some are dropped; 0: only rules are "
     "added"},
    {"demo_input_field_maxlen", PARAM_INT, AT(demo_input_field_maxlen), 1, 1e9,
     100000, NULL, "bytes of an input that a demo keeps"},
    {"temperature_for_sampling", PARAM_NUMBER, AT(temperature_for_sampling),
     0.001, 100, 0.2, NULL,
     "how evenly the programs for the runs are drawn; the lower, the more "
     "often the best"},
    {"temperature_for_candidates", PARAM_NUMBER, AT(temperature_for_candidates),
     0.001, 100, 0.2, NULL, "the same for the programs that are changed"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 0, NULL,
     "seed of the random numbers"},
};

// --- new programs ---

// A program in the making.
struct draft {
    struct candidate *child;  // owned; sealed at the end
    size_t source;            // index in the pool
    struct question question; // if it gets a rule
    struct trial *trial;
};

static bool begin_draft(struct simba_search *search,
                        const struct simba_bucket *bucket, struct draft *draft,
                        struct err *err)
{
    double temperature = search->params->temperature_for_candidates;

    draft->source = simba_pool_draw(search, temperature);
    draft->child = candidate_child(search->pool[draft->source].candidate, err);
    if (draft->child == NULL || !simba_demos_drop(search, draft->child, err))
        return false;
    bool demo =
        search->params->max_demos > 0 && rng_below(&search->step.rng, 2) == 0;
    return demo ? simba_demos_add(search, bucket, draft->child, err)
                : simba_rules_ask(search, bucket, &draft->question, err);
}

static bool is_known(const struct simba_search *search,
                     const struct draft *drafts, size_t n,
                     const struct candidate *candidate)
{
    for (size_t i = 0; i < search->n_pool; i++) {
        if (hash_equal(&search->pool[i].candidate->id, &candidate->id))
            return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (hash_equal(&drafts[i].child->id, &candidate->id))
            return true;
    }
    return false;
}

static void release_draft(struct draft *draft)
{
    question_release(&draft->question);
    candidate_unref(draft->child);
    *draft = (struct draft){0};
}

// Makes as many drafts as are missing from the next buckets, and drops those
// that are not new. *n counts the drafts that are ready.
static bool make_wave(struct simba_search *search, struct draft *drafts,
                      size_t *n, size_t most, size_t *bucket, struct err *err)
{
    size_t end = *n;

    for (; end < most && *bucket < search->step.n_batch; end++) {
        if (!begin_draft(search, &search->step.buckets[(*bucket)++],
                         &drafts[end], err))
            return false;
    }
    for (size_t i = *n; i < end; i++) {
        struct draft draft = drafts[i];
        drafts[i] = (struct draft){0};
        bool ok = simba_rules_add(search, &draft.question, draft.child, err);
        if (ok)
            candidate_seal(draft.child);
        if (ok && !is_known(search, drafts, *n, draft.child))
            drafts[(*n)++] = draft;
        else
            release_draft(&draft);
        if (!ok)
            return false;
    }
    return true;
}

static bool score_drafts(struct simba_search *search, struct draft *drafts,
                         size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!leader_admit(&search->leader, err))
            return false;
        if (search->leader.over)
            return true;
        drafts[i].trial = trial_submit(
            search->session, TRIAL_MINIBATCH, drafts[i].child,
            (struct row_span){search->step.batch, search->step.n_batch},
            "variance", err);
        if (drafts[i].trial == NULL)
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!trial_wait(search->session, drafts[i].trial, err))
            return false;
    }
    return true;
}

// Adds all drafts to the pool. The best of them is the step's winner, and is
// evaluated on all validation rows while the next step begins.
static bool keep_drafts(struct simba_search *search, const struct draft *drafts,
                        size_t n, struct err *err)
{
    size_t winner = search->n_pool;

    for (size_t i = 0; i < n; i++) {
        if (!simba_pool_add(search, drafts[i].child, drafts[i].trial->score,
                            err))
            return false;
        if (search->pool[search->n_pool - 1].score > search->pool[winner].score)
            winner = search->n_pool - 1;
    }
    if (n == 0)
        return true;
    return leader_admit(&search->leader, err) &&
           (search->leader.over ||
            leader_try(&search->leader, search->pool[winner].candidate,
                       "winner", err));
}

static bool make_programs(struct simba_search *search, struct err *err)
{
    size_t most = (size_t)search->params->num_candidates + 1;
    struct draft *drafts = calloc(most, sizeof *drafts);
    size_t n = 0;
    size_t bucket = 0;
    bool ok = drafts != NULL;

    if (!ok)
        err_nomem(err, "new programs");
    while (ok && n < most && bucket < search->step.n_batch)
        ok = make_wave(search, drafts, &n, most, &bucket, err);
    ok = ok && score_drafts(search, drafts, n, err);
    if (ok && !search->leader.over)
        ok = keep_drafts(search, drafts, n, err);
    for (size_t i = 0; drafts != NULL && i < most; i++)
        release_draft(&drafts[i]);
    free(drafts);
    return ok;
}

// --- the whole search ---

// Estimates the work. A step runs its rows with each program that is drawn and
// with each new one. A new program costs a question to the teacher in about
// half of the cases, and the best is evaluated on all validation rows.
static struct effort effort_of(const struct session *session,
                               const struct simba_params *values, int64_t steps)
{
    const struct split *split = session_split(session);
    size_t models = (size_t)values->num_candidates;
    size_t rows = (size_t)values->bsize < split->n[SHARE_TRAIN]
                      ? (size_t)values->bsize
                      : split->n[SHARE_TRAIN];
    size_t step =
        rows * (models + models + 1) + (models + 1) / 2 + split->n[SHARE_VAL];

    return (struct effort){.examples = (size_t)steps * step};
}

static struct effort effort(struct session *session, const void *given)
{
    const struct simba_params *values = given;

    return effort_of(session, values, values->max_steps);
}

static void count_replies(struct simba_search *search)
{
    size_t all = search->n_models * search->step.n_batch;

    for (size_t i = 0; i < all; i++)
        leader_count(&search->leader, search->step.items[i]);
}

static bool run_step(struct simba_search *search, int64_t step, struct err *err)
{
    search->step.rng = session_rng(search->session, "steps", (uint64_t)step);
    bool ok = simba_batch_take(search, err) && simba_pool_choose(search, err) &&
              simba_batch_run(search, step, err) &&
              simba_batch_sort(search, err);

    if (ok)
        count_replies(search);
    ok = ok && make_programs(search, err);
    // Demos need right answers, and rules need better and worse ones.
    if (ok)
        leader_check_replies(&search->leader);
    simba_batch_release(search);
    return ok;
}

static bool begin_search(struct simba_search *search, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    // Nothing has been tried yet, so the best is the program as written.
    const struct trial *baseline = session_baseline_trial(search->session);
    const struct trial *seed = session_seed_trial(search->session);

    search->parts = calloc(program->n_predictors + 1, sizeof *search->parts);
    search->order = calloc(search->n_train + 1, sizeof *search->order);
    if (search->parts == NULL || search->order == NULL) {
        err_nomem(err, "a search");
        return false;
    }
    memcpy(search->order, session_split(search->session)->rows[SHARE_TRAIN],
           search->n_train * sizeof *search->order);
    search->n_parts =
        plan_predictors(session_plan(search->session), program, search->parts);
    return simba_pool_add(search, session_baseline(search->session),
                          baseline->score, err) &&
           (seed == NULL ||
            simba_pool_add(search, seed->candidate, seed->score, err)) &&
           simba_rules_init(search, err);
}

static bool run_steps(struct simba_search *search, struct err *err)
{
    session_phase(search->session, "search");
    for (int64_t i = 0; i < search->params->max_steps; i++) {
        session_expect(search->session,
                       effort_of(search->session, search->params,
                                 search->params->max_steps - i));
        if (!run_step(search, i, err))
            return false;
        if (search->leader.over)
            break;
    }
    return true;
}

static void release_search(struct simba_search *search)
{
    simba_batch_release(search);
    for (size_t i = 0; i < search->n_pool; i++)
        candidate_unref(search->pool[i].candidate);
    free(search->pool);
    free(search->step.top);
    free(search->step.batch);
    free(search->order);
    free(search->parts);
    form_release(&search->rule);
    free(search->advice);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct simba_params *values = given;
    struct simba_search search = {
        .session = session,
        .params = values,
        .leader = leader_of(session, 1.0),
        .n_train = session_split(session)->n[SHARE_TRAIN],
        .n_models = (size_t)values->num_candidates,
    };
    bool ok = true;

    if (search.leader.over || search.n_train == 0)
        return true;
    ok = begin_search(&search, err);
    if (ok && search.n_parts > 0)
        ok = run_steps(&search, err);
    ok = leader_end(&search.leader, ok, err);
    release_search(&search);
    return ok;
}

const struct optimizer simba = {
    .name = "simba",
    .help = "rules and demos from rows that the model sometimes answers right "
            "and sometimes wrong",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct simba_params),
    .seeds = true,
    .effort = effort,
    .run = run,
};
