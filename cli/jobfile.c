#include "cli/jobfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/check_searches.h"
#include "cli/jobfile_overrides.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "program/job/dataset_load.h"
#include "program/job/reach_check.h"
#include "program/metric/metric.h"

enum { JOBFILE_ARENA_BYTES = 4 << 20 };

// A folder means the job.yaml in it.
static char *resolve_path(const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return file_join(path, "job.yaml");
    return strdup(path);
}

// Any other trouble with the file is reported when it is opened.
static bool check_exists(const char *path, struct err *err)
{
    struct stat info;

    if (stat(path, &info) == 0 || errno != ENOENT)
        return true;
    err_set(err, ERR_INPUT,
            "there is no job file %.200s: name a job file, or a folder with a "
            "job.yaml in it (`promptcc init FOLDER` makes one)",
            path);
    return false;
}

// Returns true for what `run` or DSPy writes: no job has `metadata`.
static bool is_compiled(const struct bundle_file *file)
{
    struct err ignored = ERR_CLEAR;
    json_t *json =
        json_parse(file->data, file->len, BUNDLE_MAX_BYTES, &ignored);
    bool found = json_is_object(json_object_get(json, "metadata"));

    json_decref(json);
    return found;
}

// Refuses the other files that are at hand where a job is. Their keys would
// each be reported as a mistake.
static bool check_is_job(const struct jobfile *file, struct err *err)
{
    static const char *const data[] = {".jsonl", ".csv", ".tsv"};

    if (is_compiled(&file->bundle->files[0])) {
        err_set(err, ERR_INPUT,
                "%s is a compiled file, not a job: name the job that it "
                "was compiled from, or run it with `promptcc predict`",
                FILE_SHOWN(file->path, 110));
        return false;
    }
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        if (text_ends_with(file->path, data[i])) {
            err_set(err, ERR_INPUT,
                    "%s is data, not a job: name the job file that names "
                    "it under `data`",
                    FILE_SHOWN(file->path, 150));
            return false;
        }
    return true;
}

// --- reading ---

static struct job *load(struct jobfile *file)
{
    return job_load_checked(file->bundle, file->overrides, file->n_overrides,
                            optimizer_check, file->diags);
}

// The optimizer whose seed an option sets is known only once the job has been
// read. The job is then read again, and finds the same.
static bool read_job(struct jobfile *file, const struct options *options,
                     struct err *err)
{
    bool changed = false;

    file->job = load(file);
    if (file->job == NULL)
        return true;
    if (!jobfile_override_seed(file, options, &changed, err))
        return false;
    if (!changed)
        return true;
    job_free(file->job);
    diags_free(file->diags);
    file->job = NULL;
    file->diags = diags_new(err);
    if (file->diags == NULL)
        return false;
    file->job = load(file);
    return true;
}

static bool make_plan(struct jobfile *file, struct err *err)
{
    const struct program *program = file->job->program;
    bool *reads = calloc(program->n_outputs + 1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "a plan");
        return false;
    }
    metric_reads(file->job->metric, reads);
    plan_make(program, reads, &file->plan);
    free(reads);
    return true;
}

// Reads the parts that need a readable job.
static bool read_parts(struct jobfile *file, struct err *err)
{
    (void)optimizer_params(file->job, &file->optimizer, &file->arena,
                           file->diags);
    file->dataset = dataset_load(file->job, file->bundle, file->diags);
    if (file->dataset != NULL) {
        (void)split_make(file->job, file->dataset, &file->split, file->diags);
        reach_check(file->job, file->dataset, file->diags);
    }
    if (file->dataset != NULL && file->optimizer != NULL)
        optimizer_check_data(file->optimizer, file->job, file->dataset,
                             &file->split, file->diags);
    if (!make_plan(file, err))
        return false;
    if (file->dataset != NULL)
        check_searches(file);
    return true;
}

bool jobfile_read(struct jobfile *out, const struct options *options,
                  const char *path, struct err *err)
{
    *out = (struct jobfile){.arena = ARENA_INIT(JOBFILE_ARENA_BYTES),
                            .compiled = BUF_INIT(BUNDLE_MAX_BYTES)};
    out->path = resolve_path(path);
    out->diags = diags_new(err);
    if (out->path == NULL)
        err_nomem(err, "a path");
    if (out->path == NULL || out->diags == NULL ||
        !check_exists(out->path, err))
        return false;
    out->bundle = bundle_open(out->path, err);
    if (out->bundle == NULL || !check_is_job(out, err) ||
        !jobfile_override(out, options, err) || !read_job(out, options, err))
        return false;
    return out->job == NULL || read_parts(out, err);
}

// Returns the path of the job file; for a job from another machine, its path
// there.
static char *bundle_place(const struct bundle *bundle)
{
    return bundle->folder == NULL
               ? strdup(bundle->path)
               : file_join(bundle->folder, bundle->files[0].name);
}

bool jobfile_take(struct jobfile *out, struct bundle *bundle,
                  const char *const *overrides, size_t n_overrides,
                  struct err *err)
{
    *out = (struct jobfile){.arena = ARENA_INIT(JOBFILE_ARENA_BYTES),
                            .bundle = bundle,
                            .path = bundle_place(bundle)};
    out->diags = diags_new(err);
    if (out->path == NULL)
        err_nomem(err, "a path");
    if (out->path == NULL || out->diags == NULL)
        return false;
    if (n_overrides > JOBFILE_MAX_OVERRIDES)
        n_overrides = JOBFILE_MAX_OVERRIDES;
    for (size_t i = 0; i < n_overrides; i++)
        out->overrides[out->n_overrides++] = overrides[i];
    out->job = load(out);
    return out->job == NULL || read_parts(out, err);
}

int jobfile_use(const struct options *options,
                int (*work)(const struct options *options,
                            struct jobfile *file))
{
    struct jobfile file;
    struct err err = ERR_CLEAR;
    bool read = jobfile_read(&file, options, options->operands[0], &err);
    int status = !read && file.diags == NULL
                     ? output_error(options, &err)
                     : output_findings(options, file.diags, &err);

    if (status == EXIT_DONE)
        status = work(options, &file);
    jobfile_release(&file);
    return status;
}

void jobfile_drop_rows(struct jobfile *file)
{
    split_release(&file->split);
    dataset_free(file->dataset);
    file->dataset = NULL;
}

void jobfile_release(struct jobfile *file)
{
    jobfile_drop_rows(file);
    job_free(file->job);
    bundle_free(file->bundle);
    diags_free(file->diags);
    buf_release(&file->compiled);
    arena_release(&file->arena);
    free(file->path);
}

size_t jobfile_models(const struct jobfile *file, const char **out)
{
    size_t n = 0;

    for (int r = 0; r < ROLE_COUNT; r++) {
        const char *name = file->job->models[r].name;
        size_t i = 0;

        if (name == NULL)
            continue;
        while (i < n && strcmp(out[i], name) != 0)
            i++;
        if (i == n)
            out[n++] = name;
    }
    return n;
}

int jobfile_check_data(struct jobfile *file, const struct options *options,
                       const char *name)
{
    struct err err = ERR_CLEAR;
    struct diags *diags = diags_new(&err);
    int status;

    if (diags == NULL)
        return output_error(options, &err);
    dataset_free(dataset_file(file->job, file->bundle, name, diags));
    status = output_findings(options, diags, &err);
    diags_free(diags);
    return status;
}
