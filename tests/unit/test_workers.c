#include "coordinator/workers.h"

#include <criterion/criterion.h>
#include <string.h>

#include "coordinator/worker_votes.h"

static struct workers workers;
static struct models models;
static struct dispatch *dispatch;
static struct err err;

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 3000};

    err = ERR_CLEAR;
    workers = WORKERS_INIT;
    models = (struct models){0};
    dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(dispatch, "%s", err.text);
}

static void tear_down(void)
{
    dispatch_free(dispatch);
    workers_release(&workers);
    models_release(&models);
}

TestSuite(workers, .init = set_up, .fini = tear_down);

static struct worker_info *join(const char *name, const char *digest,
                                int64_t now)
{
    struct wire_model model = {.name = "a:1b", .digest = digest};
    struct hello hello = {.name = name,
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 2,
                          .models = &model,
                          .n_models = 1};
    struct worker_info *worker =
        workers_join(&workers, &hello, &models, dispatch, now, &err);

    cr_assert_not_null(worker, "%s", err.text);
    return worker;
}

Test(workers, joining_worker_can_serve_requested_models_at_once)
{
    int32_t number = models_use(&models, "a:1b", "d", &err);
    int32_t other = models_use(&models, "a:1b", "e", &err);

    join("w", "d", 0);
    cr_expect(dispatch_can_serve(dispatch, number));
    cr_expect_not(dispatch_can_serve(dispatch, other));
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "d");
    cr_expect_null(workers_digest(&workers, "b:1b"));
}

Test(workers, a_number_after_a_name_is_not_another_workers_name)
{
    struct worker_info *literal = join("w#3", "d", 0);
    struct worker_info *first = join("w", "d", 0);
    struct worker_info *second = join("w", "d", 0);

    cr_expect_str_eq(first->name, "w");
    cr_expect_str_eq(second->name, "w#4");
    workers_leave(&workers, literal->number);
    cr_expect_str_eq(join("w#3", "d", 0)->name, "w#3");
}

Test(workers, models_that_no_job_uses_are_not_numbered)
{
    join("w", "d", 0);
    cr_expect_eq(models.n, 0);
}

Test(workers, majority_of_workers_determines_a_models_digest)
{
    join("odd", "x", 0);
    join("a", "d", 1);
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "d", "of equals");
    join("b", "d", 2);
    join("c", "d", 3);
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "d");
    join("e", "x", 4);
    join("f", "x", 5);
    join("g", "x", 6);
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "x");
}

Test(workers, absent_workers_do_not_outvote_the_others)
{
    struct worker_info *gone[] = {join("a", "x", 0), join("b", "x", 1)};

    join("c", "d", 2);
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "x");
    gone[0]->away = gone[1]->away = true;
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "d");
    workers.last->away = true;
    cr_expect_str_eq(workers_digest(&workers, "a:1b"), "x", "all are");
}

Test(workers, added_models_are_served_and_lost_ones_are_not)
{
    struct worker_info *worker = join("w", "d", 0);
    int32_t had = models_use(&models, "a:1b", "d", &err);
    int32_t wanted = models_use(&models, "b:1b", "e", &err);
    struct wire_model has[] = {{.name = "a:1b", .digest = "d"},
                               {.name = "b:1b", .digest = "e"}};
    struct hello hello = {.name = "w",
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 2,
                          .models = has,
                          .n_models = 1};

    cr_assert(dispatch_serves(dispatch, worker->number, had, &err));
    cr_expect_not(
        workers_change(&workers, worker, &hello, &models, dispatch, &err),
        "all is as it was");
    hello.n_models = 2;
    cr_expect(workers_change(&workers, worker, &hello, &models, dispatch, &err),
              "%s", err.text);
    cr_expect(dispatch_can_serve(dispatch, had));
    cr_expect(dispatch_can_serve(dispatch, wanted));
    cr_expect_eq(workers.n_models, 2);
    hello.models = has + 1;
    hello.n_models = 1;
    hello.server = "1.3";
    cr_expect(
        workers_change(&workers, worker, &hello, &models, dispatch, &err));
    cr_expect_not(dispatch_can_serve(dispatch, had));
    cr_expect(dispatch_can_serve(dispatch, wanted));
    cr_expect_eq(workers.n_models, 1);
    cr_expect_str_eq(worker->server, "ollama 1.3");
}

Test(workers, worker_with_absurdly_many_slots_is_accepted_up_to_the_total)
{
    struct hello hello = {
        .name = "w", .backend = "", .server = "", .slots = DISPATCH_MAX_SLOTS};
    int n = 0;

    while (n < 1000 &&
           workers_join(&workers, &hello, &models, dispatch, 0, &err) != NULL)
        n++;

    cr_expect_eq(n, 128);
    cr_expect_eq(err.code, ERR_BUSY);
    workers_leave(&workers, 1);
    dispatch_leave(dispatch, 1, 0);
    cr_expect_not_null(
        workers_join(&workers, &hello, &models, dispatch, 0, &err));
}

Test(workers, numbers_are_never_reused)
{
    int32_t first = join("w", "d", 0)->number;

    workers_leave(&workers, first);
    dispatch_leave(dispatch, first, 0);
    cr_expect_neq(join("w", "d", 0)->number, first);
    cr_expect_null(workers_find(&workers, first));
}

Test(workers, equal_names_are_distinguished_while_both_workers_are_present)
{
    int32_t first = join("w", "d", 0)->number;

    cr_expect_str_neq(join("w", "d", 0)->name, "w");
    workers_leave(&workers, first);
    cr_expect_str_eq(join("w", "d", 0)->name, "w");
}

Test(workers, time_of_the_first_joining_is_remembered)
{
    cr_expect_eq(workers.joined_ms, -1);
    join("a", "d", 70);
    join("b", "d", 90);
    cr_expect_eq(workers.joined_ms, 70);
    cr_expect_eq(workers.n, 2);
}

Test(workers, a_model_of_several_workers_is_listed_once)
{
    struct buf out = BUF_INIT(100);

    join("a", "d", 0);
    join("b", "d", 0);
    workers_list_models(&workers, "c:1b", &out);
    cr_expect_str_eq(out.data, "a:1b");
    buf_release(&out);
}

Test(workers, intended_model_is_listed_first)
{
    struct wire_model has[] = {{.name = "llama3.2:3b", .digest = "d"},
                               {.name = "gemma3:1b", .digest = "e"},
                               {.name = "qwen2.5:7b", .digest = "f"}};
    struct hello hello = {.name = "w",
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 2,
                          .models = has,
                          .n_models = 3};
    struct buf out = BUF_INIT(100);

    cr_assert_not_null(
        workers_join(&workers, &hello, &models, dispatch, 0, &err), "%s",
        err.text);
    workers_list_models(&workers, "Qwen2.5:7b", &out);
    cr_expect_str_eq(out.data, "qwen2.5:7b, llama3.2:3b, gemma3:1b");
    buf_clear(&out);
    workers_list_models(&workers, "gemma3", &out);
    cr_expect_str_eq(out.data, "gemma3:1b, llama3.2:3b, qwen2.5:7b");
    buf_release(&out);
}
