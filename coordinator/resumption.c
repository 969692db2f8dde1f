#include "coordinator/resumption.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "store/history.h"
#include "wire/request.h"

enum { TEXT_BYTES = 1 << 20, EXCLUDED_MOST = 10000 };

// --- off the loop ---

// Appends to rows the number of an example that the job should leave out.
static bool take_row(struct store *store, int64_t job_no, const json_t *given,
                     json_t *rows, struct err *err)
{
    json_int_t row = json_integer_value(given);
    bool has = false;

    if (!json_is_integer(given) || row < 0 || row > INT32_MAX) {
        err_set(err, ERR_INPUT,
                "`exclude` takes the numbers of examples, such as [17]");
        return false;
    }
    if (!history_has_row(store, job_no, (int32_t)row, &has, err))
        return false;
    if (!has) {
        err_set(err, ERR_INPUT,
                "the job has no example %" JSON_INTEGER_FORMAT
                ": they are counted from 0, in the order of the data file",
                row);
        return false;
    }
    return json_array_append_new(rows, json_integer(row)) == 0;
}

// Reads N, [N...] or nothing at all. Returns NULL on failure.
static json_t *read_excluded(struct store *store, int64_t job_no,
                             const json_t *given, struct err *err)
{
    json_t *rows = json_array();
    bool ok = true;

    if (json_array_size(given) > EXCLUDED_MOST) {
        err_set(err, ERR_INPUT, "`exclude` takes at most %d examples at a time",
                EXCLUDED_MOST);
        ok = false;
    }
    if (ok && given != NULL && !json_is_array(given))
        ok = take_row(store, job_no, given, rows, err);
    for (size_t i = 0; ok && i < json_array_size(given); i++)
        ok = take_row(store, job_no, json_array_get(given, i), rows, err);
    if (ok)
        return rows;
    json_decref(rows);
    return NULL;
}

// Reads a number from 1 to most; 0 if there is none.
static bool read_number(const json_t *argument, const char *key, int32_t most,
                        json_int_t *out, struct err *err)
{
    const json_t *given = json_object_get(argument, key);

    *out = json_integer_value(given);
    if (given == NULL || (json_is_integer(given) && *out >= 1 && *out <= most))
        return true;
    err_set(err, ERR_INPUT, "`%s` takes a number from 1 to %" PRId32, key,
            most);
    return false;
}

static bool check_keys(const json_t *argument, struct err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)argument, key, value) {
        if (strcmp(key, "exclude") == 0 || strcmp(key, "priority") == 0 ||
            strcmp(key, "max_workers") == 0)
            continue;
        err_set(err, ERR_INPUT,
                "`resume` takes `exclude`, `priority` and `max_workers`, but "
                "not `%.40s`",
                key);
        return false;
    }
    return true;
}

json_t *resumption_check(struct store *store, const char *job_id,
                         const char *text, struct err *err)
{
    json_t *argument = text[0] == '\0'
                           ? json_object()
                           : json_parse(text, strlen(text), TEXT_BYTES, err);
    int64_t no = argument == NULL ? 0 : history_job_no(store, job_id, err);
    json_int_t priority = 0, max_workers = 0;
    json_t *rows = NULL, *checked = NULL;

    if (no != 0 && check_keys(argument, err) &&
        read_number(argument, "priority", REQUEST_MAX_PRIORITY, &priority,
                    err) &&
        read_number(argument, "max_workers", REQUEST_MAX_WORKERS, &max_workers,
                    err))
        rows =
            read_excluded(store, no, json_object_get(argument, "exclude"), err);
    if (rows != NULL)
        checked = json_pack("{s:o, s:I, s:I}", "rows", rows, "priority",
                            priority, "max_workers", max_workers);
    if (checked == NULL && err->code == ERR_NONE)
        err_nomem(err, "what a job resumes with");
    json_decref(argument);
    return checked;
}

// --- on the loop ---

bool resumption_of(const json_t *checked, struct resumption *out,
                   struct err *err)
{
    const json_t *rows = json_object_get(checked, "rows");
    size_t n = json_array_size(rows);

    *out = (struct resumption){
        .share = {.priority = (int32_t)json_get_int(checked, "priority", 0),
                  .max_workers =
                      (int32_t)json_get_int(checked, "max_workers", 0)},
        .excluded = calloc(n + 1, sizeof *out->excluded),
        .n_excluded = n};
    if (out->excluded == NULL) {
        err_nomem(err, "the examples");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        out->excluded[i] = (int32_t)json_integer_value(json_array_get(rows, i));
    return true;
}

bool resumption_is_empty(const struct resumption *changes)
{
    return changes->n_excluded == 0 && changes->share.priority == 0 &&
           changes->share.max_workers == 0;
}

void resumption_release(struct resumption *changes)
{
    free(changes->excluded);
    *changes = (struct resumption){0};
}
