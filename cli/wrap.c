#include "cli/wrap.h"

#include <string.h>

#include "cli/terminal.h"

static size_t next_word(const char *text)
{
    return strcspn(text, " ");
}

size_t wrap_line(const char *text, size_t width, const char **next)
{
    size_t end = next_word(text);

    while (text[end] != '\0') {
        size_t more = end + strspn(text + end, " ");

        more += next_word(text + more);
        if (terminal_columns(text, more) > width)
            break;
        end = more;
    }
    *next = text + end + strspn(text + end, " ");
    return end;
}

void wrap_text(size_t width, size_t column, size_t indent, const char *text,
               struct buf *out)
{
    for (const char *next = text; *text != '\0'; text = next) {
        size_t room = width > column + WRAP_LEAST ? width - column : WRAP_LEAST;
        size_t len = wrap_line(text, room, &next);

        buf_append(out, text, len);
        if (*next != '\0')
            buf_printf(out, "\n%*s", (int)indent, "");
        column = indent;
    }
}

void wrap_pair(size_t width, size_t indent, const char *name, const char *text,
               struct buf *out)
{
    size_t columns = 2 + terminal_columns(name, strlen(name));

    buf_printf(out, "  %s", name);
    if (columns >= indent)
        buf_printf(out, "\n%*s", (int)indent, "");
    else
        buf_printf(out, "%*s", (int)(indent - columns), "");
    wrap_text(width, indent, indent, text, out);
    buf_putc(out, '\n');
}

size_t wrap_widest_word(const char *text)
{
    size_t widest = 0;

    while (*text != '\0') {
        size_t len = next_word(text);
        size_t columns = terminal_columns(text, len);

        widest = columns > widest ? columns : widest;
        text += len;
        text += strspn(text, " ");
    }
    return widest;
}
