#include "store/row_sum.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ADVICE_BYTES = 200 };

// What a row holds, and how to get it made again.
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

// Any change of a word changes the sum (before it is folded), because both
// operations are invertible.
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

// SQLite does not preserve negative zero.
static uint64_t add_real(uint64_t sum, double real)
{
    double kept = real + 0.0;

    return add_bytes(sum, &kept, sizeof kept);
}

static uint64_t add_value(uint64_t sum, const struct row_value *value)
{
    sum = add_word(sum, (uint64_t)value->type);
    if (value->type == SQLITE_INTEGER)
        return add_word(sum, (uint64_t)value->as.number);
    if (value->type == SQLITE_FLOAT)
        return add_real(sum, value->as.real);
    sum = add_word(sum, (uint64_t)value->len);
    return value->as.bytes == NULL
               ? sum
               : add_bytes(sum, value->as.bytes, (size_t)value->len);
}

enum { EMPTY_SUM = 1 };

// Reduces the sum to 32 bits, which take 4 bytes of a row.
static int32_t fold(uint64_t sum)
{
    return (int32_t)(uint32_t)(sum ^ sum >> 32);
}

static int32_t sum_of(int n, sqlite3_value **values)
{
    uint64_t sum = EMPTY_SUM;

    for (int i = 0; i < n; i++) {
        struct row_value value = row_value_read(values[i]);

        sum = add_value(sum, &value);
    }
    return fold(sum);
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

bool row_sum_agrees(const struct row_value *sum, int n,
                    const struct row_value *values)
{
    uint64_t found = EMPTY_SUM;

    if (sum->type == SQLITE_NULL)
        return true;
    for (int i = 0; i < n; i++)
        found = add_value(found, &values[i]);
    return sum->type == SQLITE_INTEGER && sum->as.number == fold(found);
}

// row_check(table, row, sum, value, ...)
static void row_check(sqlite3_context *context, int n, sqlite3_value **values)
{
    if (n < 3)
        sqlite3_result_error(context, "row_check(table, row, sum, ...)", -1);
    else if (sqlite3_value_type(values[2]) == SQLITE_NULL ||
             sqlite3_value_int64(values[2]) == sum_of(n - 3, values + 3))
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
