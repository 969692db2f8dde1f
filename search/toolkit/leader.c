#include "search/toolkit/leader.h"

#include "search/session/comparison.h"

// Means over the same rows in another order may differ in the last bits.
static const double SAME = 1e-12;

// One-sided p below which a minibatch's gain over the leader is trusted.
static const double TRUSTED_BELOW = 0.1;

// Ends the search if the leader is good enough.
static void check_aim(struct leader *leader, const struct trial *best)
{
    if (best->n == 0 || best->score < leader->stop_at - SAME)
        return;
    leader->over = true;
    if (best->score >= 1.0 - SAME)
        session_set_finish(leader->session, "perfect");
    else
        session_note(leader->session, "trial %lld reached the score asked for",
                     (long long)best->number);
}

struct leader leader_of(struct session *session, double stop_at)
{
    struct leader leader = {.session = session, .stop_at = stop_at};
    const struct trial *best = session_best(session);

    if (best != NULL)
        check_aim(&leader, best);
    return leader;
}

struct effort leader_effort(const struct session *session, size_t trials)
{
    return (struct effort){.examples =
                               trials * session_split(session)->n[SHARE_VAL],
                           .trials = trials};
}

size_t leader_known(const struct session *session)
{
    size_t n = 0;
    session_trials(session, &n);
    int64_t next = (int64_t)n + 1;
    int64_t known = next - session_job(session)->window;
    if (known < 1)
        known = 1;
    return (size_t)known < n ? (size_t)known : n;
}

static size_t count_rewritten(const struct trial *trial)
{
    size_t n = 0;

    for (size_t p = 0; p < trial->candidate->n_parts; p++)
        n += trial->candidate->parts[p].instruction_no != 0;
    return n;
}

static bool is_better(const struct trial *trial, const struct trial *best)
{
    double gain = comparison_gain(best, trial);

    if (gain > SAME || gain < -SAME)
        return gain > 0;
    return count_rewritten(trial) < count_rewritten(best);
}

static void judge(struct leader *leader, struct trial *trial)
{
    const struct trial *best = session_best(leader->session);

    if (trial->kind != TRIAL_FULL || trial->n == 0)
        return;
    if (best != NULL && !is_better(trial, best))
        return;
    session_set_best(leader->session, trial);
    check_aim(leader, trial);
}

static void end_unreadable(struct leader *leader)
{
    leader->over = true;
    session_set_finish(leader->session, "unreadable");
}

// Ends the search if no prompt so far got a readable answer.
static void check_mute(struct leader *leader)
{
    size_t n = 0;
    struct trial *const *trials = session_trials(leader->session, &n);

    if (!leader->over && trials_are_mute(trials, leader->judged))
        end_unreadable(leader);
}

void leader_count(struct leader *leader, const struct task_item *item)
{
    if (!item->scored)
        return;
    leader->readable += item->outcome == RUN_DONE;
    leader->unreadable += item->outcome != RUN_DONE;
}

void leader_check_replies(struct leader *leader)
{
    struct trial *baseline = session_baseline_trial(leader->session);
    size_t n = 0;
    struct trial *const *trials = session_trials(leader->session, &n);

    if (leader->over || leader->readable > 0 ||
        !trials_are_unreadable(&baseline, 1) ||
        (leader->judged > 0 && !trials_are_unreadable(trials, leader->judged)))
        return;
    if (baseline->n + leader->unreadable >= MUTE_EXAMPLES)
        end_unreadable(leader);
}

static void end_by_budget(struct leader *leader)
{
    leader->over = true;
    leader->by_budget = true;
    session_set_finish(leader->session, "budget");
}

static bool judge_to(struct leader *leader, size_t end, struct err *err)
{
    size_t n = 0;

    for (; leader->judged < end; leader->judged++) {
        struct trial *trial =
            session_trials(leader->session, &n)[leader->judged];
        if (!trial_wait(leader->session, trial, err))
            return false;
        judge(leader, trial);
    }
    return true;
}

// Returns true if ok is set or the budget ended the search.
static bool well_ended(struct leader *leader, bool ok, struct err *err)
{
    if (ok || err->code != ERR_BUDGET)
        return ok;
    *err = ERR_CLEAR;
    end_by_budget(leader);
    return true;
}

bool leader_admit(struct leader *leader, struct err *err)
{
    bool ok = session_admit(leader->session, err) &&
              judge_to(leader, leader_known(leader->session), err);

    check_mute(leader);
    return well_ended(leader, ok, err);
}

bool leader_try(struct leader *leader, struct candidate *candidate,
                const char *reason, struct err *err)
{
    struct row_span rows =
        row_span_of(session_split(leader->session), SHARE_VAL);

    return trial_submit(leader->session, TRIAL_FULL, candidate, rows, reason,
                        err) != NULL;
}

bool leader_settle(struct leader *leader, struct err *err)
{
    size_t n = 0;
    session_trials(leader->session, &n);
    return well_ended(leader, judge_to(leader, n, err), err);
}

// --- candidates that the budget left at a minibatch

// Returns true if a judged trial evaluated the candidate. Trials after one that
// was cut short may not be done, so they do not count.
static bool was_evaluated(const struct leader *leader,
                          const struct candidate *candidate)
{
    size_t n = 0;
    struct trial *const *trials = session_trials(leader->session, &n);

    for (size_t i = 0; i < leader->judged; i++) {
        if (trials[i]->kind != TRIAL_MINIBATCH && trials[i]->n > 0 &&
            hash_equal(&trials[i]->candidate->id, &candidate->id))
            return true;
    }
    return false;
}

// Sets *gain to what the trial gains over best, or 0 if a test cannot tell.
static bool weigh_minibatch(const struct leader *leader,
                            const struct trial *best, const struct trial *trial,
                            double *gain, struct err *err)
{
    uint64_t seed = (uint64_t)session_job(leader->session)->seed;
    struct comparison both;

    *gain = 0;
    if (!comparison_make(best, trial, seed, &both, err))
        return false;
    if (both.n >= COMPARISON_LEAST && both.p_value < 2 * TRUSTED_BELOW)
        *gain = both.b.score - both.a.score;
    return true;
}

// Lets a minibatch decide where the full evaluation is beyond the budget.
static bool judge_minibatches(struct leader *leader, struct err *err)
{
    const struct trial *best = session_best(leader->session);
    struct trial *found = NULL;
    double most = SAME;
    size_t n = 0;
    struct trial *const *trials = session_trials(leader->session, &n);

    for (size_t i = 0; best != NULL && i < leader->judged; i++) {
        double gain = 0;
        if (trials[i]->kind != TRIAL_MINIBATCH ||
            was_evaluated(leader, trials[i]->candidate))
            continue;
        if (!weigh_minibatch(leader, best, trials[i], &gain, err))
            return false;
        if (gain > most) {
            most = gain;
            found = trials[i];
        }
    }
    if (found == NULL)
        return true;
    session_set_best(leader->session, found);
    session_note(leader->session,
                 "the budget is used up: trial %lld is the best, judging by "
                 "the %zu examples that it was scored on",
                 (long long)found->number, found->n);
    return true;
}

bool leader_end(struct leader *leader, bool went_well, struct err *err)
{
    if (!well_ended(leader, went_well, err))
        return false;
    bool over = leader->over;
    if (!leader_settle(leader, err) ||
        (leader->by_budget && !judge_minibatches(leader, err)))
        return false;
    const struct trial *best = session_best(leader->session);
    if (!over && !leader->over && best != NULL && best->kind == TRIAL_BASELINE)
        session_set_finish(leader->session, "no_improvement");
    return true;
}
