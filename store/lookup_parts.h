// lookup_parts: what the answers of lookup.h share, for this room alone.
//
// An answer is a function of one row of the table in lookup.c: from a store, a
// job's id and an argument to JSON. They stand in files by what they are about:
//
//   lookup.c              jobs, show, trials, best, workers, export, query
//   lookup_trials.c       a job's trials for plots and pages of a table
//   lookup_candidates.c   what a candidate shows, where it comes from, and how
//                         two of them differ on the examples
//   lookup_origins.c      which calls a candidate's prompts came from
//   lookup_calls.c        from a score to the calls behind it; what they cost

#ifndef STORE_LOOKUP_PARTS_H
#define STORE_LOOKUP_PARTS_H

#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

enum { LOOKUP_PAGE = 100, LOOKUP_PAGE_MOST = 1000 };

typedef json_t *lookup_function(struct store *store, const char *id,
                                const json_t *argument, struct err *err);

// What a question is about: ?1 is the id of a job, and ?2, ?3, ?4 are the
// numbers as texts (so CAST them).
struct lookup_values {
    const char *id;
    int64_t a, b, c;
};
json_t *lookup_rows(struct store *store, const char *sql,
                    const struct lookup_values *values, struct err *err);

// SQLite has no objects and no booleans: member key of each row becomes the
// JSON value that its text holds, or a boolean.
void lookup_parse(json_t *rows, const char *key);
void lookup_boolean(json_t *rows, const char *key);

// The only row of rows, which is taken. NULL with ERR_INPUT for `missing` when
// there is none.
json_t *lookup_only(json_t *rows, const char *missing, struct err *err);

// Adds "low" and "high" to rows with a "score" of "n" examples.
void lookup_add_intervals(json_t *rows);

// "limit" and "offset" of an argument, in bounds.
int64_t lookup_limit(const json_t *argument);
int64_t lookup_offset(const json_t *argument);

// The candidate that argument names, else the best one of the job. 0 with an
// error: there is none yet.
int64_t lookup_candidate_or_best(struct store *store, const char *id,
                                 const json_t *argument, struct err *err);

lookup_function lookup_trial_page, lookup_curve, lookup_importance,
    lookup_tokens;
lookup_function lookup_candidate, lookup_lineage, lookup_compare,
    lookup_failures, lookup_origins;
lookup_function lookup_evaluations, lookup_evaluation, lookup_call, lookup_cost,
    lookup_events, lookup_summary, lookup_worker_history;

#endif
