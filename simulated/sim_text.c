#include "simulated/sim_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double GRAM_WEIGHT = 0.25; // for a run of four characters
static const double PAIR_WEIGHT = 0.5;  // for two stems in a row

// English function words; sorted.
static const char *const STOP_WORDS[] = {
    "a",     "about",  "after", "again", "all",   "also",  "am",   "an",
    "and",   "any",    "are",   "as",    "at",    "be",    "been", "being",
    "but",   "by",     "can",   "could", "did",   "do",    "does", "doing",
    "don",   "each",   "for",   "from",  "had",   "has",   "have", "having",
    "he",    "her",    "here",  "hers",  "him",   "his",   "how",  "i",
    "if",    "in",     "into",  "is",    "it",    "its",   "just", "let",
    "ll",    "may",    "me",    "might", "more",  "most",  "must", "my",
    "no",    "nor",    "not",   "of",    "on",    "one",   "only", "or",
    "other", "our",    "out",   "own",   "re",    "s",     "same", "shall",
    "she",   "should", "so",    "some",  "such",  "t",     "than", "that",
    "the",   "their",  "them",  "then",  "there", "these", "they", "this",
    "those", "to",     "too",   "us",    "ve",    "very",  "was",  "we",
    "were",  "what",   "when",  "where", "which", "while", "who",  "whom",
    "why",   "will",   "with",  "would", "you",   "your",
};

// Longest first. At least three letters of the word must remain.
static const struct {
    const char *end;
    const char *becomes;
} SUFFIXES[] = {
    {"ations", ""}, {"ation", ""}, {"ings", ""}, {"ing", ""},
    {"ions", ""},   {"ies", "y"},  {"ion", ""},  {"ied", "y"},
    {"ers", ""},    {"ed", ""},    {"es", ""},   {"er", ""},
    {"ly", ""},     {"al", ""},    {"s", ""},    {"e", ""},
};

uint64_t sim_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t sim_hash(const char *text, size_t len, uint64_t seed)
{
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
    return sim_mix(hash, seed);
}

uint64_t sim_hash_text(const char *text, uint64_t seed)
{
    return sim_hash(text, strlen(text), seed);
}

double sim_unit(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1.0p-53;
}

double sim_gauss(uint64_t hash)
{
    // The sum of four uniform draws, scaled: cheap, and the same everywhere.
    double sum = 0;
    for (uint64_t i = 0; i < 4; i++)
        sum += sim_unit(sim_mix(hash, i + 1));
    return (sum - 2.0) * 1.7320508075688772;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool ends_word(const char *at, const char *end)
{
    if (at == end || !is_letter(*at))
        return true;
    return isupper((unsigned char)at[0]) && islower((unsigned char)at[-1]);
}

static int compare_word(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool is_stop(const char *word)
{
    return word[0] == '\0' ||
           (word[1] == '\0' && !isdigit((unsigned char)word[0])) ||
           bsearch(word, STOP_WORDS, sizeof STOP_WORDS / sizeof *STOP_WORDS,
                   sizeof *STOP_WORDS, compare_word) != NULL;
}

static void drop_suffix(struct sim_word *word)
{
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
        size_t end = strlen(SUFFIXES[i].end);
        if (word->len < end + 3 ||
            memcmp(word->stem + word->len - end, SUFFIXES[i].end, end) != 0)
            continue;
        if (strcmp(SUFFIXES[i].end, "s") == 0 &&
            word->stem[word->len - 2] == 's')
            continue;
        word->len -= end;
        size_t more = strlen(SUFFIXES[i].becomes);
        memcpy(word->stem + word->len, SUFFIXES[i].becomes, more + 1);
        word->len += more;
        break;
    }
    // So that "stopped" gives "stop", and "topping" gives "top".
    size_t n = word->len;
    if (n > 3 && word->stem[n - 1] == word->stem[n - 2] &&
        word->stem[n - 1] != 's' && word->stem[n - 1] != 'l')
        word->len--;
    word->stem[word->len] = '\0';
}

bool sim_word_next(const char **at, const char *end, struct sim_word *word)
{
    const char *p = *at;
    while (p < end && !is_letter(*p))
        p++;
    if (p == end) {
        *at = p;
        return false;
    }
    const char *start = p++;
    while (!ends_word(p, end))
        p++;
    word->raw = (struct sim_span){start, (size_t)(p - start)};
    word->len =
        word->raw.len < SIM_STEM_MAX - 2 ? word->raw.len : SIM_STEM_MAX - 2;
    for (size_t i = 0; i < word->len; i++)
        word->stem[i] = (char)tolower((unsigned char)start[i]);
    word->stem[word->len] = '\0';
    word->stop = is_stop(word->stem);
    if (!word->stop)
        drop_suffix(word);
    word->hash = sim_hash(word->stem, word->len, 1);
    *at = p;
    return true;
}

bool sim_has_word(const char *text, const char *word)
{
    struct sim_word wanted;
    struct sim_word found;
    const char *key = word;
    if (!sim_word_next(&key, word + strlen(word), &wanted))
        return false;
    const char *at = text;
    const char *end = text + strlen(text);
    while (sim_word_next(&at, end, &found))
        if (found.hash == wanted.hash)
            return true;
    return false;
}

static int compare_feature(const void *a, const void *b)
{
    uint64_t left = ((const struct sim_feature *)a)->hash;
    uint64_t right = ((const struct sim_feature *)b)->hash;
    return (left > right) - (left < right);
}

static void sort_and_merge(struct sim_bag *bag)
{
    if (bag->n == 0)
        return;
    qsort(bag->items, bag->n, sizeof *bag->items, compare_feature);
    size_t last = 0;
    for (size_t i = 1; i < bag->n; i++) {
        if (bag->items[i].hash == bag->items[last].hash)
            bag->items[last].weight += bag->items[i].weight;
        else
            bag->items[++last] = bag->items[i];
    }
    bag->n = last + 1;
}

static void add_feature(struct sim_bag *bag, size_t cap, uint64_t hash,
                        double weight)
{
    if (bag->n < cap)
        bag->items[bag->n++] = (struct sim_feature){hash, weight};
}

static void add_word(struct sim_bag *bag, size_t cap,
                     const struct sim_word *word, uint64_t previous)
{
    add_feature(bag, cap, word->hash, 1.0);
    if (previous != 0)
        add_feature(bag, cap, sim_mix(previous, word->hash), PAIR_WEIGHT);
    for (size_t i = 0; word->len > 4 && i + 4 <= word->len; i++)
        add_feature(bag, cap, sim_hash(word->stem + i, 4, 2), GRAM_WEIGHT);
}

struct sim_bag sim_bag_new(struct arena *arena, const char *text, size_t len)
{
    // A word of n letters makes at most n features and one pair.
    size_t cap = len + len / 2 + 2;
    if (cap > SIM_FEATURES_MAX)
        cap = SIM_FEATURES_MAX;
    struct sim_bag bag = {arena_array(arena, cap, sizeof *bag.items), 0};
    if (bag.items == NULL)
        return bag;
    struct sim_word word;
    uint64_t previous = 0;
    const char *at = text;
    while (sim_word_next(&at, text + len, &word)) {
        if (word.stop)
            continue;
        add_word(&bag, cap, &word, previous);
        previous = word.hash;
    }
    sort_and_merge(&bag);
    return bag;
}

void sim_bag_weigh(struct sim_bag *bag, const struct sim_bag *idf,
                   double default_weight)
{
    double squares = 0;
    size_t k = 0;
    for (size_t i = 0; i < bag->n; i++) {
        struct sim_feature *item = &bag->items[i];
        while (k < idf->n && idf->items[k].hash < item->hash)
            k++;
        bool known = k < idf->n && idf->items[k].hash == item->hash;
        item->weight = sqrt(item->weight) *
                       (known ? idf->items[k].weight : default_weight);
        squares += item->weight * item->weight;
    }
    if (squares <= 0)
        return;
    double scale = 1.0 / sqrt(squares);
    for (size_t i = 0; i < bag->n; i++)
        bag->items[i].weight *= scale;
}

double sim_bag_cosine(const struct sim_bag *a, const struct sim_bag *b)
{
    double sum = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < a->n && k < b->n) {
        uint64_t left = a->items[i].hash;
        uint64_t right = b->items[k].hash;
        if (left == right)
            sum += a->items[i].weight * b->items[k].weight;
        i += left <= right;
        k += right <= left;
    }
    return sum;
}

struct sim_bag sim_bag_idf(struct arena *arena,
                           const struct sim_bag *const *bags, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += bags[i]->n;
    struct sim_bag idf = {arena_array(arena, total + 1, sizeof *idf.items), 0};
    if (idf.items == NULL)
        return idf;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < bags[i]->n; k++)
            add_feature(&idf, total, bags[i]->items[k].hash, 1.0);
    sort_and_merge(&idf);
    for (size_t i = 0; i < idf.n; i++)
        idf.items[i].weight =
            log(1.0 + ((double)n + 1.0) / (idf.items[i].weight + 0.5));
    return idf;
}
