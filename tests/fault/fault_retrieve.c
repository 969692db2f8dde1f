#include <string.h>

#include <criterion/criterion.h>

#include "fault/alloc_fault.h"
#include "retrieve/nearest.h"
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

Test(retrieve, documents_are_indexed_and_found_or_memory_ran_out)
{
    cr_expect_gt(fault_each(index_and_find), 25);
}

// The pool is made beforehand: what is tried is the picking.
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
    bool ok = nearest_put_once(&program->steps[0], &candidate->parts[0],
                               ADAPTER_CHAT, inputs, &text, err);

    if (ok)
        cr_expect_not_null(strstr(text.data, "at noon"));
    buf_release(&text);
    return ok;
}

Test(retrieve, demos_are_picked_or_memory_ran_out)
{
    make_pool();
    cr_expect_gt(fault_each(pick), 25);
    json_decref(inputs);
    candidate_unref(candidate);
    program_free(program);
}
