// results: what a run has found out so far, with the document and the compiled
// file that are made from it.
//
// A run fills these in as it goes (conduct.h): first the form of answer and the
// baseline, then the winner, the test share and the noise. A document can be
// written at any time; whatever is not known yet is null in it. So a run that
// was stopped is reported in the same terms as one that ended.

#ifndef SEARCH_RESULTS_H
#define SEARCH_RESULTS_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "search/session/note.h"
#include "search/session/session.h"

// Trials are borrowed from the session; NULL means there is none yet.
struct results {
    struct trial *baseline;
    struct trial *winner;
    struct trial *test_baseline;
    struct trial *test_winner;
    struct trial *form;         // some rows in the job's form of answer, and
    struct trial *other_form;   // in the other one; NULL if it was not tried
    struct trial *again;        // the winner's answers, drawn once more
    struct trial *seed;         // the program of an earlier run, or NULL
    struct candidate *from;     // owned: its candidate, or NULL
    struct candidate *compiled; // owned: the winner, with demos for all steps
    struct err short_of;        // ERR_BUDGET: what the budget was not enough
                                // for
    bool is_over;               // the budget ended before the search
};

// --- the form of answer ---

// Returns the form of answer that the job does not name.
enum adapter results_other_form(const struct job *job);

// Returns the better one of form and other_form. If they are equal, returns the
// one that took fewer calls (an answer that cannot be read costs a second
// call), then the job's own.
struct trial *results_form(const struct results *found);

// --- what the budget is not enough for ---

// Returns true if err says that the budget is used up; then records that the
// search is over, and clears err.
bool results_over_budget(struct session *session, struct err *err);

// Like results_over_budget, for a part of the run's end that is left out. The
// log then says, for example, "the test share is not scored: ...". `what` names
// the part and is static.
bool results_leave_out(struct session *session, struct results *found,
                       const char *what, struct err *err);

// --- reports ---

// Returns {"score", "low", "high", "n"} of a trial, over all rows that it was
// scored on; null if trial is NULL. Returns a new reference, or NULL when out
// of memory, like all functions here.
json_t *results_score_json(const struct session *session,
                           const struct trial *trial);

// Returns {"format": 28, "loop": 2}: what was wrong with the answers of a
// trial.
json_t *results_faults_json(const struct trial *trial);

// Returns the result of a run (docs/job-file.md). `finish` says why it ended.
json_t *results_document(struct session *session, const struct results *found,
                         const char *finish);

// Returns the winner's score on the validation share from the document; -1:
// none.
double results_compiled_score(const json_t *document);

// Picks the example that best shows what went wrong in a trial. The loop, which
// can read the store, adds the reply.
void results_name_fault(struct ending *ending, const struct trial *trial);

// Returns the text of the compiled file of found->compiled, or NULL on failure.
// The caller frees it.
char *results_compiled(const struct session *session,
                       const struct results *found, struct err *err);

#endif
