#include "search/baseline.h"

#include "search/session/session_thread.h"

// Returns the program as written, with only the form of the answer changed.
static struct candidate *in_other_form(struct session *session, struct err *err)
{
    const char *name = adapter_names[results_other_form(session_job(session))];
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

// Scores a candidate on the first n rows of the validation share.
static struct trial *score_written(struct session *session,
                                   enum trial_kind kind,
                                   struct candidate *candidate, size_t n,
                                   const char *what, struct err *err)
{
    struct row_span all = row_span_of(session_split(session), SHARE_VAL);
    struct trial *trial = trial_submit(session, kind, candidate,
                                       row_span_first(all, n), what, err);

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

void baseline_settle(struct session *session, struct results *found)
{
    if (found->form == NULL)
        return;
    found->baseline =
        found->other_form == NULL ? found->form : results_form(found);
    session_set_baseline(session, found->baseline);
    session_set_best(session, found->baseline);
}

// For `adapter: auto`: scores both forms of the answer on some examples and
// returns the candidate of the better one, borrowed. It uses only some
// examples, because a form that the model cannot write costs a second call per
// example, which on all of them may exceed a small budget.
static struct candidate *choose_form(struct session *session,
                                     struct results *found, struct err *err)
{
    size_t all = session_split(session)->n[SHARE_VAL];
    size_t some = all < BASELINE_FIRST_ROWS ? all : BASELINE_FIRST_ROWS;
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
    return results_form(found)->candidate;
}

// Scores the program as written on all validation rows, or on the first of them
// if the optimizer begins early. If these have no error, scores all rows
// anyway: a few rows do not prove that nothing is wrong.
static struct trial *score_as_written(struct session *session,
                                      struct candidate *candidate,
                                      struct err *err)
{
    static const char what[] = "the program as written";
    size_t all = session_split(session)->n[SHARE_VAL];
    bool early = session_setup_of(session)->optimizer->early &&
                 all > BASELINE_FIRST_ROWS;
    struct trial *first =
        score_written(session, TRIAL_BASELINE, candidate,
                      early ? BASELINE_FIRST_ROWS : all, what, err);
    struct trial *whole = NULL;

    if (first == NULL || !early || first->score < 1)
        return first;
    whole = score_written(session, TRIAL_FULL, candidate, all, what, err);
    return whole != NULL || !results_over_budget(session, err) ? whole : first;
}

bool baseline_score(struct session *session, struct results *found,
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
    if (trial == NULL && found->form != NULL &&
        results_over_budget(session, err)) {
        found->is_over = true;
        baseline_settle(session, found);
        trial = found->baseline;
    }
    if (trial == NULL || !must_fit(trial, err))
        return false;
    session_set_baseline(session, trial);
    session_set_best(session, trial);
    found->baseline = trial;
    return true;
}

struct use baseline_use(const struct results *found)
{
    struct use use = {found->baseline->calls, found->baseline->tokens};

    if (found->other_form != NULL) {
        use.calls += results_form(found)->calls;
        use.tokens += results_form(found)->tokens;
    }
    return use;
}
