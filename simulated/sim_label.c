#include "simulated/sim_label.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"

enum { MENTIONS_MAX_BYTES = 1 << 16, NEAREST = 3, LABEL_WORDS_MAX = 4 };

static const double WEIGHT_NAME = 1.0;
static const double WEIGHT_MENTION = 1.0;
static const double WEIGHT_CLASS = 0.8;
static const double WEIGHT_NEAR = 1.2;
static const double NOISE = 0.46;        // for the weakest model with a bare
                                         // prompt
static const double QUALITY_HELPS = 0.5; // share of the noise that good quality
                                         // removes
static const double DEMOS_HELP = 0.65;   // the same for demos that agree
static const double DEMOS_SCALE = 3.0;   // number of demos for most of that
                                         // effect
static const double HEAT_NOISE = 0.12;   // at temperature 1

// ---- which labels

static bool is_short(const char *text)
{
    size_t words = 0;
    for (const char *at = text; *at != '\0'; at++) {
        words += *at == ' ';
        if (*at == '\n' || at - text > 40)
            return false;
    }
    return text[0] != '\0' && words < LABEL_WORDS_MAX;
}

static size_t label_index(const char *const *labels, size_t n, const char *text)
{
    size_t i = 0;
    while (i < n && strcasecmp(labels[i], text) != 0)
        i++;
    return i;
}

// If the demos of a free field repeat a few short values, takes those as its
// labels.
static bool suggest_labels(struct sim_label_set *set, struct arena *arena,
                           const struct sim_prompt *prompt, size_t field)
{
    set->labels = arena_array(arena, SIM_DEMOS_MAX, sizeof *set->labels);
    if (set->labels == NULL)
        return false;
    size_t shown = 0;
    size_t distinct = 0;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        const char *value = prompt->demos[i].values[field];
        if (value == NULL)
            continue;
        if (!is_short(value))
            return true;
        shown++;
        if (label_index(set->labels, distinct, value) == distinct)
            set->labels[distinct++] = value;
    }
    set->n = shown >= 4 && distinct * 2 <= shown ? distinct : 0;
    return true;
}

static bool list_labels(struct sim_label_set *set, struct arena *arena,
                        const struct sim_prompt *prompt, size_t field)
{
    static const char *const TRUTHS[] = {"true", "false"};
    const struct sim_field *out = &prompt->outputs[field];
    if (out->kind == SIM_TEXT)
        return suggest_labels(set, arena, prompt, field);
    set->labels = out->labels;
    set->n = out->kind == SIM_LABEL ? out->n_labels : 0;
    if (out->kind != SIM_BOOL)
        return true;
    set->n = 2;
    set->labels = arena_array(arena, 2, sizeof *set->labels);
    if (set->labels == NULL)
        return false;
    memcpy(set->labels, TRUTHS, sizeof TRUTHS);
    return true;
}

// ---- what the instruction says about them

static bool ends_clause(const char *at, const char *end)
{
    if (at == end || *at == '\n' || *at == ';')
        return true;
    return (*at == '.' || *at == '!') && at + 1 < end &&
           isspace((unsigned char)at[1]);
}

// Compares ignoring case. A space or underscore in the text matches any
// separator in the label.
static bool matches(const char *at, size_t room, const char *label, size_t len)
{
    if (len > room)
        return false;
    for (size_t i = 0; i < len; i++) {
        int want = tolower((unsigned char)label[i]);
        int have = tolower((unsigned char)at[i]);
        bool gap = want == '_' || want == '-' || want == ' ';
        if (want != have && !(gap && (have == ' ' || have == '_')))
            return false;
    }
    return len == room || !isalnum((unsigned char)at[len]);
}

struct mention {
    size_t label;
    const char *at;
    size_t len;
};

// Finds the longest label that starts at `at`.
static bool mention_at(const struct sim_label_set *set, const char *at,
                       const char *end, struct mention *found)
{
    found->len = 0;
    for (size_t i = 0; i < set->n; i++) {
        size_t len = strlen(set->labels[i]);
        if (len > found->len &&
            matches(at, (size_t)(end - at), set->labels[i], len))
            *found = (struct mention){i, at, len};
    }
    return found->len > 0;
}

static size_t find_mentions(const struct sim_label_set *set, const char *at,
                            const char *end, struct mention *list, size_t max)
{
    size_t n = 0;
    bool starts = true;
    while (at < end && n < max) {
        if (starts && mention_at(set, at, end, &list[n])) {
            at += list[n++].len;
            starts = false;
            continue;
        }
        starts = !isalnum((unsigned char)*at) && *at != '_';
        at++;
    }
    return n;
}

// If a clause has one label, the label owns all of it. If it has several, each
// owns the text that follows it.
static void read_clause(const struct sim_label_set *set, const char *at,
                        const char *end, struct buf *said, bool *named)
{
    struct mention list[SIM_LABELS_MAX];
    size_t n = find_mentions(set, at, end, list, SIM_LABELS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *after = list[i].at + list[i].len;
        const char *stop = i + 1 < n ? list[i + 1].at : end;
        struct buf *text = &said[list[i].label];
        named[list[i].label] = true;
        if (n == 1)
            buf_append(text, at, (size_t)(list[i].at - at));
        buf_putc(text, ' ');
        buf_append(text, after, (size_t)(stop - after));
    }
}

static void read_clauses(const struct sim_label_set *set, const char *text,
                         struct buf *said, bool *named)
{
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        const char *stop = at;
        while (!ends_clause(stop, end))
            stop++;
        read_clause(set, at, stop, said, named);
        at = stop + 1;
    }
}

// ---- how good the instruction is, whatever it is about

// Returns the share of the words in the inputs' names that the instruction
// mentions.
static double share_of_names(const struct sim_prompt *prompt)
{
    size_t told = 0;
    size_t n = 0;
    for (size_t i = 0; i < prompt->n_inputs; i++) {
        struct sim_word word;
        const char *at = prompt->inputs[i].name;
        const char *end = at + strlen(at);
        while (sim_word_next(&at, end, &word)) {
            told += sim_has_word(prompt->instruction, word.stem);
            n++;
        }
    }
    return n == 0 ? 0 : (double)told / (double)n;
}

static double length_fits(const char *text)
{
    size_t words = 1;
    for (const char *at = text; *at != '\0'; at++)
        words += *at == ' ' || *at == '\n';
    if (words < 6)
        return 0.2;
    return words <= 300 ? 1.0 : 300.0 / (double)words;
}

// Returns 0.5 if the text asks for a single value, plus 0.5 if it asks for the
// exact value.
static double asks_exactness(const char *text)
{
    static const struct {
        const char *word;
        size_t half;
    } WORDS[] = {
        {"single", 0},  {"one", 0},      {"only", 0},      {"exact", 1},
        {"exactly", 1}, {"verbatim", 1}, {"precisely", 1},
    };
    bool asked[2] = {false, false};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (sim_has_word(text, WORDS[i].word))
            asked[WORDS[i].half] = true;
    return 0.5 * asked[0] + 0.5 * asked[1];
}

static double judge_instruction(const struct sim_label_set *set,
                                const struct sim_prompt *prompt,
                                const bool *named)
{
    double names = 0;
    double told = 0;
    for (size_t i = 0; i < set->n; i++) {
        names += named[i];
        told += fmin(1.0, (double)set->mentions[i].n / 12.0);
    }
    double n = (double)set->n;
    double sum = 0.15 * names / n + 0.4 * told / n;
    sum += 0.15 * asks_exactness(prompt->instruction);
    sum += 0.15 * share_of_names(prompt);
    return sum + 0.15 * length_fits(prompt->instruction);
}

// ---- reading a prefix

static bool make_bags(struct sim_label_set *set, struct arena *arena,
                      struct buf *said)
{
    set->names = arena_array(arena, set->n, sizeof *set->names);
    set->mentions = arena_array(arena, set->n, sizeof *set->mentions);
    set->classes = arena_array(arena, set->n, sizeof *set->classes);
    if (set->names == NULL || set->mentions == NULL || set->classes == NULL)
        return false;
    for (size_t i = 0; i < set->n; i++) {
        const char *label = set->labels[i];
        set->names[i] = sim_bag_new(arena, label, strlen(label));
        if (said[i].data != NULL)
            set->mentions[i] = sim_bag_new(arena, said[i].data, said[i].len);
    }
    return true;
}

// Makes one bag per label, from the inputs of all demos with that label.
static bool make_classes(struct sim_label_set *set, struct arena *arena,
                         const struct sim_prompt *prompt, struct buf *text)
{
    for (size_t label = 0; label < set->n; label++) {
        buf_clear(text);
        for (size_t i = 0; i < prompt->n_demos; i++) {
            if (set->of_demo[i] != (int)label)
                continue;
            buf_puts(text, prompt->demos[i].input);
            buf_putc(text, '\n');
        }
        if (text->len > 0)
            set->classes[label] = sim_bag_new(arena, text->data, text->len);
    }
    return true;
}

static bool place_demos(struct sim_label_set *set, struct arena *arena,
                        const struct sim_prompt *prompt, size_t field)
{
    set->of_demo = arena_array(arena, prompt->n_demos, sizeof *set->of_demo);
    if (set->of_demo == NULL)
        return false;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        const char *value = prompt->demos[i].values[field];
        size_t at =
            value == NULL ? set->n : label_index(set->labels, set->n, value);
        set->of_demo[i] = at < set->n ? (int)at : -1;
        set->n_shown += at < set->n;
    }
    return true;
}

bool sim_label_read(struct sim_label_set *set, struct arena *arena,
                    const struct sim_prompt *prompt, size_t field,
                    struct err *err)
{
    bool ok = false;
    bool named[SIM_LABELS_MAX] = {false};
    struct buf said[SIM_LABELS_MAX];
    for (size_t i = 0; i < SIM_LABELS_MAX; i++)
        said[i] = BUF_INIT(MENTIONS_MAX_BYTES);
    struct buf text = BUF_INIT(MENTIONS_MAX_BYTES);
    *set = (struct sim_label_set){.n = 0};

    if (!list_labels(set, arena, prompt, field))
        goto out;
    ok = set->n == 0;
    if (ok)
        goto out;
    read_clauses(set, prompt->instruction, said, named);
    if (strstr(prompt->outputs[field].desc, "one of") == NULL)
        read_clauses(set, prompt->outputs[field].desc, said, named);
    ok = place_demos(set, arena, prompt, field) &&
         make_bags(set, arena, said) && make_classes(set, arena, prompt, &text);
    if (ok)
        set->quality = judge_instruction(set, prompt, named);

out:
    if (!ok)
        err_nomem(err, "labels");
    for (size_t i = 0; i < SIM_LABELS_MAX; i++)
        buf_release(&said[i]);
    buf_release(&text);
    return ok;
}

void sim_label_documents(const struct sim_label_set *set,
                         const struct sim_bag **bags, size_t *n)
{
    for (size_t i = 0; i < set->n; i++) {
        bags[(*n)++] = &set->names[i];
        bags[(*n)++] = &set->mentions[i];
    }
}

// ---- weighing

// Checks whether the demo fits the words of its own label better than those of
// the other labels. Returns 1 for yes and 0.2 for no, or a value in between if
// the labels' words say nothing about it.
static double agrees(const struct sim_label_set *set,
                     const struct sim_bag *demo, size_t own)
{
    double mine = 0;
    double others = 0;
    for (size_t i = 0; i < set->n; i++) {
        double fit = sim_bag_cosine(demo, &set->names[i]) +
                     sim_bag_cosine(demo, &set->mentions[i]);
        if (i == own)
            mine = fit;
        else
            others = fmax(others, fit);
    }
    if (mine <= 0 && others <= 0)
        return 0.7;
    return mine >= others ? 1.0 : 0.2;
}

void sim_label_weigh(struct sim_label_set *set, const struct sim_bag *idf,
                     double default_weight, const struct sim_bag *demos,
                     size_t n_demos)
{
    for (size_t i = 0; i < set->n; i++) {
        sim_bag_weigh(&set->names[i], idf, default_weight);
        sim_bag_weigh(&set->mentions[i], idf, default_weight);
        sim_bag_weigh(&set->classes[i], idf, default_weight);
    }
    double sum = 0;
    for (size_t i = 0; i < n_demos && set->n > 0; i++)
        if (set->of_demo[i] >= 0)
            sum += agrees(set, &demos[i], (size_t)set->of_demo[i]);
    set->agreement = set->n_shown == 0 ? 0 : sum / (double)set->n_shown;
}

// ---- choosing

// Adds the nearest demos to each label's score; the second and third count
// less.
static void add_nearest(const struct sim_label_set *set,
                        const struct sim_bag *question,
                        const struct sim_bag *demos, size_t n_demos,
                        double *scores)
{
    static const double COUNTS[NEAREST] = {1.0, 0.35, 0.15};
    double best[SIM_LABELS_MAX][NEAREST] = {{0}};
    for (size_t i = 0; i < n_demos; i++) {
        if (set->of_demo[i] < 0)
            continue;
        double near = sim_bag_cosine(question, &demos[i]);
        double *list = best[set->of_demo[i]];
        for (size_t k = 0; k < NEAREST; k++) {
            double held = list[k];
            list[k] = fmax(held, near);
            near = fmin(held, near);
        }
    }
    for (size_t i = 0; i < set->n; i++)
        for (size_t k = 0; k < NEAREST; k++)
            scores[i] += WEIGHT_NEAR * COUNTS[k] * best[i][k];
}

static double noise_size(const struct sim_label_set *set, double strength)
{
    double shown = 1.0 - exp(-(double)set->n_shown / DEMOS_SCALE);
    double calm = (1.0 - QUALITY_HELPS * set->quality) *
                  (1.0 - DEMOS_HELP * shown * set->agreement);
    // Demos that contradict the labels add noise.
    if (set->n_shown > 0 && set->agreement < 0.6)
        calm *= 1.0 + (0.6 - set->agreement);
    return NOISE * (1.25 - strength) * calm;
}

static struct sim_choice take_best(const double *scores, size_t n)
{
    struct sim_choice choice = {.index = 0};
    double second = -HUGE_VAL;
    for (size_t i = 1; i < n; i++) {
        if (scores[i] > scores[choice.index]) {
            second = scores[choice.index];
            choice.index = i;
        } else if (scores[i] > second)
            second = scores[i];
    }
    double gap = n > 1 ? scores[choice.index] - second : 1.0;
    choice.margin = gap / (gap + 0.1);
    return choice;
}

static void fill_odds(const double *scores, size_t n, double *odds)
{
    // The standard deviation of a Gumbel distribution is its scale times pi /
    // sqrt(6).
    double scale = HEAT_NOISE / 1.2825498301618641;
    double most = -HUGE_VAL;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, scores[i]);
    for (size_t i = 0; i < n; i++)
        sum += odds[i] = exp((scores[i] - most) / scale);
    for (size_t i = 0; i < n; i++)
        odds[i] /= sum;
}

struct sim_choice sim_label_choose(const struct sim_label_set *set,
                                   const struct sim_label_question *asked,
                                   const struct sim_label_mind *mind)
{
    const struct sim_bag *question = asked->question;
    double scores[SIM_LABELS_MAX] = {0};
    double heated[SIM_LABELS_MAX] = {0};
    double size = noise_size(set, mind->strength);
    add_nearest(set, question, asked->demos, asked->n_demos, scores);
    for (size_t i = 0; i < set->n; i++) {
        uint64_t own = sim_hash_text(set->labels[i], mind->draw);
        scores[i] += WEIGHT_NAME * sim_bag_cosine(question, &set->names[i]);
        scores[i] +=
            WEIGHT_MENTION * sim_bag_cosine(question, &set->mentions[i]);
        scores[i] += WEIGHT_CLASS * sim_bag_cosine(question, &set->classes[i]);
        scores[i] += size * sim_gauss(own);
        heated[i] = scores[i];
        if (mind->heat > 0)
            heated[i] +=
                HEAT_NOISE * mind->heat * sim_gauss(sim_mix(own, mind->seed));
    }
    struct sim_choice choice = take_best(heated, set->n);
    fill_odds(scores, set->n, choice.odds);
    return choice;
}
