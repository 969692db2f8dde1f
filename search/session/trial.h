// trial: a candidate scored on rows.
//
// A trial is created when it is submitted and filled when its task comes back.
// In between, only the members that describe the question are valid, so whoever
// reads scores waits for the trial first (trial_wait in session.h). A trial
// only records what came back, row by row; what scores, faults and odds are
// worth is decided elsewhere.
//
// Call only from the job's own thread.

#ifndef SEARCH_SESSION_TRIAL_H
#define SEARCH_SESSION_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/row_span.h"
#include "search/session/task.h"

struct trial {
    int64_t number; // from 1, in order of submission
    enum trial_kind kind;
    struct candidate *candidate; // the session's reference
    const size_t *rows;          // of the dataset, as submitted; may be shared
                                 // with other trials
    size_t n_rows;
    bool done;
    bool whole; // not cut short by the budget or a fault
    // valid when done:
    bool *scored;   // per row: false for the candidate's own demos and excluded
                    // rows
    double *scores; // per row: 0..1
    float *p_right; // per row: probability of the right label, below 0 if not
                    // told; NULL if no row has one
    double score;   // mean over the scored rows, in their order; 0 if none
    size_t n;       // scored rows
    size_t model_faults;              // items that ended in one, scored 0
    size_t faults[RUN_OUTCOME_COUNT]; // the same, by outcome
    int64_t fault_call;   // the call at which the first of them ended; 0: none
    size_t fault_row;     // its row
    size_t unjudged;      // items that the judge gave no readable answer for
    size_t lenient;       // items that needed a lenient reading
    int64_t calls;        // keys that this trial was the first to use
    int64_t tokens;       // of those calls
    int64_t candidate_id; // in the history
    int32_t replicate;    // which draw of the answers; 0 for all but repeats
};

// Creates a trial. Takes a reference to the candidate, and borrows the rows
// for as long as it lives. Returns NULL when out of memory.
struct trial *trial_new(struct candidate *candidate, struct row_span rows,
                        struct err *err);
void trial_free(struct trial *trial); // accepts NULL

// Fills the trial from its task, whether the task ended well or not; the trial
// is done in either case. Returns false if memory runs out for the odds of the
// right labels.
bool trial_fill(struct trial *trial, const struct task *task, struct err *err);

// Returns true if the first n trials got replies and none of them can be read.
bool trials_are_unreadable(struct trial *const *trials, size_t n);

// Returns true if the model gives no readable reply however it is asked: the
// first n trials cover at least this many candidates and this many examples,
// and not one reply could be read. Demos and instructions teach the form of an
// answer, so a few candidates prove nothing; but if none of eight helps,
// everything further would be paid for in vain.
enum { MUTE_CANDIDATES = 8, MUTE_EXAMPLES = 100 };

bool trials_are_mute(struct trial *const *trials, size_t n);

#endif
