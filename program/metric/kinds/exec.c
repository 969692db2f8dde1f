// exec: a program of the user judges. It is asked and answers outside
// (exec/exec_pool.h); here its answer arrives.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/metric/kind.h"

enum { MAX_WORDS = 64, TIMEOUT_MS = 30000, TIMEOUT_MAX_MS = 3600000 };

static const char *const keys[] = {"command", "reads", "timeout"};

static bool check_command(struct metric_reader *reader, const struct node *node,
                          const struct node *command)
{
    if (command == NULL)
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`exec` needs `command`");
    else if (command->kind != NODE_LIST || command->n == 0 ||
             command->n > MAX_WORDS)
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &command->place,
                 "`command` takes a list of 1 to %d words: no shell splits it",
                 MAX_WORDS);
    else
        return true;
    diag_remedy(reader->diags, "write command: [python3, metric.py]");
    return false;
}

static bool read_command(struct metric_reader *reader, const struct node *list,
                         struct user_command *command)
{
    const char **argv = arena_array(reader->arena, list->n + 1, sizeof(char *));
    bool ok = argv != NULL || metric_nomem(reader);

    for (size_t i = 0; argv != NULL && i < list->n; i++) {
        const char *word = NULL;
        ok = node_text(list->items[i], "a word of `command`", &word,
                       reader->diags) &&
             ok;
        if (word != NULL) {
            argv[i] = arena_strdup(reader->arena, word);
            ok = (argv[i] != NULL || metric_nomem(reader)) && ok;
        }
    }
    if (ok && argv[0][0] == '\0') {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &list->place,
                 "the first word of `command` is empty");
        ok = false;
    }
    command->argv = argv;
    return ok;
}

static bool read_timeout(struct metric_reader *reader, const struct node *node,
                         int64_t *out)
{
    const char *text = NULL;

    if (!node_text(node, "`timeout` of `exec`", &text, reader->diags))
        return false;
    if (text_duration_ms(text, out) && *out > 0 && *out <= TIMEOUT_MAX_MS)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
             "`timeout` is `%.40s`, expected a time up to 1h, like 30s", text);
    return false;
}

static bool is_score(const char *text, size_t len, struct err *err)
{
    struct score score = {0};
    bool ok = metric_answer(text, len, &score, err);

    score_release(&score);
    return ok;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *command = node_find(node, "command");
    const struct node *reads = node_find(node, "reads");
    const struct node *timeout = node_find(node, "timeout");

    if (!check_command(reader, node, command))
        return false;
    node_only_keys(node, "`exec`", keys, 3, reader->diags);
    metric->command = arena_alloc(reader->arena, sizeof *metric->command);
    if (metric->command == NULL)
        return metric_nomem(reader);
    metric->command->timeout_ms = TIMEOUT_MS;
    metric->command->what = "the metric's command";
    metric->command->check = is_score;
    bool ok = metric_take_asks(reader, metric, 1, &node->place);
    ok = read_command(reader, command, metric->command) && ok;
    if (reads != NULL)
        ok = metric_read_fields(reader, reads, false, metric) && ok;
    if (timeout != NULL)
        ok = read_timeout(reader, timeout, &metric->command->timeout_ms) && ok;
    return ok;
}

// One line, the same for all `exec` parts of a metric.
static bool ask(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err)
{
    out->answerer = ANSWERER_EXEC;
    out->command = metric->command;
    buf_puts(text, "{\"example\":");
    json_put(text, given->example, true);
    buf_puts(text, ",\"outputs\":");
    json_put(text, given->outputs, true);
    buf_putc(text, '}');
    return buf_ok(text, "a request to the metric's command", err);
}

static bool answered(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err)
{
    (void)metric;
    return metric_answer(answer->text, answer->text_len, out, err);
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    assert(given->outside != NULL);

    const struct score *answer = &given->outside[metric->outside];
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);

    if (answer->feedback != NULL)
        buf_puts(&feedback, answer->feedback);
    return score_give(out, answer->value, &feedback, err);
}

static json_t *words_json(const char *const *argv)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && argv[i] != NULL; i++) {
        if (json_array_append_new(list, json_string(argv[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

// 30s, or 1.5s: as text_duration_ms reads it.
static json_t *timeout_json(int64_t ms)
{
    if (ms % 1000 == 0)
        return json_sprintf("%llds", (long long)(ms / 1000));
    return json_sprintf("%lld.%03llds", (long long)(ms / 1000),
                        (long long)(ms % 1000));
}

static json_t *reads_json(const struct metric *metric)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < metric->n_fields; i++) {
        if (json_array_append_new(list, json_string(metric->fields[i].name)) !=
            0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *json(const struct metric *metric)
{
    json_t *map = json_object();
    bool ok =
        map != NULL &&
        json_object_set_new(map, "command",
                            words_json(metric->command->argv)) == 0 &&
        json_object_set_new(map, "timeout",
                            timeout_json(metric->command->timeout_ms)) == 0;

    if (ok && metric->n_fields > 0)
        ok = json_object_set_new(map, "reads", reads_json(metric)) == 0;
    if (!ok) {
        json_decref(map);
        map = NULL;
    }
    return map;
}

const struct metric_kind metric_exec = {
    .name = "exec",
    .parse = parse,
    .score = score,
    .ask = ask,
    .answered = answered,
    .json = json,
};
