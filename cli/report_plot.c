#include "cli/report_plot.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/json.h"

// In units of the SVG's view box.
enum { WIDTH = 1000, HEIGHT = 300, LEFT = 46, RIGHT = 12, TOP = 10, FOOT = 44 };

struct frame {
    double x0, x1, y0, y1; // the values at the edges
};

static double place_x(const struct frame *frame, double x)
{
    return LEFT +
           (x - frame->x0) / (frame->x1 - frame->x0) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *frame, double y)
{
    return TOP +
           (frame->y1 - y) / (frame->y1 - frame->y0) * (HEIGHT - TOP - FOOT);
}

static struct frame frame_of(const struct report_plot *plot,
                             const json_t *points)
{
    struct frame frame = {INFINITY, -INFINITY, 1, 0};

    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        double x = json_get_number(point, plot->x_key, 0);
        double y = json_get_number(point, "score", 0);

        frame.x0 = fmin(frame.x0, x);
        frame.x1 = fmax(frame.x1, x);
        frame.y0 = fmin(frame.y0, json_get_number(point, "low", y));
        frame.y1 = fmax(frame.y1, json_get_number(point, "high", y));
    }
    double margin = fmax((frame.x1 - frame.x0) * 0.02, 0.5);
    frame.x0 -= margin;
    frame.x1 += margin;
    frame.y0 = floor(frame.y0 * 10) / 10;
    frame.y1 = ceil(frame.y1 * 10) / 10;
    if (frame.y1 <= frame.y0)
        frame.y1 = frame.y0 + 0.1;
    return frame;
}

// Returns 1, 2 or 5 times a power of ten, such that there are at most n steps.
static double step_for(double span, int n)
{
    double power = pow(10, floor(log10(span / n)));

    for (double times = 1; times < 10; times = times < 2 ? 2 : times * 2.5)
        if (span / (power * times) <= n)
            return power * times;
    return power * 10;
}

static void put_axes(const struct report_plot *plot, const struct frame *frame,
                     struct buf *out)
{
    double step_x = fmax(step_for(frame->x1 - frame->x0, 10), 1);
    double step_y = fmax(step_for(frame->y1 - frame->y0, 6), 0.01);

    // The + 0.0 turns -0, which ceil can return, into 0; it would be shown as
    // "-0".
    for (double y = ceil(frame->y0 / step_y - 1e-9) * step_y + 0.0;
         y <= frame->y1 + 1e-9; y += step_y)
        buf_printf(out,
                   "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                   "y2=\"%.1f\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                   "text-anchor=\"end\">%.0f</text>",
                   LEFT, WIDTH - RIGHT, place_y(frame, y), place_y(frame, y),
                   LEFT - 8, place_y(frame, y) + 5, 100 * y);
    for (double x = ceil(frame->x0 / step_x) * step_x; x <= frame->x1;
         x += step_x)
        buf_printf(out,
                   "<text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                   "text-anchor=\"middle\">%.0f</text>",
                   place_x(frame, x), HEIGHT - FOOT + 20, x);
    buf_printf(out,
               "<text class=\"tick\" x=\"%d\" y=\"%d\" "
               "text-anchor=\"middle\">%s</text>",
               (WIDTH + LEFT) / 2, HEIGHT - 4, plot->x_name);
}

static const char *class_of(const json_t *point)
{
    const char *kind = json_get_text(point, "kind", "full");

    if (strcmp(kind, "baseline") == 0)
        return "base";
    if (json_is_false(json_object_get(point, "front")))
        return "mini";
    return strcmp(kind, "full") == 0 ? "full" : "mini";
}

static void put_points(const struct report_plot *plot,
                       const struct frame *frame, const json_t *points,
                       struct buf *out)
{
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        double x = place_x(frame, json_get_number(point, plot->x_key, 0));
        double score = json_get_number(point, "score", 0);
        const char *class = class_of(point);

        buf_printf(
            out,
            "<line class=\"bar %s\" x1=\"%.1f\" x2=\"%.1f\" "
            "y1=\"%.1f\" y2=\"%.1f\"/><circle class=\"%s\" "
            "cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>",
            class, x, x, place_y(frame, json_get_number(point, "low", score)),
            place_y(frame, json_get_number(point, "high", score)), class, x,
            place_y(frame, score), strcmp(class, "mini") == 0 ? "2.5" : "4.5");
    }
}

static void put_line(const struct report_plot *plot, const struct frame *frame,
                     const json_t *points, struct buf *out)
{
    bool begun = false;

    buf_puts(out, "<path class=\"best\" d=\"");
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        const json_t *here = json_object_get(point, plot->line_key);

        if (!json_is_number(here))
            continue;
        buf_printf(out, begun ? "H%.1fV%.1f" : "M%.1f %.1f",
                   place_x(frame, json_get_number(point, plot->x_key, 0)),
                   place_y(frame, json_number_value(here)));
        begun = true;
    }
    buf_puts(out, "\"/>");
}

void report_plot_put(const struct report_plot *plot, const json_t *points,
                     struct buf *out)
{
    struct frame frame = frame_of(plot, points);

    if (json_array_size(points) == 0) {
        buf_puts(out, "<p class=\"muted\">Nothing to show yet.</p>");
        return;
    }
    buf_printf(out,
               "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "aria-label=\"%s\">",
               WIDTH, HEIGHT, plot->label);
    put_axes(plot, &frame, out);
    put_points(plot, &frame, points, out);
    put_line(plot, &frame, points, out);
    buf_puts(out, "</svg>");
}

void report_plot_side(const char *name, const json_t *side, bool best,
                      struct buf *out)
{
    double score = json_get_number(side, "score", 0);
    double low = json_get_number(side, "low", score);
    double high = json_get_number(side, "high", score);
    const char *class = best ? " best" : "";

    buf_printf(
        out,
        "<div class=\"side\"><span>%s</span><svg viewBox=\"0 0 400 22\" "
        "preserveAspectRatio=\"none\"><line class=\"axis\" x1=\"0\" "
        "x2=\"400\" y1=\"11\" y2=\"11\"/><line class=\"range%s\" x1=\"%.1f\" "
        "x2=\"%.1f\" y1=\"11\" y2=\"11\"/><line class=\"mark%s\" x1=\"%.1f\" "
        "x2=\"%.1f\" y1=\"4\" y2=\"18\"/></svg><span><b>%.1f %%</b> <span "
        "class=\"muted small\">(%.0f to %.0f)</span></span></div>",
        name, class, 400 * low, 400 * high, class, 400 * score, 400 * score,
        100 * score, 100 * low, 100 * high);
}
