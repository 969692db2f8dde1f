#include "web/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/call.h"
#include "common/json.h"
#include "store/query.h"
#include "web/parts.h"

enum {
    SERIES_MOST = 64, // roles times outcomes
    ROLE_BYTES = 32,
    BUCKETS = 11,
    CALLS_AT_ONCE = 500000, // read by one statement
};

// Upper ends of the buckets of promptcc_call_duration_seconds.
static const double bucket_s[BUCKETS] = {0.1, 0.25, 0.5, 1,   2.5, 5,
                                         10,  30,   60,  120, 300};

enum metric_id {
    METRIC_UP,
    METRIC_BUILD_INFO,
    METRIC_TASKS_PENDING,
    METRIC_LEASES,
    METRIC_SLOTS,
    METRIC_UTILIZATION,
    METRIC_WORKERS,
    METRIC_JOBS_RUNNING,
    METRIC_JOB_TRIALS,
    METRIC_JOB_BEST_SCORE,
    METRIC_JOB_PROGRESS,
    METRIC_JOB_LEFT,
    METRIC_CALLS,
    METRIC_DURATION,
    METRIC_TOKENS,
    METRIC_REUSE,
    METRIC_SENT,
    METRIC_FAULTS,
    METRIC_HEDGED,
    METRIC_SWAPS,
    METRIC_PARKED,
    METRIC_TURN,
    METRIC_COUNT
};

static const struct metric_about metric_rows[METRIC_COUNT] = {
    [METRIC_UP] = {"up", "", "gauge", "1 when the coordinator's loop answers"},
    [METRIC_BUILD_INFO] = {"build_info", "version", "gauge",
                           "always 1; its label says the version of promptcc"},
    [METRIC_TASKS_PENDING] = {"tasks_pending", "", "gauge",
                              "calls that wait for a worker"},
    [METRIC_LEASES] = {"leases", "", "gauge", "calls that are with a worker"},
    [METRIC_SLOTS] = {"slots", "", "gauge",
                      "calls that all workers can work on at once"},
    [METRIC_UTILIZATION] = {"utilization_ratio", "", "gauge",
                            "the share of the slots that have a call"},
    [METRIC_WORKERS] = {"workers", "state", "gauge",
                        "workers that have joined, by state: serving, resting "
                        "after faults, draining, silent"},
    [METRIC_JOBS_RUNNING] = {"jobs_running", "", "gauge", "jobs that run now"},
    [METRIC_JOB_TRIALS] =
        {"job_trials", "job", "gauge",
         "the highest trial of a running job that has ended; lower "
         "again while the job is replayed after a pause"},
    [METRIC_JOB_BEST_SCORE] =
        {"job_best_score", "job", "gauge",
         "the best score of a running job so far, 0 to 1"},
    [METRIC_JOB_PROGRESS] = {"job_progress_ratio", "job", "gauge",
                             "progress of a running job, 0 to 1; absent while "
                             "it is unknown"},
    [METRIC_JOB_LEFT] = {"job_left_seconds", "job", "gauge",
                         "about how much longer a running job takes; absent "
                         "while it is unknown"},
    [METRIC_CALLS] = {"calls_total", "role,outcome", "counter",
                      "answers that are in the store"},
    [METRIC_DURATION] = {"call_duration_seconds", "", "histogram",
                         "how long calls took, as their workers measured"},
    [METRIC_TOKENS] =
        {"tokens_total", "type", "counter",
         "tokens of all answers: prompt, generated, and cached, which are "
         "prompt tokens that the server did not have to process again"},
    [METRIC_REUSE] =
        {"prefix_reuse_ratio", "", "gauge",
         "the share of prompt tokens that servers reused, where they say so"},
    [METRIC_SENT] = {"calls_sent_total", "", "counter",
                     "calls sent to workers since the start, copies included"},
    [METRIC_FAULTS] = {"faults_total", "", "counter",
                       "calls that came back with a fault since the start"},
    [METRIC_HEDGED] = {"calls_hedged_total", "", "counter",
                       "second copies of slow calls since the start"},
    [METRIC_SWAPS] =
        {"model_swaps_total", "", "counter",
         "calls of another model than the worker's last, since the start"},
    [METRIC_PARKED] = {"calls_parked", "", "gauge",
                       "calls that were given up after faults"},
    [METRIC_TURN] =
        {"loop_longest_turn_seconds", "", "gauge",
         "the longest turn of the coordinator's loop since the start"},
};

const struct metric_about *metrics_about(size_t *n)
{
    *n = METRIC_COUNT;
    return metric_rows;
}

struct series {
    char role[ROLE_BYTES];
    int64_t outcome;
    int64_t calls, hedged, prompt, cached, generated, prompt_known, us;
    int64_t buckets[BUCKETS];
};

struct metrics {
    pthread_mutex_t lock; // guards all that follows
    int64_t last_call;    // the last call that was added up
    struct series series[SERIES_MOST];
    size_t n_series;
};

struct metrics *metrics_new(struct err *err)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);

    if (metrics == NULL)
        err_nomem(err, "the metrics");
    else
        pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

// --- adding up ---

static struct series *series_of(struct metrics *metrics, const char *role,
                                int64_t outcome)
{
    struct series *series = metrics->series;
    size_t i = 0;

    while (i < metrics->n_series &&
           (series[i].outcome != outcome || strcmp(series[i].role, role) != 0))
        i++;
    if (i == SERIES_MOST)
        return NULL;
    if (i == metrics->n_series) {
        metrics->n_series++;
        (void)snprintf(series[i].role, ROLE_BYTES, "%s", role);
        series[i].outcome = outcome;
    }
    return &series[i];
}

static void add_row(struct metrics *metrics, const json_t *row)
{
    struct series *s = series_of(metrics, json_get_text(row, "role", ""),
                                 json_get_int(row, "outcome", 0));

    if (s == NULL)
        return;
    s->calls += json_get_int(row, "calls", 0);
    s->hedged += json_get_int(row, "hedged", 0);
    s->prompt += json_get_int(row, "prompt", 0);
    s->prompt_known += json_get_int(row, "prompt_known", 0);
    s->cached += json_get_int(row, "cached", 0);
    s->generated += json_get_int(row, "generated", 0);
    s->us += json_get_int(row, "us", 0);
    for (size_t i = 0; i < BUCKETS; i++) {
        char name[8];

        (void)snprintf(name, sizeof name, "b%zu", i);
        s->buckets[i] += json_get_int(row, name, 0);
    }
}

static void write_sql(struct buf *out)
{
    buf_puts(out, "SELECT k.role, c.outcome, count(*) AS calls,"
                  " sum(c.hedged) AS hedged, sum(c.prompt_tokens) AS prompt,"
                  " sum(iif(c.cached_tokens < 0, 0, c.prompt_tokens))"
                  " AS prompt_known,"
                  " sum(max(c.cached_tokens, 0)) AS cached,"
                  " sum(c.generated_tokens) AS generated,"
                  " sum(c.total_us) AS us");
    for (size_t i = 0; i < BUCKETS; i++)
        buf_printf(out, ", count(iif(c.total_us <= %.0f, 1, NULL)) AS b%zu",
                   bucket_s[i] * 1e6, i);
    buf_puts(out, " FROM calls c JOIN call_kinds k ON k.id = c.kind_id"
                  " WHERE c.id > CAST(?1 AS INTEGER)"
                  " AND c.id <= CAST(?2 AS INTEGER)"
                  " GROUP BY k.role, c.outcome");
}

// Adds up the calls since the last time, up to this one.
static bool add_piece(struct metrics *metrics, struct store *store,
                      const char *sql, int64_t up_to)
{
    struct err ignored = ERR_CLEAR;
    char after[32], last[32];
    const char *args[] = {after, last};
    json_t *rows;

    (void)snprintf(after, sizeof after, "%" PRId64, metrics->last_call);
    (void)snprintf(last, sizeof last, "%" PRId64, up_to);
    rows = query_rows(store, sql, args, 2, &ignored);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < json_array_size(rows); i++)
        add_row(metrics, json_array_get(rows, i));
    json_decref(rows);
    metrics->last_call = up_to;
    return true;
}

static int64_t last_call_of(struct store *store)
{
    struct err ignored = ERR_CLEAR;
    json_t *rows =
        query_rows(store, "SELECT coalesce(max(id), 0) AS last FROM calls",
                   NULL, 0, &ignored);
    int64_t last = json_get_int(json_array_get(rows, 0), "last", 0);

    json_decref(rows);
    return last;
}

// Adds up to the last call that exists now. Ids only grow, and calls that come
// meanwhile are left for the next time.
static void add_up(struct metrics *metrics, struct store *store)
{
    int64_t last = last_call_of(store);
    struct buf sql = BUF_INIT(8192);
    bool ok = true;

    write_sql(&sql);
    while (ok && sql.data != NULL && metrics->last_call < last) {
        int64_t up_to = metrics->last_call + CALLS_AT_ONCE;

        ok = add_piece(metrics, store, sql.data, up_to < last ? up_to : last);
    }
    buf_release(&sql);
}

// --- writing ---

static void put_head(struct buf *out, enum metric_id id)
{
    const struct metric_about *one = &metric_rows[id];

    buf_printf(out, "# HELP promptcc_%s %s\n# TYPE promptcc_%s %s\n", one->name,
               one->help, one->name, one->type);
}

static void put_label(struct buf *out, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\\' || *c == '"')
            buf_putc(out, '\\');
        if (*c == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, *c);
    }
}

static void put_number(struct buf *out, enum metric_id id, double value)
{
    put_head(out, id);
    buf_printf(out, "promptcc_%s %.17g\n", metric_rows[id].name, value);
}

static void put_calls(const struct metrics *metrics, struct buf *out)
{
    put_head(out, METRIC_CALLS);
    for (size_t i = 0; i < metrics->n_series; i++) {
        const struct series *s = &metrics->series[i];

        buf_puts(out, "promptcc_calls_total{role=\"");
        put_label(out, s->role);
        buf_printf(out, "\",outcome=\"%s\"} %" PRId64 "\n",
                   call_outcome_name((enum call_outcome)s->outcome), s->calls);
    }
}

static void put_durations(const struct metrics *metrics, struct buf *out)
{
    struct series all = {0};

    for (size_t i = 0; i < metrics->n_series; i++) {
        all.calls += metrics->series[i].calls;
        all.us += metrics->series[i].us;
        for (size_t b = 0; b < BUCKETS; b++)
            all.buckets[b] += metrics->series[i].buckets[b];
    }
    put_head(out, METRIC_DURATION);
    for (size_t b = 0; b < BUCKETS; b++)
        buf_printf(out,
                   "promptcc_call_duration_seconds_bucket{le=\"%g\"} %" PRId64
                   "\n",
                   bucket_s[b], all.buckets[b]);
    buf_printf(out,
               "promptcc_call_duration_seconds_bucket{le=\"+Inf\"} %" PRId64
               "\npromptcc_call_duration_seconds_sum %.6f\n"
               "promptcc_call_duration_seconds_count %" PRId64 "\n",
               all.calls, (double)all.us / 1e6, all.calls);
}

static void put_tokens(const struct metrics *metrics, struct buf *out)
{
    int64_t prompt = 0, known = 0, cached = 0, generated = 0;

    for (size_t i = 0; i < metrics->n_series; i++) {
        prompt += metrics->series[i].prompt;
        known += metrics->series[i].prompt_known;
        cached += metrics->series[i].cached;
        generated += metrics->series[i].generated;
    }
    put_head(out, METRIC_TOKENS);
    buf_printf(out,
               "promptcc_tokens_total{type=\"prompt\"} %" PRId64 "\n"
               "promptcc_tokens_total{type=\"cached\"} %" PRId64 "\n"
               "promptcc_tokens_total{type=\"generated\"} %" PRId64 "\n",
               prompt, cached, generated);
    if (known > 0)
        put_number(out, METRIC_REUSE, (double)cached / (double)known);
}

static void put_workers(const json_t *status, struct buf *out)
{
    const json_t *workers = json_object_get(status, "workers");
    void *at = json_object_iter((json_t *)workers);

    put_head(out, METRIC_WORKERS);
    for (; at != NULL; at = json_object_iter_next((json_t *)workers, at))
        buf_printf(out, "promptcc_workers{state=\"%s\"} %" PRId64 "\n",
                   json_object_iter_key(at),
                   (int64_t)json_integer_value(json_object_iter_value(at)));
}

// What is reported for each running job: a member of its status, which is null
// or below 0 while it is not known.
static const struct job_gauge {
    enum metric_id id;
    const char *member;
    double per_unit; // how many of the member's units make one of the gauge's
} job_gauges[] = {
    {METRIC_JOB_TRIALS, "trial", 1},
    {METRIC_JOB_PROGRESS, "share", 1},
    {METRIC_JOB_LEFT, "left_ms", 1000},
    {METRIC_JOB_BEST_SCORE, "best", 1},
};

static void put_job_gauge(const struct job_gauge *gauge, const json_t *jobs,
                          struct buf *out)
{
    put_head(out, gauge->id);
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        double value = json_get_number(job, gauge->member, -1);

        if (value < 0)
            continue;
        buf_printf(out, "promptcc_%s{job=\"", metric_rows[gauge->id].name);
        put_label(out, json_get_text(job, "job", ""));
        buf_printf(out, "\"} %.17g\n", value / gauge->per_unit);
    }
}

static void put_jobs(const json_t *status, struct buf *out)
{
    const json_t *jobs = json_object_get(status, "jobs");

    put_number(out, METRIC_JOBS_RUNNING, (double)json_array_size(jobs));
    for (size_t i = 0; i < sizeof job_gauges / sizeof *job_gauges; i++)
        put_job_gauge(&job_gauges[i], jobs, out);
}

static void put_status(const json_t *status, struct buf *out)
{
    const json_t *calls = json_object_get(status, "calls");
    double leased = json_get_number(calls, "leased", 0);
    double slots = json_get_number(status, "slots", 0);

    put_workers(status, out);
    put_jobs(status, out);
    put_number(out, METRIC_TASKS_PENDING,
               json_get_number(calls, "queued", 0) +
                   json_get_number(calls, "waiting", 0));
    put_number(out, METRIC_LEASES, leased);
    put_number(out, METRIC_SLOTS, slots);
    put_number(out, METRIC_UTILIZATION,
               slots <= 0       ? 0
               : leased < slots ? leased / slots
                                : 1);
    put_number(out, METRIC_PARKED, json_get_number(calls, "parked", 0));
    put_number(out, METRIC_SENT, json_get_number(calls, "sent", 0));
    put_number(out, METRIC_FAULTS, json_get_number(calls, "faults", 0));
    put_number(out, METRIC_HEDGED, json_get_number(calls, "hedged", 0));
    put_number(out, METRIC_SWAPS, json_get_number(calls, "model_swaps", 0));
    put_number(out, METRIC_TURN,
               json_get_number(status, "longest_turn_ms", 0) / 1000);
}

void metrics_write(struct metrics *metrics, const struct web_commands *commands,
                   struct readers *readers, struct buf *out)
{
    struct err ignored = ERR_CLEAR;
    json_t *status = web_ask(commands, "status", "", "", &ignored);
    struct store *store = readers_take(readers, &ignored);

    put_head(out, METRIC_BUILD_INFO);
    buf_printf(out, "promptcc_build_info{version=\"%s\"} 1\n",
               PROMPTCC_VERSION);
    put_number(out, METRIC_UP, status != NULL);
    pthread_mutex_lock(&metrics->lock);
    if (store != NULL) {
        add_up(metrics, store);
        readers_give(readers, store);
    }
    put_calls(metrics, out);
    put_durations(metrics, out);
    put_tokens(metrics, out);
    pthread_mutex_unlock(&metrics->lock);
    if (status != NULL)
        put_status(status, out);
    json_decref(status);
}
