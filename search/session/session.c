#include "search/session/session.h"

#include <assert.h>
#include <stdarg.h>

#include "common/text.h"
#include "search/session/comparison.h"
#include "search/session/session_state.h"

// --- what is known ---

const struct job *session_job(const struct session *session)
{
    return session->setup.job;
}

const struct dataset *session_dataset(const struct session *session)
{
    return session->setup.dataset;
}

const struct split *session_split(const struct session *session)
{
    return session->setup.split;
}

const struct plan *session_plan(const struct session *session)
{
    return session->setup.plan;
}

struct candidate *session_baseline(const struct session *session)
{
    return session->baseline;
}

struct trial *session_baseline_trial(const struct session *session)
{
    return session->baseline_trial != NULL ? session->baseline_trial
                                           : session->trials[0];
}

struct trial *session_seed_trial(const struct session *session)
{
    return session->seed_trial;
}

const struct session_setup *session_setup_of(const struct session *session)
{
    return &session->setup;
}

struct rng session_rng(const struct session *session, const char *purpose,
                       uint64_t index)
{
    struct rng rng;

    rng_init(&rng, (uint64_t)session->setup.job->seed, purpose, index);
    return rng;
}

struct trial *const *session_trials(const struct session *session, size_t *n)
{
    *n = session->n_trials;
    return session->trials;
}

// --- what is to come, for people ---

void session_tell_forecast(struct session *session)
{
    struct note note = {.kind = NOTE_EXPECT};

    if (forecast_news(&session->forecast, account_most(&session->account),
                      account_used(&session->account),
                      (int64_t)session->n_trials, &note.examples, &note.trials))
        note_send(session->pair, &note);
}

void session_expect(struct session *session, struct effort to_come)
{
    forecast_expect(&session->forecast, to_come.examples,
                    to_come.trials == 0
                        ? 0
                        : (int64_t)(session->n_trials + to_come.trials));
    session_tell_forecast(session);
}

void session_expect_after(struct session *session, size_t examples)
{
    forecast_expect_after(&session->forecast, examples);
}

// --- what optimizers ask for ---

void session_ask_logprobs(struct session *session, bool ask)
{
    session->logprobs = ask;
}

void session_reserve_for_test(struct session *session, struct use use)
{
    account_reserve_for_test(&session->account, use);
}

void session_reserve(struct session *session, size_t n, double share)
{
    const struct session_setup *setup = &session->setup;
    int64_t calls = stepper_asks(setup->job->program, setup->plan) +
                    (int64_t)metric_ask_count(setup->job->metric);

    assert(session->accounted == session->n_units || n == 0);
    account_reserve(&session->account, (int64_t)n * calls, share);
}

// --- the room of a prompt ---

// Created by the job's own thread when it is first needed: it measures every
// row, and the coordinator's loop, which starts the session, has no time for
// that.
static struct fit *fit_of(struct session *session, struct err *err)
{
    const struct session_setup *setup = &session->setup;

    if (session->fit == NULL)
        session->fit = fit_new(setup->job, setup->dataset, setup->plan, err);
    return session->fit;
}

struct candidate *session_fit(struct session *session,
                              struct candidate *candidate, struct err *err)
{
    const struct fit *fit = fit_of(session, err);

    return fit == NULL ? NULL : fit_candidate(fit, candidate, err);
}

bool session_prompt_tokens(struct session *session,
                           const struct candidate *candidate, size_t *tokens,
                           struct err *err)
{
    const struct fit *fit = fit_of(session, err);

    return fit != NULL && fit_tokens(fit, candidate, tokens, err);
}

void session_check_fit(struct session *session)
{
    struct err why = ERR_CLEAR;
    const struct fit *fit = fit_of(session, &why);

    if (fit != NULL && !fit_check(fit, session->baseline, &why))
        session_note(session, "warning: %s", why.text);
}

// --- results ---

void session_set_baseline(struct session *session, struct trial *trial)
{
    struct candidate *before = session->baseline;

    session->baseline = candidate_ref(trial->candidate);
    session->baseline_trial = trial;
    candidate_unref(before);
}

void session_set_seed(struct session *session, struct trial *trial)
{
    session->seed_trial = trial;
}

void session_set_best(struct session *session, struct trial *trial)
{
    const struct trial *baseline = session_baseline_trial(session);
    uint64_t seed = (uint64_t)session->setup.job->seed;
    struct comparison beside = {
        .b = {trial->score, {0, 1}}, .a.interval = {0, 1}, .p_value = 1};
    struct err ignored = ERR_CLEAR;

    session->best = trial;
    (void)comparison_make(baseline, trial, seed, &beside, &ignored);
    note_send(session->pair,
              &(struct note){.kind = NOTE_BEST,
                             .best = {.trial = trial->number,
                                      .candidate_id = trial->candidate_id,
                                      .score = beside.b.score,
                                      .low = beside.b.interval.low,
                                      .high = beside.b.interval.high,
                                      .n = (int64_t)beside.n,
                                      .baseline = beside.a.score,
                                      .baseline_low = beside.a.interval.low,
                                      .baseline_high = beside.a.interval.high,
                                      .p_value = beside.p_value}});
}

struct trial *session_best(const struct session *session)
{
    return session->best;
}

void session_set_rival(struct session *session, struct trial *trial)
{
    session->rival = trial;
}

struct trial *session_rival(const struct session *session)
{
    return session->rival;
}

void session_set_finish(struct session *session, const char *reason)
{
    session->finish = reason;
}

const char *session_finish(const struct session *session)
{
    return session->finish;
}

const char *session_digest(const struct session *session, enum role role)
{
    const char *digest = session->setup.models->digests[role];

    return session->asked[role] && digest != NULL ? digest : "";
}

bool session_simulated(const struct session *session)
{
    bool any = false;

    for (int r = 0; r < ROLE_COUNT; r++)
        any = any || session->asked[r];
    return session->setup.request->simulated ||
           (any && session->setup.models->simulated);
}

void session_phase(struct session *session, const char *phase)
{
    struct note note = {.kind = NOTE_PHASE};

    text_print(note.text, sizeof note.text, "%s", phase);
    note_send(session->pair, &note);
}

void session_note_reply(struct session *session, int64_t call, const char *text)
{
    struct note note = {.kind = NOTE_TEXT, .call = call};

    text_print(note.text, sizeof note.text, "%s", text);
    note_send(session->pair, &note);
}

void session_note(struct session *session, const char *format, ...)
{
    struct note note = {.kind = NOTE_TEXT};
    va_list args;

    va_start(args, format);
    text_vprint(note.text, sizeof note.text, format, args);
    va_end(args);
    note_send(session->pair, &note);
}
