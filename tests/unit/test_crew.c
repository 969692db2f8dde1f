#include "coordinator/crew.h"

#include <criterion/criterion.h>
#include <string.h>

static struct crew crew;
static struct models models;
static struct dispatch *dispatch;
static struct err err;

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 3000};

    err = ERR_CLEAR;
    crew = CREW_INIT;
    models = (struct models){0};
    dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(dispatch, "%s", err.text);
}

static void tear_down(void)
{
    dispatch_free(dispatch);
    crew_release(&crew);
    models_release(&models);
}

TestSuite(crew, .init = set_up, .fini = tear_down);

static struct crew_worker *join(const char *name, const char *digest,
                                int64_t now)
{
    struct wire_model model = {.name = "a:1b", .digest = digest};
    struct hello hello = {.name = name,
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 2,
                          .models = &model,
                          .n_models = 1};
    struct crew_worker *worker =
        crew_join(&crew, &hello, &models, dispatch, now, &err);

    cr_assert_not_null(worker, "%s", err.text);
    return worker;
}

Test(crew, who_joins_can_serve_its_models_at_once)
{
    join("w", "d", 0);
    cr_expect(dispatch_can_serve(dispatch,
                                 models_number(&models, "a:1b", "d", &err)));
    cr_expect_str_eq(crew_digest(&crew, "a:1b"), "d");
    cr_expect_null(crew_digest(&crew, "b:1b"));
}

Test(crew, numbers_are_never_given_twice)
{
    int32_t first = join("w", "d", 0)->number;

    crew_leave(&crew, first);
    dispatch_leave(dispatch, first, 0);
    cr_expect_neq(join("w", "d", 0)->number, first);
    cr_expect_null(crew_find(&crew, first));
}

Test(crew, names_are_told_apart_while_both_are_here)
{
    int32_t first = join("w", "d", 0)->number;

    cr_expect_str_neq(join("w", "d", 0)->name, "w");
    crew_leave(&crew, first);
    cr_expect_str_eq(join("w", "d", 0)->name, "w");
}

Test(crew, the_first_joining_is_remembered)
{
    cr_expect_eq(crew.joined_ms, -1);
    join("a", "d", 70);
    join("b", "d", 90);
    cr_expect_eq(crew.joined_ms, 70);
    cr_expect_eq(crew.n, 2);
}

Test(crew, a_server_without_digests_serves_what_a_job_calls_its_revision)
{
    int32_t number = models_number(&models, "a:1b", "revision:may", &err);

    join("w", "", 0);
    cr_expect(dispatch_can_serve(dispatch, number),
              "those that join later know of it");
    number = models_number(&models, "a:1b", "revision:june", &err);
    cr_expect_not(dispatch_can_serve(dispatch, number));
    cr_assert(
        crew_serve(&crew, "a:1b", "revision:june", number, dispatch, &err));
    cr_expect(dispatch_can_serve(dispatch, number));
}

Test(crew, a_server_with_digests_serves_no_revision)
{
    int32_t number = models_number(&models, "a:1b", "revision:may", &err);

    join("w", "d", 0);
    cr_assert(
        crew_serve(&crew, "a:1b", "revision:may", number, dispatch, &err));
    cr_expect_not(dispatch_can_serve(dispatch, number));
}

Test(crew, a_model_of_several_workers_is_listed_once)
{
    struct buf out = BUF_INIT(100);

    join("a", "d", 0);
    join("b", "d", 0);
    crew_list_models(&crew, &out);
    cr_expect_str_eq(out.data, "a:1b");
    buf_release(&out);
}
