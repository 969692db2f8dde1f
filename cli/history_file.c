#include "cli/history_file.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/ask.h"
#include "cli/job_operand.h"
#include "cli/jobfile.h"
#include "cli/jobfile_files.h"
#include "cli/out_file.h"
#include "common/file.h"
#include "common/json.h"
#include "store/job_name.h"
#include "store/lookup.h"
#include "store/query.h"

static const char STORE_NAME[] = JOBFILE_STORE;

enum { ARGUMENT_BYTES = 1 << 20 };

// --- the path ---

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// A folder means the job.yaml in it.
static char *store_beside(const char *job)
{
    size_t len = strlen(job);
    char *path;

    if (!is_folder(job))
        return jobfile_beside(job, STORE_NAME);
    path = malloc(len + 1 + sizeof STORE_NAME);
    if (path != NULL) {
        memcpy(path, job, len);
        path[len] = '/';
        memcpy(path + len + 1, STORE_NAME, sizeof STORE_NAME);
    }
    return path;
}

char *history_file_path(const struct options *options, const char *job,
                        struct err *err)
{
    const char *given = option_text(options, OPT_STORE);
    char *path;

    if (given != NULL)
        path = strdup(given);
    else
        path =
            job_operand_is_path(job) ? store_beside(job) : strdup(STORE_NAME);
    if (path == NULL)
        err_nomem(err, "a path");
    return path;
}

// Returns the newest store one folder below, since a run leaves its store next
// to the job. The caller frees the result; NULL if there is none.
static char *find_below(void)
{
    glob_t found = {0};
    int64_t newest = -1;
    const char *best = NULL;
    char *copy = NULL;

    if (glob("*/promptcc.db", GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) {
            struct stat info;

            if (stat(found.gl_pathv[i], &info) != 0 ||
                (int64_t)info.st_mtime <= newest)
                continue;
            newest = (int64_t)info.st_mtime;
            best = found.gl_pathv[i];
        }
    if (best != NULL)
        copy = strdup(best);
    globfree(&found);
    return copy;
}

static void tell_missing(const char *path, struct err *err)
{
    char *below = strcmp(path, STORE_NAME) == 0 ? find_below() : NULL;

    if (below != NULL)
        err_set(err, ERR_INPUT,
                "there is no store at %s, but there is one at %s: name it "
                "with --store %s",
                path, FILE_SHOWN(below, 70), FILE_SHOWN(below, 70));
    else
        err_set(err, ERR_INPUT,
                "there is no store at %s: name one with --store FILE, or a "
                "cluster with --coordinator",
                FILE_SHOWN(path, 140));
    free(below);
}

char *history_file_there(const struct options *options, const char *job,
                         struct err *err)
{
    char *path = history_file_path(options, job, err);
    struct stat info;

    if (path == NULL || stat(path, &info) == 0 || errno != ENOENT)
        return path;
    tell_missing(path, err);
    free(path);
    return NULL;
}

struct store *history_file_open(const struct options *options, const char *job,
                                struct err *err)
{
    char *path = history_file_there(options, job, err);
    struct store *store = path == NULL ? NULL : store_open_read(path, err);

    free(path);
    return store;
}

// --- the job ---

static bool is_same_folder(const char *a, const char *b)
{
    char *one = realpath(a, NULL);
    char *other = realpath(b, NULL);
    bool same = one != NULL && other != NULL && strcmp(one, other) == 0;

    free(one);
    free(other);
    return same;
}

// Returns the first of the rows that was run from the folder, or else the first
// that a coordinator received, for which the folder is not known. If a folder
// was moved together with its store, the store has its old name; then the first
// row is meant.
static const char *job_of_folder(const json_t *rows, const char *folder,
                                 const char *store)
{
    char *beside = file_folder(store);
    bool own = beside != NULL && is_same_folder(beside, folder);
    const json_t *found = NULL, *came = NULL;

    for (size_t i = 0; found == NULL && i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *from = json_get_text(row, "folder", "");

        if (from[0] != '\0' && is_same_folder(from, folder))
            found = row;
        if (from[0] == '\0' && came == NULL)
            came = row;
    }
    free(beside);
    if (found == NULL)
        found = own ? json_array_get(rows, 0) : came;
    return json_get_text(found, "job", NULL);
}

// Returns the latest job that was run from that file. A store may belong to
// several folders, each with a job.yaml.
static char *job_of_file(struct store *store, const char *job, struct err *err)
{
    const char *slash = strrchr(job, '/');
    const char *name =
        is_folder(job) ? "job.yaml" : (slash == NULL ? job : slash + 1);
    char *folder = is_folder(job) ? strdup(job) : file_folder(job);
    json_t *rows = job_name_of_file(store, name, err);
    const char *id =
        folder == NULL ? NULL : job_of_folder(rows, folder, store_path(store));
    char *copy = id == NULL ? NULL : strdup(id);

    if (rows != NULL && copy == NULL)
        err_set(err, ERR_INPUT, "no job has been run from %s yet",
                FILE_SHOWN(job, 150));
    free(folder);
    json_decref(rows);
    return copy;
}

char *history_file_job(struct store *store, const char *job, struct err *err)
{
    return job_operand_is_path(job)
               ? job_of_file(store, job, err)
               : job_name_find(store, job == NULL ? "" : job, err);
}

// --- files that must not be overwritten ---

// The paths of a job's files, as its submission names them: both where it was
// run from and next to the store, in case both were moved or copied since.
struct job_files {
    char **paths; // owned
    size_t n;
};

static bool add_path(struct job_files *files, const char *folder,
                     const char *name, struct err *err)
{
    files->paths[files->n] = file_join(folder, name);
    if (files->paths[files->n] == NULL) {
        err_nomem(err, "a path");
        return false;
    }
    files->n++;
    return true;
}

static bool add_paths(struct job_files *files, const json_t *rows,
                      const char *store, struct err *err)
{
    char *beside = file_folder(store);
    bool ok = beside != NULL;

    files->paths = calloc(2 * json_array_size(rows) + 1, sizeof(char *));
    if (files->paths == NULL || !ok)
        err_nomem(err, "the files of a job");
    ok = ok && files->paths != NULL;
    for (size_t i = 0; ok && i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *folder = json_get_text(row, "folder", "");
        const char *name = json_get_text(row, "name", "");

        ok = add_path(files, beside, name, err) &&
             (folder[0] == '\0' || add_path(files, folder, name, err));
    }
    free(beside);
    return ok;
}

static void release_files(struct job_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->paths[i]);
    free(files->paths);
}

// A job that does not exist has no files; whoever asks for it next reports
// that.
static json_t *submitted_files(const struct options *options, const char *job)
{
    static const char sql[] =
        "SELECT s.folder AS folder, f.name AS name FROM jobs j"
        " JOIN submissions s ON s.job_no = j.no"
        " JOIN job_files f ON f.job_no = j.no WHERE j.id = ?1";
    struct err ignored = ERR_CLEAR;
    struct store *store = history_file_open(options, job, &ignored);
    char *id = store == NULL ? NULL : history_file_job(store, job, &ignored);
    const char *value = id;
    json_t *rows =
        id == NULL ? NULL : query_rows(store, sql, &value, 1, &ignored);

    free(id);
    store_close(store);
    return rows;
}

static bool spares_submitted(const struct options *options, const char *job,
                             const char *store, const char *out,
                             struct err *err)
{
    json_t *rows = submitted_files(options, job);
    struct job_files files = {0};
    bool ok = rows == NULL || add_paths(&files, rows, store, err);
    const struct out_file_reads reads = {
        .others = (const char *const *)files.paths, .n_others = files.n};

    ok = ok && out_file_check(out, "--out", &reads, err);
    release_files(&files);
    json_decref(rows);
    return ok;
}

// A cluster is asked by the name in the job file, which must be read for that.
static bool spares_read(const struct options *options, const char *job,
                        const char *out, struct err *err)
{
    struct err ignored = ERR_CLEAR;
    struct jobfile file;
    bool ok = true;

    if (!job_operand_is_path(job))
        return true;
    if (jobfile_read(&file, options, job, &ignored)) {
        const struct out_file_reads reads = {.bundle = file.bundle};

        ok = out_file_check(out, "--out", &reads, err);
    }
    jobfile_release(&file);
    return ok;
}

bool history_check_out(const struct options *options, const char *job,
                       const char *out, struct err *err)
{
    char *store = history_file_path(options, job, err);
    const struct out_file_reads reads = {
        .store = store, .others = &job, .n_others = 1};
    bool ok = store != NULL && out_file_check(out, "--out", &reads, err);

    if (ok && out != NULL)
        ok = option_on(options, OPT_COORDINATOR)
                 ? spares_read(options, job, out, err)
                 : spares_submitted(options, job, store, out, err);
    free(store);
    return ok;
}

// --- asking ---

static json_t *ask_there(const struct options *options, const char *verb,
                         const char *job, const json_t *argument,
                         struct err *err)
{
    char *name = job_operand_name(options, job, err);
    struct buf text = BUF_INIT(ARGUMENT_BYTES);
    json_t *answer = NULL;

    if (argument != NULL)
        json_put(&text, argument);
    if (name != NULL && buf_ok(&text, "the question", err))
        answer = ask_coordinator(options, verb, name,
                                 text.data == NULL ? "" : text.data, err);
    buf_release(&text);
    free(name);
    return answer;
}

static json_t *ask_here(const struct options *options, const char *verb,
                        const char *job, const json_t *argument,
                        struct err *err)
{
    struct store *store = history_file_open(options, job, err);
    char *id = NULL;
    json_t *answer = NULL;

    if (store != NULL && job_operand_is_path(job))
        id = history_file_job(store, job, err);
    if (store != NULL && (id != NULL || !job_operand_is_path(job)))
        answer = lookup_answer(store, verb,
                               id != NULL ? id : (job == NULL ? "" : job),
                               argument, err);
    store_close(store);
    free(id);
    return answer;
}

json_t *history_ask(const struct options *options, const char *verb,
                    const char *job, const json_t *argument, struct err *err)
{
    return option_on(options, OPT_COORDINATOR)
               ? ask_there(options, verb, job, argument, err)
               : ask_here(options, verb, job, argument, err);
}

json_t *history_ask_id(const struct options *options, const char *verb,
                       const char *job, const char *id, const json_t *argument,
                       struct err *err)
{
    if (option_on(options, OPT_COORDINATOR))
        return ask_there(options, verb, id, argument, err);
    struct store *store = history_file_open(options, job, err);
    json_t *answer =
        store == NULL ? NULL : lookup_answer(store, verb, id, argument, err);

    store_close(store);
    return answer;
}

const char *history_operand(const struct options *options)
{
    return options->n_operands == 0 ? NULL : options->operands[0];
}
