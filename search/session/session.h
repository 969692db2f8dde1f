// session: a job as its optimizer sees it.
//
// An optimizer is straight-line code in a thread of its own: it submits trials
// (score this candidate on these rows) and runs (what does this program
// answer here), waits, and decides. Everything it may depend on is in here:
// job, seed and answers; never time, workers or the order of arrival. So a
// killed job is started again from its first line, gets all finished work from
// the store, and takes the same decisions.
//
// Trials overlap with a fixed lag: the trial to be proposed next, t, may use
// the results of trials up to t - window, and session_admit sees to it that
// these are there. The search model counts the unfinished ones as the worst.
//
// Budgets bind and are deterministic: a call counts when a trial (or runs)
// first uses its key, whether it was paid or found, in the order of
// submission. What would pass the budget is refused when it is submitted, with
// ERR_BUDGET, or comes back cut short, with the same error (budget.h).
//
// All functions are for the job's own thread.

#ifndef SEARCH_SESSION_SESSION_H
#define SEARCH_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rng.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "search/session/ledger.h"
#include "search/session/runs.h"
#include "search/session/task.h"
#include "search/session/trial.h"

struct session;

const struct job *session_job(const struct session *session);
const struct dataset *session_dataset(const struct session *session);
const struct split *session_split(const struct session *session);
const struct plan *session_plan(const struct session *session);

// The program as written, sealed; under `adapter: auto` in the form of answer
// that it scored better with. Borrowed.
struct candidate *session_baseline(const struct session *session);

// Its trial, on the whole validation share, or so far on the first part of it
// (optimizer.h: early). Borrowed.
struct trial *session_baseline_trial(const struct session *session);

// Makes that trial the one that all others are compared with, and its candidate
// the baseline: once the form of answer is chosen, and again when more rows are
// scored.
void session_set_baseline(struct session *session, struct trial *trial);

// The trial of the program of an earlier run (`from`), on the whole validation
// share: its instructions and demos are a start. NULL: there is none. Borrowed.
struct trial *session_seed_trial(const struct session *session);

// The job's stream for a purpose.
struct rng session_rng(const struct session *session, const char *purpose,
                       uint64_t index);

// --- trials ---

// Keeps the lag: waits until trial t - window, and all that was submitted
// before it, is done. ERR_BUDGET: one of these was cut short, so the search is
// over; ERR_STOPPED, ERR_FAULT, ERR_DIFFERS: the job ends here.
bool session_admit(struct session *session, struct err *err);

// Submits the next trial and returns at once. rows are copied; one that the
// candidate shows as a demo is asked without that demo. The trial is the
// session's. reason is static. ERR_BUDGET: what is left of the budget is not
// enough for it.
struct trial *trial_submit(struct session *session, enum trial_kind kind,
                           struct candidate *candidate, const size_t *rows,
                           size_t n_rows, const char *reason, struct err *err);

// The candidate with as many demos as its longest prompt has room for, as a
// trial would have it. A new reference; to the candidate itself if all fits.
struct candidate *session_fit(struct session *session,
                              struct candidate *candidate, struct err *err);

// Blocks until the trial is done. ERR_BUDGET: it was cut short by the budget.
bool trial_wait(struct session *session, struct trial *trial, struct err *err);

// Scores a candidate once more on rows, with other draws of all answers: what
// differs is the noise of the models. Blocks; it is no trial, and has no
// number. replicate counts from 1, and the same one again costs nothing. NULL
// on failure, ERR_BUDGET included.
struct trial *session_again(struct session *session,
                            struct candidate *candidate, const size_t *rows,
                            size_t n_rows, int32_t replicate, struct err *err);

// Scores a candidate, as session_fit gives it, on rows without making it a
// trial (no number); `kept`: its evaluations are stored and looked up. Blocks.
// For what is done when the budget has ended the search: with a larger budget
// the search goes on instead, and its next trial has the number that this one
// would have taken. NULL on failure, ERR_BUDGET included.
struct trial *session_score(struct session *session,
                            struct candidate *candidate,
                            const struct plan *plan, const size_t *rows,
                            size_t n_rows, bool kept, struct err *err);

// Keeps room in the budget for n more runs of the program on an example, but no
// more than this share of what is left (0 to 1): what is submitted from now on
// cannot use it. n == 0 releases it. Only while nothing is under way.
void session_keep_back(struct session *session, size_t n, double share);

// All trials so far, by number - 1. Borrowed.
struct trial *const *session_trials(const struct session *session, size_t *n);

// Whether trials, and runs that are scored, ask for log-probabilities from now
// on, so that their items have p_right where the server tells. Off at first;
// an optimizer that wants it from the baseline on says so in its row.
void session_ask_logprobs(struct session *session, bool ask);

// --- results ---

// The best trial so far: what Ctrl-C exports, and what people are shown next
// to the baseline. Borrowed.
void session_set_best(struct session *session, struct trial *trial);
struct trial *session_best(const struct session *session);

// If the best is the baseline: the trial that came nearest to beating it, which
// the verdict names. Borrowed; NULL: there is none to name.
void session_set_rival(struct session *session, struct trial *trial);
struct trial *session_rival(const struct session *session);

// "trials_done" (the default), "perfect", "no_improvement", "budget".
void session_set_finish(struct session *session, const char *reason);

// Work to come, as far as it is known, so that people can be told how far a job
// is and how long it still takes. Nothing is decided by it.
struct effort {
    size_t examples; // runs of a program on an example, without those that a
                     // trial of the same candidate made before; a question to
                     // the teacher counts as one
    size_t trials;   // 0: not known beforehand
};

// Says what the search will still submit, in place of what was said before. The
// more often an optimizer says it, the better people are informed.
void session_expect(struct session *session, struct effort to_come);

// For people: the phase under way; a note for the log of the run ("3 of 40
// examples became demos").
void session_phase(struct session *session, const char *phase);
void session_note(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
