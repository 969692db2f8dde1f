// row_value: one value of a row, read out of SQLite once.
//
// Every look at a value is a call into the SQLite library. The code that checks
// a row and the code that uses it need the same values, so they share them in
// this form. The bytes belong to SQLite and are valid until the row is done. A
// value of another type than the one requested, as a damaged file may have,
// reads as 0 or NULL.

#ifndef STORE_ROW_VALUE_H
#define STORE_ROW_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct row_value {
    int type; // SQLITE_INTEGER and so on
    int len;  // length of a text or a blob
    union {
        int64_t number;
        double real;
        const void *bytes; // NULL if there are none
    } as;
};

static inline struct row_value row_value_read(sqlite3_value *value)
{
    struct row_value out = {.type = sqlite3_value_type(value)};

    if (out.type == SQLITE_INTEGER) {
        out.as.number = sqlite3_value_int64(value);
    } else if (out.type == SQLITE_FLOAT) {
        out.as.real = sqlite3_value_double(value);
    } else if (out.type == SQLITE_NULL) {
        out.as.bytes = NULL;
    } else {
        // Texts too: reading one as text would make SQLite copy it to add a
        // NUL.
        out.as.bytes = sqlite3_value_blob(value);
        out.len = sqlite3_value_bytes(value);
    }
    return out;
}

static inline int64_t row_value_int(const struct row_value *value)
{
    return value->type == SQLITE_INTEGER ? value->as.number : 0;
}

static inline double row_value_real(const struct row_value *value)
{
    return value->type == SQLITE_FLOAT ? value->as.real
                                       : (double)row_value_int(value);
}

// Returns NULL, and sets *len 0, if there are no bytes.
static inline const void *row_value_bytes(const struct row_value *value,
                                          size_t *len)
{
    *len = (size_t)value->len;
    return value->type == SQLITE_TEXT || value->type == SQLITE_BLOB
               ? value->as.bytes
               : NULL;
}

#endif
