#include "program/job/columns.h"

#include <string.h>

#include "common/text.h"
#include "program/job/column_faults.h"
#include "program/job/columns_state.h"

static bool has_name(const char *const *header, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(header[i], name) == 0)
            return true;
    return false;
}

static void report_no_column(const struct columns *columns,
                             const struct column_faults *faults,
                             const char *from, const char *const *header,
                             size_t n)
{
    const char *near = text_nearest(from, header, n);

    // Inputs are not data of a job, so there is no `from:` to suggest.
    if (columns->only_inputs && near != NULL)
        column_faults_add(faults, near,
                          "there is no column `%s`; if `%s` is it, rename it",
                          from, near);
    else if (columns->only_inputs)
        column_faults_add(
            faults, NULL,
            "there is no column `%s`: the first line must name the columns",
            from);
    else if (near != NULL)
        column_faults_add(
            faults, near,
            "there is no column `%s`; if `%s` is it, give its field "
            "`from: %s`",
            from, near, near);
    else
        column_faults_add(
            faults, NULL,
            "there is no column `%s`: the first line must name the columns, "
            "and `from:` can point to one with another name",
            from);
}

static void check_repeated(const struct column_faults *faults,
                           const char *const *header, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (header[i][0] != '\0' && has_name(header, i, header[i]))
            column_faults_add(
                faults, header[i],
                "column %zu of the header repeats the name `%s`: each column "
                "needs its own",
                i + 1, header[i]);
}

bool columns_header(const struct columns *columns, const struct rows *rows,
                    const struct column_faults *faults)
{
    size_t n = 0;
    size_t missing = 0;
    const char *const *header = rows_header(rows, &n);

    if (header == NULL || n == 0)
        return true;
    if (rows_head_below(rows) > 0) {
        column_faults_add(
            faults, NULL,
            "the first line must name the columns, and line %d does: delete "
            "the lines above it",
            rows_head_below(rows));
        return false;
    }
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        bool optional =
            column->input != NULL
                ? column->input->default_value != NULL || column->type->optional
                : !column->needed;
        if (optional || has_name(header, n, column->from) ||
            (columns->only_inputs && has_name(header, n, column->name)))
            continue;
        missing++;
        report_no_column(columns, faults, column->from, header, n);
    }
    check_repeated(faults, header, n);
    for (size_t i = 0; columns->only_inputs && i < n; i++) {
        if (header[i][0] == '\0' || columns_know(columns, header[i]))
            continue;
        missing++;
        column_faults_unknown(faults, columns, header[i]);
    }
    return missing == 0;
}
