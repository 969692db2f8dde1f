#include "store/lookup_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/stats.h"
#include "common/text.h"
#include "store/query.h"

enum {
    SQL_BYTES = 4096,
    CURVE_POINTS = 1000, // more than a plot has pixels
    TOKEN_CANDIDATES = 300,
    VALUES_SHOWN = 12,
};

// --- a page of the table ---

// The columns that a page can be sorted by. Trials without a score always come
// last.
static const struct sort {
    const char *name;
    const char *sql;
} sorts[] = {
    {"trial", "number"},
    {"score", "score"},
    {"gain", "score - baseline"},
    {"n", "n"},
    {"candidate", "candidate_id"},
    {"kind", "kind"},
    {"state", "state"},
    {"calls", "calls"},
    {"tokens", "tokens"},
    {"started", "started_ms"},
    {"finished", "finished_ms"},
};

static const struct sort *find_sort(const char *name, struct err *err)
{
    const char *names[sizeof sorts / sizeof *sorts];
    const char *near;

    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        names[i] = sorts[i].name;
        if (strcmp(sorts[i].name, name) == 0)
            return &sorts[i];
    }
    near = text_nearest(name, names, sizeof sorts / sizeof *sorts);
    err_set(err, ERR_INPUT,
            "trials cannot be sorted by `%.40s`; did you mean %s?", name,
            near == NULL ? "score" : near);
    return NULL;
}

// ?1 job, ?2 kind, ?3 state, ?4 candidate, ?5 minimum score; "" means any.
static const char page_where[] =
    " FROM trials WHERE job_no = " JOB_NO
    " AND (?2 = '' OR kind = ?2) AND (?3 = '' OR state = ?3)"
    " AND (?4 = '' OR candidate_id = CAST(?4 AS INTEGER))"
    " AND (?5 = '' OR score >= CAST(?5 AS REAL))";

// Only the rows of the page are joined with their texts; the rest are sorted by
// number alone: 100,000 trials in 60 ms.
static const char page_columns[] =
    "SELECT v.trial, v.state, v.kind, v.score, v.low, v.high, v.baseline, v.n,"
    " v.candidate, v.instructions, v.demos, v.tuned, v.calls, v.tokens, "
    "v.started, "
    "v.finished"
    " FROM (SELECT number, row_number() OVER () AS place FROM (SELECT number";

static void write_page_sql(const struct sort *sort, bool down, int64_t limit,
                           int64_t offset, struct buf *out)
{
    const char *way = down ? "DESC" : "ASC";

    buf_printf(out,
               "%s%s ORDER BY %s IS NULL, %s %s, number %s LIMIT %" PRId64
               " OFFSET %" PRId64
               ")) p JOIN v_trials v ON v.job = ?1 AND v.trial = p.number"
               " ORDER BY p.place",
               page_columns, page_where, sort->sql, sort->sql, way, way, limit,
               offset);
}

void lookup_add_intervals(json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        int64_t n = json_get_int(row, "n", 0);

        if (json_is_number(json_object_get(row, "low")))
            continue;
        (void)json_object_del(row, "low");
        (void)json_object_del(row, "high");
        if (!json_is_number(json_object_get(row, "score")) || n <= 0)
            continue;
        struct interval sure =
            stats_wilson_share(json_get_number(row, "score", 0), (size_t)n);
        (void)json_object_set_new(row, "low", json_real(sure.low));
        (void)json_object_set_new(row, "high", json_real(sure.high));
    }
}

static void number_text(const json_t *argument, const char *key, char out[32])
{
    const json_t *value = json_object_get(argument, key);

    out[0] = '\0';
    if (json_is_integer(value))
        (void)snprintf(out, 32, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(out, 32, "%.17g", json_real_value(value));
}

json_t *lookup_trial_page(struct store *store, const char *id,
                          const json_t *argument, struct err *err)
{
    const struct sort *sort =
        find_sort(json_get_text(argument, "sort", "trial"), err);
    bool down = strcmp(json_get_text(argument, "order", "asc"), "desc") == 0;
    char candidate[32], least[32];
    const char *args[] = {id, json_get_text(argument, "kind", ""),
                          json_get_text(argument, "state", ""), candidate,
                          least};
    struct buf sql = BUF_INIT(SQL_BYTES), count = BUF_INIT(SQL_BYTES);
    json_t *rows = NULL, *counts = NULL, *answer = NULL;

    if (sort == NULL)
        return NULL;
    number_text(argument, "candidate", candidate);
    number_text(argument, "above", least);
    write_page_sql(sort, down, lookup_limit(argument), lookup_offset(argument),
                   &sql);
    buf_printf(&count, "SELECT count(*) AS total%s", page_where);
    if (buf_ok(&sql, "the query", err) && buf_ok(&count, "the query", err)) {
        rows = query_rows(store, sql.data, args, 5, err);
        if (rows != NULL)
            counts = query_rows(store, count.data, args, 5, err);
    }
    if (counts != NULL) {
        lookup_parse(rows, "instructions");
        lookup_parse(rows, "demos");
        lookup_parse(rows, "tuned");
        lookup_add_intervals(rows);
        answer = json_pack(
            "{s:I, s:O}", "total",
            (json_int_t)json_get_int(json_array_get(counts, 0), "total", 0),
            "trials", rows);
    }
    json_decref(rows);
    json_decref(counts);
    buf_release(&sql);
    buf_release(&count);
    return answer;
}

// --- scores over trials ---

// One point per trial, or, for a very large number of trials, two per bucket:
// the best trial on the most rows, and the best of the others. The baseline has
// its own point. The other values of a point come from the same trial: with a
// single max, SQLite takes bare columns from that row.
static const char curve_sql[] =
    "SELECT number AS trial, kind, max(score) AS score, low, high, baseline,"
    "  n, candidate_id AS candidate, count(*) AS trials"
    " FROM trials WHERE job_no = " JOB_NO " AND state = 'done'"
    " GROUP BY number / CAST(?2 AS INTEGER), CASE kind"
    "  WHEN 'baseline' THEN 2 WHEN 'full' THEN 1 ELSE 0 END"
    " ORDER BY trial";

static const char curve_size_sql[] =
    "SELECT coalesce(max(number), 0) AS last, count(*) AS trials,"
    " count(iif(state = 'done', 1, NULL)) AS done"
    " FROM trials WHERE job_no = " JOB_NO;

static bool is_on_most_rows(const json_t *point)
{
    const char *kind = json_get_text(point, "kind", "");

    return strcmp(kind, "baseline") == 0 || strcmp(kind, "full") == 0;
}

// Adds the best score up to each point. Only trials on the most rows count,
// since small samples win by luck.
static void add_best_so_far(json_t *points)
{
    double best = -1;

    for (size_t i = 0; i < json_array_size(points); i++) {
        json_t *point = json_array_get(points, i);
        double here =
            is_on_most_rows(point) ? json_get_number(point, "score", -1) : -1;

        best = here > best ? here : best;
        (void)json_object_set_new(point, "best",
                                  best < 0 ? json_null() : json_real(best));
    }
}

json_t *lookup_curve(struct store *store, const char *id,
                     const json_t *argument, struct err *err)
{
    json_t *size = lookup_only(
        lookup_rows(store, curve_size_sql, &(struct lookup_values){id}, err),
        "trial", err);
    int64_t last = json_get_int(size, "last", 0);
    int64_t bucket = 1 + last / CURVE_POINTS;
    json_t *points;

    (void)argument;
    if (size == NULL)
        return NULL;
    points =
        lookup_rows(store, curve_sql, &(struct lookup_values){id, bucket}, err);
    if (points == NULL) {
        json_decref(size);
        return NULL;
    }
    lookup_add_intervals(points);
    add_best_so_far(points);
    (void)json_object_set_new(size, "bucket", json_integer(bucket));
    (void)json_object_set_new(size, "points", points);
    return size;
}

// --- how much each choice matters ---

// A trial's weight is the number of rows it was scored on. What is explained is
// the gain over the baseline on the same rows, so that easy rows explain
// nothing. Trials are first summed up by candidate, since there are far fewer
// candidates.
static const char importance_sql[] =
    "WITH t AS MATERIALIZED (SELECT candidate_id, count(*) AS trials,"
    "  sum(n) AS w, sum(n * x) AS wx, sum(n * x * x) AS wxx"
    "  FROM (SELECT candidate_id, n, coalesce(score - baseline, score) AS x"
    "   FROM trials WHERE job_no = " JOB_NO " AND state = 'done' AND n > 0"
    "    AND score IS NOT NULL) GROUP BY candidate_id),"
    " k AS MATERIALIZED (SELECT DISTINCT o.key FROM candidates d,"
    "  json_each(d.tuned) o WHERE d.job_no = " JOB_NO "),"
    " v AS (SELECT p.position, p.step, 'instruction' AS part,"
    "   p.instruction_no AS value, t.* FROM t"
    "   JOIN candidate_parts p ON p.candidate_id = t.candidate_id"
    "  UNION ALL SELECT p.position, p.step, 'demos', p.demo_set_no, t.* FROM t"
    "   JOIN candidate_parts p ON p.candidate_id = t.candidate_id"
    "  UNION ALL SELECT 1000000, '', k.key,"
    "   coalesce((SELECT json_quote(o.value) FROM json_each(c.tuned) o"
    "    WHERE o.key = k.key), 'default'), t.* FROM k, t"
    "   JOIN candidates c ON c.id = t.candidate_id)"
    " SELECT step, part, value, sum(trials) AS trials, sum(w) AS w,"
    "  sum(wx) AS wx, sum(wxx) AS wxx"
    " FROM v GROUP BY position, step, part, value"
    " ORDER BY position, part DESC, sum(wx) / sum(w) DESC";

struct share {
    double w, wx, wxx, between;
    size_t values, trials;
};

// Returns epsilon squared: the share of the variance that the choice explains,
// minus what the same number of values would explain by chance. Returns 0 if
// there was no choice.
static double explained_share(const struct share *all)
{
    double mean = all->wx / all->w;
    double total = all->wxx - all->w * mean * mean;
    double between = all->between - all->w * mean * mean;
    double within = total - between;

    if (all->values < 2 || all->trials <= all->values || total <= 1e-12)
        return 0;
    double noise = within / (double)(all->trials - all->values);
    double share = (between - (double)(all->values - 1) * noise) / total;
    return share > 0 ? share : 0;
}

static bool same_part(const json_t *a, const json_t *b)
{
    return strcmp(json_get_text(a, "step", ""), json_get_text(b, "step", "")) ==
               0 &&
           strcmp(json_get_text(a, "part", ""), json_get_text(b, "part", "")) ==
               0;
}

static json_t *value_of(const json_t *row, double w, double wx)
{
    return json_pack("{s:O, s:I, s:f}", "value", json_object_get(row, "value"),
                     "trials", (json_int_t)json_get_int(row, "trials", 0),
                     "mean_gain", w > 0 ? wx / w : 0);
}

// Returns one choice: rows[*at] and the rows after it with the same part. Moves
// *at past them.
static json_t *importance_of(const json_t *rows, size_t *at)
{
    const json_t *first = json_array_get(rows, *at);
    struct share all = {0};
    json_t *values = json_array();

    for (; *at < json_array_size(rows); (*at)++) {
        const json_t *row = json_array_get(rows, *at);
        double w = json_get_number(row, "w", 0);
        double wx = json_get_number(row, "wx", 0);

        if (!same_part(first, row))
            break;
        all.w += w;
        all.wx += wx;
        all.wxx += json_get_number(row, "wxx", 0);
        all.between += w > 0 ? wx * wx / w : 0;
        all.trials += (size_t)json_get_int(row, "trials", 0);
        if (all.values++ < VALUES_SHOWN)
            (void)json_array_append_new(values, value_of(row, w, wx));
    }
    return json_pack("{s:s, s:s, s:I, s:f, s:o}", "step",
                     json_get_text(first, "step", ""), "part",
                     json_get_text(first, "part", ""), "choices",
                     (json_int_t)all.values, "importance",
                     explained_share(&all), "values", values);
}

json_t *lookup_importance(struct store *store, const char *id,
                          const json_t *argument, struct err *err)
{
    json_t *rows =
        lookup_rows(store, importance_sql, &(struct lookup_values){id}, err);
    json_t *answer = rows == NULL ? NULL : json_array();

    (void)argument;
    for (size_t at = 0; answer != NULL && at < json_array_size(rows);)
        (void)json_array_append_new(answer, importance_of(rows, &at));
    json_decref(rows);
    return answer;
}

// --- scores against the length of prompts ---

// For each candidate that was scored on the most rows, the average tokens per
// example: what production pays. The evaluations are read once, and only the
// calls of the best candidates and of the baseline. The baseline need not be
// the first trial, because other forms of answer may be tried before it.
static const char tokens_sql[] =
    "WITH t AS (SELECT candidate_id, number, score, low, high, baseline, n,"
    "  max(kind = 'baseline') OVER (PARTITION BY candidate_id) AS written,"
    "  row_number() OVER (PARTITION BY candidate_id ORDER BY n DESC, number)"
    "   AS turn"
    "  FROM trials WHERE job_no = " JOB_NO
    "  AND state = 'done' AND kind IN ('baseline', 'full')),"
    " c AS (SELECT * FROM t WHERE turn = 1"
    "  ORDER BY written DESC, coalesce(score - baseline, score) DESC, number"
    "  LIMIT CAST(?2 AS INTEGER)),"
    " u AS (SELECT e.candidate_id, count(DISTINCT e.id) AS examples,"
    "   sum(k.prompt_tokens) AS prompt, sum(k.generated_tokens) AS generated"
    "  FROM evaluations e, json_each(e.calls) i JOIN calls k ON k.id = i.value"
    "  WHERE e.job_no = " JOB_NO
    "   AND e.candidate_id IN (SELECT candidate_id FROM c)"
    "  GROUP BY e.candidate_id)"
    " SELECT c.number AS trial, c.candidate_id AS candidate, c.score, c.low,"
    "  c.high, CASE WHEN c.written THEN 'baseline' ELSE 'full' END AS kind,"
    "  c.baseline, c.n, 1.0 * u.prompt / u.examples AS prompt_tokens,"
    "  1.0 * u.generated / u.examples AS generated_tokens"
    " FROM c JOIN u ON u.candidate_id = c.candidate_id"
    " ORDER BY prompt_tokens, c.score DESC";

json_t *lookup_tokens(struct store *store, const char *id,
                      const json_t *argument, struct err *err)
{
    json_t *rows = lookup_rows(
        store, tokens_sql, &(struct lookup_values){id, TOKEN_CANDIDATES}, err);
    double best = -INFINITY;

    (void)argument;
    lookup_add_intervals(rows);
    // A candidate is on the front if it gains more than all shorter prompts.
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        double gain = json_get_number(row, "score", 0) -
                      json_get_number(row, "baseline", 0);

        (void)json_object_set_new(row, "front", json_boolean(gain > best));
        best = gain > best ? gain : best;
    }
    return rows;
}
