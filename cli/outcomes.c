#include "cli/outcomes.h"

#include <inttypes.h>
#include <string.h>

#include "cli/grid.h"
#include "cli/history_file.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "store/lookup.h"

enum { FILE_BYTES = 512 << 20, NESTED_BYTES = 16 << 20 };

#define COLUMNS                                                                \
    "row, share, file, line, inputs, labels, answer, outcome, score, reason, " \
    "repairs, lenient, candidate, job"

// inputs and labels are JSON texts in the store: in JSON they are objects.
static bool unfold(json_t *row, const char *key, struct err *err)
{
    const char *text = json_get_text(row, key, "");
    json_t *value;

    if (text[0] == '\0')
        return true;
    value = json_parse(text, strlen(text), NESTED_BYTES, err);
    return value != NULL && json_object_set_new(row, key, value) == 0;
}

static bool put_lines(const json_t *rows, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        if (!unfold(row, "inputs", err) || !unfold(row, "labels", err))
            return false;
        json_put(out, row, false);
        buf_putc(out, '\n');
    }
    return true;
}

static bool put_answer(const json_t *answer, const char *path, struct buf *out,
                       struct err *err)
{
    const json_t *rows = json_object_get(answer, "rows");
    size_t len = strlen(path);

    if (len < 4 || !text_same(path + len - 4, ".csv"))
        return put_lines(rows, out, err);
    grid_put_csv(json_object_get(answer, "columns"), rows, out);
    return true;
}

bool outcomes_write(const struct options *options, const char *job,
                    int64_t candidate, const char *path, struct err *err)
{
    struct store *store = history_file_open(options, job, err);
    struct buf text = BUF_INIT(FILE_BYTES);
    json_t *answer = NULL;
    bool ok = false;

    if (store == NULL)
        return false;
    json_t *argument = json_pack(
        "{s:o}", "sql",
        json_sprintf("SELECT " COLUMNS " FROM v_evaluations WHERE candidate = "
                     "%" PRId64 " ORDER BY row",
                     candidate));
    if (argument == NULL)
        err_nomem(err, "the rows");
    else
        answer = lookup_answer(store, "query", "", argument, err);
    ok = answer != NULL && put_answer(answer, path, &text, err) &&
         buf_ok(&text, "the rows", err) &&
         file_write(path, text.data == NULL ? "" : text.data, text.len, err);
    json_decref(argument);
    json_decref(answer);
    buf_release(&text);
    store_close(store);
    return ok;
}
