#include "search/session/ledger.h"

#include <criterion/criterion.h>

static struct ledger ledger;
static struct err err;

static void set_up(void)
{
    ledger = (struct ledger){0};
    err = ERR_CLEAR;
}

static void tear_down(void)
{
    ledger_release(&ledger);
}

TestSuite(ledger, .init = set_up, .fini = tear_down);

Test(ledger, a_call_counts_once_however_often_it_is_used)
{
    const struct used_call calls[] = {{1, 10}, {2, 5}, {1, 10}};

    cr_assert(ledger_use(&ledger, calls, 3, &err), "%s", err.text);
    cr_assert(ledger_use(&ledger, calls, 3, &err), "%s", err.text);
    cr_expect_eq(ledger.sum.calls, 2);
    cr_expect_eq(ledger.sum.tokens, 15);
}

Test(ledger, distant_ids_are_distinguished)
{
    const struct used_call calls[] = {{1, 1}, {40000, 1}, {5000000, 1}};

    cr_assert(ledger_use(&ledger, calls, 3, &err), "%s", err.text);
    cr_assert(ledger_use(&ledger, calls + 1, 1, &err), "%s", err.text);
    cr_expect_eq(ledger.sum.calls, 3);
}

Test(ledger, neighboring_ids_in_one_byte_are_distinguished)
{
    for (int64_t id = 0; id < 64; id++) {
        const struct used_call call = {id, 1};

        cr_assert(ledger_use(&ledger, &call, 1, &err), "%s", err.text);
        cr_expect_eq(ledger.sum.calls, id + 1);
    }
}

Test(ledger, empty_ledger_counts_nothing)
{
    cr_assert(ledger_use(&ledger, NULL, 0, &err), "%s", err.text);
    cr_expect_eq(ledger.sum.calls, 0);
}
