#include "cli/measure.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/follow.h"
#include "cli/history_file.h"
#include "cli/jobfile_files.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/json.h"
#include "store/query.h"

enum { SQL_BYTES = 1 << 16 };

// --- sums over calls ---

#define SUMS                                                                   \
    "SELECT role, count(*) AS calls, sum(length(messages)) AS bytes,"          \
    " sum(prompt_tokens) AS prompt, sum(generated_tokens) AS generated,"       \
    " sum(prompt_us) AS prompt_us, sum(generate_us) AS generate_us,"           \
    " sum(total_us - load_us) AS total_us FROM v_calls"

static const char all_calls[] = SUMS " GROUP BY role";

// The calls that the scores of the job's evaluation rest on, whoever paid for
// them.
static const char job_calls[] =
    SUMS " WHERE id IN (SELECT i.value FROM evaluations e, json_each(e.calls) i"
         " WHERE e.job_no = (SELECT no FROM jobs WHERE id = '%s-eval'))"
         " GROUP BY role";

static void take_sums(const json_t *rows, struct call_sums out[ROLE_COUNT])
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        for (int r = 0; r < ROLE_COUNT; r++)
            if (strcmp(json_get_text(row, "role", ""), role_names[r]) == 0)
                out[r] =
                    (struct call_sums){json_get_number(row, "calls", 0),
                                       json_get_number(row, "bytes", 0),
                                       json_get_number(row, "prompt", 0),
                                       json_get_number(row, "generated", 0),
                                       json_get_number(row, "prompt_us", 0),
                                       json_get_number(row, "generate_us", 0),
                                       json_get_number(row, "total_us", 0)};
    }
}

static bool read_sums(const char *path, const char *sql,
                      struct call_sums out[ROLE_COUNT], struct err *err)
{
    struct store *store = store_open_read(path, err);
    json_t *rows = store == NULL ? NULL : query_rows(store, sql, NULL, 0, err);

    take_sums(rows, out);
    store_close(store);
    bool ok = rows != NULL;
    json_decref(rows);
    return ok;
}

// Returns the SQL that sums the calls of an evaluation. The caller frees the
// result.
static char *sums_of(const json_t *document, struct err *err)
{
    struct buf sql = BUF_INIT(SQL_BYTES);
    const char *job = json_get_text(document, "job", "");

    // A job id has no quotes, but a coordinator may send anything.
    if (strchr(job, '\'') == NULL)
        buf_printf(&sql, job_calls, job);
    if (!sql.failed && sql.data != NULL)
        return buf_take(&sql);
    buf_release(&sql);
    err_set(err, ERR_PROTOCOL,
            "the coordinator returned an evaluation without a job's id, so its "
            "calls cannot be added up");
    return NULL;
}

static int read_measured(const char *store, const json_t *document,
                         struct call_sums out[ROLE_COUNT], struct err *err)
{
    char *sql = sums_of(document, err);
    bool ok = sql != NULL && read_sums(store, sql, out, err);

    free(sql);
    return ok ? EXIT_DONE : exit_of(err->code);
}

// --- the rehearsal ---

static int follow_in(const char *store, const struct options *options,
                     struct jobfile *file, enum request_action action,
                     json_t **document)
{
    struct follow follow = {.options = options,
                            .file = file,
                            .keeps_result = true,
                            .store = store,
                            .request = {.action = action, .simulated = true}};
    int status = follow_here(&follow);

    *document = follow.outcome.document;
    return status;
}

// Rehearses the run, and then what is measured on the servers, so that like can
// be compared with like.
static int rehearse_in(const char *store, const struct options *options,
                       struct jobfile *file, struct rehearsal *out,
                       struct err *err)
{
    json_t *document = NULL;
    int status = follow_in(store, options, file, REQUEST_RUN, &document);

    json_decref(document);
    if (status != EXIT_DONE)
        return status;
    if (!read_sums(store, all_calls, out->run, err))
        return exit_of(err->code);
    status = follow_in(store, options, file, REQUEST_EVAL, &document);
    if (status == EXIT_DONE)
        status = read_measured(store, document, out->eval, err);
    json_decref(document);
    return status;
}

static int remove_entry(const char *path, const struct stat *stat, int kind,
                        struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int measure_rehearsal(const struct options *options, struct jobfile *file,
                      struct rehearsal *out, struct err *err)
{
    char *folder = file_join(file_temp_folder(), "promptcc-plan-XXXXXX");
    bool made = folder != NULL && mkdtemp(folder) != NULL;
    char *store = made ? file_join(folder, "plan.db") : NULL;
    struct options here = *options;
    int status = EXIT_FAILED;

    if (store == NULL) {
        err_set(err, ERR_IO,
                "cannot make a folder for the rehearsal in %s (%s): name "
                "another one in TMPDIR",
                FILE_SHOWN(file_temp_folder(), 120), strerror(errno));
        goto out;
    }
    here.values[OPT_OLLAMA] = here.values[OPT_OPENAI] =
        here.values[OPT_COORDINATOR] = (struct option_value){0};
    status = rehearse_in(store, &here, file, out, err);

out:
    if (made)
        (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(store);
    free(folder);
    return status;
}

// --- the servers ---

static bool ask_sums(const struct options *options, const char *sql,
                     struct call_sums out[ROLE_COUNT], struct err *err)
{
    json_t *argument = json_pack("{s:s}", "sql", sql);
    json_t *answer = history_ask(options, "query", NULL, argument, err);

    take_sums(json_object_get(answer, "rows"), out);
    json_decref(argument);
    bool ok = answer != NULL;
    json_decref(answer);
    return ok;
}

// Scores the program as written on the workers of a cluster.
static int calibrate_there(const struct options *options, struct jobfile *file,
                           struct call_sums sums[ROLE_COUNT], struct err *err)
{
    struct follow follow = {
        .options = options,
        .file = file,
        .keeps_result = true,
        .wait = true,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE)}};
    int status = follow_there(&follow);
    char *sql =
        status == EXIT_DONE ? sums_of(follow.outcome.document, err) : NULL;

    if (status == EXIT_DONE &&
        (sql == NULL || !ask_sums(options, sql, sums, err)))
        status = exit_of(err->code);
    free(sql);
    json_decref(follow.outcome.document);
    return status;
}

// Scores the program as written on the servers at hand.
static int calibrate_here(const struct options *options, struct jobfile *file,
                          struct call_sums sums[ROLE_COUNT], struct err *err)
{
    char *store = jobfile_given_or(option_text(options, OPT_STORE), file->path,
                                   JOBFILE_STORE);
    struct follow follow = {
        .options = options,
        .file = file,
        .keeps_result = true,
        .store = store,
        .request = {.action = REQUEST_EVAL,
                    .simulated = option_on(options, OPT_SIMULATE)}};
    int status = EXIT_FAILED;

    if (store == NULL)
        err_nomem(err, "a path");
    else
        status = follow_here(&follow);
    if (status == EXIT_DONE)
        status = read_measured(store, follow.outcome.document, sums, err);
    json_decref(follow.outcome.document);
    free(store);
    return status;
}

int measure_servers(const struct options *options, struct jobfile *file,
                    struct call_sums out[ROLE_COUNT], struct err *err)
{
    return option_on(options, OPT_COORDINATOR)
               ? calibrate_there(options, file, out, err)
               : calibrate_here(options, file, out, err);
}
