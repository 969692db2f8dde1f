#include "store/parts.h"

#include "common/file.h"

enum { SCRATCH_KEEP = 1024 * 1024 };

struct buf *store_record(struct store *store)
{
    if (store->draft != NULL)
        return draft_begin(store->draft);
    if (store->record.cap > SCRATCH_KEEP)
        buf_release(&store->record);
    buf_clear(&store->record);
    return &store->record;
}

bool store_put(struct store *store, struct err *err)
{
    if (store->draft != NULL)
        return draft_end(store->draft, err);
    if (store->writer == NULL) {
        err_set(err, ERR_STORE, "the store %s is open read-only",
                FILE_SHOWN(store->path, 150));
        return false;
    }
    return writer_put(store->writer, &store->record, err);
}

bool store_flush(struct store *store, struct err *err)
{
    return store->writer == NULL || writer_flush(store->writer, err);
}

bool store_read(struct store *store, struct sql_read *read, const char *sql,
                const char *doing, struct err *err)
{
    return sql_read_open(read, store->reader, store->path, sql, doing, err);
}

bool store_read_settled(struct store *store, struct sql_read *read,
                        const char *sql, const char *doing, struct err *err)
{
    return store_flush(store, err) && store_read(store, read, sql, doing, err);
}
