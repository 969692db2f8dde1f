// leader: which full evaluation leads a search, and when the search is over.
//
// Trials are judged in the order of their numbers, and only up to the lag that
// the session keeps, so who leads at any point depends only on the job and the
// answers. A later trial takes the lead if it is better on the rows that both
// were scored on. Of two equals, the one that keeps more instructions as
// written leads, then the earlier one.
//
// A search is over when the budget is used up, when the leader is perfect,
// since nothing can be better, or when no reply to any of its prompts can be
// read (trials_are_mute). If the budget ends it, a candidate that was scored
// only on a minibatch can still take the lead: a paired test must find it
// better than the leader on 16 rows or more. With no budget left, that is all
// that can be known about it. Call only from the job's own thread.

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
    size_t readable;         // replies outside of trials (leader_count)
    size_t unreadable;
    bool over;
    bool by_budget;
};

// Returns a leader for the search; the session's best so far, the baseline,
// leads.
struct leader leader_of(struct session *session, double stop_at);

// Keeps the lag for the next trial (session_admit) and judges the trials that
// it may know about. Afterwards leader->over says whether the search is over;
// the session has then been told why.
bool leader_admit(struct leader *leader, struct err *err);

// Counts a finished run, if it is scored, as readable or unreadable.
void leader_count(struct leader *leader, const struct task_item *item);

// Ends the search if there is nothing to learn from: no reply can be read in
// the baseline, in the judged trials or in the counted runs, on as many
// examples as trials_are_mute asks for. This is for a search that makes
// candidates only from its runs: as long as it makes none, trials_are_mute
// cannot tell.
void leader_check_replies(struct leader *leader);

// Submits a full evaluation of candidate as the next trial.
bool leader_try(struct leader *leader, struct candidate *candidate,
                const char *reason, struct err *err);

// Waits for all trials and judges them; if the budget cut one short, only those
// before it.
bool leader_settle(struct leader *leader, struct err *err);

// Ends every search. `went_well` tells whether the search got here without an
// error; if not, *err says why. ERR_BUDGET is a good end too: what was tried
// until then still counts. Judges all trials, and after ERR_BUDGET also
// minibatches, and tells the session if nothing was gained.
bool leader_end(struct leader *leader, bool went_well, struct err *err);

// Returns the work of this many full evaluations.
struct effort leader_effort(const struct session *session, size_t trials);

// Returns how many of the session's trials the next one may know about: those
// up to its number minus the window.
size_t leader_known(const struct session *session);

#endif
