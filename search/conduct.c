#include "search/conduct.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "search/baseline.h"
#include "search/documents.h"
#include "search/evaluate.h"
#include "search/front.h"
#include "search/results.h"
#include "search/seed.h"
#include "search/session/comparison.h"
#include "search/session/session_thread.h"
#include "search/toolkit/demos.h"

enum {
    SKIPPED_STEP_DEMOS = 4, // for steps that were not searched
    NOISE_ROWS = 16,        // that are asked a second time
};

// --- the work to come ---

static bool skips_steps(const struct session *session)
{
    const struct program *program = session_job(session)->program;

    return plan_predictors(session_plan(session), program, NULL) <
           program->n_predictors;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Returns the number of examples after the search: the test share (for the
// baseline, and for the winner if that is another one), some rows once more,
// and demos for the steps that were not searched.
static size_t examples_after(const struct session *session, bool won)
{
    const struct split *split = session_split(session);
    size_t n = split->n[SHARE_TEST] * (won ? 2 : 1) +
               least(NOISE_ROWS, split->n[SHARE_VAL]);

    if (session_job(session)->bootstrap_skipped && skips_steps(session))
        n += SKIPPED_STEP_DEMOS;
    return n;
}

static void expect_all(struct session *session)
{
    const struct session_setup *setup = session_setup_of(session);
    const struct optimizer *optimizer = setup->optimizer;
    size_t all = setup->split->n[SHARE_VAL];
    size_t first = least(BASELINE_FIRST_ROWS, all);
    struct effort effort;

    session_expect_after(session, examples_after(session, true));
    if (optimizer->effort == NULL)
        return;
    effort = optimizer->effort(session, setup->params);
    effort.examples += optimizer->early ? first : all;
    if (effort.trials > 0)
        effort.trials++;
    if (setup->job->adapter_auto) {
        // The first rows in the other form; in this form they count already.
        effort.examples += first;
        effort.trials += effort.trials > 0 ? 2 : 0;
    }
    if (setup->job->from != NULL) {
        effort.examples += all;
        effort.trials += effort.trials > 0;
    }
    session_expect(session, effort);
}

// Corrects the forecast when the search ends, earlier or later than expected.
static void expect_rest(struct session *session, const struct results *found)
{
    bool won = found->winner != found->baseline;

    session_expect_after(session, 0);
    session_expect(session,
                   (struct effort){.examples = examples_after(session, won)});
}

// --- run ---

// Warns if every answer of the baseline scores 0. A search may still help:
// demos teach the form of an answer, and instructions say what is asked for.
// But the user should know what to expect.
static void warn_if_all_wrong(struct session *session,
                              const struct trial *trial)
{
    char text[200];

    if (trial->n == 0 || trial->score > 0)
        return;
    if (trial->model_faults == trial->n) {
        text_print(text, sizeof text,
                   "warning: none of the %zu answers of the baseline could be "
                   "read, so all score 0; the model's reply to example %zu: ",
                   trial->n, trial->fault_row);
        session_note_reply(session, trial->fault_call, text);
    } else
        session_note(session,
                     "warning: all %zu answers of the baseline score 0; "
                     "v_evaluations shows them with the labels",
                     trial->n);
}

// Sets the budget for the test share aside. That share is scored last, for the
// baseline and for the winner. It gets the baseline's calls per row plus a
// tenth, and twice its tokens, since prompts with demos are longer.
static void set_aside_for_test(struct session *session,
                               const struct results *found)
{
    int64_t rows = 2 * (int64_t)session_split(session)->n[SHARE_TEST];
    size_t n_rows = found->baseline->n_rows;
    struct use use = baseline_use(found);
    int64_t n = n_rows > 0 ? (int64_t)n_rows : 1;

    session_reserve_for_test(session,
                             (struct use){use.calls * rows * 11 / (n * 10),
                                          use.tokens * rows * 2 / n});
}

// Reads the program of an earlier run (`from`). If the file cannot be read, the
// job ends before anything is paid for.
static bool read_seed(struct session *session, struct results *found,
                      struct err *err)
{
    if (session_job(session)->from == NULL)
        return true;
    found->from = seed_candidate(session, err);
    return found->from != NULL;
}

// Scores the program of an earlier run as the first candidate.
static bool score_seed(struct session *session, struct results *found,
                       struct err *err)
{
    struct row_span rows = row_span_of(session_split(session), SHARE_VAL);
    struct trial *trial;

    if (found->from == NULL)
        return true;
    trial = trial_submit(session, TRIAL_FULL, found->from, rows,
                         "the program of an earlier run", err);
    if (trial == NULL || !trial_wait(session, trial, err))
        return false;
    found->seed = trial;
    session_set_seed(session, trial);
    if (!session_setup_of(session)->optimizer->seeds)
        session_note(session,
                     "%s does not build on the program of an earlier run: that "
                     "program is scored, and ships unless something beats it",
                     session_setup_of(session)->optimizer->name);
    if (comparison_gain(found->baseline, trial) > 0)
        session_set_best(session, trial);
    return true;
}

static bool search(struct session *session, struct results *found,
                   struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    bool ok;

    if (found->is_over)
        return true;
    set_aside_for_test(session, found);
    warn_if_all_wrong(session, found->baseline);
    if (found->baseline->n > 0 && found->baseline->score >= 1.0) {
        session_set_finish(session, "perfect");
        session_reserve_for_test(session, (struct use){0});
        return true;
    }
    if (!score_seed(session, found, err)) {
        session_reserve_for_test(session, (struct use){0});
        return results_over_budget(session, err);
    }
    ok = setup->optimizer->run(session, setup->params, err);
    found->baseline = session_baseline_trial(session);
    session_reserve_for_test(session, (struct use){0});
    // An optimizer that ignores the seed may have set a worse one.
    if (ok && found->seed != NULL &&
        comparison_gain(session_best(session), found->seed) > 0)
        session_set_best(session, found->seed);
    return ok;
}

static bool score_both(struct session *session, struct results *found,
                       struct err *err)
{
    const struct plan *plan = session_plan(session);
    struct row_span rows = row_span_of(session_split(session), SHARE_TEST);
    struct trial *baseline =
        session_score(session, session_baseline(session), plan, rows, err);
    struct trial *winner = baseline;

    if (baseline != NULL && found->winner != found->baseline)
        winner =
            session_score(session, found->winner->candidate, plan, rows, err);
    if (winner == NULL)
        return false;
    found->test_baseline = baseline;
    found->test_winner = winner;
    return true;
}

static bool score_test(struct session *session, struct results *found,
                       struct err *err)
{
    if (session_split(session)->n[SHARE_TEST] == 0)
        return true;
    session_phase(session, "test");
    session_ask_logprobs(session, false);
    return score_both(session, found, err) ||
           results_leave_out(session, found, "the test share is not scored",
                             err);
}

// Asks for the winner's first answers once more. If the model answers alike,
// there is no noise; if not, its effect on the score is reported next to the
// gain. If the budget is not enough, this is left out.
static bool measure_noise(struct session *session, struct results *found,
                          struct err *err)
{
    const struct trial *winner = found->winner;
    size_t rows[NOISE_ROWS];
    size_t n = 0;

    for (size_t i = 0; i < winner->n_rows && n < NOISE_ROWS; i++)
        if (winner->scored[i])
            rows[n++] = winner->rows[i];
    if (n == 0)
        return true;
    session_phase(session, "noise");
    found->again = session_redraw(session, winner->candidate,
                                  (struct row_span){rows, n}, 1, err);
    if (found->again != NULL || err->code != ERR_BUDGET)
        return found->again != NULL;
    *err = ERR_CLEAR;
    return true;
}

// Completes the winner with demos for the steps that were not searched.
static bool complete_winner(struct session *session, struct results *found,
                            struct err *err)
{
    struct candidate *winner = found->winner->candidate;

    if (session_job(session)->bootstrap_skipped && skips_steps(session)) {
        session_phase(session, "demos for steps that were not searched");
        if (demos_for_skipped(session, winner, SKIPPED_STEP_DEMOS,
                              &found->compiled, err))
            return true;
        if (!results_leave_out(session, found,
                               "the steps that were not searched have no demos",
                               err))
            return false;
    }
    found->compiled = candidate_ref(winner);
    return true;
}

static const char *finish_reason(const struct session *session,
                                 const struct results *found)
{
    const char *finish = session_finish(session);

    if (strcmp(finish, "trials_done") == 0 && found->winner == found->baseline)
        return "no_improvement";
    return finish;
}

static bool write_result(struct session *session, struct results *found,
                         struct ending *ending, struct err *err)
{
    ending->document =
        results_document(session, found, finish_reason(session, found));
    if (ending->document == NULL) {
        err_nomem(err, "the result");
        return false;
    }
    ending->score = results_compiled_score(ending->document);
    results_name_fault(ending, found->winner);
    ending->compiled = results_compiled(session, found, err);
    return ending->compiled != NULL;
}

static bool finish_run(struct session *session, struct results *found,
                       struct ending *ending, struct err *err)
{
    found->winner = front_winner(session);
    if (found->winner != session_best(session))
        session_set_best(session, found->winner);
    expect_rest(session, found);
    return score_test(session, found, err) &&
           measure_noise(session, found, err) &&
           complete_winner(session, found, err) &&
           write_result(session, found, ending, err);
}

// Ends a run whose budget did not last to the end of the baseline: its result
// is the program as written, without a score.
static bool finish_unscored(struct session *session, struct results *found,
                            struct ending *ending, struct err *err)
{
    if (!results_leave_out(session, found, "the baseline is not scored", err))
        return false;
    found->compiled = candidate_ref(session_baseline(session));
    return write_result(session, found, ending, err);
}

// After the user stopped the run: exports the best candidate so far without
// further calls. While the form of answer is being chosen, that is the program
// as written. Before that there is nothing to export, and *why says so.
static void export_best(struct session *session, struct results *found,
                        struct ending *ending, struct err *why)
{
    struct err ignored = ERR_CLEAR;

    if (found->baseline == NULL)
        baseline_settle(session, found);
    found->winner =
        session_best(session) == NULL ? NULL : front_winner(session);
    if (found->winner == NULL)
        err_set(why, ERR_STOPPED,
                "stopped before the program as written was scored, so there is "
                "no file yet; run the same command again to continue");
    if (found->winner != NULL && found->compiled == NULL)
        found->compiled = candidate_ref(found->winner->candidate);
    ending->document = results_document(session, found, "stopped");
    if (found->winner == NULL)
        return;
    ending->score = results_compiled_score(ending->document);
    ending->compiled = results_compiled(session, found, &ignored);
}

static bool run(struct session *session, struct ending *ending, struct err *err)
{
    struct results found = {0};
    bool ok;

    session_ask_logprobs(session,
                         session_setup_of(session)->optimizer->logprobs);
    expect_all(session);
    ok = read_seed(session, &found, err) && documents_embed(session, err) &&
         baseline_score(session, &found, err);
    if (ok)
        ok = search(session, &found, err) &&
             finish_run(session, &found, ending, err);
    else
        ok = finish_unscored(session, &found, ending, err);

    if (!ok && err->code == ERR_STOPPED)
        export_best(session, &found, ending, err);
    candidate_unref(found.from);
    candidate_unref(found.compiled);
    return ok;
}

// --- the end ---

static void end_with(struct ending *ending, const struct err *err)
{
    static const struct {
        enum err_code code;
        int status;
        enum job_state state;
    } rows[] = {
        {ERR_STOPPED, 130, JOB_STOPPED}, {ERR_FAULT, 3, JOB_PAUSED},
        {ERR_STORE, 3, JOB_PAUSED},      {ERR_INPUT, 2, JOB_FAILED},
        {ERR_NONE, 1, JOB_FAILED},
    };
    size_t i = 0;

    while (rows[i].code != ERR_NONE && rows[i].code != err->code)
        i++;
    ending->status = rows[i].status;
    ending->state = rows[i].state;
    ending->error = err->code;
    text_print(ending->reason, sizeof ending->reason, "%s", err->text);
}

struct ending *conduct_job(struct session *session)
{
    static bool (*const acts[])(struct session *, struct ending *,
                                struct err *) = {
        [REQUEST_RUN] = run,
        [REQUEST_EVAL] = evaluate_job,
    };
    struct ending *ending = calloc(1, sizeof *ending);
    struct err err = ERR_CLEAR;

    if (ending == NULL)
        return NULL;
    ending->score = -1;
    ending->state = JOB_DONE;
    if (!acts[session_setup_of(session)->request->action](session, ending,
                                                          &err))
        end_with(ending, &err);
    return ending;
}
