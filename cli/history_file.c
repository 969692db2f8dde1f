#include "cli/history_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/jobfile.h"
#include "common/json.h"

static const char STORE_NAME[] = "promptcc.db";

bool is_job_path(const char *job)
{
    struct stat info;

    return job != NULL && stat(job, &info) == 0 &&
           (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

// A folder stands for the job.yaml in it.
static char *store_beside(const char *job)
{
    struct stat info;

    if (stat(job, &info) == 0 && S_ISDIR(info.st_mode)) {
        size_t len = strlen(job);
        char *path = malloc(len + 1 + sizeof STORE_NAME);

        if (path == NULL)
            return NULL;
        memcpy(path, job, len);
        path[len] = '/';
        memcpy(path + len + 1, STORE_NAME, sizeof STORE_NAME);
        return path;
    }
    return jobfile_beside(job, STORE_NAME);
}

char *history_file_path(const struct options *options, const char *job,
                        struct err *err)
{
    const char *given = option_text(options, OPT_STORE);
    char *path;

    if (given != NULL)
        path = strdup(given);
    else
        path = is_job_path(job) ? store_beside(job) : strdup(STORE_NAME);
    if (path == NULL)
        err_nomem(err, "a path");
    return path;
}

struct store *history_file_open(const struct options *options, const char *job,
                                struct err *err)
{
    char *path = history_file_path(options, job, err);
    struct store *store = NULL;
    struct stat info;

    if (path == NULL)
        return NULL;
    if (stat(path, &info) != 0)
        err_set(err, ERR_INPUT,
                "there is no store at %.150s: name it with --store FILE", path);
    else
        store = store_open_read(path, err);
    free(path);
    return store;
}

// The name of the job file that `job` stands for.
static const char *base_name(const char *job)
{
    struct stat info;
    const char *slash = strrchr(job, '/');

    if (stat(job, &info) == 0 && S_ISDIR(info.st_mode))
        return "job.yaml";
    return slash == NULL ? job : slash + 1;
}

// The latest job that was run from that file. The store lies beside it, so
// its name is enough.
static char *job_of_file(struct store *store, const char *job, struct err *err)
{
    static const char sql[] =
        "SELECT job FROM v_jobs WHERE (path = ?1 OR path LIKE '%/' || ?1)"
        " AND job NOT LIKE '%-eval' ORDER BY updated DESC LIMIT 1";
    const char *name = base_name(job);
    json_t *rows = query_rows(store, sql, &name, 1, err);
    const char *id = json_get_text(json_array_get(rows, 0), "job", NULL);
    char *copy = id == NULL ? NULL : strdup(id);

    if (rows != NULL && copy == NULL)
        err_set(err, ERR_INPUT, "no job was run from %.150s yet", job);
    json_decref(rows);
    return copy;
}

char *history_file_job(struct store *store, const char *job, struct err *err)
{
    return is_job_path(job) ? job_of_file(store, job, err)
                            : query_job(store, job, err);
}

json_t *history_file_rows(const struct options *options, const char *job,
                          const char *sql, struct err *err)
{
    struct store *store = history_file_open(options, job, err);
    char *id =
        store == NULL || job == NULL ? NULL : history_file_job(store, job, err);
    const char *args[] = {id};
    json_t *rows = NULL;

    if (store != NULL && (job == NULL || id != NULL))
        rows = query_rows(store, sql, args, job == NULL ? 0 : 1, err);
    store_close(store);
    free(id);
    return rows;
}
