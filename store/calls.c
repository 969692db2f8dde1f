#include "store/calls.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "store/call_kind.h"
#include "store/parts.h"

bool calls_find(const struct store *store, const struct hash *key,
                struct call_ref *out)
{
    return call_index_find(&store->calls, key, out);
}

bool calls_ref(const struct store *store, int64_t id, struct call_ref *out)
{
    return call_index_get(&store->calls, id, out);
}

int64_t calls_prefix(struct store *store, const struct hash *hash,
                     const char *text, size_t len, struct err *err)
{
    return store_text(store, &store->prefixes, RECORD_PREFIX, hash, text, len,
                      err);
}

// --- putting ---

static void put_call_row(struct buf *record, int64_t id, int64_t kind_id,
                         const struct call_put *call)
{
    const struct call_answer *answer = call->answer;

    record_begin(record, RECORD_CALL);
    record_int(record, id);
    record_hash(record, &call->key);
    record_int(record, answer->outcome);
    record_int(record, answer->prompt_tokens);
    record_int(record, answer->generated_tokens);
    record_int(record, answer->cached_tokens);
    record_int(record, call->job_no);
    record_int(record, kind_id);
    if (call->prefix_id != 0)
        record_int(record, call->prefix_id);
    else
        record_null(record);
    record_text(record, or_empty(call->worker));
    record_int(record, call->attempts);
    record_int(record, call->hedged);
    record_int(record, answer->prompt_us);
    record_int(record, answer->generate_us);
    record_int(record, answer->load_us);
    record_int(record, answer->total_us);
    record_int(record, call->finished_ms);
    record_end(record);
}

static void put_question_row(struct buf *record, int64_t id,
                             const struct call_put *call)
{
    record_begin(record, RECORD_QUESTION);
    record_int(record, id);
    record_text_n(record, or_empty(call->tail), call->tail_len);
    record_end(record);
}

static void put_text_row(struct buf *record, int64_t id, int64_t question_id,
                         const struct call_put *call)
{
    record_begin(record, RECORD_CALL_TEXT);
    record_int(record, id);
    record_int(record, question_id);
    record_text_n(record, or_empty(call->answer->text), call->answer->text_len);
    record_text(record, call->answer->logprobs);
    record_end(record);
}

// evaluation_index keeps ids as 32 bits.
static bool check_id_left(const struct store *store, struct err *err)
{
    if (store->next_call_id < (int64_t)UINT32_MAX)
        return true;
    err_set(err, ERR_LIMIT,
            "the store %s is full: it cannot hold more calls; start a new one "
            "with --store",
            FILE_SHOWN(store->path, 130));
    return false;
}

// Where the last turn is stored, or will be.
struct placed {
    int64_t id;
    bool known;              // already stored
    struct hash hash;        // set if it was looked up
    struct question_row *at; // its place; NULL: the caller had the id
};

static bool place_question(struct store *store, const struct call_put *call,
                           struct placed *out, struct err *err)
{
    struct questions *questions = &store->questions;

    *out = (struct placed){.known = true};
    if (call->question != NULL && *call->question != 0) {
        out->id = *call->question;
        return true;
    }
    out->at = questions_place(questions, or_empty(call->tail), call->tail_len,
                              &out->hash, err);
    if (out->at == NULL)
        return false;
    out->known = out->at->id != 0 && hash_equal(&out->at->hash, &out->hash);
    out->id = out->known ? out->at->id : questions->next_id;
    return true;
}

// Call after the row is put.
static void remember_question(struct store *store, const struct call_put *call,
                              const struct placed *placed)
{
    if (!placed->known) {
        *placed->at =
            (struct question_row){.hash = placed->hash, .id = placed->id};
        store->questions.next_id++;
    }
    if (call->question != NULL)
        *call->question = placed->id;
}

int64_t calls_put(struct store *store, const struct call_put *call,
                  struct err *err)
{
    struct call_ref ref = {
        .id = store->next_call_id,
        .prompt_tokens = call->answer->prompt_tokens,
        .generated_tokens = call->answer->generated_tokens,
        .outcome = call->answer->outcome,
    };
    struct placed question;
    struct buf *record = NULL;

    if (!check_id_left(store, err) ||
        !call_index_reserve(&store->calls, ref.id, err) ||
        !costs_reserve(&store->costs, or_empty(call->worker), err))
        return 0;
    int64_t kind_id = call_kind_put(store, call, err);
    if (kind_id == 0 || !place_question(store, call, &question, err))
        return 0;
    bool due = costs_due(&store->costs);
    record = store_record(store);
    if (!question.known)
        put_question_row(record, question.id, call);
    put_call_row(record, ref.id, kind_id, call);
    put_text_row(record, ref.id, question.id, call);
    if (due)
        costs_put(&store->costs, ref.id - 1, record);
    if (!store_put(store, err))
        return 0;
    remember_question(store, call, &question);
    if (due)
        costs_clear(&store->costs);
    costs_add(&store->costs,
              &(struct cost_call){.of = {.job_no = call->job_no,
                                         .kind_id = kind_id,
                                         .worker = or_empty(call->worker)},
                                  .answer = call->answer,
                                  .hedged = call->hedged});
    call_index_add(&store->calls, &call->key, &ref);
    store->next_call_id = ref.id + 1;
    return ref.id;
}

int64_t calls_last(const struct store *store)
{
    return store->next_call_id - 1;
}

// --- loading ---

static bool prepare_load(struct store *store, struct err *err)
{
    if (store->load_call != NULL)
        return true;
    int rc = sqlite3_prepare_v3(
        store->reader,
        "SELECT c.outcome, c.prompt_tokens, c.cached_tokens,"
        " c.generated_tokens, c.prompt_us, c.generate_us, c.load_us,"
        " c.total_us, t.reply, t.logprobs FROM calls c JOIN call_texts t ON "
        "t.id = c.id"
        " WHERE c.id = ?1 AND row_check('calls', c.id, c.sum, c.id, c.key,"
        "  c.outcome, c.prompt_tokens, c.generated_tokens)"
        " AND row_check('calls', t.id, t.sum, t.id, t.reply, t.logprobs)",
        -1, SQLITE_PREPARE_PERSISTENT, &store->load_call, NULL);
    if (rc != SQLITE_OK)
        sql_fail(err, store->reader, rc, store->path, "read a call of");
    return rc == SQLITE_OK;
}

static bool read_answer(sqlite3_stmt *stmt, struct call_answer *out,
                        struct err *err)
{
    char *text = sql_text_copy(stmt, 8, err);
    char *logprobs = NULL;

    if (text == NULL)
        return false;
    if (sqlite3_column_type(stmt, 9) != SQLITE_NULL) {
        logprobs = sql_text_copy(stmt, 9, err);
        if (logprobs == NULL) {
            free(text);
            return false;
        }
    }
    *out = (struct call_answer){
        .outcome = (enum call_outcome)sqlite3_column_int(stmt, 0),
        .text = text,
        .text_len = (size_t)sqlite3_column_bytes(stmt, 8),
        .logprobs = logprobs,
        .prompt_tokens = sqlite3_column_int(stmt, 1),
        .cached_tokens = sqlite3_column_int(stmt, 2),
        .generated_tokens = sqlite3_column_int(stmt, 3),
        .prompt_us = sqlite3_column_int64(stmt, 4),
        .generate_us = sqlite3_column_int64(stmt, 5),
        .load_us = sqlite3_column_int64(stmt, 6),
        .total_us = sqlite3_column_int64(stmt, 7),
    };
    return true;
}

bool calls_load(struct store *store, int64_t id, struct call_answer *out,
                struct err *err)
{
    bool ok = false;

    if (!prepare_load(store, err))
        return false;
    sqlite3_stmt *stmt = store->load_call;
    int rc = sqlite3_bind_int64(stmt, 1, id);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        ok = read_answer(stmt, out, err);
    else if (rc == SQLITE_DONE)
        err_set(
            err, ERR_STORE,
            "the store %s has no call %lld on disk: it was damaged; restore a "
            "copy, or delete what is left of that call from `calls` with "
            "sqlite3, and it is asked again",
            FILE_SHOWN(store->path, 70), (long long)id);
    else
        sql_fail(err, store->reader, rc, store->path, "read a call of");
    // This also ends the snapshot.
    (void)sqlite3_reset(stmt);
    return ok;
}
