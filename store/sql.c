#include "store/sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "store/row_sum.h"

enum { SQLITE_PATH_BYTES = 512, PATH_LEAST_BYTES = 40 };

// What a person can do about a result of SQLite. `words` completes the sentence
// "cannot DOING PATH: ".
struct cause {
    int rc; // a primary result code
    enum err_code code;
    const char *words; // NULL: why_not_open supplies them
};

static const struct cause causes[] = {
    {SQLITE_IOERR, ERR_STORE,
     "the disk reports an error; look at the system's log, then start again"},
    {SQLITE_CORRUPT, ERR_STORE,
     "the file is damaged; restore a copy, or save what can be read with "
     "`sqlite3 FILE .recover`"},
    {SQLITE_CONSTRAINT, ERR_STORE,
     "it holds rows that do not fit together, so it was damaged or changed by "
     "hand; restore a copy, or save what can be read with `sqlite3 FILE "
     ".recover`"},
    {SQLITE_NOTADB, ERR_INPUT,
     "it is not an SQLite database; name another file with --store"},
    {SQLITE_BUSY, ERR_STORE,
     "another program keeps it locked; end it (an open sqlite3 shell?) and "
     "start again"},
    {SQLITE_LOCKED, ERR_STORE, "it is locked within this program"},
    {SQLITE_READONLY, ERR_INPUT,
     "the file or its folder is not writable; change its permissions or "
     "name another with --store"},
    {SQLITE_PERM, ERR_INPUT,
     "permission denied; change its permissions or name another file with "
     "--store"},
    {SQLITE_CANTOPEN, ERR_INPUT, NULL}, // see why_not_open
    {SQLITE_TOOBIG, ERR_LIMIT, "a value is too long"},
    {SQLITE_INTERRUPT, ERR_LIMIT, "it took too long"},
};

static const struct cause *find_cause(int rc)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i].rc == (rc & 0xFF))
            return &causes[i];
    }
    return NULL;
}

// Returns why a file cannot grow, or NULL if that is not the cause. Except for
// ENOSPC, SQLite reports a disk error, or that a file cannot be opened, which
// is true but does not help.
static const char *why_not_grow(sqlite3 *db, int rc)
{
    int reason = db == NULL ? 0 : sqlite3_system_errno(db);
    bool told = (rc & 0xFF) == SQLITE_IOERR || (rc & 0xFF) == SQLITE_CANTOPEN;

    if ((rc & 0xFF) == SQLITE_FULL ||
        (told && (reason == ENOSPC || reason == EDQUOT)))
        return "the disk is full; free some space and start again (nothing "
               "that was finished is lost)";
    if (told && reason == EFBIG)
        return "it would grow over the largest size of a file (`ulimit -f`); "
               "raise that and start again (nothing that was finished is lost)";
    return NULL;
}

// SQLite's limit is for the absolute path including the suffixes that it
// appends.
static bool is_too_long(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    char *full = folder == NULL ? NULL : realpath(folder, NULL);
    size_t len = strlen(slash == NULL ? path : slash + 1);

    if (full != NULL)
        len += strlen(full) + 1;
    free(full);
    return len + strlen("-journal") >= SQLITE_PATH_BYTES;
}

// SQLite has a single code for everything that keeps a file from being opened;
// errno and the file's folder tell more. `reason` is the errno of the last
// system call.
static const char *why_not_open(const char *path, int reason)
{
    static const char another[] = "it cannot be opened; name another file with "
                                  "--store";
    struct stat info;
    char *target = file_target(path);
    char *folder = target == NULL ? NULL : file_folder(target);
    const char *words = another;

    if (reason == EMFILE || reason == ENFILE)
        words = "too many files are open; raise the limit (`ulimit -n`) and "
                "start again";
    else if (is_too_long(path, folder))
        words = "its absolute path is longer than the 500 bytes that SQLite "
                "allows; name a shorter one with --store";
    else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        words = "it is a folder; name a file in it with --store";
    else if (access(path, F_OK) == 0 && access(path, R_OK) != 0)
        words = "you may not read it; change its permissions, or name another "
                "file with --store";
    else if (folder != NULL && stat(folder, &info) != 0)
        words = errno == EACCES
                    ? "you may not enter its folder; change its permissions, "
                      "or name another file with --store"
                    : "its folder does not exist; create it, or name another "
                      "file with --store";
    else if (folder != NULL && !S_ISDIR(info.st_mode))
        words = "what should be its folder is a file; name another with "
                "--store";
    else if (folder != NULL && access(folder, X_OK) != 0)
        words = "you may not enter its folder; change its permissions, or name "
                "another file with --store";
    else if (folder != NULL && access(folder, W_OK) != 0)
        words = "you may not write to its folder, where SQLite keeps files "
                "beside it; change its permissions, or name another file with "
                "--store";
    free(folder);
    free(target);
    return words;
}

// Cuts a long path rather than the words, which say what to do.
static void set_words(struct err *err, enum err_code code, const char *path,
                      const char *doing, const char *words)
{
    size_t taken = sizeof "cannot  : " + strlen(doing) + strlen(words);
    size_t room = sizeof err->text > taken + PATH_LEAST_BYTES
                      ? sizeof err->text - taken
                      : PATH_LEAST_BYTES;

    char shown[sizeof err->text];

    err_set(err, code, "cannot %s %s: %s", doing,
            file_shown(path, shown, room + 1), words);
}

void sql_fail(struct err *err, sqlite3 *db, int rc, const char *path,
              const char *doing)
{
    const struct cause *cause = rc == ROW_DAMAGED ? NULL : find_cause(rc);
    const char *words = why_not_grow(db, rc);

    if ((rc & 0xFF) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        err_nomem(err, "SQLite");
    else if (words != NULL)
        set_words(err, ERR_STORE, path, doing, words);
    else if (cause != NULL)
        set_words(err, cause->code, path, doing,
                  cause->words != NULL
                      ? cause->words
                      : why_not_open(path, sqlite3_system_errno(db)));
    else
        set_words(err, ERR_STORE, path, doing,
                  db != NULL && sqlite3_extended_errcode(db) == rc
                      ? sqlite3_errmsg(db)
                      : sqlite3_errstr(rc));
}

bool sql_run(sqlite3 *db, const char *path, const char *sql, const char *doing,
             struct err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        sql_fail(err, db, rc, path, doing);
    return rc == SQLITE_OK;
}

bool sql_number(sqlite3 *db, const char *path, const char *sql, int64_t *value,
                struct err *err)
{
    struct sql_read read = SQL_READ_NONE;

    if (sql_read_open(&read, db, path, sql, "read", err) &&
        sql_read_next(&read, err))
        *value = sqlite3_column_int64(read.stmt, 0);
    bool ok = !read.failed;
    sql_read_close(&read);
    return ok;
}

bool sql_read_open(struct sql_read *read, sqlite3 *db, const char *path,
                   const char *sql, const char *doing, struct err *err)
{
    *read = (struct sql_read){.db = db, .path = path, .doing = doing};
    int rc = sqlite3_prepare_v2(db, sql, -1, &read->stmt, NULL);

    read->failed = rc != SQLITE_OK;
    if (read->failed)
        sql_fail(err, db, rc, path, doing);
    return !read->failed;
}

bool sql_read_next(struct sql_read *read, struct err *err)
{
    int rc = sqlite3_step(read->stmt);

    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE) {
        read->failed = true;
        sql_fail(err, read->db, rc, read->path, read->doing);
    }
    return false;
}

void sql_read_close(struct sql_read *read)
{
    (void)sqlite3_finalize(read->stmt);
    read->stmt = NULL;
}

char *sql_text_copy(sqlite3_stmt *stmt, int column, struct err *err)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    char *copy = NULL;

    if (text != NULL || sqlite3_column_type(stmt, column) == SQLITE_NULL)
        copy = strdup(text != NULL ? (const char *)text : "");
    if (copy == NULL)
        err_nomem(err, "a text of the store");
    return copy;
}
