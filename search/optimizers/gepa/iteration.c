#include "search/optimizers/gepa/iteration.h"

#include "search/optimizers/gepa/acceptance.h"
#include "search/toolkit/diagnosis.h"

enum { MERGE_ROWS = 5 };

static const struct trial *trial_of(const struct gepa_search *search,
                                    size_t member)
{
    return search->pool.members[member].trial;
}

static struct candidate *parent_of(const struct gepa_search *search,
                                   const struct iteration *iteration)
{
    return trial_of(search, iteration->parents[0])->candidate;
}

void iteration_end(struct gepa_search *search, struct iteration *iteration)
{
    rewrites_release(&iteration->rewrites);
    runs_drop(search->session, iteration->runs);
    runs_drop(search->session, iteration->more_runs);
    candidate_unref(iteration->child);
    minibatch_release(&iteration->minibatch);
    *iteration = (struct iteration){0};
}

static struct row_span first_rows(const struct iteration *iteration)
{
    return (struct row_span){iteration->minibatch.rows, iteration->minibatch.n};
}

static struct runs *run_parent(struct gepa_search *search,
                               const struct iteration *iteration,
                               struct row_span rows, struct err *err)
{
    search->spent += (int64_t)rows.n;
    return diagnosis_submit(search->session, parent_of(search, iteration), rows,
                            err);
}

// The rows that a child is tried on.
struct attempt {
    enum trial_kind kind;
    struct row_span rows; // borrowed
    const char *reason;   // static
};

// Submits a trial of the child, unless the search is over; then *out stays
// NULL.
static bool run_child(struct gepa_search *search,
                      const struct iteration *iteration,
                      const struct attempt *on, struct trial **out,
                      struct err *err)
{
    if (!leader_admit(&search->leader, err))
        return false;
    if (search->leader.over)
        return true;
    *out = trial_submit(search->session, on->kind, iteration->child, on->rows,
                        on->reason, err);
    search->spent += (int64_t)on->rows.n;
    return *out != NULL;
}

// --- the start of an iteration

static bool begin_merge(struct gepa_search *search, struct iteration *iteration,
                        struct err *err)
{
    struct rng rng =
        session_rng(search->session, "merges", (uint64_t)iteration->no);
    struct merge merge;
    size_t rows[MERGE_ROWS];
    size_t n = 0;

    if (!merge_find(&search->pool, &search->merges, &rng, &merge, err))
        return false;
    if (merge.candidate == NULL)
        return true;
    iteration->child = merge.candidate;
    iteration->is_merge = true;
    iteration->parents[0] = merge.a;
    iteration->parents[1] = merge.b;
    const struct trial *a = trial_of(search, merge.a);
    if (!merge_rows(a, trial_of(search, merge.b), MERGE_ROWS, &rng, rows, &n,
                    err))
        return false;
    for (size_t i = 0; i < n; i++)
        rows[i] = a->rows[rows[i]];
    const struct attempt few = {TRIAL_MINIBATCH, {rows, n}, "merge"};
    iteration->stage = ITERATION_SAMPLED;
    return run_child(search, iteration, &few, &iteration->sample, err);
}

static bool choose_parent(struct gepa_search *search,
                          struct iteration *iteration, struct err *err)
{
    struct rng rng =
        session_rng(search->session, "parents", (uint64_t)iteration->no);

    if (search->params->selection == GEPA_SELECT_PARETO)
        return pool_pick(&search->pool, &rng, &iteration->parents[0], err);
    iteration->parents[0] = pool_best(&search->pool);
    return true;
}

// Chooses the parts that this iteration rewrites. The parent's turn advances
// whatever the result.
static bool choose_parts(struct gepa_search *search,
                         struct iteration *iteration, struct err *err)
{
    struct pool_member *parent = &search->pool.members[iteration->parents[0]];
    size_t n =
        search->params->selector == GEPA_ALL_TOGETHER ? search->n_parts : 1;

    if (!rewrites_init(&iteration->rewrites, search->session, iteration->no, n,
                       err))
        return false;
    for (size_t i = 0; i < n; i++)
        rewrites_add(&iteration->rewrites,
                     search->parts[(parent->turn + i) % search->n_parts]);
    parent->turn = (parent->turn + n) % search->n_parts;
    return true;
}

bool iteration_begin(struct gepa_search *search, struct iteration *iteration,
                     struct err *err)
{
    bool found_new = search->found_new;

    iteration->no = search->begun++;
    search->found_new = false;
    if (found_new && search->merges_due > 0 &&
        !begin_merge(search, iteration, err))
        return false;
    if (iteration->stage != ITERATION_NONE)
        return true;
    if (!choose_parent(search, iteration, err) ||
        !choose_parts(search, iteration, err) ||
        !minibatches_take(&search->minibatches, iteration->no,
                          &iteration->minibatch, err))
        return false;
    iteration->stage = ITERATION_READING;
    iteration->runs = run_parent(search, iteration, first_rows(iteration), err);
    return iteration->runs != NULL;
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
static void end_without_child(struct gepa_search *search,
                              struct iteration *iteration)
{
    iteration_end(search, iteration);
    search->childless++;
    if (search->childless >= MUTE_CANDIDATES)
        leader_check_replies(&search->leader);
}

static bool reflect(struct gepa_search *search, struct iteration *iteration,
                    struct err *err)
{
    if (!runs_wait(search->session, iteration->runs, err))
        return false;
    for (size_t i = 0; i < iteration->runs->n; i++)
        leader_count(&search->leader, &iteration->runs->items[i]);
    if (search->params->skip_perfect_score &&
        is_perfect(search, iteration->runs)) {
        iteration_end(search, iteration);
        return true;
    }
    const struct rewrites_source source = {
        .form = &search->form,
        .parent = parent_of(search, iteration),
        .runs = iteration->runs,
        .unreadable = search->params->add_format_failure_as_feedback,
    };
    iteration->stage = ITERATION_REFLECTING;
    if (!rewrites_ask(&iteration->rewrites, &source, err))
        return false;
    if (iteration->rewrites.n == 0)
        end_without_child(search, iteration);
    return true;
}

// --- REFLECTING -> SAMPLED

static bool is_under_way(const struct gepa_search *search,
                         const struct iteration *iteration)
{
    for (size_t i = 0; i < search->n_lanes; i++) {
        const struct iteration *other = &search->lanes[i];
        if (other != iteration && other->stage >= ITERATION_SAMPLED &&
            hash_equal(&other->child->id, &iteration->child->id))
            return true;
    }
    return false;
}

static bool make_child(struct gepa_search *search, struct iteration *iteration,
                       struct err *err)
{
    bool changed = false;

    iteration->child = candidate_child(parent_of(search, iteration), err);
    if (iteration->child == NULL ||
        !rewrites_take(&iteration->rewrites, iteration->child, &changed, err))
        return false;
    candidate_seal(iteration->child);
    search->proposed += changed;
    if (!changed || pool_has(&search->pool, iteration->child) ||
        is_under_way(search, iteration)) {
        end_without_child(search, iteration);
        return true;
    }
    const struct attempt few = {TRIAL_MINIBATCH, first_rows(iteration),
                                "reflection"};
    iteration->stage = ITERATION_SAMPLED;
    return run_child(search, iteration, &few, &iteration->sample, err);
}

// --- SAMPLED -> CHECKED -> EVALUATED

static bool evaluate(struct gepa_search *search, struct iteration *iteration,
                     struct err *err)
{
    const struct attempt all = {
        TRIAL_FULL, row_span_of(session_split(search->session), SHARE_VAL),
        iteration->is_merge ? "merge" : "better"};

    iteration->stage = ITERATION_EVALUATED;
    return run_child(search, iteration, &all, &iteration->full, err);
}

// Tries the same child and its parent on further rows.
static bool test_on_more_rows(struct gepa_search *search,
                              struct iteration *iteration, struct err *err)
{
    const struct minibatch *minibatch = &iteration->minibatch;
    struct row_span rows = {minibatch->rows + minibatch->n, minibatch->n_more};
    const struct attempt more = {TRIAL_MINIBATCH, rows, "chance?"};

    iteration->stage = ITERATION_CHECKED;
    iteration->more_runs = run_parent(search, iteration, rows, err);
    return iteration->more_runs != NULL &&
           run_child(search, iteration, &more, &iteration->more, err);
}

static bool weigh_merge(struct gepa_search *search, struct iteration *iteration,
                        struct err *err)
{
    if (acceptance_of_merged(iteration->sample,
                             trial_of(search, iteration->parents[0]),
                             trial_of(search, iteration->parents[1])))
        return evaluate(search, iteration, err);
    iteration_end(search, iteration);
    return true;
}

// Weighs the child against its parent on the minibatch, and on the further rows
// too if it was tried there.
static bool weigh(const struct gepa_search *search,
                  const struct iteration *iteration, struct acceptance *out,
                  struct err *err)
{
    const struct acceptance_rows rows[] = {
        {iteration->runs, iteration->sample},
        {iteration->more_runs, iteration->more}};
    size_t n = iteration->stage == ITERATION_CHECKED ? 2 : 1;
    uint64_t seed = (uint64_t)session_job(search->session)->seed;

    return acceptance_weigh(rows, n, seed, out, err);
}

static bool weigh_sample(struct gepa_search *search,
                         struct iteration *iteration, struct err *err)
{
    struct acceptance acceptance;

    if (!trial_wait(search->session, iteration->sample, err))
        return false;
    if (iteration->is_merge)
        return weigh_merge(search, iteration, err);
    if (!weigh(search, iteration, &acceptance, err))
        return false;
    if (acceptance.better)
        return acceptance.clear || iteration->minibatch.n_more == 0
                   ? evaluate(search, iteration, err)
                   : test_on_more_rows(search, iteration, err);
    iteration_end(search, iteration);
    return true;
}

static bool weigh_all(struct gepa_search *search, struct iteration *iteration,
                      struct err *err)
{
    struct acceptance acceptance;

    if (!runs_wait(search->session, iteration->more_runs, err) ||
        !trial_wait(search->session, iteration->more, err) ||
        !weigh(search, iteration, &acceptance, err))
        return false;
    if (acceptance.better)
        return evaluate(search, iteration, err);
    iteration_end(search, iteration);
    return true;
}

// --- EVALUATED -> the pool

static void count_merges(struct gepa_search *search,
                         const struct iteration *iteration)
{
    if (iteration->is_merge) {
        search->merges_due--;
        search->merges_kept++;
    } else if (search->params->use_merge &&
               search->merges_kept < search->params->max_merge_invocations) {
        search->merges_due++;
    }
}

static bool join_pool(struct gepa_search *search, struct iteration *iteration,
                      struct err *err)
{
    const struct pool_member *parents = search->pool.members;
    struct pool_member member = {.trial = iteration->full,
                                 .n_parents = iteration->is_merge ? 2 : 1};

    if (!trial_wait(search->session, iteration->full, err))
        return false;
    for (size_t i = 0; i < member.n_parents; i++) {
        size_t turn = parents[iteration->parents[i]].turn;
        member.parents[i] = iteration->parents[i];
        member.turn = turn > member.turn ? turn : member.turn;
    }
    if (iteration->full->n > 0) {
        if (!pool_add(&search->pool, &member, err))
            return false;
        count_merges(search, iteration);
        search->kept++;
        search->found_new = true;
    }
    iteration_end(search, iteration);
    return true;
}

// --- from stage to stage

bool iteration_advance(struct gepa_search *search, struct iteration *iteration,
                       struct err *err)
{
    static bool (*const next[])(struct gepa_search *, struct iteration *,
                                struct err *) = {
        [ITERATION_READING] = reflect,      [ITERATION_REFLECTING] = make_child,
        [ITERATION_SAMPLED] = weigh_sample, [ITERATION_CHECKED] = weigh_all,
        [ITERATION_EVALUATED] = join_pool,
    };

    return iteration->stage == ITERATION_NONE ||
           next[iteration->stage](search, iteration, err);
}
