#include "store/call_kind.h"

#include <string.h>

#include "store/parts.h"

enum { KIND_TEXTS = 6 };

static void kind_texts(const struct call_put *call,
                       const char *texts[KIND_TEXTS])
{
    texts[0] = or_empty(call->role);
    texts[1] = or_empty(call->purpose);
    texts[2] = or_empty(call->step);
    texts[3] = or_empty(call->model);
    texts[4] = or_empty(call->digest);
    texts[5] = or_empty(call->options);
}

static struct hash kind_hash(const char *const texts[KIND_TEXTS])
{
    struct hasher hasher;

    hasher_init(&hasher, "call-kind");
    for (int i = 0; i < KIND_TEXTS; i++)
        hasher_add_text(&hasher, texts[i]);
    return hasher_end(&hasher);
}

// Nearly all calls have the same kind as the call before, and comparing the
// texts takes a tenth of the time of hashing them.
static bool is_last_kind(const struct last_kind *last,
                         const char *const texts[KIND_TEXTS])
{
    const char *at = last->texts;

    if (last->id == 0)
        return false;
    for (int i = 0; i < KIND_TEXTS; i++) {
        if (strcmp(at, texts[i]) != 0)
            return false;
        at += strlen(at) + 1;
    }
    return true;
}

// A kind that is too long to remember is looked up by its hash next time.
static void remember_kind(struct last_kind *last,
                          const char *const texts[KIND_TEXTS], int64_t id)
{
    size_t used = 0;

    last->id = 0;
    for (int i = 0; i < KIND_TEXTS; i++) {
        size_t size = strlen(texts[i]) + 1;

        if (size > sizeof last->texts - used)
            return;
        memcpy(last->texts + used, texts[i], size);
        used += size;
    }
    last->id = id;
}

static int64_t put_new_kind(struct store *store, const struct hash *hash,
                            const char *const texts[KIND_TEXTS],
                            struct err *err)
{
    int64_t id = store->call_kinds.next_id;
    struct buf *record = NULL;

    if (!text_index_reserve(&store->call_kinds, err))
        return 0;
    record = store_record(store);
    record_begin(record, RECORD_CALL_KIND);
    record_int(record, id);
    record_hash(record, hash);
    for (int i = 0; i < KIND_TEXTS; i++)
        record_text(record, texts[i]);
    record_end(record);
    if (!store_put(store, err))
        return 0;
    text_index_keep(&store->call_kinds, hash, id);
    return id;
}

int64_t call_kind_put(struct store *store, const struct call_put *call,
                      struct err *err)
{
    const char *texts[KIND_TEXTS];
    int64_t id = 0;

    kind_texts(call, texts);
    if (is_last_kind(&store->last_kind, texts))
        return store->last_kind.id;
    struct hash hash = kind_hash(texts);
    if (!text_index_find(&store->call_kinds, &hash, &id))
        id = put_new_kind(store, &hash, texts, err);
    if (id != 0)
        remember_kind(&store->last_kind, texts, id);
    return id;
}
