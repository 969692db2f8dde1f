#include "store/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/hash.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/store.h"

enum { SQL_BYTES = 64 * 1024 };

struct state {
    int64_t application_id;
    int64_t version;
    int64_t objects; // tables, views, ... of any origin
};

static bool read_state(sqlite3 *db, const char *path, struct state *state,
                       struct err *err)
{
    return sql_number(db, path, "PRAGMA application_id", &state->application_id,
                      err) &&
           sql_number(db, path, "PRAGMA user_version", &state->version, err) &&
           sql_number(db, path, "SELECT count(*) FROM sqlite_schema",
                      &state->objects, err);
}

static bool is_empty(const struct state *state)
{
    return state->application_id == 0 && state->version == 0 &&
           state->objects == 0;
}

static bool check_state(const struct state *state, const char *path,
                        struct err *err)
{
    if (is_empty(state)) {
        err_set(err, ERR_INPUT,
                "%s is empty, so it holds no history; name another file with "
                "--store",
                FILE_SHOWN(path, 120));
        return false;
    }
    if (state->application_id != SQL_APPLICATION_ID) {
        err_set(err, ERR_INPUT,
                "%s is a database of another program; name another file with "
                "--store",
                FILE_SHOWN(path, 120));
        return false;
    }
    if (state->version < 1 || state->version > STORE_VERSION) {
        err_set(err, ERR_INPUT,
                "the store %s has version %" PRId64
                ", but this promptcc reads only up to %d; use the newer "
                "promptcc that "
                "wrote it, or name another file with --store",
                FILE_SHOWN(path, 80), state->version, STORE_VERSION);
        return false;
    }
    return true;
}

// The mode is saved in the file. Some systems refuse it by keeping the old
// mode.
static bool set_wal(sqlite3 *db, const char *path, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (sql_read_open(&read, db, path, "PRAGMA journal_mode = WAL", "prepare",
                      err) &&
        sql_read_next(&read, err)) {
        const char *mode = (const char *)sqlite3_column_text(read.stmt, 0);
        ok = mode != NULL && strcmp(mode, "wal") == 0;
        if (!ok)
            err_set(err, ERR_INPUT,
                    "the file system of %s does not allow shared memory, which "
                    "a store needs; name a file on a local disk with --store",
                    FILE_SHOWN(path, 80));
    }
    sql_read_close(&read);
    return ok;
}

// Hashes this program's views, to recognize them.
static void hash_views(char hex[HASH_HEX])
{
    struct hasher hasher;
    struct hash hash;

    hasher_init(&hasher, "views");
    for (size_t i = 0; i < schema_n_views; i++)
        hasher_add_text(&hasher, schema_views[i].sql);
    hash = hasher_end(&hasher);
    hash_hex(&hash, hex);
}

static bool has_our_views(sqlite3 *db, const char *path, int64_t *same,
                          struct err *err)
{
    char hex[HASH_HEX], sql[128];

    hash_views(hex);
    (void)snprintf(
        sql, sizeof sql,
        "SELECT count(*) FROM meta WHERE key = 'views' AND value = '%s'", hex);
    return sql_number(db, path, sql, same, err);
}

static void put_views(struct buf *sql)
{
    char hex[HASH_HEX];

    for (size_t i = 0; i < schema_n_views; i++)
        buf_printf(sql, "DROP VIEW IF EXISTS %s;", schema_views[i].name);
    for (size_t i = 0; i < schema_n_views; i++)
        buf_puts(sql, schema_views[i].sql);
    hash_views(hex);
    buf_printf(sql, "INSERT OR REPLACE INTO meta VALUES('views', '%s');", hex);
}

// Writes one transaction, from BEGIN to COMMIT, with all steps after `from`.
static bool put_steps(struct buf *sql, int64_t from, struct err *err)
{
    buf_puts(sql, "BEGIN IMMEDIATE;");
    for (int64_t version = from + 1; version <= STORE_VERSION; version++)
        buf_puts(sql, schema_step((int)version));
    put_views(sql);
    buf_printf(
        sql,
        "INSERT OR REPLACE INTO meta VALUES('written_by', 'promptcc %s');"
        "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
        PROMPTCC_VERSION, SQL_APPLICATION_ID, STORE_VERSION);
    return buf_ok(sql, "the schema", err);
}

static bool run_steps(sqlite3 *db, const char *path, int64_t from,
                      struct err *err)
{
    struct buf sql = BUF_INIT(SQL_BYTES);

    bool ok = put_steps(&sql, from, err) &&
              sql_run(db, path, sql.data, "prepare", err);
    if (!ok && !sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    buf_release(&sql);
    return ok;
}

bool migrate_file(sqlite3 *db, const char *path, struct err *err)
{
    struct state state = {0};
    int64_t same_views = 0;

    if (!read_state(db, path, &state, err))
        return false;
    if (!is_empty(&state) && !check_state(&state, path, err))
        return false;
    if (!set_wal(db, path, err))
        return false;
    if (!is_empty(&state) && !has_our_views(db, path, &same_views, err))
        return false;
    return (state.version == STORE_VERSION && same_views > 0) ||
           run_steps(db, path, state.version, err);
}

bool migrate_check(sqlite3 *db, const char *path, struct err *err)
{
    struct state state = {0};

    return read_state(db, path, &state, err) && check_state(&state, path, err);
}

bool migrate_age(sqlite3 *db, const char *path, enum migrate_age *age,
                 struct err *err)
{
    struct state state = {0};
    int64_t same_views = 0;

    if (!read_state(db, path, &state, err) ||
        !has_our_views(db, path, &same_views, err))
        return false;
    *age = state.version < STORE_VERSION ? MIGRATE_OLDER
           : same_views == 0             ? MIGRATE_OTHER_VIEWS
                                         : MIGRATE_CURRENT;
    return true;
}
