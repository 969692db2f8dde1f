#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/bell.h"
#include "common/clock.h"
#include "common/cond.h"
#include "common/log.h"
#include "common/thread.h"
#include "store/record.h"
#include "store/sql.h"

// A frame is 4 bytes of length and a record. Or FRAME_DRAFT and a struct
// drafted: the frames of a draft, which stay where they were made.
enum { ATTEMPT_MS = 500 }; // between two attempts to write

static const uint32_t FRAME_DRAFT = UINT32_MAX;
struct drafted {
    char *frames; // owned
    size_t len;
};

struct frames_span {
    const char *at;
    size_t len;
};

struct writer {
    sqlite3 *db; // owned; the thread's while it runs
    const char *path;
    const struct file_lock *file;
    sqlite3_stmt *stmts[RECORD_KINDS];
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    pthread_t thread;
    struct bell notice;

    // The loop's.
    uint64_t last_put;

    // The thread's.
    struct buf batch;
    struct buf kept; // frames of the puts in the transaction, and behind
    struct frames_span stays; // them those that are not copied: a draft's
    unsigned open_puts;       // in the transaction; 0: none is open

    atomic_uint_fast64_t durable;
    atomic_bool noticed; // it rings, or is about to
    atomic_bool broken;
    atomic_bool troubled;            // a commit failed, and is tried again
    atomic_int_fast64_t patience_ms; // with that; below 0: for ever
    atomic_size_t queued;            // bytes that are put and not yet written

    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t work;   // the thread waits: queue, stopping
    pthread_cond_t pause;  // the thread waits for its next attempt
    pthread_cond_t moved;  // the loop waits: queue, durable, broken
    struct buf queue;      // frames
    bool stopping;
    struct err cause; // why it is broken
};

// --- the thread's side ---

// One long record must not cost its memory for ever.
static void clear_large(struct buf *frames)
{
    if (frames->cap > 2 * WRITER_QUEUE_BYTES)
        buf_release(frames);
    buf_clear(frames);
}

// Durable or broken is set before, so a reader that clears the notice first and
// then looks misses nothing.
static void give_notice(struct writer *writer)
{
    if (!atomic_exchange(&writer->noticed, true))
        bell_ring(&writer->notice);
}

static void roll_back(struct writer *writer)
{
    if (!sqlite3_get_autocommit(writer->db))
        (void)sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
}

static void break_off(struct writer *writer, const struct err *why)
{
    struct err cause = *why;

    roll_back(writer);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->cause = cause;
    atomic_store(&writer->broken, true);
    atomic_store(&writer->troubled, false);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    give_notice(writer);
}

static void mark_broken(struct writer *writer, int rc)
{
    struct err cause = ERR_CLEAR;

    sql_fail(&cause, writer->db, rc, writer->path, "write to");
    break_off(writer, &cause);
}

static bool is_in_place(struct writer *writer)
{
    struct err cause = ERR_CLEAR;

    if (file_lock_is_at(writer->file, writer->path))
        return true;
    err_set(&cause, ERR_STORE,
            "the store %s was removed, moved or replaced while it was in use: "
            "put it back, or run the same command again to begin a new one",
            writer->path);
    break_off(writer, &cause);
    return false;
}

static int run_alone(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    int again = sqlite3_reset(stmt);

    return rc == SQLITE_DONE ? again : rc;
}

static void set_troubled(struct writer *writer, bool troubled)
{
    (void)pthread_mutex_lock(&writer->mutex);
    atomic_store(&writer->troubled, troubled);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    give_notice(writer);
}

// What may pass without anybody opening the store again.
static bool may_pass(int rc)
{
    int primary = rc & 0xFF;

    return primary == SQLITE_FULL || primary == SQLITE_IOERR ||
           primary == SQLITE_BUSY || primary == SQLITE_NOMEM ||
           primary == SQLITE_CANTOPEN;
}

// Sleeps until the next attempt. False when there is to be none.
static bool await_attempt(struct writer *writer)
{
    const struct timespec until = cond_deadline(ATTEMPT_MS);
    bool stopping;

    (void)pthread_mutex_lock(&writer->mutex);
    if (!writer->stopping)
        (void)pthread_cond_timedwait(&writer->pause, &writer->mutex, &until);
    stopping = writer->stopping;
    (void)pthread_mutex_unlock(&writer->mutex);
    return !stopping;
}

static bool is_patient(const struct writer *writer, int64_t since_ms)
{
    int64_t patience_ms = atomic_load(&writer->patience_ms);

    return patience_ms < 0 || clock_monotonic_ms() - since_ms < patience_ms;
}

static int write_frames(struct writer *writer, struct frames_span frames)
{
    size_t done = 0;
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && done < frames.len) {
        uint32_t size = 0;

        memcpy(&size, frames.at + done, sizeof size);
        done += sizeof size;
        rc = record_run(frames.at + done, size, writer->stmts);
        done += size;
    }
    return rc;
}

// The whole transaction once more, for a failed one is rolled back.
static int write_again(struct writer *writer)
{
    const struct frames_span kept = {writer->kept.data, writer->kept.len};
    int rc;

    roll_back(writer);
    rc = run_alone(writer->begin);
    if (rc == SQLITE_OK)
        rc = write_frames(writer, kept);
    if (rc == SQLITE_OK)
        rc = write_frames(writer, writer->stays);
    return rc == SQLITE_OK ? run_alone(writer->commit) : rc;
}

static void now_durable(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    atomic_fetch_add(&writer->durable, writer->open_puts);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    writer->open_puts = 0;
    clear_large(&writer->kept);
    writer->stays = (struct frames_span){0};
    give_notice(writer);
}

// Tries the transaction until it can be written, or patience is at its end.
static void outlast(struct writer *writer, int rc)
{
    int64_t since_ms = clock_monotonic_ms();
    struct err cause = ERR_CLEAR;

    sql_fail(&cause, writer->db, rc, writer->path, "write to");
    roll_back(writer);
    while (may_pass(rc) && is_patient(writer, since_ms)) {
        if (!atomic_load(&writer->troubled)) {
            log_warn("store-waits",
                     "%s; nothing new begins until it can be written again",
                     cause.text);
            set_troubled(writer, true);
        }
        if (!await_attempt(writer))
            break;
        if (!is_in_place(writer))
            return;
        rc = write_again(writer);
        if (rc != SQLITE_OK)
            continue;
        log_info("store-writes", "%s can be written again", writer->path);
        set_troubled(writer, false);
        now_durable(writer);
        return;
    }
    mark_broken(writer, rc);
}

static void commit_group(struct writer *writer)
{
    int rc;

    if (writer->open_puts == 0 || atomic_load(&writer->broken))
        return;
    if (!is_in_place(writer))
        return;
    rc = run_alone(writer->commit);
    if (rc == SQLITE_OK)
        now_durable(writer);
    else
        outlast(writer, rc);
}

// Remembers a frame until its transaction is on disk. Those of a draft are side
// by side, and nothing is copied behind them: a draft ends with a commit.
static bool keep_frame(struct writer *writer, struct frames_span frame,
                       bool stays)
{
    if (!stays) {
        buf_append(&writer->kept, frame.at, frame.len);
        return !writer->kept.failed;
    }
    if (writer->stays.at == NULL)
        writer->stays.at = frame.at;
    writer->stays.len += frame.len;
    return true;
}

static void run_put(struct writer *writer, struct frames_span frame, bool stays)
{
    const size_t head = sizeof(uint32_t);
    int rc = SQLITE_OK;

    if (!keep_frame(writer, frame, stays)) {
        mark_broken(writer, SQLITE_NOMEM);
        return;
    }
    if (writer->open_puts == 0)
        rc = run_alone(writer->begin);
    if (rc == SQLITE_OK)
        rc = record_run(frame.at + head, frame.len - head, writer->stmts);
    writer->open_puts++;
    if (rc != SQLITE_OK)
        outlast(writer, rc);
    else if (writer->open_puts == WRITER_GROUP ||
             writer->kept.len + writer->stays.len > WRITER_QUEUE_BYTES)
        commit_group(writer);
}

static void run_frames(struct writer *writer, struct frames_span frames,
                       bool stay);

static void run_drafted(struct writer *writer, const char *at)
{
    struct drafted drafted;

    memcpy(&drafted, at, sizeof drafted);
    run_frames(writer, (struct frames_span){drafted.frames, drafted.len}, true);
    commit_group(writer);
    writer->stays = (struct frames_span){0};
    free(drafted.frames);
    atomic_fetch_sub(&writer->queued, drafted.len);
}

// All frames, for those of a draft are to be freed; once the writer is broken
// nothing more is run. stay: they do until their transaction is on disk.
static void run_frames(struct writer *writer, struct frames_span frames,
                       bool stay)
{
    size_t done = 0;

    while (done < frames.len) {
        const char *at = frames.at + done;
        uint32_t size = 0;

        memcpy(&size, at, sizeof size);
        if (size == FRAME_DRAFT) {
            run_drafted(writer, at + sizeof size);
            done += sizeof size + sizeof(struct drafted);
            continue;
        }
        if (!atomic_load(&writer->broken))
            run_put(writer, (struct frames_span){at, sizeof size + size}, stay);
        done += sizeof size + size;
    }
}

static void run_batch(struct writer *writer)
{
    run_frames(writer,
               (struct frames_span){writer->batch.data, writer->batch.len},
               false);
    atomic_fetch_sub(&writer->queued, writer->batch.len);
    clear_large(&writer->batch);
}

// Swaps the queue for the empty batch; false when it is empty.
static bool take_queue(struct writer *writer)
{
    bool some = writer->queue.len > 0;

    if (some) {
        struct buf taken = writer->queue;
        writer->queue = writer->batch;
        writer->batch = taken;
        (void)pthread_cond_broadcast(&writer->moved);
    }
    return some;
}

// Waits for puts, committing before it sleeps. False at the end.
static bool next_batch(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    bool some = take_queue(writer);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (some)
        return true;

    commit_group(writer);
    (void)pthread_mutex_lock(&writer->mutex);
    while (!(some = take_queue(writer)) && !writer->stopping)
        (void)pthread_cond_wait(&writer->work, &writer->mutex);
    (void)pthread_mutex_unlock(&writer->mutex);
    return some;
}

static void *run_thread(void *user)
{
    struct writer *writer = user;

    while (next_batch(writer))
        run_batch(writer);
    commit_group(writer);
    return NULL;
}

// --- start and stop ---

static bool prepare_one(struct writer *writer, const char *sql,
                        sqlite3_stmt **stmt, struct err *err)
{
    int rc = sqlite3_prepare_v3(writer->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                stmt, NULL);

    if (rc != SQLITE_OK)
        sql_fail(err, writer->db, rc, writer->path, "prepare");
    return rc == SQLITE_OK;
}

static bool prepare_all(struct writer *writer, struct err *err)
{
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        if (!prepare_one(writer, record_sql((enum record_kind)kind),
                         &writer->stmts[kind], err))
            return false;
    }
    return prepare_one(writer, "BEGIN IMMEDIATE", &writer->begin, err) &&
           prepare_one(writer, "COMMIT", &writer->commit, err);
}

// Everything but thread and db.
static void free_writer(struct writer *writer)
{
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        (void)sqlite3_finalize(writer->stmts[kind]);
    (void)sqlite3_finalize(writer->begin);
    (void)sqlite3_finalize(writer->commit);
    bell_close(&writer->notice);
    buf_release(&writer->queue);
    buf_release(&writer->batch);
    buf_release(&writer->kept);
    (void)pthread_cond_destroy(&writer->pause);
    (void)pthread_cond_destroy(&writer->moved);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

struct writer *writer_start(sqlite3 *db, const char *path,
                            const struct file_lock *file, struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (writer == NULL) {
        err_nomem(err, "the store's writer");
        return NULL;
    }
    writer->db = db;
    writer->path = path;
    writer->file = file;
    writer->notice = (struct bell)BELL_NONE;
    writer->queue = BUF_INIT(WRITER_MAX_BYTES + RECORD_MAX_BYTES);
    writer->batch = writer->queue;
    writer->kept = writer->queue;
    cond_init(&writer->pause);
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_cond_init(&writer->work, NULL);
    (void)pthread_cond_init(&writer->moved, NULL);
    if (prepare_all(writer, err) &&
        bell_open(&writer->notice, "the store", err) &&
        thread_start(&writer->thread, run_thread, writer, "the store", err))
        return writer;
    free_writer(writer);
    return NULL;
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL)
        return;
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_cond_signal(&writer->pause);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);

    sqlite3 *db = writer->db;
    free_writer(writer);
    (void)sqlite3_close(db);
}

// --- the loop's side ---

// A frame is there whole or not at all.
static bool append_frame(struct buf *frames, uint32_t size, const void *data,
                         size_t len, struct err *err)
{
    size_t before = frames->len;

    buf_append(frames, &size, sizeof size);
    buf_append(frames, data, len);
    if (buf_ok(frames, "the store's queue", err))
        return true;
    frames->failed = false;
    frames->no_memory = false;
    frames->len = before;
    return false;
}

static bool check_record(const struct buf *record, struct err *err)
{
    if (!buf_ok(record, "what is to be stored", err))
        return false;
    assert(record->len > 0 && record->len <= RECORD_MAX_BYTES);
    return true;
}

// Under the mutex.
static bool check_room(const struct writer *writer, struct err *err)
{
    if (atomic_load(&writer->broken)) {
        if (err != NULL)
            *err = writer->cause;
        return false;
    }
    if (atomic_load(&writer->queued) <= WRITER_MAX_BYTES)
        return true;
    err_set(err, ERR_STORE,
            "the disk of %s does not keep up: %d MiB wait to be written; see "
            "what else uses it, and run the same command again",
            writer->path, WRITER_MAX_BYTES >> 20);
    return false;
}

static bool put_frame(struct writer *writer, uint32_t size, const void *data,
                      size_t len, uint64_t puts, struct err *err)
{
    bool ok;

    (void)pthread_mutex_lock(&writer->mutex);
    ok = check_room(writer, err) &&
         append_frame(&writer->queue, size, data, len, err);
    if (ok) {
        writer->last_put += puts;
        atomic_fetch_add(&writer->queued, sizeof size + len);
        (void)pthread_cond_signal(&writer->work);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return ok;
}

bool writer_put(struct writer *writer, const struct buf *record,
                struct err *err)
{
    return check_record(record, err) &&
           put_frame(writer, (uint32_t)record->len, record->data, record->len,
                     1, err);
}

static void forget_begun(struct draft *draft)
{
    struct buf *frames = &draft->frames;

    frames->len = draft->begun;
    frames->failed = frames->no_memory = false;
}

struct buf *writer_draft_begin(struct draft *draft)
{
    const uint32_t size = 0;

    forget_begun(draft);
    buf_append(&draft->frames, &size, sizeof size);
    return &draft->frames;
}

bool writer_draft_end(struct draft *draft, struct err *err)
{
    struct buf *frames = &draft->frames;
    size_t len = frames->len - draft->begun - sizeof(uint32_t);
    uint32_t size = (uint32_t)len;
    bool ok = buf_ok(frames, "what is to be stored", err);

    if (ok && len > RECORD_MAX_BYTES) {
        err_set(err, ERR_LIMIT,
                "what is to be stored is too long (over %d bytes)",
                RECORD_MAX_BYTES);
        ok = false;
    }
    if (!ok) {
        forget_begun(draft);
        return false;
    }
    memcpy(frames->data + draft->begun, &size, sizeof size);
    draft->begun = frames->len;
    draft->puts++;
    return true;
}

bool writer_put_draft(struct writer *writer, struct draft *draft,
                      struct err *err)
{
    struct drafted drafted = {.frames = draft->frames.data,
                              .len = draft->begun};

    if (draft->puts == 0)
        return true;
    atomic_fetch_add(&writer->queued, drafted.len);
    if (!put_frame(writer, FRAME_DRAFT, &drafted, sizeof drafted, draft->puts,
                   err)) {
        atomic_fetch_sub(&writer->queued, drafted.len);
        return false;
    }
    *draft = DRAFT_INIT;
    return true;
}

void writer_set_patience(struct writer *writer, int64_t ms)
{
    atomic_store(&writer->patience_ms, ms);
}

bool writer_troubled(const struct writer *writer)
{
    return atomic_load(&writer->troubled);
}

bool writer_behind(const struct writer *writer)
{
    return writer_troubled(writer) ||
           atomic_load(&writer->queued) > WRITER_QUEUE_BYTES;
}

uint64_t writer_last_put(const struct writer *writer)
{
    return writer->last_put;
}

uint64_t writer_durable(const struct writer *writer)
{
    return atomic_load(&writer->durable);
}

// cause is written once, before broken is set.
bool writer_healthy(const struct writer *writer, struct err *err)
{
    if (!atomic_load(&writer->broken))
        return true;
    if (err != NULL)
        *err = writer->cause;
    return false;
}

bool writer_wait(struct writer *writer, uint64_t put, bool patient,
                 struct err *err)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (atomic_load(&writer->durable) < put &&
           !atomic_load(&writer->broken) &&
           (patient || !atomic_load(&writer->troubled)))
        (void)pthread_cond_wait(&writer->moved, &writer->mutex);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (!writer_healthy(writer, err))
        return false;
    if (atomic_load(&writer->durable) >= put)
        return true;
    err_set(err, ERR_STORE, "the disk of %s accepts no writes now",
            writer->path);
    return false;
}

bool writer_flush(struct writer *writer, struct err *err)
{
    return writer_wait(writer, writer->last_put, true, err);
}

int writer_notice_fd(const struct writer *writer)
{
    return bell_fd(&writer->notice);
}

void writer_notice_clear(struct writer *writer)
{
    bell_hush(&writer->notice);
    atomic_store(&writer->noticed, false);
}
