// unit: a piece of work that a session has submitted, a trial or runs.
//
//   add -> claim (the budget) -> send -> wait: done -> accounted for
//
// Units stand in the order of submission, and are accounted for in that order,
// as far as they are done: so which of them was the first to use a call's key
// does not depend on which answer came first.

#ifndef SEARCH_SESSION_UNIT_H
#define SEARCH_SESSION_UNIT_H

#include "search/session/session_state.h"

struct unit {
    struct trial *trial; // one of the two is set
    struct runs *runs;
    bool listed; // a numbered trial
    bool done;
    struct err err;
    struct used_call *calls; // of all items, until they are accounted; owned
    size_t n_calls;
    struct use most;            // what it may use, until then
    size_t fresh;               // examples that it runs anew
    const struct unit *earlier; // trial: one accounted for before it that
                                // scored the same candidate; NULL: none
};

// The next unit, without a trial or runs yet. NULL without memory.
struct unit *unit_add(struct session *session, struct err *err);

// Frees the unit that was added last, and its trial.
void unit_drop_last(struct session *session);
void unit_free(struct unit *unit); // NULL is fine

// Grows a list of pointers so that one more fits. False without memory.
bool unit_make_room(void ***list, size_t n, size_t *cap);

// The settings of the task's role. A candidate's options are for the student's
// model: a teacher that runs it keeps its own.
void unit_lay_settings(const struct session *session, struct task *task);

// Takes from the budget what the task of the last unit may use, and waits for
// earlier units as long as that may make room (budget.h). may_be_cut: the task
// may begin even if only a part of it has room. ERR_BUDGET: there is no room.
bool unit_claim(struct session *session, struct unit *unit, struct task *task,
                bool may_be_cut, struct err *err);

// Takes the unit's task and hands it to the coordinator's loop.
void unit_send(struct session *session, struct task *task, struct unit *unit);

// Receives until the unit is done; false with its error where it did not end
// well. ERR_STOPPED: the loop has ended.
bool unit_wait(struct session *session, const struct unit *unit,
               struct err *err);

#endif
