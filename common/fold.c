#include "common/fold.h"

#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#include "common/text.h"
#include "common/utf8.h"

enum {
    FOLD_CODES = 128,   // code points composed at a time
    FOLD_ROOM = 16,     // more than one code point decomposes to
    FOLD_CASED = 4,     // the same for its case folding
    NO_CODE = 0x110000, // invalid UTF-8 bytes are numbered from here
};

// The code points of a text, composed and folded, a few at a time. Nothing is
// allocated, so comparing cannot fail.
struct folding {
    const char *at;
    size_t len;
    utf8proc_int32_t codes[FOLD_CODES];
    size_t n;
    size_t i;
    utf8proc_int32_t cased[FOLD_CASED]; // codes[i - 1] with its case folded
    size_t n_cased;
    size_t i_cased;
};

// Invisible characters: direction marks, soft hyphens, zero-width spaces. Also
// the CR of CRLF.
static bool is_invisible(uint32_t code)
{
    return code == '\r' ||
           (code >= 0x80 && code < NO_CODE &&
            utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_CF);
}

// Characters that compose with the one before them, or are ordered after it.
static bool continues(uint32_t code)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    bool jamo = code >= 0x1161 && code <= 0x11FF;

    return jamo || category == UTF8PROC_CATEGORY_MN ||
           category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}

// Sorts marks above and below a letter, which may come in either order.
static void order_marks(utf8proc_int32_t *codes, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        utf8proc_int32_t code = codes[i];
        int class = utf8proc_get_property(code)->combining_class;
        size_t at = i;

        for (; class > 0 && at > 0 &&
               utf8proc_get_property(codes[at - 1])->combining_class > class;
             at--)
            codes[at] = codes[at - 1];
        codes[at] = code;
    }
}

static void fill(struct folding *folding)
{
    size_t n = 0;

    while (folding->len > 0 && n + FOLD_ROOM < FOLD_CODES) {
        uint32_t code = 0;
        size_t bytes = utf8_next(folding->at, folding->len, &code);
        int last_class = 0;

        if (n > 0 && (bytes == 0 || (n > FOLD_CODES / 2 && !continues(code))))
            break;
        folding->at += bytes > 0 ? bytes : 1;
        folding->len -= bytes > 0 ? bytes : 1;
        if (bytes == 0) {
            code = NO_CODE + (unsigned char)folding->at[-1];
            folding->codes[n++] = (utf8proc_int32_t)code;
            folding->n = n;
            return;
        }
        n += (size_t)utf8proc_decompose_char(
            (utf8proc_int32_t)code, folding->codes + n,
            (utf8proc_ssize_t)(FOLD_CODES - n),
            UTF8PROC_STABLE | UTF8PROC_COMPOSE, &last_class);
    }
    order_marks(folding->codes, n);
    folding->n =
        (size_t)utf8proc_normalize_utf32(folding->codes, (utf8proc_ssize_t)n,
                                         UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

// Reads the next composed code point into *code; returns false at the end.
static bool next_composed(struct folding *folding, uint32_t *code)
{
    if (folding->i == folding->n) {
        if (folding->len == 0)
            return false;
        folding->i = 0;
        fill(folding);
    }
    *code = (uint32_t)folding->codes[folding->i++];
    return true;
}

// Folds the case of one character, which may give several: a sharp s becomes
// two. A no-break space becomes a plain space.
static void take_case(struct folding *folding, uint32_t code)
{
    int last_class = 0;
    utf8proc_ssize_t n = 0;

    if (code < NO_CODE)
        n = utf8proc_decompose_char((utf8proc_int32_t)code, folding->cased,
                                    FOLD_CASED, UTF8PROC_CASEFOLD, &last_class);
    if (n < 1 || n > FOLD_CASED) {
        folding->cased[0] = (utf8proc_int32_t)code;
        n = 1;
    }
    if (text_is_space(code))
        folding->cased[0] = ' ';
    folding->n_cased = (size_t)n;
    folding->i_cased = 0;
}

// Reads the next folded code point into *code; returns false at the end.
static bool next_folded(struct folding *folding, uint32_t *code)
{
    uint32_t composed = 0;

    while (folding->i_cased == folding->n_cased) {
        if (!next_composed(folding, &composed))
            return false;
        if (!is_invisible(composed))
            take_case(folding, composed);
    }
    *code = (uint32_t)folding->cased[folding->i_cased++];
    return true;
}

static char ascii_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Returns true for ASCII without the CR of CRLF, which folding leaves out.
static bool is_plain(const char *text, size_t len)
{
    unsigned char all = 0;

    for (size_t i = 0; i < len; i++)
        all |= (unsigned char)text[i];
    return all < 0x80 && memchr(text, '\r', len) == NULL;
}

bool fold_same(const char *a, const char *b)
{
    struct folding one = {.n = 0};
    struct folding other = {.n = 0};
    uint32_t code = 0;
    uint32_t other_code = 0;

    one.at = text_trim_wide(a, strlen(a), &one.len);
    other.at = text_trim_wide(b, strlen(b), &other.len);
    if (is_plain(one.at, one.len) && is_plain(other.at, other.len)) {
        bool same = one.len == other.len;
        for (size_t i = 0; same && i < one.len; i++)
            same = ascii_fold(one.at[i]) == ascii_fold(other.at[i]);
        return same;
    }
    for (;;) {
        bool more = next_folded(&one, &code);
        bool other_more = next_folded(&other, &other_code);

        if (!more || !other_more)
            return more == other_more;
        if (code != other_code)
            return false;
    }
}

// Appends in pieces, because a call for each byte costs more.
static void fold_ascii(struct buf *out, const char *text, size_t len)
{
    char folded[256];

    for (size_t at = 0; at < len;) {
        size_t n = 0;
        for (; n < sizeof folded && at < len; n++, at++)
            folded[n] = ascii_fold(text[at]);
        buf_append(out, folded, n);
    }
}

void fold_put(struct buf *out, const char *text, size_t len)
{
    struct folding folding = {.at = text, .len = len};
    char folded[256];
    size_t used = 0;
    uint32_t code = 0;

    if (is_plain(text, len)) {
        fold_ascii(out, text, len);
        return;
    }
    while (next_folded(&folding, &code)) {
        if (used > sizeof folded - 4) {
            buf_append(out, folded, used);
            used = 0;
        }
        if (code < NO_CODE)
            used += utf8_put(folded + used, code);
        else
            folded[used++] = (char)(code - NO_CODE);
    }
    buf_append(out, folded, used);
}
