#include "store/guard.h"

#include <string.h>

#include "common/clock.h"

// Virtual machine steps between looks at the clock.
enum { WATCH_STEPS = 10000 };

// Pragmas that describe tables, also usable as table-valued functions.
static bool is_harmless_pragma(const char *name)
{
    static const char *const names[] = {"table_info", "table_xinfo",
                                        "table_list", "index_list",
                                        "user_version"};

    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0];
         i++) {
        if (sqlite3_stricmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

// The first loads code; the second reveals addresses in memory.
static bool is_harmful_function(const char *name)
{
    return sqlite3_stricmp(name, "load_extension") == 0 ||
           sqlite3_stricmp(name, "fts3_tokenizer") == 0;
}

// Decides what a statement may do. Everything else is refused, including BEGIN
// and ATTACH, so a snapshot ends with its statement and no other file is
// touched.
static int authorize(void *user, int action, const char *first,
                     const char *second, const char *database,
                     const char *trigger)
{
    (void)user;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_UPDATE:
        // This is how SQLite declares a table-valued function (json_each). A
        // statement that would really update is not read-only, and is refused
        // for that.
        return strcmp(first, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
        return is_harmful_function(second) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
        // user_version with a value would write.
        return is_harmless_pragma(first) &&
                       (second == NULL ||
                        sqlite3_stricmp(first, "user_version") != 0)
                   ? SQLITE_OK
                   : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static int watch(void *user)
{
    const struct store *store = user;

    return store->deadline_ms != 0 &&
           clock_monotonic_ms() >= store->deadline_ms;
}

bool guard_reader(struct store *store, struct err *err)
{
    sqlite3 *db = store->reader;

    if (!sql_run(db, store->path,
                 "PRAGMA query_only = ON; PRAGMA cache_size = -4096;", "open",
                 err))
        return false;
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, GUARD_VALUE_BYTES);
    sqlite3_progress_handler(db, WATCH_STEPS, watch, store);
    int rc = sqlite3_set_authorizer(db, authorize, NULL);
    if (rc != SQLITE_OK)
        sql_fail(err, db, rc, store->path, "open");
    return rc == SQLITE_OK;
}
