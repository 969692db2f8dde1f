// list: items as JSON, as lines, or in a row; see list_text.h.

#include <string.h>

#include "common/buf.h"
#include "program/graph/number.h"
#include "program/prompt/dress.h"
#include "program/prompt/list_text.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_json.h"
#include "program/prompt/value_reader.h"

static bool append_item(struct value_reader *reader, json_t *list, json_t *item)
{
    if (item == NULL)
        return false;
    if (json_array_append_new(list, item) == 0)
        return true;
    err_nomem(reader->problem, "a list");
    return false;
}

// For [["Ann", "Bob"]] where a list of texts was asked for, returns the inner
// list.
static const json_t *inner_list(struct value_reader *reader,
                                const struct type *type, const json_t *value)
{
    const json_t *only =
        json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;

    if (type->item->kind == TYPE_LIST || !json_is_array(only))
        return value;
    reader->lenient |= LENIENT_FORM;
    return only;
}

// An item that is a text may come as another JSON value, but a list of objects
// is not a list of texts, and a list that ends in "..." is incomplete.
static bool is_item(const struct type *item, const json_t *value)
{
    struct span text = {json_is_string(value) ? json_string_value(value) : "",
                        json_string_length(value)};

    return item->kind != TYPE_STR ||
           !(json_is_object(value) || json_is_array(value) ||
             list_text_is_ellipsis(text));
}

static json_t *json_of_list(struct value_reader *reader,
                            const struct type *type, const json_t *value)
{
    if (!json_is_array(value))
        return value_reader_nested(reader, type, value);
    value = inner_list(reader, type, value);
    json_t *list = value_reader_checked(reader, json_array());
    size_t n = json_array_size(value);

    for (size_t i = 0; list != NULL && i < n; i++) {
        const json_t *given = json_array_get(value, i);
        json_t *item = is_item(type->item, given)
                           ? reader->json(reader, type->item, given)
                           : value_reader_refuse_json(reader, type, value);
        if (!append_item(reader, list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

// Reads one item. If it is a text, the quotes, emphasis and the comma to the
// next item are removed first.
static json_t *read_item(struct value_reader *reader, const struct type *type,
                         struct span item)
{
    if (type->kind != TYPE_STR)
        return reader->text(reader, type, item);
    if (span_ends(item, ",") || span_ends(item, ";"))
        item = span_trim(span_to(item, item.len - 1));
    json_t *value = value_reader_quoted(reader, item);
    if (value != NULL)
        return value;
    while (dress_unquote(&item))
        item = span_trim(item);
    return list_text_is_ellipsis(item) ? value_reader_refuse(reader, type, item)
                                       : reader->text(reader, type, item);
}

// "red: 0.9", "red - 90%": a score for each label does not say which labels are
// meant.
static bool ends_in_score(struct span item)
{
    static const char *const marks[] = {": ", " - ", " = ", " ("};
    struct number number;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t at = span_find(item, 0, marks[i]);
        struct span tail = span_from(item, at);

        if (at == item.len)
            continue;
        tail = span_from(tail, strlen(marks[i]));
        if (span_ends(tail, ")"))
            tail = span_to(tail, tail.len - 1);
        if (number_find(tail.at, tail.len, &number))
            return true;
    }
    return false;
}

// Reads a list whose lines begin with bullets or numbers, or are the items.
static json_t *read_lines(struct value_reader *reader, const struct type *type,
                          struct span text)
{
    json_t *list = value_reader_checked(reader, json_array());
    bool ok = list != NULL;

    reader->lenient |= LENIENT_FORM;
    while (ok && text.len > 0) {
        struct span line = span_trim(span_line(&text));
        struct span item = line;

        if (line.len == 0)
            continue;
        if (list_text_bullet(line, &item))
            item = list_text_skip_box(item);
        ok = !list_text_has_next_number(line, item) &&
             !(type->item->kind == TYPE_ENUM && ends_in_score(item)) &&
             append_item(reader, list, read_item(reader, type->item, item));
    }
    if (!ok) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

// Like read_lines, but a line that is not an item is not a problem yet.
static json_t *try_lines(struct value_reader *reader, const struct type *type,
                         struct span text)
{
    struct err why = ERR_CLEAR;
    struct value_reader inner = *reader;
    inner.problem = &why;
    json_t *list = read_lines(&inner, type, text);

    if (list != NULL)
        reader->lenient = inner.lenient;
    if (why.code == ERR_NOMEM)
        err_nomem(reader->problem, "a list");
    return list;
}

// Returns true if a JSON value has the type without lenient reading.
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

static json_t *find_nested(struct value_reader *reader, const struct type *type,
                           struct span text)
{
    const struct reply_wanted wanted = {
        .open = '[', .words = true, .fits = list_fits, .user = type};

    return reply_find_json(&wanted, text, &reader->lenient, reader->problem);
}

// Reads "apple", "pear" as JSON that lacks its brackets.
static json_t *read_quoted_row(struct value_reader *reader,
                               const struct type *type, struct span text)
{
    struct buf row = BUF_INIT(REPLY_MAX_JSON + 16);
    json_t *value = NULL;
    json_t *read = NULL;

    buf_putc(&row, '[');
    buf_append(&row, text.at, text.len);
    buf_putc(&row, ']');
    if (buf_ok(&row, "a list", reader->problem))
        value = find_nested(reader, type, (struct span){row.data, row.len});
    if (value != NULL)
        read = json_of_list(reader, type, value);
    json_decref(value);
    buf_release(&row);
    return read;
}

// Reads a row without quotes: apple, pear
static json_t *read_plain_row(struct value_reader *reader,
                              const struct type *type, struct span text)
{
    const char *part = span_find(text, 0, ";") < text.len ? ";" : ",";
    json_t *list = value_reader_checked(reader, json_array());

    while (list != NULL && text.len > 0) {
        size_t n = span_find(text, 0, part);
        struct span item = span_trim(span_to(text, n));

        if (!append_item(reader, list, read_item(reader, type->item, item))) {
            json_decref(list);
            return NULL;
        }
        text = span_from(text, n < text.len ? n + 1 : n);
    }
    return list;
}

static json_t *read_row(struct value_reader *reader, const struct type *type,
                        struct span text)
{
    reader->lenient |= LENIENT_FORM;
    return list_text_is_quoted(text) ? read_quoted_row(reader, type, text)
                                     : read_plain_row(reader, type, text);
}

static bool item_has_no_lines(const struct type *type)
{
    return type->item->kind != TYPE_STR && type->item->kind != TYPE_LIST &&
           type->item->kind != TYPE_OBJECT;
}

// Returns true if each line is an item: of a type that has no line breaks, or
// in quotes.
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

// Reads bullets. A bullet that says `none` is not an item, and bullets nested
// under an item are part of it.
static json_t *read_bullets(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    struct span item = text;

    if (list_text_is_nested(text))
        return NULL;
    if (type->item->kind == TYPE_ENUM && list_text_has_empty_box(text))
        return NULL;
    if (type->item->kind == TYPE_STR && list_text_bullet(text, &item) &&
        (span_same(item, "none") || span_same(item, "n/a")))
        return NULL;
    return read_lines(reader, type, text);
}

static json_t *find_list(struct value_reader *reader, const struct type *type,
                         struct span text)
{
    json_t *value = find_nested(reader, type, text);
    json_t *read = NULL;

    if (value == NULL)
        text = list_text_drop_stop(type, text);
    if (value != NULL)
        read = json_of_list(reader, type, value);
    else if (list_text_is_row(type, text))
        read = read_row(reader, type, text);
    else if (text.len > 0 && are_lines(type, text))
        read = try_lines(reader, type, text);
    json_decref(value);
    return read;
}

static json_t *text_of_list(struct value_reader *reader,
                            const struct type *type, struct span text)
{
    json_t *value = reply_whole_json(text, reader->problem);
    json_t *read = NULL;

    if (json_is_array(value)) {
        read = json_of_list(reader, type, value);
    } else if (!list_text_is_numbering(text)) {
        struct span bare =
            list_text_skip_lead(reply_strip_fence(span_trim(text)));
        read = bare.len > 0 && list_text_are_bullets(bare)
                   ? read_bullets(reader, type, bare)
                   : find_list(reader, type, text);
    }
    json_decref(value);
    return value_reader_or_refuse(reader, type, text, read);
}

const struct value_kind value_kind_list = {.text = text_of_list,
                                           .json = json_of_list};
