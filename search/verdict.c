#include "search/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/map.h"
#include "common/text.h"
#include "search/session/comparison.h"

static const double SIGNIFICANT = 0.05;
static const double AT_THE_TOP = 0.97;
static const double MANY_FAULTS = 0.1;

enum { TEXT_BYTES = 400, FEW_CANDIDATES = 4 };

__attribute__((format(printf, 3, 4))) static void
add_reason(json_t *reasons, const char *code, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(reasons,
                          json_pack("{s:s, s:s}", "code", code, "text", text));
}

// ---- what the trials show

// Counts the candidates of trials that count, including the baseline's. Returns
// false when out of memory.
static bool count_candidates(struct trial *const *trials, size_t n,
                             size_t *count)
{
    struct map seen = MAP_INIT;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        const struct hash key = map_number((intptr_t)trials[i]->candidate);

        if (trials[i]->whole)
            ok = map_put(&seen, &key, trials[i]);
    }
    *count = seen.n;
    map_release(&seen);
    return ok;
}

// Returns true if all scores of all trials are the same number.
static bool is_constant(struct trial *const *trials, size_t n, double *value)
{
    bool any = false;

    for (size_t t = 0; t < n; t++)
        for (size_t r = 0; trials[t]->done && r < trials[t]->n_rows; r++) {
            if (!trials[t]->scored[r])
                continue;
            if (any && trials[t]->scores[r] != *value)
                return false;
            *value = trials[t]->scores[r];
            any = true;
        }
    return any;
}

// Returns true if every trial scores every row as the baseline does.
static bool all_tie(const struct trial *baseline, struct trial *const *trials,
                    size_t n)
{
    size_t others = 0;

    for (size_t t = 0; t < n; t++) {
        if (!trials[t]->done || trials[t]->candidate == baseline->candidate)
            continue;
        others++;
        if (!comparison_ties(baseline, trials[t]))
            return false;
    }
    return others > 0;
}

// Returns the trial on the whole validation share that beat the baseline by
// most, on the rows that both have; NULL if none did.
static const struct trial *find_better(const struct trial *baseline,
                                       struct trial *const *trials, size_t n)
{
    const struct trial *best = NULL;
    double most = 0;

    for (size_t t = 0; t < n; t++) {
        double gain;

        if (!trials[t]->done || !trials[t]->whole ||
            trials[t]->n_rows < baseline->n_rows)
            continue;
        gain = comparison_gain(baseline, trials[t]);
        if (gain > most) {
            most = gain;
            best = trials[t];
        }
    }
    return best;
}

// Returns the trial that came nearest to beating the baseline and seemed better
// than it. The optimizer may know more than the trials show, so the one it
// names comes first.
static const struct trial *find_rival(const struct verdict_facts *facts,
                                      struct trial *const *trials, size_t n)
{
    const struct trial *told = session_rival(facts->session);

    if (told != NULL && comparison_gain(facts->baseline, told) > 0)
        return told;
    return find_better(facts->baseline, trials, n);
}

// Explains why the baseline won.
static void add_not_better(const struct verdict_facts *facts,
                           const struct trial *rival, size_t candidates,
                           json_t *reasons)
{
    struct comparison both;
    struct err ignored = ERR_CLEAR;

    if (rival == NULL) {
        add_reason(reasons, "nothing_better",
                   "none of the other candidates (%zu) scored better than the "
                   "baseline",
                   candidates - 1);
        return;
    }
    if (!comparison_make(facts->baseline, rival,
                         (uint64_t)session_job(facts->session)->seed, &both,
                         &ignored))
        return;
    if (both.n < COMPARISON_LEAST && both.n < facts->baseline->n)
        add_reason(
            reasons, "too_few_compared",
            "the budget ended when the most promising of the other "
            "candidates (%zu) had been scored on %zu validation "
            "examples (%.1f %%, where the baseline has %.1f %%): too few "
            "to tell, so the program as written was kept; a larger "
            "`max_calls` would tell",
            candidates - 1, both.n, 100 * both.b.score, 100 * both.a.score);
    else
        add_reason(reasons, "within_chance",
                   "the best of the other candidates (%zu) has %.1f %% on the "
                   "validation share where the baseline has %.1f %% (n = %zu), "
                   "which may be chance alone (p = %.2g): the program as "
                   "written was kept",
                   candidates - 1, 100 * both.b.score, 100 * both.a.score,
                   both.n, both.p_value);
}

static void add_unread_steps(const struct session *session, json_t *reasons)
{
    const struct program *program = session_job(session)->program;

    for (size_t p = 0; p < program->n_predictors; p++) {
        int step = program->predictors[p];

        if (!session_plan(session)->runs[step])
            add_reason(reasons, "no_influence",
                       "the prompt of `%.60s` cannot influence the score: the "
                       "metric reads nothing that depends on it",
                       program->steps[step].name);
    }
}

static enum adapter adapter_of(const struct session *session,
                               const struct candidate *candidate)
{
    struct settings settings = session_job(session)->settings;

    settings_overlay(&candidate->settings, SETTING_JOB, &settings);
    return settings.adapter;
}

// Returns what helps with answers that cannot be read.
static const char *remedy(const struct session *session,
                          const struct trial *winner)
{
    if (2 * winner->faults[RUN_CUT] > winner->model_faults)
        return "a larger `num_predict` (most were cut off by it) or a larger "
               "model";
    return adapter_of(session, winner->candidate) == ADAPTER_JSON
               ? "a larger model"
               : "`adapter: json` or a larger model";
}

static void add_faults(const struct session *session,
                       const struct trial *winner, json_t *reasons)
{
    if (winner->n > 0 &&
        (double)winner->model_faults >= MANY_FAULTS * (double)winner->n)
        add_reason(reasons, "format_failures",
                   "%.0f %% of the answers could not be read and scored 0: try "
                   "%s before better prompts",
                   100.0 * (double)winner->model_faults / (double)winner->n,
                   remedy(session, winner));
}

static void add_budget(const struct verdict_facts *facts, size_t candidates,
                       json_t *reasons)
{
    char others[TEXT_COUNTED_BYTES];

    if (strcmp(facts->finish, "budget") != 0 || candidates > FEW_CANDIDATES + 1)
        return;
    if (candidates <= 1)
        add_reason(reasons, "budget_small",
                   "the budget was enough for the baseline alone");
    else
        add_reason(reasons, "budget_small",
                   "the budget was enough for no more than %s besides the "
                   "baseline",
                   text_counted(others, (int64_t)candidates - 1, "candidate"));
}

// Reports a gain that may be chance. Such a gain can be large: from 0 to 100 %
// on four examples is p = 0.12.
static void add_few(const struct comparison *both, const char *on,
                    json_t *reasons)
{
    char noun[32];
    char examples[TEXT_COUNTED_BYTES];

    text_print(noun, sizeof noun, "%s example", on);
    if (both->a.score < both->b.score)
        add_reason(reasons, "few_examples",
                   "a gain of %.1f points on %s may be chance (p = %.2g): more "
                   "examples would settle it",
                   100 * (both->b.score - both->a.score),
                   text_counted(examples, (int64_t)both->n, noun),
                   both->p_value);
}

static bool add_reasons(const struct verdict_facts *facts,
                        const struct comparison *both, const char *on,
                        json_t *reasons)
{
    size_t n = 0;
    struct trial *const *trials = session_trials(facts->session, &n);
    const struct trial *baseline = facts->baseline;
    size_t candidates;
    double value = 0;

    if (!count_candidates(trials, n, &candidates))
        return false;
    if (baseline->score >= AT_THE_TOP)
        add_reason(reasons, "at_the_top",
                   "the baseline has %.0f %% on the validation share: there "
                   "is hardly anything left to gain",
                   100 * baseline->score);
    else if (candidates > 1 && trials_are_unreadable(trials, n))
        add_reason(reasons, "nothing_readable",
                   "no reply to any of the %zu candidates could be read, which "
                   "says nothing about their prompts: see what the model says",
                   candidates);
    else if (candidates > 1 && is_constant(trials, n, &value))
        add_reason(reasons, "metric_constant",
                   "every answer of all %zu candidates scored %.2f: the metric "
                   "does not tell good answers from bad ones here",
                   candidates, value);
    else if (all_tie(baseline, trials, n))
        add_reason(reasons, "all_tie",
                   "no candidate scored differently from the baseline on any "
                   "example: these prompts do not change the answers");
    else if (facts->winner == baseline && candidates > 1)
        add_not_better(facts, find_rival(facts, trials, n), candidates,
                       reasons);
    add_faults(facts->session, facts->winner, reasons);
    add_budget(facts, candidates, reasons);
    if (both != NULL)
        add_few(both, on, reasons);
    add_unread_steps(facts->session, reasons);
    return true;
}

// ---- the whole verdict

static const char *outcome_of(const struct comparison *both)
{
    if (both->p_value >= SIGNIFICANT)
        return "no_detectable_difference";
    return both->b.score > both->a.score ? "better" : "worse";
}

json_t *verdict_json(const struct verdict_facts *facts)
{
    bool tested = facts->test_winner != NULL;
    const char *on = tested ? "test" : "validation";
    json_t *reasons = json_array();
    struct err ignored = ERR_CLEAR;
    struct comparison both;

    if (facts->winner == NULL || facts->baseline == NULL)
        return json_pack("{s:s, s:n, s:n, s:o}", "outcome", "none", "on",
                         "p_value", "reasons", reasons);
    if (!comparison_make(tested ? facts->test_baseline : facts->baseline,
                         tested ? facts->test_winner : facts->winner,
                         (uint64_t)session_job(facts->session)->seed, &both,
                         &ignored)) {
        json_decref(reasons);
        return NULL;
    }
    if (strcmp(outcome_of(&both), "better") != 0 &&
        !add_reasons(facts, &both, on, reasons)) {
        json_decref(reasons);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:f, s:o}", "outcome", outcome_of(&both), "on",
                     on, "p_value", both.p_value, "reasons", reasons);
}
