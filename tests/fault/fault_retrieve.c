#include <string.h>

#include <criterion/criterion.h>

#include "fault/alloc_fault.h"
#include "retrieve/search_index.h"

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
