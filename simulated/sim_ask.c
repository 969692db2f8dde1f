#include "simulated/sim_ask.h"

#include <string.h>

#include "common/buf.h"

#include "simulated/sim_text.h"

enum { KEYWORDS_MAX = 16, KEYWORDS_BYTES = 1 << 16 };

static double rarity(const struct sim_ask *ask, uint64_t hash)
{
    const struct sim_bag *idf = &ask->task->idf;
    size_t low = 0;
    size_t high = idf->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (idf->items[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    bool known = low < idf->n && idf->items[low].hash == hash;
    return known ? idf->items[low].weight : ask->task->default_weight;
}

// Keeps the n best keywords, best first, with each stem only once.
static void keep_keyword(struct sim_keyword *list, size_t *held, size_t n,
                         struct sim_keyword one)
{
    for (size_t i = 0; i < *held; i++)
        if (list[i].hash == one.hash)
            return;
    size_t at = *held < n ? (*held)++ : n;
    while (at > 0 && list[at - 1].rank < one.rank) {
        if (at < n)
            list[at] = list[at - 1];
        at--;
    }
    if (at < n)
        list[at] = one;
}

size_t sim_ask_find_keywords(const struct sim_ask *ask, const char *text,
                             struct sim_keyword *list, size_t n)
{
    size_t held = 0;
    struct sim_word word;
    const char *at = text;
    const char *end = text + strlen(text);
    while (sim_word_next(&at, end, &word)) {
        if (word.stop || word.len < 3)
            continue;
        double rank = rarity(ask, word.hash) + 0.05 * (double)word.len;
        keep_keyword(list, &held, n,
                     (struct sim_keyword){word.raw, word.hash, rank});
    }
    return held;
}

const char *sim_ask_keywords(const struct sim_ask *ask, const char *text,
                             size_t n)
{
    struct sim_keyword list[KEYWORDS_MAX];
    size_t held = sim_ask_find_keywords(ask, text, list,
                                        n < KEYWORDS_MAX ? n : KEYWORDS_MAX);
    struct buf out = BUF_INIT(KEYWORDS_BYTES);
    for (size_t i = 0; i < held; i++) {
        buf_puts(&out, i > 0 ? ", " : "");
        buf_append(&out, list[i].raw.at, list[i].raw.len);
    }
    const char *copy =
        arena_strdup(ask->arena, out.data == NULL ? "" : out.data);
    buf_release(&out);
    return copy;
}

const char *sim_ask_input(const struct sim_ask *ask)
{
    for (size_t i = 0; i < ask->task->prompt.n_inputs; i++)
        if (ask->turn->values[i] != NULL && ask->turn->values[i][0] != '\0')
            return ask->turn->values[i];
    return ask->turn->joined;
}

// Returns NULL when out of memory; then nothing is reported for that field.
static const double *copy_odds(struct arena *arena, const double *odds,
                               size_t n)
{
    double *copy = arena_array(arena, n, sizeof *copy);
    if (copy != NULL)
        memcpy(copy, odds, n * sizeof *copy);
    return copy;
}

const char *sim_ask_label(struct sim_ask *ask, size_t field, double *margin)
{
    const struct sim_label_set *set = &ask->task->labels[field];
    if (set->n == 0)
        return NULL;
    const struct sim_label_question asked = {.question = ask->question,
                                             .demos = ask->task->demos,
                                             .n_demos =
                                                 ask->task->prompt.n_demos};
    const struct sim_label_mind mind = {.strength = ask->strength,
                                        .draw = sim_mix(ask->draw, field),
                                        .heat = ask->heat,
                                        .seed = ask->seed};
    struct sim_choice choice = sim_label_choose(set, &asked, &mind);
    *margin = choice.margin;
    if (ask->tells_odds)
        ask->odds[field] = copy_odds(ask->arena, choice.odds, set->n);
    return set->labels[choice.index];
}
