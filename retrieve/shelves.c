#include "retrieve/shelves.h"

#include <stdlib.h>

#include "program/graph/ask.h"
#include "retrieve/passage.h"

bool shelf_put_text(const json_t *document, const json_t *fields,
                    struct buf *out)
{
    buf_clear(out);
    passage_put(document, fields, out);
    return ask_can_embed(out);
}

static bool fill_shelf(struct shelf *shelf, const json_t *documents,
                       const struct vectors *vectors, const json_t *fields,
                       struct err *err)
{
    struct buf text = BUF_INIT(PASSAGE_MAX_BYTES);
    bool known = true;
    bool ok = true;

    for (size_t i = 0; ok && i < shelf->n; i++) {
        if (shelf_put_text(json_array_get(documents, i), fields, &text)) {
            shelf->of[i] = vectors_find(vectors, text.data, text.len);
            known = known && shelf->of[i] != NULL;
        }
        ok = known && buf_ok(&text, "a document", err);
    }
    if (!known)
        err_set(err, ERR_INPUT,
                "the documents were embedded with different fields from those "
                "that the compiled program searches: list these in the job's "
                "`fields`");
    buf_release(&text);
    return ok;
}

static struct shelf *make_shelf(const json_t *documents,
                                const struct vectors *vectors,
                                const json_t *fields, struct err *err)
{
    size_t n = json_array_size(documents);
    struct shelf *shelf = calloc(1, sizeof *shelf + n * sizeof *shelf->of);

    if (shelf == NULL) {
        err_nomem(err, "the documents");
        return NULL;
    }
    shelf->n = n;
    if (fill_shelf(shelf, documents, vectors, fields, err))
        return shelf;
    free(shelf);
    return NULL;
}

static void hash_fields(struct hasher *hasher, const json_t *fields)
{
    size_t n = json_is_string(fields) ? 1 : json_array_size(fields);

    hasher_add_int(hasher, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        hasher_add_text(hasher,
                        json_string_value(json_is_string(fields)
                                              ? fields
                                              : json_array_get(fields, i)));
}

struct hash shelf_key(const char *documents, const json_t *fields)
{
    struct hasher hasher;

    hasher_init(&hasher, "shelf");
    hasher_add_text(&hasher, documents);
    hash_fields(&hasher, fields);
    return hasher_end(&hasher);
}

const struct shelf *shelves_get(struct shelves *shelves, const struct hash *key,
                                const json_t *documents, const json_t *fields,
                                const struct vectors *vectors, struct err *err)
{
    struct shelf *shelf = map_find(&shelves->by_key, key);

    if (shelf != NULL)
        return shelf;
    shelf = make_shelf(documents, vectors, fields, err);
    if (shelf == NULL || map_put(&shelves->by_key, key, shelf))
        return shelf;
    free(shelf);
    err_nomem(err, "the documents");
    return NULL;
}

void shelves_release(struct shelves *shelves)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&shelves->by_key, &at, &key, &value))
        free(value);
    map_release(&shelves->by_key);
}
