#include "store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "store/guard.h"
#include "store/query_hint.h"

enum { HINT_BYTES = 512 };

void query_confine(struct store *store)
{
    (void)sqlite3_hard_heap_limit64(QUERY_HEAP_BYTES);
    store->result_bytes = QUERY_HEAP_BYTES / 4;
}

// --- statements ---

// Reports SQLite's message about the user's query, and a guess at what was
// meant.
static void set_sql_error(struct store *store, const char *sql, struct err *err)
{
    struct buf hint = BUF_INIT(HINT_BYTES);
    char message[HINT_BYTES];

    if (err == NULL)
        return;
    (void)snprintf(message, sizeof message, "%s",
                   sqlite3_errmsg(store->reader));
    query_hint(store, sql, message, &hint);
    err_set(err, ERR_INPUT, "the query is wrong: %s%s", message,
            hint.data == NULL ? "" : hint.data);
    buf_release(&hint);
}

// Returns true if the query ran into the limits of query_confine, not those of
// the machine.
static bool hit_memory_limit(int rc)
{
    return (rc == SQLITE_NOMEM || rc == SQLITE_FULL) &&
           sqlite3_hard_heap_limit64(-1) > 0;
}

static void set_query_error(struct store *store, const char *sql, int rc,
                            struct err *err)
{
    if (hit_memory_limit(rc & 0xFF)) {
        err_set(err, ERR_LIMIT,
                "the query needs more memory, or larger temporary files, than "
                "it may have; narrow it with WHERE or LIMIT, or query a copy "
                "of %s with sqlite3",
                FILE_SHOWN(store->path, 80));
        return;
    }
    switch (rc & 0xFF) {
    case SQLITE_AUTH:
        err_set(err, ERR_INPUT,
                "a query may only read (SELECT, WITH, VALUES): %s",
                sqlite3_errmsg(store->reader));
        break;
    case SQLITE_INTERRUPT:
        err_set(err, ERR_LIMIT,
                "the query took over %" PRId64 " ms; narrow it with WHERE or "
                "LIMIT, or query a copy of %s with sqlite3",
                store->snapshot_ms, FILE_SHOWN(store->path, 80));
        break;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        set_sql_error(store, sql, err);
        break;
    default:
        sql_fail(err, store->reader, rc, store->path, "query");
    }
}

// Returns true if only white space, comments and semicolons are left.
static bool is_blank(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = sql;

    while (*tail != '\0' && stmt == NULL) {
        sql = tail;
        if (sqlite3_prepare_v2(db, sql, -1, &stmt, &tail) != SQLITE_OK)
            return false;
    }
    (void)sqlite3_finalize(stmt);
    return stmt == NULL;
}

static bool check_statement(struct store *store, sqlite3_stmt *stmt,
                            const char *tail, size_t n_args, struct err *err)
{
    const char *wrong = NULL;

    if (stmt == NULL)
        wrong = "the query is empty; for example SELECT * FROM v_trials";
    else if (!is_blank(store->reader, tail))
        wrong = "a query must be one statement; there is more after the first";
    else if (!sqlite3_stmt_readonly(stmt))
        wrong = "a query may only read (SELECT, WITH, VALUES)";
    else if ((size_t)sqlite3_bind_parameter_count(stmt) > n_args)
        wrong = "the query has a parameter (?) without a value";
    if (wrong != NULL)
        err_set(err, ERR_INPUT, "%s", wrong);
    return wrong == NULL;
}

static sqlite3_stmt *prepare(struct store *store, const char *sql,
                             size_t n_args, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;

    if (strlen(sql) > GUARD_VALUE_BYTES) {
        err_set(err, ERR_LIMIT, "the query is too long");
        return NULL;
    }
    int rc = sqlite3_prepare_v2(store->reader, sql, -1, &stmt, &tail);
    if (rc != SQLITE_OK) {
        set_query_error(store, sql, rc, err);
        return NULL;
    }
    if (check_statement(store, stmt, tail, n_args, err))
        return stmt;
    (void)sqlite3_finalize(stmt);
    return NULL;
}

// --- values ---

static json_t *hex_value(sqlite3_stmt *stmt, int column)
{
    const unsigned char *bytes = sqlite3_column_blob(stmt, column);
    size_t len = (size_t)sqlite3_column_bytes(stmt, column);
    char *hex = malloc(len * 2 + 1);
    json_t *value = NULL;

    if (hex == NULL)
        return NULL;
    (void)sodium_bin2hex(hex, len * 2 + 1, bytes, len);
    value = json_stringn(hex, len * 2);
    free(hex);
    return value;
}

// Returns a text as it is stored. A text that is not UTF-8 (cast from a blob)
// or contains a NUL, which our JSON parser refuses, is returned as hex.
static json_t *text_value(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t len = (size_t)sqlite3_column_bytes(stmt, column);
    json_t *value = text != NULL && memchr(text, '\0', len) == NULL
                        ? json_stringn(text, len)
                        : NULL;

    return value != NULL || text == NULL ? value : hex_value(stmt, column);
}

static json_t *column_value(sqlite3_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(stmt, column));
    case SQLITE_FLOAT: {
        // JSON has no infinity.
        json_t *real = json_real(sqlite3_column_double(stmt, column));
        return real != NULL ? real : json_null();
    }
    case SQLITE_TEXT:
        return text_value(stmt, column);
    case SQLITE_BLOB:
        return hex_value(stmt, column);
    default:
        return json_null();
    }
}

static bool is_named(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

// Returns the name for a column, given the names before it. A row is an object,
// so if two columns have the same name, as in a join, the later one becomes
// NAME_2.
static json_t *column_name(sqlite3_stmt *stmt, int column, const json_t *names)
{
    const char *name = sqlite3_column_name(stmt, column);
    json_t *own = name == NULL ? NULL : json_string(name);

    for (int i = 2; own != NULL && is_named(names, json_string_value(own));
         i++) {
        json_decref(own);
        own = json_sprintf("%s_%d", name, i);
    }
    return own;
}

// Returns NULL when out of memory.
static json_t *column_names(sqlite3_stmt *stmt)
{
    json_t *names = json_array();

    for (int i = 0; names != NULL && i < sqlite3_column_count(stmt); i++)
        if (json_array_append_new(names, column_name(stmt, i, names)) != 0) {
            json_decref(names);
            names = NULL;
        }
    return names;
}

// Returns the row as an object, with its columns in order. Adds its size to
// *bytes.
static json_t *row_object(sqlite3_stmt *stmt, const json_t *names,
                          size_t *bytes)
{
    json_t *row = json_object();
    int columns = sqlite3_column_count(stmt);

    for (int i = 0; row != NULL && i < columns; i++) {
        const char *name = json_string_value(json_array_get(names, (size_t)i));

        if (json_object_set_new(row, name, column_value(stmt, i)) != 0) {
            json_decref(row);
            row = NULL;
        }
        *bytes += (size_t)sqlite3_column_bytes(stmt, i) + 64;
    }
    return row;
}

static bool check_size(const struct store *store, const json_t *rows,
                       size_t bytes, struct err *err)
{
    if (json_array_size(rows) < QUERY_MAX_ROWS && bytes <= store->result_bytes)
        return true;
    err_set(err, ERR_LIMIT,
            "the query returns over %d rows or %zu MB; narrow it with WHERE or "
            "LIMIT",
            QUERY_MAX_ROWS, store->result_bytes / 1024 / 1024);
    return false;
}

static bool collect(struct store *store, sqlite3_stmt *stmt,
                    const json_t *names, json_t *rows, struct err *err)
{
    size_t bytes = 0;
    int rc = sqlite3_step(stmt);

    for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
        if (!check_size(store, rows, bytes, err))
            return false;
        if (json_array_append_new(rows, row_object(stmt, names, &bytes)) != 0) {
            err_nomem(err, "the result of the query");
            return false;
        }
    }
    if (rc != SQLITE_DONE)
        set_query_error(store, sqlite3_sql(stmt), rc, err);
    return rc == SQLITE_DONE;
}

static bool bind_args(sqlite3_stmt *stmt, const char *const *args,
                      size_t n_args)
{
    int count = sqlite3_bind_parameter_count(stmt);

    for (int i = 0; i < count && (size_t)i < n_args; i++) {
        if (sqlite3_bind_text(stmt, i + 1, args[i], -1, SQLITE_STATIC) !=
            SQLITE_OK)
            return false;
    }
    return true;
}

// SQLite checks the clock while it works (guard.h), so even a statement that
// never returns a row ends.
json_t *query_rows(struct store *store, const char *sql,
                   const char *const *args, size_t n_args, struct err *err)
{
    sqlite3_stmt *stmt = prepare(store, sql, n_args, err);
    json_t *names = NULL, *rows = NULL;
    bool ok = false;

    if (stmt == NULL)
        return NULL;
    names = column_names(stmt);
    rows = json_array();
    if (names == NULL || rows == NULL || !bind_args(stmt, args, n_args)) {
        err_nomem(err, "the result of the query");
        goto out;
    }
    store->deadline_ms = clock_monotonic_ms() + store->snapshot_ms;
    ok = collect(store, stmt, names, rows, err);
    store->deadline_ms = 0;

out:
    (void)sqlite3_finalize(stmt);
    json_decref(names);
    if (!ok) {
        json_decref(rows);
        rows = NULL;
    }
    return rows;
}

json_t *query_columns(struct store *store, const char *sql, struct err *err)
{
    sqlite3_stmt *stmt = prepare(store, sql, SIZE_MAX, err);
    json_t *names = NULL;

    if (stmt == NULL)
        return NULL;
    names = column_names(stmt);
    if (names == NULL)
        err_nomem(err, "the columns of the query");
    (void)sqlite3_finalize(stmt);
    return names;
}
