// How two candidates differ on the examples that both were scored on.

#include "store/lookup_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/stats.h"
#include "store/query.h"

enum { IDS_BYTES = 64 << 10, NUMBER_BYTES = 32 };

// ?2 and ?3 are the candidates, ?4 is the share, "" for all. A row belongs to
// "val" if its share is "val" or "train, val". Extra replicates, drawn to
// measure the noise, do not count, as in the job's own scores. `at` is the
// place of the pair when the job computes what it says about the two: an
// interval that is resampled depends on the seed and on the order of the
// scores.
static const char pairs_sql[] =
    "WITH e AS (SELECT candidate_id, row, avg(score) AS score, max(id) AS id"
    "  FROM evaluations WHERE job_no = " JOB_NO " AND replicate = 0"
    "  AND candidate_id IN (CAST(?2 AS INTEGER), CAST(?3 AS INTEGER))"
    "  GROUP BY candidate_id, row),"
    " s AS (SELECT i.value AS row, i.key AS place"
    "  FROM splits, json_each(row_numbers) i"
    "  WHERE job_no = " JOB_NO " AND splits.share = ?4)"
    " SELECT a.row, a.score AS a, b.score AS b, a.id AS a_id, b.id AS b_id,"
    "  row_number() OVER (ORDER BY s.place, a.row) - 1 AS at,"
    "  (SELECT seed FROM jobs WHERE id = ?1) AS seed FROM e a"
    " JOIN e b ON b.row = a.row AND b.candidate_id = CAST(?3 AS INTEGER)"
    " LEFT JOIN examples x ON x.job_no = " JOB_NO " AND x.row = a.row"
    " LEFT JOIN s ON s.row = a.row"
    " WHERE a.candidate_id = CAST(?2 AS INTEGER)"
    "  AND (coalesce(x.share, '') = '' OR instr(x.share, ?4) > 0)"
    " ORDER BY a.row";
static const char details_sql[] =
    "SELECT id AS evaluation, row, share, file, line, inputs, labels, answer,"
    " outcome, score, reason FROM v_evaluations"
    " WHERE job = ?1 AND id IN (SELECT value FROM json_each(?2))";

enum change { CHANGE_WON, CHANGE_LOST, CHANGE_SAME };
static const char *const change_names[] = {"won", "lost", "same"};

static enum change change_of(const json_t *pair)
{
    double a = json_get_number(pair, "a", 0), b = json_get_number(pair, "b", 0);

    if (b > a)
        return CHANGE_WON;
    return b < a ? CHANGE_LOST : CHANGE_SAME;
}

static bool is_shown(const json_t *pair, const char *show)
{
    enum change change = change_of(pair);

    if (strcmp(show, "changed") == 0)
        return change != CHANGE_SAME;
    return show[0] == '\0' || strcmp(show, change_names[change]) == 0;
}

struct versus {
    int64_t candidate_a, candidate_b;
    const char *share; // borrowed
    json_t *pairs;     // owned
    double *a, *b;     // their scores, in the order of `at`; owned
    size_t n, counts[3];
    uint64_t seed; // the job's
};

static bool read_pairs(struct store *store, const char *id, struct versus *out,
                       struct err *err)
{
    char a[NUMBER_BYTES], b[NUMBER_BYTES];
    const char *args[] = {id, a, b, out->share};

    (void)snprintf(a, sizeof a, "%" PRId64, out->candidate_a);
    (void)snprintf(b, sizeof b, "%" PRId64, out->candidate_b);
    out->pairs = query_rows(store, pairs_sql, args, 4, err);
    return out->pairs != NULL;
}

static bool read_scores(struct versus *out, struct err *err)
{
    out->n = json_array_size(out->pairs);
    out->seed =
        (uint64_t)json_get_int(json_array_get(out->pairs, 0), "seed", 0);
    out->a = calloc(out->n + 1, sizeof *out->a);
    out->b = calloc(out->n + 1, sizeof *out->b);
    if (out->a == NULL || out->b == NULL) {
        err_nomem(err, "a comparison");
        return false;
    }
    for (size_t i = 0; i < out->n; i++) {
        const json_t *pair = json_array_get(out->pairs, i);
        int64_t at = json_get_int(pair, "at", 0);

        out->a[at] = json_get_number(pair, "a", 0);
        out->b[at] = json_get_number(pair, "b", 0);
        out->counts[change_of(pair)]++;
    }
    return true;
}

static void release_versus(struct versus *versus)
{
    json_decref(versus->pairs);
    free(versus->a);
    free(versus->b);
}

static json_t *side_json(const struct versus *versus, int64_t candidate,
                         const double *scores)
{
    struct interval sure = stats_interval(scores, versus->n, versus->seed);

    return json_pack("{s:I, s:f, s:f, s:f}", "candidate", (json_int_t)candidate,
                     "score", stats_mean(scores, versus->n), "low", sure.low,
                     "high", sure.high);
}

// Returns the pairs of the page, and the ids of their evaluations as a JSON
// list.
static json_t *page_of(const struct versus *versus, const json_t *argument,
                       size_t *total, struct buf *ids)
{
    const char *show = json_get_text(argument, "show", "");
    size_t offset = (size_t)lookup_offset(argument);
    size_t limit = (size_t)lookup_limit(argument);
    json_t *page = json_array();

    buf_puts(ids, "[0");
    for (size_t i = 0; i < json_array_size(versus->pairs); i++) {
        json_t *pair = json_array_get(versus->pairs, i);

        if (!is_shown(pair, show))
            continue;
        if (*total >= offset && *total < offset + limit) {
            (void)json_array_append(page, pair);
            buf_printf(ids, ",%" PRId64 ",%" PRId64,
                       json_get_int(pair, "a_id", 0),
                       json_get_int(pair, "b_id", 0));
        }
        (*total)++;
    }
    buf_puts(ids, "]");
    return page;
}

static json_t *find_detail(const json_t *details, int64_t id)
{
    for (size_t i = 0; i < json_array_size(details); i++) {
        json_t *detail = json_array_get(details, i);

        if (json_get_int(detail, "evaluation", 0) == id)
            return detail;
    }
    return NULL;
}

static json_t *row_side_json(const json_t *detail)
{
    static const char *const keys[] = {"evaluation", "score", "outcome",
                                       "answer", "reason"};
    json_t *side = json_object();

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        (void)json_object_set(side, keys[i], json_object_get(detail, keys[i]));
    return side;
}

// Returns an example with the results of both candidates.
static json_t *example_json(const json_t *pair, const json_t *details)
{
    static const char *const keys[] = {"row",  "share",  "file",
                                       "line", "inputs", "labels"};
    json_t *a = find_detail(details, json_get_int(pair, "a_id", 0));
    json_t *b = find_detail(details, json_get_int(pair, "b_id", 0));
    json_t *example = json_object();

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        (void)json_object_set(example, keys[i], json_object_get(a, keys[i]));
    (void)json_object_set_new(example, "change",
                              json_string(change_names[change_of(pair)]));
    (void)json_object_set_new(example, "a", row_side_json(a));
    (void)json_object_set_new(example, "b", row_side_json(b));
    return example;
}

static json_t *read_details(struct store *store, const char *id,
                            const struct buf *ids, struct err *err)
{
    const char *args[] = {id, ids->data};
    json_t *details = buf_ok(ids, "the page", err)
                          ? query_rows(store, details_sql, args, 2, err)
                          : NULL;

    lookup_parse(details, "inputs");
    lookup_parse(details, "labels");
    return details;
}

static json_t *compare_json(struct store *store, const char *id,
                            const json_t *argument, const struct versus *versus,
                            struct err *err)
{
    struct buf ids = BUF_INIT(IDS_BYTES);
    size_t total = 0;
    json_t *page = page_of(versus, argument, &total, &ids);
    json_t *details = read_details(store, id, &ids, err);
    json_t *rows = details == NULL ? NULL : json_array();
    json_t *answer = NULL;

    for (size_t i = 0; rows != NULL && i < json_array_size(page); i++)
        (void)json_array_append_new(
            rows, example_json(json_array_get(page, i), details));
    if (rows != NULL)
        answer = json_pack(
            "{s:s, s:I, s:o, s:o, s:f, s:I, s:I, s:I, s:I, s:o}", "share",
            versus->share[0] == '\0' ? "all" : versus->share, "n",
            (json_int_t)versus->n, "a",
            side_json(versus, versus->candidate_a, versus->a), "b",
            side_json(versus, versus->candidate_b, versus->b), "p_value",
            stats_paired(versus->a, versus->b, versus->n, versus->seed), "won",
            (json_int_t)versus->counts[CHANGE_WON], "lost",
            (json_int_t)versus->counts[CHANGE_LOST], "same",
            (json_int_t)versus->counts[CHANGE_SAME], "total", (json_int_t)total,
            "examples", rows);
    json_decref(page);
    json_decref(details);
    buf_release(&ids);
    return answer;
}

json_t *lookup_compare(struct store *store, const char *id,
                       const json_t *argument, struct err *err)
{
    struct versus versus = {.share = lookup_share(argument, "val")};
    json_t *answer = NULL;

    if (lookup_two_candidates(store, id, argument, &versus.candidate_a,
                              &versus.candidate_b, err) &&
        read_pairs(store, id, &versus, err) && read_scores(&versus, err))
        answer = compare_json(store, id, argument, &versus, err);
    release_versus(&versus);
    return answer;
}
