// contains: an output contains its label, or a text from the job file; if there
// are several texts, all of them. Case is ignored, and a number does not match
// inside another number: 15 does not contain 5. Every text contains the empty
// text, so an empty label would score whatever the answer is. It therefore
// matches only an empty answer.

#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/graph/type_form.h"
#include "program/metric/kind.h"

enum { MAX_TEXT_BYTES = 16 << 20, MAX_TEXTS = 64 };

struct contains {
    json_t *texts; // owned; NULL: use the label
};

static const char *const keys[] = {"field", "label", "text"};

static bool add_text(struct metric_reader *reader, const struct node *node,
                     json_t *texts)
{
    const char *text = NULL;

    if (!node_text(node, "`text` of `contains`", &text, reader->diags))
        return false;
    if (text[strspn(text, " \t\r\n")] == '\0') {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`text` of `contains` is empty: every answer contains it");
        return false;
    }
    if (json_array_append_new(texts, json_string(text)) != 0)
        return metric_nomem(reader);
    return true;
}

static bool read_texts(struct metric_reader *reader, const struct node *node,
                       json_t *texts)
{
    bool ok = true;

    if (node->kind != NODE_LIST)
        return add_text(reader, node, texts);
    if (node->n == 0 || node->n > MAX_TEXTS) {
        diag_add(
            reader->diags, DIAG_ERROR, "bad-value", &node->place,
            "`text` of `contains` takes 1 to %d texts, but this one has %zu",
            MAX_TEXTS, node->n);
        return false;
    }
    for (size_t i = 0; i < node->n; i++)
        ok = add_text(reader, node->items[i], texts) && ok;
    return ok;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *text = node_find(node, "text");
    struct contains *params = arena_alloc(reader->arena, sizeof *params);

    metric->params = params;
    if (params == NULL)
        return metric_nomem(reader);
    if (!metric_read_field(reader, node, keys, 3, metric))
        return false;
    if (text == NULL)
        return true;
    if (node_find(node, "label") != NULL) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &text->place,
                 "`contains` takes `label` or `text`, not both");
        return false;
    }
    metric->fields[0].label = NULL;
    params->texts = json_array();
    if (params->texts == NULL)
        return metric_nomem(reader);
    return read_texts(reader, text, params->texts);
}

static void fold_value(struct buf *out, const json_t *value)
{
    struct buf text = BUF_INIT(MAX_TEXT_BYTES);
    size_t len = 0;

    if (value != NULL && !json_is_null(value))
        value_put(value, &text);
    const char *trimmed =
        text_trim_wide(text.len > 0 ? text.data : "", text.len, &len);
    fold_put(out, trimmed, len);
    out->failed = out->failed || text.failed;
    out->no_memory = out->no_memory || text.no_memory;
    buf_release(&text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Returns true if a number continues at `at`, as 5 does in 5.2 and in 5,000.
static bool number_continues(const char *at)
{
    return is_digit(at[0]) ||
           ((at[0] == '.' || at[0] == ',') && is_digit(at[1]));
}

// Returns true if a number began before `at`: the 5 that ends 15, 1.5 or -5,
// but not the one that ends 3-5.
static bool number_began_before(const char *text, const char *at)
{
    char last = at > text ? at[-1] : ' ';
    char before = at > text + 1 ? at[-2] : ' ';

    return is_digit(last) ||
           ((last == '.' || last == ',') && is_digit(before)) ||
           (last == '-' && strchr(" \n\t(", before) != NULL);
}

// Returns true if text contains wanted, where a number does not count as part
// of another: 15 does not contain 5.
static bool contains_text(const char *text, const struct buf *wanted)
{
    bool begins = is_digit(wanted->data[0]);
    bool ends = is_digit(wanted->data[wanted->len - 1]);

    for (const char *at = strstr(text, wanted->data); at != NULL;
         at = strstr(at + 1, wanted->data))
        if (!(begins && number_began_before(text, at)) &&
            !(ends && number_continues(at + wanted->len)))
            return true;
    return false;
}

// Sets *holds. Returns false when out of memory or when a text is over
// MAX_TEXT_BYTES.
static bool find_value(const struct buf *answer, const json_t *value,
                       bool *holds, struct err *err)
{
    struct buf wanted = BUF_INIT(MAX_TEXT_BYTES);

    fold_value(&wanted, value);
    bool ok = buf_ok(&wanted, "a text to look for", err);
    if (ok && wanted.len > 0)
        *holds = answer->len > 0 && contains_text(answer->data, &wanted);
    else
        *holds = answer->len == 0;
    buf_release(&wanted);
    return ok;
}

// wanted is one value or a list of them. The feedback names each missing one.
static bool find_all(const struct buf *answer, const json_t *wanted,
                     const char *name, bool *all, struct buf *feedback,
                     struct err *err)
{
    size_t n = json_is_array(wanted) ? json_array_size(wanted) : 1;

    if (n == 0) {
        *all = answer->len == 0;
        if (!*all)
            buf_printf(feedback, "`%s` should be empty.", name);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *one =
            json_is_array(wanted) ? json_array_get(wanted, i) : wanted;
        bool holds = false;
        if (!find_value(answer, one, &holds, err))
            return false;
        if (holds)
            continue;
        *all = false;
        feedback_next(feedback);
        buf_printf(feedback, "`%s` should hold ", name);
        feedback_value(feedback, one);
        buf_putc(feedback, '.');
    }
    return true;
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct metric_field *field = &metric->fields[0];
    const struct contains *params = metric->params;
    const json_t *value = case_answer(given, field);
    const json_t *wanted =
        params->texts != NULL ? params->texts : case_label(given, field);
    struct buf answer = BUF_INIT(MAX_TEXT_BYTES);
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    bool nothing = value == NULL || json_is_null(value);
    bool all = true;
    bool ok = false;

    // null matches only null, although every text contains the empty text.
    if (nothing || wanted == NULL || json_is_null(wanted)) {
        all = nothing && (wanted == NULL || json_is_null(wanted));
        if (!all)
            feedback_wrong(&feedback, field, value, wanted);
        return score_give(out, all ? 1 : 0, &feedback, err);
    }
    fold_value(&answer, value);
    ok = buf_ok(&answer, "an answer", err) &&
         find_all(&answer, wanted, field->name, &all, &feedback, err) &&
         score_give(out, all ? 1 : 0, &feedback, err);
    buf_release(&answer);
    buf_release(&feedback);
    return ok;
}

static json_t *json(const struct metric *metric)
{
    const struct contains *params = metric->params;
    json_t *map = params->texts != NULL ? metric_field_map(metric)
                                        : metric_fields_json(metric);

    if (map != NULL && params->texts != NULL &&
        json_object_set(map, "text", params->texts) != 0) {
        json_decref(map);
        return NULL;
    }
    return map;
}

static void release(struct metric *metric)
{
    struct contains *params = metric->params;

    if (params != NULL)
        json_decref(params->texts);
}

const struct metric_kind metric_contains = {
    .name = "contains",
    .fits =
        FITS(TYPE_STR) | FITS(TYPE_ENUM) | FITS(TYPE_LIST) | FITS(TYPE_OBJECT),
    .fits_text = "looks for a text",
    .parse = parse,
    .score = score,
    .json = json,
    .release = release,
};
