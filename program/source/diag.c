#include "program/source/diag.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum {
    ARENA_MAX = 96 << 20,
    LINE_MAX_BYTES = 160,
    HEAD_MAX_BYTES = 16 << 20,
    SAME_MOST = 3, // how many findings with the same text are printed
};

static const char *const level_names[] = {"error", "warning", "info"};

struct diags *diags_new(struct err *err)
{
    struct diags *diags = calloc(1, sizeof *diags);

    if (diags == NULL) {
        err_nomem(err, "findings");
        return NULL;
    }
    diags->arena = ARENA_INIT(ARENA_MAX);
    return diags;
}

void diags_free(struct diags *diags)
{
    if (diags == NULL)
        return;
    arena_release(&diags->arena);
    free(diags);
}

void diag_source(struct diags *diags, const char *file, const char *text,
                 size_t len)
{
    if (diags->n_sources == DIAG_MAX_SOURCES)
        return;
    char *copy = arena_strndup(&diags->arena, text, len);
    char *name = arena_strdup(&diags->arena, file);
    if (copy == NULL || name == NULL) {
        diags->nomem = true;
        return;
    }
    diags->sources[diags->n_sources++] =
        (struct diag_source){.file = name, .text = copy, .len = len};
}

bool place_copy(struct arena *arena, const struct place *from,
                struct place *out)
{
    *out = *from;
    if (from->file == NULL)
        return true;
    out->file = arena_strdup(arena, from->file);
    return out->file != NULL;
}

static bool same_file(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const struct diag_source *find_source(const struct diags *diags,
                                             const char *file)
{
    for (size_t i = 0; i < diags->n_sources; i++) {
        if (same_file(diags->sources[i].file, file))
            return &diags->sources[i];
    }
    return NULL;
}

// Returns line `no` of source, without its line end. NULL past the last line.
static const char *find_line(const struct diag_source *source, int no,
                             size_t *len)
{
    const char *at = source->text;
    const char *end = source->text + source->len;

    for (int i = 1; i < no; i++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (next == NULL)
            return NULL;
        at = next + 1;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *len = (size_t)((stop == NULL ? end : stop) - at);
    if (*len > 0 && at[*len - 1] == '\r')
        (*len)--;
    return at;
}

static char *format_text(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static char *format_text(struct arena *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

// Copies a place, with a file name that the list owns. Consecutive findings in
// the same file share one copy of the name.
static bool keep_place(struct diags *diags, const struct place *place,
                       struct place *out)
{
    const char *last =
        diags->n > 0 ? diags->items[diags->n - 1].place.file : NULL;

    if (last == NULL || !same_file(last, place->file))
        return place_copy(&diags->arena, place, out);
    *out = *place;
    out->file = last;
    return true;
}

static struct diag *last_of(struct diags *diags)
{
    return diags->n > 0 && diags->dropped == 0 ? &diags->items[diags->n - 1]
                                               : NULL;
}

static void attach_line(struct diags *diags, const struct place *place)
{
    const struct diag_source *source = find_source(diags, place->file);
    size_t len = 0;

    if (source == NULL || place->line == 0)
        return;
    const char *line = find_line(source, place->line, &len);
    if (line != NULL)
        diag_line(diags, line, len);
}

void diag_add(struct diags *diags, enum diag_level level, const char *code,
              const struct place *place, const char *format, ...)
{
    va_list args;

    if (level == DIAG_ERROR)
        diags->errors++;
    if (diags->n == DIAG_MAX) {
        diags->dropped++;
        return;
    }
    va_start(args, format);
    const char *text = format_text(&diags->arena, format, args);
    va_end(args);
    struct place kept = {0};
    if (text == NULL || !keep_place(diags, place, &kept)) {
        diags->nomem = true;
        return;
    }
    diags->items[diags->n++] = (struct diag){
        .level = level, .code = code, .place = kept, .text = text};
    attach_line(diags, place);
}

void diag_remedy(struct diags *diags, const char *format, ...)
{
    struct diag *diag = last_of(diags);
    va_list args;

    if (diag == NULL)
        return;
    va_start(args, format);
    diag->remedy = format_text(&diags->arena, format, args);
    va_end(args);
    if (diag->remedy == NULL)
        diags->nomem = true;
}

void diag_remove(struct diags *diags, const char *code)
{
    size_t n = 0;

    for (size_t i = 0; i < diags->n; i++)
        if (diags->items[i].level != DIAG_WARNING ||
            strcmp(diags->items[i].code, code) != 0)
            diags->items[n++] = diags->items[i];
    diags->n = n;
}

void diag_line(struct diags *diags, const char *line, size_t len)
{
    struct diag *diag = last_of(diags);

    if (diag == NULL)
        return;
    diag->line = arena_strndup(&diags->arena, line, len);
    if (diag->line == NULL)
        diags->nomem = true;
}

// Ranks files in the order of their first findings.
static size_t file_rank(const struct diags *diags, const char *file)
{
    size_t i = 0;

    while (i < diags->n && !same_file(diags->items[i].place.file, file))
        i++;
    return i;
}

static bool comes_before(const struct diags *diags, const struct diag *a,
                         const struct diag *b)
{
    size_t a_rank = file_rank(diags, a->place.file);
    size_t b_rank = file_rank(diags, b->place.file);

    if (a_rank != b_rank)
        return a_rank < b_rank;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line;
    return a->place.column < b->place.column;
}

// A stable insertion sort: there are at most DIAG_MAX items, and they are
// mostly in order already.
static void sort_items(const struct diags *diags,
                       const struct diag *sorted[DIAG_MAX])
{
    for (size_t i = 0; i < diags->n; i++) {
        size_t at = i;
        for (; at > 0 && comes_before(diags, &diags->items[i], sorted[at - 1]);
             at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &diags->items[i];
    }
}

static void put_place(const struct place *place, struct buf *out)
{
    buf_puts(out, place->file == NULL ? "" : place->file);
    if (place->line > 0)
        buf_printf(out, ":%d", place->line);
    if (place->line > 0 && place->column > 0)
        buf_printf(out, ":%d", place->column);
    if (out->len > 0)
        buf_puts(out, ": ");
}

bool diags_ok(const struct diags *diags, struct err *err)
{
    const struct diag *sorted[DIAG_MAX] = {0};
    struct buf place = BUF_INIT(HEAD_MAX_BYTES);

    if (diags->nomem) {
        err_nomem(err, "findings");
        return false;
    }
    if (diags->errors == 0)
        return true;
    sort_items(diags, sorted);
    for (size_t i = 0; i < diags->n; i++) {
        if (sorted[i]->level != DIAG_ERROR)
            continue;
        put_place(&sorted[i]->place, &place);
        err_set(err, ERR_INPUT, "%s%s", place.data == NULL ? "" : place.data,
                sorted[i]->text);
        buf_release(&place);
        return false;
    }
    err_set(err, ERR_INPUT, "there are %zu errors", diags->errors);
    return false;
}

// Replaces a tab by one blank, so that the mark below is in the right column,
// and other control characters, which could play tricks on a terminal, by a
// period.
static void put_clean(const char *line, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c == '\t')
            buf_putc(out, ' ');
        else
            buf_putc(out, c < 0x20 || c == 0x7f ? '.' : line[i]);
    }
}

// Returns how many bytes of a line are shown; a cut never splits a character.
static size_t shown_bytes(const char *line)
{
    size_t len = strlen(line);

    return len <= LINE_MAX_BYTES ? len : utf8_cut(line, LINE_MAX_BYTES);
}

// Moves *at past n characters, or to the end, and sets n to how many there
// were. Returns how many columns of a terminal they take.
static size_t skip_characters(const char **at, const char *end, size_t *n)
{
    size_t columns = 0, most = *n;

    for (*n = 0; *n < most && *at < end; (*n)++) {
        uint32_t code = 0;
        size_t bytes = utf8_next(*at, (size_t)(end - *at), &code);

        // Control characters are shown as a period.
        columns += bytes == 0 || code < 0x20 ? 1 : utf8_columns(code);
        *at += bytes == 0 ? 1 : bytes;
    }
    return columns;
}

static void put_mark(const struct diag *diag, size_t shown, struct buf *out)
{
    size_t before = (size_t)diag->place.column - 1;
    size_t width = diag->place.width > 0 ? (size_t)diag->place.width : 1;
    const char *at = diag->line;

    if (diag->place.column < 1)
        return;
    size_t blanks = skip_characters(&at, diag->line + shown, &before);
    if (before + 1 < (size_t)diag->place.column)
        return; // it is beyond what is shown
    size_t marked = skip_characters(&at, diag->line + shown, &width);
    buf_printf(out, "%7s| %*s", "", (int)blanks, "");
    for (size_t i = 0; i < marked || i == 0; i++)
        buf_putc(out, '^');
    buf_putc(out, '\n');
}

static void put_diag(const struct diag *diag, struct buf *out)
{
    struct buf head = BUF_INIT(HEAD_MAX_BYTES);

    put_place(&diag->place, &head);
    buf_puts(&head, level_names[diag->level]);
    buf_puts(&head, ": ");
    buf_puts(&head, diag->text);
    if (head.data != NULL)
        put_clean(head.data, head.len, out);
    buf_putc(out, '\n');
    buf_release(&head);
    if (diag->line != NULL && diag->place.line > 0) {
        size_t shown = shown_bytes(diag->line);
        buf_printf(out, "%6d | ", diag->place.line);
        put_clean(diag->line, shown, out);
        buf_putc(out, '\n');
        put_mark(diag, shown, out);
    }
    if (diag->remedy != NULL)
        buf_printf(out, "       = %s\n", diag->remedy);
}

static bool says_the_same(const struct diag *a, const struct diag *b)
{
    return a->level == b->level && same_file(a->place.file, b->place.file) &&
           strcmp(a->text, b->text) == 0;
}

// A cause that affects many lines is reported three times.
static void put_unless_repeated(const struct diag *const *sorted, size_t n,
                                size_t at, struct buf *out)
{
    size_t before = 0, behind = 0;

    for (size_t i = 0; i < n; i++)
        if (i != at && says_the_same(sorted[i], sorted[at]))
            *(i < at ? &before : &behind) += 1;
    if (before < SAME_MOST)
        put_diag(sorted[at], out);
    if (before + 1 == SAME_MOST && behind > 0)
        buf_printf(out, "       = the same on %zu more line%s\n", behind,
                   behind == 1 ? "" : "s");
}

void diags_print(const struct diags *diags, struct buf *out)
{
    const struct diag *sorted[DIAG_MAX] = {0};

    sort_items(diags, sorted);
    for (size_t i = 0; i < diags->n; i++)
        put_unless_repeated(sorted, diags->n, i, out);
    if (diags->dropped > 0)
        buf_printf(out, "... and %zu more\n", diags->dropped);
}

// Paths and arguments need not be UTF-8; JSON must be.
static json_t *text_json(const char *text)
{
    struct buf buf = BUF_INIT(HEAD_MAX_BYTES);

    buf_put_json(&buf, text, strlen(text));
    json_t *json = buf.failed
                       ? NULL
                       : json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
    buf_release(&buf);
    return json;
}

static json_t *diag_json(const struct diag *diag)
{
    struct buf place = BUF_INIT(HEAD_MAX_BYTES);

    put_place(&diag->place, &place);
    if (place.len >= 2)
        place.data[place.len -= 2] = '\0'; // the ": " at its end
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o?, s:o}", "level", level_names[diag->level], "code",
        diag->code, "text", text_json(diag->text), "remedy",
        diag->remedy == NULL ? NULL : text_json(diag->remedy), "place",
        text_json(place.data == NULL ? "" : place.data));
    buf_release(&place);
    return json;
}

json_t *diags_json(const struct diags *diags)
{
    const struct diag *sorted[DIAG_MAX] = {0};
    json_t *list = json_array();

    sort_items(diags, sorted);
    for (size_t i = 0; list != NULL && i < diags->n; i++) {
        if (json_array_append_new(list, diag_json(sorted[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}
