#include "program/graph/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "common/text.h"
#include "common/utf8.h"
#include "program/graph/denial.h"

// A text is first turned into plain ASCII, in which one byte represents each
// kind of character that matters.
enum {
    CURRENCY = '$',
    LETTER = 'a',
    OTHER = ';',
    BOUND = '<', // "at least" and the like: a limit, not the number itself
    GROUP = 1,   // a space between thousands: no-break, thin
    DASH = 3,    // a minus, a range, or neither
    SCALE = 2,   // a power of ten written as a word
    WORD_BYTES = 24,
};

// Where the number is in the plain text.
struct found {
    size_t start; // including sign and currency
    size_t end;   // including percent sign and currency
    bool negative;
    bool percent;
    char digits[80]; // in strtod's form, without the sign
    size_t n;
};

// ---- to ASCII

static const struct {
    uint32_t code;
    char plain;
} plain_codes[] = {
    {0x2212, '-'},   {0xFE63, '-'},   {0x2010, '-'},   {0x2011, '-'},
    {0x207B, DASH},  {0x02D7, DASH},  {0x2796, DASH},  {0x30FC, DASH},
    {0x00A0, GROUP}, {0x202F, GROUP}, {0x2009, GROUP}, {0x00D7, OTHER},
    {0x00F7, OTHER}, {0x223C, '~'},   {0x2243, '~'},   {0x2245, '~'},
    {0x2192, OTHER}, {0x2194, OTHER}, {0x22C5, OTHER}, {0x03C0, SCALE},
    {0x2030, SCALE}, {0x2031, SCALE}, {0x5341, SCALE}, {0x767E, SCALE},
    {0x5343, SCALE}, {0x4E07, SCALE}, {0x842C, SCALE}, {0x4EBF, SCALE},
    {0x5104, SCALE}, {0x5146, SCALE}, {0xB9CC, SCALE}, {0xCC9C, SCALE},
    {0xC5B5, SCALE}, {0xBC31, SCALE}, {0xC870, SCALE}, {0x8CA0, '-'},
    {0x8D1F, '-'},   {0x00B0, ' '},   {0x2022, '*'},   {0x2018, '\''},
    {0x2019, '\''},  {0x201C, '"'},   {0x201D, '"'},   {0x2248, '~'},
    {0x066A, '%'},   {0xFE6A, '%'},   {0x00A2, SCALE}, {0x066B, '_'},
    {0x066C, '_'},
};

// Maps a character to plain ASCII. 0: an invisible character. -1: digits that
// are not read, such as those of other scripts, superscripts and fractions.
static int to_plain(uint32_t code)
{
    if (code < 0x80)
        return code < ' ' ? ' ' : (int)code;
    if (code >= 0xFF01 && code <= 0xFF5E)
        return (int)(code - 0xFEE0);
    for (size_t i = 0; i < sizeof plain_codes / sizeof plain_codes[0]; i++) {
        if (plain_codes[i].code == code)
            return plain_codes[i].plain;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return -1;
    case UTF8PROC_CATEGORY_SC:
        return CURRENCY;
    case UTF8PROC_CATEGORY_PD:
        return DASH;
    case UTF8PROC_CATEGORY_SM: // at least, about, square root
        return BOUND;
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_MN:
        return 0;
    case UTF8PROC_CATEGORY_ZS:
        return ' ';
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
        return LETTER;
    case UTF8PROC_CATEGORY_LO: // scripts that put no spaces between words
        return ' ';
    default:
        return OTHER;
    }
}

// The beginnings of words for a thousand, a million and so on, in scripts whose
// characters become LETTERs.
static const char *const wide_scales[] = {
    "\xD1\x82\xD1\x8B\xD1\x81",         // Russian: thousand, million, billion
    "\xD0\xBC\xD0\xBB\xD0\xBD",         //
    "\xD0\xBC\xD0\xBB\xD1\x80\xD0\xB4", //
    "\xD0\xBC\xD0\xB8\xD0\xBB\xD0\xBB", //
    "\xCF\x87\xCE\xB9\xCE\xBB",         // Greek: thousand, million
    "\xCE\xB5\xCE\xBA\xCE\xB1\xCF\x84", //
    "\xD8\xA3\xD9\x84\xD9\x81",         // Arabic: thousand, million
    "\xD9\x85\xD9\x84\xD9\x8A\xD9\x88", //
    "\xE0\xA4\xB9\xE0\xA4\x9C",         // Hindi: thousand, lakh, crore
    "\xE0\xA4\xB2\xE0\xA4\xBE\xE0\xA4\x96",
    "\xE0\xA4\x95\xE0\xA4\xB0\xE0\xA5\x8B",
};

static bool is_wide_scale(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof wide_scales / sizeof wide_scales[0]; i++) {
        size_t n = strlen(wide_scales[i]);
        if (len >= n && memcmp(text, wide_scales[i], n) == 0)
            return true;
    }
    return false;
}

static bool make_plain(const char *text, size_t len,
                       char plain[NUMBER_MAX_TEXT + 1])
{
    size_t n = 0;

    text = text_trim_wide(text, len, &len);
    if (len == 0 || len > NUMBER_MAX_TEXT)
        return false;
    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t bytes = utf8_next(text + at, len - at, &code);
        int one = bytes == 0 || code == 0 ? -1 : to_plain(code);

        if (one < 0 || (bytes > 1 && is_wide_scale(text + at, len - at)))
            return false;
        if (one > 0)
            plain[n++] = (char)one;
        at += bytes;
    }
    plain[n] = '\0';
    return n > 0;
}

// ---- the digits

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_dash_or(char c, const char *marks)
{
    return c == DASH || (c != '\0' && strchr(marks, c) != NULL);
}

static bool add_digits(struct found *found, const char **at)
{
    for (; is_digit(**at); (*at)++) {
        if (found->n + 8 >= sizeof found->digits)
            return false;
        found->digits[found->n++] = **at;
    }
    found->digits[found->n] = '\0';
    return true;
}

// Returns true for exactly three digits after a comma, a thin space or, as in
// Switzerland, an apostrophe.
static bool is_group(const char *at)
{
    return (at[0] == ',' || at[0] == GROUP || at[0] == '\'') &&
           is_digit(at[1]) && is_digit(at[2]) && is_digit(at[3]) &&
           !is_digit(at[4]);
}

// Reads 1,000,000: one to three digits, then groups of three, all with the same
// separator.
static bool add_groups(struct found *found, const char **at)
{
    char part = **at;

    if (!is_group(*at))
        return true;
    if (found->n == 0 || found->n > 3 || found->digits[0] == '0')
        return false;
    while (**at == part && is_group(*at)) {
        (*at)++;
        if (!add_digits(found, at))
            return false;
    }
    return true;
}

static bool add_exponent(struct found *found, const char **at)
{
    const char *digits = *at + 1;

    if (**at != 'e' && **at != 'E')
        return true;
    bool negative = *digits == '-';
    digits += negative || *digits == '+';
    if (!is_digit(*digits))
        return true;
    found->digits[found->n++] = 'e';
    found->digits[found->n++] = negative ? '-' : '+';
    *at = digits;
    return add_digits(found, at);
}

// Returns true after the 0 of 0xFF.
static bool is_hex(const struct found *found, const char *at)
{
    return strcmp(found->digits, "0") == 0 && (*at | 0x20) == 'x' &&
           (is_digit(at[1]) || (is_letter(at[1]) && (at[1] | 0x20) <= 'f'));
}

// Reads the digits at *at and moves past them. Returns false if they are not a
// number, or could also be read as another one.
static bool read_digits(struct found *found, const char **at)
{
    if (!add_digits(found, at) || is_hex(found, *at) || !add_groups(found, at))
        return false;
    if (**at == '.' && is_digit((*at)[1])) {
        found->digits[found->n++] = '.';
        (*at)++;
        if (!add_digits(found, at))
            return false;
    }
    if (!add_exponent(found, at))
        return false;
    char next = **at;
    bool more = (next == ',' || next == '.' || next == '\'' || next == GROUP) &&
                is_digit((*at)[1]);
    return !more && !is_digit(next) && next != '_';
}

// ---- what follows the number

struct number_word {
    char text[WORD_BYTES]; // in lower case, truncated
    size_t len;
};

static struct number_word word_at(const char *at)
{
    struct number_word word = {.len = 0};

    for (; is_letter(at[word.len]); word.len++) {
        if (word.len + 1 < sizeof word.text)
            word.text[word.len] = (char)(at[word.len] | 0x20);
    }
    return word;
}

static bool is_among(const struct number_word *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word->text, *words) == 0)
            return true;
    }
    return false;
}

// Letters with accents appear here as `a`, as in to_plain.
static const char *const scales[] = {
    "k",         "m",          "b",          "t",           "mm",
    "mn",        "mio",        "mln",        "bn",          "bln",
    "mrd",       "tn",         "hundred",    "hundreds",    "thousand",
    "thousands", "million",    "millions",   "billion",     "billions",
    "trillion",  "trillions",  "dozen",      "dozens",      "lakh",
    "lakhs",     "crore",      "crores",     "tausend",     "millionen",
    "milliarde", "milliarden", "mille",      "mil",         "permille",
    "bps",       "score",      "squared",    "cubed",       "halves",
    "tsd",       "mila",       "milliers",   "millones",    "millon",
    "millan",    "milhao",     "milhaes",    "milioni",     "milione",
    "miljoen",   "miljoner",   "miljard",    "milliard",    "duizend",
    "tusen",     "cr",         "bc",         "bce",         "grand",
    "permil",    "promille",   "promil",     "ppm",         "ppb",
    "cent",      "cents",      "ct",         "pence",       "p",
    "pm",        "dr",         "am",         "tenth",       "tenths",
    "hundredth", "hundredths", "thousandth", "thousandths", "basis",
    "pi",        "mld",        NULL,
};

static const char *const percents[] = {"percent",  "pct",      "percentage",
                                       "prozent",  "procent",  "prosent",
                                       "percento", "pourcent", NULL};

// Returns the length of the word that makes a "per" a percent sign ("per
// cent"), or 0.
static size_t cent_bytes(const struct number_word *word, const char *behind)
{
    static const char *const cents[] = {" cento", " ciento", " cent"};

    if (strcmp(word->text, "per") != 0 && strcmp(word->text, "pour") != 0 &&
        strcmp(word->text, "por") != 0)
        return 0;
    for (size_t i = 0; i < sizeof cents / sizeof cents[0]; i++) {
        if (strncmp(behind, cents[i], strlen(cents[i])) == 0)
            return strlen(cents[i]);
    }
    return 0;
}

// A minus after the number, as bookkeepers write it.
static bool is_last_dash(const char *at)
{
    return (*at == '-' || *at == DASH) && at[1] == '\0';
}

// The 1990s are not a year.
static bool is_decade(const char *at)
{
    at += *at == '\'';
    return *at == 's' && !is_letter(at[1]);
}

// Moves *at past a percent sign, a currency or the full stop of a sentence.
// Returns false if another scale follows, or one that is not known.
static bool read_end(struct found *found, const char **at)
{
    const char *next = *at;

    if (is_dash_or(*next, "-+/^?\\_<>=~") &&
        !(next[0] == '\\' && !is_letter(next[1])))
        return false;
    if ((*next == '.' && is_letter(next[1])) || is_decade(next))
        return false;
    while (*next == ' ' || *next == GROUP)
        next++;
    next += next[0] == '\\' && next[1] == '%'; // as in LaTeX
    struct number_word word = word_at(next);
    size_t cent = cent_bytes(&word, next + word.len);
    if (*next == SCALE || *next == '<' || *next == '>' || *next == '+' ||
        is_last_dash(next) || is_among(&word, scales))
        return false;
    if (*next == '%' || is_among(&word, percents)) {
        found->percent = true;
        *at = next + (word.len > 0 ? word.len : 1);
    } else if (cent > 0) {
        found->percent = true;
        *at = next + word.len + cent;
    } else if (strcmp(word.text, "per") == 0 &&
               strncmp(next + word.len, " mil", 4) == 0) {
        return false;
    } else if (*next == CURRENCY) {
        *at = next + 1;
    }
    return true;
}

// ---- what precedes the number

static const char *skip_blanks_back(const char *text, const char *at)
{
    while (at > text && (at[-1] == ' ' || at[-1] == GROUP))
        at--;
    return at;
}

static bool is_sign(char c)
{
    return c == '-' || c == '+';
}

// Reads a sign, unless it could belong to something before it: x-5 and 3-5 have
// none. A sign followed by a space counts only at the start of the text.
static bool read_sign(struct found *found, const char *text, const char **at)
{
    const char *sign = skip_blanks_back(text, *at);
    bool apart = sign != *at;

    if (sign == text || !is_sign(sign[-1]))
        return true;
    sign--;
    if (apart && sign != text)
        return false;
    if (sign > text && sign[-1] == CURRENCY)
        *at = sign - 1;
    else
        *at = sign;
    if (*at > text && strchr(" :=(\"'`*[|>#{", (*at)[-1]) == NULL)
        return false;
    found->negative = *sign == '-';
    return true;
}

static const char *const minuses[] = {"minus", "negative", NULL};

// After these words a minus is a sign: nothing can be subtracted from "is" or
// "of".
static const char *const openers[] = {"is",     "be",     "was", "are", "of",
                                      "about",  "equals", "at",  "to",  "a",
                                      "answer", "the",    NULL};

static bool begins_value(const char *text, const char *at)
{
    const char *end = skip_blanks_back(text, at);
    const char *start = end;

    while (start > text && is_letter(start[-1]))
        start--;
    struct number_word word = word_at(start);
    return end == text || (start == end && !is_digit(end[-1])) ||
           is_among(&word, openers);
}

// Reads a word directly before the number that makes it negative.
static void read_minus(struct found *found, const char *text, const char **at)
{
    const char *end = skip_blanks_back(text, *at);
    const char *start = end;

    while (start > text && is_letter(start[-1]))
        start--;
    struct number_word word = word_at(start);
    if (end == *at || !is_among(&word, minuses) || !begins_value(text, start))
        return;
    found->negative = true;
    *at = start;
}

static bool read_start(struct found *found, const char *text, const char *at)
{
    const char *digits = at;
    const char *before = skip_blanks_back(text, at);

    if (before > text && before[-1] == CURRENCY)
        at = before - 1;
    if (at > text && at == digits &&
        (is_letter(at[-1]) || is_dash_or(at[-1], "_^/.\\<>")))
        return false;
    before = skip_blanks_back(text, at);
    if (before > text && is_dash_or(before[-1], "<>%"))
        return false;
    if (before > text + 1 && before[-1] == '=' &&
        strchr("<>!", before[-2]) != NULL)
        return false;
    const char *signless = at;
    if (!read_sign(found, text, &at))
        return false;
    if (at == signless)
        read_minus(found, text, &at);
    found->start = (size_t)(at - text);
    return true;
}

// Accountants write a loss in parentheses.
static bool is_bracketed(const char *text, const struct found *found)
{
    return !found->negative && found->start > 0 &&
           text[found->start - 1] == '(' && text[found->end] == ')';
}

// ~~5~~ is struck out, and the box in [ ] 5 is not ticked.
static bool is_struck(const char *text)
{
    return strstr(text, "~~") != NULL || strstr(text, "[ ]") != NULL;
}

// |-5| is 5.
static bool is_magnitude(const char *text, const struct found *found)
{
    return found->negative && found->start > 0 &&
           text[found->start - 1] == '|' && text[found->end] == '|';
}

// '90 is short for a longer number.
static bool is_shortened(const char *text, const struct found *found)
{
    return found->start > 0 && text[found->start - 1] == '\'' &&
           text[found->end] != '\'';
}

// ---- the words around it

// A number next to one of these is a limit, one of several numbers, part of a
// sum, negative, or, as in "5 (in millions)", counted in something else. Words
// that deny it are in denial.c.
static const char *const doubts[] = {
    "less",      "fewer",      "more",      "over",      "under",
    "above",     "below",      "beyond",    "least",     "most",
    "between",   "or",         "than",      "versus",    "minus",
    "negative",  "times",      "up",        "max",       "min",
    "maximum",   "minimum",    "plus",      "half",      "twice",
    "double",    "triple",     "sqrt",      "root",      "log",
    "ln",        "sin",        "cos",       "tan",       "either",
    "third",     "thirds",     "quarter",   "quarters",  "loss",
    "deficit",   "debit",      "debt",      "down",      "fell",
    "drop",      "dropped",    "decrease",  "decreased", "decline",
    "declined",  "exceeds",    "exceed",    "exceeding", "exceeded",
    "upwards",   "upward",     "excess",    "shy",       "short",
    "tops",      "counting",   "north",     "too",       "almost",
    "nearly",    "lost",       "losses",    "lower",     "overdrawn",
    "shortfall", "owe",        "owes",      "owed",      "thousand",
    "thousands", "million",    "millions",  "billion",   "billions",
    "trillion",  "trillions",  "lakhs",     "crores",    "tausend",
    "millionen", "milliarden", "milliards", "millones",  "milioni",
    NULL,
};

// A number next to one of these is part of a date.
static const char *const months[] = {
    "january", "february",  "march",   "april",    "june",     "july",
    "august",  "september", "october", "november", "december", "jan",
    "feb",     "mar",       "apr",     "jun",      "jul",      "aug",
    "sep",     "sept",      "oct",     "nov",      "dec",      NULL,
};

static bool has_doubt(const char *text, size_t from, size_t to)
{
    while (from < to) {
        struct number_word word = word_at(text + from);
        if (word.len > 0 &&
            (is_among(&word, doubts) || is_among(&word, months)))
            return true;
        from += word.len > 0 ? word.len : 1;
    }
    return false;
}

static bool begins_number(const char *text, size_t i)
{
    return is_digit(text[i]) || (text[i] == '.' && is_digit(text[i + 1]));
}

static bool find(const char *text, struct found *found)
{
    size_t len = strlen(text);
    bool any = false;

    for (size_t i = 0; i < len; i++) {
        const char *at = text + i;

        if (!begins_number(text, i))
            continue;
        if (any || !read_start(found, text, at) || !read_digits(found, &at) ||
            !read_end(found, &at))
            return false;
        any = true;
        found->end = (size_t)(at - text);
        i = found->end > i ? found->end - 1 : i;
    }
    return any && !is_bracketed(text, found) && !is_shortened(text, found) &&
           !is_magnitude(text, found) && !is_struck(text);
}

static bool to_value(const struct found *found, double *out)
{
    double value = strtod(found->digits, NULL);

    *out = found->negative ? -value : value;
    return isfinite(value);
}

// Returns a hundredth of the number, rounded once: 99.9 / 100 is not 0.999.
static double to_share(struct found *found)
{
    double value = 0;

    if (strchr(found->digits, 'e') != NULL) {
        (void)to_value(found, &value);
        return value / 100;
    }
    memcpy(found->digits + found->n, "e-2", sizeof "e-2");
    (void)to_value(found, &value);
    return value;
}

// 5.000 kg is five thousand kilograms to half of the world.
static bool is_dotted_group(const struct found *found)
{
    return found->n >= 5 && found->n <= 7 && found->digits[0] != '0' &&
           strcmp(found->digits + found->n - 4, ".000") == 0;
}

bool number_find(const char *text, size_t len, struct number *out)
{
    char plain[NUMBER_MAX_TEXT + 1];
    struct found found = {.n = 0};

    if (!make_plain(text, len, plain) || !find(plain, &found) ||
        is_dotted_group(&found) || denial_in(text, len) ||
        has_doubt(plain, 0, found.start) ||
        has_doubt(plain, found.end, strlen(plain)))
        return false;
    out->percent = found.percent;
    if (!to_value(&found, &out->value))
        return false;
    out->share = to_share(&found);
    return true;
}

bool number_read(const char *text, size_t len, double *out)
{
    char plain[NUMBER_MAX_TEXT + 1];
    struct found found = {.n = 0};

    if (!make_plain(text, len, plain) || !find(plain, &found) ||
        found.percent || found.start > 0)
        return false;
    found.end += plain[found.end] == '.';
    return plain[found.end] == '\0' && to_value(&found, out);
}
