#include "store/query_hint.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/text.h"
#include "store/parts.h"

enum { NAME_BYTES = 64, NAMES_MAX = 512 };

// Views come before tables, because they are what queries should use.
static const char tables_sql[] =
    "SELECT name FROM sqlite_schema WHERE type IN ('view', 'table')"
    " AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table', name";
static const char views_sql[] =
    "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name";
// The columns of everything that the query mentions.
static const char columns_sql[] =
    "SELECT DISTINCT c.name FROM sqlite_schema s, pragma_table_info(s.name) c"
    " WHERE s.type IN ('view', 'table') AND instr(?1, s.name) > 0"
    " AND (s.type = 'view' OR instr(?1, 'v_' || s.name) = 0)";

// Reads the name at the end of "no such column: e.shar", without its qualifier.
static bool read_name(const char *text, char name[NAME_BYTES])
{
    size_t len = strcspn(text, " -");
    const char *dot;

    while (len > 0 && strchr("\"'`", text[len - 1]) != NULL)
        len--;
    while (len > 0 && strchr("\"'`", text[0]) != NULL) {
        text++;
        len--;
    }
    if (len == 0 || len >= NAME_BYTES)
        return false;
    memcpy(name, text, len);
    name[len] = '\0';
    dot = strrchr(name, '.');
    if (dot != NULL)
        memmove(name, dot + 1, strlen(dot));
    return true;
}

// Returns the names that `sql` gives, with the query as ?1, as a list of texts.
// On failure the list is empty or NULL, and there is no hint.
static json_t *read_names(struct store *store, const char *sql,
                          const char *query)
{
    struct sql_read read = SQL_READ_NONE;
    json_t *names = json_array();

    if (store_read(store, &read, sql, "read the schema of", NULL)) {
        (void)sqlite3_bind_text(read.stmt, 1, query, -1, SQLITE_STATIC);
        while (sql_read_next(&read, NULL))
            (void)json_array_append_new(
                names,
                json_string((const char *)sqlite3_column_text(read.stmt, 0)));
    }
    sql_read_close(&read);
    return names;
}

static void put_near(struct store *store, const char *names_sql,
                     const char *all_sql, const char *query, const char *name,
                     struct buf *out)
{
    json_t *names = read_names(store, names_sql, query);
    const char *texts[NAMES_MAX], *near;
    size_t n = 0;

    for (; n < json_array_size(names) && n < NAMES_MAX; n++)
        texts[n] = json_string_value(json_array_get(names, n));
    near = text_nearest(name, texts, n);
    if (near != NULL) {
        buf_printf(out, ", did you mean `%s`?", near);
    } else {
        json_t *all = read_names(store, all_sql, query);

        for (size_t i = 0; i < json_array_size(all); i++)
            buf_printf(out, "%s%s", i == 0 ? "; there are " : ", ",
                       json_string_value(json_array_get(all, i)));
        json_decref(all);
    }
    json_decref(names);
}

void query_hint(struct store *store, const char *sql, const char *message,
                struct buf *out)
{
    static const char table[] = "no such table: ",
                      column[] = "no such column: ";
    char name[NAME_BYTES];

    if (strncmp(message, table, sizeof table - 1) == 0 &&
        read_name(message + sizeof table - 1, name))
        put_near(store, tables_sql, views_sql, sql, name, out);
    else if (strncmp(message, column, sizeof column - 1) == 0 &&
             read_name(message + sizeof column - 1, name))
        put_near(store, columns_sql, columns_sql, sql, name, out);
}
