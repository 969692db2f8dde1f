// retrieve: the passages of the job's documents that best match a query.
//
// The query is the text of the step's inputs, one after the other. A program
// does not know which documents exist: the code that runs it has their index
// (retrieve/retrieval.h) and answers {"passages": [...]}. A search by words
// needs only that one request. For a search by embeddings the query is embedded
// first, and the code that runs the program turns that answer into the passages
// (retrieval_answer_by_embedding).

#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/graph/ask.h"
#include "program/graph/kind.h"
#include "program/graph/search_spec.h"
#include "program/graph/step.h"
#include "program/graph/type_form.h"

enum { K_DEFAULT = 3, MAX_FIELDS = 16, ANSWER_MAX_BYTES = 64 << 20 };

static const char *const keys[] = {"inputs", "by", "k", "fields", NULL};
static const char *const tunables[] = {"by", "k", "fields", NULL};

// --- values ---

static bool check_k(const json_t *value, struct err *err)
{
    if (json_is_integer(value) && json_integer_value(value) >= 1 &&
        json_integer_value(value) <= SEARCH_MAX_PASSAGES)
        return true;
    err_set(err, ERR_INPUT, "`k` must be a whole number from 1 to %d",
            SEARCH_MAX_PASSAGES);
    return false;
}

static bool check_fields(const json_t *value, struct err *err)
{
    size_t n = json_array_size(value);
    bool ok = json_is_string(value) || (n > 0 && n <= MAX_FIELDS);

    for (size_t i = 0; ok && i < n; i++)
        ok = json_is_string(json_array_get(value, i));
    if (!ok)
        err_set(err, ERR_INPUT,
                "`fields` must be the name of a field of the documents, or a "
                "list of up to %d",
                MAX_FIELDS);
    return ok;
}

static bool check_by(const json_t *value, struct err *err)
{
    const char *name = json_is_string(value) ? json_string_value(value) : "";

    for (size_t i = 0; search_by_names[i] != NULL; i++)
        if (strcmp(name, search_by_names[i]) == 0)
            return true;
    err_set(err, ERR_INPUT, "`by` must be `words` or `embeddings`");
    return false;
}

static bool may_be(const struct program *program, const struct step *step,
                   const char *key, const json_t *value, struct err *err)
{
    (void)program;
    (void)step;
    if (strcmp(key, "by") == 0)
        return check_by(value, err);
    return strcmp(key, "k") == 0 ? check_k(value, err)
                                 : check_fields(value, err);
}

static enum search_by by_of(const json_t *value)
{
    return strcmp(json_string_value(value),
                  search_by_names[SEARCH_BY_EMBEDDINGS]) == 0
               ? SEARCH_BY_EMBEDDINGS
               : SEARCH_BY_WORDS;
}

enum search_by search_by(const struct step *step, const json_t *values)
{
    const json_t *by = step_value(step, values, "by");

    return by == NULL ? step->search->by : by_of(by);
}

int64_t search_k(const struct step *step, const json_t *values)
{
    const json_t *k = step_value(step, values, "k");

    return k == NULL ? step->search->k : json_integer_value(k);
}

const json_t *search_fields(const struct step *step, const json_t *values)
{
    const json_t *fields = step_value(step, values, "fields");

    return fields == NULL ? step->search->fields : fields;
}

size_t search_embeddings(const struct program *program, const json_t *values)
{
    size_t n = 0;

    for (size_t i = 0; i < program->n_steps; i++)
        n += program->steps[i].search != NULL &&
             search_by(&program->steps[i], values) == SEARCH_BY_EMBEDDINGS;
    return n;
}

// --- reading ---

static bool read_documents(struct scope *scope, const struct step *step,
                           const struct node *node, struct search_spec *spec)
{
    const char *text = NULL;
    size_t len = 0;

    if (!node_text(node, "`retrieve`", &text, scope->diags))
        return false;
    text = text_trim(text, strlen(text), &len);
    while (len > 1 && text[len - 1] == '/')
        len--;
    if (len == 0) {
        diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "step `%s` names no documents", step->name);
        diag_remedy(scope->diags, "name a file with an object per document, or "
                                  "a folder of text files, next to the job "
                                  "file");
        return false;
    }
    spec->documents = arena_strndup(&scope->program->arena, text, len);
    return spec->documents != NULL || step_nomem(scope);
}

// Reads the value of a key that may be tuned; *out stays NULL if there is none.
static bool read_value(struct scope *scope, const struct node *node,
                       bool (*check)(const json_t *, struct err *),
                       json_t **out)
{
    struct err why = ERR_CLEAR;

    if (node == NULL)
        return true;
    *out = node_json(node);
    if (*out == NULL)
        return step_nomem(scope);
    if (check(*out, &why))
        return true;
    diag_add(scope->diags, DIAG_ERROR, "wrong-value", &node->place, "%s",
             why.text);
    return false;
}

static bool make_output(struct scope *scope, struct step *step)
{
    struct arena *arena = &scope->program->arena;
    struct type *item = arena_alloc(arena, sizeof *item);
    struct field *field = arena_alloc(arena, sizeof *field);

    if (item == NULL || field == NULL)
        return step_nomem(scope);
    *item = (struct type){.kind = TYPE_STR, .min_length = -1, .max_length = -1};
    *field = (struct field){.name = "passages",
                            .desc = "What was found, the best match first",
                            .type = {.kind = TYPE_LIST,
                                     .item = item,
                                     .min_length = -1,
                                     .max_length = -1}};
    step->signature.outputs = field;
    step->signature.n_outputs = 1;
    return true;
}

static bool declare(struct scope *scope, struct step *step,
                    const struct node *node)
{
    struct search_spec *spec =
        arena_alloc(&scope->program->arena, sizeof *spec);
    json_t *by = NULL;
    json_t *k = NULL;

    if (spec == NULL)
        return step_nomem(scope);
    step->search = spec;
    spec->k = K_DEFAULT;
    bool ok = make_output(scope, step);
    ok = read_documents(scope, step, node_find(node, "retrieve"), spec) && ok;
    ok = read_value(scope, node_find(node, "fields"), check_fields,
                    &spec->fields) &&
         ok;
    ok = read_value(scope, node_find(node, "k"), check_k, &k) && ok;
    ok = read_value(scope, node_find(node, "by"), check_by, &by) && ok;
    if (ok && k != NULL)
        spec->k = json_integer_value(k);
    if (ok && by != NULL)
        spec->by = by_of(by);
    json_decref(by);
    json_decref(k);
    return ok;
}

static json_t *json(const struct program *program, const struct step *step)
{
    const struct search_spec *spec = step->search;
    json_t *inputs = step_inputs_json(program, step);
    json_t *map = inputs == NULL ? NULL
                                 : json_pack("{s:s, s:o, s:I}", "retrieve",
                                             spec->documents, "inputs", inputs,
                                             "k", (json_int_t)spec->k);

    bool ok = map != NULL;

    if (ok && spec->by != SEARCH_BY_WORDS)
        ok = json_object_set_new(map, "by",
                                 json_string(search_by_names[spec->by])) == 0;
    if (ok && spec->fields != NULL)
        ok = json_object_set(map, "fields", spec->fields) == 0;
    if (ok)
        return map;
    json_decref(map);
    return NULL;
}

// --- asking ---

static void ask_by_words(const struct step *step, const json_t *values,
                         const struct buf *query, struct buf *text,
                         struct ask *out)
{
    const json_t *fields = search_fields(step, values);

    out->answerer = ANSWERER_RETRIEVE;
    buf_printf(text,
               "{\"k\":%lld,\"fields\":", (long long)search_k(step, values));
    if (fields == NULL)
        buf_puts(text, "null");
    else
        json_put(text, fields);
    buf_puts(text, ",\"query\":");
    buf_put_json(text, query->len > 0 ? query->data : "", query->len);
    buf_putc(text, '}');
}

// A query without any words goes to the search by words, which finds nothing.
static bool ask(const struct step *step, const json_t *values,
                const json_t *inputs, struct buf *text, struct ask *out,
                struct err *err)
{
    struct buf query = BUF_INIT(ANSWER_MAX_BYTES);
    bool ok;

    step_query(step, inputs, &query);
    ok = buf_ok(&query, "a query", err);
    if (ask_can_embed(&query) &&
        search_by(step, values) == SEARCH_BY_EMBEDDINGS) {
        out->answerer = ANSWERER_EMBED;
        ask_put_embedding(query.data, query.len, text);
    } else if (ok)
        ask_by_words(step, values, &query, text, out);
    buf_release(&query);
    return ok && buf_ok(text, "a query", err);
}

static bool answered(const struct step *step, const struct call_answer *answer,
                     json_t **outputs, struct err *err)
{
    (void)step;
    *outputs =
        json_parse(answer->text, answer->text_len, ANSWER_MAX_BYTES, err);
    return *outputs != NULL;
}

const struct step_kind step_retrieve = {
    .key = "retrieve",
    .keys = keys,
    .declare = declare,
    .resolve = step_resolve_inputs,
    .json = json,
    .tunables = tunables,
    .may_be = may_be,
    .ask = ask,
    .answered = answered,
    .dspy_remark =
        "its passages must be found by the program that loads this file",
};
