// metrics: what operators watch, as Prometheus text.
//
// Counters of calls are summed up from the store. Each scrape reads only the
// calls that were added since the last one, so a store of a million calls is
// read in full only once. The coordinator is asked for what is in progress.
// Each metric has a row, whose help text serves both scrapers and
// docs/http-api.md.

#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "web/readers.h"
#include "web/web.h"

struct metrics;

// One metric, without "promptcc_" in front. All strings are static.
struct metric_about {
    const char *name;
    const char *labels; // "role,outcome"; "" for none
    const char *type;   // "counter", "gauge", "histogram"
    const char *help;
};
const struct metric_about *metrics_about(size_t *n);

struct metrics *metrics_new(struct err *err);
void metrics_free(struct metrics *metrics); // accepts NULL

// Appends all metrics. Call from any thread. If the coordinator does not
// answer, promptcc_up is 0 and the metrics that need it are left out.
void metrics_write(struct metrics *metrics, const struct web_commands *commands,
                   struct readers *readers, struct buf *out);

#endif
