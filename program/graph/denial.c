#include "program/graph/denial.h"

#include <string.h>

#include "common/text.h"
#include "common/utf8.h"

enum { WORD_BYTES = 24 };

// In lower case. An apostrophe is part of a word: "isn't" matches any word that
// ends this way.
static const char *const words[] = {
    "no",
    "not",
    "non",
    "nor",
    "neither",
    "never",
    "none",
    "cannot",
    "except",
    "excluding",
    "without",
    "unlike",
    "instead",
    "wrong",
    "wrongly",
    "incorrect",
    "incorrectly",
    "false",
    "mistaken",
    "hardly",
    "opposite",
    "contrary",
    // German, Dutch, Scandinavian
    "nicht",
    "kein",
    "keine",
    "nie",
    "niemals",
    "falsch",
    "niet",
    "geen",
    "fout",
    "ikke",
    "inte",
    // French, Spanish, Italian, Portuguese
    "pas",
    "jamais",
    "faux",
    "nunca",
    "falso",
    "incorrecto",
    "sbagliato",
    "n\xC3\xA3o",
    // Russian
    "\xD0\xBD\xD0\xB5",
    "\xD0\x9D\xD0\xB5",
    "\xD0\xBD\xD0\xB5\xD1\x82",
    "\xD0\xBD\xD0\xB5\xD0\xB2\xD0\xB5\xD1\x80\xD0\xBD\xD0\xBE",
};

// These deny a choice, but not a number: "3 entries were rejected" states a
// count.
static const char *const verdicts[] = {
    "exclude",   "excluded",   "excludes",   "reject",       "rejected",
    "rejects",   "eliminate",  "eliminated", "avoid",        "avoided",
    "unlikely",  "improbable", "least",      "doubtful",     "disqualified",
    "dismissed", "discarded",  "invalid",    "inapplicable", "mistake",
};

// These take back the value in front of them, and deny nothing elsewhere.
static const char *const afterwards[] = {
    "n", "off", "absent", "wait", "scratch", "oops", "ruled",
};

// For scripts that put no spaces between words.
static const char *const pieces[] = {
    "\xE4\xB8\x8D",             // Chinese: not, wrong, deny, without
    "\xE9\x9D\x9E",             //
    "\xE9\x94\x99\xE8\xAF\xAF", //
    "\xE9\x8C\xAF\xE8\xAA\xA4", //
    "\xE5\x90\xA6",             //
    "\xE6\xB2\xA1\xE6\x9C\x89", //
    "\xE3\x81\xAA\xE3\x81\x84", // Japanese: is not, wrong
    "\xE9\x96\x93\xE9\x81\x95", //
    "\xEC\x95\x84\xEB\x8B\x88", // Korean: is not
};

// Words that add no meaning between the words that deny.
static const char *const fillers[] = {
    "the",         "a",      "an",       "at",      "all",        "in",
    "fact",        "be",     "to",       "right",   "correct",    "answer",
    "label",       "option", "choice",   "one",     "likely",     "really",
    "quite",       "very",   "actually", "here",    "so",         "but",
    "or",          "of",     "course",   "i",       "oh",         "sorry",
    "hmm",         "sure",   "entirely", "exactly", "definitely", "clearly",
    "out",         "match",  "apply",    "fit",     "valid",      "applicable",
    "appropriate", "we",     "can",      "would",   "should",     "meant",
    "case",        "fully",  "true",     "and",     "possible",
};

// The fillers that turn a denial into a sentence.
static const char *const verbs[] = {
    "is",   "was", "does",  "do",   "did",     "are",  "that",
    "this", "it",  "which", "wait", "scratch", "oops", "actually",
};

static const uint32_t signs[] = {
    0x00AC, 0x2260, 0x274C, 0x274E,  0x2715,  0x2716, 0x2717,
    0x2718, 0x2610, 0x25A1, 0x2B1C,  0x25CB,  0x25EF, 0x2753,
    0x2754, 0x2757, 0x26D4, 0x1F6AB, 0x1F44E,
};

bool denial_is_sign(uint32_t code)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (signs[i] == code)
            return true;
    }
    return false;
}

// ---- words

enum kind { KIND_END, KIND_GAP, KIND_SIGN, KIND_NUMBER, KIND_WORD };

// The next piece of a text.
struct piece {
    enum kind kind;
    char text[WORD_BYTES]; // of a word: in lower case, truncated
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           ((unsigned char)c & 0x80) != 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Returns the length in bytes of an apostrophe, straight or typographic, or 0.
static size_t apostrophe(const char *text, size_t len)
{
    if (len > 0 && text[0] == '\'')
        return 1;
    return len > 2 && memcmp(text, "\xE2\x80\x99", 3) == 0 ? 3 : 0;
}

// Returns the length of a multibyte mark that is not a letter and therefore
// separates words, or 0.
static size_t mark_bytes(const char *text, size_t len, uint32_t *code)
{
    size_t bytes = utf8_next(text, len, code);

    return bytes > 1 &&
                   (denial_is_sign(*code) || text_is_space(*code) ||
                    (*code >= 0x2000 && *code <= 0x2BFF) ||
                    (*code >= 0x3000 && *code <= 0x303F) ||
                    (*code >= 0xFF00 && *code <= 0xFF0F) || *code >= 0x1F000)
               ? bytes
               : 0;
}

static size_t take_word(const char *text, size_t len, struct piece *piece)
{
    size_t n = 0;
    size_t at = 0;
    uint32_t code = 0;

    while (at < len) {
        size_t quote = apostrophe(text + at, len - at);

        if (quote > 0 && at + quote < len && is_letter(text[at + quote])) {
            if (n + 1 < WORD_BYTES)
                piece->text[n++] = '\'';
            at += quote;
            continue;
        }
        if (!is_letter(text[at]) || mark_bytes(text + at, len - at, &code) > 0)
            break;
        char c = text[at++];
        if (n + 1 < WORD_BYTES)
            piece->text[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    piece->text[n] = '\0';
    return at;
}

// Takes a number. One that is zero (0, 0.00, 0 %) denies; any other does not.
static size_t take_number(const char *text, size_t len, struct piece *piece)
{
    size_t at = 0;
    bool zero = true;

    while (at < len &&
           (is_digit(text[at]) || text[at] == '.' || text[at] == '%')) {
        zero = zero && (text[at] < '1' || text[at] > '9');
        at++;
    }
    piece->kind = zero ? KIND_SIGN : KIND_NUMBER;
    return at;
}

static size_t take_piece(const char *text, size_t len, struct piece *piece)
{
    uint32_t code = 0;
    size_t mark = mark_bytes(text, len, &code);

    *piece = (struct piece){.kind = KIND_GAP};
    if (mark > 0) {
        piece->kind = denial_is_sign(code) ? KIND_SIGN : KIND_GAP;
        return mark;
    }
    if (is_digit(text[0]))
        return take_number(text, len, piece);
    if (!is_letter(text[0]))
        return 1;
    piece->kind = KIND_WORD;
    return take_word(text, len, piece);
}

static bool is_among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}
#define IS_AMONG(word, list) is_among(word, list, sizeof list / sizeof list[0])

static bool denies(const struct piece *piece)
{
    size_t len = strlen(piece->text);

    if (piece->kind == KIND_SIGN)
        return true;
    if (piece->kind != KIND_WORD)
        return false;
    if (len > 3 && strcmp(piece->text + len - 3, "n't") == 0)
        return true;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        if (strstr(piece->text, pieces[i]) != NULL)
            return true;
    }
    return IS_AMONG(piece->text, words);
}

static bool rejects(const struct piece *piece)
{
    return denies(piece) || IS_AMONG(piece->text, verdicts);
}

// ---- texts

typedef bool piece_fn(const struct piece *piece);

// As in "anything but" and "all but".
static const char *const others[] = {"anything", "everything", "all"};

static bool has_piece(const char *text, size_t len, piece_fn *is_wanted)
{
    struct piece piece;
    bool other = false;

    for (size_t at = 0; at < len;) {
        bool number = is_digit(text[at]);
        at += take_piece(text + at, len - at, &piece);
        if (!number && is_wanted(&piece))
            return true;
        if (other && strcmp(piece.text, "but") == 0)
            return true;
        if (piece.kind != KIND_GAP)
            other = IS_AMONG(piece.text, others);
    }
    return false;
}

bool denial_in(const char *text, size_t len)
{
    return has_piece(text, len, denies);
}

bool denial_of_choice(const char *text, size_t len)
{
    return has_piece(text, len, rejects);
}

// Returns true for a character that ends a clause.
static bool is_stop(char c)
{
    return c == '.' || c == ',' || c == ';' || c == ':' || c == '!' ||
           c == '\n' || c == ')';
}

enum denial denial_after(const char *text, size_t len)
{
    enum denial found = DENIAL_NONE;
    bool sentence = false;

    for (size_t at = 0; at < len;) {
        struct piece piece;
        if (found != DENIAL_NONE && is_stop(text[at]))
            break;
        at += take_piece(text + at, len - at, &piece);
        sentence = sentence || IS_AMONG(piece.text, verbs);
        if (rejects(&piece) || IS_AMONG(piece.text, afterwards))
            found = DENIAL_WORDS;
        else if (piece.kind == KIND_NUMBER ||
                 (piece.kind == KIND_WORD && !IS_AMONG(piece.text, fillers) &&
                  !IS_AMONG(piece.text, verbs)))
            return DENIAL_NONE;
    }
    return found != DENIAL_NONE && sentence ? DENIAL_SENTENCE : found;
}
