#include "search/conduct.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/run/compiled.h"
#include "search/front.h"
#include "search/seed.h"
#include "search/session/comparison.h"
#include "search/session/session_thread.h"
#include "search/toolkit/demos.h"
#include "search/verdict.h"

enum {
    SKIPPED_STEP_DEMOS = 4, // for steps that were not searched
    NOISE_ROWS = 16,        // that are asked a second time
    FIRST_ROWS = 32, // of the baseline: they choose the form of answer, and a
                     // search may begin with them
};

// What a run has found out so far; trials are borrowed from the session.
struct findings {
    struct trial *baseline;
    struct trial *winner;
    struct trial *test_baseline;
    struct trial *test_winner;
    struct trial *form;         // some rows in the job's form of answer, and
    struct trial *other_form;   // in the other one; NULL where it was not tried
    struct trial *again;        // the winner's answers, drawn once more
    struct trial *seed;         // the program of an earlier run; or NULL
    struct candidate *compiled; // owned: the winner, with demos for all steps
    struct err short_of;        // ERR_BUDGET: what the budget did not reach
    bool is_over;               // the budget ended before the search
};

// --- scores as JSON ---

static json_t *side_json(const struct side *side, size_t n)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "score", side->score, "low",
                     side->interval.low, "high", side->interval.high, "n",
                     (json_int_t)n);
}

static bool compare(const struct session *session, const struct trial *a,
                    const struct trial *b, struct comparison *out)
{
    struct err ignored = ERR_CLEAR; // the caller sees that JSON is missing

    return comparison_make(a, b, (uint64_t)session_job(session)->seed, out,
                           &ignored);
}

// A trial by itself, on all rows that it was scored on.
static json_t *score_json(const struct session *session,
                          const struct trial *trial)
{
    struct comparison alone;

    if (trial == NULL)
        return json_null();
    return compare(session, trial, trial, &alone) ? side_json(&alone.a, alone.n)
                                                  : NULL;
}

// "baseline" and "compiled", both on the rows that both were scored on; null
// where there is none yet.
static json_t *pair_json(const struct session *session,
                         const struct trial *baseline,
                         const struct trial *winner, double *p_value)
{
    struct comparison both;

    if (winner == NULL)
        return json_null();
    if (!compare(session, baseline, winner, &both))
        return NULL;
    *p_value = both.p_value;
    return json_pack("{s:o, s:o}", "baseline", side_json(&both.a, both.n),
                     "compiled", side_json(&both.b, both.n));
}

static json_t *test_json(const struct session *session,
                         const struct findings *found)
{
    double p_value = 1;
    json_t *pair;

    if (found->test_winner == NULL)
        return json_null();
    pair =
        pair_json(session, found->test_baseline, found->test_winner, &p_value);
    json_object_set_new(pair, "p_value", json_real(p_value));
    return pair;
}

// What the document and the compiled file say of scores: of the validation
// share each program on its rows, then both on the rows that they share; and of
// the test share. NULL without memory.
static json_t *scores_json(const struct session *session,
                           const struct findings *found)
{
    double p_value = 1;
    json_t *same = pair_json(session, found->baseline, found->winner, &p_value);

    if (json_is_object(same))
        json_object_set_new(same, "p_value", json_real(p_value));
    return json_pack("{s:o, s:o, s:o, s:o}", "baseline",
                     score_json(session, found->baseline), "compiled",
                     score_json(session, found->winner), "same_rows", same,
                     "test", test_json(session, found));
}

static enum adapter other_form(const struct job *job)
{
    return job->settings.adapter == ADAPTER_CHAT ? ADAPTER_JSON : ADAPTER_CHAT;
}

// The better one; of equals the one that came with fewer calls (an answer that
// cannot be read costs a second one), then the job's own.
static struct trial *chosen_form(const struct findings *found)
{
    double gain = comparison_gain(found->form, found->other_form);
    bool is_other = gain > 0 || (!(gain < 0) &&
                                 found->other_form->calls < found->form->calls);

    return is_other ? found->other_form : found->form;
}

// {"chat": 0.31, "json": 0.49, "n": 32, "chosen": "json"}, where the run was to
// choose.
static json_t *adapter_json(const struct session *session,
                            const struct findings *found)
{
    const struct job *job = session_job(session);
    double ours, theirs;
    size_t n;

    if (found->other_form == NULL)
        return json_null();
    n = comparison_means(found->form, found->other_form, &ours, &theirs);
    return json_pack(
        "{s:f, s:f, s:I, s:s}", adapter_names[job->settings.adapter], ours,
        adapter_names[other_form(job)], theirs, "n", (json_int_t)n, "chosen",
        adapter_names[chosen_form(found) == found->form ? job->settings.adapter
                                                        : other_form(job)]);
}

// How much a score moves by itself: the same candidate on the same rows, drawn
// twice. `score` is the deviation of a mean over as many rows as the winner was
// scored on.
static json_t *noise_json(const struct findings *found)
{
    const struct trial *winner = found->winner;
    const struct trial *again = found->again;
    size_t n = 0, changed = 0;
    double squares = 0;

    for (size_t a = 0; again != NULL && a < again->n_rows; a++)
        for (size_t w = 0; w < winner->n_rows; w++) {
            if (winner->rows[w] != again->rows[a] || !winner->scored[w] ||
                !again->scored[a])
                continue;
            double difference = winner->scores[w] - again->scores[a];
            n++;
            changed += difference != 0;
            squares += difference * difference / 2;
        }
    if (n == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:f}", "n", (json_int_t)n, "changed",
                     (json_int_t)changed, "score",
                     sqrt(squares / (double)n / (double)winner->n));
}

static json_t *skipped_json(const struct session *session)
{
    const struct program *program = session_job(session)->program;
    json_t *list = json_array();

    for (size_t s = 0; s < program->n_steps; s++)
        if (program->steps[s].predictor >= 0 && !session_plan(session)->runs[s])
            json_array_append_new(list, json_string(program->steps[s].name));
    return list;
}

static bool skips_steps(const struct session *session)
{
    const struct program *program = session_job(session)->program;

    for (size_t p = 0; p < program->n_predictors; p++)
        if (!session_plan(session)->runs[program->predictors[p]])
            return true;
    return false;
}

// What the winner changed, for people: old and new instruction, demos.
static json_t *changes_json(const struct session *session,
                            const struct candidate *winner)
{
    const struct program *program = session_job(session)->program;
    json_t *changes = json_object();

    for (size_t p = 0; p < winner->n_parts; p++) {
        const struct step *step = program_predictor(program, p);
        const struct candidate_part *part = &winner->parts[p];

        json_object_set_new(changes, step->name,
                            json_pack("{s:s, s:s, s:I, s:I}", "before",
                                      step->signature.instruction, "after",
                                      part->instruction, "demos",
                                      (json_int_t)candidate_part_shows(part),
                                      "of", (json_int_t)part->n_demos));
    }
    return changes;
}

// "format": 28, "loop": 2. New reference.
static json_t *faults_json(const struct trial *trial)
{
    json_t *faults = json_object();

    for (int i = 0; trial != NULL && i < RUN_OUTCOME_COUNT; i++)
        if (trial->faults[i] > 0)
            json_object_set_new(faults, run_outcome_name((enum run_outcome)i),
                                json_integer((json_int_t)trial->faults[i]));
    return faults;
}

// Which example shows best what went wrong; the loop, which can read the store,
// adds the reply.
static void name_fault(struct ending *ending, const struct trial *trial)
{
    if (trial == NULL || trial->model_faults == 0)
        return;
    ending->fault_call = trial->fault_call;
    ending->fault_row = (int64_t)trial->fault_row;
}

// Of the winner on the validation share, as the document has it; -1 for none.
static double compiled_score(const json_t *document)
{
    return json_get_number(json_object_get(document, "compiled"), "score", -1);
}

// Those with a score, the baseline among them.
static json_int_t count_trials(const struct session *session)
{
    size_t n;
    struct trial *const *trials = session_trials(session, &n);
    json_int_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += trials[i]->done && trials[i]->whole;
    return count;
}

static json_t *run_document(struct session *session,
                            const struct findings *found, const char *finish)
{
    const struct session_setup *setup = session_setup_of(session);
    const struct candidate *winner =
        found->compiled == NULL ? session_baseline(session) : found->compiled;
    size_t faults = found->winner == NULL ? 0 : found->winner->model_faults;
    json_t *kinds = faults_json(found->winner);
    json_t *scores = scores_json(session, found);
    const struct verdict_facts facts = {session,
                                        found->baseline,
                                        found->winner,
                                        found->test_baseline,
                                        found->test_winner,
                                        finish};
    json_t *document =
        json_pack("{s:s, s:s}", "job", setup->job_id, "finish_reason", finish);
    json_t *rest;

    rest = json_pack("{s:o, s:s, s:I, s:b, s:I, s:o, s:o, s:o}",
                     "skipped_steps", skipped_json(session), "optimizer",
                     setup->optimizer->name, "trials", count_trials(session),
                     "simulated", setup->models->simulated, "model_faults",
                     (json_int_t)faults, "faults", kinds, "changes",
                     changes_json(session, winner), "tuned",
                     candidate_chosen(winner, session_job(session)->program));
    if (json_object_update(document, scores) != 0 ||
        json_object_update(document, rest) != 0 ||
        json_object_set_new(document, "adapter",
                            adapter_json(session, found)) != 0 ||
        json_object_set_new(document, "noise", noise_json(found)) != 0 ||
        json_object_set_new(document, "front", front_json(session)) != 0 ||
        json_object_set_new(document, "verdict", verdict_json(&facts)) != 0 ||
        (found->short_of.code != ERR_NONE &&
         json_object_set_new(document, "reason",
                             json_string(found->short_of.text)) != 0)) {
        json_decref(document);
        document = NULL;
    }
    json_decref(scores);
    json_decref(rest);
    return document;
}

// --- the compiled file ---

static char *compiled_text(const struct session *session,
                           const struct findings *found, struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    json_t *scores = scores_json(session, found);
    struct compiled_facts facts = {.job_id = setup->job_id,
                                   .optimizer = setup->optimizer->name,
                                   .simulated = setup->models->simulated,
                                   .scores = scores,
                                   .plan = setup->plan};
    struct buf out = BUF_INIT(64 << 20);
    char *text = NULL;

    for (int r = 0; r < ROLE_COUNT; r++)
        facts.digests[r] =
            setup->models->digests[r] == NULL ? "" : setup->models->digests[r];
    if (scores == NULL)
        err_nomem(err, "the compiled program");
    else if (compiled_write(setup->job, found->compiled, &facts, &out, err))
        text = buf_take(&out);
    buf_release(&out);
    json_decref(scores);
    return text;
}

// --- how much is to come ---

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Once the search is over: the test share, with a winner that is not the
// baseline both of them; some rows once more; demos for what was not searched.
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
    size_t first = least(FIRST_ROWS, all);
    struct effort effort;

    session_expect_after(session, examples_after(session, true));
    if (optimizer->effort == NULL)
        return;
    effort = optimizer->effort(session, setup->params);
    effort.examples += optimizer->early ? first : all;
    if (effort.trials > 0)
        effort.trials++;
    if (setup->job->adapter_auto) {
        effort.examples += first; // of the other form: the rest is not new
        effort.trials += effort.trials > 0 ? 2 : 0;
    }
    if (setup->job->from != NULL) {
        effort.examples += all;
        effort.trials += effort.trials > 0;
    }
    session_expect(session, effort);
}

// The search is over, sooner or later than it was thought to be.
static void expect_rest(struct session *session, const struct findings *found)
{
    bool won = found->winner != found->baseline;

    session_expect_after(session, 0);
    session_expect(session,
                   (struct effort){.examples = examples_after(session, won)});
}

// --- run ---

// A search may still help: demos teach the form of an answer, and instructions
// what is asked for. But the user should know what to expect.
static void warn_of_nothing(struct session *session, const struct trial *trial)
{
    if (trial->n == 0 || trial->score > 0)
        return;
    if (trial->model_faults == trial->n)
        session_note(session,
                     "warning: none of the %zu answers of the baseline could "
                     "be read, so all score 0; v_evaluations says why",
                     trial->n);
    else
        session_note(session,
                     "warning: all %zu answers of the baseline score 0; "
                     "v_evaluations shows them with the labels",
                     trial->n);
}

// The program as written, but for the form of the answer.
static struct candidate *in_other_form(struct session *session, struct err *err)
{
    const char *name = adapter_names[other_form(session_job(session))];
    struct candidate *candidate =
        candidate_child(session_baseline(session), err);
    json_t *value = json_string(name);
    bool ok = candidate != NULL && value != NULL &&
              candidate_set_value(candidate, "adapter", value, err);

    json_decref(value);
    if (ok) {
        candidate_seal(candidate);
        return candidate;
    }
    candidate_unref(candidate);
    return NULL;
}

// What stands before the search did not fit the budget: there is none.
static bool end_by_budget(struct session *session, struct err *err)
{
    if (err->code != ERR_BUDGET)
        return false;
    *err = ERR_CLEAR;
    session_set_finish(session, "budget");
    return true;
}

// The first n rows of the validation share.
static struct trial *score_written(struct session *session,
                                   enum trial_kind kind,
                                   struct candidate *candidate, size_t n,
                                   const char *what, struct err *err)
{
    struct trial *trial =
        trial_submit(session, kind, candidate,
                     session_split(session)->rows[SHARE_VAL], n, what, err);

    return trial != NULL && trial_wait(session, trial, err) ? trial : NULL;
}

static bool must_fit(const struct trial *trial, struct err *err)
{
    if (trial->faults[RUN_TOO_LONG] == 0)
        return true;
    err_set(err, ERR_INPUT,
            "the prompt of the program as written does not fit num_ctx on "
            "%zu of %zu examples: raise `models.options.num_ctx`",
            trial->faults[RUN_TOO_LONG], trial->n);
    return false;
}

// The examples that were to choose the form have to do for the baseline, where
// they were scored: the one form that was tried, or the better one.
static void settle_for_form(struct session *session, struct findings *found)
{
    if (found->form == NULL)
        return;
    found->baseline =
        found->other_form == NULL ? found->form : chosen_form(found);
    session_set_baseline(session, found->baseline);
    session_set_best(session, found->baseline);
}

// `adapter: auto`: both forms of the answer on some examples, and the candidate
// of the better one, borrowed. A form that a model cannot write costs a second
// call an example, and may come to more than a small budget on all of them.
static struct candidate *choose_form(struct session *session,
                                     struct findings *found, struct err *err)
{
    size_t all = session_split(session)->n[SHARE_VAL];
    size_t some = all < FIRST_ROWS ? all : FIRST_ROWS;
    struct candidate *other = in_other_form(session, err);

    if (other == NULL)
        return NULL;
    found->form =
        score_written(session, TRIAL_MINIBATCH, session_baseline(session), some,
                      "the program as written", err);
    if (found->form != NULL && must_fit(found->form, err))
        found->other_form = score_written(
            session, TRIAL_MINIBATCH, other, some,
            "the program as written, in the other form of answer", err);
    candidate_unref(other);
    if (found->other_form == NULL)
        return NULL;
    return chosen_form(found)->candidate;
}

// The program as written on all validation rows, or on the first of them where
// the optimizer begins early. That nothing is wrong is not believed of a few.
static struct trial *score_as_written(struct session *session,
                                      struct candidate *candidate,
                                      struct err *err)
{
    static const char what[] = "the program as written";
    size_t all = session_split(session)->n[SHARE_VAL];
    bool early =
        session_setup_of(session)->optimizer->early && all > FIRST_ROWS;
    struct trial *first = score_written(session, TRIAL_BASELINE, candidate,
                                        early ? FIRST_ROWS : all, what, err);
    struct trial *whole = NULL;

    if (first == NULL || !early || first->score < 1)
        return first;
    whole = score_written(session, TRIAL_FULL, candidate, all, what, err);
    return whole != NULL || !end_by_budget(session, err) ? whole : first;
}

// In the form of answer that it goes on with. Where the budget ends before
// that, the examples that were to choose the form have to do, and nothing is
// searched.
static bool score_baseline(struct session *session, struct findings *found,
                           struct err *err)
{
    struct candidate *candidate = session_baseline(session);
    struct trial *trial = NULL;

    session_phase(session, "baseline");
    session_check_fit(session);
    if (session_job(session)->adapter_auto)
        candidate = choose_form(session, found, err);
    if (candidate != NULL)
        trial = score_as_written(session, candidate, err);
    if (trial == NULL && found->form != NULL && end_by_budget(session, err)) {
        found->is_over = true;
        settle_for_form(session, found);
        trial = found->baseline;
    }
    if (trial == NULL || !must_fit(trial, err))
        return false;
    session_set_baseline(session, trial);
    session_set_best(session, trial);
    found->baseline = trial;
    return true;
}

// What the baseline came to, with the rows that chose its form.
static struct use baseline_use(const struct findings *found)
{
    struct use use = {found->baseline->calls, found->baseline->tokens};

    if (found->other_form != NULL) {
        use.calls += chosen_form(found)->calls;
        use.tokens += chosen_form(found)->tokens;
    }
    return use;
}

// The test share is scored last, with the baseline and with the winner. Kept
// for it are the calls that the baseline came to a row, a tenth more, and twice
// the tokens, since prompts with demos are longer.
static void keep_for_test(struct session *session, const struct findings *found)
{
    int64_t rows = 2 * (int64_t)session_split(session)->n[SHARE_TEST];
    size_t n_rows = found->baseline->n_rows;
    struct use use = baseline_use(found);
    int64_t n = n_rows > 0 ? (int64_t)n_rows : 1;

    session_set_aside(session, (struct use){use.calls * rows * 11 / (n * 10),
                                            use.tokens * rows * 2 / n});
}

// What the budget does not reach is left out, and said.
static bool do_without(struct session *session, struct findings *found,
                       const char *what, struct err *err)
{
    if (err->code != ERR_BUDGET)
        return false;
    session_set_finish(session, "budget");
    err_set(&found->short_of, ERR_BUDGET, "%s: %s", what, err->text);
    session_note(session, "%s", found->short_of.text);
    *err = ERR_CLEAR;
    return true;
}

// `from`: the program of an earlier run is the first candidate.
static bool score_seed(struct session *session, struct findings *found,
                       struct err *err)
{
    const struct split *split = session_split(session);
    struct candidate *candidate;
    struct trial *trial;

    if (session_job(session)->from == NULL)
        return true;
    candidate = seed_candidate(session, err);
    trial = candidate == NULL
                ? NULL
                : trial_submit(session, TRIAL_FULL, candidate,
                               split->rows[SHARE_VAL], split->n[SHARE_VAL],
                               "the program of an earlier run", err);
    candidate_unref(candidate);
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

static bool search(struct session *session, struct findings *found,
                   struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    bool ok;

    if (found->is_over)
        return true;
    keep_for_test(session, found);
    warn_of_nothing(session, found->baseline);
    if (found->baseline->n > 0 && found->baseline->score >= 1.0) {
        session_set_finish(session, "perfect");
        session_set_aside(session, (struct use){0});
        return true;
    }
    if (!score_seed(session, found, err)) {
        session_set_aside(session, (struct use){0});
        return end_by_budget(session, err);
    }
    ok = setup->optimizer->run(session, setup->params, err);
    found->baseline = session_baseline_trial(session);
    session_set_aside(session, (struct use){0});
    // An optimizer that knows nothing of it may have set another.
    if (ok && found->seed != NULL &&
        comparison_gain(session_best(session), found->seed) > 0)
        session_set_best(session, found->seed);
    return ok;
}

static bool score_both(struct session *session, struct findings *found,
                       struct err *err)
{
    const struct split *split = session_split(session);
    const struct plan *plan = session_plan(session);
    const size_t *rows = split->rows[SHARE_TEST];
    size_t n = split->n[SHARE_TEST];
    struct trial *baseline = session_score(session, session_baseline(session),
                                           plan, rows, n, true, err);
    struct trial *winner = baseline;

    if (baseline != NULL && found->winner != found->baseline)
        winner = session_score(session, found->winner->candidate, plan, rows, n,
                               true, err);
    if (winner == NULL)
        return false;
    found->test_baseline = baseline;
    found->test_winner = winner;
    return true;
}

static bool score_test(struct session *session, struct findings *found,
                       struct err *err)
{
    if (session_split(session)->n[SHARE_TEST] == 0)
        return true;
    session_phase(session, "test");
    session_ask_logprobs(session, false);
    return score_both(session, found, err) ||
           do_without(session, found, "the test share is not scored", err);
}

// Asks for the winner's first answers once more. A model that answers alike has
// no noise; what one that does not would make of a score is said beside the
// gain. What the budget does not reach is left out.
static bool measure_noise(struct session *session, struct findings *found,
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
    found->again = session_again(session, winner->candidate, rows, n, 1, err);
    if (found->again != NULL || err->code != ERR_BUDGET)
        return found->again != NULL;
    *err = ERR_CLEAR;
    return true;
}

// The winner with demos for the steps that were not searched.
static bool complete_winner(struct session *session, struct findings *found,
                            struct err *err)
{
    struct candidate *winner = found->winner->candidate;

    if (session_job(session)->bootstrap_skipped && skips_steps(session)) {
        session_phase(session, "demos for steps that were not searched");
        if (demos_for_skipped(session, winner, SKIPPED_STEP_DEMOS,
                              &found->compiled, err))
            return true;
        if (!do_without(session, found,
                        "the steps that were not searched have no demos", err))
            return false;
    }
    found->compiled = candidate_ref(winner);
    return true;
}

static const char *finish_reason(const struct session *session,
                                 const struct findings *found)
{
    const char *finish = session_finish(session);

    if (strcmp(finish, "trials_done") == 0 && found->winner == found->baseline)
        return "no_improvement";
    return finish;
}

static bool write_result(struct session *session, struct findings *found,
                         struct ending *ending, struct err *err)
{
    ending->document =
        run_document(session, found, finish_reason(session, found));
    if (ending->document == NULL) {
        err_nomem(err, "the result");
        return false;
    }
    ending->score = compiled_score(ending->document);
    name_fault(ending, found->winner);
    ending->compiled = compiled_text(session, found, err);
    return ending->compiled != NULL;
}

static bool finish_run(struct session *session, struct findings *found,
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

// The budget did not reach the end of the baseline: the program as written is
// all there is, without a score.
static bool finish_unscored(struct session *session, struct findings *found,
                            struct ending *ending, struct err *err)
{
    if (!do_without(session, found, "the baseline is not scored", err))
        return false;
    found->compiled = candidate_ref(session_baseline(session));
    return write_result(session, found, ending, err);
}

// Stopped by the user: the best so far is exported without further calls. While
// the form of answer is being chosen that is the program as written; before
// that there is nothing, and *why says so.
static void export_best(struct session *session, struct findings *found,
                        struct ending *ending, struct err *why)
{
    struct err ignored = ERR_CLEAR;

    if (found->baseline == NULL)
        settle_for_form(session, found);
    found->winner =
        session_best(session) == NULL ? NULL : front_winner(session);
    if (found->winner == NULL)
        err_set(why, ERR_STOPPED,
                "stopped before the program as written was scored, so there is "
                "no file yet; run the same command again to go on");
    if (found->winner != NULL && found->compiled == NULL)
        found->compiled = candidate_ref(found->winner->candidate);
    ending->document = run_document(session, found, "stopped");
    if (found->winner == NULL)
        return;
    ending->score = compiled_score(ending->document);
    ending->compiled = compiled_text(session, found, &ignored);
}

// Those that a search compares its queries with. Paid for like all else, and
// found in the store the next time.
static bool embed_documents(struct session *session, struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    struct runs_request request = {
        .program = setup->job->program,
        .plan = setup->plan,
        .candidate = session_baseline(session),
        .role = ROLE_EMBED,
        .sampling = {.temperature = -1, .purpose = "documents"},
        .texts = setup->texts,
        .n = json_array_size(setup->texts)};
    struct runs *runs;
    bool ok;

    if (request.n == 0)
        return true;
    session_phase(session, "embedding the documents");
    runs = runs_submit(session, &request, err);
    ok = runs != NULL && runs_wait(session, runs, err);
    if (ok)
        runs_free(runs);
    return ok;
}

static bool run(struct session *session, struct ending *ending, struct err *err)
{
    struct findings found = {0};
    bool ok;

    session_ask_logprobs(session,
                         session_setup_of(session)->optimizer->logprobs);
    expect_all(session);
    ok = embed_documents(session, err) && score_baseline(session, &found, err);
    if (ok)
        ok = search(session, &found, err) &&
             finish_run(session, &found, ending, err);
    else
        ok = finish_unscored(session, &found, ending, err);

    if (!ok && err->code == ERR_STOPPED)
        export_best(session, &found, ending, err);
    candidate_unref(found.compiled);
    return ok;
}

// --- eval ---

static bool has_pool(const struct candidate *candidate)
{
    for (size_t p = 0; p < candidate->n_parts; p++)
        if (candidate->parts[p].nearest > 0)
            return true;
    return false;
}

// What the file says. A pool most likely holds some of the examples: they are
// not to be shown to themselves.
static struct candidate *read_candidate(const struct session *session,
                                        const struct bundle_file *file,
                                        struct err *err)
{
    struct candidate *read = compiled_candidate(
        session_job(session)->program, file->name, file->data, file->len, err);
    struct candidate *placed = NULL;

    if (read == NULL || !has_pool(read))
        return read;
    placed = seed_place(session, read, err);
    candidate_unref(read);
    return placed;
}

static struct candidate *candidate_to_score(const struct session *session,
                                            struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    const char *name = setup->request->compiled;
    const struct bundle_file *file;

    if (name == NULL)
        return candidate_ref(session_baseline(session));
    file = bundle_find(setup->bundle, name);
    if (file == NULL) {
        err_set(err, ERR_INPUT, "%.180s did not come with the job", name);
        return NULL;
    }
    return read_candidate(session, file, err);
}

// Every row of --data, else the test share, else the validation share.
static void rows_to_score(const struct session *session, const size_t **rows,
                          size_t *n)
{
    const struct split *split = session_split(session);
    enum share share = split->n[SHARE_TEST] > 0 ? SHARE_TEST : SHARE_VAL;

    *rows = split->rows[share];
    *n = split->n[share];
}

// A warning, since the answers come from another model than the file's.
static void compare_digest(struct session *session)
{
    const struct session_setup *setup = session_setup_of(session);
    const struct bundle_file *file =
        bundle_find(setup->bundle, setup->request->compiled);
    struct err ignored = ERR_CLEAR;
    struct compiled *compiled =
        compiled_read(file->name, file->data, file->len, &ignored);
    const char *now = setup->models->digests[ROLE_STUDENT];

    if (compiled != NULL && compiled->digest[0] != '\0' && now != NULL &&
        strcmp(compiled->digest, now) != 0)
        session_note(session,
                     "warning: %.60s was compiled for model %.40s (%.20s), "
                     "which is not the one that answers here",
                     file->name, compiled->model, compiled->digest);
    compiled_free(compiled);
}

static json_t *eval_document(const struct session *session,
                             const struct trial *trial)
{
    const struct session_setup *setup = session_setup_of(session);
    json_t *document = score_json(session, trial);

    json_object_set_new(document, "model_faults",
                        json_integer((json_int_t)trial->model_faults));
    json_object_set_new(document, "faults", faults_json(trial));
    json_object_set_new(document, "lenient",
                        json_integer((json_int_t)trial->lenient));
    json_object_set_new(document, "job", json_string(setup->job_id));
    json_object_set_new(document, "candidate",
                        json_integer((json_int_t)trial->candidate_id));
    json_object_set_new(document, "simulated",
                        json_boolean(setup->models->simulated));
    return document;
}

static bool eval(struct session *session, struct ending *ending,
                 struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    struct candidate *candidate = candidate_to_score(session, err);
    struct trial *trial = NULL;
    const size_t *rows;
    size_t n;

    if (candidate == NULL)
        return false;
    rows_to_score(session, &rows, &n);
    if (embed_documents(session, err)) {
        session_phase(session, "evaluation");
        session_expect(session, (struct effort){.examples = n});
        trial =
            session_score(session, candidate, setup->plan, rows, n, true, err);
    }
    candidate_unref(candidate);
    if (trial == NULL)
        return false;
    if (setup->request->compiled != NULL)
        compare_digest(session);
    ending->document = eval_document(session, trial);
    name_fault(ending, trial);
    ending->score = trial->score;
    if (ending->document == NULL)
        err_nomem(err, "the result");
    return ending->document != NULL;
}

// --- the end ---

static void end_with(struct ending *ending, const struct err *err)
{
    static const struct {
        enum err_code code;
        int status;
        const char *state;
    } rows[] = {
        {ERR_STOPPED, 130, "stopped"}, {ERR_FAULT, 3, "paused"},
        {ERR_STORE, 3, "paused"},      {ERR_INPUT, 2, "failed"},
        {ERR_NONE, 1, "failed"},
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
        [REQUEST_EVAL] = eval,
    };
    struct ending *ending = calloc(1, sizeof *ending);
    struct err err = ERR_CLEAR;

    if (ending == NULL)
        return NULL;
    ending->score = -1;
    ending->state = "done";
    if (!acts[session_setup_of(session)->request->action](session, ending,
                                                          &err))
        end_with(ending, &err);
    return ending;
}
