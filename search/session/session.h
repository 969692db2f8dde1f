// session: a job as its optimizer sees it.
//
// An optimizer is straight-line code in a thread of its own. It submits trials
// (score this candidate on these rows) and runs (what does this program answer
// for these inputs?), waits for them, and decides. Everything it may depend on
// is declared here: the job, the seed and the answers. It never depends on
// time, on the workers, or on the order in which answers arrive. A killed job
// can therefore start again from its first line: it gets all finished work from
// the store and takes the same decisions.
//
// Trials overlap with a fixed lag: the next trial to be proposed, t, may use
// the results of trials up to t - window, and session_admit makes sure that
// these are in. The search model counts unfinished trials as the worst.
//
// Budgets are strict and deterministic. A call counts when a trial (or runs)
// first uses its key, in the order of submission, no matter whether the call
// was paid for or found in the store. Work that would exceed the budget is
// refused with ERR_BUDGET when it is submitted, or comes back cut short with
// the same error (budget.h).
//
// Call all functions from the job's own thread.

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
#include "search/session/row_span.h"
#include "search/session/runs.h"
#include "search/session/task.h"
#include "search/session/trial.h"

struct session;

// What the session works on. Read-only and borrowed, for as long as it runs.
const struct job *session_job(const struct session *session);
const struct dataset *session_dataset(const struct session *session);
const struct split *session_split(const struct session *session);
const struct plan *session_plan(const struct session *session);

// Returns the program as written, sealed. Under `adapter: auto`, it uses the
// form of answer that scored better. Borrowed.
struct candidate *session_baseline(const struct session *session);

// Returns the baseline's trial, scored on the whole validation share, or for
// now on the first part of it (optimizer.h: early). Borrowed.
struct trial *session_baseline_trial(const struct session *session);

// Makes `trial` the one that all others are compared with, and its candidate
// the baseline. Called once the form of answer is chosen, and again when more
// rows have been scored.
void session_set_baseline(struct session *session, struct trial *trial);

// Returns the trial of the program of an earlier run (`from`), scored on the
// whole validation share. Its instructions and demos are a starting point.
// Borrowed; NULL when the job has none.
struct trial *session_seed_trial(const struct session *session);

// Returns the job's random stream for a purpose.
struct rng session_rng(const struct session *session, const char *purpose,
                       uint64_t index);

// --- trials ---

// Keeps the lag: waits until trial t - window, and everything submitted before
// it, is done. ERR_BUDGET: the budget cut one of them short, so the search is
// over. ERR_STOPPED, ERR_FAULT, ERR_DIFFERS: the job ends here.
bool session_admit(struct session *session, struct err *err);

// Submits the next trial and returns at once. The rows are copied; a row that
// the candidate shows as a demo is asked without that demo. The session owns
// the trial. `reason` is static. ERR_BUDGET: the rest of the budget is not
// enough for the trial.
struct trial *trial_submit(struct session *session, enum trial_kind kind,
                           struct candidate *candidate, struct row_span rows,
                           const char *reason, struct err *err);

// Returns the candidate with as many demos as fit into its longest prompt, as a
// trial would use it. The result is a new reference: to the candidate itself if
// everything fits.
struct candidate *session_fit(struct session *session,
                              struct candidate *candidate, struct err *err);

// Blocks until the trial is done. ERR_BUDGET: the budget cut it short.
bool trial_wait(struct session *session, struct trial *trial, struct err *err);

// Scores a candidate once more on `rows`, with all answers drawn anew: the
// difference is the noise of the models. Blocks. This is not a trial and has no
// number. `replicate` counts from 1; asking for the same replicate again costs
// nothing. Returns NULL on failure, ERR_BUDGET included.
struct trial *session_redraw(struct session *session,
                             struct candidate *candidate, struct row_span rows,
                             int32_t replicate, struct err *err);

// Scores a candidate, as returned by session_fit, on `rows` without making it a
// trial: it gets no number, but its evaluations are stored like those of a
// trial. Blocks. Use it for work after the budget has ended the search:
// with a larger budget the search would continue instead, and its next trial
// would take the number that this one would have taken. Returns NULL on
// failure, ERR_BUDGET included.
struct trial *session_score(struct session *session,
                            struct candidate *candidate,
                            const struct plan *plan, struct row_span rows,
                            struct err *err);

// Reserves room in the budget for n more runs of the program on an example, but
// no more than `share` (0 to 1) of what is left. Work submitted from now on
// cannot use it. n == 0 releases the reserve. Reserve only while nothing is
// under way.
void session_reserve(struct session *session, size_t n, double share);

// Returns all trials so far, indexed by number - 1. Borrowed.
struct trial *const *session_trials(const struct session *session, size_t *n);

// Sets whether trials and scored runs ask for log-probabilities from now on, so
// that their items have p_right where the server returns it. Off at first; an
// optimizer that wants it from the baseline on says so in its row
// (optimizer.h).
void session_ask_logprobs(struct session *session, bool ask);

// --- results ---

// Sets the best trial so far: the one that Ctrl-C exports, and that people see
// next to the baseline. Borrowed.
void session_set_best(struct session *session, struct trial *trial);
struct trial *session_best(const struct session *session);

// If the best trial is the baseline: sets the trial that came nearest to
// beating it, which the verdict names. Borrowed; NULL if there is none to name.
void session_set_rival(struct session *session, struct trial *trial);
struct trial *session_rival(const struct session *session);

// One of "trials_done" (the default), "perfect", "no_improvement",
// "no_difference", "unreadable", "budget".
void session_set_finish(struct session *session, const char *reason);

// The work still to come, as far as it is known. It only tells people how far
// the job is and how long it will still take; nothing is decided by it.
struct effort {
    size_t examples; // runs of a program on an example, except those that a
                     // trial of the same candidate made before; a question to
                     // the teacher counts as one
    size_t trials;   // 0: not known beforehand
};

// States what the search will still submit; replaces the previous statement.
// The more often an optimizer calls this, the better people are informed.
void session_expect(struct session *session, struct effort to_come);

// For people: the current phase, and a note for the log of the run ("3 of 40
// examples became demos").
void session_phase(struct session *session, const char *phase);
void session_note(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
