// What editors know about the job file (docs/job.schema.json) is what we read.

#include <criterion/criterion.h>

#include <string.h>

#include <jansson.h>

static const char *const metric_names[] = {
#define METRIC_KIND(name) #name,
#include "program/metric/kinds/kinds.def"
#undef METRIC_KIND
};

static const char *const step_names[] = {
#define STEP_KIND(name) #name,
#include "program/graph/kinds/kinds.def"
#undef STEP_KIND
};

static json_t *schema;

static void read_schema(void)
{
    json_error_t error;

    schema = json_load_file(DOCS "/job.schema.json", 0, &error);
    cr_assert_not_null(schema, "%s", error.text);
}

static void free_schema(void)
{
    json_decref(schema);
}

TestSuite(schema, .init = read_schema, .fini = free_schema);

static const json_t *part(const char *name)
{
    return json_object_get(json_object_get(schema, "$defs"), name);
}

Test(schema, names_every_metric_and_no_other)
{
    const json_t *kinds = json_object_get(part("metric_kinds"), "properties");
    size_t n = sizeof metric_names / sizeof metric_names[0];

    cr_expect_eq(json_object_size(kinds), n);
    for (size_t i = 0; i < n; i++)
        cr_expect_not_null(json_object_get(kinds, metric_names[i]), "%s",
                           metric_names[i]);
}

static bool has_step(const json_t *kinds, const char *name)
{
    for (size_t i = 0; i < json_array_size(kinds); i++)
        if (json_object_get(
                json_object_get(json_array_get(kinds, i), "properties"),
                name) != NULL)
            return true;
    return false;
}

Test(schema, names_every_kind_of_step_and_no_other)
{
    const json_t *step = part("step");
    const json_t *kinds = json_object_get(step, "oneOf");
    size_t n = sizeof step_names / sizeof step_names[0];

    if (kinds == NULL)
        kinds = json_object_get(step, "anyOf");
    cr_expect_eq(json_array_size(kinds), n);
    for (size_t i = 0; i < n; i++)
        cr_expect(has_step(kinds, step_names[i]), "%s", step_names[i]);
}
