#include "cli/wrap.h"

#include <string.h>

#include "cli/terminal.h"

enum { LINE_BYTES = 1 << 20 };

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

enum { LABEL_MOST = 20 }; // columns of a label and the blanks behind it

// The columns before the text of a line: "  text" or "label   text".
static size_t find_indent(const char *line, size_t len)
{
    size_t blanks = strspn(line, " "), at = blanks;

    for (; at + 1 < len; at++) {
        if (line[at] != ' ' || line[at + 1] != ' ')
            continue;
        at += strspn(line + at, " ");
        break;
    }
    if (at + 1 >= len || terminal_columns(line, at) > LABEL_MOST)
        return blanks;
    return terminal_columns(line, at);
}

void wrap_lines(size_t width, const char *text, struct buf *out)
{
    static const char command[] = "  promptcc ";

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        struct buf line = BUF_INIT(LINE_BYTES);

        buf_append(&line, text, len);
        buf_putc(&line, '\0');
        if (line.failed || terminal_columns(text, len) <= width ||
            strncmp(text, command, sizeof command - 1) == 0)
            buf_append(out, text, len);
        else
            wrap_text(width, 0, find_indent(text, len), line.data, out);
        buf_release(&line);
        text += len;
        if (*text == '\n') {
            buf_putc(out, '\n');
            text++;
        }
    }
}
