// lookup_parts: what the answers of lookup.h share; private to this room.
//
// An answer is one function, named in one row of the table in lookup.c, from a
// store, a job's id and an argument to JSON. The files group them by subject:
//
//   lookup.c              jobs, show, trials, best, workers, export, query
//   lookup_trials.c       a job's trials, for plots and paged tables
//   lookup_candidates.c   a job as a whole; a candidate's details, where it
//                         comes from, and where it fails
//   lookup_compare.c      how two candidates differ on the examples
//   lookup_origins.c      which calls a candidate's prompts came from
//   lookup_calls.c        from a score to its calls, and what they cost

#ifndef STORE_LOOKUP_PARTS_H
#define STORE_LOOKUP_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

enum { LOOKUP_PAGE = 100, LOOKUP_PAGE_MOST = 1000 };

typedef json_t *lookup_function(struct store *store, const char *id,
                                const json_t *argument, struct err *err);

// The parameters of a question: ?1 is a job's id, and ?2, ?3, ?4 are the
// numbers as texts (so CAST them).
struct lookup_values {
    const char *id;
    int64_t a, b, c;
};
json_t *lookup_rows(struct store *store, const char *sql,
                    const struct lookup_values *values, struct err *err);

// In such a question, the job's number: with it, the query uses a key.
#define JOB_NO "(SELECT no FROM jobs WHERE id = ?1)"

// SQLite has no objects and no booleans. These turn member `key` of each row
// into the JSON value that its text holds, or into a boolean.
void lookup_parse(json_t *rows, const char *key);
void lookup_boolean(json_t *rows, const char *key);

// Returns the only row of rows, and takes over rows. If there is none, fails
// with ERR_INPUT and the text `missing`.
json_t *lookup_only(json_t *rows, const char *missing, struct err *err);

// Sees to "low" and "high" of rows that are null in stores of older versions,
// which kept no intervals: adds Wilson's where there is a "score" over "n"
// examples, and takes the null ones away where there is none.
void lookup_add_intervals(json_t *rows);

// Returns the share that "share" of an argument names, `otherwise` if it is
// missing, and "" for all shares. Borrowed.
const char *lookup_share(const json_t *argument, const char *otherwise);

// Return "limit" and "offset" of an argument, clamped to their bounds.
int64_t lookup_limit(const json_t *argument);
int64_t lookup_offset(const json_t *argument);

// Returns the candidate that argument names, otherwise the best one of the job.
// Returns 0 and fills err if there is none yet.
int64_t lookup_candidate_or_best(struct store *store, const char *id,
                                 const json_t *argument, struct err *err);

// Finds the candidates that argument names as `a` and `b`, otherwise the job's
// baseline and its best one. Returns false and fills err if there is none yet.
bool lookup_two_candidates(struct store *store, const char *id,
                           const json_t *argument, int64_t *a, int64_t *b,
                           struct err *err);

lookup_function lookup_trial_page, lookup_curve, lookup_importance,
    lookup_tokens;
lookup_function lookup_candidate, lookup_lineage, lookup_compare,
    lookup_failures, lookup_origins;
lookup_function lookup_evaluations, lookup_evaluation, lookup_call, lookup_cost,
    lookup_events, lookup_summary, lookup_worker_history;

#endif
