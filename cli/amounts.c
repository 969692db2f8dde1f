#include "cli/amounts.h"

#include <inttypes.h>

void put_count(struct buf *out, int64_t n, const char *noun)
{
    buf_put_number(out, n);
    buf_printf(out, " %s%s", noun, n == 1 ? "" : "s");
}

void put_percent(struct buf *out, double fraction)
{
    buf_printf(out, "%.1f %%", fraction * 100);
}

void put_time(struct buf *out, int64_t ms)
{
    int64_t s = ms / 1000;

    if (s >= 3600)
        buf_printf(out, "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600,
                   s / 60 % 60, s % 60);
    else
        buf_printf(out, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
}
