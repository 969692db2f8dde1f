// trial: a candidate scored on rows.
//
// It is made when it is submitted, and filled once its task is back; between
// the two only what was asked is there. Whoever reads scores waits for it first
// (trial_wait in session.h). What scores, faults and odds are worth is decided
// elsewhere: here is only what came back, row by row.
//
// The job's own thread.

#ifndef SEARCH_SESSION_TRIAL_H
#define SEARCH_SESSION_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/task.h"

struct trial {
    int64_t number; // from 1, in order of submission
    enum trial_kind kind;
    struct candidate *candidate; // a reference of the session's
    const size_t *rows;          // of the dataset, as submitted; other trials
                                 // may have the same list
    size_t n_rows;
    bool done;
    bool whole; // no budget and no fault cut it short
    // when done:
    bool *scored;   // one a row: false for own demos and excluded rows
    double *scores; // one a row: 0..1
    float *p_right; // one a row: of the right label, below 0 not told; NULL
                    // where none is
    double score;   // mean over the scored rows, in their order; 0 if none
    size_t n;       // scored rows
    size_t model_faults;              // items that ended in one, scored 0
    size_t faults[RUN_OUTCOME_COUNT]; // the same, by what it was
    int64_t fault_call;   // the call that the first of them ended at; 0
    size_t fault_row;     // its row
    size_t unjudged;      // items that no judge's answer scored
    size_t lenient;       // items that needed a lenient reading
    int64_t calls;        // keys that this trial was the first to use
    int64_t tokens;       // of those
    int64_t candidate_id; // in the history
    int32_t replicate;    // which draw of the answers; 0 for all but repeats
};

// Takes a reference to the candidate; rows are borrowed for as long as the
// trial lives. NULL without memory.
struct trial *trial_new(struct candidate *candidate, const size_t *rows,
                        size_t n_rows, struct err *err);
void trial_free(struct trial *trial); // NULL is fine

// Its task is back, well or not. Done in any case; false without memory for the
// odds of the right labels.
bool trial_fill(struct trial *trial, const struct task *task, struct err *err);

// Whether there are replies to the first n trials, and none can be read.
bool trials_are_unreadable(struct trial *const *trials, size_t n);

// Whether the model gives no reply that can be read, however it is asked: none
// to so many candidates, and on so many examples, of the first n trials. Demos
// and instructions teach the form of an answer, so a few candidates are no
// proof; but where none of eight helps, the rest is paid for in vain.
enum { MUTE_CANDIDATES = 8, MUTE_EXAMPLES = 100 };

bool trials_are_mute(struct trial *const *trials, size_t n);

#endif
