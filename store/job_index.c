#include "store/parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/split_scan.h"

enum { SQL_BYTES = 256 };

static void free_one(struct job_index *job)
{
    text_index_release(&job->candidates);
    key_index_release(&job->trial_numbers);
    free(job->trials);
    evaluation_index_release(&job->evaluations);
    free(job);
}

void job_index_free_all(struct store *store)
{
    while (store->jobs != NULL) {
        struct job_index *job = store->jobs;
        store->jobs = job->next;
        free_one(job);
    }
}

// Opens a read whose only argument is the job's number.
static bool open_read(struct store *store, int64_t job_no,
                      struct sql_read *read, const char *sql, struct err *err)
{
    if (!store_read(store, read, sql, "read the history of", err))
        return false;
    (void)sqlite3_bind_int64(read->stmt, 1, job_no);
    return true;
}

static bool load_candidates(struct store *store, struct job_index *job,
                            struct err *err)
{
    char sql[SQL_BYTES];

    (void)snprintf(sql, sizeof sql,
                   "SELECT id, hash FROM candidates WHERE job_no = %" PRId64
                   " ORDER BY id",
                   job->job_no);
    return text_index_load(&job->candidates, store, sql, err);
}

// Copies a text column, possibly cut: only words that we never write ourselves
// are too long.
static void copy_word(char out[16], sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    (void)snprintf(out, 16, "%s", text != NULL ? text : "");
}

static void read_trial(sqlite3_stmt *stmt, struct trial_entry *trial)
{
    const void *rows = sqlite3_column_blob(stmt, 3);

    *trial = (struct trial_entry){
        .candidate_id = sqlite3_column_int64(stmt, 2),
        .score = sqlite3_column_type(stmt, 5) == SQLITE_NULL
                     ? (double)NAN
                     : sqlite3_column_double(stmt, 5),
        .n = sqlite3_column_int64(stmt, 6),
        .calls = sqlite3_column_int64(stmt, 7),
        .tokens = sqlite3_column_int64(stmt, 8),
    };
    copy_word(trial->kind, stmt, 1);
    copy_word(trial->state, stmt, 4);
    if (rows != NULL && sqlite3_column_bytes(stmt, 3) == HASH_BYTES)
        memcpy(trial->rows.bytes, rows, HASH_BYTES);
}

static bool load_trials(struct store *store, struct job_index *job,
                        struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!open_read(store, job->job_no, &read,
                   "SELECT number, kind, candidate_id, rows_hash, state, score,"
                   " n, calls, tokens FROM trials WHERE job_no = ?1"
                   " ORDER BY number",
                   err))
        goto out;
    while (sql_read_next(&read, err)) {
        struct hash key = key_of(sqlite3_column_int64(read.stmt, 0), 0);

        if (!job_index_reserve_trial(job, err))
            goto out;
        read_trial(read.stmt,
                   &job->trials[key_index_add(&job->trial_numbers, &key)]);
    }
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

bool job_index_reserve_trial(struct job_index *job, struct err *err)
{
    void *trials = job->trials;

    if (!slots_array_reserve(&trials, &job->trials_cap,
                             job->trial_numbers.slots.n, sizeof *job->trials,
                             err))
        return false;
    job->trials = trials;
    return key_index_reserve(&job->trial_numbers, err);
}

static struct trial_entry *find_trial(struct job_index *job, int64_t number)
{
    struct hash key = key_of(number, 0);
    size_t at = 0;

    return key_index_find(&job->trial_numbers, &key, &at) ? &job->trials[at]
                                                          : NULL;
}

struct trial_entry *job_index_trial(struct job_index *job, int64_t number)
{
    struct trial_entry *trial = find_trial(job, number);

    return trial == NULL || trial->state[0] == '\0' ? NULL : trial;
}

void job_index_forget_trials(struct job_index *job, int64_t number)
{
    struct trial_entry *trial;

    while ((trial = find_trial(job, number++)) != NULL)
        trial->state[0] = '\0';
}

struct trial_entry *job_index_add_trial(struct job_index *job, int64_t number)
{
    struct trial_entry *trial = find_trial(job, number);
    struct hash key = key_of(number, 0);

    return trial != NULL
               ? trial
               : &job->trials[key_index_add(&job->trial_numbers, &key)];
}

// Reads "[12,13]", as put_calls of history_evaluations.c writes it. Anything
// but digits separates numbers, and numbers that cannot be ids are skipped.
static int32_t parse_calls(const char *text, size_t len, int64_t *calls)
{
    const char *end = text + len;
    int32_t n = 0;

    while (text < end && n < EVALUATION_MAX_CALLS) {
        int64_t id = 0;
        const char *first = text;

        while (text < end && *text >= '0' && *text <= '9' &&
               id < (int64_t)UINT32_MAX)
            id = id * 10 + (*text++ - '0');
        if (text == first)
            text++;
        else if (id < (int64_t)UINT32_MAX)
            calls[n++] = id;
    }
    return n;
}

static void read_evaluation(const struct row_value *values,
                            struct history_evaluation *out)
{
    size_t len = 0;
    const char *calls = row_value_bytes(&values[8], &len);

    out->candidate_id = row_value_int(&values[1]);
    out->row = (int32_t)row_value_int(&values[2]);
    out->replicate = (int32_t)row_value_int(&values[3]);
    out->outcome = (int32_t)row_value_int(&values[4]);
    out->repairs = (int32_t)row_value_int(&values[5]);
    out->lenient = (uint32_t)row_value_int(&values[6]);
    out->score = values[7].type == SQLITE_NULL ? (double)NAN
                                               : row_value_real(&values[7]);
    out->p_right =
        values[9].type == SQLITE_NULL ? -1 : (float)row_value_real(&values[9]);
    out->judge_noise = -1; // not read
    out->n_calls = calls == NULL ? 0 : parse_calls(calls, len, out->calls);
}

static bool take_evaluation(void *user, const struct row_value *values,
                            struct err *err)
{
    struct evaluation_index *index = user;
    struct history_evaluation one;

    read_evaluation(values, &one);
    if (!evaluation_index_takes(one.candidate_id))
        return true;
    if (!evaluation_index_reserve(index, &one, err))
        return false;
    evaluation_index_add(index, &one);
    return true;
}

// Reads the rows of other jobs too, at 0.3 us each; an index would cost every
// row more than that.
static bool load_evaluations(struct store *store, struct job_index *job,
                             struct err *err)
{
    struct evaluation_index later = EVALUATION_INDEX_INIT;
    struct row_scan scans[2] = {
        {.table = "evaluations",
         .take = take_evaluation,
         .user = &job->evaluations},
        {.table = "evaluations", .take = take_evaluation, .user = &later}};
    bool ok =
        split_scan_run(store,
                       "SELECT 1 FROM evaluations WHERE id > :after AND"
                       " id <= :up_to AND job_no = :job AND"
                       " row_scan(:scan, id, sum, job_no, candidate_id, row,"
                       "  replicate, outcome, repairs, lenient, score, calls,"
                       "  p_right)",
                       job->job_no, scans, err) &&
        evaluation_index_add_all(&job->evaluations, &later, err);

    evaluation_index_release(&later);
    return ok;
}

static struct job_index *find_loaded(struct store *store, int64_t job_no)
{
    struct job_index *job = store->jobs;

    while (job != NULL && job->job_no != job_no)
        job = job->next;
    return job;
}

static struct job_index *load_index(struct store *store, int64_t job_no,
                                    struct err *err)
{
    struct job_index *job = calloc(1, sizeof *job);

    if (job == NULL) {
        err_nomem(err, "the history of a job");
        return NULL;
    }
    job->job_no = job_no;
    if (load_candidates(store, job, err) && load_trials(store, job, err) &&
        load_evaluations(store, job, err))
        return job;
    free_one(job);
    return NULL;
}

static void add_index(struct store *store, struct job_index *job)
{
    job->next = store->jobs;
    store->jobs = job;
}

struct job_index *job_index_get(struct store *store, int64_t job_no,
                                struct err *err)
{
    struct job_index *job = find_loaded(store, job_no);

    if (job != NULL)
        return job;
    if (!store_flush(store, err))
        return NULL;
    job = load_index(store, job_no, err);
    if (job != NULL)
        add_index(store, job);
    return job;
}

void history_unload_job(struct store *store, int64_t job_no)
{
    struct job_index **link = &store->jobs;

    while (*link != NULL && (*link)->job_no != job_no)
        link = &(*link)->next;
    if (*link != NULL && --(*link)->users <= 0) {
        struct job_index *job = *link;
        *link = job->next;
        free_one(job);
    }
}

struct job_index *history_read_job(struct store *reader, int64_t job_no,
                                   struct err *err)
{
    return load_index(reader, job_no, err);
}

void history_adopt_job(struct store *store, struct job_index *index)
{
    struct job_index *known = find_loaded(store, index->job_no);

    if (known == NULL) {
        add_index(store, index);
        known = index;
    } else {
        free_one(index);
    }
    known->users++;
}

void history_free_index(struct job_index *index)
{
    if (index != NULL)
        free_one(index);
}
