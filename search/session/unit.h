// unit: a piece of work that a session has submitted, a trial or runs.
//
//   add -> claim (the budget) -> send -> wait: done -> accounted for
//
// Units are listed in the order of submission, and are accounted for in that
// order as soon as they are done. So which unit was the first to use a call's
// key does not depend on which answer came first.

#ifndef SEARCH_SESSION_UNIT_H
#define SEARCH_SESSION_UNIT_H

#include "search/session/session_state.h"

struct unit {
    struct trial *trial; // exactly one of the two is set
    struct runs *runs;
    bool listed; // a trial with a number
    bool done;
    struct err err;
    struct used_calls calls;    // of all items, until they are accounted for
    struct use most;            // upper bound of its use, until it is accounted
                                // for
    size_t fresh;               // examples that it runs anew
    const struct unit *earlier; // for a trial: one accounted for before it that
                                // scored the same candidate, or NULL
};

// Adds the next unit, without a trial or runs yet. Returns NULL when out of
// memory.
struct unit *unit_add(struct session *session, struct err *err);

// Frees the unit that was added last, and its trial.
void unit_drop_last(struct session *session);
void unit_free(struct unit *unit); // accepts NULL

// Grows a list of pointers so that one more fits. Returns false when out of
// memory.
bool unit_make_room(void ***list, size_t n, size_t *cap);

// Fills in the settings of the task's role. A candidate's model options are
// meant for the student: a teacher that runs the candidate keeps its own.
void unit_fill_settings(const struct session *session, struct task *task);

// Takes from the budget what the last unit's task may use, and waits for
// earlier units as long as that may make room (budget.h). With may_be_cut the
// task may begin even if only part of it has room. ERR_BUDGET: there is no
// room.
bool unit_claim(struct session *session, struct unit *unit, struct task *task,
                bool may_be_cut, struct err *err);

// Takes the unit's task and hands it to the coordinator's loop.
void unit_send(struct session *session, struct task *task, struct unit *unit);

// Receives until the unit is done. Returns false with the unit's error if it
// did not end well. ERR_STOPPED: the loop has ended.
bool unit_wait(struct session *session, const struct unit *unit,
               struct err *err);

#endif
