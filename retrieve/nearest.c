#include "retrieve/nearest.h"

#include <assert.h>
#include <stdlib.h>

#include "common/map.h"
#include "program/graph/type.h"
#include "program/graph/type_form.h"
#include "program/prompt/prompt.h"
#include "retrieve/search_index.h"

enum {
    TEXT_MAX_BYTES = 16 << 20,
    INDEXES_MAX = 64, // then all of them are dropped
};

struct nearest {
    struct map indexes; // by pool; values owned
};

struct nearest *nearest_new(struct err *err)
{
    struct nearest *nearest = calloc(1, sizeof *nearest);

    if (nearest == NULL)
        err_nomem(err, "an index of demos");
    else
        nearest->indexes = MAP_INIT;
    return nearest;
}

static void drop_indexes(struct nearest *nearest)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&nearest->indexes, &at, &key, &value))
        search_index_free(value);
    map_release(&nearest->indexes);
    nearest->indexes = MAP_INIT;
}

void nearest_free(struct nearest *nearest)
{
    if (nearest == NULL)
        return;
    drop_indexes(nearest);
    free(nearest);
}

// --- indexes ---

// The texts of the step's inputs, one a line.
static bool put_text(const struct step *step, const json_t *values,
                     struct buf *out, struct err *err)
{
    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        const json_t *value =
            json_object_get(values, step->signature.inputs[i].name);

        buf_puts(out, i > 0 ? "\n" : "");
        if (value != NULL)
            value_put(value, out);
    }
    return buf_ok(out, "a question", err);
}

static json_t *document_of(const struct step *step, const struct demo *demo,
                           struct err *err)
{
    struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *document = NULL;

    if (put_text(step, demo->fields, &text, err)) {
        document = json_pack("{s:s%}", "text", text.len > 0 ? text.data : "",
                             text.len);
        if (document == NULL)
            err_nomem(err, "an index of demos");
    }
    buf_release(&text);
    return document;
}

static struct search_index *make_index(const struct step *step,
                                       const struct candidate_part *part,
                                       struct err *err)
{
    struct search_index *index = NULL;
    json_t *documents = json_array();
    bool ok = documents != NULL;

    if (!ok)
        err_nomem(err, "an index of demos");
    for (size_t i = 0; ok && i < part->n_demos; i++) {
        json_t *document = document_of(step, &part->demos[i], err);

        ok = document != NULL;
        if (ok && json_array_append_new(documents, document) != 0) {
            err_nomem(err, "an index of demos");
            ok = false;
        }
    }
    if (ok)
        index = search_index_new(documents, err);
    json_decref(documents);
    return index;
}

static struct search_index *index_of(struct nearest *nearest,
                                     const struct step *step,
                                     const struct candidate_part *part,
                                     struct err *err)
{
    struct search_index *index;
    struct hasher hasher;
    struct hash pool;

    hasher_init(&hasher, "pool");
    hasher_add_text(&hasher, step->name);
    hasher_add_hash(&hasher, &part->shown);
    pool = hasher_end(&hasher);
    index = map_find(&nearest->indexes, &pool);
    if (index != NULL)
        return index;
    if (nearest->indexes.n >= INDEXES_MAX)
        drop_indexes(nearest);
    index = make_index(step, part, err);
    if (index != NULL && !map_put(&nearest->indexes, &pool, index)) {
        search_index_free(index);
        err_nomem(err, "an index of demos");
        return NULL;
    }
    return index;
}

// --- picking ---

static bool is_own(const struct candidate_part *part, size_t at, int row)
{
    return row >= 0 && part->demos[at].row == row;
}

static bool is_among(const size_t *list, size_t n, size_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == wanted)
            return true;
    return false;
}

// Of those in `found`, best first and all that match, the ones to be shown stay
// at its beginning; others of the pool make up the number. How many there are.
static size_t choose(const struct candidate_part *part, int row, size_t *found,
                     size_t n_found)
{
    size_t n = 0;

    for (size_t i = 0; i < n_found && n < part->nearest; i++)
        if (!is_own(part, found[i], row))
            found[n++] = found[i];
    for (size_t i = 0; i < part->n_demos && n < part->nearest; i++)
        if (!is_own(part, i, row) && !is_among(found, n, i))
            found[n++] = i;
    return n;
}

static bool put_chosen(const struct step *step,
                       const struct candidate_part *part, enum adapter adapter,
                       const size_t *chosen, size_t n, struct buf *out,
                       struct err *err)
{
    bool ok = true;

    while (ok && n > 0)
        ok =
            prompt_demos(step, &part->demos[chosen[--n]], 1, adapter, out, err);
    return ok;
}

bool nearest_put(struct nearest *nearest, const struct step *step,
                 const struct candidate_part *part, enum adapter adapter,
                 const json_t *inputs, int row, struct buf *out,
                 struct err *err)
{
    struct search_index *index;
    struct buf query = BUF_INIT(TEXT_MAX_BYTES);
    size_t *found = calloc(part->n_demos + 1, sizeof *found);
    size_t n = 0, own = 0;
    bool ok = found != NULL;

    assert(part->nearest > 0);
    if (!ok)
        err_nomem(err, "demos");
    for (size_t i = 0; i < part->n_demos; i++)
        own += is_own(part, i, row);
    index = ok && part->n_demos > 0 ? index_of(nearest, step, part, err) : NULL;
    ok = ok && (index != NULL || part->n_demos == 0);
    if (ok && index != NULL)
        ok = put_text(step, inputs, &query, err) &&
             search_index_rank(index, query.len > 0 ? query.data : "", NULL,
                               part->nearest + own < part->n_demos
                                   ? part->nearest + own
                                   : part->n_demos,
                               found, &n, err) &&
             put_chosen(step, part, adapter, found, choose(part, row, found, n),
                        out, err);
    free(found);
    buf_release(&query);
    return ok;
}

bool nearest_put_once(const struct step *step,
                      const struct candidate_part *part, enum adapter adapter,
                      const json_t *inputs, struct buf *out, struct err *err)
{
    struct nearest *nearest = nearest_new(err);
    bool ok = nearest != NULL &&
              nearest_put(nearest, step, part, adapter, inputs, -1, out, err);

    nearest_free(nearest);
    return ok;
}
