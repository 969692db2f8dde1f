#include "predict/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "program/graph/ask.h"

enum {
    TRIES = 4,         // for a text
    BACK_OFF_MS = 500, // doubled with each try
    TEXT_MAX_BYTES = 32 << 20,
};

enum text_state { TEXT_WAITS, TEXT_OPEN, TEXT_THERE };

struct text {
    enum text_state state;
    int tries;
    int64_t due_ms; // WAITS: not to be sent before
};

struct corpus {
    struct corpus_options options;
    struct vectors *vectors; // owned
    json_t *list;            // the texts; owned
    struct text *texts;      // one for each; owned
    size_t n;
    size_t n_there;
    size_t n_open;
    size_t first; // all before it have their embeddings
    struct err failure;
};

// Adds the demos of pools that are picked by embeddings.
static bool add_pools(const struct compiled *compiled, json_t *list,
                      struct err *err)
{
    return compiled->program->pools_by != SEARCH_BY_EMBEDDINGS ||
           candidate_pool_texts(compiled->candidate, compiled->program, list,
                                err);
}

bool corpus_open(const struct corpus_options *options, struct corpus **out,
                 struct err *err)
{
    const struct compiled *compiled = options->compiled;
    struct corpus *corpus;

    if (compiled->embed_model == NULL || compiled->embed_model[0] == '\0')
        return true;
    corpus = calloc(1, sizeof *corpus);
    if (corpus == NULL) {
        err_nomem(err, "the documents");
        return false;
    }
    *out = corpus;
    corpus->options = *options;
    corpus->vectors = vectors_new(err);
    corpus->list = retrieval_texts(options->retrieval, compiled->program,
                                   compiled->candidate->values, NULL, err);
    if (corpus->vectors == NULL || corpus->list == NULL)
        return false;
    if (!add_pools(compiled, corpus->list, err))
        return false;
    corpus->n = json_array_size(corpus->list);
    corpus->texts = calloc(corpus->n + 1, sizeof *corpus->texts);
    if (corpus->texts == NULL)
        err_nomem(err, "the documents");
    return corpus->texts != NULL;
}

static int64_t id_of(const struct corpus *corpus, size_t i)
{
    return corpus->options.first_id + (int64_t)i;
}

static void drop_calls(struct corpus *corpus)
{
    for (size_t i = 0; corpus->n_open > 0 && i < corpus->n; i++) {
        if (corpus->texts[i].state != TEXT_OPEN)
            continue;
        model_cancel(corpus->options.client, id_of(corpus, i));
        corpus->texts[i] = (struct text){0};
        corpus->n_open--;
    }
}

void corpus_close(struct corpus *corpus)
{
    if (corpus == NULL)
        return;
    drop_calls(corpus);
    vectors_free(corpus->vectors);
    json_decref(corpus->list);
    free(corpus->texts);
    free(corpus);
}

enum corpus_state corpus_state(const struct corpus *corpus)
{
    if (corpus == NULL || corpus->n_there == corpus->n)
        return CORPUS_READY;
    return corpus->failure.code != ERR_NONE ? CORPUS_FAILED : CORPUS_WANTED;
}

const struct err *corpus_failure(const struct corpus *corpus)
{
    return &corpus->failure;
}

void corpus_want(struct corpus *corpus)
{
    corpus->failure = ERR_CLEAR;
}

const struct vectors *corpus_vectors(const struct corpus *corpus)
{
    return corpus->vectors;
}

// --- asking ---

bool corpus_begin(const struct corpus *corpus, int64_t id, const char *payload,
                  size_t len, struct err *err)
{
    const struct compiled *compiled = corpus->options.compiled;
    struct call_request request = {
        .kind = CALL_EMBED,
        .model = compiled->embed_model,
        .prefix = ASK_EMBED_PREFIX,
        .prefix_len = strlen(ASK_EMBED_PREFIX),
        .tail = payload,
        .tail_len = len,
        .options = {.num_ctx = compiled->embed_num_ctx, .num_predict = 1}};

    return model_begin(corpus->options.client, id, &request,
                       corpus->options.timeout_ms, err);
}

static bool begin_text(struct corpus *corpus, size_t i, struct err *err)
{
    const json_t *text = json_array_get(corpus->list, i);
    struct buf payload = BUF_INIT(TEXT_MAX_BYTES);
    bool ok;

    ask_put_embedding(json_string_value(text), json_string_length(text),
                      &payload);
    ok = buf_ok(&payload, "a document", err) &&
         corpus_begin(corpus, id_of(corpus, i), payload.data, payload.len, err);
    buf_release(&payload);
    if (!ok)
        return false;
    corpus->texts[i].state = TEXT_OPEN;
    corpus->texts[i].tries++;
    corpus->n_open++;
    return true;
}

bool corpus_send(struct corpus *corpus, int64_t now, int64_t *due_ms,
                 struct err *err)
{
    if (corpus_state(corpus) != CORPUS_WANTED)
        return true;
    while (corpus->first < corpus->n &&
           corpus->texts[corpus->first].state == TEXT_THERE)
        corpus->first++;
    for (size_t i = corpus->first;
         i < corpus->n &&
         model_open(corpus->options.client) < (size_t)corpus->options.slots;
         i++) {
        struct text *text = &corpus->texts[i];

        if (text->state != TEXT_WAITS)
            continue;
        if (text->due_ms > now)
            *due_ms = text->due_ms < *due_ms ? text->due_ms : *due_ms;
        else if (!begin_text(corpus, i, err))
            return false;
    }
    return true;
}

// --- answers ---

static void fail(struct corpus *corpus, enum err_code code, const char *why)
{
    drop_calls(corpus);
    err_set(&corpus->failure, code,
            "the texts to search by embeddings cannot be embedded: %s", why);
}

static void take_fault(struct corpus *corpus, struct text *text,
                       const struct model_done *done)
{
    bool hopeless = done->fault == FAULT_MODEL || done->fault == FAULT_REQUEST;

    if (!hopeless && text->tries < TRIES) {
        text->due_ms =
            clock_monotonic_ms() + ((int64_t)BACK_OFF_MS << (text->tries - 1));
        return;
    }
    *text = (struct text){0};
    fail(corpus, hopeless ? ERR_INPUT : ERR_FAULT, done->text);
}

static void take_answer(struct corpus *corpus, size_t i,
                        const struct call_answer *answer)
{
    const json_t *text = json_array_get(corpus->list, i);
    struct err why = ERR_CLEAR;

    if (answer->outcome != CALL_TEXT) {
        err_set(&why, ERR_INPUT,
                "the text that begins `%.60s` is longer than `%.40s` can read "
                "at once",
                json_string_value(text), corpus->options.compiled->embed_model);
        fail(corpus, why.code, why.text);
    } else if (!vectors_put(corpus->vectors, json_string_value(text),
                            json_string_length(text), answer->text,
                            answer->text_len, &why)) {
        fail(corpus, why.code, why.text);
    } else {
        corpus->texts[i].state = TEXT_THERE;
        corpus->n_there++;
    }
}

bool corpus_take(struct corpus *corpus, const struct model_done *done)
{
    size_t i;

    if (corpus == NULL || done->id < corpus->options.first_id)
        return false;
    i = (size_t)(done->id - corpus->options.first_id);
    corpus->texts[i].state = TEXT_WAITS;
    corpus->n_open--;
    if (done->fault != FAULT_NONE)
        take_fault(corpus, &corpus->texts[i], done);
    else
        take_answer(corpus, i, &done->answer);
    return true;
}
