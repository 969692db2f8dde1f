#include "retrieve/vectors.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/vector.h"
#include "given_program.h"
#include "program/graph/kind.h"
#include "program/job/bundle.h"
#include "retrieve/retrieval.h"

static struct err err;
static struct vectors *vectors;

static void set_up(void)
{
    err = ERR_CLEAR;
    vectors = vectors_new(&err);
}

static void tear_down(void)
{
    vectors_free(vectors);
}

TestSuite(vectors, .init = set_up, .fini = tear_down);

// Returns a model's answer; the caller frees it.
static char *answer_of(const double *numbers, size_t n)
{
    struct buf text = BUF_INIT(1 << 20);

    cr_assert(vector_write(numbers, n, &text, &err), "%s", err.text);
    return buf_take(&text);
}

static bool put(const char *text, const double *numbers, size_t n)
{
    char *answer = answer_of(numbers, n);
    bool ok =
        vectors_put(vectors, text, strlen(text), answer, strlen(answer), &err);

    free(answer);
    return ok;
}

static const struct direction *find(const char *text)
{
    return vectors_find(vectors, text, strlen(text));
}

static struct direction *direction(double x, double y)
{
    char *answer = answer_of((double[]){x, y}, 2);
    struct direction *made =
        vectors_read(vectors, answer, strlen(answer), &err);

    free(answer);
    cr_assert_not_null(made, "%s", err.text);
    return made;
}

Test(vectors, nearest_comes_first_regardless_of_vector_length)
{
    const struct direction *list[4];
    size_t out[4];
    size_t n = 0;

    cr_assert(put("east", (double[]){1000, 0}, 2), "%s", err.text);
    cr_assert(put("north", (double[]){0, 1e-3}, 2));
    cr_assert(put("west", (double[]){-1, 0}, 2));
    list[0] = find("west");
    list[1] = find("north");
    list[2] = NULL;
    list[3] = find("east");
    struct direction *to = direction(3, 1);
    cr_assert(vectors_nearest(to, list, 4, 4, out, &n, &err));
    cr_expect_eq(n, 3);
    cr_expect_eq(out[0], 3);
    cr_expect_eq(out[1], 1);
    cr_expect_eq(out[2], 0);
    cr_assert(vectors_nearest(to, list, 4, 1, out, &n, &err));
    cr_expect_eq(n, 1);
    cr_expect_eq(out[0], 3);
    cr_assert(vectors_nearest(to, list, 4, 0, out, &n, &err));
    cr_expect_eq(n, 0);
    free(to);
}

Test(vectors, earlier_one_comes_first_on_a_tie)
{
    const struct direction *list[5];
    size_t out[5];
    size_t n = 0;

    cr_assert(put("a", (double[]){1, 1}, 2));
    cr_assert(put("b", (double[]){2, 2}, 2));
    cr_assert(put("c", (double[]){0, 1}, 2));
    list[0] = find("c");
    list[1] = find("b");
    list[2] = find("a");
    list[3] = find("b");
    list[4] = find("c");
    struct direction *to = direction(1, 1);
    for (size_t k = 1; k <= 5; k++) {
        const size_t expected[] = {1, 2, 3, 0, 4};

        cr_assert(vectors_nearest(to, list, 5, k, out, &n, &err));
        cr_assert_eq(n, k);
        for (size_t i = 0; i < n; i++)
            cr_expect_eq(out[i], expected[i], "k %zu, place %zu", k, i);
    }
    free(to);
}

Test(vectors, vector_of_another_size_is_refused)
{
    cr_assert(put("a", (double[]){1, 1}, 2));
    cr_expect_not(put("b", (double[]){1, 1, 1}, 3));
    cr_expect_str_eq(
        err.text, "an embedding has 3 numbers, but earlier ones have 2: they "
                  "cannot come from the same model");
    cr_expect_null(find("b"));
    err = ERR_CLEAR;
    cr_expect_not(vectors_put(vectors, "c", 1, "no base64", 9, &err));
    cr_expect_eq(err.code, ERR_PROTOCOL);
}

Test(vectors, a_text_keeps_its_first_embedding)
{
    cr_assert(put("a", (double[]){1, 0}, 2));
    const struct direction *first = find("a");
    cr_assert(put("a", (double[]){0, 1}, 2), "%s", err.text);
    cr_expect_eq(find("a"), first);
}

// A sum over very many numbers fits into 32 bits.
Test(vectors, the_widest_ones_are_compared_without_overflow)
{
    double *numbers = calloc(VECTOR_MAX, sizeof *numbers);
    const struct direction *list[2];
    size_t out[2];
    size_t n = 0;

    for (size_t i = 0; i < VECTOR_MAX; i++)
        numbers[i] = i % 2 == 0 ? 1 : -1;
    cr_assert(put("zigzag", numbers, VECTOR_MAX), "%s", err.text);
    for (size_t i = 0; i < VECTOR_MAX; i++)
        numbers[i] = 1;
    cr_assert(put("flat", numbers, VECTOR_MAX));
    list[0] = find("zigzag");
    list[1] = find("flat");
    cr_assert(vectors_nearest(find("flat"), list, 2, 1, out, &n, &err));
    cr_expect_eq(out[0], 1);
    free(numbers);
}

// --- the documents of a program

static const char steps[] =
    "inputs: {q: }\n"
    "steps:\n"
    "  search: {retrieve: d.jsonl, inputs: [q], by: embeddings, k: 2, "
    "fields: text}\n"
    "  answer: {predict: A., inputs: {q: , x: search.passages}, outputs: {a: "
    "}}\n"
    "outputs: {a: answer.a}\n";
static const char documents[] = "{\"title\": \"one\", \"text\": \"east\"}\n"
                                "{\"title\": \"two\", \"text\": \"north\"}\n"
                                "{\"title\": \"three\"}\n"
                                "{\"title\": \"four\", \"text\": \"east\"}\n";

static struct retrieval *open_documents(const struct program *program)
{
    struct bundle *bundle = bundle_new("job.yaml", &err);
    struct retrieval *retrieval = NULL;

    cr_assert(bundle_add(bundle, "d.jsonl", documents, strlen(documents), &err),
              "%s", err.text);
    cr_assert(retrieval_open(program, bundle, &retrieval, &err), "%s",
              err.text);
    bundle_free(bundle);
    return retrieval;
}

static void expect_texts(const struct retrieval *retrieval,
                         const struct program *program, const json_t *values,
                         const char *expected)
{
    json_t *texts = retrieval_texts(retrieval, program, values, NULL, &err);
    char *said = json_dumps(texts, 0);

    cr_expect_str_eq(said, expected);
    free(said);
    json_decref(texts);
}

Test(vectors, each_document_text_is_requested_once)
{
    struct program *program = given_program(steps);
    struct retrieval *retrieval = open_documents(program);
    json_t *all = given_json("{\"search.fields\": [\"title\", \"text\"]}");
    json_t *words = given_json("{\"search.by\": \"words\"}");

    expect_texts(retrieval, program, NULL, "[\"east\", \"north\"]");
    expect_texts(retrieval, program, all,
                 "[\"one\\neast\", \"two\\nnorth\", \"three\", "
                 "\"four\\neast\"]");
    expect_texts(retrieval, program, words, "[]");
    json_decref(all);
    json_decref(words);
    retrieval_close(retrieval);
    program_free(program);
}

static void expect_near(struct retrieval *retrieval,
                        const struct program *program, const json_t *values,
                        const char *expected)
{
    struct buf out = BUF_INIT(1 << 20);
    char *query = answer_of((double[]){1, 0.1}, 2);

    // The second time, the vectors come from memory.
    for (int i = 0; i < 2; i++) {
        buf_clear(&out);
        cr_assert(retrieval_answer_by_embedding(
                      retrieval, vectors,
                      &(struct retrieval_query){program, 0, values, query,
                                                strlen(query)},
                      &out, &err),
                  "%s", err.text);
        cr_expect_str_eq(out.data, expected);
    }
    buf_release(&out);
    free(query);
}

Test(vectors, passages_are_whole_documents_and_k_is_selectable)
{
    struct program *program = given_program(steps);
    struct retrieval *retrieval = open_documents(program);
    json_t *three = given_json("{\"search.k\": 3}");

    cr_assert(put("east", (double[]){1, 0}, 2));
    cr_assert(put("north", (double[]){0, 1}, 2));
    expect_near(retrieval, program, NULL,
                "{\"passages\":[\"one\\neast\",\"four\\neast\"]}");
    expect_near(
        retrieval, program, three,
        "{\"passages\":[\"one\\neast\",\"four\\neast\",\"two\\nnorth\"]}");
    json_decref(three);
    retrieval_close(retrieval);
    program_free(program);
}

Test(vectors, document_without_an_embedding_is_reported)
{
    struct program *program = given_program(steps);
    struct retrieval *retrieval = open_documents(program);
    struct buf out = BUF_INIT(1 << 20);
    char *query = answer_of((double[]){1, 0}, 2);

    cr_assert(put("east", (double[]){1, 0}, 2));
    cr_expect_not(retrieval_answer_by_embedding(
        retrieval, vectors,
        &(struct retrieval_query){program, 0, NULL, query, strlen(query)}, &out,
        &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "different fields"), "%s", err.text);
    buf_release(&out);
    free(query);
    retrieval_close(retrieval);
    program_free(program);
}

// --- what a step asks for

Test(vectors, a_step_asks_for_the_embedding_of_its_query)
{
    struct program *program = given_program(steps);
    const struct step *step = &program->steps[0];
    json_t *inputs = given_json("{\"q\": \"Where is \\\"it\\\"?\"}");
    json_t *blank = given_json("{\"q\": \" \\n\"}");
    struct buf text = BUF_INIT(1 << 20);
    struct ask ask = {0};

    cr_assert(step->kind->ask(step, NULL, inputs, &text, &ask, &err), "%s",
              err.text);
    cr_expect_eq(ask.answerer, ANSWERER_EMBED);
    cr_expect_str_eq(text.data, "\"Where is \\\"it\\\"?\"]");
    buf_clear(&text);
    cr_assert(step->kind->ask(step, NULL, blank, &text, &ask, &err));
    cr_expect_eq(ask.answerer, ANSWERER_RETRIEVE);
    buf_release(&text);
    json_decref(inputs);
    json_decref(blank);
    program_free(program);
}
