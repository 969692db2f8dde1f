#include "store/connect.h"

#include "store/row_scan.h"
#include "store/row_sum.h"
#include "store/sql.h"

enum { BUSY_MS = 10000 };

bool store_connect(sqlite3 **db, const char *name, const char *path, int flags,
                   struct err *err)
{
    int rc = sqlite3_open_v2(
        name, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(*db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = row_sum_register(*db);
    if (rc == SQLITE_OK)
        rc = row_scan_register(*db);
    if (rc != SQLITE_OK) {
        sql_fail(err, *db, rc, path, "open");
        (void)sqlite3_close(*db);
        *db = NULL;
    }
    return rc == SQLITE_OK;
}
