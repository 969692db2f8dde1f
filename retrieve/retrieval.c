#include "retrieve/retrieval.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "common/map.h"
#include "program/graph/search_spec.h"
#include "program/job/documents.h"
#include "retrieve/search_index.h"

enum {
    PAYLOAD_MAX_BYTES = 64 << 20,
    KEPT_MAX_BYTES = 32 << 20, // of answers; then all of them are dropped
};

// An answer that was given.
struct kept {
    size_t len;
    char text[];
};

struct retrieval {
    struct search_index *of_step[PROGRAM_MAX_STEPS]; // NULL: asks nothing
    bool owns[PROGRAM_MAX_STEPS]; // else an earlier step's, of equal documents
    struct map kept;              // by question; values owned
    size_t kept_bytes;
};

static bool searches(const struct program *program)
{
    bool any = false;

    for (size_t i = 0; i < program->n_steps; i++)
        any = any || program->steps[i].search != NULL;
    return any;
}

// The index of an earlier step over the same documents.
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
                "the program searches documents that lie beside its compiled "
                "file, and it came as a text: load it from its file");
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

// --- answers that were given ---

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

// Where there is no memory for it, it is searched for again.
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

// --- searching ---

void retrieval_close(struct retrieval *retrieval)
{
    if (retrieval == NULL)
        return;
    drop_kept(retrieval);
    for (size_t i = 0; i < PROGRAM_MAX_STEPS; i++)
        if (retrieval->owns[i])
            search_index_free(retrieval->of_step[i]);
    free(retrieval);
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
    buf_puts(out, "{\"passages\":");
    json_put(out, passages, false);
    buf_putc(out, '}');
    json_decref(passages);
    return buf_ok(out, "passages", err);
}

bool retrieval_answer(struct retrieval *retrieval, int step,
                      const char *payload, size_t len, struct buf *out,
                      struct err *err)
{
    struct hash question = question_of(step, payload, len);
    const struct kept *kept = map_find(&retrieval->kept, &question);
    size_t before = out->len;

    if (kept != NULL) {
        buf_append(out, kept->text, kept->len);
        return buf_ok(out, "passages", err);
    }
    if (!search(retrieval, step, payload, len, out, err))
        return false;
    keep(retrieval, &question, out->data + before, out->len - before);
    return true;
}
