// report_plot: the plots of a report, as SVG.
//
// Points with their 95 % intervals and a stepped line, in the colours of the
// page's style sheet (classes, no inline style). Pure.

#ifndef CLI_REPORT_PLOT_H
#define CLI_REPORT_PLOT_H

#include <stdbool.h>

#include <jansson.h>

#include "common/buf.h"

struct report_plot {
    const char *label; // for those who do not see it; static
    const char *x_name;
    const char *x_key;    // of a point
    const char *line_key; // what the line runs along, a number or null
};

// points: a list of objects with score, low, high, and the two keys.
void report_plot_put(const struct report_plot *plot, const json_t *points,
                     struct buf *out);

// Two scores with intervals on an axis from 0 to 100 %: a row each. side has
// score, low, high.
void report_plot_side(const char *name, const json_t *side, bool best,
                      struct buf *out);

#endif
