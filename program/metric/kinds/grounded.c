// grounded: the share of the answer's statements that the context supports.
//
// Words decide, which costs nothing. A statement is a sentence. It is supported
// if the context has every number in it, and at least SUPPORT of its words that
// carry meaning. This finds what was made up (another date, another drug, an
// extra promise), but not what was turned around ("is" for "is not"). If that
// matters, a judge can read both, which costs one call per answer.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/fold.h"
#include "common/words.h"
#include "program/graph/type_form.h"
#include "program/metric/bag.h"
#include "program/metric/judging.h"
#include "program/metric/kind.h"

enum { TEXT_BYTES = 16 << 20, STATEMENTS_SHOWN = 5 };
enum { UNSUPPORTED, STATEMENTS, SUPPORTED, OUTPUTS };
static const double SUPPORT = 0.6;

struct grounded {
    struct judging judging; // shown[0] is the answer, shown[1] the context
    bool judged;
};

static const char *const keys[] = {"answer", "context", "judge", "replicates"};

static const char INSTRUCTION[] =
    "You check what another program answered. Count the statements of the "
    "answer, one for each fact or promise, and those of them that the context "
    "supports. What you know yourself supports nothing.";

static bool read_source(struct metric_reader *reader, const struct node *node,
                        const char *key, struct metric *metric,
                        struct grounded *grounded)
{
    const struct node *value = node_find(node, key);

    if (value != NULL)
        return judging_add(reader, value, key, metric, &grounded->judging);
    diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
             "`grounded` needs `%s`", key);
    diag_remedy(reader->diags, "write grounded: {answer: OUTPUT, context: "
                               "INPUT-OR-OUTPUT}");
    return false;
}

static bool make(struct metric_reader *reader, struct grounded *grounded)
{
    const struct type count = {.kind = TYPE_INT,
                               .has_min = true,
                               .min = 0,
                               .min_length = -1,
                               .max_length = -1};
    const struct field outputs[] = {
        [UNSUPPORTED] =
            {.name = "unsupported",
             .desc = "The statements that the context does not support, in the "
                     "answer's words; empty when there are none",
             .type = {.min_length = -1, .max_length = -1}},
        [STATEMENTS] = {.name = "statements",
                        .desc = "How many there are",
                        .type = count},
        [SUPPORTED] = {.name = "supported",
                       .desc = "How many of them",
                       .type = count},
    };

    return judging_make(reader, INSTRUCTION, outputs, OUTPUTS,
                        1u << STATEMENTS | 1u << SUPPORTED, &grounded->judging);
}

static bool parse(struct metric_reader *reader, const struct node *node,
                  struct metric *metric)
{
    const struct node *judge = node_find(node, "judge");
    const struct node *replicates = node_find(node, "replicates");
    struct grounded *grounded = arena_alloc(reader->arena, sizeof *grounded);

    metric->params = grounded;
    if (grounded == NULL)
        return metric_nomem(reader);
    grounded->judging.shown =
        arena_array(reader->arena, 2, sizeof(struct shown));
    metric->fields = arena_array(reader->arena, 2, sizeof *metric->fields);
    metric->needs = arena_array(reader->arena, 2, sizeof *metric->needs);
    if (grounded->judging.shown == NULL || metric->fields == NULL ||
        metric->needs == NULL)
        return metric_nomem(reader);
    node_only_keys(node, "`grounded`", keys, sizeof keys / sizeof *keys,
                   reader->diags);
    bool ok = read_source(reader, node, "answer", metric, grounded);
    ok = read_source(reader, node, "context", metric, grounded) && ok;
    if (judge != NULL)
        ok = node_bool(judge, "`judge` of `grounded`", &grounded->judged,
                       reader->diags) &&
             ok;
    if (replicates != NULL && !grounded->judged) {
        diag_add(reader->diags, DIAG_ERROR, "bad-value", &replicates->place,
                 "`replicates` of `grounded` needs `judge: true`: counting "
                 "words gives the same score every time");
        ok = false;
    }
    if (grounded->judged)
        ok = judging_replicates(reader, replicates, metric) && ok;
    return ok && (!grounded->judged || make(reader, grounded));
}

// ---- by a judge

static bool ask_prefix(const struct metric *metric, struct buf *text,
                       struct buf *format, struct err *err)
{
    const struct grounded *grounded = metric->params;

    return judging_prefix(&grounded->judging, text, format, err);
}

static bool ask(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err)
{
    const struct grounded *grounded = metric->params;

    return judging_ask(&grounded->judging, given, text, out, err);
}

static bool answered(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err)
{
    const struct grounded *grounded = metric->params;
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    json_t *values = NULL;

    if (!judging_read_answer(&grounded->judging, answer, &values, err))
        return false;
    double all = json_number_value(json_object_get(values, "statements"));
    double good = json_number_value(json_object_get(values, "supported"));
    const char *bad = json_string_value(json_object_get(values, "unsupported"));
    if (good < all && bad != NULL && bad[0] != '\0')
        buf_printf(&feedback, "The context does not support: %s", bad);
    json_decref(values);
    if (good <= all)
        return score_give(out, all > 0 ? good / all : 0, &feedback, err);
    buf_release(&feedback);
    err_set(err, ERR_INPUT,
            "the judge counted more supported statements than statements "
            "in total");
    return false;
}

// ---- by words

static const char *const STOP_WORDS[] = {
    "a",     "an",  "and",   "are",  "as",   "at",    "be",    "but",  "by",
    "can",   "do",  "does",  "for",  "from", "had",   "has",   "have", "he",
    "her",   "his", "i",     "if",   "in",   "is",    "it",    "its",  "may",
    "no",    "not", "of",    "on",   "or",   "our",   "she",   "so",   "than",
    "that",  "the", "their", "them", "then", "there", "these", "they", "this",
    "to",    "was", "we",    "were", "what", "when",  "which", "will", "with",
    "would", "you", "your",
};

static bool is_stop_word(const char *word)
{
    for (size_t i = 0; i < sizeof STOP_WORDS / sizeof *STOP_WORDS; i++)
        if (strcmp(STOP_WORDS[i], word) == 0)
            return true;
    return false;
}

// Reads the next term of the words (common/words.h), case-folded and without a
// final s, so that singular and plural become one word.
static bool next_term(struct words *words, struct buf *folded)
{
    struct word term;

    if (!words_next_term(words, &term))
        return false;
    buf_clear(folded);
    fold_put(folded, term.text, term.len);
    size_t n = folded->len;
    if (n > 3 && folded->data[n - 1] == 's' &&
        !isdigit((unsigned char)folded->data[n - 2]))
        folded->data[--folded->len] = '\0';
    return true;
}

static bool list_words(const struct buf *text, struct bag *bag, struct err *err)
{
    struct words words = {
        .text = text->data, .len = text->len, .decimals = true};
    struct buf term = BUF_INIT(TEXT_BYTES);

    while (next_term(&words, &term))
        bag_add_item(bag, term.data == NULL ? "" : term.data, term.len);
    bool ok = buf_ok(&term, "a word of the context", err);
    buf_release(&term);
    return ok && bag_sort_unique(bag, err);
}

static int compare_words(const void *word, const void *item)
{
    return strcmp(word, *(const char *const *)item);
}

static bool has_word(const struct bag *bag, const char *word)
{
    return bag->n > 0 && bsearch(word, bag->items, bag->n, sizeof *bag->items,
                                 compare_words) != NULL;
}

struct weighed {
    size_t words; // words that carry meaning; 0: an empty statement
    bool supported;
};

static bool weigh(const char *from, const char *end, const struct bag *context,
                  struct weighed *out, struct err *err)
{
    struct words words = {
        .text = from, .len = (size_t)(end - from), .decimals = true};
    struct buf term = BUF_INIT(TEXT_BYTES);
    size_t found = 0;
    bool numbers = true;

    *out = (struct weighed){0};
    while (next_term(&words, &term) && !term.failed) {
        bool number = isdigit((unsigned char)term.data[0]);

        if (is_stop_word(term.data))
            continue;
        bool known = has_word(context, term.data);
        out->words++;
        found += known;
        numbers = numbers && (!number || known);
    }
    out->supported = numbers && (double)found >= SUPPORT * (double)out->words;
    bool ok = buf_ok(&term, "a word of an answer", err);
    buf_release(&term);
    return ok;
}

// Returns the end of the statement at `at`: after its closing mark, or before
// the end of the line.
static const char *end_of(const char *at, const char *end)
{
    for (; at < end && *at != '\n'; at++) {
        size_t stop = words_sentence_end(at, (size_t)(end - at));

        if (*at == ';' && (at + 1 == end || isspace((unsigned char)at[1])))
            stop = 1;
        if (stop > 0)
            return at + stop;
    }
    return at;
}

static bool score_words(const struct buf *answer, const struct bag *context,
                        struct score *out, struct err *err)
{
    struct buf feedback = BUF_INIT(FEEDBACK_MAX_BYTES);
    const char *text = answer->data == NULL ? "" : answer->data;
    const char *end = text + answer->len;
    size_t all = 0;
    size_t good = 0;
    bool ok = true;

    for (const char *at = text; ok && at < end;) {
        const char *stop = end_of(at, end);
        struct weighed weighed;

        ok = weigh(at, stop, context, &weighed, err);
        if (ok && weighed.words > 0) {
            all++;
            good += weighed.supported;
            if (!weighed.supported && all - good <= STATEMENTS_SHOWN) {
                feedback_next(&feedback);
                buf_puts(&feedback, "The context does not say: ");
                while (at < stop && isspace((unsigned char)*at))
                    at++;
                buf_append(&feedback, at, (size_t)(stop - at));
            }
        }
        at = stop < end && stop == at ? at + 1 : stop;
    }
    if (all == 0)
        buf_puts(&feedback, "The answer says nothing.");
    ok = ok && score_give(out, all > 0 ? (double)good / (double)all : 0,
                          &feedback, err);
    buf_release(&feedback);
    return ok;
}

static bool score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err)
{
    const struct grounded *grounded = metric->params;
    struct buf texts[2] = {BUF_INIT(TEXT_BYTES), BUF_INIT(TEXT_BYTES)};
    struct bag words = BAG_INIT;
    bool ok = true;

    if (grounded->judged)
        return judging_score(metric, given, out, err);
    for (size_t i = 0; ok && i < 2; i++) {
        const json_t *value = judging_value(&grounded->judging.shown[i], given);

        if (value != NULL && !json_is_null(value))
            value_put(value, &texts[i]);
        ok = buf_ok(&texts[i], "what `grounded` compares", err);
    }
    ok = ok && list_words(&texts[1], &words, err) &&
         score_words(&texts[0], &words, out, err);
    bag_release(&words);
    buf_release(&texts[0]);
    buf_release(&texts[1]);
    return ok;
}

static json_t *json(const struct metric *metric)
{
    const struct grounded *grounded = metric->params;
    json_t *map = judging_json(&grounded->judging);

    if (map != NULL && grounded->judged &&
        (json_object_set_new(map, "judge", json_true()) != 0 ||
         json_object_set_new(map, "replicates",
                             json_integer((json_int_t)metric->n_asks)) != 0)) {
        json_decref(map);
        map = NULL;
    }
    return map;
}

static void release(struct metric *metric)
{
    struct grounded *grounded = metric->params;

    if (grounded != NULL)
        judging_release(&grounded->judging);
}

const struct metric_kind metric_grounded = {
    .name = "grounded",
    .parse = parse,
    .score = score,
    .ask_prefix = ask_prefix,
    .ask = ask,
    .answered = answered,
    .json = json,
    .release = release,
};
