// Making a compiled program ready to run, when memory runs out.

#include <criterion/criterion.h>

#include "fault/alloc_fault.h"
#include "predict/run_pool.h"
#include "unit/given_program.h"

static struct compiled compiled;

static void open_compiled(void)
{
    struct err err = ERR_CLEAR;

    compiled.program = given_program(given_customer_care);
    compiled.candidate = candidate_new(compiled.program, &err);
    cr_assert_not_null(compiled.candidate, "%s", err.text);
    candidate_seal(compiled.candidate);
}

static void close_compiled(void)
{
    candidate_unref(compiled.candidate);
    program_free(compiled.program);
}

TestSuite(fault, .init = open_compiled, .fini = close_compiled);

static bool open_pool(struct err *err)
{
    const struct run_pool_options options = {
        .compiled = &compiled, .slots = 2, .places = 2, .timeout_ms = 1000};
    struct run_pool *pool = run_pool_new(&options, err);

    run_pool_free(pool);
    return pool != NULL;
}

Test(fault, pool_of_runs_is_created_or_reports_out_of_memory)
{
    cr_expect_geq(fault_each(open_pool), 5);
}
