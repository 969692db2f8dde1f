#include "cli/outcomes.h"

#include <inttypes.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/history_file.h"
#include "common/file.h"
#include "common/fold.h"
#include "common/json.h"
#include "common/text.h"
#include "store/lookup.h"

enum { FILE_BYTES = 512 << 20, NESTED_BYTES = 16 << 20 };

#define COLUMNS                                                                \
    "row, share, file, line, inputs, labels, answer, outcome, score, reason, " \
    "repairs, lenient, candidate, job"

// inputs and labels are JSON texts in the store; in JSON they become objects.
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
        json_put(out, row);
        buf_putc(out, '\n');
    }
    return true;
}

static bool put_answer(const json_t *answer, const char *path, struct buf *out,
                       struct err *err)
{
    const json_t *rows = json_object_get(answer, "rows");
    size_t len = strlen(path);

    if (len < 4 || !fold_same(path + len - 4, ".csv"))
        return put_lines(rows, out, err);
    csv_put(json_object_get(answer, "columns"), rows, out);
    return true;
}

// Returns the rows of a candidate, as `query` returns them. New reference.
static json_t *ask_rows(const struct options *options, const char *job,
                        int64_t candidate, struct err *err)
{
    struct store *store = history_file_open(options, job, err);
    json_t *answer = NULL;

    if (store == NULL)
        return NULL;
    json_t *argument = json_pack(
        "{s:o}", "sql",
        json_sprintf("SELECT " COLUMNS " FROM v_evaluations WHERE candidate = "
                     "%" PRId64 " ORDER BY row",
                     candidate));
    if (argument == NULL)
        err_nomem(err, "the rows");
    else
        answer = lookup_answer(store, "query", "", argument, err);
    json_decref(argument);
    store_close(store);
    return answer;
}

static bool write_text(const struct buf *text, const char *path,
                       struct err *err)
{
    return buf_ok(text, "the rows", err) &&
           file_write(path, text->data == NULL ? "" : text->data, text->len,
                      err);
}

bool outcomes_write(const struct options *options, const char *job,
                    int64_t candidate, const char *path, struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    json_t *answer = ask_rows(options, job, candidate, err);
    bool ok = answer != NULL && put_answer(answer, path, &text, err) &&
              write_text(&text, path, err);

    json_decref(answer);
    buf_release(&text);
    return ok;
}

// --- JUnit ---

// XML cannot represent most control characters, not even escaped.
static void put_xml(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&quot;");
        else if (c == '\n' || c == '\t')
            buf_printf(out, "&#%d;", c);
        else if (c < ' ' || c == 0x7F)
            buf_puts(out, "\xEF\xBF\xBD");
        else
            buf_putc(out, *text);
    }
}

static bool passes(const json_t *row, double pass)
{
    return json_get_number(row, "score", 0) >= pass - 1e-9;
}

// Returns true if no judge gave a verdict that could be read, which is not the
// answer's fault.
static bool is_unjudged(const json_t *row)
{
    return strcmp(json_get_text(row, "outcome", ""), "unjudged") == 0;
}

static void put_failure(const json_t *row, struct buf *out)
{
    const char *tag = is_unjudged(row) ? "error" : "failure";
    const char *reason = json_get_text(row, "reason", "");
    const char *outcome = json_get_text(row, "outcome", "");
    double score = json_get_number(row, "score", 0);

    buf_printf(out, "      <%s type=\"", tag);
    put_xml(strcmp(outcome, "done") == 0 ? "score" : outcome, out);
    buf_puts(out, "\" message=\"");
    if (reason[0] == '\0')
        buf_printf(out, "the score is %.4g", score);
    put_xml(reason, out);
    buf_puts(out, "\">inputs: ");
    put_xml(json_get_text(row, "inputs", ""), out);
    buf_puts(out, "\nlabels: ");
    put_xml(json_get_text(row, "labels", ""), out);
    buf_puts(out, "\nanswer: ");
    put_xml(json_get_text(row, "answer", ""), out);
    buf_printf(out, "</%s>\n", tag);
}

static void put_case(const json_t *row, double pass, struct buf *out)
{
    buf_puts(out, "    <testcase classname=\"");
    put_xml(json_get_text(row, "job", ""), out);
    buf_printf(out, "\" name=\"row %" PRId64 "\" file=\"",
               json_get_int(row, "row", 0));
    put_xml(json_get_text(row, "file", ""), out);
    buf_printf(out, "\" line=\"%" PRId64 "\" time=\"0\"",
               json_get_int(row, "line", 0));
    if (passes(row, pass)) {
        buf_puts(out, "/>\n");
        return;
    }
    buf_puts(out, ">\n");
    put_failure(row, out);
    buf_puts(out, "    </testcase>\n");
}

static void put_suite(const json_t *rows, double pass, struct buf *out)
{
    size_t n = json_array_size(rows), failures = 0, errors = 0;

    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);

        errors += is_unjudged(row);
        failures += !is_unjudged(row) && !passes(row, pass);
    }
    buf_printf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
               "  <testsuite name=\"promptcc eval\" tests=\"%zu\" "
               "failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"0\">\n",
               n, failures, errors);
    for (size_t i = 0; i < n; i++)
        put_case(json_array_get(rows, i), pass, out);
    buf_puts(out, "  </testsuite>\n</testsuites>\n");
}

bool outcomes_write_junit(const struct options *options, const char *job,
                          int64_t candidate, double pass, const char *path,
                          struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    json_t *answer = ask_rows(options, job, candidate, err);
    bool ok = answer != NULL;

    if (ok)
        put_suite(json_object_get(answer, "rows"), pass, &text);
    ok = ok && write_text(&text, path, err);
    json_decref(answer);
    buf_release(&text);
    return ok;
}
