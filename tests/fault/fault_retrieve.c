#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/vector.h"
#include "fault/alloc_fault.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"
#include "retrieve/search_index.h"
#include "unit/given_program.h"

static json_t *documents_of(struct err *err)
{
    json_t *list = json_pack("[{s:s, s:s}, {s:s}]", "title", "Roses", "text",
                             "Water them at noon.", "text", "Noon again");

    if (list == NULL)
        err_nomem(err, "the documents");
    return list;
}

static bool index_and_find(struct err *err)
{
    json_t *documents = documents_of(err);
    struct search_index *index =
        documents == NULL ? NULL : search_index_new(documents, err);
    json_t *found = index == NULL ? NULL
                                  : search_index_find(index, "at noon, roses",
                                                      NULL, 3, err);
    bool ok = found != NULL;

    if (ok)
        cr_expect_eq(json_array_size(found), 2);
    json_decref(found);
    search_index_free(index);
    json_decref(documents);
    return ok;
}

Test(retrieve, indexing_and_finding_documents_reports_out_of_memory)
{
    cr_expect_gt(fault_each(index_and_find), 25);
}

// The pool is made beforehand; only picking is tested.
static struct program *program;
static struct candidate *candidate;
static json_t *inputs;

static void make_pool(void)
{
    struct err err = ERR_CLEAR;
    struct demo demos[3];

    program = given_program("inputs: {text: }\n"
                            "steps:\n"
                            "  sort: {predict: Sort., inputs: [text],\n"
                            "         outputs: {label: }}\n");
    candidate = candidate_new(program, &err);
    cr_assert_not_null(candidate, "%s", err.text);
    for (int i = 0; i < 3; i++)
        demos[i] = (struct demo){.fields = json_pack("{s:s, s:s}", "text",
                                                     i == 1 ? "at noon" : "no",
                                                     "label", "x"),
                                 .row = -1};
    cr_assert(candidate_set_demos(candidate, 0, 1, demos, 3, &err));
    for (int i = 0; i < 3; i++)
        json_decref(demos[i].fields);
    candidate_set_nearest(candidate, 0, 2);
    inputs = given_json("{\"text\": \"At noon?\"}");
}

static bool pick(struct err *err)
{
    struct buf text = BUF_INIT(1 << 20);
    bool ok = nearest_put_once(program,
                               &(struct nearest_pool){&program->steps[0],
                                                      &candidate->parts[0],
                                                      ADAPTER_CHAT, -1},
                               inputs, &text, err);

    if (ok)
        cr_expect_not_null(strstr(text.data, "at noon"));
    buf_release(&text);
    return ok;
}

Test(retrieve, picking_demos_reports_out_of_memory)
{
    make_pool();
    cr_expect_gt(fault_each(pick), 25);
    json_decref(inputs);
    candidate_unref(candidate);
    program_free(program);
}

// --- picking by embeddings

static bool put_answer(const double *numbers, struct buf *out, struct err *err)
{
    buf_clear(out);
    return vector_write(numbers, 2, out, err);
}

static bool put_both(struct vectors *vectors, struct buf *answer,
                     struct err *err)
{
    return put_answer((double[]){1, 0}, answer, err) &&
           vectors_put(vectors, "east", 4, answer->data, answer->len, err) &&
           put_answer((double[]){0, 1}, answer, err) &&
           vectors_put(vectors, "north", 5, answer->data, answer->len, err);
}

static struct retrieval *open_east_and_north(struct err *err)
{
    static const char lines[] = "{\"t\": \"east\"}\n{\"t\": \"north\"}\n";
    struct bundle *bundle = bundle_new("job.yaml", err);
    struct retrieval *retrieval = NULL;

    if (bundle != NULL &&
        bundle_add(bundle, "d.jsonl", lines, strlen(lines), err))
        (void)retrieval_open(program, bundle, &retrieval, err);
    bundle_free(bundle);
    return retrieval;
}

static bool find_near(struct err *err)
{
    struct retrieval *retrieval = open_east_and_north(err);
    struct vectors *vectors = retrieval == NULL ? NULL : vectors_new(err);
    struct buf answer = BUF_INIT(1 << 16);
    struct buf out = BUF_INIT(1 << 16);
    json_t *texts = NULL;
    bool ok = false;

    if (vectors != NULL)
        texts = retrieval_texts(retrieval, program, NULL, NULL, err);
    ok = texts != NULL && put_both(vectors, &answer, err) &&
         retrieval_answer_by_embedding(
             retrieval, vectors,
             &(struct retrieval_query){program, 0, NULL, answer.data,
                                       answer.len},
             &out, err);
    if (ok)
        cr_expect_str_eq(out.data, "{\"passages\":[\"north\"]}");
    json_decref(texts);
    buf_release(&answer);
    buf_release(&out);
    vectors_free(vectors);
    retrieval_close(retrieval);
    return ok;
}

Test(retrieve, finding_documents_by_embeddings_reports_out_of_memory)
{
    program = given_program(
        "inputs: {q: }\n"
        "steps:\n"
        "  search: {retrieve: d.jsonl, inputs: [q], by: embeddings, k: 1}\n"
        "  sort: {predict: Sort., inputs: {q: , p: search.passages},\n"
        "         outputs: {label: }}\n");
    cr_expect_gt(fault_each(find_near), 40);
    program_free(program);
}

static bool pick_near(struct err *err)
{
    struct nearest *nearest = nearest_new(err);
    struct vectors *vectors = nearest == NULL ? NULL : vectors_new(err);
    struct buf answer = BUF_INIT(1 << 16);
    struct buf text = BUF_INIT(1 << 16);
    struct direction *query = NULL;
    json_t *texts = json_array();
    bool ok = vectors != NULL && texts != NULL;

    if (ok && candidate_pool_texts(candidate, program, texts, err) &&
        put_answer((double[]){1, 1}, &answer, err) &&
        vectors_put(vectors, "at noon", 7, answer.data, answer.len, err))
        query = vectors_read(vectors, answer.data, answer.len, err);
    ok = query != NULL &&
         nearest_put_by_embeddings(nearest,
                                   &(struct nearest_pool){&program->steps[0],
                                                          &candidate->parts[0],
                                                          ADAPTER_CHAT, -1},
                                   vectors, query, &text, err);
    if (ok)
        cr_expect_not_null(strstr(text.data, "at noon"));
    if (!ok && texts == NULL)
        err_nomem(err, "texts");
    free(query);
    json_decref(texts);
    buf_release(&answer);
    buf_release(&text);
    nearest_free(nearest);
    vectors_free(vectors);
    return ok;
}

Test(retrieve, picking_demos_by_embeddings_reports_out_of_memory)
{
    make_pool();
    cr_expect_gt(fault_each(pick_near), 15);
    json_decref(inputs);
    candidate_unref(candidate);
    program_free(program);
}
