#include "store/query_hint.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "store/query.h"

enum { NAME_BYTES = 64, NAMES_MAX = 512 };

// Views before tables: they are what a query should be about.
static const char tables_sql[] =
    "SELECT name FROM sqlite_schema WHERE type IN ('view', 'table')"
    " AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table', name";
static const char views_sql[] =
    "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name";
// Of all that the query names.
static const char columns_sql[] =
    "SELECT DISTINCT c.name FROM sqlite_schema s, pragma_table_info(s.name) c"
    " WHERE s.type IN ('view', 'table') AND instr(?1, s.name) > 0"
    " AND (s.type = 'view' OR instr(?1, 'v_' || s.name) = 0)";

// The name at the end of "no such column: e.shar", without what qualifies it.
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

static size_t list_names(const json_t *rows, const char **names)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(rows) && n < NAMES_MAX; i++) {
        const char *name =
            json_string_value(json_object_get(json_array_get(rows, i), "name"));

        if (name != NULL)
            names[n++] = name;
    }
    return n;
}

static void put_near(struct store *store, const char *names_sql,
                     const char *all_sql, const char *sql, const char *name,
                     struct buf *out)
{
    const char *names[NAMES_MAX], *near;
    json_t *rows = query_rows(store, names_sql, &sql, 1, NULL);
    size_t n = list_names(rows, names);

    near = text_nearest(name, names, n);
    if (near != NULL) {
        buf_printf(out, ", did you mean `%s`?", near);
    } else {
        json_t *all = query_rows(store, all_sql, &sql, 1, NULL);

        n = list_names(all, names);
        for (size_t i = 0; i < n; i++)
            buf_printf(out, "%s%s", i == 0 ? "; there is " : ", ", names[i]);
        json_decref(all);
    }
    json_decref(rows);
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
