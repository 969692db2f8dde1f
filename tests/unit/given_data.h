// given_data: jobs with examples for tests, without files on disk.

#ifndef TESTS_GIVEN_DATA_H
#define TESTS_GIVEN_DATA_H

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "program/job/bundle.h"
#include "program/job/dataset_load.h"
#include "program/job/job.h"
#include "program/source/diag.h"

// A job with one input that has a default and one that is required, labels of
// several types, and a metric that needs `intent`. `%s` is the value of `data`,
// followed by further lines.
static const char given_data_job[] =
    "name: given\n"
    "models: {student: none}\n"
    "inputs:\n"
    "  message: {desc: What was written}\n"
    "  context: {default: nothing}\n"
    "  age: {type: int, optional: true}\n"
    "steps:\n"
    "  classify:\n"
    "    predict: Classify.\n"
    "    inputs: [message, context, age]\n"
    "    outputs:\n"
    "      intent: {enum: [track, cancel, refund]}\n"
    "      sure: {type: float, min: 0, max: 1}\n"
    "      urgent: {type: bool}\n"
    "      tags: {list: str}\n"
    "      note: {desc: Anything}\n"
    "metric: {exact_match: intent}\n"
    "data: %s\n"
    "%s";

struct given_data {
    struct err err;
    struct diags *diags;
    struct bundle *bundle;
    struct job *job;
    struct dataset *dataset;
    struct split split;
};

static inline void given_data_open(struct given_data *given, const char *data,
                                   const char *further)
{
    char yaml[4096];

    *given = (struct given_data){0};
    int len = snprintf(yaml, sizeof yaml, given_data_job, data, further);
    cr_assert(len > 0 && len < (int)sizeof yaml);
    given->diags = diags_new(&given->err);
    cr_assert_not_null(given->diags);
    given->bundle = bundle_new("job.yaml", &given->err);
    cr_assert_not_null(given->bundle);
    cr_assert(
        bundle_add(given->bundle, "job.yaml", yaml, (size_t)len, &given->err),
        "%s", given->err.text);
}

static inline void given_data_add(struct given_data *given, const char *name,
                                  const char *text, size_t len)
{
    cr_assert(bundle_add(given->bundle, name, text, len, &given->err), "%s",
              given->err.text);
}

// Loads the job, which must be valid. Whether the data is valid is for the test
// to check.
static inline void given_data_load(struct given_data *given)
{
    given->job = job_load(given->bundle, NULL, 0, given->diags);
    cr_assert(given->job != NULL && given->diags->errors == 0, "%s",
              given->diags->n > 0 ? given->diags->items[0].text : "no job");
    given->dataset = dataset_load(given->job, given->bundle, given->diags);
}

static inline void given_data_close(struct given_data *given)
{
    split_release(&given->split);
    dataset_free(given->dataset);
    job_free(given->job);
    bundle_free(given->bundle);
    diags_free(given->diags);
}

static inline const struct diag *given_data_find(const struct given_data *given,
                                                 const char *code)
{
    for (size_t i = 0; i < given->diags->n; i++) {
        if (strcmp(given->diags->items[i].code, code) == 0)
            return &given->diags->items[i];
    }
    return NULL;
}

// Checks that there is a finding with this code at this line whose text
// contains `words`.
static inline void given_data_expect(const struct given_data *given,
                                     const char *code, int line,
                                     const char *words)
{
    for (size_t i = 0; i < given->diags->n; i++) {
        const struct diag *diag = &given->diags->items[i];
        if (strcmp(diag->code, code) == 0 && diag->place.line == line &&
            strstr(diag->text, words) != NULL)
            return;
    }
    for (size_t i = 0; i < given->diags->n; i++)
        fprintf(stderr, "  %s:%d: %s: %s\n", given->diags->items[i].place.file,
                given->diags->items[i].place.line, given->diags->items[i].code,
                given->diags->items[i].text);
    cr_assert(false, "no %s at line %d that says: %s", code, line, words);
}

#endif
