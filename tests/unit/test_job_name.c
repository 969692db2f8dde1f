#include "store/job_name.h"

#include "store_fixture.h"

TestSuite(job_name, .init = open_store, .fini = close_folder);

static void expect_job(const char *prefix, const char *wanted)
{
    char *id = job_name_find(store, prefix, &err);

    cr_assert_not_null(id, "%s", err.text);
    cr_expect_str_eq(id, wanted);
    free(id);
}

Test(job_name, a_job_is_named_by_id_beginning_or_name)
{
    (void)open_job("care-aa1");
    (void)open_job("care-ab2");
    expect_job("care-aa1", "care-aa1");
    expect_job("care-ab", "care-ab2");
    expect_job("care", "care-ab2");
}

static void end_job(int64_t job, const char *document)
{
    const struct history_job_state now = {
        .state = JOB_STOPPED, .score = -1, .document = document};

    cr_assert(history_job_state(store, job, &now, &err), "%s", err.text);
}

Test(job_name, a_job_that_was_stopped_without_a_score_has_no_results)
{
    end_job(open_job("care-aa1"), "{\"compiled\":{\"score\":0.5}}");
    end_job(open_job("care-ab2"), "{\"compiled\":null}");
    expect_job("", "care-aa1");
    end_job(open_job("care-ac3"), "{\"compiled\":{\"score\":0.25}}");
    expect_job("", "care-ac3");
}

Test(job_name, unknown_or_ambiguous_job_lists_the_jobs)
{
    cr_expect_null(job_name_find(store, "x", &err));
    cr_expect_not_null(strstr(err.text, "has no jobs"), "%s", err.text);
    (void)open_job("care-aa1");
    (void)open_job("care-ab2");
    cr_expect_null(job_name_find(store, "x", &err));
    cr_expect_not_null(strstr(err.text, "care-ab2, care-aa1"), "%s", err.text);
    cr_expect_null(job_name_find(store, "care-a", &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "several"), "%s", err.text);
}
