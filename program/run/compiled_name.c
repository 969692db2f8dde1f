#include "program/run/compiled_name.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool is_upper(char c)
{
    return isupper((unsigned char)c) != 0;
}

static bool is_lower(char c)
{
    return islower((unsigned char)c) != 0;
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) != 0;
}

// Returns true if a word begins at name[i]: at a capital before small letters,
// at a capital after small letters or digits, and wherever letters and digits
// meet.
static bool begins_word(const char *name, size_t i)
{
    char before = name[i - 1];
    char at = name[i];

    return (is_upper(at) && is_lower(name[i + 1])) ||
           (is_upper(at) && (is_lower(before) || is_digit(before))) ||
           (is_digit(at) && is_letter(before)) ||
           (is_letter(at) && is_digit(before));
}

// Capitalizes a word; a word that is all capitals stays as it is.
static void put_word(const char *word, size_t len, struct buf *out)
{
    bool small = false;

    for (size_t i = 0; i < len; i++)
        small = small || is_lower(word[i]);
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)word[i];
        if (small)
            c = i == 0 ? toupper(c) : tolower(c);
        buf_putc(out, (char)c);
    }
}

void compiled_prefix(const char *name, struct buf *out)
{
    size_t start = 0;

    for (size_t i = 0; name[i] != '\0'; i++) {
        if (i > 0 && begins_word(name, i)) {
            put_word(name + start, i - start, out);
            buf_putc(out, ' ');
            start = i;
        }
        if (name[i] == '_') {
            put_word(name + start, i - start, out);
            buf_putc(out, ' ');
            start = i + 1;
        }
    }
    put_word(name + start, strlen(name + start), out);
    buf_putc(out, ':');
}

static char next_plain(const char **text)
{
    while (**text == ' ' || **text == '_')
        (*text)++;
    char c = **text;
    if (c != '\0')
        (*text)++;
    return (char)tolower((unsigned char)c);
}

bool compiled_prefix_fits(const char *prefix, const char *name)
{
    char wanted = next_plain(&name);

    while (wanted != '\0') {
        if (next_plain(&prefix) != wanted)
            return false;
        wanted = next_plain(&name);
    }
    char after = next_plain(&prefix);
    return after == '\0' || after == ':';
}
