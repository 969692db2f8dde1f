// The input is a job file and, after a zero byte, its examples.jsonl. Whatever
// they are, the job and its rows are read, or there are findings.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "program/job/bundle.h"
#include "program/job/dataset_load.h"
#include "program/job/job.h"
#include "program/source/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct bundle *bundle, struct diags *diags)
{
    struct err err = ERR_CLEAR;
    struct job *job = job_load(bundle, NULL, 0, diags);
    struct dataset *rows =
        job == NULL ? NULL : dataset_load(job, bundle, diags);

    if (rows == NULL && diags_ok(diags, &err))
        abort();
    dataset_free(rows);
    job_free(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    size_t len = zero == NULL ? size : (size_t)(zero - data);
    struct err err = ERR_CLEAR;
    struct bundle *bundle = bundle_new("job.yaml", &err);
    struct diags *diags = diags_new(&err);

    if (bundle == NULL || diags == NULL)
        abort();
    if (bundle_add(bundle, "job.yaml", data, len, &err) &&
        (zero == NULL ||
         bundle_add(bundle, "examples.jsonl", zero + 1, size - len - 1, &err)))
        load(bundle, diags);
    diags_free(diags);
    bundle_free(bundle);
    return 0;
}
