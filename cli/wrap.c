#include "cli/wrap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cli/terminal.h"
#include "common/utf8.h"

enum {
    LINE_BYTES = 1 << 20,
    PAIR_LEAST = 24, // minimum columns for texts next to their names
    PAIR_INDENT = 6, // indent of texts below their names
    JOINER = 0x200d, // joins several emoji into one
};

// Returns true for marks of two columns that must not begin a line: they close
// something, end a clause, or belong to the sound before.
static bool must_not_begin_line(uint32_t code)
{
    static const uint32_t marks[] = {
        0x3001, 0x3002, 0x3005, 0x3009, 0x300b, 0x300d, 0x300f,
        0x3011, 0x3015, 0x3017, 0x30fb, 0x30fc, 0xff01, 0xff09,
        0xff0c, 0xff0e, 0xff1a, 0xff1b, 0xff1f, 0xff3d, 0xff5d,
    };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i] == code)
            return true;
    return false;
}

// Returns the bytes up to the next blank at which a line may end; "84 %" must
// stay together.
static size_t next_blank(const char *text)
{
    size_t len = strcspn(text, " ");

    while (len > 0 && text[len] == ' ' && text[len + 1] == '%' &&
           strchr(" ,;.:)", text[len + 2]) != NULL)
        len += 2 + strcspn(text + len + 2, " ");
    return len;
}

// Returns the bytes of the word that `text` begins with, or 0 before a blank. A
// character of two columns is a word of its own. Anything that joins the
// character before it, such as an accent or the parts of an emoji, has no
// columns.
static size_t next_word(const char *text)
{
    size_t len = next_blank(text), at = 0;
    bool stays = true, after_wide = false;

    while (at < len) {
        uint32_t code = 0;
        size_t n = utf8_next(text + at, len - at, &code);
        size_t columns = terminal_columns(text + at, n == 0 ? 1 : n);

        if (!stays && columns > 0 && !must_not_begin_line(code) &&
            (columns == 2 || (after_wide && n > 0 && code >= '0')))
            break;
        if (columns > 0)
            after_wide = columns == 2;
        stays = code == JOINER;
        at += n == 0 ? 1 : n;
    }
    return at;
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
    if (column > indent && width > column &&
        terminal_columns(text, next_word(text)) > width - column) {
        buf_printf(out, "\n%*s", (int)indent, "");
        column = indent;
    }
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
    bool beside = width >= indent + PAIR_LEAST;

    if (!beside)
        indent = PAIR_INDENT;
    buf_printf(out, "  %s", name);
    if (columns >= indent || !beside)
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

enum { LABEL_MOST = 20 }; // columns of a label and the blanks after it

// Returns the bytes before the text of a line such as "  text" or
// "label   text".
static size_t find_text(const char *line, size_t len)
{
    size_t blanks = strspn(line, " "), at = blanks;

    for (; at + 1 < len; at++) {
        if (line[at] != ' ' || line[at + 1] != ' ')
            continue;
        at += strspn(line + at, " ");
        break;
    }
    return at + 1 >= len || terminal_columns(line, at) > LABEL_MOST ? blanks
                                                                    : at;
}

// Returns true for a line that wrapping would spoil or not make any shorter.
static bool stays_whole(const char *line, size_t len)
{
    static const char command[] = "  promptcc ";
    size_t number = strspn(line, " 0123456789");
    size_t text = find_text(line, len);

    return strncmp(line, command, sizeof command - 1) == 0 ||
           (number > 1 && line[0] == ' ' && line[number] == '|') ||
           next_word(line + text) >= len - text;
}

void wrap_lines(size_t width, const char *text, struct buf *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        struct buf line = BUF_INIT(LINE_BYTES);

        buf_append(&line, text, len);
        buf_putc(&line, '\0');
        if (line.failed || terminal_columns(text, len) <= width ||
            stays_whole(text, len))
            buf_append(out, text, len);
        else
            wrap_text(width, 0, terminal_columns(text, find_text(text, len)),
                      line.data, out);
        buf_release(&line);
        text += len;
        if (*text == '\n') {
            buf_putc(out, '\n');
            text++;
        }
    }
}
