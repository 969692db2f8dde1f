// metrics: what operators watch, as Prometheus text.
//
// Counters of calls are added up from the store: each scrape reads only the
// calls that came since the last one, so that a store of a million calls costs
// its million once. What is under way is asked of the coordinator. The names
// stand in docs/http-api.md.

#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include "common/buf.h"
#include "common/err.h"
#include "web/readers.h"
#include "web/web.h"

struct metrics;

struct metrics *metrics_new(struct err *err);
void metrics_free(struct metrics *metrics); // NULL is fine

// Appends all of them; any thread. Where the coordinator does not answer,
// promptcc_up is 0 and what it would have said is left out.
void metrics_write(struct metrics *metrics, const struct web_commands *commands,
                   struct readers *readers, struct buf *out);

#endif
