#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "common/plain.h"
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

// Returns the bytes of the next unit, an escape sequence or a character, and
// its columns.
static size_t next_unit(const char *text, size_t len, size_t *columns)
{
    uint32_t code;
    size_t n = 2;

    if (text[0] != '\x1b' || len < 2 || text[1] != '[') {
        n = utf8_next(text, len, &code);
        *columns = n == 0 ? 1 : utf8_columns(code);
        return n == 0 ? 1 : n;
    }
    *columns = 0;
    while (n < len && (text[n] < '@' || text[n] > '~'))
        n++;
    return n < len ? n + 1 : n;
}

size_t terminal_columns(const char *text, size_t len)
{
    size_t columns = 0, more;

    for (size_t at = 0; at < len; columns += more)
        at += next_unit(text + at, len - at, &more);
    return columns;
}

void terminal_put_cut(const struct terminal *terminal, const char *text,
                      size_t columns, struct buf *out)
{
    size_t len = strlen(text);
    const char *mark = terminal->utf8 ? "\xe2\x80\xa6" : "...";
    size_t mark_columns = terminal->utf8 ? 1 : 3;
    size_t used = 0, keep, more;
    bool marked = false;

    if (terminal_columns(text, len) <= columns || columns <= mark_columns) {
        if (columns > mark_columns)
            buf_append(out, text, len);
        return;
    }
    keep = columns - mark_columns;
    for (size_t at = 0, n; at < len; at += n) {
        n = next_unit(text + at, len - at, &more);
        if (more == 0 || (!marked && used + more <= keep)) {
            buf_append(out, text + at, n);
            used += more;
        } else if (!marked) {
            buf_puts(out, mark);
            marked = true;
        }
    }
}

// --- what is written ---

enum { WRITE_MAX_BYTES = 1 << 30 };

static const char *const styles[STYLE_COUNT] = {
    [STYLE_PLAIN] = "\x1b[0m", [STYLE_BOLD] = "\x1b[1m",
    [STYLE_DIM] = "\x1b[2m",   [STYLE_GOOD] = "\x1b[32m",
    [STYLE_WARN] = "\x1b[33m",
};

const char *terminal_style(const struct terminal *terminal, enum style style)
{
    return terminal->color ? styles[style] : "";
}

// Returns the bytes of the style that `text` begins with, or 0 if there is
// none.
static size_t style_bytes(const char *text, size_t len)
{
    for (size_t i = 0; i < STYLE_COUNT; i++) {
        size_t n = strlen(styles[i]);

        if (n <= len && memcmp(text, styles[i], n) == 0)
            return n;
    }
    return 0;
}

static void put_shown(struct buf *out, const char *text, size_t len, bool color)
{
    while (len > 0) {
        const char *escape = memchr(text, '\x1b', len);
        size_t before = escape == NULL ? len : (size_t)(escape - text);
        size_t style = color ? style_bytes(text + before, len - before) : 0;

        plain_put_text(out, text, before);
        text += before;
        len -= before;
        if (style > 0)
            buf_append(out, text, style);
        else if (len > 0)
            plain_put_text(out, text, style = 1);
        text += style;
        len -= style;
    }
}

bool terminal_write(FILE *file, const char *text, size_t len)
{
    struct terminal terminal = terminal_of(fileno(file));
    struct buf out = BUF_INIT(WRITE_MAX_BYTES);
    bool ok;

    put_shown(&out, text, len, terminal.color);
    ok = !out.failed &&
         (out.len == 0 || fwrite(out.data, 1, out.len, file) == out.len);
    buf_release(&out);
    return fflush(file) == 0 && ok;
}

void terminal_erase(FILE *file, int lines)
{
    if (lines > 0)
        (void)fprintf(file, "\r\x1b[%dA\x1b[J", lines);
}
