#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/utf8.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40, WIDTH_MOST = 400 };

static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_when;

void terminal_set_color(const char *when)
{
    if (when != NULL && strcmp(when, "always") == 0)
        color_when = COLOR_ALWAYS;
    else if (when != NULL && strcmp(when, "never") == 0)
        color_when = COLOR_NEVER;
    else
        color_when = COLOR_AUTO;
}

static const char *locale_text(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);

        if (text != NULL && text[0] != '\0')
            return text;
    }
    return "";
}

static int width_of(int fd)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    int width = WIDTH_DEFAULT;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    else if (columns != NULL && atoi(columns) > 0)
        width = atoi(columns);
    if (width < WIDTH_LEAST)
        return WIDTH_LEAST;
    return width > WIDTH_MOST ? WIDTH_MOST : width;
}

static bool is_set(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0';
}

static bool has_color(bool live)
{
    return color_when == COLOR_ALWAYS ||
           (color_when == COLOR_AUTO && live && !is_set("NO_COLOR"));
}

struct terminal terminal_of(int fd)
{
    const char *term = getenv("TERM");
    const char *locale = locale_text();
    bool live = isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;

    return (struct terminal){.live = live,
                             .color = has_color(live),
                             .utf8 = strstr(locale, "UTF-8") != NULL ||
                                     strstr(locale, "utf8") != NULL ||
                                     strstr(locale, "UTF8") != NULL ||
                                     strstr(locale, "utf-8") != NULL,
                             .width = width_of(fd)};
}

// Bytes of the next unit: an escape sequence (no column) or a character.
static size_t next_unit(const char *text, size_t len, bool *visible)
{
    uint32_t code;
    size_t n = 2;

    *visible = true;
    if (text[0] != '\x1b' || len < 2 || text[1] != '[') {
        n = utf8_next(text, len, &code);
        return n == 0 ? 1 : n;
    }
    *visible = false;
    while (n < len && (text[n] < '@' || text[n] > '~'))
        n++;
    return n < len ? n + 1 : n;
}

size_t terminal_columns(const char *text, size_t len)
{
    size_t columns = 0;
    bool visible;

    for (size_t at = 0; at < len;) {
        at += next_unit(text + at, len - at, &visible);
        columns += visible;
    }
    return columns;
}

void terminal_put_cut(const struct terminal *terminal, const char *text,
                      size_t columns, struct buf *out)
{
    size_t len = strlen(text);
    const char *mark = terminal->utf8 ? "\xe2\x80\xa6" : "...";
    size_t mark_columns = terminal->utf8 ? 1 : 3;
    size_t used = 0, keep;
    bool marked = false, visible;

    if (terminal_columns(text, len) <= columns || columns <= mark_columns) {
        if (columns > mark_columns)
            buf_append(out, text, len);
        return;
    }
    keep = columns - mark_columns;
    for (size_t at = 0, n; at < len; at += n) {
        n = next_unit(text + at, len - at, &visible);
        if (!visible || used < keep) {
            buf_append(out, text + at, n);
            used += visible;
        } else if (!marked) {
            buf_puts(out, mark);
            marked = true;
        }
    }
}

void terminal_put_plain(const char *text, size_t len, struct buf *out)
{
    for (size_t at = 0, n; at < len; at += n) {
        unsigned char c = (unsigned char)text[at];
        uint32_t code = 0;

        n = utf8_next(text + at, len - at, &code);
        if (n == 0) {
            n = 1;
            buf_putc(out, '?');
        } else if (c == '\n' || c == '\t' || c == '\r') {
            buf_putc(out, ' ');
        } else if (c < 0x20 || c == 0x7f || (code >= 0x80 && code < 0xa0)) {
            buf_putc(out, '?');
        } else {
            buf_append(out, text + at, n);
        }
    }
}
