// miprov2: instructions and demo sets of all steps, and the job's tunables,
// searched together.
//
//   demos      sets of demos: none, labelled, bootstrapped in order and by
//              chance; the teacher's traces also ground the next phase
//   proposals  instructions for each searched step
//              (search/toolkit/proposer.h)
//   search     TPE chooses a combination a trial, scored on a minibatch drawn
//              afresh; every so many trials, and at the end, the combination
//              with the best mean is evaluated on all rows. The best full
//              score wins.
//
// What TPE may know of is fixed by the lag: all trials up to t - window are
// told, in order; the later ones are said to be running.

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "search/optimizers/optimizer.h"
#include "search/toolkit/combos.h"
#include "search/toolkit/demos.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/proposer.h"
#include "search/toolkit/tpe.h"

enum auto_level { AUTO_LIGHT, AUTO_MEDIUM, AUTO_HEAVY, AUTO_NONE };
static const char *const auto_names[] = {"light", "medium", "heavy", "none",
                                         NULL};
enum tristate { BY_AUTO, NO, YES };
static const char *const tristate_names[] = {"auto", "false", "true", NULL};

struct params {
    int level;
    int64_t num_candidates; // -1: by level
    int64_t num_trials;     // -1: by the formula
    int64_t max_bootstrapped_demos;
    int64_t max_labeled_demos;
    int64_t max_errors;
    double metric_threshold;
    double init_temperature;
    int64_t seed;
    int minibatch;
    int64_t minibatch_size;
    int64_t minibatch_full_eval_steps;
    bool program_aware_proposer;
    bool data_aware_proposer;
    int64_t view_data_batch_size;
    bool tip_aware_proposer;
    bool fewshot_aware_proposer;
};

#define AT(member) offsetof(struct params, member)

static const struct param params[] = {
    {"auto", PARAM_CHOICE, AT(level), 0, 0, AUTO_LIGHT, auto_names,
     "effort: 6, 12 or 18 candidates, and at most 100, 300 or 1,000 "
     "validation rows"},
    {"num_candidates", PARAM_INT, AT(num_candidates), 1, 1000, -1, NULL,
     "demo sets, and proposed instructions a step; otherwise by `auto`"},
    {"num_trials", PARAM_INT, AT(num_trials), 1, 1e6, -1, NULL,
     "combinations tried; otherwise by a formula of the candidates"},
    {"max_bootstrapped_demos", PARAM_INT, AT(max_bootstrapped_demos), 0, 1000,
     4, NULL,
     "demos from the teacher's runs, for each predictor; with "
     "`max_labeled_demos` 0 as well, instructions alone are searched"},
    {"max_labeled_demos", PARAM_INT, AT(max_labeled_demos), 0, 1000, 4, NULL,
     "labelled examples are added until a predictor has so many demos"},
    {"max_errors", PARAM_INT, AT(max_errors), 1, 1e9, 10, NULL,
     "after so many examples without a readable answer, no more are tried"},
    {"metric_threshold", PARAM_NUMBER, AT(metric_threshold), 0, 1, NAN, NULL,
     "the score that a teacher's run needs to become a demo; otherwise any "
     "above 0"},
    {"init_temperature", PARAM_NUMBER, AT(init_temperature), 0, 2, 1, NULL,
     "temperature at which instructions are proposed"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 9, NULL, "of the random numbers"},
    {"minibatch", PARAM_CHOICE, AT(minibatch), 0, 0, BY_AUTO, tristate_names,
     "score trials on a sample of the validation rows; `auto`: above 50 of "
     "them"},
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
     NULL, "examples that the data's summary takes in at a time"},
    {"tip_aware_proposer", PARAM_BOOL, AT(tip_aware_proposer), 0, 1, 1, NULL,
     "give the proposer a tip, another for each proposal"},
    {"fewshot_aware_proposer", PARAM_BOOL, AT(fewshot_aware_proposer), 0, 1, 1,
     NULL, "show bootstrapped demos to the proposer"},
};

// --- what the parameters come to

struct level {
    int64_t candidates;
    size_t val_rows;
};

static const struct level levels[] = {
    [AUTO_LIGHT] = {6, 100},
    [AUTO_MEDIUM] = {12, 300},
    [AUTO_HEAVY] = {18, 1000},
    [AUTO_NONE] = {0, SIZE_MAX},
};

enum { AUTO_MINIBATCH_ABOVE = 50, GROUNDING_DEMOS = 3 };

struct miprov2_search {
    struct session *session;
    const struct params *params;
    bool zero_shot;
    int64_t n_sets;
    int64_t n_instructions;
    int64_t n_trials;
    bool minibatch;
    size_t *val; // owned: the validation rows that count, ascending
    size_t n_val;
    struct leader leader;
    const struct trial *baseline; // the program as written; the session's
    struct demo_maker *maker;
    struct demo_set *sets; // owned: n_sets
    struct proposals proposals;
    struct combos combos;
    struct told *told; // owned: what the study knows or awaits
    size_t n_told;
    size_t counted; // of told: in the means of combos
};

// A trial as the study sees it; trial NULL is the program as written, known
// from the start.
struct told {
    const struct trial *trial;
    struct combo *combo;
    int *choices; // owned
};

static bool check(const struct job *job, const void *given, struct diags *diags)
{
    const struct params *values = given;

    if (values->level != AUTO_NONE || values->num_candidates > 0)
        return true;
    diag_add(diags, DIAG_ERROR, "missing-parameter", &job->optimizer_place,
             "miprov2 with `auto: none` needs `num_candidates`");
    diag_remedy(diags, "set num_candidates, or auto to light, medium or "
                       "heavy");
    return false;
}

// Counted over all predictors of the program, also those that are not
// searched: what a plan leaves out must not shorten the search of the rest.
static int64_t count_trials(const struct miprov2_search *search,
                            int64_t candidates)
{
    const struct program *program = session_job(search->session)->program;
    const struct tunable *tunables[TUNABLES_MAX];
    size_t n_tunables =
        tunables_searched(&session_job(search->session)->tunables,
                          session_plan(search->session), tunables);
    double vars = (double)program->n_predictors * (search->zero_shot ? 1 : 2) +
                  (double)n_tunables;
    double n = (double)candidates;

    return (int64_t)fmax(2 * vars * log2(n), 1.5 * n);
}

static int compare_rows(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

// k of rows[0..n) into out (space for n), ascending.
static void sample_rows(struct rng *rng, const size_t *rows, size_t n, size_t k,
                        size_t *out)
{
    rng_sample(rng, n, k, out);
    for (size_t i = 0; i < k; i++)
        out[i] = rows[out[i]];
    qsort(out, k, sizeof *out, compare_rows);
}

static bool choose_val(struct miprov2_search *search, struct err *err)
{
    const struct split *split = session_split(search->session);
    struct rng rng = session_rng(search->session, "validation-rows", 0);
    size_t n = split->n[SHARE_VAL];

    search->val = calloc(n + 1, sizeof *search->val);
    if (search->val == NULL) {
        err_nomem(err, "validation rows");
        return false;
    }
    if (n == search->n_val)
        memcpy(search->val, split->rows[SHARE_VAL], n * sizeof *search->val);
    else
        sample_rows(&rng, split->rows[SHARE_VAL], n, search->n_val,
                    search->val);
    return true;
}

// Trials on minibatches, and those on all rows.
static int64_t count_all(const struct miprov2_search *search)
{
    int64_t steps = search->params->minibatch_full_eval_steps;
    int64_t n = search->n_trials;

    if (!search->minibatch)
        return n;
    return n + n / steps + (n % steps != 0);
}

static void tell_plan(const struct miprov2_search *search)
{
    char instructions[TEXT_COUNTED_BYTES], sets[TEXT_COUNTED_BYTES],
        trials[TEXT_COUNTED_BYTES], rows[TEXT_COUNTED_BYTES];

    session_note(
        search->session, "miprov2: %s a step, %s, %s on %s%s",
        text_counted(instructions, search->n_instructions, "instruction"),
        text_counted(sets, search->zero_shot ? 0 : search->n_sets, "demo set"),
        text_counted(trials, count_all(search), "trial"),
        text_counted(rows, (int64_t)search->n_val, "row"),
        search->minibatch ? " by minibatches" : "");
}

static void resolve(struct miprov2_search *search)
{
    const struct params *given = search->params;
    const struct level *level = &levels[given->level];
    size_t rows = session_split(search->session)->n[SHARE_VAL];
    int64_t candidates = level->candidates;

    search->zero_shot =
        given->max_bootstrapped_demos == 0 && given->max_labeled_demos == 0;
    search->n_sets = candidates;
    search->n_instructions = search->zero_shot ? candidates : candidates / 2;
    if (given->num_candidates > 0) {
        candidates = given->num_candidates;
        search->n_sets = candidates;
        search->n_instructions = candidates;
    }
    search->n_trials = given->num_trials > 0 ? given->num_trials
                                             : count_trials(search, candidates);
    search->n_val = rows < level->val_rows ? rows : level->val_rows;
    search->minibatch = given->minibatch == YES;
    if (given->minibatch == BY_AUTO)
        search->minibatch =
            given->level == AUTO_NONE || search->n_val > AUTO_MINIBATCH_ABOVE;
    if ((size_t)given->minibatch_size >= search->n_val)
        search->minibatch = false;
}

// --- demos

enum { SET_EMPTY = 0, SET_LABELED = 1, SET_IN_ORDER = 2 };

// Behind those of the search come the demos that are nearest to the question,
// where the job allows them.
static int64_t count_pools(const struct miprov2_search *search)
{
    return search->zero_shot ? 0
                             : (int64_t)session_job(search->session)->n_nearest;
}

static struct demo_recipe recipe_of(const struct miprov2_search *search)
{
    const struct params *given = search->params;

    return (struct demo_recipe){
        .max_bootstrapped =
            search->zero_shot ? GROUNDING_DEMOS : given->max_bootstrapped_demos,
        .max_labeled = given->max_labeled_demos,
        .max_rounds = 1,
        .max_errors = given->max_errors,
        .metric_threshold = given->metric_threshold,
    };
}

static bool wants_sets(const struct miprov2_search *search)
{
    return !search->zero_shot || search->params->fewshot_aware_proposer;
}

// Trials from the n-th on, those on all rows after it among them.
static struct effort effort_of_trials(const struct miprov2_search *search,
                                      int64_t n)
{
    int64_t before =
        search->minibatch ? n / search->params->minibatch_full_eval_steps : 0;
    size_t trials = (size_t)(search->n_trials - n);
    size_t fulls = (size_t)(count_all(search) - search->n_trials - before);
    size_t rows = search->minibatch ? (size_t)search->params->minibatch_size
                                    : search->n_val;

    return (struct effort){.examples = trials * rows + fulls * search->n_val,
                           .trials = trials + fulls};
}

static struct effort effort(struct session *session, const void *given)
{
    struct miprov2_search search = {.session = session, .params = given};
    struct demo_recipe recipe;
    struct effort effort;

    resolve(&search);
    recipe = recipe_of(&search);
    effort = effort_of_trials(&search, 0);
    if (wants_sets(&search))
        effort.examples += demos_effort(&recipe, (size_t)search.n_sets,
                                        session_split(session)->n[SHARE_TRAIN]);
    effort.examples += (size_t)search.n_instructions *
                       session_job(session)->program->n_predictors;
    return effort;
}

static bool make_set(struct miprov2_search *search, int64_t index,
                     size_t *order, struct demo_set *out, struct err *err)
{
    const struct split *split = session_split(search->session);
    size_t n = split->n[SHARE_TRAIN];
    struct rng rng = session_rng(search->session, "demo-sets", (uint64_t)index);
    struct demo_recipe recipe = recipe_of(search);

    if (index >= search->n_sets - count_pools(search))
        return demos_pool(
            search->maker, &recipe,
            &(struct demo_rows){split->rows[SHARE_TRAIN], n, &rng},
            (size_t)session_job(search->session)
                ->nearest[index - (search->n_sets - count_pools(search))],
            out, err);
    if (index == SET_EMPTY)
        return demo_set_init(out, session_job(search->session)->program, err);
    memcpy(order, split->rows[SHARE_TRAIN], n * sizeof *order);
    if (recipe.max_bootstrapped == 0 ||
        (index == SET_LABELED && recipe.max_labeled > 0))
        return demos_labeled(search->maker, &(struct demo_rows){order, n, &rng},
                             recipe.max_labeled, out, err);
    if (index != SET_IN_ORDER) {
        rng_shuffle(&rng, order, n);
        recipe.max_bootstrapped =
            1 + (int64_t)rng_below(&rng, (uint64_t)recipe.max_bootstrapped);
    }
    return demos_bootstrap(search->maker, &recipe,
                           &(struct demo_rows){order, n, &rng}, out, err);
}

static bool make_sets(struct miprov2_search *search, struct err *err)
{
    size_t n = session_split(search->session)->n[SHARE_TRAIN];
    size_t *order = calloc(n + 1, sizeof *order);
    bool ok = true;

    search->n_sets += count_pools(search);
    search->sets = calloc((size_t)search->n_sets, sizeof *search->sets);
    if (order == NULL || search->sets == NULL) {
        err_nomem(err, "demo sets");
        ok = false;
    }
    session_phase(search->session, "demos");
    for (int64_t i = 0; ok && i < search->n_sets; i++)
        ok = make_set(search, i, order, &search->sets[i], err);
    free(order);
    return ok;
}

// --- proposals

static bool propose(struct miprov2_search *search, struct err *err)
{
    const struct params *given = search->params;
    const struct proposer_options options = {
        .n = search->n_instructions,
        .temperature = given->init_temperature,
        .program_aware = given->program_aware_proposer,
        .data_aware = given->data_aware_proposer,
        .tip_aware = given->tip_aware_proposer,
        .fewshot_aware = given->fewshot_aware_proposer,
        .view_data_batch_size = given->view_data_batch_size,
    };
    size_t n = search->sets != NULL ? (size_t)search->n_sets : 0;

    session_phase(search->session, "proposals");
    return proposals_make(search->session, &options, search->sets, n,
                          &search->proposals, err);
}

// --- the study

static bool tell(struct miprov2_search *search, const struct trial *trial,
                 struct combo *combo, const int *choices, struct err *err)
{
    size_t size = (search->combos.space.n + 1) * sizeof(int);
    struct told *more =
        realloc(search->told, (search->n_told + 1) * sizeof *more);
    int *copy = calloc(1, size);

    if (more != NULL)
        search->told = more;
    if (more == NULL || copy == NULL) {
        err_nomem(err, "the trials");
        free(copy);
        return false;
    }
    memcpy(copy, choices, search->combos.space.n * sizeof *copy);
    search->told[search->n_told++] = (struct told){trial, combo, copy};
    return true;
}

// The baseline's mean over the rows that count.
static double baseline_score(const struct miprov2_search *search)
{
    const struct trial *baseline = search->baseline;
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < baseline->n_rows; i++) {
        if (!baseline->scored[i] ||
            bsearch(&baseline->rows[i], search->val, search->n_val,
                    sizeof *search->val, compare_rows) == NULL)
            continue;
        sum += baseline->scores[i];
        n++;
    }
    return n > 0 ? sum / (double)n : 0;
}

// The demos of the program of an earlier run as one more set.
static bool add_seed_set(struct miprov2_search *search,
                         const struct candidate *candidate, struct err *err)
{
    size_t n = (size_t)search->n_sets;
    struct demo_set *more = realloc(search->sets, (n + 1) * sizeof *more);
    bool ok = more != NULL;

    if (!ok) {
        err_nomem(err, "demo sets");
        return false;
    }
    search->sets = more;
    ok = demo_set_init(&search->sets[n], session_job(search->session)->program,
                       err);
    search->n_sets++;
    for (size_t p = 0; ok && p < candidate->n_parts; p++) {
        const struct candidate_part *part = &candidate->parts[p];
        struct demo_list *list = &search->sets[n].lists[p];

        list->nearest = part->nearest;
        for (size_t i = 0; ok && i < part->n_demos; i++)
            ok = demo_list_add(list, &part->demos[i], err);
    }
    return ok;
}

// The program of an earlier run: its texts and demos become choices as well,
// the last of each.
static bool add_seed(struct miprov2_search *search, struct err *err)
{
    const struct trial *seed = session_seed_trial(search->session);

    if (seed == NULL)
        return true;
    for (size_t p = 0; p < search->proposals.n_lists; p++) {
        struct instruction_list *list = &search->proposals.lists[p];
        char *text = strdup(seed->candidate->parts[p].instruction);
        char **more = realloc(list->texts, (list->n + 1) * sizeof *more);

        if (more != NULL)
            list->texts = more;
        if (more == NULL || text == NULL) {
            free(text);
            err_nomem(err, "instructions");
            return false;
        }
        list->texts[list->n++] = text;
    }
    return search->zero_shot || add_seed_set(search, seed->candidate, err);
}

// What it scored is known from the start.
static bool tell_seed(struct miprov2_search *search, struct err *err)
{
    struct trial *seed = session_seed_trial(search->session);
    const struct combos *combos = &search->combos;
    size_t n = combos->space.n;
    int *choices = calloc(n + 1, sizeof *choices);
    struct combo *combo = NULL;
    bool ok = choices != NULL;

    if (!ok)
        err_nomem(err, "a search space");
    for (size_t i = 0; ok && i < n - combos->n_tunables; i++)
        choices[i] = combos->n_choices[i] - 1;
    for (size_t t = 0; ok && t < combos->n_tunables; t++) {
        const struct tunable *tunable = combos->tunables[t];
        int *choice = &choices[n - combos->n_tunables + t];

        while (tunable_nth(tunable, (size_t)*choice) !=
               tunable_get(tunable, seed->candidate))
            (*choice)++;
    }
    if (ok)
        combo = combos_get(&search->combos, choices, err);
    ok = combo != NULL && tell(search, seed, combo, choices, err);
    if (ok)
        combo->full = true;
    free(choices);
    return ok;
}

static bool start_study(struct miprov2_search *search, struct err *err)
{
    const struct demo_set *sets;

    if (!add_seed(search, err))
        return false;
    sets = search->zero_shot ? NULL : search->sets;
    if (!combos_init(&search->combos, search->session, &search->proposals, sets,
                     (size_t)search->n_sets, err))
        return false;
    int *zeros = calloc(search->combos.space.n + 1, sizeof *zeros);
    if (zeros == NULL) {
        err_nomem(err, "a search space");
        return false;
    }
    struct combo *combo = combos_get(&search->combos, zeros, err);
    bool ok = combo != NULL && tell(search, NULL, combo, zeros, err);
    if (ok)
        combo->full = true;
    free(zeros);
    return ok && (session_seed_trial(search->session) == NULL ||
                  tell_seed(search, err));
}

// Adds to the means what trials up to number `known` came to.
static void count_known(struct miprov2_search *search, size_t known)
{
    for (; search->counted < search->n_told; search->counted++) {
        const struct told *told = &search->told[search->counted];
        if (told->trial == NULL)
            continue;
        if ((size_t)told->trial->number > known)
            return;
        if (told->trial->kind != TRIAL_MINIBATCH || told->trial->n == 0)
            continue;
        told->combo->sum += told->trial->score;
        told->combo->n++;
    }
}

// A trial of which no row was scored says nothing, and stays as if running.
static struct tpe_trial as_tpe(const struct miprov2_search *search,
                               const struct told *told, size_t known)
{
    struct tpe_trial out = {.choices = told->choices};

    if (told->trial == NULL)
        out.score = baseline_score(search);
    else if ((size_t)told->trial->number > known || told->trial->n == 0)
        out.running = true;
    else
        out.score = told->trial->score;
    return out;
}

static bool choose(struct miprov2_search *search, int *choices, struct err *err)
{
    size_t known = leader_known(search->session);
    size_t next = 0;
    session_trials(search->session, &next);
    struct rng rng = session_rng(search->session, "tpe", next + 1);
    struct tpe_trial *trials = calloc(search->n_told, sizeof *trials);

    if (trials == NULL) {
        err_nomem(err, "the trials");
        return false;
    }
    for (size_t i = 0; i < search->n_told; i++)
        trials[i] = as_tpe(search, &search->told[i], known);
    bool ok = tpe_propose(&search->combos.space, trials, search->n_told,
                          uniforms_of(&rng), choices, err);
    free(trials);
    return ok;
}

// --- trials

// What a trial tries. All borrowed.
struct attempt {
    struct combo *combo;
    const int *choices; // of the combination, a place of the space each
    const char *reason; // static
};

static bool submit_full(struct miprov2_search *search,
                        const struct attempt *attempt, struct err *err)
{
    struct combo *combo = attempt->combo;
    struct trial *trial =
        trial_submit(search->session, TRIAL_FULL, combo->candidate, search->val,
                     search->n_val, attempt->reason, err);

    combo->full = true;
    return trial != NULL && tell(search, trial, combo, attempt->choices, err);
}

static bool submit_minibatch(struct miprov2_search *search,
                             const struct attempt *attempt, int64_t index,
                             struct err *err)
{
    struct rng rng = session_rng(search->session, "minibatch", (uint64_t)index);
    size_t k = (size_t)search->params->minibatch_size;
    size_t *rows = calloc(search->n_val + 1, sizeof *rows);

    if (rows == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    sample_rows(&rng, search->val, search->n_val, k, rows);
    struct trial *trial =
        trial_submit(search->session, TRIAL_MINIBATCH,
                     attempt->combo->candidate, rows, k, attempt->reason, err);
    free(rows);
    return trial != NULL &&
           tell(search, trial, attempt->combo, attempt->choices, err);
}

static bool try_next(struct miprov2_search *search, int64_t index,
                     struct err *err)
{
    int *choices = calloc(search->combos.space.n + 1, sizeof *choices);
    struct attempt attempt = {.choices = choices, .reason = "tpe"};
    bool ok = choices != NULL;

    if (!ok)
        err_nomem(err, "a trial");
    ok = ok && choose(search, choices, err);
    if (ok)
        attempt.combo = combos_get(&search->combos, choices, err);
    if (attempt.combo == NULL)
        ok = false;
    else if (search->minibatch)
        ok = submit_minibatch(search, &attempt, index, err);
    else
        ok = submit_full(search, &attempt, err);
    free(choices);
    return ok;
}

// Evaluates the best mean among what is known; nothing is left to evaluate
// when every combination known has been.
static bool try_best_mean(struct miprov2_search *search, struct err *err)
{
    struct combo *combo = NULL;

    if (!leader_admit(&search->leader, err))
        return false;
    if (search->leader.over)
        return true;
    count_known(search, leader_known(search->session));
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
    count_known(search, n);
    if (search->minibatch && !search->leader.over &&
        !try_best_mean(search, err))
        return false;
    return true;
}

static bool run_trials(struct miprov2_search *search, struct err *err)
{
    int64_t steps = search->params->minibatch_full_eval_steps;

    session_phase(search->session, "search");
    for (int64_t i = 1; i <= search->n_trials; i++) {
        if (!leader_admit(&search->leader, err))
            return false;
        if (search->leader.over)
            break;
        session_expect(search->session, effort_of_trials(search, i - 1));
        if (!try_next(search, i, err))
            return false;
        if (search->minibatch && i % steps == 0 && i < search->n_trials &&
            !try_best_mean(search, err))
            return false;
        if (search->leader.over)
            break;
    }
    return end_search(search, err);
}

// --- the whole

static bool run_phases(struct miprov2_search *search, struct err *err)
{
    if (!leader_admit(&search->leader, err))
        return false;
    if (!search->leader.over && wants_sets(search) && !make_sets(search, err))
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
    for (size_t i = 0; i < search->n_told; i++)
        free(search->told[i].choices);
    free(search->told);
    combos_release(&search->combos);
    proposals_release(&search->proposals);
    for (int64_t i = 0; search->sets != NULL && i < search->n_sets; i++)
        demo_set_release(&search->sets[i]);
    free(search->sets);
    demo_maker_free(search->maker);
    free(search->val);
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
    resolve(&search);
    ok = choose_val(&search, err);
    if (ok) {
        tell_plan(&search);
        search.maker =
            demo_maker_new(session, NULL, session_plan(session), err);
        ok = search.maker != NULL && run_phases(&search, err);
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
    .params_size = sizeof(struct params),
    .check = check,
    .pools = true,
    .seeds = true,
    .effort = effort,
    .run = run,
};
