#include "program/graph/settings.h"

#include <criterion/criterion.h>
#include <string.h>

#include "given_program.h"

static struct err err;

static struct settings read_all(const char *job, const char *model)
{
    struct settings settings = {0};
    json_t *top = given_json(job);
    json_t *options = given_json(model);

    err = ERR_CLEAR;
    cr_assert(settings_read(top, SETTING_JOB, &settings, &err), "%s", err.text);
    cr_assert(settings_read(options, SETTING_MODEL, &settings, &err), "%s",
              err.text);
    json_decref(top);
    json_decref(options);
    return settings;
}

Test(settings, written_settings_read_back)
{
    struct settings one = read_all(
        "{\"adapter\": \"json\"}",
        "{\"num_ctx\": 4096, \"num_predict\": 9, \"temperature\": 0.5, "
        "\"think\": true}");
    json_t *top = json_object();
    json_t *options = json_object();
    struct settings other = {0};

    cr_assert(settings_put(&one, SETTING_JOB, top));
    cr_assert(settings_put(&one, SETTING_MODEL, options));
    cr_expect_eq(json_object_size(top), 1);
    cr_assert(settings_read(top, SETTING_JOB, &other, &err));
    cr_assert(settings_read(options, SETTING_MODEL, &other, &err));
    cr_expect_eq(other.said, one.said);
    cr_expect_eq(other.adapter, ADAPTER_JSON);
    cr_expect_eq(other.options.num_ctx, 4096);
    cr_expect_eq(other.options.num_predict, 9);
    cr_expect_float_eq(other.options.temperature, 0.5, 0);
    cr_expect_eq(other.options.think, THINK_ON);
    cr_expect_null(settings_missing(&other));
    json_decref(top);
    json_decref(options);
}

Test(settings, only_explicit_values_override)
{
    struct settings job = read_all("{\"adapter\": \"chat\"}",
                                   "{\"num_ctx\": 4096, \"temperature\": 0}");
    struct settings own =
        read_all("{\"adapter\": \"json\"}", "{\"temperature\": 1}");
    struct settings teacher = job;

    settings_overlay(&own, SETTING_MODEL, &job);
    cr_expect_eq(job.adapter, ADAPTER_JSON);
    cr_expect_eq(job.options.num_ctx, 4096);
    cr_expect_float_eq(job.options.temperature, 1, 0);
    settings_overlay(&own, SETTING_JOB, &teacher);
    cr_expect_eq(teacher.adapter, ADAPTER_JSON);
    cr_expect_float_eq(teacher.options.temperature, 0, 0,
                       "the options of a model stay that model's");
}

Test(settings, wrong_value_is_refused_with_a_message)
{
    struct settings settings = {0};
    json_t *hot = json_real(9);

    err = ERR_CLEAR;
    cr_expect_not(settings_set(&settings, "temperature", hot, &err));
    cr_expect_str_eq(err.text, "`temperature` must be a number from 0 to 2");
    cr_expect_not(settings_set(&settings, "heat", hot, &err));
    cr_expect_str_eq(err.text, "`heat` cannot be tuned");
    cr_expect_eq(settings.said, 0);
    cr_expect_str_eq(settings_missing(&settings), "adapter");
    json_decref(hot);
}
