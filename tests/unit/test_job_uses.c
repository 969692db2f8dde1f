#include "coordinator/job_uses.h"

#include <criterion/criterion.h>

Test(job_uses, answer_is_paid_once_and_reused_free)
{
    struct job_uses uses = {0};

    job_uses_add(&uses, 1);
    job_uses_add(&uses, 1000000);
    job_uses_add(&uses, 1);
    job_uses_add(&uses, 64);
    cr_expect_eq(uses.all, 4);
    cr_expect_eq(uses.each, 3);
    cr_expect_eq(job_uses_free_of_cost(&uses, 3), 1);
    // Another job has paid for one of them.
    cr_expect_eq(job_uses_free_of_cost(&uses, 2), 2);
    cr_expect_eq(job_uses_free_of_cost(&uses, 0), 4);
    job_uses_release(&uses);
}

Test(job_uses, paid_but_unused_answers_do_not_reduce_the_free_uses)
{
    struct job_uses uses = {0};

    for (int i = 0; i < 2; i++)
        for (int64_t call = 1; call <= 100; call++)
            job_uses_add(&uses, call);
    cr_expect_eq(job_uses_free_of_cost(&uses, 100), 100);
    cr_expect_eq(job_uses_free_of_cost(&uses, 350), 100);
    job_uses_release(&uses);
}

Test(job_uses, answers_in_flight_do_not_reduce_the_free_uses)
{
    struct job_uses uses = {0};

    for (int64_t call = 1; call <= 10; call++) // another job's
        job_uses_add(&uses, call);
    for (int64_t call = 11; call <= 13; call++)
        job_uses_pay(&uses, call);
    cr_expect_eq(job_uses_free_of_cost(&uses, 3), 10);
    job_uses_add(&uses, 11);
    cr_expect_eq(job_uses_free_of_cost(&uses, 3), 10);
    job_uses_add(&uses, 11);
    cr_expect_eq(job_uses_free_of_cost(&uses, 3), 11);
    job_uses_add(&uses, 12);
    job_uses_add(&uses, 13);
    cr_expect_eq(job_uses_free_of_cost(&uses, 3), 11);
    job_uses_release(&uses);
}
