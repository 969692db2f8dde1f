// rows_state: what a reader of rows is made of, for the files that make it up:
// rows_form.c finds out which form a file has, rows_table.c and rows_json.c
// read the next row of one. Others see rows.h alone.

#ifndef PROGRAM_JOB_ROWS_STATE_H
#define PROGRAM_JOB_ROWS_STATE_H

#include "program/job/rows.h"
#include "program/job/rows_text.h"
#include "program/source/csv.h"
#include "program/source/json_scan.h"

#define ROWS_LATIN_REMEDY                                                      \
    "if it is Latin-1 or Windows-1252, convert the file: `iconv -f "           \
    "WINDOWS-1252 -t UTF-8 OLD > NEW`"

enum {
    // The longest record of a table fits, also where each byte is a quote that
    // is doubled. More is read than that, so that little is moved often.
    ROWS_WINDOW_LEAST = 2 * CSV_MAX_RECORD_BYTES + (1 << 20),
    ROWS_WINDOW_BYTES = 2 * ROWS_WINDOW_LEAST,
};

enum form { FORM_LINES, FORM_VALUES, FORM_TABLE };

struct rows {
    struct rows_input input;
    enum form form;
    struct rows_text text;
    size_t at;   // what comes next
    int at_line; // the line that `at` stands in
    // FORM_VALUES
    char closing; // the bracket that ends the list; 0: values to the end
    bool alone;   // nothing may follow that bracket
    // FORM_TABLE
    struct csv *csv; // owned
    char *header[CSV_MAX_COLUMNS];
    size_t n_header;
    int head_below; // the line that seems to be the head line; 0: the first is
    bool begun;     // a record behind the head line was read
    // The row at hand
    json_t *fields; // owned
    const char *row;
    size_t row_len;
    int row_line;
    size_t fault_at; // what is wrong, in bytes from row
    struct scan_odds odds;
};

// --- rows_form.c ---

// Sets form, and `at` to where the first row may stand. ERR_INPUT: the file
// holds its rows in a way that is not read, with the remedy.
bool rows_choose_form(struct rows *rows, struct err *err);

// Whether the name has one of the endings, a list that ends with NULL.
bool rows_name_ends(const char *name, const char *const *endings);

// --- rows_table.c ---

// Finds the separator and reads the head line.
bool rows_open_table(struct rows *rows, struct err *err);

// This and the next two read the row behind `at` as rows_next does, each in its
// form: they fill fields, row and row_line, and move `at` behind it.
enum rows_step rows_next_record(struct rows *rows, struct err *err);

// --- rows_json.c: FORM_LINES, FORM_VALUES ---

enum rows_step rows_next_line(struct rows *rows, struct err *err);
enum rows_step rows_next_value(struct rows *rows, struct err *err);

#endif
