// amounts: numbers as people read them in tables and reports.

#ifndef CLI_AMOUNTS_H
#define CLI_AMOUNTS_H

#include <stdint.h>

#include "common/buf.h"

// These append "1 trial" or "1,234 trials"; "84.0 %" for a fraction; "0:41" or
// "1:02:03".
void put_count(struct buf *out, int64_t n, const char *noun);
void put_percent(struct buf *out, double fraction);
void put_time(struct buf *out, int64_t ms);

#endif
