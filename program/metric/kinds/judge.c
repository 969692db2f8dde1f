// judge: a model says how good an answer is.
//
// The judge is a role (models.judge), so that it can be a larger model than the
// one that answers. Its first output is what is wrong with the answer, so that
// it looks before it scores; that output becomes the feedback.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/metric/judging.h"
#include "program/metric/kind.h"

enum { INSTRUCTION_BYTES = 1 << 16, SCALE_MAX = 1000 };
enum { FEEDBACK, SCORE, OUTPUTS };

struct judge {
    struct judging judging;
    const char *instruction;
    json_t *rubric; // level -> text; owned, or NULL
    int64_t low, high;
};

static const char *const keys[] = {"instruction", "inputs", "scale", "rubric",
                                   "replicates"};

static bool read_instruction(struct metric_reader *reader,
                             const struct node *node, struct judge *judge)
{
    const struct node *value = node_find(node, "instruction");
    const char *text = NULL;

    if (value == NULL) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`judge` needs `instruction`: what makes an answer good");
        diag_remedy(reader->diags,
                    "write judge: {instruction: \"Is the answer polite?\", "
                    "inputs: [ANSWER, QUESTION]}");
        return false;
    }
    if (!node_text(value, "`instruction` of `judge`", &text, reader->diags))
        return false;
    if (text[strspn(text, " \t\r\n")] == '\0') {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &value->place,
                 "`instruction` of `judge` is empty: say what makes an answer "
                 "good");
        return false;
    }
    judge->instruction = arena_strdup(reader->arena, text);
    return judge->instruction != NULL || metric_nomem(reader);
}

// Reads [1, 5]: the worst and the best score.
static bool read_scale(struct metric_reader *reader, const struct node *node,
                       struct judge *judge)
{
    bool ok = node == NULL || (node->kind == NODE_LIST && node->n == 2);

    judge->low = 1;
    judge->high = 5;
    if (node == NULL)
        return true;
    if (ok)
        ok = node_int(node->items[0], "the worst of `scale`", -SCALE_MAX,
                      SCALE_MAX, &judge->low, reader->diags) &&
             node_int(node->items[1], "the best of `scale`", -SCALE_MAX,
                      SCALE_MAX, &judge->high, reader->diags);
    if (ok && judge->low < judge->high)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
             "`scale` takes two whole numbers, the worst and the best");
    diag_remedy(reader->diags, "write scale: [1, 5]");
    return false;
}

// Returns true for a number that is not on the scale.
static bool is_off_scale(const char *level, const struct judge *judge)
{
    char *end = NULL;
    double number = strtod(level, &end);

    return end != level && *end == '\0' &&
           (number < (double)judge->low || number > (double)judge->high);
}

// Reads what one level of the scale means.
static bool read_level(struct metric_reader *reader, const struct node *node,
                       size_t i, struct judge *judge)
{
    const char *level = node->keys[i];
    const char *text = NULL;

    if (is_off_scale(level, judge)) {
        diag_add(
            reader->diags, DIAG_ERROR, "bad-value", &node->key_places[i],
            "`rubric` says what %.20s means, but the scale is %lld to %lld",
            level, (long long)judge->low, (long long)judge->high);
        diag_remedy(reader->diags, "leave it out, or set `scale`");
        return false;
    }
    node = node->items[i];
    if (!node_text(node, "a level of `rubric`", &text, reader->diags))
        return false;
    if (json_object_set_new(judge->rubric, level, json_string(text)) != 0)
        return metric_nomem(reader);
    return true;
}

static bool read_rubric(struct metric_reader *reader, const struct node *node,
                        struct judge *judge)
{
    bool ok = true;

    if (node == NULL)
        return true;
    if (node->kind != NODE_MAP || node->n == 0 || node->n > 100) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &node->place,
                 "`rubric` is a map from 1 to 100 levels of the scale to what "
                 "they mean");
        diag_remedy(reader->diags,
                    "write rubric: {1: Rude or wrong, 5: Polite and right}");
        return false;
    }
    judge->rubric = json_object();
    if (judge->rubric == NULL)
        return metric_nomem(reader);
    for (size_t i = 0; i < node->n; i++)
        ok = read_level(reader, node, i, judge) && ok;
    return ok;
}

static void put_levels(const struct judge *judge, struct buf *out)
{
    const char *level;
    json_t *text;

    json_object_foreach(judge->rubric, level, text)
        buf_printf(out, "\n%s: %s", level, json_string_value(text));
}

static bool make(struct metric_reader *reader, const struct place *place,
                 struct judge *judge)
{
    struct buf text = BUF_INIT(INSTRUCTION_BYTES);
    char scale[120];
    const struct field outputs[] = {
        [FEEDBACK] =
            {.name = "feedback",
             .desc = "What is wrong with it and how it would be better, in a "
                     "sentence or two; empty when nothing is",
             .type = {.min_length = -1, .max_length = -1}},
        [SCORE] = {.name = "score",
                   .desc = scale,
                   .type = {.kind = TYPE_INT,
                            .has_min = true,
                            .has_max = true,
                            .min = (double)judge->low,
                            .max = (double)judge->high,
                            .min_length = -1,
                            .max_length = -1}},
    };

    (void)snprintf(scale, sizeof scale, "%lld is the worst, %lld the best",
                   (long long)judge->low, (long long)judge->high);
    buf_puts(&text, "You judge what another program answered. ");
    buf_puts(&text, judge->instruction);
    put_levels(judge, &text);
    bool ok = !text.failed;
    if (!ok)
        diag_add(
            reader->diags, DIAG_ERROR, "bad-value", place,
            "the instruction and the rubric of `judge` are too long together");
    ok = ok && judging_make(reader, text.data, outputs, OUTPUTS, 1u << SCORE,
                            &judge->judging);
    buf_release(&text);
    return ok;
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *inputs = node_find(node, "inputs");
    struct judge *judge = arena_alloc(reader->arena, sizeof *judge);

    metric->params = judge;
    if (judge == NULL)
        return metric_nomem(reader);
    node_only_keys(node, "`judge`", keys, sizeof keys / sizeof *keys,
                   reader->diags);
    bool ok = read_instruction(reader, node, judge);
    if (inputs == NULL) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`judge` needs `inputs`: what it is shown");
        diag_remedy(reader->diags, "write inputs: [OUTPUT, INPUT]");
        ok = false;
    } else {
        ok = judging_read(reader, inputs, metric, &judge->judging) && ok;
    }
    ok = read_scale(reader, node_find(node, "scale"), judge) && ok;
    ok = read_rubric(reader, node_find(node, "rubric"), judge) && ok;
    ok =
        judging_replicates(reader, node_find(node, "replicates"), metric) && ok;
    return ok && make(reader, &node->place, judge);
}

static bool ask_prefix(const struct metric *metric, struct buf *text,
                       struct buf *format, struct err *err)
{
    const struct judge *judge = metric->params;

    return judging_prefix(&judge->judging, text, format, err);
}

static bool ask(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err)
{
    const struct judge *judge = metric->params;

    return judging_ask(&judge->judging, given, text, out, err);
}

static bool answered(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err)
{
    const struct judge *judge = metric->params;
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    json_t *values = NULL;

    if (!judging_read_answer(&judge->judging, answer, &values, err))
        return false;
    double level = json_number_value(json_object_get(values, "score"));
    const char *text = json_string_value(json_object_get(values, "feedback"));
    if (text != NULL)
        buf_puts(&feedback, text);
    json_decref(values);
    return score_give(
        out, (level - (double)judge->low) / (double)(judge->high - judge->low),
        &feedback, err);
}

static json_t *json(const struct metric *metric)
{
    const struct judge *judge = metric->params;
    json_t *map =
        json_pack("{s:s, s:o, s:[I, I], s:I}", "instruction",
                  judge->instruction, "inputs", judging_json(&judge->judging),
                  "scale", (json_int_t)judge->low, (json_int_t)judge->high,
                  "replicates", (json_int_t)metric->n_asks);

    if (map != NULL && judge->rubric != NULL &&
        json_object_set(map, "rubric", judge->rubric) != 0) {
        json_decref(map);
        map = NULL;
    }
    return map;
}

static void release(struct metric *metric)
{
    struct judge *judge = metric->params;

    if (judge == NULL)
        return;
    judging_release(&judge->judging);
    json_decref(judge->rubric);
}

const struct metric_kind metric_judge = {
    .name = "judge",
    .parse = parse,
    .score = judging_score,
    .ask_prefix = ask_prefix,
    .ask = ask,
    .answered = answered,
    .json = json,
    .release = release,
};
