// metrics: what operators watch, as Prometheus text.
//
// Counters of calls are added up from the store: each scrape reads only the
// calls that came since the last one, so that a store of a million calls costs
// its million once. What is under way is asked of the coordinator. Each has a
// row, which says what it is to who scrapes it and to readers of
// docs/http-api.md.

#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "web/readers.h"
#include "web/web.h"

struct metrics;

// One of them, without "promptcc_" in front. All static.
struct metric_told {
    const char *name;
    const char *labels; // "role,outcome"; "": none
    const char *type;   // "counter", "gauge", "histogram"
    const char *help;
};
const struct metric_told *metrics_told(size_t *n);

struct metrics *metrics_new(struct err *err);
void metrics_free(struct metrics *metrics); // NULL is fine

// Appends all of them; any thread. Where the coordinator does not answer,
// promptcc_up is 0 and what it would have said is left out.
void metrics_write(struct metrics *metrics, const struct web_commands *commands,
                   struct readers *readers, struct buf *out);

#endif
