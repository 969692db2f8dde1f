#include "cli/again.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/history_file.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/json.h"
#include "store/history.h"
#include "store/query.h"
#include "store/store.h"

// Returns the folder that the job was run from. If it has been moved since, its
// store usually moved with it, so returns the store's folder.
static char *folder_of(const char *stored, const char *store)
{
    struct stat info;

    return stat(stored, &info) == 0 ? strdup(stored) : file_folder(store);
}

static struct bundle *unpack(const struct history_submission *stored,
                             const char *store, struct err *err)
{
    struct bundle *bundle = bundle_new(stored->files[0].name, err);

    if (bundle != NULL && stored->folder[0] != '\0') {
        bundle->folder = folder_of(stored->folder, store);
        if (bundle->folder == NULL) {
            err_nomem(err, "a job");
            bundle_free(bundle);
            return NULL;
        }
    }
    for (size_t i = 0; bundle != NULL && i < stored->n_files; i++)
        if (!bundle_add(bundle, stored->files[i].name, stored->files[i].data,
                        stored->files[i].len, err)) {
            bundle_free(bundle);
            bundle = NULL;
        }
    return bundle;
}

static bool take_stored(void *user, const struct history_submission *stored,
                        struct err *err)
{
    struct again *again = user;
    struct bundle *bundle;

    again->request =
        request_read(request_action_name(REQUEST_RUN), stored->options, err);
    if (again->request == NULL)
        return false;
    bundle = unpack(stored, again->store, err);
    return bundle != NULL &&
           jobfile_take(&again->file, bundle, again->request->overrides,
                        again->request->n_overrides, err);
}

// Refuses a run by a version whose stored answers mean something else here.
// Nothing could be replayed: it would start over as a different job, and pay
// for everything again.
static bool check_version(struct store *store, const char *id, struct err *err)
{
    json_t *rows =
        query_rows(store, "SELECT replay_version AS n FROM jobs WHERE id = ?1",
                   &id, 1, err);
    int64_t version =
        json_get_int(json_array_get(rows, 0), "n", REPLAY_VERSION);

    if (rows != NULL && version != REPLAY_VERSION)
        err_set(
            err, ERR_INPUT,
            "the job %.80s was run by another version of promptcc, and this "
            "one cannot replay it: run its job file again, as a new job "
            "(`export` still writes what it found)",
            id);
    json_decref(rows);
    return rows != NULL && version == REPLAY_VERSION;
}

static bool read_stored(struct again *again, const struct options *options,
                        const char *job, struct err *err)
{
    struct store *store = history_file_open(options, job, err);
    int64_t job_no = 0;
    bool ok = false;

    if (store != NULL)
        again->id = history_file_job(store, job, err);
    if (again->id != NULL && check_version(store, again->id, err))
        job_no = history_job_no(store, again->id, err);
    if (job_no != 0)
        ok = history_load_submission(store, job_no, take_stored, again, err);
    store_close(store);
    return ok;
}

int again_load(struct again *out, const struct options *options,
               const char *job)
{
    struct err err = ERR_CLEAR;

    *out = (struct again){0};
    out->store = history_file_path(options, job, &err);
    if (out->store == NULL || !read_stored(out, options, job, &err))
        return output_error(options, &err);
    return output_findings(options, out->file.diags, &err);
}

void again_release(struct again *again)
{
    jobfile_release(&again->file);
    request_free(again->request);
    free(again->store);
    free(again->id);
}
