#include "search/results.h"

#include <math.h>

#include "common/json.h"
#include "program/run/compiled.h"
#include "search/front.h"
#include "search/session/comparison.h"
#include "search/session/session_thread.h"
#include "search/verdict.h"

// --- scores ---

static json_t *side_json(const struct side *side, size_t n)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "score", side->score, "low",
                     side->interval.low, "high", side->interval.high, "n",
                     (json_int_t)n);
}

static bool compare(const struct session *session, const struct trial *a,
                    const struct trial *b, struct comparison *out)
{
    struct err ignored = ERR_CLEAR; // the caller notices the missing JSON

    return comparison_make(a, b, (uint64_t)session_job(session)->seed, out,
                           &ignored);
}

json_t *results_score_json(const struct session *session,
                           const struct trial *trial)
{
    struct comparison alone;

    if (trial == NULL)
        return json_null();
    return compare(session, trial, trial, &alone) ? side_json(&alone.a, alone.n)
                                                  : NULL;
}

// Returns "baseline" and "compiled", both on the rows that both were scored on;
// null if there is no winner yet.
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
                         const struct results *found)
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

// Returns the scores for the document and the compiled file: on the validation
// share, each program on its own rows, then both on the rows that they share;
// and the scores on the test share. Returns NULL when out of memory.
static json_t *scores_json(const struct session *session,
                           const struct results *found)
{
    double p_value = 1;
    json_t *same = pair_json(session, found->baseline, found->winner, &p_value);

    if (json_is_object(same))
        json_object_set_new(same, "p_value", json_real(p_value));
    return json_pack("{s:o, s:o, s:o, s:o}", "baseline",
                     results_score_json(session, found->baseline), "compiled",
                     results_score_json(session, found->winner), "same_rows",
                     same, "test", test_json(session, found));
}

// --- the form of answer ---

enum adapter results_other_form(const struct job *job)
{
    return job->settings.adapter == ADAPTER_CHAT ? ADAPTER_JSON : ADAPTER_CHAT;
}

struct trial *results_form(const struct results *found)
{
    double gain = comparison_gain(found->form, found->other_form);
    bool is_other = gain > 0 || (!(gain < 0) &&
                                 found->other_form->calls < found->form->calls);

    return is_other ? found->other_form : found->form;
}

// Returns {"chat": 0.31, "json": 0.49, "n": 32, "chosen": "json"}, or null if
// the run did not have to choose.
static json_t *adapter_json(const struct session *session,
                            const struct results *found)
{
    const struct job *job = session_job(session);
    double ours, theirs;
    size_t n;

    if (found->other_form == NULL)
        return json_null();
    n = comparison_means(found->form, found->other_form, &ours, &theirs);
    return json_pack("{s:f, s:f, s:I, s:s}",
                     adapter_names[job->settings.adapter], ours,
                     adapter_names[results_other_form(job)], theirs, "n",
                     (json_int_t)n, "chosen",
                     adapter_names[results_form(found) == found->form
                                       ? job->settings.adapter
                                       : results_other_form(job)]);
}

// --- other reports ---

// Reports how much a score varies by chance: the same candidate on the same
// rows, drawn twice. `score` is the standard deviation of a mean over as many
// rows as the winner was scored on.
static json_t *noise_json(const struct results *found)
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

// Lists what the winner changed, for people: old and new instruction, and
// demos.
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
                                      (json_int_t)candidate_part_n_shown(part),
                                      "of", (json_int_t)part->n_demos));
    }
    return changes;
}

json_t *results_faults_json(const struct trial *trial)
{
    json_t *faults = json_object();

    for (int i = 0; trial != NULL && i < RUN_OUTCOME_COUNT; i++)
        if (trial->faults[i] > 0)
            json_object_set_new(faults, run_outcome_name((enum run_outcome)i),
                                json_integer((json_int_t)trial->faults[i]));
    return faults;
}

void results_name_fault(struct ending *ending, const struct trial *trial)
{
    if (trial == NULL || trial->model_faults == 0)
        return;
    ending->fault_call = trial->fault_call;
    ending->fault_row = (int64_t)trial->fault_row;
}

double results_compiled_score(const json_t *document)
{
    return json_get_number(json_object_get(document, "compiled"), "score", -1);
}

// Counts the trials that have a score, including the baseline.
static json_int_t count_trials(const struct session *session)
{
    size_t n;
    struct trial *const *trials = session_trials(session, &n);
    json_int_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += trials[i]->done && trials[i]->whole;
    return count;
}

json_t *results_document(struct session *session, const struct results *found,
                         const char *finish)
{
    const struct session_setup *setup = session_setup_of(session);
    const struct candidate *winner =
        found->compiled == NULL ? session_baseline(session) : found->compiled;
    size_t faults = found->winner == NULL ? 0 : found->winner->model_faults;
    json_t *kinds = results_faults_json(found->winner);
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
                     "simulated", session_simulated(session), "model_faults",
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

char *results_compiled(const struct session *session,
                       const struct results *found, struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    json_t *scores = scores_json(session, found);
    struct compiled_facts facts = {.job_id = setup->job_id,
                                   .optimizer = setup->optimizer->name,
                                   .simulated = session_simulated(session),
                                   .scores = scores,
                                   .plan = setup->plan};
    struct buf out = BUF_INIT(64 << 20);
    char *text = NULL;

    for (int r = 0; r < ROLE_COUNT; r++)
        facts.digests[r] = session_digest(session, (enum role)r);
    if (scores == NULL)
        err_nomem(err, "the compiled program");
    else if (compiled_write(setup->job, found->compiled, &facts, &out, err))
        text = buf_take(&out);
    buf_release(&out);
    json_decref(scores);
    return text;
}

// --- what the budget is not enough for ---

bool results_over_budget(struct session *session, struct err *err)
{
    if (err->code != ERR_BUDGET)
        return false;
    *err = ERR_CLEAR;
    session_set_finish(session, "budget");
    return true;
}

bool results_leave_out(struct session *session, struct results *found,
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
