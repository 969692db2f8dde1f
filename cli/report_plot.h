// report_plot: the plots of a report, as SVG.
//
// A plot has points with their 95 % intervals and a stepped line, in the colors
// of the page's style sheet (classes, no inline style). Pure.

#ifndef CLI_REPORT_PLOT_H
#define CLI_REPORT_PLOT_H

#include <stdbool.h>

#include <jansson.h>

#include "common/buf.h"

struct report_plot {
    const char *label; // for readers who cannot see it; static
    const char *x_name;
    const char *x_key;    // of a point
    const char *line_key; // what the line follows: a number or null
};

// Appends a plot. `points` is a list of objects with score, low, high, and the
// two keys.
void report_plot_put(const struct report_plot *plot, const json_t *points,
                     struct buf *out);

// Appends one row of a plot that shows two scores with intervals on an axis
// from 0 to 100 %. `side` has score, low, high.
void report_plot_side(const char *name, const json_t *side, bool best,
                      struct buf *out);

#endif
