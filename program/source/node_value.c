#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "program/source/node.h"

// --- one value ---

// Describes a node for "expected ..., found ...". The text is in the arena of
// diags, so that findings may quote values of any length.
static const char *describe(const struct node *node, struct diags *diags)
{
    static const char *const kinds[] = {
        [NODE_NULL] = "nothing", [NODE_LIST] = "a list", [NODE_MAP] = "a map"};

    if (node->kind != NODE_SCALAR)
        return kinds[node->kind];
    bool cut = strlen(node->text) > 60;
    const char *text =
        cut ? "a long text"
            : arena_printf(&diags->arena, node->quoted ? "\"%s\"" : "`%s`",
                           node->text);
    return text == NULL ? "another value" : text;
}

static bool refuse(const struct node *node, const char *what,
                   const char *expected, struct diags *diags)
{
    diag_add(diags, DIAG_ERROR, "wrong-value", &node->place,
             "%s must be %s, found %s", what, expected, describe(node, diags));
    return false;
}

// Rejects an empty value. A text that begins with `#` is a comment, so the
// value is empty.
static bool refuse_nothing(const struct node *node, const char *what,
                           struct diags *diags)
{
    size_t before = diags->n;

    (void)refuse(node, what, "a text", diags);
    if (diags->n > before && diags->items[before].line != NULL &&
        strstr(diags->items[before].line, " #") != NULL)
        diag_remedy(diags, "` #` begins a comment in YAML: put the text in "
                           "quotes");
    return false;
}

bool node_text(const struct node *node, const char *what, const char **out,
               struct diags *diags)
{
    if (node->kind == NODE_NULL)
        return refuse_nothing(node, what, diags);
    if (node->kind != NODE_SCALAR)
        return refuse(node, what, "a text", diags);
    *out = node->text;
    return true;
}

bool node_sentence(const struct node *node, const char *what, const char **out,
                   struct diags *diags)
{
    if (!node_text(node, what, out, diags))
        return false;
    if (node->hashed != NULL) {
        diag_add(diags, DIAG_WARNING, "ends-in-comment", &node->place,
                 "%s ends before `%s`, which begins a comment in YAML", what,
                 node->hashed);
        diag_remedy(diags, "put the text in quotes if it continues there, or a "
                           "blank after the `#`");
    }
    return true;
}

// Reads plain decimal numbers: YAML's integers, and the suffixes K and M.
static bool read_int(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    int64_t value = 0;

    if (!text_count(text + (negative || text[0] == '+'), &value))
        return false;
    *out = negative ? -value : value;
    return true;
}

bool node_int(const struct node *node, const char *what, int64_t min,
              int64_t max, int64_t *out, struct diags *diags)
{
    int64_t value = 0;

    if (node->kind != NODE_SCALAR || node->quoted ||
        !read_int(node->text, &value))
        return refuse(node, what, "a whole number", diags);
    if (value >= min && value <= max) {
        *out = value;
        return true;
    }
    if (value < min)
        diag_add(diags, DIAG_ERROR, "out-of-range", &node->place,
                 "%s must be at least %" PRId64 ", found `%s`", what, min,
                 node->text);
    else
        diag_add(diags, DIAG_ERROR, "out-of-range", &node->place,
                 "%s must be at most %" PRId64 ", found `%s`", what, max,
                 node->text);
    return false;
}

// Reads -1.5e3, .5, 7: a finite decimal number of YAML's core schema.
static bool read_number(const char *text, double *out)
{
    char *end = NULL;

    if (text[strspn(text, "+-.0123456789eE")] != '\0' ||
        strpbrk(text, "0123456789") == NULL)
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

bool node_number(const struct node *node, const char *what, double min,
                 double max, double *out, struct diags *diags)
{
    double value = 0;

    if (node->kind != NODE_SCALAR || node->quoted ||
        !read_number(node->text, &value))
        return refuse(node, what, "a number", diags);
    if (value >= min && value <= max) {
        *out = value;
        return true;
    }
    if (value < min)
        diag_add(diags, DIAG_ERROR, "out-of-range", &node->place,
                 "%s must be at least %g, found `%s`", what, min, node->text);
    else
        diag_add(diags, DIAG_ERROR, "out-of-range", &node->place,
                 "%s must be at most %g, found `%s`", what, max, node->text);
    return false;
}

static bool read_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "False", "FALSE",
                                        "true",  "True",  "TRUE"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i >= 3;
            return true;
        }
    }
    return false;
}

bool node_bool(const struct node *node, const char *what, bool *out,
               struct diags *diags)
{
    if (node->kind != NODE_SCALAR || node->quoted ||
        !read_bool(node->text, out))
        return refuse(node, what, "true or false", diags);
    return true;
}

bool node_choice(const struct node *node, const char *what,
                 const char *const *names, size_t *out, struct diags *diags)
{
    const char *text = node->kind == NODE_SCALAR ? node->text : "";
    struct buf list = BUF_INIT(1024);
    const char *nearest;
    size_t n = 0;

    for (; names[n] != NULL; n++) {
        if (node->kind == NODE_SCALAR && strcmp(text, names[n]) == 0) {
            buf_release(&list);
            *out = n;
            return true;
        }
        buf_printf(&list, "%s%s", n > 0 ? " or " : "", names[n]);
    }
    nearest = text_nearest(text, names, n);
    if (nearest != NULL)
        diag_add(diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s must be %s, found `%s`, did you mean `%s`?", what,
                 list.data, text, nearest);
    else if (text[0] != '\0')
        diag_add(diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s must be %s, found `%s`", what, list.data, text);
    else
        diag_add(diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s must be %s", what, list.data);
    buf_release(&list);
    return false;
}

// --- the keys of a map ---

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void suggest_keys(const char *const *names, size_t n,
                         struct diags *diags)
{
    struct buf list = BUF_INIT(1024);

    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (list.len > 0 && !list.failed)
        diag_remedy(diags, "its keys are: %s", list.data);
    buf_release(&list);
}

void node_only_keys(const struct node *map, const char *where,
                    const char *const *names, size_t n, struct diags *diags)
{
    for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++) {
        if (is_among(map->keys[i], names, n))
            continue;
        const char *nearest = text_nearest(map->keys[i], names, n);
        if (nearest != NULL)
            diag_add(diags, DIAG_ERROR, "unknown-key", &map->key_places[i],
                     "unknown key `%s` in %s, did you mean `%s`?", map->keys[i],
                     where, nearest);
        else
            diag_add(diags, DIAG_ERROR, "unknown-key", &map->key_places[i],
                     "unknown key `%s` in %s", map->keys[i], where);
        size_t at = 0;
        const char *look =
            text_lookalike(map->keys[i], strlen(map->keys[i]), &at);
        if (look != NULL)
            diag_remedy(diags,
                        "this key contains %s: replace it with a plain one, or "
                        "remove it",
                        look);
        else if (map->keys[i][strspn(map->keys[i], "0123456789")] == '\0')
            diag_remedy(diags, "a number has no commas in it: 20000, or 20K");
        else if (strchr(map->keys[i], ':') != NULL)
            diag_remedy(diags, "YAML requires a blank after the colon");
        else if (nearest == NULL)
            suggest_keys(names, n, diags);
    }
}

// --- as JSON ---

static bool is_int_text(const char *text)
{
    text += text[0] == '-' || text[0] == '+';
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static json_t *scalar_json(const struct node *node)
{
    bool flag = false;
    double number = 0;

    if (node->quoted)
        return json_string(node->text);
    if (read_bool(node->text, &flag))
        return json_boolean(flag);
    if (is_int_text(node->text)) {
        errno = 0;
        long long value = strtoll(node->text, NULL, 10);
        if (errno == 0)
            return json_integer(value);
    }
    if (read_number(node->text, &number))
        return json_real(number);
    return json_string(node->text);
}

static json_t *list_json(const struct node *node)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < node->n; i++) {
        if (json_array_append_new(list, node_json(node->items[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *map_json(const struct node *node)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < node->n; i++) {
        if (json_object_set_new(map, node->keys[i],
                                node_json(node->items[i])) != 0) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

json_t *node_json(const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL:
        return json_null();
    case NODE_SCALAR:
        return scalar_json(node);
    case NODE_LIST:
        return list_json(node);
    case NODE_MAP:
        return map_json(node);
    }
    return NULL;
}
