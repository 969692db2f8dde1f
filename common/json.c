#include "common/json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

// As deep as jansson reads, so that everything that was parsed can be written.
enum { DEPTH_MAX = 2048 };

// jansson's parser reports a failed allocation as a mistake in the text, or
// continues without the characters that it had no room for. So it allocates
// through us, and we remember per thread that an allocation failed.
// What allocated before remains in use: the C library shares jansson with the
// program that uses it, which may have allocators of its own, and values that
// they made.
static _Thread_local bool allocation_failed;
static json_malloc_t usual_malloc;

static void *watched_malloc(size_t size)
{
    void *piece = usual_malloc(size);

    if (piece == NULL)
        allocation_failed = true;
    return piece;
}

static void watch_allocations(void)
{
    json_free_t usual_free;

    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(watched_malloc, usual_free);
}

// jansson quotes the input in its messages, including line ends.
static void set_parse_error(struct err *err, json_error_t *error)
{
    if (allocation_failed) {
        err_nomem(err, "a JSON value");
        return;
    }
    for (char *c = error->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    }
    const char *said = error->text;

    if (json_error_code(error) == json_error_null_character)
        said = "\\u0000 is not allowed in a text";
    else if (json_error_code(error) == json_error_duplicate_key)
        said = "two members of an object have the same name";
    else if (json_error_code(error) == json_error_invalid_utf8)
        said = "this is not UTF-8 text";
    err_set(err, ERR_INPUT, "not valid JSON at line %d, column %d: %s",
            error->line, error->column, said);
}

static bool is_blank(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0')
        i++;
    return i == len;
}

json_t *json_parse(const char *text, size_t len, size_t max_bytes,
                   struct err *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    json_error_t where;

    if (len >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        len -= sizeof mark - 1;
    }
    return json_parse_at(text, len, max_bytes, &where, err);
}

json_t *json_parse_at(const char *text, size_t len, size_t max_bytes,
                      json_error_t *where, struct err *err)
{
    static pthread_once_t watched = PTHREAD_ONCE_INIT;

    *where = (json_error_t){0};
    if (len > max_bytes) {
        err_set(err, ERR_LIMIT, "the JSON is too long (%zu bytes, over %zu)",
                len, max_bytes);
        return NULL;
    }
    if (is_blank(text, len)) {
        err_set(err, ERR_INPUT, "there is nothing where JSON was expected");
        return NULL;
    }
    (void)pthread_once(&watched, watch_allocations);
    allocation_failed = false;
    json_t *value = json_loadb(len == 0 ? "" : text, len,
                               JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, where);
    if (value != NULL && !allocation_failed)
        return value;
    json_decref(value);
    set_parse_error(err, where);
    return NULL;
}

json_t *json_string_of(const char *text, size_t len)
{
    return text_is_utf8(text, len) ? json_stringn_nocheck(text, len)
                                   : json_stringn(text, len);
}

// How a value is written; passed down the recursion.
struct writer {
    struct buf *out;
    bool sorted;
    int depth;
};

static void put_value(struct writer *writer, const json_t *value);

static void put_integer(struct buf *out, json_int_t value)
{
    char text[TEXT_INT_BYTES];

    buf_append(out, text, text_int(text, value));
}

// Writes the fewest of 15 to 17 digits that read back as the same double, with
// a point or an exponent, so that it reads back as a real. Our programs and our
// library stay in the C locale, so the decimal point is a point.
static void put_real(struct buf *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_puts(out, text);
    if (strpbrk(text, ".e") == NULL)
        buf_puts(out, ".0");
}

static void put_array(struct writer *writer, const json_t *array)
{
    size_t n = json_array_size(array);

    buf_putc(writer->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(writer->out, ',');
        put_value(writer, json_array_get(array, i));
    }
    buf_putc(writer->out, ']');
}

static void put_member(struct writer *writer, const char *key,
                       const json_t *value, bool first)
{
    if (!first)
        buf_putc(writer->out, ',');
    buf_put_json(writer->out, key, strlen(key));
    buf_putc(writer->out, ':');
    put_value(writer, value);
}

static void put_object(struct writer *writer, json_t *object)
{
    bool first = true;

    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        put_member(writer, json_object_iter_key(at), json_object_iter_value(at),
                   first);
        first = false;
    }
}

struct member {
    const char *key;
    const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *one = a;
    const struct member *other = b;

    return strcmp(one->key, other->key);
}

static void put_sorted_object(struct writer *writer, json_t *object)
{
    size_t n = json_object_size(object);
    size_t used = 0;
    struct member *members = calloc(n + 1, sizeof *members);

    if (members == NULL) {
        writer->out->failed = true;
        writer->out->no_memory = true;
        return;
    }
    for (void *at = json_object_iter(object); at != NULL && used < n;
         at = json_object_iter_next(object, at)) {
        members[used].key = json_object_iter_key(at);
        members[used++].value = json_object_iter_value(at);
    }
    qsort(members, used, sizeof *members, compare_members);
    for (size_t i = 0; i < used; i++)
        put_member(writer, members[i].key, members[i].value, i == 0);
    free(members);
}

// jansson's iterators want a mutable value; we do not change it.
static void put_braced(struct writer *writer, const json_t *value)
{
    json_t *object = (json_t *)value;

    buf_putc(writer->out, '{');
    if (writer->sorted)
        put_sorted_object(writer, object);
    else
        put_object(writer, object);
    buf_putc(writer->out, '}');
}

static void put_nested(struct writer *writer, const json_t *value)
{
    if (writer->depth == DEPTH_MAX) {
        writer->out->failed = true;
        return;
    }
    writer->depth++;
    if (json_is_array(value))
        put_array(writer, value);
    else
        put_braced(writer, value);
    writer->depth--;
}

static void put_value(struct writer *writer, const json_t *value)
{
    if (writer->out->failed)
        return;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        put_nested(writer, value);
        break;
    case JSON_STRING:
        buf_put_json(writer->out, json_string_value(value),
                     json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(writer->out, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(writer->out, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_puts(writer->out, "true");
        break;
    case JSON_FALSE:
        buf_puts(writer->out, "false");
        break;
    case JSON_NULL:
        buf_puts(writer->out, "null");
        break;
    }
}

static void put_line(struct writer *writer, const json_t *value)
{
    // A missing value means that there was no memory to build it.
    if (value == NULL) {
        writer->out->failed = true;
        writer->out->no_memory = true;
        return;
    }
    put_value(writer, value);
}

void json_put(struct buf *buf, const json_t *value)
{
    put_line(&(struct writer){.out = buf}, value);
}

void json_put_sorted(struct buf *buf, const json_t *value)
{
    put_line(&(struct writer){.out = buf, .sorted = true}, value);
}

enum { INDENT = 2 }; // spaces per level

// --- in lines ---

static void put_line_start(struct buf *out, size_t depth)
{
    buf_putc(out, '\n');
    for (size_t i = 0; i < depth * INDENT; i++)
        buf_putc(out, ' ');
}

static void put_lines(struct buf *out, const json_t *value, size_t depth);

static void put_array_lines(struct buf *out, const json_t *array, size_t depth)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buf_putc(out, ',');
        put_line_start(out, depth + 1);
        put_lines(out, json_array_get(array, i), depth + 1);
    }
    put_line_start(out, depth);
    buf_putc(out, ']');
}

static void put_object_lines(struct buf *out, json_t *object, size_t depth)
{
    void *first = json_object_iter(object);

    buf_putc(out, '{');
    for (void *at = first; at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (at != first)
            buf_putc(out, ',');
        put_line_start(out, depth + 1);
        buf_put_json(out, key, strlen(key));
        buf_puts(out, ": ");
        put_lines(out, json_object_iter_value(at), depth + 1);
    }
    put_line_start(out, depth);
    buf_putc(out, '}');
}

// Values come from our own readers, which limit their depth.
static void put_lines(struct buf *out, const json_t *value, size_t depth)
{
    if (json_array_size(value) > 0)
        put_array_lines(out, value, depth);
    else if (json_object_size(value) > 0)
        put_object_lines(out, (json_t *)value, depth);
    else
        json_put(out, value);
}

void json_put_lines(struct buf *buf, const json_t *value)
{
    put_lines(buf, value, 0);
}

// The value is in memory already, and that limits its text.
char *json_text(const json_t *value)
{
    struct buf buf = BUF_INIT(SIZE_MAX / 4);

    json_put(&buf, value);
    return buf_take(&buf);
}

const char *json_get_text(const json_t *object, const char *key,
                          const char *fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double json_get_number(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
