#include "store/record.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *const statements[RECORD_KINDS] = {
    [RECORD_JOB] = "INSERT INTO jobs(no, id, name, path, canonical, seed,"
                   " replay_version, simulated, state, created_ms, updated_ms)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?9, ?9)",
    [RECORD_JOB_STATE] =
        "UPDATE jobs SET state = ?2, reason = ?3, score = ?4,"
        " document = coalesce(?5, document), updated_ms = ?6 WHERE no = ?1",
    [RECORD_JOB_TIME] = "UPDATE jobs SET wall_ms = ?2, updated_ms = ?3"
                        " WHERE no = ?1",
    // The job has no score any more once it runs again, but its file has.
    [RECORD_JOB_COMPILED] =
        "UPDATE jobs SET compiled = ?2, compiled_sum = row_sum(?1, ?2)"
        " WHERE no = ?1 AND (?3 = 1 OR coalesce("
        "  CASE WHEN json_valid(compiled) THEN json_extract(compiled,"
        "   '$.metadata.promptcc.scores.compiled.score') END, -1) <= ?4)",
    [RECORD_JOB_MODEL] = "INSERT INTO job_models(job_no, role, name, digest)"
                         " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(job_no, role)"
                         " DO UPDATE SET name = ?3, digest = ?4",
    // A sum over all roles, so that a missing row is noticed.
    [RECORD_JOB_MODELS_SUM] =
        "UPDATE jobs SET models_sum = row_sum(" MODELS_OF_JOB ")"
        " WHERE no = ?1",
    [RECORD_JOB_SIMULATED] = "UPDATE jobs SET simulated = 1 WHERE no = ?1",
    [RECORD_JOB_BEST] =
        "INSERT OR REPLACE INTO bests(job_no, trial, score, low, high, n,"
        " baseline, baseline_low, baseline_high, p_value, candidate_id)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
        " nullif(?11, 0))",
    [RECORD_SPLIT] = "INSERT INTO splits(job_no, share, row_numbers)"
                     " VALUES(?1, ?2, ?3)",
    [RECORD_SUBMISSION] =
        "INSERT OR REPLACE INTO submissions(job_no, options, folder)"
        " VALUES(?1, ?2, ?3)",
    [RECORD_SUBMISSION_OPTIONS] =
        "UPDATE submissions SET options = ?2 WHERE job_no = ?1",
    [RECORD_JOB_FILE] =
        "INSERT OR REPLACE INTO job_files(job_no, position, name, data, sum)"
        " VALUES(?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
    [RECORD_EXAMPLE] =
        "INSERT OR REPLACE INTO examples(job_no, row, share, file, line,"
        " inputs, labels) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [RECORD_PREFIX] = "INSERT INTO prefixes(id, hash, text) VALUES(?1, ?2, ?3)",
    [RECORD_INSTRUCTION] =
        "INSERT INTO instructions(id, hash, text) VALUES(?1, ?2, ?3)",
    [RECORD_DEMO_SET] =
        "INSERT INTO demo_sets(id, hash, demos) VALUES(?1, ?2, ?3)",
    [RECORD_CANDIDATE] =
        "INSERT INTO candidates(id, job_no, hash, parents, reason, created_ms,"
        " tuned) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [RECORD_PART] = "INSERT INTO candidate_parts(candidate_id, position, step,"
                    " instruction_id, instruction_no, demo_set_id, demo_set_no)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [RECORD_TRIAL] =
        "INSERT INTO trials(job_no, number, kind, candidate_id, rows_hash,"
        " state, started_ms) VALUES(?1, ?2, ?3, ?4, ?5, 'running', ?6)",
    [RECORD_TRIAL_END] =
        "UPDATE trials SET state = ?3, score = ?4, n = ?5, calls = ?6,"
        " tokens = ?7, finished_ms = ?8, baseline = ?9, low = ?10, high = ?11"
        " WHERE job_no = ?1 AND number = ?2",
    [RECORD_TRIALS_FORGET] =
        "DELETE FROM trials WHERE job_no = ?1 AND number >= ?2",
    [RECORD_BEST_FORGET] =
        "DELETE FROM bests WHERE job_no = ?1 AND trial >= ?2",
    [RECORD_EVALUATION] =
        "INSERT INTO evaluations(job_no, candidate_id, row, replicate,"
        " outcome, repairs, lenient, score, calls, feedback, p_right,"
        " judge_noise, sum)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
        " row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11))",
    [RECORD_CALL_KIND] =
        "INSERT INTO call_kinds(id, hash, role, purpose, step, model, digest,"
        " options) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [RECORD_CALL] =
        "INSERT INTO calls(id, key, outcome, prompt_tokens, generated_tokens,"
        " cached_tokens, job_no, kind_id, prefix_id, worker, attempts, hedged,"
        " prompt_us, generate_us, load_us, total_us, finished_ms, sum)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
        " ?15, ?16, ?17, row_sum(?1, ?2, ?3, ?4, ?5))",
    [RECORD_QUESTION] = "INSERT INTO questions(id, text) VALUES(?1, ?2)",
    [RECORD_CALL_TEXT] = "INSERT OR REPLACE INTO call_texts(id, question_id, "
                         "reply, logprobs, tail, sum)"
                         " VALUES(?1, ?2, ?3, ?4, '', row_sum(?1, ?3, ?4))",
    [RECORD_COST] =
        "INSERT INTO costs(job_no, kind_id, last_call, calls, prompt_tokens,"
        " cached_calls, cached_tokens, generated_tokens, hedged, total_us,"
        " worker) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT(job_no, kind_id, worker) DO UPDATE SET last_call = ?3,"
        " calls = calls + ?4, prompt_tokens = prompt_tokens + ?5,"
        " cached_calls = cached_calls + ?6,"
        " cached_tokens = cached_tokens + ?7,"
        " generated_tokens = generated_tokens + ?8, hedged = hedged + ?9,"
        " total_us = total_us + ?10",
    [RECORD_EVENT] =
        "INSERT INTO events(job_no, kind, row, text, at_ms, after_call, sum)"
        " SELECT ?1, ?2, ?3, ?4, ?5, last,"
        "  row_sum(?1, ?2, ?3, ?4, ?5, last)"
        " FROM (SELECT coalesce(max(id), 0) AS last FROM calls)",
    [RECORD_WORKER] =
        "INSERT INTO workers(name, state, server, slots, models, calls,"
        " last_fault, seen_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT(name) DO UPDATE SET state = ?2, server = ?3, slots = ?4,"
        " models = ?5, calls = ?6, last_fault = ?7, seen_ms = ?8",
};

const char *record_sql(enum record_kind kind)
{
    assert((size_t)kind < RECORD_KINDS);
    return statements[kind];
}

void record_begin(struct buf *out, enum record_kind kind)
{
    buf_putc(out, (char)kind);
}

void record_null(struct buf *out)
{
    buf_putc(out, 'n');
}

// Appends tag and value in one piece of fixed size, for speed: two calls take
// some forty numbers.
static void put_word(struct buf *out, char tag, const void *word)
{
    char bytes[1 + 8] = {tag};

    memcpy(bytes + 1, word, 8);
    buf_append(out, bytes, sizeof bytes);
}

void record_int(struct buf *out, int64_t value)
{
    put_word(out, 'i', &value);
}

void record_real(struct buf *out, double value)
{
    if (isnan(value))
        record_null(out);
    else
        put_word(out, 'r', &value);
}

// A length beyond 32 bits would far exceed what out may hold.
static void put_bytes(struct buf *out, char tag, const void *data, size_t len)
{
    uint32_t short_len = (uint32_t)len;

    buf_putc(out, tag);
    buf_append(out, &short_len, sizeof short_len);
    buf_append(out, data, len);
}

void record_text(struct buf *out, const char *text)
{
    if (text == NULL)
        record_null(out);
    else
        put_bytes(out, 't', text, strlen(text));
}

void record_text_n(struct buf *out, const char *text, size_t len)
{
    put_bytes(out, 't', text, len);
}

void record_bytes(struct buf *out, const char *data, size_t len)
{
    put_bytes(out, 'b', data, len);
}

void record_hash(struct buf *out, const struct hash *hash)
{
    put_bytes(out, 'b', hash->bytes, sizeof hash->bytes);
}

void record_end(struct buf *out)
{
    buf_putc(out, '.');
}

// Binds a text or a blob; returns its size including the length before it.
static size_t bind_bytes(sqlite3_stmt *stmt, int column, char tag,
                         const char *at, int *rc)
{
    uint32_t len = 0;

    memcpy(&len, at, sizeof len);
    at += sizeof len;
    *rc = tag == 't'
              ? sqlite3_bind_text(stmt, column, at, (int)len, SQLITE_STATIC)
              : sqlite3_bind_blob(stmt, column, at, (int)len, SQLITE_STATIC);
    return sizeof len + len;
}

// Binds the value at `at`; returns its size in bytes without the tag.
static size_t bind_value(sqlite3_stmt *stmt, int column, char tag,
                         const char *at, int *rc)
{
    int64_t number = 0;
    double real = 0;

    switch (tag) {
    case 'i':
        memcpy(&number, at, sizeof number);
        *rc = sqlite3_bind_int64(stmt, column, number);
        return sizeof number;
    case 'r':
        memcpy(&real, at, sizeof real);
        *rc = sqlite3_bind_double(stmt, column, real);
        return sizeof real;
    case 'n':
        *rc = sqlite3_bind_null(stmt, column);
        return 0;
    default:
        return bind_bytes(stmt, column, tag, at, rc);
    }
}

// reset returns the error of the step again, with its extended code.
static int step_once(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    int again = sqlite3_reset(stmt);

    return rc == SQLITE_DONE ? again : rc;
}

int record_run(const char *bytes, size_t len, sqlite3_stmt *const *stmts)
{
    const char *end = bytes + len;
    int rc = SQLITE_OK;

    while (bytes < end && rc == SQLITE_OK) {
        sqlite3_stmt *stmt = stmts[(unsigned char)*bytes++];
        int column = 1;

        while (*bytes != '.' && rc == SQLITE_OK) {
            char tag = *bytes++;
            bytes += bind_value(stmt, column++, tag, bytes, &rc);
        }
        bytes++;
        if (rc == SQLITE_OK)
            rc = step_once(stmt);
    }
    return rc;
}
