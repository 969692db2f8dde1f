#include "program/job/rows.h"

#include <stdlib.h>
#include <string.h>

#include "program/job/rows_state.h"

struct rows *rows_open(const struct rows_input *input, struct err *err)
{
    struct rows *rows = calloc(1, sizeof *rows);

    if (rows == NULL) {
        err_nomem(err, "a data file");
        return NULL;
    }
    rows->input = *input;
    rows->at_line = 1;
    if (rows_text_open(&rows->text, input, &rows->at, err) &&
        rows_choose_form(rows, err)) {
        for (size_t i = 0; rows->form == FORM_VALUES && i < rows->at; i++)
            rows->at_line += rows->text.data[i] == '\n';
        if (rows->form != FORM_TABLE || rows_open_table(rows, err))
            return rows;
    }
    rows_close(rows);
    return NULL;
}

void rows_close(struct rows *rows)
{
    if (rows == NULL)
        return;
    json_decref(rows->fields);
    for (size_t i = 0; i < rows->n_header; i++)
        free(rows->header[i]);
    if (rows->csv != NULL)
        csv_release(rows->csv);
    free(rows->csv);
    rows_text_release(&rows->text);
    free(rows);
}

const char *const *rows_header(const struct rows *rows, size_t *n)
{
    *n = rows->n_header;
    return rows->form == FORM_TABLE ? (const char *const *)rows->header : NULL;
}

bool rows_would_block(const struct rows *rows)
{
    return rows->form == FORM_LINES &&
           rows_text_would_block(&rows->text, rows->at);
}

enum rows_step rows_next(struct rows *rows, struct err *err)
{
    static enum rows_step (*const next[])(struct rows *, struct err *) = {
        [FORM_LINES] = rows_next_line,
        [FORM_VALUES] = rows_next_value,
        [FORM_TABLE] = rows_next_record,
    };

    json_decref(rows->fields);
    rows->fields = NULL;
    rows->fault_at = 0;
    rows->odds.n = 0;
    return next[rows->form](rows, err);
}

json_t *rows_fields(const struct rows *rows)
{
    return rows->fields;
}

int rows_head_below(const struct rows *rows)
{
    return rows->head_below;
}

bool rows_is_table(const struct rows *rows)
{
    return rows->form == FORM_TABLE;
}

int rows_line(const struct rows *rows)
{
    return rows->row_line;
}

size_t rows_raw_token(const struct rows *rows, const char *key,
                      const char **token)
{
    struct scan_member member;

    if (rows->odds.n == 0 ||
        !scan_find(rows->row, rows->row_len, 0, key, &member))
        return 0;
    for (size_t i = 0; i < rows->odds.n; i++) {
        const struct scan_span *odd = &rows->odds.items[i].token;
        if (odd->at < member.value.at ||
            odd->at >= member.value.at + member.value.len)
            continue;
        *token = rows->row + odd->at;
        return odd->len;
    }
    return 0;
}

// Finds the value of key, relative to the beginning of the row.
static struct scan_span find_value(const struct rows *rows, const char *key)
{
    struct scan_member member;

    for (size_t i = 0; key != NULL && rows->form == FORM_TABLE &&
                       i < rows->csv->n && i < rows->n_header;
         i++)
        if (strcmp(rows->header[i], key) == 0)
            return (struct scan_span){rows->csv->cells[i].at,
                                      rows->csv->cells[i].raw_len};
    if (key != NULL && rows->form != FORM_TABLE && rows->row_len > 0 &&
        scan_find(rows->row, rows->row_len, 0, key, &member))
        return member.value;
    return (struct scan_span){rows->fault_at, 0};
}

static int count_characters(const char *text, size_t len)
{
    int n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

void rows_place(const struct rows *rows, const char *key, struct place *out,
                const char **line, size_t *line_len)
{
    struct scan_span span = find_value(rows, key);
    const char *at = rows->row + span.at;
    const char *begin = at;

    out->line = rows->row_line;
    for (const char *c = rows->row; c < at; c++)
        out->line += *c == '\n';
    while (begin > rows->text.data && begin[-1] != '\n')
        begin--;
    const char *file_end = rows->text.data + rows->text.len;
    const char *end = memchr(begin, '\n', (size_t)(file_end - begin));
    end = end == NULL ? file_end : end;
    if (end > at && end[-1] == '\r')
        end--;
    size_t room = (size_t)(end - at);
    *line = begin;
    *line_len = (size_t)(end - begin);
    out->column = count_characters(begin, (size_t)(at - begin)) + 1;
    out->width = count_characters(at, span.len < room ? span.len : room);
}
