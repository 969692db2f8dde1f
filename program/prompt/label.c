#include "program/prompt/label.h"

#include <stdbool.h>
#include <string.h>

#include <utf8proc.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/text.h"
#include "common/utf8.h"
#include "program/graph/denial.h"
#include "program/prompt/dress.h"

enum {
    TEXT_MAX = 4000, // longest text searched for a label
    LINES_MAX = 20,  // searched for a second label
    KEYS_MAX = 16 << 20,
    SPLITS_MAX = 4,
    LABELS_MAX = 1000,
};

// The labels in the form in which they are compared, made once per text.
struct keys {
    const struct label_set *set;
    struct buf text;         // the keys, one after another
    size_t ends[LABELS_MAX]; // of each key in text
    struct buf own;          // the key of the text being compared
};

// ---- keys

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Returns true for hyphens, dashes and minus signs of all kinds.
static bool is_dash(uint32_t code)
{
    return (code >= 0x2010 && code <= 0x2015) || code == 0x2212 ||
           code == 0xFE58 || code == 0xFE63;
}

// Returns true for invisible marks, such as those for the direction of writing.
static bool is_hidden(uint32_t code)
{
    return code >= 0x80 &&
           utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_CF;
}

// Replaces full-width forms by plain ones, and all dashes by `-`.
static void put_narrow(struct buf *out, struct span text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        size_t bytes = utf8_next(text.at + at, text.len - at, &code);

        if (code >= 0xFF01 && code <= 0xFF5E)
            buf_putc(out, (char)(code - 0xFEE0));
        else if (text_is_space(code))
            buf_putc(out, ' ');
        else if (is_dash(code))
            buf_putc(out, '-');
        else if (!is_hidden(code))
            buf_append(out, text.at + at, bytes > 0 ? bytes : 1);
        at += bytes > 0 ? bytes : 1;
    }
}

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (((unsigned char)text.at[i] & 0x80) != 0)
            return false;
    }
    return true;
}

static void put_folded(struct buf *out, struct span text)
{
    struct buf narrow = BUF_INIT(TEXT_MAX * 2);

    if (!is_plain(text)) {
        put_narrow(&narrow, text);
        out->no_memory = out->no_memory || narrow.no_memory;
        text = (struct span){narrow.len > 0 ? narrow.data : "", narrow.len};
    }
    fold_put(out, text.at, text.len);
    buf_release(&narrow);
}

// Folds case and replaces each run of spaces, dashes and underscores by one
// `_`. The minus of a number is not a dash.
static void put_key(struct buf *out, struct span text)
{
    struct buf folded = BUF_INIT(TEXT_MAX * 4);
    size_t start = out->len;

    put_folded(&folded, text);
    for (size_t i = 0; i < folded.len; i++) {
        char c = folded.data[i];
        bool minus =
            out->len == start &&
            dress_is_minus((struct span){folded.data + i, folded.len - i});

        if (minus || strchr(" \t-_", c) == NULL)
            buf_putc(out, c);
        else if (out->len > start && out->data[out->len - 1] != '_')
            buf_putc(out, '_');
    }
    out->failed = out->failed || folded.failed;
    out->no_memory = out->no_memory || folded.no_memory;
    buf_release(&folded);
}

// Appends a label's key, without the dressing that is removed from texts as
// well, unless nothing would be left.
static void put_label(struct buf *out, const char *label)
{
    struct span bare = {label, strlen(label)};
    struct span inner = bare;

    do {
        inner = span_trim(inner);
        bare = inner.len > 0 ? inner : bare;
    } while (inner.len > 0 && dress_take_off(&inner));
    put_key(out, bare);
}

static struct span key_of(const struct keys *keys, size_t i)
{
    size_t start = i == 0 ? 0 : keys->ends[i - 1];

    return (struct span){keys->text.data + start, keys->ends[i] - start};
}

static bool same_group(const struct label_set *set, int a, int b)
{
    return a == b || (a >= 0 && b >= 0 && set->groups != NULL &&
                      set->groups[a] == set->groups[b]);
}

// Combines two findings: if they differ, the result is LABEL_MANY.
static int joined(const struct label_set *set, int a, int b)
{
    if (a == LABEL_NONE || same_group(set, a, b))
        return b == LABEL_NONE ? a : a == LABEL_NONE ? b : a;
    return b == LABEL_NONE ? a : LABEL_MANY;
}

// Returns the label that equals text exactly, or else ignoring case and gaps.
static int match(struct keys *keys, struct span text)
{
    int found = LABEL_NONE;

    for (size_t i = 0; i < keys->set->n; i++) {
        if (span_is(text, keys->set->texts[i]))
            return (int)i;
    }
    buf_clear(&keys->own);
    put_key(&keys->own, text);
    struct span own = {keys->own.data, keys->own.len};
    for (size_t i = 0; i < keys->set->n; i++) {
        if (own.len > 0 && span_equal(own, key_of(keys, i)))
            found = joined(keys->set, found, (int)i);
    }
    return found;
}

// ---- the text as a whole

// Finds a label that was removed as dressing, such as the first of "> <" or of
// "1. 2".
static int match_dress(const struct label_set *set, struct span outer,
                       struct span inner)
{
    struct span head = span_trim(span_to(outer, (size_t)(inner.at - outer.at)));
    struct span tail =
        span_trim(span_from(outer, (size_t)(inner.at + inner.len - outer.at)));
    int found = LABEL_NONE;

    if (head.len > 1 && is_digit(head.at[0]))
        head.len--;
    for (size_t i = 0; i < set->n; i++) {
        if (span_is(head, set->texts[i]) || span_is(tail, set->texts[i]))
            found = joined(set, found, (int)i);
    }
    return found;
}

// Drops the dash of "- 1", if no label is a negative number.
static bool drop_bullet(const struct label_set *set, struct span *text)
{
    if (!dress_is_minus(*text) || span_char(*text, 1) != ' ')
        return false;
    for (size_t i = 0; i < set->n; i++) {
        if (set->texts[i][0] == '-')
            return false;
    }
    *text = span_from(*text, 2);
    return true;
}

// Finds the label under as few layers as possible, because a label may itself
// end in `!`.
static int match_dressed(struct keys *keys, struct span text)
{
    int layers = LABEL_NONE;
    struct span outer;

    do {
        text = span_trim(text);
        int found = match(keys, text);
        if (found != LABEL_NONE)
            return joined(keys->set, found, layers);
        outer = text;
        if (text.len == 0 ||
            (!dress_take_off(&text) && !drop_bullet(keys->set, &text)))
            return LABEL_NONE;
        layers = joined(keys->set, layers, match_dress(keys->set, outer, text));
    } while (layers != LABEL_MANY);
    return LABEL_NONE;
}

// ---- labels among other words

static bool is_word_byte(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

// Returns true for a letter of a script with spaces between words: no word ends
// next to one. Other scripts write words without spaces.
static bool is_cased(uint32_t code)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);

    return category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LU;
}

static bool ends_in_letter(struct span text)
{
    uint32_t code = 0;
    size_t start = text.len == 0 ? 0 : utf8_cut(text.at, text.len - 1);

    (void)utf8_next(text.at + start, text.len - start, &code);
    return code < 0x80 ? text.len > 0 && is_word_byte(text.at[text.len - 1])
                       : is_cased(code);
}

static bool begins_with_letter(struct span text)
{
    uint32_t code = 0;

    (void)utf8_next(text.at, text.len, &code);
    return code < 0x80 ? text.len > 0 && is_word_byte(text.at[0])
                       : is_cased(code);
}

// Returns true if the word at i is not part of a longer one. In keys, a `_` is
// a gap.
static bool is_apart(struct span text, size_t i, struct span word, bool folded)
{
    struct span before = span_to(text, i);
    struct span after = span_from(text, i + word.len);
    bool gap_before = folded && span_ends(before, "_");
    bool gap_after = folded && span_starts(after, "_");

    return (gap_before || !begins_with_letter(word) ||
            !ends_in_letter(before)) &&
           (gap_after || !ends_in_letter(word) || !begins_with_letter(after));
}

// Finds where word occurs in text, at or after from; text.len if nowhere.
static size_t find_word(struct span text, size_t from, struct span word,
                        bool folded)
{
    for (size_t i = from; i + word.len <= text.len; i++) {
        if (memcmp(text.at + i, word.at, word.len) == 0 &&
            is_apart(text, i, word, folded))
            return i;
    }
    return text.len;
}

// Returns true if word occurs in text other than as part of the longer label
// that was found: the `refund` in refund_request does not count.
static bool has_word(struct span text, struct span word, struct span found,
                     bool folded)
{
    size_t at = find_word(text, 0, word, folded);
    size_t inside = find_word(found, 0, word, folded);

    for (; at < text.len; at = find_word(text, at + 1, word, folded)) {
        if (found.len <= word.len || inside == found.len || at < inside ||
            at - inside + found.len > text.len ||
            memcmp(text.at + at - inside, found.at, found.len) != 0)
            return true;
    }
    return false;
}

// Returns true if text names a label with a different meaning than `found`.
// Short labels are searched for as written: an `a` is not an A.
static bool names_another(struct keys *keys, struct span text, int found)
{
    const struct label_set *set = keys->set;
    size_t n = set->n_contradicting < set->n ? set->n_contradicting : set->n;
    struct span mine = {set->texts[found], strlen(set->texts[found])};

    buf_clear(&keys->own);
    put_key(&keys->own, text);
    struct span own = {keys->own.data, keys->own.len};
    for (size_t i = 0; i < n; i++) {
        struct span label = {set->texts[i], strlen(set->texts[i])};
        bool is_short = label.len <= 2;
        struct span word = is_short ? label : key_of(keys, i);

        if (!same_group(set, found, (int)i) && word.len > 0 &&
            has_word(is_short ? text : own, word,
                     is_short ? mine : key_of(keys, (size_t)found), !is_short))
            return true;
    }
    return false;
}

// What may follow a label: "B. Paris", "B) Paris", "(B) Paris", "B, because
// ...".
static const char *const parts[] = {
    ". ",           ") ",
    ", ",           "] ",
    " - ",          " (",
    ": ",           "\xEF\xBC\x8C",
    "; ",           "\xE3\x80\x82",
    "! ",           " \xE2\x80\x93 ",
    "** ",          " \xE2\x80\x94 ",
    "\xE3\x80\x81",
};
enum {
    PARTS = sizeof parts / sizeof parts[0],
    CONTINUED_BYTES = 64, // of the next word of a longer label
};

// Finds where the first of `parts` begins, at or after from; *len is its
// length.
static size_t find_part(struct span line, size_t from, size_t *len)
{
    size_t first = line.len;

    for (size_t i = 0; i < PARTS; i++) {
        size_t at = span_find(line, from, parts[i]);
        if (at < first) {
            first = at;
            *len = strlen(parts[i]);
        }
    }
    return first;
}

// Returns true if the text after a label takes it back. After a label that just
// says no, another denial says the same: "No, it is not."
static bool takes_back(const struct keys *keys, int found, char part,
                       struct span tail)
{
    const char *label = keys->set->texts[found];
    enum denial denial = denial_after(tail.at, tail.len);
    bool numbered = part == '.' || part == ')' || part == ']';

    return (denial == DENIAL_SENTENCE ||
            (denial == DENIAL_WORDS && !numbered)) &&
           (strchr(label, ' ') != NULL ||
            denial_after(label, strlen(label)) == DENIAL_NONE);
}

// Returns true if `longer` is the label and more, and the next word of that
// begins the tail: after "card", "(lost)" may belong to card_lost.
static bool may_continue(const char *label, const char *longer,
                         struct span tail)
{
    static const char gaps[] = " _-";
    struct span more = {longer, strlen(longer)};
    char word[CONTINUED_BYTES];

    if (!span_starts(more, label))
        return false;
    more = span_from(more, strlen(label));
    size_t gap = span_run(more, gaps);
    size_t len = strcspn(more.at + gap, gaps);
    char next = span_char(tail, len);
    if (gap == 0 || len == 0 || len >= sizeof word || span_letter(next))
        return false;
    memcpy(word, more.at + gap, len);
    word[len] = '\0';
    return span_starts(tail, word);
}

static bool continues(const struct keys *keys, int found, struct span tail)
{
    const struct label_set *set = keys->set;

    tail = span_from(tail, span_run(tail, " (*_`\"'"));
    for (size_t i = 0; i < set->n; i++) {
        if (may_continue(set->texts[found], set->texts[i], tail))
            return true;
    }
    return false;
}

// What follows a label casts doubt on it if it names another label, may be the
// rest of one, asks, or takes the label back: "B (?)", "B: no". "B. No" may be
// option B, which says no.
static bool leaves_doubt(struct keys *keys, int found, char part,
                         struct span tail)
{
    return names_another(keys, tail, found) || continues(keys, found, tail) ||
           span_char(span_trim(tail), 0) == '?' ||
           takes_back(keys, found, part, tail);
}

// Returns the byte of a part that is not a blank.
static char part_sign(struct span part)
{
    return span_char(part, 0) == ' ' ? span_char(part, 1) : span_char(part, 0);
}

static int match_option(struct keys *keys, struct span line)
{
    size_t len = 0;
    size_t at = find_part(line, 0, &len);

    for (int i = 0; i < SPLITS_MAX && at < line.len; i++) {
        bool closes = line.at[at] == ')' || line.at[at] == ']';
        int found = match_dressed(keys, span_to(line, closes ? at + 1 : at));

        if (found >= 0)
            return leaves_doubt(keys, found, part_sign(span_from(line, at)),
                                span_from(line, at + len))
                       ? LABEL_MANY
                       : found;
        at = find_part(line, at + len, &len);
    }
    return LABEL_NONE;
}

// Words that lead up to an answer and say nothing about it.
static const char *const leads[] = {
    "the",
    "my",
    "final",
    "correct",
    "right",
    "best",
    "answer",
    "choice",
    "option",
    "label",
    "category",
    "class",
    "classification",
    "intent",
    "is",
    "would",
    "be",
    "it",
    "it's",
    "this",
    "that",
    "so",
    "thus",
    "hence",
    "i",
    "we",
    "choose",
    "pick",
    "select",
    "therefore",
    "result",
    "verdict",
    "output",
    "to",
    "think",
    "believe",
    "say",
    "sure",
    "okay",
    "ok",
    "certainly",
};

static bool is_lead(struct span word)
{
    while (word.len > 0 && strchr("*_`,:!", word.at[word.len - 1]) != NULL)
        word.len--;
    while (word.len > 0 && strchr("*_`", word.at[0]) != NULL)
        word = span_from(word, 1);
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        if (span_same(word, leads[i]))
            return true;
    }
    return false;
}

// Matches "The answer is B.". If another label comes after any of the leading
// words, there is doubt.
static int match_led(struct keys *keys, struct span line)
{
    int found = LABEL_NONE;

    for (;;) {
        line = span_trim(line);
        size_t space = span_find(line, 0, " ");
        if (space == line.len || !is_lead(span_to(line, space)))
            return found;
        line = span_trim(span_from(line, space));
        int one = match_dressed(keys, line);
        if (one == LABEL_NONE)
            one = match_option(keys, line);
        found = joined(keys->set, found, one);
        if (found == LABEL_MANY)
            return found;
    }
}

static int match_phrase(struct keys *keys, struct span line)
{
    int found = match_dressed(keys, line);

    if (found == LABEL_NONE)
        found = match_option(keys, line);
    return found == LABEL_NONE ? match_led(keys, line) : found;
}

// ---- lines

static bool denies_line(struct span line)
{
    return denial_of_choice(line.at, line.len);
}

// Finds the first colon of any script, or equals sign or arrow; line.len if
// there is none.
static size_t find_colon(struct span line, size_t *len)
{
    static const char *const colons[] = {":", "\xEF\xBC\x9A", "=", "->",
                                         "\xE2\x86\x92"};
    size_t first = line.len;

    for (size_t i = 0; i < sizeof colons / sizeof colons[0]; i++) {
        size_t at = span_find(line, 0, colons[i]);
        bool compares = at > 0 && at < line.len && line.at[at] == '=' &&
                        strchr("!<>=", line.at[at - 1]) != NULL;
        if (at < first && !compares) {
            first = at;
            *len = strlen(colons[i]);
        }
    }
    return first;
}

// Matches a line that gives a label: alone, as "Label: x", or as "x: because
// ...".
static int match_line(struct keys *keys, struct span line)
{
    size_t len = 0;
    size_t colon = find_colon(line, &len);
    int found = match_phrase(keys, line);

    if (found != LABEL_NONE || colon == line.len)
        return found;
    struct span head = span_to(line, colon);
    struct span tail = span_from(line, colon + len);
    int left = match_dressed(keys, head);
    int right = match_phrase(keys, tail);
    if (left == LABEL_NONE && right >= 0 && names_another(keys, head, right))
        return LABEL_MANY;
    if (left == LABEL_NONE)
        return denies_line(head) ? LABEL_NONE : right;
    if (right == LABEL_NONE && left >= 0 && leaves_doubt(keys, left, ':', tail))
        return LABEL_MANY;
    return joined(keys->set, left, right);
}

// Finds a label on the first line, followed by words that are not another
// label. Or finds one on a later line, if no other label is named anywhere and
// no other line denies anything. Only LINES_MAX lines are searched, because
// each is compared with all labels.
static int find_in_lines(struct keys *keys, struct span text)
{
    struct span rest = text;
    int found = match_line(keys, span_line(&rest));
    bool first = found != LABEL_NONE;
    bool denied = !first && denies_line(span_to(text, text.len - rest.len));

    for (int i = 0; i < LINES_MAX && found != LABEL_MANY && rest.len > 0; i++) {
        struct span line = span_line(&rest);
        int one = match_line(keys, line);

        denied = denied || (one == LABEL_NONE && denies_line(line));
        found = joined(keys->set, found, one);
    }
    if (found >= 0 && !first &&
        (rest.len > 0 || denied || names_another(keys, text, found)))
        return LABEL_MANY;
    return found;
}

int label_find(const struct label_set *set, struct span text,
               struct err *problem)
{
    struct keys keys = {
        .set = set, .text = BUF_INIT(KEYS_MAX), .own = BUF_INIT(TEXT_MAX * 4)};
    int found = LABEL_NONE;

    text = span_trim(text);
    if (text.len == 0 || text.len > TEXT_MAX || set->n > LABELS_MAX)
        return LABEL_NONE;
    for (size_t i = 0; i < set->n; i++) {
        put_label(&keys.text, set->texts[i]);
        keys.ends[i] = keys.text.len;
    }
    if (!keys.text.failed && keys.text.len > 0)
        found = find_in_lines(&keys, text);
    if (keys.text.no_memory || keys.own.no_memory)
        err_nomem(problem, "a label");
    buf_release(&keys.text);
    buf_release(&keys.own);
    return found;
}
