#include "search/toolkit/wording.h"

#include <string.h>

#include "program/graph/kind.h"
#include "search/toolkit/shown.h"

enum {
    WORDS_MOST = 10,
    WORDS_LEAST = 3,
    WORD_SHARE = 14, // bytes that a word takes, roughly
    EXAMPLE_BYTES = 100,
    EXAMPLE_ROOM = 180, // bytes per label from which it gets an example
    CONTRAST_WORDS = 5,
};

static bool is_listed(const struct field *field)
{
    return field->type.kind == TYPE_ENUM || field->type.kind == TYPE_BOOL;
}

static void put_names(struct buf *out, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        buf_printf(out, "`%s`", fields[i].name);
    }
}

void wording_strict(const struct wording *wording, struct buf *out)
{
    const struct signature *signature = &wording->step->signature;

    buf_puts(out, " Keep exactly to the form that is asked for: give every "
                  "output field, and in each only its value, without a "
                  "comment or a mark around it.");
    for (size_t i = 0; i < signature->n_outputs; i++)
        if (is_listed(&signature->outputs[i]))
            buf_printf(out,
                       " Answer `%s` with exactly one of its allowed values, "
                       "written precisely as it stands in the list.",
                       signature->outputs[i].name);
}

void wording_terse(const struct wording *wording, struct buf *out)
{
    const struct signature *signature = &wording->step->signature;
    size_t first = wording->step->kind->reasons ? 1 : 0;

    buf_puts(out, "From ");
    put_names(out, signature->inputs, signature->n_inputs);
    buf_puts(out, " give ");
    put_names(out, signature->outputs + first, signature->n_outputs - first);
    buf_puts(out, ".");
}

static void quote_example(const char *text, struct buf *out)
{
    size_t start;

    buf_puts(out, "; for example \"");
    start = out->len;
    shown_text(out, text, EXAMPLE_BYTES);
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    buf_putc(out, '"');
}

// Quotes the input that says most about a row: its longest text.
static void put_example(const struct wording *wording, size_t place,
                        struct buf *out)
{
    json_t *inputs = dataset_inputs(wording->dataset, wording->rows[place]);
    const char *longest = NULL;
    const char *key;
    json_t *value;

    json_object_foreach(inputs, key, value) {
        const char *text = json_string_value(value);

        if (text != NULL && (longest == NULL || strlen(text) > strlen(longest)))
            longest = text;
    }
    if (longest != NULL && longest[0] != '\0')
        quote_example(longest, out);
    json_decref(inputs);
}

static void put_definition(const struct wording *wording,
                           const struct class_field *field, int value,
                           size_t room, struct buf *out)
{
    size_t words = room / WORD_SHARE;
    size_t example = 0;

    if (room > EXAMPLE_ROOM)
        words = (room - EXAMPLE_BYTES) / WORD_SHARE;
    if (words > WORDS_MOST)
        words = WORDS_MOST;
    if (words < WORDS_LEAST)
        words = WORDS_LEAST;
    buf_printf(out, "\n- %s: ", field->values[value]);
    if (lexicon_typical(wording->lexicon, field->of_row, value, -1, words,
                        out) == 0)
        buf_puts(out, "no words of its own");
    example = lexicon_middle(wording->lexicon, field->of_row, value);
    if (room > EXAMPLE_ROOM && example < wording->classes->n_rows)
        put_example(wording, example, out);
}

bool wording_defined(const struct wording *wording, size_t most,
                     struct buf *out)
{
    size_t n = classes_count(wording->classes);

    if (n == 0 || most / n < WORDS_LEAST * WORD_SHARE)
        return false;
    for (size_t f = 0; f < wording->classes->n_fields; f++) {
        const struct class_field *field = &wording->classes->fields[f];

        buf_printf(out,
                   "\n\nThe values of `%s`, and what the inputs speak of for "
                   "which each is right:",
                   field->name);
        for (size_t v = 0; v < field->n; v++)
            put_definition(wording, field, (int)v, most / n, out);
    }
    return true;
}

static void put_side(const struct wording *wording,
                     const struct class_field *field, int one, int other,
                     struct buf *out)
{
    size_t start = out->len;

    buf_printf(out, "\n- %s and not %s: ", field->values[one],
               field->values[other]);
    if (lexicon_typical(wording->lexicon, field->of_row, one, other,
                        CONTRAST_WORDS, out) == 0 &&
        !out->failed)
        out->data[out->len = start] = '\0';
}

bool wording_contrasted(const struct wording *wording,
                        const struct confusion *confusions, size_t n,
                        struct buf *out)
{
    if (n == 0)
        return false;
    buf_puts(out, "\n\nValues that are easily mistaken for each other, and "
                  "what speaks for one of them:");
    for (size_t i = 0; i < n; i++) {
        const struct class_field *field =
            &wording->classes->fields[confusions[i].field];

        put_side(wording, field, confusions[i].expected, confusions[i].given,
                 out);
        put_side(wording, field, confusions[i].given, confusions[i].expected,
                 out);
    }
    return true;
}
