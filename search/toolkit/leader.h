// leader: which full evaluation leads a search, and when the search is over.
//
// Trials are judged in the order of their numbers, and only up to the lag that
// the session keeps, so who leads when depends on nothing but job and answers.
// A later trial leads when it is better on the rows that both were scored on.
// If two are equal, the one that keeps more instructions as written leads, then
// the earlier one.
//
// A search is over by budget, when the leader is perfect, since nothing can be
// better, or when no reply to any of its prompts can be read (trials_are_mute).
// Where the budget ends it, a candidate that was scored on a minibatch alone
// leads after all if a paired test finds it better than the leader on 16 rows
// or more: with the rest of the budget gone, this is what is known of it. For
// the job's own thread.

#ifndef SEARCH_TOOLKIT_LEADER_H
#define SEARCH_TOOLKIT_LEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"

struct leader {
    struct session *session; // borrowed
    double stop_at;          // a score that is good enough; 1: perfect
    size_t judged;           // trials judged so far
    size_t readable;         // replies outside of trials, as it was told of
    size_t unreadable;       // them (leader_count)
    bool over;
    bool by_budget;
};

// The session's best so far, the baseline, leads.
struct leader leader_of(struct session *session, double stop_at);

// Keeps the lag for the next trial (session_admit) and judges those that it may
// know of. Afterwards leader->over says whether the search is over; the session
// is told why.
bool leader_admit(struct leader *leader, struct err *err);

// Counts a run that is there, if it is scored, by whether its replies could be
// read.
void leader_count(struct leader *leader, const struct task_item *item);

// Ends the search where there is nothing to learn from: no reply in the
// baseline, in a trial that was judged or in a run that was counted can be
// read, on as many examples as trials_are_mute asks for. For a search that
// makes candidates of nothing but its runs: where it makes none,
// trials_are_mute does not tell.
void leader_check_replies(struct leader *leader);

// Submits a full evaluation of candidate, which is the next trial.
bool leader_try(struct leader *leader, struct candidate *candidate,
                const char *reason, struct err *err);

// Waits for all trials and judges them: those before one that the budget cut
// short.
bool leader_settle(struct leader *leader, struct err *err);

// The end of every search. went_well: whether it got here without an error; if
// not, *err says why, and ERR_BUDGET is a good end too: what was tried until
// then still counts. Judges all trials, after the budget also minibatches, and
// tells the session that nothing was gained, where that is so.
bool leader_end(struct leader *leader, bool went_well, struct err *err);

// What so many full evaluations come to.
struct effort leader_effort(const struct session *session, size_t trials);

// How many of the session's trials the next one may know of: those up to its
// number less the window.
size_t leader_known(const struct session *session);

#endif
