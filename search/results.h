// results: what a run has found out so far, and the document and the compiled
// file that are made of it.
//
// A run fills them in as it goes (conduct.h): first the form of answer and the
// baseline, then the winner, the test share, the noise. A document can be
// written at any time: what is not known yet is null in it, so that a run that
// was stopped is told in the same words as one that ended.

#ifndef SEARCH_RESULTS_H
#define SEARCH_RESULTS_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "search/session/note.h"
#include "search/session/session.h"

// Trials are borrowed from the session; NULL: there is none yet.
struct results {
    struct trial *baseline;
    struct trial *winner;
    struct trial *test_baseline;
    struct trial *test_winner;
    struct trial *form;         // some rows in the job's form of answer, and
    struct trial *other_form;   // in the other one; NULL where it was not tried
    struct trial *again;        // the winner's answers, drawn once more
    struct trial *seed;         // the program of an earlier run; or NULL
    struct candidate *from;     // owned: its candidate; or NULL
    struct candidate *compiled; // owned: the winner, with demos for all steps
    struct err short_of;        // ERR_BUDGET: what the budget did not reach
    bool is_over;               // the budget ended before the search
};

// --- the form of answer ---

// The one that the job does not name.
enum adapter results_other_form(const struct job *job);

// The better one of form and other_form. If they are equal, the one that took
// fewer calls (an answer that cannot be read costs a second call), then the
// job's own.
struct trial *results_form(const struct results *found);

// --- what the budget does not reach ---

// Whether err says that the budget is used up. Then it notes that the search is
// over, and clears err.
bool results_over_budget(struct session *session, struct err *err);

// The same for a part of the run's end, which is left out: people are told "the
// test share is not scored: ...". what names the part; static.
bool results_do_without(struct session *session, struct results *found,
                        const char *what, struct err *err);

// --- told ---

// {"score", "low", "high", "n"} of a trial, on all rows that it was scored on;
// null for NULL. New reference, as all here; NULL without memory.
json_t *results_score_json(const struct session *session,
                           const struct trial *trial);

// {"format": 28, "loop": 2}: what was wrong with the answers of a trial.
json_t *results_faults_json(const struct trial *trial);

// The result of a run (docs/job-file.md). finish: why it ended.
json_t *results_document(struct session *session, const struct results *found,
                         const char *finish);

// The winner's score on the validation share, as the document has it; -1: none.
double results_compiled_score(const json_t *document);

// Which example shows best what went wrong in a trial; the loop, which can read
// the store, adds the reply.
void results_name_fault(struct ending *ending, const struct trial *trial);

// The compiled file of found->compiled. The caller frees; NULL on failure.
char *results_compiled(const struct session *session,
                       const struct results *found, struct err *err);

#endif
