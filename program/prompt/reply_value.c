#include "program/prompt/reply_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/utf8.h"
#include "program/graph/number.h"
#include "program/graph/type_check.h"
#include "program/graph/type_form.h"
#include "program/prompt/dress.h"
#include "program/prompt/json_mend.h"
#include "program/prompt/label.h"
#include "program/prompt/list_text.h"
#include "program/prompt/marker.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_json.h"

enum {
    SHOWN_MAX = 60, // bytes of a wrong value that a problem repeats
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

// The text of a string, without what was thought before it.
static struct span string_span(struct reader *reader, const json_t *string)
{
    return reply_clean_value(
        (struct span){json_string_value(string), json_string_length(string)},
        &reader->lenient);
}

// A text that is written as JSON has it, with its escapes; NULL: it is not.
static json_t *read_quoted(struct reader *reader, struct span text)
{
    json_t *value = span_starts(text, "\"")
                        ? reply_whole_json(text, reader->problem)
                        : NULL;

    if (json_is_string(value))
        return value;
    json_decref(value);
    return NULL;
}

// ---- text

// "{title}": what the prompt has in the place of the value.
static bool is_placeholder(const struct reader *reader, struct span text)
{
    return text.len > 2 && text.at[0] == '{' && text.at[text.len - 1] == '}' &&
           span_is(span_from(span_to(text, text.len - 1), 1), reader->name);
}

// "|" and its like on the first line: YAML's way to write the lines that
// follow.
static bool is_yaml_block(struct span text)
{
    static const char *const marks[] = {"|", "|-", "|+", ">", ">-", ">+"};
    struct span first = span_trim(span_line(&text));

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (span_is(first, marks[i]))
            return text.len > 0 && !span_starts(text, ">");
    }
    return false;
}

static json_t *text_of_str(const struct type *type, struct reader *reader,
                           struct span text)
{
    if (is_placeholder(reader, text) || is_yaml_block(text))
        return refuse(type, reader, text);
    return checked_new(json_string_of(text.at, text.len), reader);
}

// ---- numbers

// A percentage is a share where a field ends at 1, and a plain number where it
// is whole or may be larger; without a limit it may be either.
static bool scale_percent(const struct type *type, struct number *number)
{
    if (type->kind == TYPE_INT || (type->has_max && type->max > 1))
        return true;
    number->value = number->share;
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

// A number in quotes, bold, in a tag.
static bool find_dressed(struct span text, struct number *out)
{
    do {
        text = span_trim(text);
        if (number_find(text.at, text.len, out))
            return true;
    } while (text.len > 0 && dress_unwrap(&text));
    return false;
}

static bool has_digit(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] >= '0' && text.at[i] <= '9')
            return true;
    }
    return false;
}

// What a model says behind an answer, whatever it is.
static bool is_courtesy(struct span line)
{
    static const char *const words[] = {"let me know", "i hope", "hope this",
                                        "feel free", "if you need"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_starts(line, words[i]))
            return true;
    }
    return false;
}

// The number that each line with digits says again; lines without any lead up
// to one ("The answer is:"), or are a courtesy.
static bool find_repeated(struct span text, struct number *out)
{
    bool any = false;

    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));
        struct number number = {0};

        if (line.len == 0)
            continue;
        if (!has_digit(line) && !span_ends(line, ":") && !is_courtesy(line))
            return false;
        if (!has_digit(line))
            continue;
        if (!find_dressed(line, &number) ||
            (any &&
             (number.value != out->value || number.percent != out->percent)))
            return false;
        *out = number;
        any = true;
    }
    return any;
}

static bool find_number(struct span text, struct number *out)
{
    return find_dressed(text, out) || find_repeated(text, out);
}

static json_t *text_of_number(const struct type *type, struct reader *reader,
                              struct span text)
{
    struct number number = {0};
    json_t *value = text.len > NUMBER_MAX_TEXT
                        ? NULL
                        : reply_whole_json(text, reader->problem);
    bool whole = json_is_number(value);

    // To half of the world 5.000 is five thousand, and an int has no decimals.
    if (json_is_real(value) && type->kind == TYPE_INT &&
        !number_find(text.at, text.len, &number)) {
        json_decref(value);
        return refuse(type, reader, text);
    }
    json_t *read = whole ? read_json(type, reader, value) : NULL;
    json_decref(value);
    if (whole)
        return read;
    if (find_number(text, &number) &&
        (!number.percent || scale_percent(type, &number))) {
        reader->lenient |= LENIENT_NUMBER;
        read = fit_number(type, reader, number.value);
    }
    return read != NULL ? read : refuse(type, reader, text);
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
        return text_of_number(type, reader, string_span(reader, value));
    if (json_is_real(value))
        fit = fit_number(type, reader, json_real_value(value));
    return fit != NULL ? fit : refuse_json(type, reader, value);
}

// ---- bool

// A word amid others tells something only where it is a long one: `on` does
// not.
static const char *const bool_words[] = {
    "true", "yes", "false", "no", "y", "t", "on", "1", "n", "f", "off", "0",
};
static const int bool_values[] = {1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0};

static json_t *text_of_bool(const struct type *type, struct reader *reader,
                            struct span text)
{
    static const struct label_set set = {
        .texts = bool_words,
        .n = sizeof bool_words / sizeof bool_words[0],
        .groups = bool_values,
        .n_telling = 4,
    };

    if (span_is(text, "true"))
        return json_true();
    if (span_is(text, "false"))
        return json_false();
    reader->lenient |= LENIENT_LABEL;
    int found = label_find(&set, text, reader->problem);
    return found < 0 ? refuse(type, reader, text)
                     : json_boolean(bool_values[found]);
}

static json_t *json_of_bool(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (json_is_boolean(value))
        return json_incref((json_t *)value);
    reader->lenient |= LENIENT_LABEL;
    if (json_is_string(value))
        return text_of_bool(type, reader, string_span(reader, value));
    if (json_is_integer(value) &&
        (json_integer_value(value) == 0 || json_integer_value(value) == 1))
        return json_boolean(json_integer_value(value));
    return refuse_json(type, reader, value);
}

// ---- enum

static json_t *text_of_enum(const struct type *type, struct reader *reader,
                            struct span text)
{
    const struct label_set set = {.texts = type->labels,
                                  .n = type->n_labels,
                                  .n_telling = type->n_labels};

    for (size_t i = 0; i < type->n_labels; i++) {
        if (span_is(text, type->labels[i]))
            return checked_new(json_string(type->labels[i]), reader);
    }
    json_t *quoted = read_quoted(reader, text);
    int found =
        label_find(&set, quoted == NULL ? text : string_span(reader, quoted),
                   reader->problem);
    json_decref(quoted);
    if (found < 0)
        return refuse(type, reader, text);
    reader->lenient |= LENIENT_LABEL;
    return checked_new(json_string(type->labels[found]), reader);
}

static json_t *json_of_enum(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (json_is_string(value))
        return text_of_enum(type, reader, string_span(reader, value));
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

// A text in JSON is taken as it is, without any thinking before it.
static json_t *clean_str(const struct type *type, struct reader *reader,
                         const json_t *value)
{
    unsigned cleaned = 0;
    struct span text = reply_clean_value(
        (struct span){json_string_value(value), json_string_length(value)},
        &cleaned);

    reader->lenient |= cleaned;
    return cleaned == 0 && !is_placeholder(reader, text)
               ? json_incref((json_t *)value)
               : text_of_str(type, reader, text);
}

// A list of one text is that text; anything else that is no text is its JSON.
static json_t *json_of_str(const struct type *type, struct reader *reader,
                           const json_t *value)
{
    if (json_array_size(value) == 1 &&
        json_is_string(json_array_get(value, 0))) {
        value = json_array_get(value, 0);
        reader->lenient |= LENIENT_FORM;
    }
    if (json_is_string(value))
        return clean_str(type, reader, value);
    if (json_is_null(value))
        return refuse_json(type, reader, value);
    char *text = json_text(value);
    json_t *string =
        checked_new(text == NULL ? NULL : json_string(text), reader);

    reader->lenient |= LENIENT_FORM;
    free(text);
    return string;
}

// ---- lists

static bool append_item(struct reader *reader, json_t *list, json_t *item)
{
    if (item == NULL)
        return false;
    if (json_array_append_new(list, item) == 0)
        return true;
    err_nomem(reader->problem, "a list");
    return false;
}

// Of a text without what is no part of it: quotes, emphasis, and the comma to
// the next one.
static json_t *read_item(const struct type *type, struct reader *reader,
                         struct span item)
{
    if (type->kind != TYPE_STR)
        return read_text(type, reader, item);
    if (span_ends(item, ",") || span_ends(item, ";"))
        item = span_trim(span_to(item, item.len - 1));
    json_t *value = read_quoted(reader, item);
    if (value != NULL)
        return value;
    while (dress_unquote(&item))
        item = span_trim(item);
    return list_text_goes_on(item) ? refuse(type, reader, item)
                                   : read_text(type, reader, item);
}

// A list as lines that begin with bullets or numbers, or that are the items.
static json_t *read_lines(const struct type *type, struct reader *reader,
                          struct span text)
{
    json_t *list = checked_new(json_array(), reader);
    bool ok = list != NULL;

    reader->lenient |= LENIENT_FORM;
    while (ok && text.len > 0) {
        struct span line = span_trim(span_line(&text));
        struct span item = line;

        if (line.len == 0)
            continue;
        if (list_text_bullet(line, &item))
            item = list_text_skip_box(item);
        ok = !list_text_holds_next(line, item) &&
             append_item(reader, list, read_item(type->item, reader, item));
    }
    if (!ok) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

// The same; that a line is no item is no problem yet.
static json_t *try_lines(const struct type *type, struct reader *reader,
                         struct span text)
{
    struct err why = ERR_CLEAR;
    struct reader inner = {reader->name, reader->lenient, &why};
    json_t *list = read_lines(type, &inner, text);

    if (list != NULL)
        reader->lenient = inner.lenient;
    if (why.code == ERR_NOMEM)
        err_nomem(reader->problem, "a list");
    return list;
}

// Each kind of type in JSON, without being read leniently.
static bool is_strictly(const struct type *type, const json_t *value)
{
    switch (type->kind) {
    case TYPE_STR:
    case TYPE_ENUM:
        return json_is_string(value) || (type->optional && json_is_null(value));
    case TYPE_INT:
        return json_is_integer(value);
    case TYPE_FLOAT:
        return json_is_number(value);
    case TYPE_BOOL:
        return json_is_boolean(value);
    case TYPE_LIST:
        return json_is_array(value);
    case TYPE_OBJECT:
        return json_is_object(value);
    }
    return false;
}

static bool list_fits(const struct reply_wanted *wanted, const json_t *value)
{
    const struct type *type = wanted->user;
    bool fits = json_is_array(value);

    for (size_t i = 0; fits && i < json_array_size(value); i++)
        fits = is_strictly(type->item, json_array_get(value, i));
    return fits;
}

// The value of a member: under its name, or under the one name that is the same
// but for case and gaps, and is no other member's.
static const json_t *find_member(const struct type *type,
                                 const struct field *member,
                                 struct reader *reader, const json_t *object)
{
    const json_t *value = json_object_get(object, member->name);
    json_t *all = (json_t *)object; // iterators want one that may be changed
    int n = 0;

    if (value != NULL)
        return value;
    for (void *at = json_object_iter(all); at != NULL;
         at = json_object_iter_next(all, at)) {
        const char *key = json_object_iter_key(at);
        struct span name = span_trim((struct span){key, strlen(key)});
        bool other = false;

        for (size_t i = 0; i < type->n_members; i++)
            other = other || strcmp(type->members[i].name, key) == 0;
        if (other || !marker_same_name(name, member->name))
            continue;
        value = json_object_iter_value(at);
        n++;
    }
    if (n == 1)
        reader->lenient |= LENIENT_MARKER;
    return n == 1 ? value : NULL;
}

static bool object_fits(const struct reply_wanted *wanted, const json_t *value)
{
    const struct type *type = wanted->user;
    struct reader ignored = {.lenient = 0};

    for (size_t i = 0; json_is_object(value) && i < type->n_members; i++) {
        if (find_member(type, &type->members[i], &ignored, value) != NULL)
            return true;
    }
    return json_is_object(value) && type->n_members == 0;
}

// "apple", "pear": as JSON, without its brackets.
static json_t *read_quoted_row(const struct type *type, struct reader *reader,
                               struct span text)
{
    struct buf row = BUF_INIT(REPLY_MAX_JSON + 16);
    const struct reply_wanted wanted = {
        .open = '[', .words = true, .fits = list_fits, .user = type};
    json_t *value = NULL;
    json_t *read = NULL;

    buf_putc(&row, '[');
    buf_append(&row, text.at, text.len);
    buf_putc(&row, ']');
    if (buf_ok(&row, "a list", reader->problem))
        value = reply_find_json(&wanted, (struct span){row.data, row.len},
                                &reader->lenient, reader->problem);
    if (value != NULL)
        read = read_json(type, reader, value);
    json_decref(value);
    buf_release(&row);
    return read;
}

// apple, pear
static json_t *read_plain_row(const struct type *type, struct reader *reader,
                              struct span text)
{
    const char *part = span_find(text, 0, ";") < text.len ? ";" : ",";
    json_t *list = checked_new(json_array(), reader);

    while (list != NULL && text.len > 0) {
        size_t n = span_find(text, 0, part);
        struct span item = span_trim(span_to(text, n));

        if (!append_item(reader, list, read_item(type->item, reader, item))) {
            json_decref(list);
            return NULL;
        }
        text = span_from(text, n < text.len ? n + 1 : n);
    }
    return list;
}

static json_t *read_row(const struct type *type, struct reader *reader,
                        struct span text)
{
    reader->lenient |= LENIENT_FORM;
    return list_text_is_quoted(text) ? read_quoted_row(type, reader, text)
                                     : read_plain_row(type, reader, text);
}

static bool item_has_no_lines(const struct type *type)
{
    return type->item->kind != TYPE_STR && type->item->kind != TYPE_LIST &&
           type->item->kind != TYPE_OBJECT;
}

static json_t *find_nested(const struct type *type, struct reader *reader,
                           struct span text)
{
    const struct reply_wanted wanted = {
        .open = type->kind == TYPE_LIST ? '[' : '{',
        .words = true,
        .fits = type->kind == TYPE_LIST ? list_fits : object_fits,
        .user = type,
    };

    return reply_find_json(&wanted, text, &reader->lenient, reader->problem);
}

static json_t *refuse_nested(const struct type *type, struct reader *reader,
                             struct span text, json_t *read)
{
    return read != NULL || reader->problem->code != ERR_NONE
               ? read
               : refuse(type, reader, text);
}

// Whether each line is an item of its own: of a type without lines, or in
// quotes.
static bool are_lines(const struct type *type, struct span text)
{
    bool any = false;

    if (list_text_is_several(text))
        return false;
    if (item_has_no_lines(type))
        return true;
    while (type->item->kind == TYPE_STR && text.len > 0) {
        struct span line = span_trim(span_line(&text));

        if (line.len > 0 &&
            !(line.len > 1 && span_starts(line, "\"") &&
              (span_ends(line, "\"") || span_ends(line, "\","))))
            return false;
        any = any || line.len > 0;
    }
    return any;
}

// Bullets. One that says `none` is no item.
static json_t *read_bullets(const struct type *type, struct reader *reader,
                            struct span text)
{
    struct span item = text;

    if (type->item->kind == TYPE_ENUM && list_text_has_empty_box(text))
        return NULL;
    if (type->item->kind == TYPE_STR && list_text_bullet(text, &item) &&
        (span_same(item, "none") || span_same(item, "n/a")))
        return NULL;
    return read_lines(type, reader, text);
}

static json_t *find_list(const struct type *type, struct reader *reader,
                         struct span text)
{
    json_t *value = find_nested(type, reader, text);
    json_t *read = NULL;

    if (value == NULL)
        text = list_text_drop_stop(type, text);
    if (value != NULL)
        read = read_json(type, reader, value);
    else if (list_text_is_row(type, text))
        read = read_row(type, reader, text);
    else if (text.len > 0 && are_lines(type, text))
        read = try_lines(type, reader, text);
    json_decref(value);
    return read;
}

static json_t *text_of_list(const struct type *type, struct reader *reader,
                            struct span text)
{
    json_t *value = reply_whole_json(text, reader->problem);
    json_t *read = NULL;

    if (json_is_array(value)) {
        read = read_json(type, reader, value);
    } else if (!list_text_is_numbering(text)) {
        struct span bare =
            list_text_skip_lead(reply_strip_fence(span_trim(text)));
        read = bare.len > 0 && list_text_are_bullets(bare)
                   ? read_bullets(type, reader, bare)
                   : find_list(type, reader, text);
    }
    json_decref(value);
    return refuse_nested(type, reader, text, read);
}

static json_t *text_of_object(const struct type *type, struct reader *reader,
                              struct span text)
{
    json_t *value = reply_whole_json(text, reader->problem);
    json_t *read = NULL;

    if (!json_is_object(value)) {
        json_decref(value);
        value = find_nested(type, reader, text);
    }
    if (value != NULL)
        read = read_json(type, reader, value);
    json_decref(value);
    return refuse_nested(type, reader, text, read);
}

// A list or an object that is written as a text.
static json_t *nested_string(const struct type *type, struct reader *reader,
                             const json_t *value)
{
    if (!json_is_string(value))
        return refuse_json(type, reader, value);
    reader->lenient |= LENIENT_FORM;
    return read_text(type, reader, string_span(reader, value));
}

// [["Ann", "Bob"]] where a list of texts was asked for: the inner one.
static const json_t *inner_list(const struct type *type, struct reader *reader,
                                const json_t *value)
{
    const json_t *only =
        json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;

    if (type->item->kind == TYPE_LIST || !json_is_array(only))
        return value;
    reader->lenient |= LENIENT_FORM;
    return only;
}

// A text may be asked for as JSON, but a list of objects is no list of texts,
// and a list that goes on is not all of it.
static bool is_item(const struct type *item, const json_t *value)
{
    struct span text = {json_is_string(value) ? json_string_value(value) : "",
                        json_string_length(value)};

    return item->kind != TYPE_STR ||
           !(json_is_object(value) || json_is_array(value) ||
             list_text_goes_on(text));
}

static json_t *json_of_list(const struct type *type, struct reader *reader,
                            const json_t *value)
{
    if (!json_is_array(value))
        return nested_string(type, reader, value);
    value = inner_list(type, reader, value);
    json_t *list = checked_new(json_array(), reader);
    size_t n = json_array_size(value);

    for (size_t i = 0; list != NULL && i < n; i++) {
        const json_t *given = json_array_get(value, i);
        json_t *item = is_item(type->item, given)
                           ? read_json(type->item, reader, given)
                           : refuse_json(type, reader, value);
        if (!append_item(reader, list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

// ---- objects

static json_t *read_member(const struct type *type, const struct field *member,
                           struct reader *reader, const json_t *object)
{
    const json_t *value = find_member(type, member, reader, object);

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
        json_t *read = read_member(type, member, reader, value);

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
    [TYPE_LIST] = {text_of_list, json_of_list},
    [TYPE_OBJECT] = {text_of_object, json_of_object},
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

// `null` is null; where text is no value anyway, so are other ways to say it,
// and "null" in quotes or with a full stop.
static bool says_null(const struct type *type, struct reader *reader,
                      struct span text)
{
    if (!type->optional)
        return false;
    if (span_is(text, "null"))
        return true;
    struct span whole = text;
    if (span_ends(text, "."))
        text = span_to(text, text.len - 1);
    if (text.len > 2 && span_starts(text, "\"") && span_ends(text, "\""))
        text = span_from(span_to(text, text.len - 1), 1);
    if (!(text.len == 0 || span_same(text, "null") || span_same(text, "none") ||
          span_same(text, "n/a")) ||
        (type->kind == TYPE_STR && is_good_str(type, reader, whole)))
        return false;
    reader->lenient |= LENIENT_LABEL;
    return true;
}

static json_t *read_text(const struct type *type, struct reader *reader,
                         struct span text)
{
    struct span whole = span_trim(text);

    text = reply_clean_value(whole, &reader->lenient);
    if (says_null(type, reader, text))
        return json_null();
    if (text.len == 0 && whole.len > 0) // it was all thought
        return refuse(type, reader, text);
    return rows[type->kind].text(type, reader, text);
}

static bool json_says_null(const struct type *type, struct reader *reader,
                           const json_t *value)
{
    return json_is_string(value) &&
           (type->kind != TYPE_STR || !fits(type, reader, value)) &&
           says_null(type, reader, string_span(reader, value));
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

// {"title": "Weather"}, where `title` was asked for: borrowed, "Weather". NULL
// where an object may be the value itself.
static const json_t *own_value(const struct field *field, json_t *object)
{
    void *first = json_object_iter(object);
    const char *key = first == NULL ? "" : json_object_iter_key(first);
    const json_t *value = first == NULL ? NULL : json_object_iter_value(first);

    if (json_object_size(object) != 1 ||
        !span_same((struct span){key, strlen(key)}, field->name) ||
        (field->type.kind == TYPE_STR && !json_is_string(value)))
        return NULL;
    for (size_t i = 0; i < field->type.n_members; i++) {
        if (strcmp(field->type.members[i].name, key) == 0)
            return NULL;
    }
    return value;
}

// A section that holds its own name and value as JSON: a new reference. NULL:
// it does not.
static json_t *find_own_value(const struct field *field, struct reader *reader,
                              struct span text)
{
    struct span bare = reply_strip_fence(span_trim(text));
    size_t used = 0;

    if (!span_starts(bare, "{") || !span_ends(bare, "}"))
        return NULL;
    json_t *object = reply_whole_json(bare, reader->problem);
    unsigned lenient = LENIENT_FORM;
    if (object == NULL) {
        object = json_mend(bare.at, bare.len, true, &used, reader->problem);
        lenient |= LENIENT_MENDED;
    }
    json_t *value = NULL;
    if (used == 0 || used == bare.len)
        value = json_incref((json_t *)own_value(field, object));
    json_decref(object);
    if (value != NULL)
        reader->lenient |= lenient | (bare.len < text.len ? LENIENT_FENCE : 0u);
    return value;
}

// <title>Weather</title>, where `title` was asked for.
static struct span strip_own_tag(const struct field *field,
                                 struct reader *reader, struct span text)
{
    struct span whole = span_trim(text);
    size_t len = strlen(field->name);

    if (whole.len < 2 * len + 5 || !span_starts(whole, "<") ||
        !span_starts(span_from(whole, 1), field->name) ||
        whole.at[len + 1] != '>')
        return text;
    struct span inner = span_from(span_to(whole, whole.len - len - 3), len + 2);
    struct span close = span_from(whole, len + 2 + inner.len);
    if (!span_starts(close, "</") || !span_ends(close, ">") ||
        !span_starts(span_from(close, 2), field->name) ||
        span_find(inner, 0, "</") < inner.len)
        return text;
    reader->lenient |= LENIENT_FORM;
    return inner;
}

json_t *reply_value_text(const struct field *field, struct span text,
                         unsigned *lenient, struct err *problem)
{
    struct reader reader = {field->name, 0, problem};

    text = strip_own_tag(field, &reader, text);
    json_t *own = find_own_value(field, &reader, text);
    json_t *value = own != NULL ? read_json(&field->type, &reader, own)
                                : read_text(&field->type, &reader, text);

    json_decref(own);
    return finish(field, &reader, value, lenient);
}

json_t *reply_value_json(const struct field *field, const json_t *value,
                         unsigned *lenient, struct err *problem)
{
    struct reader reader = {field->name, 0, problem};

    return finish(field, &reader, read_json(&field->type, &reader, value),
                  lenient);
}
