// exec: the user's own program judges. Running it is done elsewhere
// (exec/exec_pool.h); this file writes its request and reads its answer.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/metric/kind.h"

static const char *const keys[] = {"command", "reads", "timeout"};

static bool is_score(const void *of, const char *text, size_t len,
                     struct err *err)
{
    struct score score = {0};

    (void)of;
    bool ok = score_read(text, len, &score, err);

    score_release(&score);
    return ok;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *reads = node_find(node, "reads");

    metric->command = arena_alloc(reader->arena, sizeof *metric->command);
    if (metric->command == NULL)
        return metric_nomem(reader);
    bool ok =
        user_command_read(reader->arena, node, reader->diags, metric->command);
    if (metric->command->argv == NULL)
        return false;
    node_only_keys(node, "`exec`", keys, 3, reader->diags);
    metric->command->what = "the metric's command";
    metric->command->check = is_score;
    ok = metric_take_asks(reader, metric, 1, &node->place) && ok;
    if (reads != NULL)
        ok = metric_read_outputs(reader, reads, metric) && ok;
    return ok;
}

// Writes one line, which is the same for all `exec` parts of a metric.
static bool ask(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err)
{
    out->answerer = ANSWERER_EXEC;
    out->command = metric->command;
    buf_puts(text, "{\"example\":");
    json_put_sorted(text, given->example);
    buf_puts(text, ",\"outputs\":");
    json_put_sorted(text, given->outputs);
    buf_putc(text, '}');
    return buf_ok(text, "a request to the metric's command", err);
}

static bool answered(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err)
{
    (void)metric;
    return score_read(answer->text, answer->text_len, out, err);
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

static json_t *json(const struct metric *metric)
{
    json_t *map = json_object();
    bool ok = map != NULL && user_command_put(metric->command, map);

    if (ok && metric->n_fields > 0)
        ok = json_object_set_new(map, "reads", metric_field_names(metric)) == 0;
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
