#include "simulated/sim_span.h"

#include <ctype.h>
#include <string.h>

static const char MARKER_CLOSE[] = " ## ]]";

struct sim_span sim_span_trim(struct sim_span span)
{
    while (span.len > 0 && isspace((unsigned char)span.at[0])) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && isspace((unsigned char)span.at[span.len - 1]))
        span.len--;
    return span;
}

bool sim_span_line(struct sim_span *rest, struct sim_span *line)
{
    if (rest->len == 0)
        return false;
    const char *newline = memchr(rest->at, '\n', rest->len);
    line->at = rest->at;
    line->len = newline == NULL ? rest->len : (size_t)(newline - rest->at);
    size_t used = line->len + (newline != NULL);
    rest->at += used;
    rest->len -= used;
    return true;
}

const char *sim_span_find(struct sim_span in, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= in.len; i++)
        if (in.at[i] == what[0] && memcmp(in.at + i, what, len) == 0)
            return in.at + i;
    return NULL;
}

bool sim_span_marker(struct sim_span line, struct sim_span *name,
                     struct sim_span *rest)
{
    line = sim_span_trim(line);
    size_t open = sizeof SIM_MARKER_OPEN - 1;
    if (line.len < open || memcmp(line.at, SIM_MARKER_OPEN, open) != 0)
        return false;
    struct sim_span after = {line.at + open, line.len - open};
    const char *close = sim_span_find(after, MARKER_CLOSE);
    if (close == NULL)
        return false;
    *name = (struct sim_span){after.at, (size_t)(close - after.at)};
    const char *end = close + sizeof MARKER_CLOSE - 1;
    *rest = (struct sim_span){end, (size_t)(line.at + line.len - end)};
    return true;
}

bool sim_span_is(struct sim_span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

const char *sim_span_copy(struct arena *arena, struct sim_span span)
{
    span = sim_span_trim(span);
    return arena_strndup(arena, span.at, span.len);
}
