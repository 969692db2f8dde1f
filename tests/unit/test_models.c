#include "coordinator/models.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "common/model_name.h"

static struct models models;
static struct err err;

static void set_up(void)
{
    models = (struct models){0};
    err = ERR_CLEAR;
}

static void tear_down(void)
{
    models_release(&models);
}

TestSuite(models, .init = set_up, .fini = tear_down);

Test(models, one_name_and_digest_have_one_number)
{
    int32_t first = models_use(&models, "a:1b", "d1", &err);

    cr_assert_geq(first, 0, "%s", err.text);
    cr_expect_eq(models_use(&models, "a:1b", "d1", &err), first);
    cr_expect_eq(models.n, 1);
}

Test(models, another_digest_is_another_model)
{
    int32_t first = models_use(&models, "a:1b", "d1", &err);

    cr_expect_neq(models_use(&models, "a:1b", "d2", &err), first);
    cr_expect_neq(models_use(&models, "a:1b", "simulated:d1", &err), first);
}

Test(models, missing_tag_means_latest)
{
    cr_expect(model_name_same("llama3.2", "llama3.2:latest"));
    cr_expect(model_name_same("llama3.2:latest", "llama3.2"));
    cr_expect_not(model_name_same("llama3.2", "llama3.2:1b"));
    cr_expect_not(model_name_same("llama3.2", "llama3"));
    cr_expect_not(model_name_same(":latest", ""));
    cr_expect_eq(models_use(&models, "llama3.2", "d", &err),
                 models_use(&models, "llama3.2:latest", "d", &err));
}

Test(models, worker_gets_the_digest_without_its_mark)
{
    cr_expect_str_eq(models_worker_digest("abc"), "abc");
    cr_expect_str_eq(models_worker_digest("simulated:abc"), "abc");
    cr_expect_str_eq(models_worker_digest("revision:today"), "");
}

Test(models, simulated_and_revision_marks_are_distinguished)
{
    cr_expect(models_is_simulated("simulated:abc"));
    cr_expect_not(models_is_simulated("abc"));
    cr_expect(models_is_revision("revision:x"));
    cr_expect_not(models_is_revision("simulated:revision:x"));
}

Test(models, numbers_stay_when_the_list_grows)
{
    char name[16];

    for (int32_t i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "m%d", i);
        cr_assert_eq(models_use(&models, name, "d", &err), i);
    }
    cr_expect_eq(models_use(&models, "m42", "d", &err), 42);
    cr_expect_str_eq(models.entries[7].name, "m7");
}
