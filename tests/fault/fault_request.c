#include <criterion/criterion.h>
#include <string.h>

#include "fault/alloc_fault.h"
#include "wire/request.h"

// The coordinator reads exactly what a client writes, or nothing. If a value
// was lost on the way, a different program would be scored than was asked for.
static bool carry(struct err *err)
{
    const char *set[] = {"seed=3", "optimizer.miprov2.auto=light"};
    struct request request = {.action = REQUEST_EVAL,
                              .overrides = set,
                              .n_overrides = 2,
                              .compiled = "best.json",
                              .data = "more.jsonl",
                              .all_steps = true};
    struct buf text = BUF_INIT(1 << 16);
    struct request *back = NULL;
    bool ok = request_write(&request, &text, err);

    if (ok)
        back = request_read("eval", text.data, err);
    ok = back != NULL;
    if (ok) {
        cr_assert_eq(back->n_overrides, 2);
        cr_assert_str_eq(back->overrides[1], set[1]);
        cr_assert_str_eq(back->compiled, "best.json");
        cr_assert_str_eq(back->data, "more.jsonl");
    }
    request_free(back);
    buf_release(&text);
    return ok;
}

Test(request, failing_allocation_loses_the_whole_request_or_nothing)
{
    cr_expect_geq(fault_each(carry), 10);
}
