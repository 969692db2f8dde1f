#include "store/lookup_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/json.h"
#include "store/query.h"

enum { ANCESTORS_MOST = 500 };

// --- a job's baseline and best candidate ---

static const char baseline_sql[] =
    "SELECT candidate_id AS candidate, number AS trial FROM trials"
    " WHERE job_no = " JOB_NO " AND kind = 'baseline' ORDER BY number LIMIT 1";
static const char best_sql[] =
    "SELECT v.candidate, v.trial, v.kind, v.score, v.baseline, v.n,"
    " b.low, b.high, b.baseline_low, b.baseline_high, b.p_value"
    " FROM v_best v LEFT JOIN bests b ON b.job_no = " JOB_NO
    " WHERE v.job = ?1 AND v.rank = 1";

// Returns the first row, or JSON null if there is none. Returns NULL on
// failure.
static json_t *first_or_null(json_t *rows)
{
    json_t *row = json_array_get(rows, 0);

    if (rows == NULL)
        return NULL;
    row = row == NULL ? json_null() : json_incref(row);
    json_decref(rows);
    return row;
}

// Returns true if the job has this candidate; otherwise fills err.
static bool has_candidate(struct store *store, const char *id,
                          int64_t candidate, struct err *err)
{
    static const char sql[] = "SELECT id FROM candidates WHERE job_no = " JOB_NO
                              " AND id = CAST(?2 AS INTEGER)";
    json_t *rows =
        lookup_rows(store, sql, &(struct lookup_values){id, candidate}, err);
    bool found = json_array_size(rows) > 0;

    if (rows != NULL && !found)
        err_set(err, ERR_INPUT, "job %.120s has no candidate %" PRId64, id,
                candidate);
    json_decref(rows);
    return found;
}

// Returns the candidate that argument names under key, otherwise the job's own,
// found by sql. Returns 0 if there is none.
static int64_t candidate_of(struct store *store, const char *id,
                            const json_t *argument, const char *key,
                            const char *sql, struct err *err)
{
    int64_t given = json_get_int(argument, key, 0);
    json_t *found;

    if (json_is_integer(json_object_get(argument, key)))
        return has_candidate(store, id, given, err) ? given : 0;
    found = first_or_null(
        lookup_rows(store, sql, &(struct lookup_values){id}, err));
    given = json_get_int(found, "candidate", 0);
    if (found != NULL && given == 0)
        err_set(err, ERR_INPUT,
                "job %.120s has no finished trial yet: ask again when its "
                "baseline has been scored",
                id);
    json_decref(found);
    return given;
}

int64_t lookup_candidate_or_best(struct store *store, const char *id,
                                 const json_t *argument, struct err *err)
{
    return candidate_of(store, id, argument, "candidate", best_sql, err);
}

bool lookup_two_candidates(struct store *store, const char *id,
                           const json_t *argument, int64_t *a, int64_t *b,
                           struct err *err)
{
    *a = candidate_of(store, id, argument, "a", baseline_sql, err);
    *b = *a == 0 ? 0 : candidate_of(store, id, argument, "b", best_sql, err);
    return *b != 0;
}

// --- a job as a whole ---

static const char summary_sql[] =
    "SELECT v.job, v.name, v.state, v.score, v.reason, v.simulated, v.trials,"
    " v.seed, v.wall_s, v.path, v.created, v.updated, v.priority,"
    " v.max_workers, j.document,"
    " (SELECT coalesce(sum(calls), 0) FROM v_cost WHERE job = v.job) AS calls,"
    " j.canonical, j.compiled IS NOT NULL AS compiled"
    " FROM v_jobs v JOIN jobs j ON j.id = v.job WHERE v.job = ?1";
static const char models_sql[] =
    "SELECT role, name, digest FROM job_models WHERE job_no = " JOB_NO
    " ORDER BY role DESC";
static const char shares_sql[] =
    "SELECT share, count(*) AS examples FROM examples WHERE job_no = " JOB_NO
    " GROUP BY share ORDER BY share";

// Adds the rows of sql to summary. Returns false on failure.
static bool add_rows(struct store *store, const char *id, json_t *summary,
                     const char *key, const char *sql, struct err *err)
{
    json_t *rows = lookup_rows(store, sql, &(struct lookup_values){id}, err);

    return rows != NULL && json_object_set_new(summary, key, rows) == 0;
}

static bool add_first(struct store *store, const char *id, json_t *summary,
                      const char *key, const char *sql, struct err *err)
{
    json_t *row = first_or_null(
        lookup_rows(store, sql, &(struct lookup_values){id}, err));

    return row != NULL && json_object_set_new(summary, key, row) == 0;
}

// A job without a final score has its score so far.
static bool add_score(json_t *summary)
{
    const json_t *best = json_object_get(summary, "best");

    return !json_is_null(json_object_get(summary, "score")) ||
           json_is_null(best) ||
           json_object_set(summary, "score", json_object_get(best, "score")) ==
               0;
}

json_t *lookup_summary(struct store *store, const char *id,
                       const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, summary_sql, &(struct lookup_values){id}, err);
    json_t *summary;

    (void)argument;
    lookup_boolean(rows, "simulated");
    lookup_boolean(rows, "compiled");
    lookup_parse(rows, "document");
    lookup_parse(rows, "canonical");
    summary = lookup_only(rows, "job", err);
    if (summary != NULL &&
        add_rows(store, id, summary, "models", models_sql, err) &&
        add_rows(store, id, summary, "shares", shares_sql, err) &&
        add_first(store, id, summary, "baseline", baseline_sql, err) &&
        add_first(store, id, summary, "best", best_sql, err) &&
        add_score(summary))
        return summary;
    json_decref(summary);
    return NULL;
}

// --- one candidate ---

static const char parts_sql[] =
    "SELECT step, instruction_number, instruction, demo_set_number, demos,"
    " parents, reason, tuned, created FROM v_candidates"
    " WHERE job = ?1 AND candidate = CAST(?2 AS INTEGER)";
static const char trials_of_sql[] =
    "SELECT number AS trial, kind, state, score, baseline, n FROM trials"
    " WHERE job_no = " JOB_NO " AND candidate_id = CAST(?2 AS INTEGER)"
    " ORDER BY number LIMIT 100";

// Moves the members that are equal in all parts up to the candidate.
static json_t *join_parts(int64_t candidate, json_t *parts, json_t *trials)
{
    const json_t *first = json_array_get(parts, 0);
    json_t *answer = json_pack(
        "{s:I, s:O, s:O, s:O, s:O, s:O, s:O}", "candidate",
        (json_int_t)candidate, "reason", json_object_get(first, "reason"),
        "tuned", json_object_get(first, "tuned"), "parents",
        json_object_get(first, "parents"), "created",
        json_object_get(first, "created"), "trials", trials, "parts", parts);

    for (size_t i = 0; i < json_array_size(parts); i++) {
        json_t *part = json_array_get(parts, i);

        (void)json_object_del(part, "reason");
        (void)json_object_del(part, "tuned");
        (void)json_object_del(part, "parents");
        (void)json_object_del(part, "created");
    }
    return answer;
}

json_t *lookup_candidate(struct store *store, const char *id,
                         const json_t *argument, struct err *err)
{
    int64_t candidate = lookup_candidate_or_best(store, id, argument, err);
    json_t *parts = NULL, *trials = NULL, *answer = NULL;

    if (candidate == 0)
        return NULL;
    parts = lookup_rows(store, parts_sql,
                        &(struct lookup_values){id, candidate}, err);
    if (parts != NULL)
        trials = lookup_rows(store, trials_of_sql,
                             &(struct lookup_values){id, candidate}, err);
    if (trials != NULL && json_array_size(parts) == 0) {
        err_set(err, ERR_INPUT,
                "candidate %" PRId64 " of job %.120s has no "
                "prompts",
                candidate, id);
    } else if (trials != NULL) {
        lookup_parse(parts, "demos");
        lookup_parse(parts, "parents");
        lookup_parse(parts, "tuned");
        answer = join_parts(candidate, parts, trials);
    }
    json_decref(parts);
    json_decref(trials);
    return answer;
}

// --- lineage ---

// Lists each ancestor with its first finished trial on the most rows.
static const char lineage_sql[] =
    "WITH RECURSIVE up(id, depth) AS (SELECT CAST(?2 AS INTEGER), 0"
    "  UNION SELECT p.value, up.depth + 1 FROM up"
    "   JOIN candidates c ON c.id = up.id, json_each(c.parents) p"
    "   WHERE up.depth < 100 LIMIT 2000),"
    " a AS MATERIALIZED (SELECT id, min(depth) AS depth FROM up GROUP BY id),"
    " t AS (SELECT candidate_id, number, kind, score, baseline, n,"
    "  row_number() OVER (PARTITION BY candidate_id"
    "   ORDER BY state = 'done' DESC, n DESC, number) AS turn FROM trials"
    "  WHERE job_no = " JOB_NO " AND candidate_id IN (SELECT id FROM a))"
    " SELECT c.id AS candidate, a.depth, c.parents, c.reason,"
    "  t.number AS trial, t.kind, t.score, t.baseline, t.n"
    " FROM a JOIN candidates c ON c.id = a.id AND c.job_no = " JOB_NO
    " LEFT JOIN t ON t.candidate_id = c.id AND t.turn = 1"
    " ORDER BY a.depth, c.id LIMIT CAST(?3 AS INTEGER)";
static const char children_sql[] =
    "SELECT c.id AS candidate, c.reason FROM candidates c,"
    " json_each(c.parents) p WHERE c.job_no = " JOB_NO
    " AND p.value = CAST(?2 AS INTEGER) ORDER BY c.id LIMIT 50";

json_t *lookup_lineage(struct store *store, const char *id,
                       const json_t *argument, struct err *err)
{
    int64_t candidate = lookup_candidate_or_best(store, id, argument, err);
    json_t *up = NULL, *down = NULL, *answer = NULL;

    if (candidate == 0)
        return NULL;
    up = lookup_rows(store, lineage_sql,
                     &(struct lookup_values){id, candidate, ANCESTORS_MOST},
                     err);
    if (up != NULL)
        down = lookup_rows(store, children_sql,
                           &(struct lookup_values){id, candidate}, err);
    if (down != NULL) {
        lookup_parse(up, "parents");
        answer =
            json_pack("{s:I, s:O, s:O}", "candidate", (json_int_t)candidate,
                      "ancestors", up, "children", down);
    }
    json_decref(up);
    json_decref(down);
    return answer;
}

// --- failures ---

// Grouped by outcome and reason. An example that was run more than once appears
// once in a group.
static const char failures_sql[] =
    "WITH f AS (SELECT outcome, CASE WHEN outcome <> 'done' THEN 'no answer'"
    "  WHEN score > 0 THEN 'partly right' ELSE 'wrong' END AS kind,"
    "  reason, row, avg(score) AS score, min(id) AS id"
    "  FROM v_evaluations WHERE job = ?1 AND candidate = CAST(?2 AS INTEGER)"
    "   AND score < 1 AND (?3 = '' OR share IS NULL OR instr(share, ?3) > 0)"
    "  GROUP BY 1, 2, 3, 4)"
    " SELECT outcome, kind, reason, count(*) AS n, avg(score) AS score,"
    "  json_group_array(id) AS evaluations"
    " FROM f GROUP BY 1, 2, 3 ORDER BY n DESC, reason LIMIT 200";

json_t *lookup_failures(struct store *store, const char *id,
                        const json_t *argument, struct err *err)
{
    int64_t candidate = lookup_candidate_or_best(store, id, argument, err);
    char number[32];
    const char *args[] = {id, number, lookup_share(argument, "")};
    json_t *rows;

    if (candidate == 0)
        return NULL;
    (void)snprintf(number, sizeof number, "%" PRId64, candidate);
    rows = query_rows(store, failures_sql, args, 3, err);
    lookup_parse(rows, "evaluations");
    return rows == NULL ? NULL
                        : json_pack("{s:I, s:o}", "candidate",
                                    (json_int_t)candidate, "groups", rows);
}
