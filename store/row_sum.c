#include "store/row_sum.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ADVICE_BYTES = 200 };

// What a row holds, and how it comes to be made anew.
static const struct advice {
    const char *table;
    const char *noun;
    const char *remedy;
} advice[] = {
    {"calls", "call",
     "delete its row from `calls` with sqlite3, and it is asked again"},
    {"evaluations", "evaluation",
     "delete its row from `evaluations` with sqlite3, and it is made again"},
    {"events", "event",
     "delete its row from `events` with sqlite3, and exclude again"},
    {"job_models", "the list of models of job",
     "set `models_sum` of its row in `jobs` to NULL with sqlite3, and they are "
     "taken from the next worker"},
    {"job_files", "a file of job", "run the job file again"},
    {"jobs", "the compiled file of job", "run the job file again"},
};

// Any change of one word changes the sum before it is folded: both operations
// can be undone.
static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

static uint64_t add_bytes(uint64_t sum, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t word = 0;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sum = add_word(sum, word);
    }
    word = 0;
    if (len > 0)
        memcpy(&word, at, len);
    return add_word(sum, word);
}

// SQLite keeps no negative zero.
static uint64_t add_real(uint64_t sum, double real)
{
    double kept = real + 0.0;

    return add_bytes(sum, &kept, sizeof kept);
}

static uint64_t add_value(uint64_t sum, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    const void *bytes = NULL;

    sum = add_word(sum, (uint64_t)type);
    if (type == SQLITE_INTEGER)
        return add_word(sum, (uint64_t)sqlite3_value_int64(value));
    if (type == SQLITE_FLOAT)
        return add_real(sum, sqlite3_value_double(value));
    bytes = sqlite3_value_blob(value);
    sum = add_word(sum, (uint64_t)sqlite3_value_bytes(value));
    return bytes == NULL
               ? sum
               : add_bytes(sum, bytes, (size_t)sqlite3_value_bytes(value));
}

// 32 bits, which take 4 bytes of a row.
static int32_t sum_of(int n, sqlite3_value **values)
{
    uint64_t sum = 1;

    for (int i = 0; i < n; i++)
        sum = add_value(sum, values[i]);
    return (int32_t)(uint32_t)(sum ^ sum >> 32);
}

static void row_sum(sqlite3_context *context, int n, sqlite3_value **values)
{
    sqlite3_result_int(context, sum_of(n, values));
}

void row_sum_fail(sqlite3_context *context, const char *table, int64_t row)
{
    char words[ADVICE_BYTES] = "a row is damaged; restore a copy";

    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++)
        if (table != NULL && strcmp(table, advice[i].table) == 0)
            (void)snprintf(words, sizeof words,
                           "%s %lld is damaged; restore a copy, or %s",
                           advice[i].noun, (long long)row, advice[i].remedy);
    sqlite3_result_error(context, words, -1);
    sqlite3_result_error_code(context, ROW_DAMAGED);
}

bool row_sum_agrees(sqlite3_value *sum, int n, sqlite3_value **values)
{
    return sqlite3_value_type(sum) == SQLITE_NULL ||
           sqlite3_value_int64(sum) == sum_of(n, values);
}

// row_check(table, row, sum, value, ...)
static void row_check(sqlite3_context *context, int n, sqlite3_value **values)
{
    if (n < 3)
        sqlite3_result_error(context, "row_check(table, row, sum, ...)", -1);
    else if (row_sum_agrees(values[2], n - 3, values + 3))
        sqlite3_result_int(context, 1);
    else
        row_sum_fail(context, (const char *)sqlite3_value_text(values[0]),
                     sqlite3_value_int64(values[1]));
}

int row_sum_register(sqlite3 *db)
{
    enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };
    int rc = sqlite3_create_function_v2(db, "row_sum", -1, FLAGS, NULL, row_sum,
                                        NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(db, "row_check", -1, FLAGS, NULL,
                                        row_check, NULL, NULL, NULL);
    return rc;
}
