#include "store/parts.h"

#include <stdlib.h>
#include <string.h>

void text_index_release(struct text_index *index)
{
    key_index_release(&index->keys);
    free(index->ids);
    *index = (struct text_index){.next_id = 1};
}

bool text_index_find(const struct text_index *index, const struct hash *hash,
                     int64_t *id)
{
    size_t at = 0;

    if (!key_index_find(&index->keys, hash, &at))
        return false;
    *id = index->ids[at];
    return true;
}

bool text_index_reserve(struct text_index *index, struct err *err)
{
    void *ids = index->ids;

    if (!slots_array_reserve(&ids, &index->cap, index->keys.slots.n,
                             sizeof *index->ids, err))
        return false;
    index->ids = ids;
    return key_index_reserve(&index->keys, err);
}

void text_index_keep(struct text_index *index, const struct hash *hash,
                     int64_t id)
{
    size_t at = key_index_add(&index->keys, hash);

    index->ids[at] = id;
    if (id >= index->next_id)
        index->next_id = id + 1;
}

// Returns the hash of a row (id, hash); zeros for a blob of another length,
// which only a person with an SQL shell can have put there.
static struct hash hash_of_row(sqlite3_stmt *stmt)
{
    struct hash hash = {{0}};
    const void *bytes = sqlite3_column_blob(stmt, 1);

    if (bytes != NULL && sqlite3_column_bytes(stmt, 1) == HASH_BYTES)
        memcpy(hash.bytes, bytes, HASH_BYTES);
    return hash;
}

bool text_index_load(struct text_index *index, struct store *store,
                     const char *sql, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!store_read(store, &read, sql, "read", err))
        goto out;
    while (sql_read_next(&read, err)) {
        struct hash hash = hash_of_row(read.stmt);
        int64_t known = 0;

        if (text_index_find(index, &hash, &known))
            continue;
        if (!text_index_reserve(index, err))
            goto out;
        text_index_keep(index, &hash, sqlite3_column_int64(read.stmt, 0));
    }
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

int64_t store_text(struct store *store, struct text_index *index,
                   enum record_kind kind, const struct hash *hash,
                   const char *text, size_t len, struct err *err)
{
    struct buf *record = NULL;
    int64_t id = 0;

    if (text_index_find(index, hash, &id))
        return id;
    if (!text_index_reserve(index, err))
        return 0;
    id = index->next_id;
    record = store_record(store);
    record_begin(record, kind);
    record_int(record, id);
    record_hash(record, hash);
    record_text_n(record, text, len);
    record_end(record);
    if (!store_put(store, err))
        return 0;
    text_index_keep(index, hash, id);
    return id;
}
