#include "program/prompt/reply_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "common/utf8.h"
#include "program/prompt/reply.h"

enum {
    NUMBER_MAX_TEXT = 200, // bytes of text that may hold one number
    SHOWN_MAX = 60,        // bytes of a wrong value that a problem repeats
    JSON_MAX_STARTS = 16,  // places where JSON amid text may begin
    LABEL_MAX_TEXT = 4000, // bytes of text that may hold one label
    LABEL_MAX_LINES = 20,  // looked at for a second label
};

struct span {
    const char *at;
    size_t len;
};

// What travels down into lists and objects.
struct reader {
    const char *name; // of the whole field
    unsigned lenient;
    struct err *problem;
};

typedef json_t *read_text_fn(const struct type *type, struct reader *reader,
                             struct span text);
typedef json_t *read_json_fn(const struct type *type, struct reader *reader,
                             const json_t *value);

static read_text_fn read_text;
static read_json_fn read_json;

// ---- spans

static struct span trimmed(struct span span)
{
    struct span inner = {0};

    inner.at = text_trim(span.at, span.len, &inner.len);
    return inner;
}

static bool span_is(struct span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

static bool span_folds_to(struct span span, const char *word)
{
    char text[16];

    if (span.len >= sizeof text)
        return false;
    memcpy(text, span.at, span.len);
    text[span.len] = '\0';
    return text_same(text, word);
}

static struct span first_line(struct span span)
{
    const char *end = memchr(span.at, '\n', span.len);

    if (end != NULL)
        span.len = (size_t)(end - span.at);
    return trimmed(span);
}

// Takes the first line off *rest.
static struct span take_line(struct span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    struct span line = *rest;

    if (end != NULL)
        line.len = (size_t)(end - rest->at);
    size_t used = line.len + (end != NULL);
    rest->at += used;
    rest->len -= used;
    return trimmed(line);
}

static bool is_wrapping(struct span span)
{
    static const char pairs[][2] = {{'"', '"'}, {'\'', '\''}, {'`', '`'},
                                    {'*', '*'}, {'_', '_'},   {'[', ']'},
                                    {'(', ')'}, {'<', '>'},   {'{', '}'}};

    for (size_t i = 0; span.len >= 2 && i < sizeof pairs / sizeof pairs[0];
         i++) {
        if (span.at[0] == pairs[i][0] && span.at[span.len - 1] == pairs[i][1])
            return true;
    }
    return false;
}

// The word without quotes, emphasis and punctuation around it.
static struct span bare_word(struct span span)
{
    for (;;) {
        span = trimmed(span);
        if (is_wrapping(span)) {
            span.at++;
            span.len -= 2;
        } else if (span.len > 0 &&
                   strchr(".,;:!", span.at[span.len - 1]) != NULL) {
            span.len--;
        } else {
            return span;
        }
    }
}

// ---- problems

// `name` is "text", but must be: one of: a; b. Control characters of the text
// do not reach a terminal.
static json_t *refuse(const struct type *type, struct reader *reader,
                      struct span text)
{
    if (reader->problem->code == ERR_NOMEM)
        return NULL;
    char shown[SHOWN_MAX + 1];
    struct buf wanted = BUF_INIT(1 << 16);
    size_t len = text.len > SHOWN_MAX ? utf8_cut(text.at, SHOWN_MAX) : text.len;

    for (size_t i = 0; i < len; i++)
        shown[i] = (unsigned char)text.at[i] < 0x20 ? ' ' : text.at[i];
    shown[len] = '\0';
    type_describe(type, &wanted);
    err_set(reader->problem, ERR_INPUT, "`%s` is \"%s\", but must be %s",
            reader->name, shown, wanted.len > 0 ? wanted.data : "text");
    buf_release(&wanted);
    return NULL;
}

static json_t *refuse_json(const struct type *type, struct reader *reader,
                           const json_t *value)
{
    char *text = json_text(value);

    if (text == NULL)
        err_nomem(reader->problem, "a value");
    else
        (void)refuse(type, reader, (struct span){text, strlen(text)});
    free(text);
    return NULL;
}

static json_t *checked_new(json_t *value, struct reader *reader)
{
    if (value == NULL)
        err_nomem(reader->problem, "a value");
    return value;
}

// ---- JSON amid text

// The length of the bracketed piece that text begins with, strings skipped;
// 0 when it does not end.
static size_t balanced(struct span text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && --depth == 0)
            return i + 1;
    }
    return 0;
}

// Text that is no JSON is no error; want of memory is.
static json_t *parse_json(const char *text, size_t len, size_t max_bytes,
                          struct err *problem)
{
    struct err why = ERR_CLEAR;
    json_t *value = json_parse(text, len, max_bytes, &why);

    if (value == NULL && why.code == ERR_NOMEM)
        err_set(problem, why.code, "%s", why.text);
    return value;
}

// At most JSON_MAX_STARTS tries, so that hostile text costs linear time.
json_t *reply_find_json(const char *text, size_t len, char open,
                        struct err *problem)
{
    struct span rest = {text, len};
    json_t *value = NULL;

    for (int i = 0; value == NULL && i < JSON_MAX_STARTS; i++) {
        const char *at = memchr(rest.at, open, rest.len);
        if (at == NULL)
            break;
        rest.len -= (size_t)(at - rest.at);
        rest.at = at;
        size_t piece = balanced(rest);
        if (piece > 0)
            value = parse_json(at, piece, REPLY_MAX_JSON, problem);
        rest.at++;
        rest.len--;
    }
    return value;
}

// ---- text

static json_t *text_of_str(const struct type *type, struct reader *reader,
                           struct span text)
{
    (void)type;
    return checked_new(json_stringn(text.at, text.len), reader);
}

// ---- numbers

struct number {
    char digits[64]; // as strtod reads it
    size_t len;
    bool percent;
    bool whole;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char char_at(struct span text, size_t i)
{
    return i < text.len ? text.at[i] : '\0';
}

static bool add_digit(struct number *number, char c)
{
    if (number->len + 1 >= sizeof number->digits)
        return false;
    number->digits[number->len++] = c;
    number->digits[number->len] = '\0';
    return true;
}

// True at a comma that parts thousands: three digits follow and no fourth.
static bool parts_thousands(struct span text, size_t i)
{
    return char_at(text, i) == ',' && is_digit(char_at(text, i + 1)) &&
           is_digit(char_at(text, i + 2)) && is_digit(char_at(text, i + 3)) &&
           !is_digit(char_at(text, i + 4));
}

static bool is_sign(struct span text, size_t i)
{
    return text.at[i] == '-' &&
           (i == 0 || strchr(" \t\n:=(\"'`*", text.at[i - 1]) != NULL);
}

// Reads the number that begins at *i and moves *i behind it.
static bool read_number(struct span text, size_t *i, struct number *out)
{
    bool point = false;
    bool fits = *i == 0 || !is_sign(text, *i - 1) || add_digit(out, '-');

    for (; fits && *i < text.len; (*i)++) {
        char c = text.at[*i];
        bool decimal = c == '.' && !point && is_digit(char_at(text, *i + 1));
        if (parts_thousands(text, *i) && !point)
            continue;
        if (!is_digit(c) && !decimal)
            break;
        point = point || decimal;
        fits = add_digit(out, c);
    }
    out->percent = char_at(text, *i) == '%';
    out->whole = !point;
    return fits;
}

// True when text holds one number, and only one.
static bool find_number(struct span text, struct number *out)
{
    bool found = false;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i]))
            continue;
        if (found || !read_number(text, &i, out))
            return false;
        found = true;
    }
    return found;
}

// A percentage is a share where a field ends at 1, and a plain number where it
// is whole or may be larger; without a limit it may be either.
static bool scale_percent(const struct type *type, double *value)
{
    if (type->kind == TYPE_INT || (type->has_max && type->max > 1))
        return true;
    *value /= 100;
    return type->has_max;
}

// A number as the field wants it; NULL where an int has a fraction.
static json_t *fit_number(const struct type *type, struct reader *reader,
                          double value)
{
    if (!isfinite(value))
        return NULL;
    if (type->kind == TYPE_FLOAT)
        return checked_new(json_real(value), reader);
    if (trunc(value) != value || fabs(value) > 9007199254740992.0)
        return NULL;
    return checked_new(json_integer((json_int_t)value), reader);
}

static json_t *text_of_number(const struct type *type, struct reader *reader,
                              struct span text)
{
    struct number number = {.len = 0};
    json_t *value =
        parse_json(text.at, text.len, NUMBER_MAX_TEXT, reader->problem);

    if (json_is_number(value)) {
        json_t *read = read_json(type, reader, value);
        json_decref(value);
        return read;
    }
    json_decref(value);
    value = NULL;
    if (text.len <= NUMBER_MAX_TEXT && find_number(text, &number)) {
        double found = strtod(number.digits, NULL);
        reader->lenient |= LENIENT_NUMBER;
        if (!number.percent || scale_percent(type, &found))
            value = fit_number(type, reader, found);
    }
    return value != NULL ? value : refuse(type, reader, text);
}

static json_t *json_of_number(const struct type *type, struct reader *reader,
                              const json_t *value)
{
    json_t *fit = NULL;

    if (json_is_integer(value) ||
        (json_is_real(value) && type->kind == TYPE_FLOAT))
        return json_incref((json_t *)value);
    reader->lenient |= LENIENT_NUMBER;
    if (json_is_string(value))
        return text_of_number(
            type, reader,
            trimmed((struct span){json_string_value(value),
                                  json_string_length(value)}));
    if (json_is_real(value))
        fit = fit_number(type, reader, json_real_value(value));
    return fit != NULL ? fit : refuse_json(type, reader, value);
}

// ---- bool

static json_t *text_of_bool(const struct type *type, struct reader *reader,
                            struct span text)
{
    struct span word = bare_word(text);

    if (span_is(text, "true"))
        return json_true();
    if (span_is(text, "false"))
        return json_false();
    reader->lenient |= LENIENT_LABEL;
    if (span_folds_to(word, "true") || span_folds_to(word, "yes"))
        return json_true();
    if (span_folds_to(word, "false") || span_folds_to(word, "no"))
        return json_false();
    return refuse(type, reader, text);
}

static json_t *json_of_bool(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (json_is_boolean(value))
        return json_incref((json_t *)value);
    if (!json_is_string(value))
        return refuse_json(type, reader, value);
    reader->lenient |= LENIENT_LABEL;
    return text_of_bool(type, reader,
                        trimmed((struct span){json_string_value(value),
                                              json_string_length(value)}));
}

// ---- enum

// Case folded, and one `_` for each run of spaces, dashes and underscores.
static void put_label_key(struct buf *out, struct span text)
{
    struct buf folded = BUF_INIT(LABEL_MAX_TEXT * 4);

    text_fold(&folded, text.at, text.len);
    for (size_t i = 0; i < folded.len; i++) {
        bool gap = strchr(" \t-_", folded.data[i]) != NULL;
        if (!gap)
            buf_putc(out, folded.data[i]);
        else if (out->len > 0 && out->data[out->len - 1] != '_')
            buf_putc(out, '_');
    }
    out->failed = out->failed || folded.failed;
    out->no_memory = out->no_memory || folded.no_memory;
    buf_release(&folded);
}

static bool same_label(const struct buf *key, const char *label,
                       struct buf *other)
{
    buf_clear(other);
    put_label_key(other, bare_word((struct span){label, strlen(label)}));
    return !key->failed && !other->failed && key->len > 0 &&
           key->len == other->len &&
           memcmp(key->data, other->data, key->len) == 0;
}

enum { LABEL_NONE = -1, LABEL_MANY = -2 };

// The one label that text stands for but for case, quotes and punctuation.
static int match_label(const struct type *type, struct reader *reader,
                       struct span text)
{
    struct span word = bare_word(text);
    struct buf key = BUF_INIT(LABEL_MAX_TEXT * 4);
    struct buf other = BUF_INIT(LABEL_MAX_TEXT * 4);
    int found = LABEL_NONE;

    put_label_key(&key, word);
    for (size_t i = 0; i < type->n_labels; i++) {
        if (span_is(word, type->labels[i])) {
            found = (int)i;
            break;
        }
        if (same_label(&key, type->labels[i], &other))
            found = found == LABEL_NONE ? (int)i : LABEL_MANY;
        if (key.no_memory || other.no_memory) {
            err_nomem(reader->problem, "a label");
            break;
        }
    }
    buf_release(&key);
    buf_release(&other);
    return found;
}

// As match_label; `Label: x` and `x: because ...` are read too.
static int match_line(const struct type *type, struct reader *reader,
                      struct span line)
{
    int found = match_label(type, reader, line);
    const char *colon = memchr(line.at, ':', line.len);

    if (found != LABEL_NONE || colon == NULL)
        return found;
    size_t before = (size_t)(colon - line.at);
    int left = match_label(type, reader, (struct span){line.at, before});
    int right = match_label(type, reader,
                            (struct span){colon + 1, line.len - before - 1});
    if (left != LABEL_NONE && right != LABEL_NONE && left != right)
        return LABEL_MANY;
    return right != LABEL_NONE ? right : left;
}

// A label on the first line, followed by words that are no other label. Only
// so many lines are looked at: each costs a look at all labels.
static int find_label(const struct type *type, struct reader *reader,
                      struct span text)
{
    struct span rest = text;

    if (text.len > LABEL_MAX_TEXT)
        return LABEL_NONE;
    int found = match_line(type, reader, first_line(text));
    (void)take_line(&rest);
    for (int i = 0; i < LABEL_MAX_LINES && found >= 0 && rest.len > 0; i++) {
        int other = match_line(type, reader, take_line(&rest));
        if (other != LABEL_NONE && other != found)
            found = LABEL_MANY;
    }
    return found;
}

static json_t *text_of_enum(const struct type *type, struct reader *reader,
                            struct span text)
{
    for (size_t i = 0; i < type->n_labels; i++) {
        if (span_is(text, type->labels[i]))
            return checked_new(json_string(type->labels[i]), reader);
    }
    int found = find_label(type, reader, text);
    if (found < 0)
        return refuse(type, reader, text);
    reader->lenient |= LENIENT_LABEL;
    return checked_new(json_string(type->labels[found]), reader);
}

static json_t *json_of_enum(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (json_is_string(value))
        return text_of_enum(type, reader,
                            trimmed((struct span){json_string_value(value),
                                                  json_string_length(value)}));
    char *text = json_text(value);
    json_t *label = NULL;

    reader->lenient |= LENIENT_LABEL;
    if (text == NULL)
        err_nomem(reader->problem, "a value");
    else
        label = text_of_enum(type, reader, (struct span){text, strlen(text)});
    free(text);
    return label;
}

static json_t *json_of_str(const struct type *type, struct reader *reader,
                           const json_t *value)
{
    if (json_is_string(value))
        return json_incref((json_t *)value);
    if (json_is_null(value))
        return refuse_json(type, reader, value);
    char *text = json_text(value);
    json_t *string =
        checked_new(text == NULL ? NULL : json_string(text), reader);

    reader->lenient |= LENIENT_FORM;
    free(text);
    return string;
}

// ---- lists and objects

// The text behind "-", "*", "1." or "2)"; false when line is no such item.
static bool read_bullet(struct span line, struct span *item)
{
    size_t i = 0;

    while (i < line.len && is_digit(line.at[i]))
        i++;
    char after = char_at(line, i);
    bool numbered = i > 0 && (after == '.' || after == ')');
    bool dashed = i == 0 && (after == '-' || after == '*');
    if (!(numbered || dashed) || char_at(line, i + 1) != ' ')
        return false;
    *item = trimmed((struct span){line.at + i + 1, line.len - i - 1});
    return true;
}

static bool append_item(const struct type *type, struct reader *reader,
                        json_t *list, json_t *item)
{
    (void)type;
    if (item == NULL)
        return false;
    if (json_array_append_new(list, item) == 0)
        return true;
    err_nomem(reader->problem, "a list");
    return false;
}

// A list as lines that begin with bullets or numbers.
static json_t *read_bullets(const struct type *type, struct reader *reader,
                            struct span text)
{
    json_t *list = checked_new(json_array(), reader);
    struct span rest = text;
    bool ok = list != NULL;

    reader->lenient |= LENIENT_FORM;
    while (ok && rest.len > 0) {
        struct span item = {0};
        struct span line = take_line(&rest);

        if (line.len == 0)
            continue;
        if (!read_bullet(line, &item)) {
            (void)refuse(type, reader, text);
            ok = false;
        } else {
            ok = append_item(type, reader, list,
                             read_text(type->item, reader, item));
        }
    }
    if (!ok) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *text_of_nested(const struct type *type, struct reader *reader,
                              struct span text)
{
    char open = type->kind == TYPE_LIST ? '[' : '{';
    json_t *read = NULL;
    json_t *value =
        parse_json(text.at, text.len, REPLY_MAX_JSON, reader->problem);

    if (value == NULL) {
        value = reply_find_json(text.at, text.len, open, reader->problem);
        if (value != NULL)
            reader->lenient |= LENIENT_FENCE;
    }
    if (value != NULL && !json_is_string(value))
        read = read_json(type, reader, value);
    else if (type->kind == TYPE_LIST && text.len > 0)
        read = read_bullets(type, reader, text);
    else
        (void)refuse(type, reader, text);
    json_decref(value);
    return read;
}

static json_t *nested_string(const struct type *type, struct reader *reader,
                             const json_t *value)
{
    if (!json_is_string(value))
        return refuse_json(type, reader, value);
    reader->lenient |= LENIENT_FORM;
    return text_of_nested(type, reader,
                          trimmed((struct span){json_string_value(value),
                                                json_string_length(value)}));
}

static json_t *json_of_list(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (!json_is_array(value))
        return nested_string(type, reader, value);
    json_t *list = checked_new(json_array(), reader);
    size_t n = json_array_size(value);

    for (size_t i = 0; list != NULL && i < n; i++) {
        json_t *item = read_json(type->item, reader, json_array_get(value, i));
        if (!append_item(type, reader, list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *read_member(const struct field *member, struct reader *reader,
                           const json_t *object)
{
    const json_t *value = json_object_get(object, member->name);

    if (value != NULL)
        return read_json(&member->type, reader, value);
    if (member->type.optional)
        return json_null();
    err_set(reader->problem, ERR_INPUT, "`%s` has no \"%s\"", reader->name,
            member->name);
    return NULL;
}

static json_t *json_of_object(const struct type *type, struct reader *reader,
                              const json_t *value)
{
    if (!json_is_object(value))
        return nested_string(type, reader, value);
    json_t *object = checked_new(json_object(), reader);

    for (size_t i = 0; object != NULL && i < type->n_members; i++) {
        const struct field *member = &type->members[i];
        json_t *read = read_member(member, reader, value);

        if (read == NULL ||
            json_object_set_new(object, member->name, read) != 0) {
            if (read != NULL)
                err_nomem(reader->problem, "an object");
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

// ---- all types

static const struct {
    read_text_fn *text;
    read_json_fn *json;
} rows[] = {
    [TYPE_STR] = {text_of_str, json_of_str},
    [TYPE_INT] = {text_of_number, json_of_number},
    [TYPE_FLOAT] = {text_of_number, json_of_number},
    [TYPE_BOOL] = {text_of_bool, json_of_bool},
    [TYPE_ENUM] = {text_of_enum, json_of_enum},
    [TYPE_LIST] = {text_of_nested, json_of_list},
    [TYPE_OBJECT] = {text_of_nested, json_of_object},
};

// Also without memory, which is told.
static bool fits(const struct type *type, struct reader *reader,
                 const json_t *value)
{
    struct err why = ERR_CLEAR;
    bool good = value == NULL || type_check(type, reader->name, value, &why);

    if (why.code != ERR_NOMEM)
        return good;
    err_set(reader->problem, why.code, "%s", why.text);
    return true;
}

static bool is_good_str(const struct type *type, struct reader *reader,
                        struct span text)
{
    json_t *value = text_of_str(type, reader, text);
    bool good = fits(type, reader, value);

    json_decref(value);
    return good;
}

// `null` is null; where text is no value anyway, so are other ways to say it.
static bool says_null(const struct type *type, struct reader *reader,
                      struct span text)
{
    if (!type->optional)
        return false;
    if (span_is(text, "null"))
        return true;
    if (!(text.len == 0 || span_folds_to(text, "null") ||
          span_folds_to(text, "none") || span_folds_to(text, "n/a")) ||
        (type->kind == TYPE_STR && is_good_str(type, reader, text)))
        return false;
    reader->lenient |= LENIENT_LABEL;
    return true;
}

static json_t *read_text(const struct type *type, struct reader *reader,
                         struct span text)
{
    if (says_null(type, reader, text))
        return json_null();
    return rows[type->kind].text(type, reader, text);
}

static bool json_says_null(const struct type *type, struct reader *reader,
                           const json_t *value)
{
    return type->kind == TYPE_STR && json_is_string(value) &&
           !fits(type, reader, value) &&
           says_null(type, reader,
                     trimmed((struct span){json_string_value(value),
                                           json_string_length(value)}));
}

static json_t *read_json(const struct type *type, struct reader *reader,
                         const json_t *value)
{
    if (type->optional &&
        (json_is_null(value) || json_says_null(type, reader, value)))
        return json_null();
    return rows[type->kind].json(type, reader, value);
}

// Limits are checked once, on the whole. A value that was found without memory
// to look further may be the wrong one.
static json_t *finish(const struct field *field, const struct reader *reader,
                      json_t *value, unsigned *lenient)
{
    if (value == NULL)
        return NULL;
    if (reader->problem->code == ERR_NOMEM ||
        !type_check(&field->type, field->name, value, reader->problem)) {
        json_decref(value);
        return NULL;
    }
    *lenient |= reader->lenient;
    return value;
}

json_t *reply_value_text(const struct field *field, const char *text,
                         size_t len, unsigned *lenient, struct err *problem)
{
    struct reader reader = {field->name, 0, problem};
    struct span span = trimmed((struct span){text, len});

    return finish(field, &reader, read_text(&field->type, &reader, span),
                  lenient);
}

json_t *reply_value_json(const struct field *field, const json_t *value,
                         unsigned *lenient, struct err *problem)
{
    struct reader reader = {field->name, 0, problem};

    return finish(field, &reader, read_json(&field->type, &reader, value),
                  lenient);
}
