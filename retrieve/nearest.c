#include "retrieve/nearest.h"

#include <assert.h>
#include <stdlib.h>

#include "common/map.h"
#include "program/prompt/prompt.h"
#include "retrieve/search_index.h"

enum {
    TEXT_MAX_BYTES = 16 << 20,
    POOLS_MAX = 64, // if there are more, all are dropped
};

// A prepared pool: an index of its words, or the embeddings of its texts.
struct ready_pool {
    struct search_index *index; // owned; NULL: picks by embeddings
    size_t n;
    const struct direction *of[]; // NULL: a demo without a text
};

struct nearest {
    struct map pools; // by pool; values owned
};

struct nearest *nearest_new(struct err *err)
{
    struct nearest *nearest = calloc(1, sizeof *nearest);

    if (nearest == NULL)
        err_nomem(err, "an index of demos");
    else
        nearest->pools = MAP_INIT;
    return nearest;
}

static void free_pool(struct ready_pool *pool)
{
    if (pool == NULL)
        return;
    search_index_free(pool->index);
    free(pool);
}

static void drop_pools(struct nearest *nearest)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&nearest->pools, &at, &key, &value))
        free_pool(value);
    map_release(&nearest->pools);
    nearest->pools = MAP_INIT;
}

void nearest_free(struct nearest *nearest)
{
    if (nearest == NULL)
        return;
    drop_pools(nearest);
    free(nearest);
}

// --- indexes ---

static json_t *document_of(const struct step *step, const struct demo *demo,
                           struct err *err)
{
    struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *document = NULL;

    step_query(step, demo->fields, &text);
    if (buf_ok(&text, "a demo", err)) {
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

static bool fill_pool(struct ready_pool *pool, const struct step *step,
                      const struct candidate_part *part,
                      const struct vectors *vectors, struct err *err)
{
    struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    bool ok = true;

    pool->n = part->n_demos;
    for (size_t i = 0; ok && i < pool->n; i++) {
        buf_clear(&text);
        step_query(step, part->demos[i].fields, &text);
        ok = buf_ok(&text, "a demo", err);
        if (ok && text.len > 0)
            pool->of[i] = vectors_find(vectors, text.data, text.len);
    }
    buf_release(&text);
    return ok;
}

// With vectors NULL, the pool is searched by words.
static struct ready_pool *make_pool(const struct step *step,
                                    const struct candidate_part *part,
                                    const struct vectors *vectors,
                                    struct err *err)
{
    struct ready_pool *pool =
        calloc(1, sizeof *pool + part->n_demos * sizeof *pool->of);
    bool ok = false;

    if (pool == NULL)
        err_nomem(err, "an index of demos");
    else if (vectors != NULL)
        ok = fill_pool(pool, step, part, vectors, err);
    else
        ok = (pool->index = make_index(step, part, err)) != NULL;
    if (ok)
        return pool;
    free_pool(pool);
    return NULL;
}

static struct ready_pool *pool_of(struct nearest *nearest,
                                  const struct step *step,
                                  const struct candidate_part *part,
                                  const struct vectors *vectors,
                                  struct err *err)
{
    struct hasher hasher;
    struct hash key;
    struct ready_pool *pool;

    hasher_init(&hasher, "pool");
    hasher_add_text(&hasher, step->name);
    hasher_add_hash(&hasher, &part->shown);
    key = hasher_end(&hasher);
    pool = map_find(&nearest->pools, &key);
    if (pool != NULL)
        return pool;
    if (nearest->pools.n >= POOLS_MAX)
        drop_pools(nearest);
    pool = make_pool(step, part, vectors, err);
    if (pool != NULL && !map_put(&nearest->pools, &key, pool)) {
        free_pool(pool);
        err_nomem(err, "an index of demos");
        return NULL;
    }
    return pool;
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

// Keeps the demos to be shown at the beginning of `found`, which lists all
// matches, best first. Other demos of the pool fill up the number. Returns how
// many there are.
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

static bool put_chosen(const struct nearest_pool *pool, const size_t *chosen,
                       size_t n, struct buf *out, struct err *err)
{
    bool ok = true;

    while (ok && n > 0)
        ok = prompt_demos(pool->step, &pool->part->demos[chosen[--n]], 1,
                          pool->adapter, out, err);
    return ok;
}

// The nearest demos, best first.
struct wanted {
    size_t most;   // to look for, one extra for each that is the question's own
    size_t *found; // owned; has room for the whole pool
    size_t n;
};

static bool init_wanted(struct wanted *wanted, const struct nearest_pool *pool,
                        struct err *err)
{
    const struct candidate_part *part = pool->part;

    *wanted = (struct wanted){.most = part->nearest};
    assert(part->nearest > 0);
    wanted->found = calloc(part->n_demos + 1, sizeof *wanted->found);
    if (wanted->found == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    for (size_t i = 0; i < part->n_demos; i++)
        wanted->most += is_own(part, i, pool->row);
    if (wanted->most > part->n_demos)
        wanted->most = part->n_demos;
    return true;
}

static bool put_found(struct wanted *wanted, const struct nearest_pool *pool,
                      struct buf *out, struct err *err)
{
    size_t n = choose(pool->part, pool->row, wanted->found, wanted->n);

    return put_chosen(pool, wanted->found, n, out, err);
}

bool nearest_put(struct nearest *nearest, const struct nearest_pool *pool,
                 const json_t *inputs, struct buf *out, struct err *err)
{
    struct buf query = BUF_INIT(TEXT_MAX_BYTES);
    struct wanted wanted;
    const struct ready_pool *ready;
    bool ok;

    if (pool->part->n_demos == 0)
        return true;
    step_query(pool->step, inputs, &query);
    ready = pool_of(nearest, pool->step, pool->part, NULL, err);
    ok = init_wanted(&wanted, pool, err) && ready != NULL &&
         buf_ok(&query, "a question", err) &&
         search_index_rank(ready->index, query.len > 0 ? query.data : "", NULL,
                           wanted.most, wanted.found, &wanted.n, err) &&
         put_found(&wanted, pool, out, err);
    free(wanted.found);
    buf_release(&query);
    return ok;
}

bool nearest_put_by_embeddings(struct nearest *nearest,
                               const struct nearest_pool *pool,
                               const struct vectors *vectors,
                               const struct direction *query, struct buf *out,
                               struct err *err)
{
    struct wanted wanted;
    const struct ready_pool *ready;
    bool ok;

    if (pool->part->n_demos == 0)
        return true;
    ready = pool_of(nearest, pool->step, pool->part, vectors, err);
    ok = init_wanted(&wanted, pool, err) && ready != NULL &&
         (query == NULL ||
          vectors_nearest(query, ready->of, ready->n, wanted.most, wanted.found,
                          &wanted.n, err)) &&
         put_found(&wanted, pool, out, err);
    free(wanted.found);
    return ok;
}

bool nearest_put_once(const struct program *program,
                      const struct nearest_pool *pool, const json_t *inputs,
                      struct buf *out, struct err *err)
{
    struct nearest *nearest = NULL;
    bool ok;

    if (program->pools_by == SEARCH_BY_EMBEDDINGS) {
        err_set(err, ERR_INPUT,
                "step `%.60s` shows the demos whose embeddings are nearest to "
                "its input's, which takes a model: use `promptcc predict` or "
                "`promptcc serve`, which ask it",
                pool->step->name);
        return false;
    }
    nearest = nearest_new(err);
    ok = nearest != NULL && nearest_put(nearest, pool, inputs, out, err);
    nearest_free(nearest);
    return ok;
}
