// What was submitted, so that a job can be resumed without its folder.

#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "store/parts.h"

enum { FILES_MAX = 256, HEAD_BYTES = 64 << 10 }; // of all names and numbers

// Returns nearly all bytes of the record, to reserve them in one step; growing
// the buffer would copy them.
static size_t bytes_of(const struct history_submission *submission)
{
    size_t bytes = strlen(submission->options) + strlen(submission->folder);

    for (size_t i = 0; i < submission->n_files; i++)
        bytes += submission->files[i].len;
    return bytes;
}

bool history_put_submission(struct store *store, int64_t job_no,
                            const struct history_submission *submission,
                            struct err *err)
{
    struct buf *record = store_record(store);

    buf_expect(record, bytes_of(submission) + HEAD_BYTES);
    record_begin(record, RECORD_SUBMISSION);
    record_int(record, job_no);
    record_text(record, submission->options);
    record_text(record, submission->folder);
    record_end(record);
    for (size_t i = 0; i < submission->n_files; i++) {
        const struct history_file *file = &submission->files[i];

        record_begin(record, RECORD_JOB_FILE);
        record_int(record, job_no);
        record_int(record, (int64_t)i);
        record_text(record, file->name);
        record_bytes(record, file->data, file->len);
        record_end(record);
    }
    return store_put(store, err);
}

bool history_put_options(struct store *store, int64_t job_no,
                         const char *options, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_SUBMISSION_OPTIONS);
    record_int(record, job_no);
    record_text(record, options);
    record_end(record);
    return store_put(store, err);
}

// A submission that was read back; owns its texts.
struct loaded {
    char *options;
    char *folder;
    struct history_file files[FILES_MAX];
    size_t n;
};

static void free_loaded(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->n; i++) {
        free((char *)loaded->files[i].name);
        free((char *)loaded->files[i].data);
    }
    free(loaded->options);
    free(loaded->folder);
    free(loaded);
}

static void report_missing(const struct store *store, struct err *err)
{
    err_set(err, ERR_INPUT,
            "the store %s does not hold the files of that job: run or submit "
            "it again",
            FILE_SHOWN(store->path, 140));
}

static bool load_head(struct store *store, int64_t job_no,
                      struct loaded *loaded, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;

    if (store_read_settled(
            store, &read,
            "SELECT options, folder FROM submissions WHERE job_no = ?1",
            "read a job of", err)) {
        (void)sqlite3_bind_int64(read.stmt, 1, job_no);
        if (sql_read_next(&read, err)) {
            loaded->options = sql_text_copy(read.stmt, 0, err);
            loaded->folder = sql_text_copy(read.stmt, 1, err);
        } else if (!read.failed) {
            report_missing(store, err);
        }
    }
    sql_read_close(&read);
    return loaded->options != NULL && loaded->folder != NULL;
}

static bool take_file(struct sql_read *read, struct loaded *loaded,
                      struct err *err)
{
    size_t len = (size_t)sqlite3_column_bytes(read->stmt, 1);
    const void *data = sqlite3_column_blob(read->stmt, 1);
    char *name = sql_text_copy(read->stmt, 0, err);
    char *copy = malloc(len + 1);

    if (name == NULL || copy == NULL) {
        free(name);
        free(copy);
        err_nomem(err, "a job's files");
        return false;
    }
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    loaded->files[loaded->n++] =
        (struct history_file){.name = name, .data = copy, .len = len};
    return true;
}

static bool load_files(struct store *store, int64_t job_no,
                       struct loaded *loaded, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = store_read(store, &read,
                         "SELECT name, data FROM job_files WHERE job_no = ?1"
                         " AND row_check('job_files', job_no, sum, job_no,"
                         "  position, name, data)"
                         " ORDER BY position",
                         "read a job of", err);

    if (ok)
        (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    while (ok && loaded->n < FILES_MAX && sql_read_next(&read, err))
        ok = take_file(&read, loaded, err);
    ok = ok && !read.failed;
    sql_read_close(&read);
    if (ok && loaded->n == 0)
        report_missing(store, err);
    return ok && loaded->n > 0;
}

bool history_load_submission(struct store *store, int64_t job_no,
                             bool (*fn)(void *user,
                                        const struct history_submission *,
                                        struct err *err),
                             void *user, struct err *err)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    bool ok = false;

    if (loaded == NULL) {
        err_nomem(err, "a job's files");
        return false;
    }
    if (load_head(store, job_no, loaded, err) &&
        load_files(store, job_no, loaded, err)) {
        struct history_submission submission = {.options = loaded->options,
                                                .folder = loaded->folder,
                                                .files = loaded->files,
                                                .n_files = loaded->n};

        ok = fn(user, &submission, err);
    }
    free_loaded(loaded);
    return ok;
}
