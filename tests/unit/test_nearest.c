#include "retrieve/nearest.h"

#include <string.h>

#include <criterion/criterion.h>

#include "common/vector.h"
#include "given_program.h"
#include "program/prompt/prompt.h"

static const char *const texts[] = {
    "my roses are dry",     "the parcel is late",    "opening hours on sunday",
    "a parcel of my roses", "send the parcel back!", "12",
};
enum { POOL = sizeof texts / sizeof *texts };

static struct program *program;
static struct candidate *candidate;
static struct nearest *nearest;
static struct buf text;
static struct err err;

static void open_pool(void)
{
    struct demo demos[POOL];

    err = ERR_CLEAR;
    text = BUF_INIT(1 << 20);
    program = given_program("inputs: {message: }\n"
                            "steps:\n"
                            "  sort:\n"
                            "    predict: Sort it.\n"
                            "    inputs: [message]\n"
                            "    outputs: {topic: }\n");
    candidate = candidate_new(program, &err);
    cr_assert_not_null(candidate, "%s", err.text);
    for (int i = 0; i < POOL; i++)
        demos[i] = (struct demo){
            .fields = json_pack("{s:s, s:i}", "message", texts[i], "topic", i),
            .row = 10 + i};
    cr_assert(candidate_set_demos(candidate, 0, 1, demos, POOL, &err));
    for (int i = 0; i < POOL; i++)
        json_decref(demos[i].fields);
    nearest = nearest_new(&err);
    cr_assert_not_null(nearest, "%s", err.text);
}

static void close_pool(void)
{
    nearest_free(nearest);
    candidate_unref(candidate);
    program_free(program);
    buf_release(&text);
}

TestSuite(nearest, .init = open_pool, .fini = close_pool);

// Checks the numbers of the demos that a question gets, in order.
static void expect(const char *question, size_t n, int row, const char *wanted)
{
    json_t *inputs = json_pack("{s:s}", "message", question);
    char got[64] = "";

    candidate_set_nearest(candidate, 0, n);
    buf_clear(&text);
    cr_assert(nearest_put(nearest,
                          &(struct nearest_pool){&program->steps[0],
                                                 &candidate->parts[0],
                                                 ADAPTER_JSON, row},
                          inputs, &text, &err),
              "%s", err.text);
    json_decref(inputs);
    for (const char *at = text.data; at != NULL && *at != '\0'; at++)
        if (strncmp(at, "topic\\\": ", 9) == 0)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%c", at[9]);
    cr_expect_str_eq(got, wanted, "%s: %s", question, got);
}

Test(nearest, nearest_demo_comes_last_next_to_the_question)
{
    expect("Parcel? Late.", 2, -1, "41");
    expect("roses, dry ones", 1, -1, "0");
}

Test(nearest, remaining_places_are_filled_from_the_front_of_the_pool)
{
    expect("sunday", 3, -1, "102");
    expect("nothing alike", 2, -1, "10");
    expect("", 2, -1, "10");
}

Test(nearest, earlier_demo_wins_a_tie)
{
    expect("the parcel is late", 6, -1, "520341");
}

Test(nearest, a_row_is_not_shown_to_itself)
{
    expect("the parcel is late", 1, -1, "1");
    expect("the parcel is late", 1, 11, "4");
    expect("12", 6, 15, "43210");
}

Test(nearest, asking_for_more_than_the_pool_shows_all_of_it)
{
    expect("12", 100, -1, "432105");
}

// Makes demos whose texts point to the east, later ones less so.
static void put_vectors(struct vectors *vectors)
{
    for (int i = 0; i < POOL; i++) {
        struct buf answer = BUF_INIT(1 << 10);

        cr_assert(vector_write((double[]){1, i}, 2, &answer, &err));
        cr_assert(vectors_put(vectors, texts[i], strlen(texts[i]), answer.data,
                              answer.len, &err),
                  "%s", err.text);
        buf_release(&answer);
    }
}

static void expect_near(const struct vectors *vectors,
                        const struct direction *query, size_t n, int row,
                        const char *wanted)
{
    char got[64] = "";

    candidate_set_nearest(candidate, 0, n);
    buf_clear(&text);
    cr_assert(
        nearest_put_by_embeddings(nearest,
                                  &(struct nearest_pool){&program->steps[0],
                                                         &candidate->parts[0],
                                                         ADAPTER_JSON, row},
                                  vectors, query, &text, &err),
        "%s", err.text);
    for (const char *at = text.data; at != NULL && *at != '\0'; at++)
        if (strncmp(at, "topic\\\": ", 9) == 0)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%c", at[9]);
    cr_expect_str_eq(got, wanted, "%s", got);
}

Test(nearest, nearest_demo_by_embedding_comes_last_too)
{
    struct vectors *vectors = vectors_new(&err);
    const struct direction *east = NULL;

    put_vectors(vectors);
    east = vectors_find(vectors, texts[0], strlen(texts[0]));
    expect_near(vectors, east, 3, -1, "210");
    expect_near(vectors, east, 2, 10, "21"); // without the row's own demo
    expect_near(vectors, NULL, 2, -1, "10"); // a question without words
    nearest_free(nearest);
    nearest = NULL;
    vectors_free(vectors);
}

Test(nearest, all_texts_of_a_pool_are_requested_for_embedding)
{
    json_t *list = json_array();

    cr_assert(candidate_pool_texts(candidate, program, list, &err));
    cr_expect_eq(json_array_size(list), 0, "it is no pool yet");
    candidate_set_nearest(candidate, 0, 2);
    cr_assert(candidate_pool_texts(candidate, program, list, &err));
    cr_assert_eq(json_array_size(list), POOL);
    cr_expect_str_eq(json_string_value(json_array_get(list, 1)), texts[1]);
    json_decref(list);
}

Test(nearest, picking_by_embedding_needs_a_model)
{
    json_t *inputs = json_pack("{s:s}", "message", "x");

    candidate_set_nearest(candidate, 0, 2);
    program->pools_by = SEARCH_BY_EMBEDDINGS;
    cr_expect_not(nearest_put_once(program,
                                   &(struct nearest_pool){&program->steps[0],
                                                          &candidate->parts[0],
                                                          ADAPTER_CHAT, -1},
                                   inputs, &text, &err));
    cr_expect_not_null(strstr(err.text, "which takes a model"), "%s", err.text);
    json_decref(inputs);
}

Test(nearest, prefix_omits_nearest_demos_and_prompt_equals_fixed_demos)
{
    struct candidate *still = candidate_copy(candidate, &err);
    struct buf whole = BUF_INIT(1 << 20);
    struct buf parts = BUF_INIT(1 << 20);
    struct demo two[2] = {candidate->parts[0].demos[4],
                          candidate->parts[0].demos[1]};

    cr_assert(candidate_set_demos(still, 0, 1, two, 2, &err));
    cr_assert(prompt_prefix(&program->steps[0], &still->parts[0], ADAPTER_CHAT,
                            &whole, &err));
    candidate_set_nearest(candidate, 0, 2);
    cr_assert(prompt_prefix(&program->steps[0], &candidate->parts[0],
                            ADAPTER_CHAT, &parts, &err));
    cr_expect_null(strstr(parts.data, "parcel"));
    json_t *inputs = json_pack("{s:s}", "message", "Parcel? Late.");
    cr_assert(nearest_put_once(program,
                               &(struct nearest_pool){&program->steps[0],
                                                      &candidate->parts[0],
                                                      ADAPTER_CHAT, -1},
                               inputs, &parts, &err));
    cr_expect_str_eq(parts.data, whole.data);
    json_decref(inputs);
    buf_release(&parts);
    buf_release(&whole);
    candidate_unref(still);
}

Test(nearest, pool_changes_the_candidate_id_and_hides_no_row)
{
    struct candidate *pool = candidate_copy(candidate, &err);
    struct candidate *copy;
    candidate_seal(candidate);
    candidate_set_nearest(pool, 0, 2);
    candidate_seal(pool);
    cr_expect_neq(memcmp(&pool->id, &candidate->id, sizeof pool->id), 0);
    cr_expect(candidate_part_has(&candidate->parts[0], 11));
    cr_expect_not(candidate_part_has(&pool->parts[0], 11));
    cr_expect_eq(candidate_part_n_shown(&pool->parts[0]), 2);
    copy = candidate_copy(pool, &err);
    candidate_seal(copy);
    cr_expect_eq(memcmp(&pool->id, &copy->id, sizeof pool->id), 0);
    json_t *chosen = candidate_chosen(pool, program);
    cr_expect_eq(json_integer_value(json_object_get(chosen, "sort.nearest")),
                 2);
    json_decref(chosen);
    candidate_unref(copy);
    candidate_unref(pool);
}
