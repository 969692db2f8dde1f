#include "common/shell_word.h"

#include <string.h>

#include "common/plain.h"

enum { SHOWN_MAX_BYTES = 1 << 14 };

void shell_word_put(const char *text, struct buf *out)
{
    buf_putc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

static bool is_plain_word(const char *text)
{
    static const char safe[] = "_./:=@%+,-";

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        char c = *text;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || ((unsigned char)c & 0x80) != 0 ||
              strchr(safe, c) != NULL))
            return false;
    }
    return true;
}

// Appends a word such as $'it\'s\x0a', which bash and zsh read: nothing in it
// reaches a terminal unescaped, and the shell gets every byte back.
static void put_escaped(const char *text, struct buf *out)
{
    buf_puts(out, "$'");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\'' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < ' ' || c > '~')
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '\'');
}

void shell_word_show(const char *text, struct buf *out)
{
    struct buf shown = BUF_INIT(SHOWN_MAX_BYTES);

    plain_put_line(&shown, text, strlen(text));
    bool same = shown.len == strlen(text) && !shown.failed &&
                memcmp(shown.data, text, shown.len) == 0;
    if (!same)
        put_escaped(text, out);
    else if (is_plain_word(text))
        buf_puts(out, text);
    else
        shell_word_put(text, out);
    buf_release(&shown);
}
