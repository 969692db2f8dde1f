#include "store/lookup_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "store/query.h"

enum { HISTORY_CALLS = 20000 };

// --- the examples of a candidate ---

// ?2 candidate, ?3 "wrong", "right" or "", ?4 limit, ?5 offset.
static const char evaluations_sql[] =
    "SELECT id AS evaluation, candidate, row, replicate, share, file, line,"
    " inputs, labels, answer, outcome, score, reason FROM v_evaluations"
    " WHERE id IN (SELECT id FROM evaluations WHERE job_no = " JOB_NO
    "  AND candidate_id = CAST(?2 AS INTEGER) AND (?3 = ''"
    "   OR (?3 = 'wrong' AND score < 1) OR (?3 = 'right' AND score >= 1))"
    "  ORDER BY row, replicate LIMIT CAST(?4 AS INTEGER)"
    "  OFFSET CAST(?5 AS INTEGER)) ORDER BY row, replicate";

json_t *lookup_evaluations(struct store *store, const char *id,
                           const json_t *argument, struct err *err)
{
    char candidate[32], limit[32], offset[32];
    const char *args[] = {id, candidate, json_get_text(argument, "show", ""),
                          limit, offset};
    int64_t wanted = lookup_candidate_or_best(store, id, argument, err);
    json_t *rows;

    if (wanted == 0)
        return NULL;
    (void)snprintf(candidate, sizeof candidate, "%" PRId64, wanted);
    (void)snprintf(limit, sizeof limit, "%" PRId64, lookup_limit(argument));
    (void)snprintf(offset, sizeof offset, "%" PRId64, lookup_offset(argument));
    rows = query_rows(store, evaluations_sql, args, 5, err);
    lookup_parse(rows, "inputs");
    lookup_parse(rows, "labels");
    return rows;
}

// --- a score, and the calls that made it ---

static const char evaluation_sql[] =
    "SELECT id AS evaluation, job, candidate, row, replicate, share, file,"
    " line, inputs, labels, answer, outcome, score, reason, repairs, lenient"
    " FROM v_evaluations WHERE job = ?1 AND id = CAST(?2 AS INTEGER)";
// The call may have been paid for by another job of the store.
static const char calls_sql[] =
    "SELECT c.* FROM evaluations e, json_each(e.calls) i"
    " JOIN v_calls c ON c.id = i.value"
    " WHERE e.id = CAST(?2 AS INTEGER) AND e.job_no = " JOB_NO
    " ORDER BY i.key";

json_t *lookup_evaluation(struct store *store, const char *id,
                          const json_t *argument, struct err *err)
{
    int64_t wanted = json_get_int(argument, "evaluation", 0);
    json_t *rows = lookup_rows(store, evaluation_sql,
                               &(struct lookup_values){id, wanted}, err);
    json_t *evaluation, *calls;

    lookup_parse(rows, "inputs");
    lookup_parse(rows, "labels");
    evaluation = lookup_only(rows, "evaluation of that number", err);
    if (evaluation == NULL)
        return NULL;
    calls =
        lookup_rows(store, calls_sql, &(struct lookup_values){id, wanted}, err);
    lookup_parse(calls, "messages");
    lookup_parse(calls, "options");
    if (calls != NULL && json_object_set_new(evaluation, "calls", calls) == 0)
        return evaluation;
    json_decref(evaluation);
    return NULL;
}

// A call of this job, or of another job in the store that shares its answers.
static const char call_sql[] =
    "SELECT * FROM v_calls WHERE id = CAST(?2 AS INTEGER)";

json_t *lookup_call(struct store *store, const char *id, const json_t *argument,
                    struct err *err)
{
    json_t *rows = lookup_rows(
        store, call_sql,
        &(struct lookup_values){id, json_get_int(argument, "call", 0)}, err);

    lookup_parse(rows, "messages");
    lookup_parse(rows, "options");
    return lookup_only(rows, "call of that number", err);
}

// --- what it cost, and what happened ---

static const char cost_sql[] =
    "SELECT role, purpose, model, calls, prompt_tokens, cached_tokens,"
    " generated_tokens, hedged, model_s FROM v_cost WHERE job = ?1"
    " ORDER BY role DESC, calls DESC";

json_t *lookup_cost(struct store *store, const char *id, const json_t *argument,
                    struct err *err)
{
    (void)argument;
    return lookup_rows(store, cost_sql, &(struct lookup_values){id}, err);
}

static const char events_sql[] =
    "SELECT id, kind, nullif(row, -1) AS row, text,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at"
    " FROM events WHERE job_no = " JOB_NO
    " ORDER BY id DESC LIMIT CAST(?2 AS INTEGER)";

json_t *lookup_events(struct store *store, const char *id,
                      const json_t *argument, struct err *err)
{
    return lookup_rows(store, events_sql,
                       &(struct lookup_values){id, lookup_limit(argument)},
                       err);
}

// --- recent worker statistics ---

// Only the last calls count, since a worker's current speed is what matters.
static const char worker_history_sql[] =
    "WITH c AS (SELECT * FROM calls"
    "  WHERE id > (SELECT max(id) FROM calls) - CAST(?2 AS INTEGER)"
    "  AND worker <> 'exec')"
    " SELECT worker AS name, count(*) AS calls,"
    "  sum(prompt_tokens) AS prompt_tokens,"
    "  sum(nullif(cached_tokens, -1)) AS cached_tokens,"
    "  sum(generated_tokens) AS generated_tokens,"
    "  avg(total_us) / 1e6 AS seconds,"
    "  sum(generated_tokens) * 1e6 / nullif(sum(generate_us), 0)"
    "   AS tokens_per_s,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', max(finished_ms) / 1000.0, 'unixepoch')"
    "   AS last"
    " FROM c GROUP BY worker ORDER BY worker";

json_t *lookup_worker_history(struct store *store, const char *id,
                              const json_t *argument, struct err *err)
{
    (void)argument;
    return lookup_rows(store, worker_history_sql,
                       &(struct lookup_values){id, HISTORY_CALLS}, err);
}
