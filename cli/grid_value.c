#include "cli/grid_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/amounts.h"
#include "common/json.h"

static void put_values(const json_t *value, struct buf *out)
{
    const char *key;
    json_t *number;
    bool first = true;

    json_object_foreach((json_t *)value, key, number) {
        buf_printf(out, "%s%s ", first ? "" : ", ", key);
        json_put(out, number);
        first = false;
    }
}

// Appends the steps that differ from the program as written, whose number is 0.
static void put_choices(const json_t *value, struct buf *out)
{
    const char *step;
    json_t *number;
    bool any = false;

    json_object_foreach((json_t *)value, step, number) {
        int64_t n = json_integer_value(number);

        if (n == 0)
            continue;
        buf_printf(out, "%s%s %" PRId64, any ? ", " : "", step, n);
        any = true;
    }
    if (!any)
        buf_puts(out, "as written");
}

static void put_list(const json_t *value, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));

        buf_printf(out, "%s%s", i == 0 ? "" : ", ", text == NULL ? "?" : text);
    }
}

// Returns the days from 1970-01-01 to a day of the Gregorian calendar. The year
// begins in March, so that a leap day is its last.
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
           719469;
}

// Appends a time such as "2026-11-22T23:06:01.123Z" in local time, as in the
// log.
static void put_time_text(const char *text, struct buf *out)
{
    int year, month, day, hour, minute, second;
    char local[32];
    struct tm parts;
    time_t at;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour,
               &minute, &second) != 6) {
        buf_puts(out, text);
        return;
    }
    at = (time_t)(days_since_1970(year, month, day) * 86400 + hour * 3600 +
                  minute * 60 + second);
    if (localtime_r(&at, &parts) != NULL &&
        strftime(local, sizeof local, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        buf_puts(out, local);
    else
        buf_puts(out, text);
}

void grid_value_put(enum grid_kind kind, const json_t *value, struct buf *out)
{
    const char *text = json_string_value(value);

    if (value == NULL || json_is_null(value) ||
        (text != NULL && text[0] == '\0'))
        buf_putc(out, '-');
    else if (kind == GRID_PERCENT && json_is_number(value) &&
             json_number_value(value) >= 0)
        put_percent(out, json_number_value(value));
    else if (kind == GRID_PERCENT)
        buf_putc(out, '-');
    else if (kind == GRID_COUNT && json_is_integer(value))
        buf_put_number(out, json_integer_value(value));
    else if (kind == GRID_VALUES && json_object_size(value) == 0)
        buf_putc(out, '-');
    else if (kind == GRID_CHOICES && json_is_object(value))
        put_choices(value, out);
    else if (kind == GRID_VALUES && json_is_object(value))
        put_values(value, out);
    else if (kind == GRID_LIST && json_is_array(value))
        put_list(value, out);
    else if (kind == GRID_TIME && text != NULL)
        put_time_text(text, out);
    else if (text != NULL)
        buf_puts(out, text);
    else
        json_put(out, value);
}
