#include "simulated/sim_rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 40, LABEL_MAX_BYTES = 48, WORDS_MAX = 8192 };

static const char GUIDE_MIDDLE[] = "` when it speaks of ";

static bool same(struct sim_span a, struct sim_span b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

// ---- cells

static void add_cell(struct sim_rows *rows, struct sim_span name,
                     struct sim_span value)
{
    if (rows->n_cells == SIM_CELLS_MAX || name.len == 0)
        return;
    bool repeated = rows->n_rows == 0;
    for (size_t i = rows->n_cells; i > 0 && !repeated; i--) {
        if (rows->cells[i - 1].row + 1 != rows->n_rows)
            break;
        repeated = same(rows->cells[i - 1].name, name);
    }
    rows->n_rows += repeated;
    rows->cells[rows->n_cells++] =
        (struct sim_cell){name, value, rows->n_rows - 1};
}

// Reads a quoted string at `at`. Returns its end, or NULL if there is none.
static const char *read_quoted(const char *at, struct sim_span *text)
{
    char quote = *at;
    if (quote != '"' && quote != '\'')
        return NULL;
    const char *p = at + 1;
    while (*p != '\0' && *p != quote)
        p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    *text = (struct sim_span){at + 1, (size_t)(p - at - 1)};
    return *p == '\0' ? NULL : p + 1;
}

// Reads "name": "value" anywhere; a value that is not a string ends at a comma
// or brace. Nested objects and lists are entered: their members are cells of
// the row.
static void read_quoted_cells(struct sim_rows *rows, const char *text)
{
    const char *at = text;
    while ((at = strpbrk(at, "\"'")) != NULL) {
        struct sim_span name;
        struct sim_span value;
        const char *end = read_quoted(at, &name);
        if (end == NULL || *end != ':' || name.len > NAME_MAX_BYTES ||
            memchr(name.at, '\n', name.len) != NULL) {
            at++;
            continue;
        }
        end++;
        while (*end == ' ')
            end++;
        if (*end == '{' || *end == '[') {
            at = end + 1;
            continue;
        }
        const char *after = read_quoted(end, &value);
        if (after == NULL) {
            value = (struct sim_span){end, strcspn(end, ",}\n")};
            after = end + value.len;
        }
        add_cell(rows, name, value);
        at = after;
    }
}

static void read_line_cells(struct sim_rows *rows, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        const char *colon = memchr(at, ':', len);
        size_t name = colon == NULL ? 0 : (size_t)(colon - at);
        bool fits = name > 0 && name <= NAME_MAX_BYTES &&
                    isalpha((unsigned char)at[0]) && colon[1] == ' ';
        if (fits)
            add_cell(rows, (struct sim_span){at, name},
                     (struct sim_span){colon + 2, len - name - 2});
        at += len + (at[len] != '\0');
    }
}

// ---- corrections

// Reads what is between backticks at `at`. Returns the position after it, or
// NULL if there is nothing.
static const char *read_ticked(const char *at, struct sim_span *text)
{
    if (*at != '`')
        return NULL;
    size_t len = strcspn(at + 1, "`\n");
    *text = (struct sim_span){at + 1, len};
    return at[len + 1] == '`' ? at + len + 2 : NULL;
}

static const char *skip_text(const char *at, const char *text)
{
    size_t len = strlen(text);
    return at != NULL && strncmp(at, text, len) == 0 ? at + len : NULL;
}

// Reads "`intent` is `a`, but `b` is right": changes the last cell of that name
// before it to b, and makes its column the one that is judged.
static const char *read_correction(struct sim_rows *rows, const char *text)
{
    struct sim_span name, wrong, right;
    const char *at = skip_text(read_ticked(text, &name), " is ");

    at = at == NULL ? NULL : skip_text(read_ticked(at, &wrong), ", but ");
    at = at == NULL ? NULL : skip_text(read_ticked(at, &right), " is right");
    if (at == NULL)
        return NULL;
    struct sim_cell *found = NULL;
    for (size_t i = 0; i < rows->n_cells && rows->cells[i].name.at < text; i++)
        if (same(rows->cells[i].name, name))
            found = &rows->cells[i];
    if (found != NULL) {
        found->value = right;
        rows->label_name = name;
    }
    return at;
}

static void read_corrections(struct sim_rows *rows, const char *text)
{
    const char *at = text;
    while ((at = strchr(at, '`')) != NULL) {
        const char *end = read_correction(rows, at);
        at = end == NULL ? at + 1 : end;
    }
}

// ---- columns

struct column {
    struct sim_span name;
    size_t n;
    size_t bytes;    // of all values
    size_t distinct; // counted up to 64
    bool is_short;   // all values
    bool is_numbers; // all values
};

static bool is_number(struct sim_span value)
{
    size_t sign = value.len > 0 && strchr("+-", value.at[0]) != NULL;

    return value.len > sign &&
           strspn(value.at + sign, ".0123456789") >= value.len - sign;
}

static size_t count_distinct(const struct sim_rows *rows, struct sim_span name)
{
    struct sim_span seen[SIM_GUIDE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < rows->n_cells && n < SIM_GUIDE_MAX; i++) {
        const struct sim_cell *cell = &rows->cells[i];
        size_t k = 0;
        while (k < n && !same(seen[k], cell->value))
            k++;
        if (same(cell->name, name) && k == n)
            seen[n++] = cell->value;
    }
    return n;
}

static size_t find_columns(const struct sim_rows *rows, struct column *columns,
                           size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n_cells; i++) {
        const struct sim_cell *cell = &rows->cells[i];
        size_t k = 0;
        while (k < n && !same(columns[k].name, cell->name))
            k++;
        if (k == max)
            continue;
        if (k == n)
            columns[n++] = (struct column){
                .name = cell->name, .is_short = true, .is_numbers = true};
        columns[k].n++;
        columns[k].bytes += cell->value.len;
        columns[k].is_short =
            columns[k].is_short && cell->value.len <= LABEL_MAX_BYTES;
        columns[k].is_numbers = columns[k].is_numbers && is_number(cell->value);
    }
    for (size_t i = 0; i < n; i++)
        columns[i].distinct = count_distinct(rows, columns[i].name);
    return n;
}

// Finds the text column, which has the longest values on average, and returns
// that average length.
static size_t find_text(struct sim_rows *rows, const struct column *columns,
                        size_t n)
{
    size_t longest = 0;

    for (size_t i = 0; i < n; i++) {
        size_t mean = columns[i].bytes / columns[i].n;
        if (columns[i].n >= 2 && mean > longest) {
            longest = mean;
            rows->text_name = columns[i].name;
        }
    }
    return longest;
}

// Finds the label's column: its values are short compared with the text, and it
// repeats its values more than any other such column. Numbers are labels only
// if there are no words, because a confidence repeats itself too. Returns len 0
// if no column fits.
static struct sim_span find_label(const struct column *columns, size_t n,
                                  size_t longest, bool of_numbers)
{
    struct sim_span found = {NULL, 0};
    double fewest = 2;

    for (size_t i = 0; i < n; i++) {
        double share = (double)columns[i].distinct / (double)columns[i].n;
        bool fits = columns[i].n >= 2 && columns[i].is_short &&
                    columns[i].is_numbers == of_numbers &&
                    columns[i].bytes / columns[i].n * 3 / 2 < longest;
        if (!fits || share >= fewest)
            continue;
        fewest = share;
        found = columns[i].name;
    }
    return found;
}

static void name_columns(struct sim_rows *rows)
{
    struct column columns[16];
    size_t n = find_columns(rows, columns, 16);
    size_t longest = find_text(rows, columns, n);

    if (rows->label_name.len == 0) // otherwise a correction named it
        rows->label_name = find_label(columns, n, longest, false);
    if (rows->label_name.len == 0)
        rows->label_name = find_label(columns, n, longest, true);
}

// ---- the guide

static struct sim_guide *guide_for(struct sim_rows *rows, struct sim_span label)
{
    for (size_t i = 0; i < rows->n_guide; i++)
        if (same(rows->guide[i].label, label))
            return &rows->guide[i];
    if (rows->n_guide == SIM_GUIDE_MAX || label.len == 0)
        return NULL;
    struct sim_guide *guide = &rows->guide[rows->n_guide++];
    *guide = (struct sim_guide){.label = label};
    return guide;
}

static void add_typical(struct sim_guide *guide, struct sim_typical one)
{
    for (size_t i = 0; i < guide->n_words; i++) {
        if (guide->words[i].hash != one.hash)
            continue;
        guide->words[i].weight += one.weight;
        return;
    }
    size_t at =
        guide->n_words < SIM_GUIDE_WORDS ? guide->n_words++ : SIM_GUIDE_WORDS;
    while (at > 0 && guide->words[at - 1].weight < one.weight) {
        if (at < SIM_GUIDE_WORDS)
            guide->words[at] = guide->words[at - 1];
        at--;
    }
    if (at < SIM_GUIDE_WORDS)
        guide->words[at] = one;
}

struct seen_word {
    struct sim_span raw;
    uint64_t hash;
    size_t label; // index of its guide
};

static int compare_seen(const void *a, const void *b)
{
    const struct seen_word *left = a;
    const struct seen_word *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    if (left->label != right->label)
        return left->label < right->label ? -1 : 1;
    return (left->raw.at > right->raw.at) - (left->raw.at < right->raw.at);
}

static const struct sim_cell *cell_of(const struct sim_rows *rows, size_t from,
                                      struct sim_span name)
{
    size_t row = rows->cells[from].row;
    for (size_t i = from; i < rows->n_cells && rows->cells[i].row == row; i++)
        if (same(rows->cells[i].name, name))
            return &rows->cells[i];
    return NULL;
}

static size_t collect_words(struct sim_rows *rows, struct seen_word *words)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n_cells; i++) {
        if (i > 0 && rows->cells[i].row == rows->cells[i - 1].row)
            continue;
        const struct sim_cell *label = cell_of(rows, i, rows->label_name);
        const struct sim_cell *text = cell_of(rows, i, rows->text_name);
        struct sim_guide *guide =
            label == NULL ? NULL : guide_for(rows, label->value);
        if (guide == NULL || text == NULL)
            continue;
        struct sim_word word;
        const char *at = text->value.at;
        while (n < WORDS_MAX &&
               sim_word_next(&at, text->value.at + text->value.len, &word))
            if (!word.stop && word.len > 2)
                words[n++] = (struct seen_word){word.raw, word.hash,
                                                (size_t)(guide - rows->guide)};
    }
    return n;
}

// Ranks words by how often they occur with the label and how rarely with
// others.
static void rank_words(struct sim_rows *rows, const struct seen_word *words,
                       size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && words[end].hash == words[i].hash)
            end++;
        for (size_t k = i; k < end;) {
            size_t stop = k;
            while (stop < end && words[stop].label == words[k].label)
                stop++;
            double with = (double)(stop - k);
            double all = (double)(end - i);
            add_typical(&rows->guide[words[k].label],
                        (struct sim_typical){words[k].raw, words[k].hash,
                                             with * with / all});
            k = stop;
        }
        i = end;
    }
}

static void read_guide_words(struct sim_guide *guide, const char *at)
{
    const char *end = at + strcspn(at, ".;\n");
    struct sim_word word;
    while (sim_word_next(&at, end, &word))
        if (!word.stop)
            add_typical(guide, (struct sim_typical){word.raw, word.hash, 1.0});
}

static void read_guides(struct sim_rows *rows, const char *text)
{
    const char *at = text;
    while ((at = strstr(at, GUIDE_MIDDLE)) != NULL) {
        const char *start = at;
        while (start > text && start[-1] != '`' && start[-1] != '\n')
            start--;
        struct sim_span label = {start, (size_t)(at - start)};
        struct sim_guide *guide = guide_for(rows, label);
        at += strlen(GUIDE_MIDDLE);
        if (guide != NULL)
            read_guide_words(guide, at);
    }
}

bool sim_rows_read(struct sim_rows *rows, struct arena *arena, const char *text)
{
    *rows = (struct sim_rows){.n_cells = 0};
    read_quoted_cells(rows, text);
    if (rows->n_cells < 2) {
        rows->n_cells = 0;
        rows->n_rows = 0;
        read_line_cells(rows, text);
    }
    read_corrections(rows, text);
    name_columns(rows);
    read_guides(rows, text);
    if (rows->label_name.len == 0)
        return true;
    struct seen_word *words = arena_array(arena, WORDS_MAX, sizeof *words);
    if (words == NULL)
        return false;
    size_t n = collect_words(rows, words);
    qsort(words, n, sizeof *words, compare_seen);
    rank_words(rows, words, n);
    return true;
}

void sim_rows_put_guide(struct buf *out, const struct sim_guide *guide,
                        size_t n_words)
{
    buf_printf(out, "Use `%.*s%s", (int)guide->label.len, guide->label.at,
               GUIDE_MIDDLE);
    for (size_t i = 0; i < guide->n_words && i < n_words; i++)
        buf_printf(out, "%s%.*s", i > 0 ? ", " : "",
                   (int)guide->words[i].word.len, guide->words[i].word.at);
    buf_puts(out, ".");
}
