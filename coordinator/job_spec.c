#include "coordinator/job_spec.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "program/job/dataset_load.h"

enum { HISTORY_ID_BYTES = 320 };

// Makes eval score every row of --data.
static bool split_whole(const struct dataset *dataset, struct split *out,
                        struct err *err)
{
    out->rows[SHARE_TEST] = calloc(dataset_size(dataset) + 1, sizeof(size_t));
    if (out->rows[SHARE_TEST] == NULL) {
        err_nomem(err, "the examples");
        return false;
    }
    for (size_t i = 0; i < dataset_size(dataset); i++)
        out->rows[SHARE_TEST][i] = i;
    out->n[SHARE_TEST] = dataset_size(dataset);
    return true;
}

static bool load_data(struct job_spec *spec, struct diags *diags,
                      struct err *err)
{
    const char *data = spec->request->data;

    spec->dataset = data == NULL
                        ? dataset_load(spec->job, spec->bundle, diags)
                        : dataset_file(spec->job, spec->bundle, data, diags);
    if (spec->dataset == NULL)
        return false;
    if (data != NULL)
        return split_whole(spec->dataset, &spec->split, err);
    return split_make(spec->job, spec->dataset, &spec->split, diags);
}

static bool make_plan(struct job_spec *spec, struct err *err)
{
    const struct program *program = spec->job->program;
    bool *reads = calloc(program->n_outputs + 1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "a plan");
        return false;
    }
    metric_reads(spec->job->metric, reads);
    if (spec->request->all_steps)
        plan_all(program, &spec->plan);
    else
        plan_make(program, reads, &spec->plan);
    free(reads);
    return true;
}

bool job_spec_load(struct job_spec *spec, struct diags *diags, struct err *err)
{
    const struct request *request = spec->request;

    spec->job = job_load_checked(spec->bundle, request->overrides,
                                 request->n_overrides, optimizer_check, diags);
    if (spec->job == NULL)
        return false;
    spec->params =
        optimizer_params(spec->job, &spec->optimizer, &spec->job->arena, diags);
    return load_data(spec, diags, err) && spec->params != NULL &&
           make_plan(spec, err);
}

// Returns the id of its history in the store. An evaluation has an id of its
// own, so that it cannot be taken for a run. What is kept of a row is found by
// the row's number, so each file of --data has its own history, and so has
// --all-steps, which must run what was not run before. NULL when out of memory.
static char *make_history_id(const struct job_spec *spec)
{
    const char *data = spec->request->data;
    const struct bundle_file *file =
        data == NULL ? NULL : bundle_find(spec->bundle, data);
    char hex[HASH_HEX] = "";
    char id[HISTORY_ID_BYTES];

    if (file != NULL) {
        struct hash hash = hash_of("data", file->data, file->len);
        hash_hex(&hash, hex);
    }
    if (spec->request->action != REQUEST_EVAL)
        text_print(id, sizeof id, "%.300s", spec->id);
    else
        text_print(id, sizeof id, "%.300s%s%.8s%s-eval", spec->id,
                   file == NULL ? "" : "-", hex,
                   spec->request->all_steps ? "-all" : "");
    return strdup(id);
}

bool job_spec_identify(struct job_spec *spec, struct err *err)
{
    spec->id = job_id(spec->job, spec->bundle, spec->request->simulated);
    if (spec->id != NULL)
        spec->history_id = make_history_id(spec);
    if (spec->history_id != NULL)
        return true;
    err_nomem(err, "a job");
    return false;
}

void job_spec_release(struct job_spec *spec)
{
    free(spec->id);
    free(spec->history_id);
    split_release(&spec->split);
    dataset_free(spec->dataset);
    job_free(spec->job);
    bundle_free(spec->bundle);
    request_free(spec->request);
    *spec = (struct job_spec){0};
}
