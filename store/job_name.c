#include "store/job_name.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "store/parts.h"
#include "store/query.h"

enum { LIST_BYTES = 160 };

// Writes "a, b, c, ...": the ids that exist, for somebody who named none of
// them.
static void put_ids(struct buf *out, const json_t *rows)
{
    size_t n = json_array_size(rows);

    for (size_t i = 0; i < n && out->len < LIST_BYTES - 70; i++)
        buf_printf(
            out, "%s%s", i == 0 ? "" : ", ",
            json_string_value(json_object_get(json_array_get(rows, i), "id")));
    if (out->len >= LIST_BYTES - 70)
        buf_puts(out, ", ...");
}

static void set_no_job(struct store *store, const char *prefix,
                       const json_t *found, struct err *err)
{
    struct buf ids = BUF_INIT(LIST_BYTES);
    json_t *all = NULL;

    if (json_array_size(found) == 0)
        all = query_rows(store,
                         "SELECT id FROM jobs WHERE state <> 'removed'"
                         " ORDER BY no DESC LIMIT 20",
                         NULL, 0, NULL);
    put_ids(&ids, all != NULL ? all : found);
    if (json_array_size(found) > 1)
        err_set(err, ERR_INPUT, "several jobs begin with \"%s\": %s", prefix,
                ids.data);
    else if (ids.len > 0)
        err_set(err, ERR_INPUT, "there is no job \"%s\"; the jobs here are %s",
                prefix, ids.data);
    else
        err_set(err, ERR_INPUT, "the store %s has no jobs yet",
                FILE_SHOWN(store->path, 150));
    json_decref(all);
    buf_release(&ids);
}

// Returns the id of the only row; ids are text in every store.
static char *take_id(const json_t *rows, struct err *err)
{
    const char *id =
        json_string_value(json_object_get(json_array_get(rows, 0), "id"));
    char *copy = strdup(id != NULL ? id : "");

    if (copy == NULL)
        err_nomem(err, "the id of a job");
    return copy;
}

// Evaluations of a job have a history of their own. One is meant only if its
// whole id is given, or nothing else has that name.
#define NOT_REMOVED " AND state <> 'removed'"
#define NO_EVALUATION NOT_REMOVED " AND id NOT LIKE '%-eval'"

// The newest job is the one whose state changed last, in the order of writing.
// Timestamps would not do: a machine without a clock battery may be off by
// years.
#define CHANGES                                                                \
    " LEFT JOIN (SELECT job_no AS changed, max(id) AS last FROM events"        \
    " WHERE kind = 'state' GROUP BY job_no) ON changed = no"
#define NEWEST_FIRST "last DESC, no DESC"

// A job that was stopped before anything was scored also has a document.
#define NO_RESULTS "json_extract(document, '$.compiled') IS NULL"

// Tries the meanings from the narrowest to the widest; the first that fits
// counts.
char *job_name_find(struct store *store, const char *prefix, struct err *err)
{
    static const char *const meanings[] = {
        "SELECT id FROM jobs" CHANGES " WHERE ?1 = ''" NO_EVALUATION
        " ORDER BY " NO_RESULTS ", " NEWEST_FIRST " LIMIT 1",
        "SELECT id FROM jobs WHERE id = ?1" NOT_REMOVED,
        "SELECT id FROM jobs WHERE name = ?1" NO_EVALUATION
        " ORDER BY no DESC LIMIT 1",
        "SELECT id FROM jobs WHERE substr(id, 1, length(?1)) = ?1" NO_EVALUATION
        " ORDER BY no DESC LIMIT 20",
        "SELECT id FROM jobs WHERE substr(id, 1, length(?1)) = ?1" NOT_REMOVED
        " ORDER BY no DESC LIMIT 20",
    };
    json_t *rows = NULL;
    char *id = NULL;

    if (!store_flush(store, err))
        return NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        json_decref(rows);
        rows = query_rows(store, meanings[i], &prefix, 1, err);
        if (rows == NULL)
            return NULL;
        if (json_array_size(rows) > 0)
            break;
    }
    if (json_array_size(rows) == 1)
        id = take_id(rows, err);
    else
        set_no_job(store, prefix, rows, err);
    json_decref(rows);
    return id;
}

json_t *job_name_of_file(struct store *store, const char *name, struct err *err)
{
    static const char sql[] =
        "SELECT id AS job, folder FROM jobs" CHANGES
        " LEFT JOIN submissions ON job_no = no"
        " WHERE (path = ?1 OR substr(path, -length(?1) - 1) = '/' || "
        "?1)" NO_EVALUATION " ORDER BY " NEWEST_FIRST;

    return query_rows(store, sql, &name, 1, err);
}
