// sim_span: pieces of a prompt, their lines, and the markers that begin lines.
//
// A marker is `[[ ## name ## ]]` at the beginning of a line.

#ifndef SIMULATED_SIM_SPAN_H
#define SIMULATED_SIM_SPAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

#define SIM_MARKER_OPEN "[[ ## "

struct sim_span {
    const char *at; // borrowed
    size_t len;
};

// Returns the span without surrounding white space.
struct sim_span sim_span_trim(struct sim_span span);

// Returns true if the span is exactly this text.
bool sim_span_is(struct sim_span span, const char *text);

// Returns where `what` first occurs in `in`, or NULL if it does not.
const char *sim_span_find(struct sim_span in, const char *what);

// Takes a line off *rest. Returns false at the end.
bool sim_span_line(struct sim_span *rest, struct sim_span *line);

// Reads a line that starts with a marker: *name is the field, *rest what
// follows. Returns false for any other line.
bool sim_span_marker(struct sim_span line, struct sim_span *name,
                     struct sim_span *rest);

// Returns a trimmed copy, or NULL when out of memory.
const char *sim_span_copy(struct arena *arena, struct sim_span span);

#endif
