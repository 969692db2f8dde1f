// rows_state: the internals of a reader of rows, shared by the files that
// implement it: rows_form.c detects the format of a file, and rows_table.c and
// rows_json.c read the next row of one. All other code uses rows.h.

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
    // The longest record of a table fits even if every byte is a doubled quote.
    // More than that is read at a time, so that data is moved rarely.
    ROWS_WINDOW_LEAST = 2 * CSV_MAX_RECORD_BYTES + (1 << 20),
    ROWS_WINDOW_BYTES = 2 * ROWS_WINDOW_LEAST,
};

enum form { FORM_LINES, FORM_VALUES, FORM_TABLE };

struct rows {
    struct rows_input input;
    enum form form;
    struct rows_text text;
    size_t at;   // start of the next row
    int at_line; // the line that `at` is in
    // FORM_VALUES
    char closing; // the bracket that ends the list; 0: values to the end
    bool alone;   // nothing may follow that bracket
    // FORM_TABLE
    struct csv *csv; // owned
    char *header[CSV_MAX_COLUMNS];
    size_t n_header;
    int head_below; // the line that seems to be the head line; 0: the first
    bool begun;     // a record after the head line was read
    // The current row
    json_t *fields; // owned
    const char *row;
    size_t row_len;
    int row_line;
    size_t fault_at; // what is wrong, in bytes from row
    struct scan_odds odds;
};

// --- rows_form.c ---

// Sets `form`, and `at` to where the first row may begin. ERR_INPUT: the layout
// of the file is not supported; the message has a remedy.
bool rows_choose_form(struct rows *rows, struct err *err);

// --- rows_table.c ---

// Finds the separator and reads the head line.
bool rows_open_table(struct rows *rows, struct err *err);

// This and the next two functions read the row that begins at `at`, like
// rows_next, each for its own format. They fill fields, row and row_line, and
// move `at` past the row.
enum rows_step rows_next_record(struct rows *rows, struct err *err);

// --- rows_json.c: FORM_LINES, FORM_VALUES ---

enum rows_step rows_next_line(struct rows *rows, struct err *err);
enum rows_step rows_next_value(struct rows *rows, struct err *err);

#endif
