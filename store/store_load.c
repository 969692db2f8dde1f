#include "store/store_load.h"

#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "store/parts.h"
#include "store/row_scan.h"
#include "store/row_value.h"
#include "store/split_scan.h"

// The calls of one half of the scan.
struct calls_read {
    struct store *store;
    struct call_index *index;
};

// A damaged file can return rows whose ids do not rise, or that have no key.
static bool is_call(const struct call_index *index, int64_t id, const void *key,
                    size_t key_len)
{
    return id > (int64_t)index->last_id && id < (int64_t)UINT32_MAX &&
           key != NULL && key_len == HASH_BYTES;
}

static bool take_call(void *user, const struct row_value *values,
                      struct err *err)
{
    const struct calls_read *read = user;
    const struct store *store = read->store;
    struct hash key = {{0}};
    size_t key_len = 0;
    const void *bytes = row_value_bytes(&values[1], &key_len);
    const struct call_ref ref = {
        .id = row_value_int(&values[0]),
        .outcome = (enum call_outcome)row_value_int(&values[2]),
        .prompt_tokens = (int32_t)row_value_int(&values[3]),
        .generated_tokens = (int32_t)row_value_int(&values[4]),
    };

    if (!is_call(read->index, ref.id, bytes, key_len)) {
        sql_fail(err, store->reader, SQLITE_CORRUPT, store->path, "read");
        return false;
    }
    memcpy(key.bytes, bytes, HASH_BYTES);
    return call_index_append(read->index, &key, &ref, err);
}

static bool load_calls(struct store *store, struct err *err)
{
    struct call_index later = CALL_INDEX_INIT;
    struct calls_read halves[2] = {{store, &store->calls}, {store, &later}};
    struct row_scan scans[2] = {
        {.table = "calls", .take = take_call, .user = &halves[0]},
        {.table = "calls", .take = take_call, .user = &halves[1]}};
    bool ok =
        split_scan_run(store,
                       "SELECT 1 FROM calls WHERE id > :after AND id <= :up_to"
                       " AND row_scan(:scan, id, sum, id, key, outcome,"
                       "  prompt_tokens, generated_tokens) ORDER BY id",
                       0, scans, err) &&
        call_index_append_all(&store->calls, &later, err) &&
        call_index_build(&store->calls, err);

    call_index_release(&later);
    return ok;
}

// An id is never given twice: exclusions, sums and evaluations of other jobs
// name calls by it. So the ids of removed calls count too (remove.c).
static bool find_next_call(struct store *store, struct err *err)
{
    int64_t last = 0;
    bool ok = sql_number(store->reader, store->path,
                         "SELECT CAST(value AS INTEGER) FROM meta"
                         " WHERE key = 'last_call'",
                         &last, err);

    if (last < (int64_t)store->calls.last_id)
        last = (int64_t)store->calls.last_id;
    store->next_call_id = last + 1;
    return ok;
}

// Compares the calls with the sums in `costs`, which tell how many there were.
static bool log_missing_calls(struct store *store, struct err *err)
{
    int64_t there = 0;
    int64_t gone = 0;
    bool ok =
        sql_number(store->reader, store->path,
                   "SELECT coalesce(sum(calls), 0) FROM costs", &there, err) &&
        sql_number(store->reader, store->path,
                   "SELECT coalesce(max(last_call), 0) FROM costs", &gone, err);

    gone = there - (int64_t)call_index_up_to(&store->calls, gone);
    if (ok && gone > 0)
        log_warn("calls-missing",
                 "%" PRId64 " answers are no longer in %s: it was damaged or "
                 "changed; those that are needed are asked again",
                 gone, store->path);
    return ok;
}

static bool add_cost(struct store *store, sqlite3_stmt *stmt, struct err *err)
{
    const struct call_answer answer = {
        .prompt_tokens = sqlite3_column_int(stmt, 2),
        .cached_tokens = sqlite3_column_int(stmt, 3),
        .generated_tokens = sqlite3_column_int(stmt, 4),
        .total_us = sqlite3_column_int64(stmt, 6),
    };
    const char *worker = (const char *)sqlite3_column_text(stmt, 7);
    const struct cost_call call = {
        .of = {.job_no = sqlite3_column_int64(stmt, 0),
               .kind_id = sqlite3_column_int64(stmt, 1),
               .worker = worker == NULL ? "" : worker},
        .answer = &answer,
        .hedged = sqlite3_column_int(stmt, 5) != 0,
    };

    if (!costs_reserve(&store->costs, call.of.worker, err))
        return false;
    costs_add(&store->costs, &call);
    return true;
}

// Adds up the calls that an earlier process did not get to.
static bool load_costs(struct store *store, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = store_read(
        store, &read,
        "SELECT job_no, kind_id, prompt_tokens, cached_tokens,"
        " generated_tokens, hedged, total_us, worker FROM calls"
        " WHERE id > (SELECT coalesce(max(last_call), 0) FROM costs)",
        "add up the calls of", err);

    while (ok && sql_read_next(&read, err))
        ok = add_cost(store, read.stmt, err);
    ok = ok && !read.failed;
    sql_read_close(&read);
    return ok;
}

bool store_load(struct store *store, struct err *err)
{
    return load_calls(store, err) && find_next_call(store, err) &&
           log_missing_calls(store, err) && load_costs(store, err) &&
           text_index_load(&store->prefixes, store,
                           "SELECT id, hash FROM prefixes ORDER BY id", err) &&
           text_index_load(&store->call_kinds, store,
                           "SELECT id, hash FROM call_kinds ORDER BY id",
                           err) &&
           text_index_load(&store->instructions, store,
                           "SELECT id, hash FROM instructions ORDER BY id",
                           err) &&
           text_index_load(&store->demo_sets, store,
                           "SELECT id, hash FROM demo_sets ORDER BY id", err) &&
           sql_number(store->reader, store->path,
                      "SELECT coalesce(max(id), 0) + 1 FROM questions",
                      &store->questions.next_id, err) &&
           sql_number(store->reader, store->path,
                      "SELECT coalesce(max(id), 0) + 1 FROM candidates",
                      &store->next_candidate_id, err) &&
           sql_number(store->reader, store->path,
                      "SELECT coalesce(max(no), 0) + 1 FROM jobs",
                      &store->next_job_no, err);
}
