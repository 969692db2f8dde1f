// regex: an output matches a pattern from the job file.

#include "program/graph/type_form.h"
#include "program/metric/kind.h"
#include "program/source/pattern.h"

enum { MAX_TEXT_BYTES = 16 << 20 };

struct regex {
    struct pattern *pattern; // owned
    const char *text;
};

static const char *const keys[] = {"field", "pattern"};

// Returns true for a pattern that matches everything, such as .* or x*: it
// matches the empty text and a text that nobody would write.
static bool finds_all(const struct pattern *pattern)
{
    static const char odd[] = "\x01\x02";
    struct err ignored = ERR_CLEAR;
    bool nothing = false;
    bool any = false;

    return pattern_matches(pattern, "", 0, &nothing, &ignored) && nothing &&
           pattern_matches(pattern, odd, sizeof odd - 1, &any, &ignored) && any;
}

static bool read_pattern(struct metric_reader *reader, const struct node *node,
                         struct regex *params)
{
    struct err err = ERR_CLEAR;
    const char *text = NULL;

    if (!node_text(node, "`pattern` of `regex`", &text, reader->diags))
        return false;
    params->text = arena_strdup(reader->arena, text);
    if (params->text == NULL)
        return metric_nomem(reader);
    params->pattern = pattern_new(params->text, &err);
    if (params->pattern == NULL)
        diag_add(reader->diags, DIAG_ERROR, "bad-pattern", &node->place, "%s",
                 err.text);
    else if (finds_all(params->pattern))
        diag_add(
            reader->diags, DIAG_WARNING, "always-scores", &node->place,
            "every answer matches this pattern, so each scores 1: anchor it "
            "with ^ and $, or require some text");
    return params->pattern != NULL;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *pattern = node_find(node, "pattern");
    struct regex *params = arena_alloc(reader->arena, sizeof *params);

    metric->params = params;
    if (params == NULL)
        return metric_nomem(reader);
    if (!metric_read_field(reader, node, keys, 2, metric))
        return false;
    metric->fields[0].label = NULL;
    if (pattern == NULL) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`regex` needs `pattern`");
        diag_remedy(reader->diags, "write {field: %s, pattern: '...'}",
                    metric->fields[0].name);
        return false;
    }
    return read_pattern(reader, pattern, params);
}

// If a text makes the pattern too costly, the answer counts as no match: it
// must not hold up the job.
static bool try_pattern(const struct regex *params, const struct buf *text,
                        bool *found, struct buf *feedback, struct err *err)
{
    struct err why = ERR_CLEAR;
    const char *data = text->len > 0 ? text->data : "";

    if (pattern_matches(params->pattern, data, text->len, found, &why))
        return true;
    *found = false;
    if (why.code != ERR_NOMEM) {
        buf_printf(feedback, "%s.", why.text);
        return true;
    }
    err_set(err, why.code, "%s", why.text);
    return false;
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct metric_field *field = &metric->fields[0];
    const struct regex *params = metric->params;
    const json_t *answer = case_answer(given, field);
    struct buf text = BUF_INIT(MAX_TEXT_BYTES);
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    bool found = false;
    bool ok = false;

    if (answer != NULL && !json_is_null(answer)) {
        value_put(answer, &text);
        ok = buf_ok(&text, "an answer", err) &&
             try_pattern(params, &text, &found, &feedback, err);
    } else {
        ok = true;
    }
    if (ok && !found) {
        feedback_next(&feedback);
        buf_printf(&feedback, "`%s` should match the pattern `%s`.",
                   field->name, params->text);
    }
    ok = ok && score_give(out, found ? 1 : 0, &feedback, err);
    buf_release(&text);
    buf_release(&feedback);
    return ok;
}

static json_t *json(const struct metric *metric)
{
    const struct regex *params = metric->params;
    json_t *map = metric_field_map(metric);

    if (map != NULL &&
        json_object_set_new(map, "pattern", json_string(params->text)) != 0) {
        json_decref(map);
        return NULL;
    }
    return map;
}

static void release(struct metric *metric)
{
    struct regex *params = metric->params;

    if (params != NULL)
        pattern_free(params->pattern);
}

const struct metric_kind metric_regex = {
    .name = "regex",
    .parse = parse,
    .score = score,
    .json = json,
    .release = release,
};
