#include "program/source/yaml.h"

#include <string.h>

#include <libfyaml.h>

#include "common/text.h"

// Limits for what a hostile file could make long: all nodes, and the members of
// one map, which are compared with each other.
enum { MAX_NODES = 100000, MAX_MEMBERS = 1024, MAX_BRACKETS = 1000 };

struct anchor {
    const char *name;
    const struct node *node;
    struct anchor *next;
};

struct reader {
    struct arena *arena;
    const char *file;
    const char *text; // borrowed; len bytes
    size_t len;
    struct diags *diags;
    struct fy_parser *parser; // owned
    struct fy_diag *log;      // owned
    struct anchor *anchors;
    size_t nodes;
    bool whole_file; // places have lines; false: the text is an argument
};

static void *nomem(struct reader *reader)
{
    reader->diags->nomem = true;
    return NULL;
}

static struct place place_of(const struct reader *reader,
                             struct fy_token *token,
                             const struct place *fallback)
{
    const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
    struct place place = {.file = reader->file};

    if (!reader->whole_file)
        return place;
    if (start == NULL)
        return *fallback;
    place.line = start->line + 1;
    place.column = start->column + 1;
    if (end != NULL && end->line == start->line)
        place.width = end->column - start->column;
    return place;
}

static struct node *new_node(struct reader *reader, enum node_kind kind,
                             const struct place *place)
{
    if (reader->nodes == MAX_NODES) {
        diag_add(reader->diags, DIAG_ERROR, "too-large", place,
                 "the text has more than %d values, counting each use of an "
                 "anchor",
                 MAX_NODES);
        return NULL;
    }
    struct node *node = arena_alloc(reader->arena, sizeof *node);
    if (node == NULL)
        return nomem(reader);
    reader->nodes++;
    node->kind = kind;
    node->place = *place;
    node->text = "";
    return node;
}

// A line is not YAML if a key, or the colon after it, contains lookalike
// characters. libfyaml's message does not say so.
static bool explain_lookalike(struct reader *reader)
{
    int line = 1;

    for (size_t start = 0; start < reader->len; line++) {
        const char *text = reader->text + start;
        const char *end = memchr(text, '\n', reader->len - start);
        size_t len = end == NULL ? reader->len - start : (size_t)(end - text);
        size_t at = 0;
        const char *look = text_lookalike(text, len, &at);
        const char *colon = memchr(text, ':', len);

        if (look != NULL && (colon == NULL || text + at <= colon + 1)) {
            diag_remedy(reader->diags,
                        "line %d contains %s: replace it with a plain one, or "
                        "remove it",
                        line, look);
            return true;
        }
        start += len + 1;
    }
    return false;
}

// The usual causes of libfyaml's messages. The first row that matches counts.
static void add_remedy(struct reader *reader, const char *why)
{
    static const char *const remedies[][2] = {
        {"tab", "indent with blanks"},
        {"closing quote", "close the quote that begins here"},
        {"missing comma", "a comma is missing before this place, or a `{` or "
                          "`[` above is not closed"},
        {"closing bracket", "close every `[` with a `]`, and every `{` with a "
                            "`}`"},
        {"multiline",
         "a key is followed by a colon and a blank, as in `name: my-job`"},
        {"nested", "put a text that contains `: ` or ` #` in quotes, and a map "
                   "on one line in braces"},
        {"start with", "put a text in quotes if it contains `: ` or ` #`, or "
                       "starts with a special character"},
        {"inden", "the entries of a map begin in the same column, and what is "
                  "nested in them further to the right"},
    };

    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (strstr(why, remedies[i][0]) != NULL) {
            diag_remedy(reader->diags, "%s", remedies[i][1]);
            return;
        }
}

static void add_syntax_error(struct reader *reader)
{
    void *at = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(reader->log, &at);
    struct place place = {.file = reader->file, .line = 1, .column = 1};
    const char *why = "it ends too early or is nested too deeply";

    if (error != NULL) {
        place.line = error->line > 0 ? error->line : 1;
        place.column = error->column > 0 ? error->column : 1;
        why = error->msg;
    }
    if (!reader->whole_file)
        place = (struct place){.file = reader->file};
    diag_add(reader->diags, DIAG_ERROR, "syntax", &place,
             "this is not valid YAML: %s", why);
    if (reader->whole_file && !explain_lookalike(reader))
        add_remedy(reader, why);
}

// Returns the next event, which the caller frees. Returns NULL with a finding
// if the text is not YAML.
static struct fy_event *next_event(struct reader *reader)
{
    struct fy_event *event = fy_parser_parse(reader->parser);

    if (event == NULL)
        add_syntax_error(reader);
    return event;
}

// Copies the text of a token into the arena.
static const char *copy_token(struct reader *reader, struct fy_token *token,
                              const struct place *place)
{
    size_t len = 0;
    const char *text = token == NULL ? "" : fy_token_get_text(token, &len);

    if (text == NULL)
        return nomem(reader);
    if (!text_is_utf8(text, len)) {
        diag_add(reader->diags, DIAG_ERROR, "bad-text", place,
                 "this text contains a NUL or half a character");
        return NULL;
    }
    const char *copy = arena_strndup(reader->arena, text, len);
    return copy == NULL ? nomem(reader) : copy;
}

static bool is_null_text(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (strcmp(text, nulls[i]) == 0)
            return true;
    }
    return false;
}

// Sets `hashed` if a comment follows. Returns false when out of memory.
static bool read_hashed(struct reader *reader, struct fy_token *token,
                        struct node *node)
{
    enum { SHOWN = 12 };
    const struct fy_mark *mark = token ? fy_token_end_mark(token) : NULL;
    size_t at = mark == NULL ? reader->len : mark->input_pos;
    size_t end;

    while (at < reader->len &&
           (reader->text[at] == ' ' || reader->text[at] == '\t'))
        at++;
    end = at;
    while (end < reader->len && end - at < SHOWN &&
           strchr(" \t\r\n", reader->text[end]) == NULL)
        end++;
    if (end - at < 2 || reader->text[at] != '#' || reader->text[at + 1] == '#')
        return true;
    while (end > at && !text_is_utf8(reader->text + at, end - at))
        end--; // not inside a character
    node->hashed = arena_strndup(reader->arena, reader->text + at, end - at);
    return node->hashed != NULL || nomem(reader) != NULL;
}

static struct node *read_scalar(struct reader *reader, struct fy_event *event,
                                const struct place *around)
{
    struct fy_token *token = event->scalar.value;
    struct place place = place_of(reader, token, around);
    const char *text = copy_token(reader, token, &place);
    bool plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;

    if (text == NULL)
        return NULL;
    if (event->scalar.tag != NULL)
        plain = false; // !!str; other tags mean nothing to us
    bool null = plain && is_null_text(text);
    if (null && text[0] == '\0')
        place = *around;
    struct node *node =
        new_node(reader, null ? NODE_NULL : NODE_SCALAR, &place);
    if (node == NULL)
        return NULL;
    node->text = text;
    node->quoted = !plain;
    return !plain || read_hashed(reader, token, node) ? node : NULL;
}

static struct node *read_value(struct reader *reader, struct fy_event *event,
                               const struct place *around, int depth);

static bool ends_list(const struct fy_event *event)
{
    return event->type == FYET_SEQUENCE_END;
}

static struct node *read_list(struct reader *reader, const struct place *place,
                              int depth)
{
    struct node *list = new_node(reader, NODE_LIST, place);

    while (list != NULL) {
        struct fy_event *event = next_event(reader);
        if (event == NULL)
            return NULL;
        bool end = ends_list(event);
        struct node *item =
            end ? NULL : read_value(reader, event, place, depth + 1);
        fy_parser_event_free(reader->parser, event);
        if (end)
            return list;
        if (item == NULL)
            return NULL;
        if (!node_add_item(reader->arena, list, item))
            return nomem(reader);
    }
    return NULL;
}

// Adds the members of a merged map that are missing.
static bool merge_map(struct reader *reader, struct node *map,
                      const struct node *from, const struct place *place)
{
    if (from->kind != NODE_MAP) {
        diag_add(reader->diags, DIAG_ERROR, "bad-merge", place,
                 "`<<` merges a map or a list of maps, this is neither");
        return true;
    }
    for (size_t i = 0; i < from->n; i++) {
        if (node_find(map, from->keys[i]) != NULL)
            continue;
        if (map->n == MAX_MEMBERS ||
            !node_add_member(reader->arena, map, from->keys[i],
                             &from->key_places[i], from->items[i]))
            return nomem(reader) != NULL;
    }
    return true;
}

static bool merge_value(struct reader *reader, struct node *map,
                        const struct node *value, const struct place *place)
{
    if (value == NULL)
        return true;
    if (value->kind != NODE_LIST)
        return merge_map(reader, map, value, place);
    for (size_t i = 0; i < value->n; i++) {
        if (!merge_map(reader, map, value->items[i], place))
            return false;
    }
    return true;
}

// Reads the key of a member; NULL with a finding if the event is not a key.
static const char *read_key(struct reader *reader, struct fy_event *event,
                            const struct place *around, struct place *place)
{
    if (event->type != FYET_SCALAR) {
        diag_add(reader->diags, DIAG_ERROR, "bad-key", around,
                 "the keys of this map must be plain texts");
        return NULL;
    }
    *place = place_of(reader, event->scalar.value, around);
    return copy_token(reader, event->scalar.value, place);
}

static bool is_merge_key(const struct fy_event *event, const char *key)
{
    return strcmp(key, "<<") == 0 &&
           fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
}

static bool put_member(struct reader *reader, struct node *map, const char *key,
                       const struct place *place, struct node *value)
{
    const struct place *first = node_key_place(map, key);

    if (first != NULL) {
        diag_add(reader->diags, DIAG_ERROR, "duplicate-key", place,
                 "`%s` appears here a second time, the first is on line %d",
                 key, first->line);
        return true;
    }
    if (map->n == MAX_MEMBERS) {
        diag_add(reader->diags, DIAG_ERROR, "too-large", place,
                 "this map has more than %d members", MAX_MEMBERS);
        return false;
    }
    return node_add_member(reader->arena, map, key, place, value) ||
           nomem(reader) != NULL;
}

// Reads the value after a key.
static struct node *read_member_value(struct reader *reader,
                                      const struct place *place, int depth)
{
    struct fy_event *event = next_event(reader);
    struct node *value = NULL;

    if (event != NULL) {
        value = read_value(reader, event, place, depth + 1);
        fy_parser_event_free(reader->parser, event);
    }
    return value;
}

// Reads one member, starting with the event of its key.
static bool read_member(struct reader *reader, struct fy_event *event,
                        struct node *map, struct node **merged, int depth)
{
    struct place place = {0};
    const char *key = read_key(reader, event, &map->place, &place);
    struct node *value =
        key == NULL ? NULL : read_member_value(reader, &place, depth);

    if (value == NULL)
        return false;
    if (is_merge_key(event, key)) {
        *merged = value;
        return true;
    }
    return put_member(reader, map, key, &place, value);
}

static struct node *read_map(struct reader *reader, const struct place *place,
                             int depth)
{
    struct node *map = new_node(reader, NODE_MAP, place);
    struct node *merged = NULL;

    while (map != NULL) {
        struct fy_event *event = next_event(reader);
        if (event == NULL)
            return NULL;
        bool end = event->type == FYET_MAPPING_END;
        bool ok = end || read_member(reader, event, map, &merged, depth);
        fy_parser_event_free(reader->parser, event);
        if (!ok)
            return NULL;
        if (end)
            return merge_value(reader, map, merged, place) ? map : NULL;
    }
    return NULL;
}

// Each use of an anchor gets its own copy: a tree has no shared parts, and the
// copies count toward MAX_NODES.
static struct node *copy_node(struct reader *reader, const struct node *from,
                              int depth)
{
    if (depth > YAML_MAX_DEPTH) {
        diag_add(reader->diags, DIAG_ERROR, "too-deep", &from->place,
                 "values are nested more than %d levels deep", YAML_MAX_DEPTH);
        return NULL;
    }
    struct node *copy = new_node(reader, from->kind, &from->place);
    if (copy == NULL)
        return NULL;
    copy->quoted = from->quoted;
    copy->text = from->text;
    for (size_t i = 0; i < from->n; i++) {
        struct node *item = copy_node(reader, from->items[i], depth + 1);
        if (item == NULL)
            return NULL;
        bool ok = from->kind == NODE_MAP
                      ? node_add_member(reader->arena, copy, from->keys[i],
                                        &from->key_places[i], item)
                      : node_add_item(reader->arena, copy, item);
        if (!ok)
            return nomem(reader);
    }
    return copy;
}

static struct node *read_alias(struct reader *reader, struct fy_event *event,
                               const struct place *around, int depth)
{
    struct place place = place_of(reader, event->alias.anchor, around);
    const char *name = copy_token(reader, event->alias.anchor, &place);

    if (name == NULL)
        return NULL;
    for (struct anchor *at = reader->anchors; at != NULL; at = at->next) {
        if (strcmp(at->name, name) == 0)
            return copy_node(reader, at->node, depth);
    }
    diag_add(reader->diags, DIAG_ERROR, "unknown-anchor", &place,
             "there is no anchor `&%s` before this place", name);
    return NULL;
}

static struct node *keep_anchor(struct reader *reader, struct fy_token *token,
                                struct node *node)
{
    if (node == NULL || token == NULL)
        return node;
    struct anchor *anchor = arena_alloc(reader->arena, sizeof *anchor);
    const char *name = copy_token(reader, token, &node->place);
    if (anchor == NULL || name == NULL)
        return nomem(reader);
    *anchor = (struct anchor){name, node, reader->anchors};
    reader->anchors = anchor;
    return node;
}

// Reads the value that starts with event. `around` is used for values that have
// no place of their own.
static struct node *read_value(struct reader *reader, struct fy_event *event,
                               const struct place *around, int depth)
{
    struct place place = {0};

    if (depth > YAML_MAX_DEPTH) {
        diag_add(reader->diags, DIAG_ERROR, "too-deep", around,
                 "values are nested more than %d levels deep", YAML_MAX_DEPTH);
        return NULL;
    }
    switch (event->type) {
    case FYET_SCALAR:
        return keep_anchor(reader, event->scalar.anchor,
                           read_scalar(reader, event, around));
    case FYET_SEQUENCE_START:
        place = place_of(reader, event->sequence_start.sequence_start, around);
        return keep_anchor(reader, event->sequence_start.anchor,
                           read_list(reader, &place, depth));
    case FYET_MAPPING_START:
        place = place_of(reader, event->mapping_start.mapping_start, around);
        return keep_anchor(reader, event->mapping_start.anchor,
                           read_map(reader, &place, depth));
    case FYET_ALIAS:
        return read_alias(reader, event, around, depth);
    default:
        add_syntax_error(reader);
        return NULL;
    }
}

// Reads the document; events before and after its value are skipped.
static struct node *read_document(struct reader *reader)
{
    struct place top = {.file = reader->file};
    struct node *root = NULL;

    if (reader->whole_file)
        top.line = top.column = 1;
    for (;;) {
        struct fy_event *event = next_event(reader);
        if (event == NULL)
            return NULL;
        enum fy_event_type type = event->type;
        bool frame = type == FYET_STREAM_START || type == FYET_STREAM_END ||
                     type == FYET_DOCUMENT_START || type == FYET_DOCUMENT_END;
        bool second = root != NULL && !frame;
        const struct fy_mark *mark = second ? fy_event_start_mark(event) : NULL;
        if (mark != NULL && reader->whole_file) {
            top.line = mark->line + 1;
            top.column = mark->column + 1;
        }
        if (!frame && !second)
            root = read_value(reader, event, &top, 0);
        fy_parser_event_free(reader->parser, event);
        if (second) {
            diag_add(reader->diags, DIAG_ERROR, "syntax", &top,
                     "a second YAML document begins here");
            diag_remedy(reader->diags,
                        "remove it, and the line `---` before it");
            return NULL;
        }
        if (type == FYET_STREAM_END)
            return root != NULL ? root : new_node(reader, NODE_NULL, &top);
        if (!frame && root == NULL)
            return NULL;
    }
}

static bool open_parser(struct reader *reader, const char *text, size_t len)
{
    struct fy_diag_cfg log = {.level = FYET_ERROR, .module_mask = ~0U};

    reader->log = fy_diag_create(&log);
    if (reader->log == NULL)
        return false;
    fy_diag_set_collect_errors(reader->log, true);
    struct fy_parse_cfg cfg = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
                 FYPCF_DEFAULT_VERSION_1_2 | FYPCF_ALLOW_DUPLICATE_KEYS |
                 FYPCF_SLOPPY_FLOW_INDENTATION,
        .diag = reader->log};
    reader->parser = fy_parser_create(&cfg);
    return reader->parser != NULL &&
           fy_parser_set_string(reader->parser, text, len) == 0;
}

static void close_parser(struct reader *reader)
{
    if (reader->parser != NULL)
        fy_parser_destroy(reader->parser);
    if (reader->log != NULL)
        fy_diag_destroy(reader->log);
}

static bool check_bytes(const struct reader *reader, const char *text,
                        size_t len)
{
    struct place place = {.file = reader->file};

    if (len > YAML_MAX_BYTES) {
        diag_add(reader->diags, DIAG_ERROR, "too-large", &place,
                 "the text is larger than %d bytes", YAML_MAX_BYTES);
        diag_remedy(reader->diags, "a job file only describes the job: move "
                                   "what is long to files that it names");
        return false;
    }
    if (!text_is_utf8(text, len)) {
        diag_add(
            reader->diags, DIAG_ERROR, "bad-text", &place,
            !reader->whole_file
                ? "it is not UTF-8"
                : "the text is not UTF-8: save it as UTF-8 (`iconv -f OTHER "
                  "-t UTF-8 OLD > NEW`, OTHER being UTF-16 or WINDOWS-1252)");
        return false;
    }
    return true;
}

// libfyaml keeps every open bracket, at some 350 bytes each, before it reports
// the first one. This check also counts brackets inside quotes, since no job
// file has that many more opening than closing brackets.
static bool check_brackets(const struct reader *reader, const char *text,
                           size_t len)
{
    struct place place = {.file = reader->file, .line = 1, .column = 1};
    int open = 0;

    for (size_t i = 0; i < len && open <= MAX_BRACKETS; i++) {
        if (text[i] == '\n')
            place.line++;
        if (text[i] == '[' || text[i] == '{')
            open++;
        else if ((text[i] == ']' || text[i] == '}') && open > 0)
            open--;
    }
    if (open > MAX_BRACKETS)
        diag_add(reader->diags, DIAG_ERROR, "too-deep", &place,
                 "values are nested more than %d levels deep", YAML_MAX_DEPTH);
    return open <= MAX_BRACKETS;
}

static struct node *read_text(struct reader *reader, const char *text,
                              size_t len)
{
    struct node *root = NULL;

    reader->text = text;
    reader->len = len;
    if (!check_bytes(reader, text, len) || !check_brackets(reader, text, len))
        return NULL;
    if (open_parser(reader, text, len))
        root = read_document(reader);
    else
        reader->diags->nomem = true;
    close_parser(reader);
    return root;
}

struct node *yaml_parse(struct arena *arena, const char *file, const char *text,
                        size_t len, struct diags *diags)
{
    struct reader reader = {
        .arena = arena, .file = file, .diags = diags, .whole_file = true};

    if (text_is_utf8(text, len) && len <= YAML_MAX_BYTES)
        diag_source(diags, file, text, len);
    return read_text(&reader, text, len);
}

bool yaml_set(struct arena *arena, struct node *root, const char *key,
              const char *value, struct diags *diags)
{
    const char *file = arena_printf(arena, "--set %s=%s", key, value);
    struct reader reader = {.arena = arena, .file = file, .diags = diags};

    if (file == NULL) {
        diags->nomem = true;
        return false;
    }
    struct place place = {.file = file};
    if (!text_is_utf8(key, strlen(key)) || key[0] == '\0') {
        diag_add(diags, DIAG_ERROR, "bad-key", &place,
                 "the key of a setting is a name of the job file, such as "
                 "optimizer.miprov2.auto");
        return false;
    }
    struct node *node = read_text(&reader, value, strlen(value));
    return node != NULL && node_put(arena, root, key, node, diags);
}
