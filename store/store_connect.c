#include "store/store_connect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "store/connect.h"
#include "store/migrate.h"

enum { URI_BYTES = 64 * 1024 };

// page_size (of a new file): measured with calls of 1 KB and one evaluation
// each, pages of 8192 bytes take a third more rows per second than pages of
// 4096, in a file that is 8 % smaller; 16384 gains nothing more. Checkpoints
// come every 1000 pages, 8 MB: fewer gain nothing, and make each one longer. If
// a reader made the log grow, it is truncated again. Rows are appended, so a
// cache of 4 MB is enough.
static const char writer_setup[] = "PRAGMA page_size = 8192;"
                                   "PRAGMA synchronous = FULL;"
                                   "PRAGMA wal_autocheckpoint = 1000;"
                                   "PRAGMA journal_size_limit = 67108864;"
                                   "PRAGMA cache_size = -4096;";

bool store_open_writer(struct store *store, struct err *err)
{
    sqlite3 *db = NULL;
    bool ok = false;

    if (!store_connect(&db, store->path, store->path,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err))
        goto out;
    // SQLite silently opens a file that may not be written as read-only.
    if (sqlite3_db_readonly(db, "main") == 1) {
        sql_fail(err, db, SQLITE_READONLY, store->path, "write");
        goto out;
    }
    if (!sql_run(db, store->path, writer_setup, "open", err) ||
        !migrate_file(db, store->path, err))
        goto out;
    // A new file exists only from here on.
    if (store->file.fd < 0 && !file_lock_take(&store->file, store->path, err))
        goto out;
    store->writer = writer_start(db, store->path, &store->file, err);
    ok = store->writer != NULL;

out:
    if (!ok)
        (void)sqlite3_close(db);
    return ok;
}

// Writes "file:PATH?immutable=1", with the path escaped.
static bool put_uri(struct buf *uri, const char *path, struct err *err)
{
    buf_puts(uri, "file:");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL)
            buf_printf(uri, "%%%02X", (unsigned)*path);
        else
            buf_putc(uri, *path);
    }
    buf_puts(uri, "?immutable=1");
    return buf_ok(uri, "the store's path", err);
}

// A store in a read-only folder cannot have the shared memory that WAL needs.
// If no process left a log next to it, the file is complete and is read as it
// is.
static bool open_immutable(struct store *store, struct err *err)
{
    struct buf name = BUF_INIT(URI_BYTES);
    bool ok = false;

    buf_printf(&name, "%s-wal", store->path);
    if (!buf_ok(&name, "the store's path", err))
        goto out;
    if (access(name.data, F_OK) == 0) {
        err_set(err, ERR_INPUT,
                "cannot read %s: its last changes are in its -wal file, "
                "and the folder is not writable; copy both to a folder that is",
                FILE_SHOWN(store->path, 100));
        goto out;
    }
    buf_clear(&name);
    ok = put_uri(&name, store->path, err) &&
         store_connect(&store->reader, name.data, store->path,
                       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err) &&
         migrate_check(store->reader, store->path, err);

out:
    buf_release(&name);
    return ok;
}

// Returns true if nothing may be written next to the store. Any other reason
// why the store cannot be opened is a disk error, which may pass.
static bool is_folder_closed(const char *path)
{
    char *folder = file_folder(path);
    bool closed =
        folder != NULL && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0;

    free(folder);
    return closed;
}

// Only the first read touches the file.
bool store_open_reader(struct store *store, struct err *err)
{
    struct err first = ERR_CLEAR;
    int64_t version = 0;

    if (!store_connect(&store->reader, store->path, store->path,
                       SQLITE_OPEN_READONLY, err))
        return false;
    if (sql_number(store->reader, store->path, "PRAGMA user_version", &version,
                   &first))
        return migrate_check(store->reader, store->path, err);
    int rc = sqlite3_errcode(store->reader);
    (void)sqlite3_close(store->reader);
    store->reader = NULL;
    if (((rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_READONLY) &&
        is_folder_closed(store->path))
        return open_immutable(store, err);
    err_set(err, first.code, "%s", first.text);
    return false;
}
