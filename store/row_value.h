// row_value: one value of a row, read out of SQLite once.
//
// SQLite is a library of its own, and each look at a value is a call into it.
// What checks a row and what takes it read the same values, so they get them
// like this. Bytes are SQLite's and stay until the row is over; a value of
// another type than is asked for, as a damaged file may have, is 0 or NULL.

#ifndef STORE_ROW_VALUE_H
#define STORE_ROW_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct row_value {
    int type; // SQLITE_INTEGER and its like
    int len;  // of the bytes of a text or a blob
    union {
        int64_t number;
        double real;
        const void *bytes; // NULL where there are none
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
        // A text too: as one SQLite would copy it, to end it with a NUL.
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

// NULL, and *len 0, where there are none.
static inline const void *row_value_bytes(const struct row_value *value,
                                          size_t *len)
{
    *len = (size_t)value->len;
    return value->type == SQLITE_TEXT || value->type == SQLITE_BLOB
               ? value->as.bytes
               : NULL;
}

#endif
