#include "retrieve/retrieval.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "common/map.h"
#include "program/graph/ask.h"
#include "program/graph/search_spec.h"
#include "program/job/documents.h"
#include "retrieve/passage.h"
#include "retrieve/search_index.h"

enum {
    PAYLOAD_MAX_BYTES = 64 << 20,
    KEPT_MAX_BYTES = 32 << 20, // of answers; if there are more, all are dropped
};

// An answer that was given before.
struct kept {
    size_t len;
    char text[];
};

// The embeddings of the texts of some documents, in their order.
struct shelf {
    size_t n;
    const struct direction *of[]; // NULL: a document without a text
};

struct retrieval {
    struct search_index *of_step[PROGRAM_MAX_STEPS]; // NULL: does not search
    bool owns[PROGRAM_MAX_STEPS]; // false: an earlier step's, with the same
                                  // documents
    struct map shelves;           // by documents and fields; owns its values
    struct map kept;              // by question; owns its values
    size_t kept_bytes;
    size_t asked[PROGRAM_MAX_STEPS]; // queries of each step
    size_t found[PROGRAM_MAX_STEPS]; // queries that found a passage
};

static bool searches(const struct program *program)
{
    bool any = false;

    for (size_t i = 0; i < program->n_steps; i++)
        any = any || program->steps[i].search != NULL;
    return any;
}

// Returns the index of an earlier step that searches the same documents.
static struct search_index *find_same(const struct retrieval *retrieval,
                                      const struct program *program, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (program->steps[i].search != NULL &&
            strcmp(program->steps[i].search->documents,
                   program->steps[at].search->documents) == 0)
            return retrieval->of_step[i];
    return NULL;
}

static bool open_step(struct retrieval *retrieval,
                      const struct program *program, size_t at,
                      struct bundle *bundle, struct err *err)
{
    struct search_index *index = find_same(retrieval, program, at);
    json_t *documents = NULL;

    if (index == NULL) {
        documents =
            documents_read(bundle, program->steps[at].search->documents, err);
        index = documents == NULL ? NULL : search_index_new(documents, err);
        json_decref(documents);
        retrieval->owns[at] = index != NULL;
    }
    retrieval->of_step[at] = index;
    return index != NULL;
}

bool retrieval_open(const struct program *program, struct bundle *bundle,
                    struct retrieval **out, struct err *err)
{
    struct retrieval *retrieval = NULL;

    if (!searches(program))
        return true;
    retrieval = calloc(1, sizeof *retrieval);
    if (retrieval == NULL) {
        err_nomem(err, "an index of documents");
        return false;
    }
    for (size_t i = 0; i < program->n_steps; i++) {
        if (program->steps[i].search == NULL ||
            open_step(retrieval, program, i, bundle, err))
            continue;
        retrieval_close(retrieval);
        return false;
    }
    *out = retrieval;
    return true;
}

bool retrieval_open_folder(const struct program *program, const char *folder,
                           struct retrieval **out, struct err *err)
{
    struct bundle *bundle = NULL;
    bool ok = false;

    if (!searches(program))
        return true;
    if (folder == NULL) {
        err_set(err, ERR_INPUT,
                "the program searches documents next to its compiled file, but "
                "it was loaded from a text: load it from the file");
        return false;
    }
    bundle = bundle_new(folder, err);
    if (bundle != NULL)
        bundle->folder = strdup(folder);
    if (bundle != NULL && bundle->folder == NULL)
        err_nomem(err, "the documents");
    else if (bundle != NULL)
        ok = retrieval_open(program, bundle, out, err);
    bundle_free(bundle);
    return ok;
}

// --- answers given before ---

static void drop_kept(struct retrieval *retrieval)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&retrieval->kept, &at, &key, &value))
        free(value);
    map_release(&retrieval->kept);
    retrieval->kept = MAP_INIT;
    retrieval->kept_bytes = 0;
}

static struct hash question_of(int step, const char *payload, size_t len)
{
    struct hasher hasher;

    hasher_init(&hasher, "search");
    hasher_add_int(&hasher, step);
    hasher_add(&hasher, payload, len);
    return hasher_end(&hasher);
}

// Appends what was found before; returns false if that is no longer known.
static bool put_kept(const struct retrieval *retrieval,
                     const struct hash *question, struct buf *out)
{
    const struct kept *kept = map_find(&retrieval->kept, question);

    if (kept != NULL)
        buf_append(out, kept->text, kept->len);
    return kept != NULL;
}

// If there is no memory to keep an answer, it will be searched for again.
static void keep(struct retrieval *retrieval, const struct hash *question,
                 const char *text, size_t len)
{
    struct kept *kept = NULL;

    if (len > KEPT_MAX_BYTES / 4)
        return;
    if (retrieval->kept_bytes + len > KEPT_MAX_BYTES)
        drop_kept(retrieval);
    kept = malloc(sizeof *kept + len);
    if (kept == NULL)
        return;
    kept->len = len;
    memcpy(kept->text, text, len);
    if (map_put(&retrieval->kept, question, kept))
        retrieval->kept_bytes += len;
    else
        free(kept);
}

static void drop_shelves(struct retrieval *retrieval)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&retrieval->shelves, &at, &key, &value))
        free(value);
    map_release(&retrieval->shelves);
}

// --- searching ---

void retrieval_close(struct retrieval *retrieval)
{
    if (retrieval == NULL)
        return;
    drop_kept(retrieval);
    drop_shelves(retrieval);
    for (size_t i = 0; i < PROGRAM_MAX_STEPS; i++)
        if (retrieval->owns[i])
            search_index_free(retrieval->of_step[i]);
    free(retrieval);
}

// Takes over the reference to passages.
static bool put_passages(json_t *passages, struct buf *out, struct err *err)
{
    buf_puts(out, "{\"passages\":");
    json_put(out, passages);
    buf_putc(out, '}');
    json_decref(passages);
    return buf_ok(out, "passages", err);
}

static const char NO_PASSAGES[] = "{\"passages\":[]}";

static void count(struct retrieval *retrieval, int step, const char *text,
                  size_t len)
{
    retrieval->asked[step]++;
    retrieval->found[step] +=
        len != sizeof NO_PASSAGES - 1 || memcmp(text, NO_PASSAGES, len) != 0;
}

bool retrieval_finds_nothing(const struct retrieval *retrieval, int step,
                             size_t *asked)
{
    *asked = retrieval->asked[step];
    return *asked > 0 && retrieval->found[step] == 0;
}

static bool search(struct retrieval *retrieval, int step, const char *payload,
                   size_t len, struct buf *out, struct err *err)
{
    json_t *asked = json_parse(payload, len, PAYLOAD_MAX_BYTES, err);
    json_t *passages = NULL;

    assert(retrieval != NULL && retrieval->of_step[step] != NULL);
    if (asked != NULL)
        passages = search_index_find(
            retrieval->of_step[step], json_get_text(asked, "query", ""),
            json_object_get(asked, "fields"), json_get_int(asked, "k", 1), err);
    json_decref(asked);
    if (passages == NULL)
        return false;
    return put_passages(passages, out, err);
}

bool retrieval_answer(struct retrieval *retrieval, int step,
                      const char *payload, size_t len, struct buf *out,
                      struct err *err)
{
    struct hash question = question_of(step, payload, len);
    size_t before = out->len;

    if (!put_kept(retrieval, &question, out)) {
        if (!search(retrieval, step, payload, len, out, err))
            return false;
        keep(retrieval, &question, out->data + before, out->len - before);
    }
    if (!buf_ok(out, "passages", err))
        return false;
    count(retrieval, step, out->data + before, out->len - before);
    return true;
}

// --- by embeddings ---

// Puts the text of a document that is embedded into out; returns false if it
// has none.
static bool put_text(const json_t *document, const json_t *fields,
                     struct buf *out)
{
    buf_clear(out);
    passage_put(document, fields, out);
    return ask_can_embed(out);
}

// A list of distinct texts.
struct texts {
    json_t *list; // owned
    struct map seen;
};

static bool add_text(struct texts *texts, const struct buf *text)
{
    struct hash key = hash_of("text", text->data, text->len);

    return map_find(&texts->seen, &key) != NULL ||
           (map_put(&texts->seen, &key, texts) &&
            json_array_append_new(texts->list,
                                  json_stringn(text->data, text->len)) == 0);
}

static bool add_documents(const struct search_index *index,
                          const json_t *fields, struct texts *texts)
{
    const json_t *documents = search_index_documents(index);
    struct buf text = BUF_INIT(PASSAGE_MAX_BYTES);
    bool ok = true;

    for (size_t i = 0; ok && i < json_array_size(documents); i++) {
        if (put_text(json_array_get(documents, i), fields, &text))
            ok = add_text(texts, &text);
        ok = ok && !text.failed;
    }
    buf_release(&text);
    return ok;
}

// Returns what candidates may choose for that key of the step; NULL if nothing.
static const struct tunable *choice_of(const struct tunables *tunables,
                                       int step, const char *key)
{
    for (size_t i = 0; tunables != NULL && i < tunables->n; i++) {
        const struct tunable *one = &tunables->items[i];

        if (one->step == step && strcmp(one->key, key) == 0)
            return one;
    }
    return NULL;
}

static bool add_step(const struct retrieval *retrieval,
                     const struct program *program, int step,
                     const json_t *values, const struct tunables *tunables,
                     struct texts *texts)
{
    const struct step *at = &program->steps[step];
    const struct search_index *index = retrieval->of_step[step];
    const struct tunable *fields = choice_of(tunables, step, "fields");
    bool ok = true;

    if (choice_of(tunables, step, "by") == NULL &&
        search_by(at, values) != SEARCH_BY_EMBEDDINGS)
        return true;
    if (fields == NULL)
        return add_documents(index, search_fields(at, values), texts);
    for (size_t i = 0; ok && i < fields->n_choices; i++)
        ok = add_documents(index, fields->choices[i], texts);
    return ok;
}

json_t *retrieval_texts(const struct retrieval *retrieval,
                        const struct program *program, const json_t *values,
                        const struct tunables *tunables, struct err *err)
{
    struct texts texts = {.list = json_array(), .seen = MAP_INIT};
    bool ok = texts.list != NULL;

    for (size_t i = 0; ok && i < program->n_steps; i++)
        if (program->steps[i].search != NULL)
            ok = add_step(retrieval, program, (int)i, values, tunables, &texts);
    map_release(&texts.seen);
    if (ok)
        return texts.list;
    json_decref(texts.list);
    err_nomem(err, "the documents");
    return NULL;
}

static bool fill_shelf(struct shelf *shelf, const json_t *documents,
                       const struct vectors *vectors, const json_t *fields,
                       struct err *err)
{
    struct buf text = BUF_INIT(PASSAGE_MAX_BYTES);
    bool known = true;
    bool ok = true;

    for (size_t i = 0; ok && i < shelf->n; i++) {
        if (put_text(json_array_get(documents, i), fields, &text)) {
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

static struct shelf *make_shelf(const struct search_index *index,
                                const struct vectors *vectors,
                                const json_t *fields, struct err *err)
{
    const json_t *documents = search_index_documents(index);
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

static struct hash shelf_key(const struct step *step, const json_t *fields)
{
    struct hasher hasher;

    hasher_init(&hasher, "shelf");
    hasher_add_text(&hasher, step->search->documents);
    hash_fields(&hasher, fields);
    return hasher_end(&hasher);
}

// Returns the shelf of a step. It is made for the first query; by then the
// embeddings of all documents are known.
static const struct shelf *shelf_of(struct retrieval *retrieval,
                                    const struct vectors *vectors,
                                    const struct program *program, int step,
                                    const json_t *fields, struct err *err)
{
    struct hash key = shelf_key(&program->steps[step], fields);
    struct shelf *shelf = map_find(&retrieval->shelves, &key);

    if (shelf != NULL)
        return shelf;
    shelf = make_shelf(retrieval->of_step[step], vectors, fields, err);
    if (shelf == NULL || map_put(&retrieval->shelves, &key, shelf))
        return shelf;
    free(shelf);
    err_nomem(err, "the documents");
    return NULL;
}

static bool find_near(struct retrieval *retrieval,
                      const struct vectors *vectors,
                      const struct retrieval_query *asked,
                      const struct direction *query, struct buf *out,
                      struct err *err)
{
    const struct step *at = &asked->program->steps[asked->step];
    const struct shelf *shelf =
        shelf_of(retrieval, vectors, asked->program, asked->step,
                 search_fields(at, asked->values), err);
    size_t found[SEARCH_MAX_PASSAGES];
    size_t n = 0;
    json_t *passages = NULL;

    if (shelf != NULL &&
        vectors_nearest(query, shelf->of, shelf->n,
                        (size_t)search_k(at, asked->values), found, &n, err))
        passages = search_index_passages(retrieval->of_step[asked->step], found,
                                         n, err);
    return passages != NULL && put_passages(passages, out, err);
}

static struct hash near_question(const struct retrieval_query *query)
{
    const struct step *step = &query->program->steps[query->step];
    struct hash shelf = shelf_key(step, search_fields(step, query->values));
    struct hasher hasher;

    hasher_init(&hasher, "search near");
    hasher_add_int(&hasher, query->step);
    hasher_add_int(&hasher, search_k(step, query->values));
    hasher_add_hash(&hasher, &shelf);
    hasher_add(&hasher, query->answer, query->len);
    return hasher_end(&hasher);
}

bool retrieval_answer_by_embedding(struct retrieval *retrieval,
                                   const struct vectors *vectors,
                                   const struct retrieval_query *query,
                                   struct buf *out, struct err *err)
{
    struct hash question = near_question(query);
    struct direction *direction;
    size_t before = out->len;
    bool ok;

    // A search by embeddings always finds something.
    retrieval->asked[query->step]++;
    retrieval->found[query->step]++;
    if (put_kept(retrieval, &question, out))
        return buf_ok(out, "passages", err);
    direction = vectors_read(vectors, query->answer, query->len, err);
    ok = direction != NULL &&
         find_near(retrieval, vectors, query, direction, out, err);
    if (ok)
        keep(retrieval, &question, out->data + before, out->len - before);
    free(direction);
    return ok;
}
