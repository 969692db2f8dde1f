#include "coordinator/model_use.h"

#include <criterion/criterion.h>

#include "coordinator/engine.h"

// Which workers a model has, and what they have to prove, as its users come and
// go.

static struct engine engine;
static struct err err;

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 0};

    engine = (struct engine){.workers = WORKERS_INIT, .proofs.wanted = true};
    err = ERR_CLEAR;
    engine.dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(engine.dispatch, "%s", err.text);
}

static void tear_down(void)
{
    proofs_release(&engine.proofs);
    workers_release(&engine.workers);
    models_release(&engine.models);
    dispatch_free(engine.dispatch);
}

TestSuite(model_use, .init = set_up, .fini = tear_down);

static void join(const char *digest, int64_t context)
{
    struct wire_model has = {
        .name = "a:1b", .digest = digest, .context = context};
    struct hello hello = {.name = "w",
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 1,
                          .models = &has,
                          .n_models = 1};

    cr_assert_not_null(workers_join(&engine.workers, &hello, &engine.models,
                                    engine.dispatch, 0, &err),
                       "%s", err.text);
}

static int32_t use(const char *digest, const struct model_needs *needs)
{
    int32_t number = model_use_begin(&engine, "a:1b", digest, needs, 0, &err);

    cr_assert(number >= 0, "%s", err.text);
    return number;
}

static bool is_served(int32_t number)
{
    return dispatch_can_serve(engine.dispatch, number);
}

Test(model_use, server_without_digests_serves_a_jobs_revision)
{
    int32_t may = use("revision:may", NULL), june;

    join("", 0);
    cr_expect(is_served(may), "those that join later know of it");
    june = use("revision:june", NULL);
    cr_expect_neq(june, may);
    cr_expect(is_served(june));
}

Test(model_use, server_with_digests_does_not_serve_revisions)
{
    join("d", 0);
    cr_expect_not(is_served(use("revision:may", NULL)));
}

Test(model_use, number_is_free_after_the_last_user)
{
    int32_t number;

    join("d", 0);
    number = use("d", NULL);
    cr_expect_eq(use("d", NULL), number);
    model_use_end(&engine, number);
    cr_expect(is_served(number));
    model_use_end(&engine, number);
    cr_expect_not(is_served(number));
    cr_expect_eq(use("e", NULL), number);
}

// A message needs nothing; the job that begins meanwhile does.
Test(model_use, needs_count_from_the_first_user_that_has_any)
{
    const struct model_needs needs = {.num_ctx = 8192};
    int32_t number;

    join("d", 4096);
    number = use("d", NULL);
    cr_expect(is_served(number));
    cr_expect_eq(engine.proofs.n, 0);
    cr_expect_eq(use("d", &needs), number);
    cr_expect_not(is_served(number), "the window is too small for the job");
    join("d", 8192);
    cr_expect(is_served(number));
}

Test(model_use, workers_prove_themselves_for_the_first_job)
{
    const struct model_needs needs = {.num_ctx = 2048, .format = true};
    int32_t number;

    join("d", 0);
    number = use("d", NULL);
    cr_expect_eq(use("d", &needs), number);
    cr_expect_eq(engine.proofs.n, 2, "its text and its format");
    (void)use("d", &needs);
    cr_expect_eq(engine.proofs.n, 2, "once is enough");
}
