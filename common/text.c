#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

enum {
    NAME_MAX_BYTES = 64, // text_nearest ignores longer names
    PART_BYTES = 4,      // shortest part of a name that identifies it
};

// Returns true if text begins with a sequence whose last bytes are missing.
bool text_ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text);
    size_t n = strlen(ending);

    return len >= n && strcmp(text + len - n, ending) == 0;
}

static bool is_cut(const char *text, size_t len)
{
    // Stands in for the missing bytes; any valid sequence may end like this.
    static const char rest[] = "\xbf\xbf\xbf";
    char whole[4] = {0};
    size_t n = 1;
    uint32_t code = 0;

    while (n < len && n < 3 && utf8_follows((unsigned char)text[n]))
        n++;
    memcpy(whole, text, n);
    memcpy(whole + n, rest, sizeof whole - n);
    return utf8_next(whole, sizeof whole, &code) > n;
}

// Drops incomplete characters, and writes '?' for a byte that is not UTF-8 at
// all. Returns the new length.
static size_t repair_utf8(char *text, size_t len)
{
    size_t to = 0;

    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t n = utf8_next(text + at, len - at, &code);

        if (n > 0) {
            memmove(text + to, text + at, n);
            to += n;
        } else if (!is_cut(text + at, len - at)) {
            text[to++] = '?';
        }
        for (at += n > 0 ? n : 1;
             n == 0 && at < len && utf8_follows((unsigned char)text[at]);)
            at++; // the rest of the character that was dropped
    }
    text[to] = '\0';
    return to;
}

enum { PRINT_BYTES = 4096 };

size_t text_vprint(char *out, size_t size, const char *format, va_list args)
{
    // Kept apart from out, because the arguments may point into it.
    char made[PRINT_BYTES];
    size_t room = size < sizeof made ? size : sizeof made;
    int len = vsnprintf(made, room, format, args);

    if (room == 0)
        return 0;
    if (len < 0)
        len = 0;
    if ((size_t)len >= room)
        len = (int)room - 1;
    memcpy(out, made, (size_t)len);
    return repair_utf8(out, (size_t)len);
}

size_t text_print(char *out, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size_t len = text_vprint(out, size, format, args);
    va_end(args);
    return len;
}

const char *text_counted(char out[TEXT_COUNTED_BYTES], int64_t n,
                         const char *noun)
{
    (void)snprintf(out, TEXT_COUNTED_BYTES, "%" PRId64 " %.40s%s", n, noun,
                   n == 1 ? "" : "s");
    return out;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool text_is_name(const char *text)
{
    if (!is_letter(text[0]))
        return false;
    for (size_t i = 1; text[i] != '\0'; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]))
            return false;
    }
    return true;
}

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Counts the edits that turn a into b: a byte inserted, deleted or replaced, or
// two neighbors swapped; case makes no difference. rows[0] is the current row
// of the table, rows[1] and rows[2] are the two before.
static size_t edit_distance(const char *a, size_t a_len, const char *b,
                            size_t b_len)
{
    size_t rows[3][NAME_MAX_BYTES + 1] = {0};

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        memcpy(rows[2], rows[1], sizeof rows[1]);
        memcpy(rows[1], rows[0], sizeof rows[0]);
        rows[0][0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t other = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            size_t best = min_of(rows[1][j], rows[0][j - 1]) + 1;
            best = min_of(best, rows[1][j - 1] + other);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = min_of(best, rows[2][j - 2] + 1);
            rows[0][j] = best;
        }
    }
    return rows[0][b_len];
}

// Returns true if one of them begins or ends with the other.
static bool is_part(const char *text, const char *name)
{
    size_t len = strlen(text);
    size_t name_len = strlen(name);
    size_t part = min_of(len, name_len);
    const char *whole = len > name_len ? text : name;
    const char *piece = len > name_len ? name : text;

    return part >= PART_BYTES &&
           (strncmp(whole, piece, part) == 0 ||
            strcmp(whole + strlen(whole) - part, piece) == 0);
}

// Returns the only name that is part of text, or that text is part of:
// max_calls for calls, desc for description.
static const char *find_part(const char *text, const char *const *names,
                             size_t n)
{
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!is_part(text, names[i]))
            continue;
        if (found != NULL)
            return NULL;
        found = names[i];
    }
    return found;
}

const char *text_nearest(const char *text, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t len = strlen(text);
    size_t near = len / 3 > 1 ? len / 3 : 1;

    if (len > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t name_len = strlen(names[i]);
        if (name_len > NAME_MAX_BYTES)
            continue;
        size_t distance = edit_distance(text, len, names[i], name_len);
        bool other = distance >= (len > name_len ? len : name_len);
        if (distance > near || (nearest != NULL && distance == near) || other)
            continue;
        nearest = names[i];
        near = distance;
    }
    return nearest != NULL || len < PART_BYTES ? nearest
                                               : find_part(text, names, n);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *text_trim(const char *text, size_t len, size_t *out_len)
{
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1]))
        len--;
    *out_len = len;
    return text;
}

bool text_is_space(uint32_t code)
{
    return code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

// Returns true for a space or an invisible character.
static bool is_invisible(uint32_t code)
{
    return text_is_space(code) || code == 0xAD ||
           (code >= 0x200B && code <= 0x200F) || code == 0x061C ||
           (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

static const char *describe_lookalike(uint32_t code)
{
    if (text_is_space(code))
        return "a space that is not a plain one";
    if (is_invisible(code))
        return "an invisible character";
    if (code >= 0x2018 && code <= 0x201F)
        return "a typographic quote";
    if (code >= 0xFF01 && code <= 0xFF5E)
        return "a full-width character";
    return NULL;
}

const char *text_lookalike(const char *text, size_t len, size_t *at)
{
    const char *look = NULL;
    uint32_t code = 0;

    for (*at = 0; *at < len;) {
        size_t bytes = utf8_next(text + *at, len - *at, &code);

        look = bytes > 1 ? describe_lookalike(code) : NULL;
        if (look != NULL)
            break;
        *at += bytes > 0 ? bytes : 1;
    }
    return look;
}

// Returns the length in bytes of the last character of text; 0 if it is ASCII
// or there is none.
static size_t last_wide(const char *text, size_t len, uint32_t *code)
{
    if (len == 0 || ((unsigned char)text[len - 1] & 0x80) == 0)
        return 0;
    size_t start = utf8_cut(text, len - 1);
    size_t bytes = utf8_next(text + start, len - start, code);
    return start + bytes == len ? bytes : 0;
}

const char *text_trim_wide(const char *text, size_t len, size_t *out_len)
{
    for (;;) {
        uint32_t code = 0;
        size_t bytes;

        text = text_trim(text, len, &len);
        bytes = last_wide(text, len, &code);
        if (bytes > 0 && is_invisible(code)) {
            len -= bytes;
            continue;
        }
        bytes = len > 0 && ((unsigned char)text[0] & 0x80) != 0
                    ? utf8_next(text, len, &code)
                    : 0;
        if (bytes == 0 || !is_invisible(code))
            break;
        text += bytes;
        len -= bytes;
    }
    *out_len = len;
    return text;
}

// Eight bytes are ASCII without NUL if no byte has its high bit set, neither
// before nor after 1 is subtracted from each: only NUL borrows.
static const uint64_t ones = UINT64_C(0x0101010101010101);
static const uint64_t highs = UINT64_C(0x8080808080808080);
enum { ASCII_BLOCK = 64 };

// A block of fixed size and a plain loop, which the compiler can vectorize.
static bool is_ascii_block(const char *text)
{
    uint64_t all = 0;

    for (size_t i = 0; i < ASCII_BLOCK; i += sizeof all) {
        uint64_t word = 0;

        memcpy(&word, text + i, sizeof word);
        all |= word | (word - ones);
    }
    return (all & highs) == 0;
}

// Returns how many bytes at the start of text were found at once to be ASCII
// without NUL; 0 if the first byte is not.
static size_t ascii_bytes(const char *text, size_t len)
{
    uint64_t word = 0;

    if (len >= ASCII_BLOCK && is_ascii_block(text))
        return ASCII_BLOCK;
    if (len >= sizeof word) {
        memcpy(&word, text, sizeof word);
        if (((word | (word - ones)) & highs) == 0)
            return sizeof word;
    }
    return text[0] != '\0' && ((unsigned char)text[0] & 0x80) == 0;
}

// Most text is ASCII, which is checked in blocks: questions and replies are
// checked on both sides of every call.
bool text_is_utf8(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t bytes = ascii_bytes(text + at, len - at);

        if (bytes == 0 && text[at] != '\0')
            bytes = utf8_next(text + at, len - at, &code);
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

size_t text_int(char out[TEXT_INT_BYTES], int64_t n)
{
    char text[TEXT_INT_BYTES];
    char *at = text + sizeof text;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (n < 0)
        *--at = '-';
    size_t len = (size_t)(text + sizeof text - at);
    memcpy(out, at, len);
    return len;
}

struct unit {
    char letter; // '\0': no unit
    int64_t scale;
};

// Adds digits to *value and counts them in *digits. Returns false on overflow.
static bool read_digits(const char **text, int64_t *value, int *digits)
{
    for (; is_digit(**text); (*text)++) {
        int64_t digit = **text - '0';
        if (*value > (INT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
        (*digits)++;
    }
    return true;
}

static int64_t find_scale(const struct unit *units, size_t n, const char *text)
{
    if (text[0] != '\0' && text[1] != '\0')
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (units[i].letter == text[0])
            return units[i].scale;
    }
    return 0;
}

// Reads DIGITS[.DIGITS][UNIT] as whole steps of the smallest unit. Uses
// integers throughout, because 12.3 is not an exact double; value counts in
// units of 10^-places.
static bool read_scaled(const char *text, const struct unit *units, size_t n,
                        int64_t *out)
{
    int64_t value = 0;
    int digits = 0;
    int places = 0;

    if (!read_digits(&text, &value, &digits) || digits == 0)
        return false;
    if (*text == '.') {
        text++;
        if (!read_digits(&text, &value, &places) || places == 0)
            return false;
    }
    int64_t scale = find_scale(units, n, text);
    if (scale == 0)
        return false;
    for (; places > 0 && scale % 10 == 0; places--)
        scale /= 10;
    for (; places > 0 && value % 10 == 0; places--)
        value /= 10;
    if (places > 0 || value > INT64_MAX / scale)
        return false;
    *out = value * scale;
    return true;
}

bool text_count(const char *text, int64_t *out)
{
    static const struct unit units[] = {
        {'\0', 1}, {'K', 1000}, {'k', 1000}, {'M', 1000000}, {'m', 1000000},
    };

    return read_scaled(text, units, sizeof units / sizeof units[0], out);
}

bool text_duration_ms(const char *text, int64_t *out)
{
    static const struct unit units[] = {
        {'\0', 1000},
        {'s', 1000},
        {'m', 60 * 1000},
        {'h', 60 * 60 * 1000},
    };

    return read_scaled(text, units, sizeof units / sizeof units[0], out);
}
