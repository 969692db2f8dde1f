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
#include "retrieve/kept_answers.h"
#include "retrieve/passage.h"
#include "retrieve/search_index.h"
#include "retrieve/shelves.h"

enum {
    PAYLOAD_MAX_BYTES = 64 << 20,
};

struct retrieval {
    struct search_index *of_step[PROGRAM_MAX_STEPS]; // NULL: does not search
    bool owns[PROGRAM_MAX_STEPS]; // false: an earlier step's, with the same
                                  // documents
    struct shelves shelves;
    struct kept_answers kept;
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

static struct hash question_of(int step, const char *payload, size_t len)
{
    struct hasher hasher;

    hasher_init(&hasher, "search");
    hasher_add_int(&hasher, step);
    hasher_add(&hasher, payload, len);
    return hasher_end(&hasher);
}

// --- searching ---

void retrieval_close(struct retrieval *retrieval)
{
    if (retrieval == NULL)
        return;
    kept_answers_release(&retrieval->kept);
    shelves_release(&retrieval->shelves);
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

    if (!kept_answers_put(&retrieval->kept, &question, out)) {
        if (!search(retrieval, step, payload, len, out, err))
            return false;
        kept_answers_add(&retrieval->kept, &question, out->data + before,
                         out->len - before);
    }
    if (!buf_ok(out, "passages", err))
        return false;
    count(retrieval, step, out->data + before, out->len - before);
    return true;
}

// --- by embeddings ---

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
        if (shelf_put_text(json_array_get(documents, i), fields, &text))
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

static bool find_near(struct retrieval *retrieval,
                      const struct vectors *vectors,
                      const struct retrieval_query *asked,
                      const struct direction *query, struct buf *out,
                      struct err *err)
{
    const struct step *at = &asked->program->steps[asked->step];
    const struct search_index *index = retrieval->of_step[asked->step];
    const json_t *fields = search_fields(at, asked->values);
    struct hash key = shelf_key(at->search->documents, fields);
    const struct shelf *shelf =
        shelves_get(&retrieval->shelves, &key, search_index_documents(index),
                    fields, vectors, err);
    size_t found[SEARCH_MAX_PASSAGES];
    size_t n = 0;
    json_t *passages = NULL;

    if (shelf != NULL &&
        vectors_nearest(query, shelf->of, shelf->n,
                        (size_t)search_k(at, asked->values), found, &n, err))
        passages = search_index_passages(index, found, n, err);
    return passages != NULL && put_passages(passages, out, err);
}

static struct hash near_question(const struct retrieval_query *query)
{
    const struct step *step = &query->program->steps[query->step];
    struct hash shelf =
        shelf_key(step->search->documents, search_fields(step, query->values));
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
    if (kept_answers_put(&retrieval->kept, &question, out))
        return buf_ok(out, "passages", err);
    direction = vectors_read(vectors, query->answer, query->len, err);
    ok = direction != NULL &&
         find_near(retrieval, vectors, query, direction, out, err);
    if (ok)
        kept_answers_add(&retrieval->kept, &question, out->data + before,
                         out->len - before);
    free(direction);
    return ok;
}
