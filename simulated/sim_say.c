#include "simulated/sim_say.h"

#include <ctype.h>
#include <string.h>

#include "simulated/sim_shape.h"
#include "simulated/sim_teacher.h"

enum { SENTENCE_MAX_BYTES = 240 };

// ---- sentences

static bool next_sentence(const char **at, struct sim_span *sentence)
{
    const char *p = *at;
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '\0')
        return false;
    const char *start = p;
    while (*p != '\0' && *p != '\n') {
        bool ends = strchr(".!?", *p) != NULL;
        p++;
        if (ends && (*p == '\0' || isspace((unsigned char)*p)))
            break;
    }
    *sentence = (struct sim_span){start, (size_t)(p - start)};
    *at = p;
    return true;
}

// Cuts before a word, not inside one.
static const char *copy_cut(struct arena *arena, struct sim_span text)
{
    size_t len = text.len;
    if (len > SENTENCE_MAX_BYTES) {
        len = SENTENCE_MAX_BYTES;
        while (len > 0 && text.at[len] != ' ')
            len--;
        if (len == 0)
            len = SENTENCE_MAX_BYTES;
        while (len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80)
            len--;
    }
    return arena_strndup(arena, text.at, len);
}

static const char *first_sentence(const struct sim_ask *ask)
{
    const char *at = sim_ask_input(ask);
    struct sim_span sentence = {at, 0};
    next_sentence(&at, &sentence);
    return copy_cut(ask->arena, sentence);
}

// Returns the sentence of all inputs except `but` that most resembles the text
// `but`.
static const char *best_sentence(const struct sim_ask *ask, const char *but)
{
    const struct sim_task *task = ask->task;
    struct sim_bag wanted = sim_bag_new(ask->arena, but, strlen(but));
    sim_bag_weigh(&wanted, &task->idf, task->default_weight);
    struct sim_span best = {NULL, 0};
    double top = 0;
    for (size_t i = 0; i < task->prompt.n_inputs; i++) {
        const char *at = ask->turn->values[i];
        struct sim_span one;
        while (at != NULL && at != but && next_sentence(&at, &one)) {
            struct sim_bag bag = sim_bag_new(ask->arena, one.at, one.len);
            sim_bag_weigh(&bag, &task->idf, task->default_weight);
            double fit = sim_bag_cosine(&wanted, &bag);
            if (fit > top) {
                top = fit;
                best = one;
            }
        }
    }
    return best.at == NULL ? NULL : copy_cut(ask->arena, best);
}

static const char *put_reasoning(struct sim_ask *ask)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    const char *words = sim_ask_keywords(ask, sim_ask_input(ask), 3);
    double margin = 0;
    const char *label = NULL;
    for (size_t i = 0; i < prompt->n_outputs && label == NULL; i++)
        label = sim_ask_label(ask, i, &margin);
    if (words == NULL)
        return NULL;
    if (label != NULL)
        return arena_printf(ask->arena,
                            "The text speaks of %s. Of the possible values "
                            "this fits %s best.",
                            words, label);
    return arena_printf(ask->arena,
                        "The text speaks of %s, so the answer should deal "
                        "with that.",
                        words);
}

static const char *put_summary(struct sim_ask *ask)
{
    return first_sentence(ask);
}

static const char *put_reply(struct sim_ask *ask)
{
    const char *asked = sim_ask_input(ask);
    const char *words = sim_ask_keywords(ask, asked, 2);
    const char *fact = best_sentence(ask, asked);
    if (words == NULL)
        return NULL;
    return arena_printf(ask->arena,
                        "Thank you for your message. I understand that it is "
                        "about %s.%s%s We will take care of it and get back "
                        "to you shortly.",
                        words[0] == '\0' ? "your request" : words,
                        fact == NULL ? "" : " ", fact == NULL ? "" : fact);
}

static const char *put_answer(struct sim_ask *ask)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    size_t last = prompt->n_inputs;
    for (size_t i = 0; i < prompt->n_inputs; i++)
        if (sim_has_word(prompt->inputs[i].name, "question") ||
            sim_has_word(prompt->inputs[i].name, "query"))
            last = i;
    const char *asked =
        last < prompt->n_inputs ? ask->turn->values[last] : sim_ask_input(ask);
    const char *fact = asked == NULL ? NULL : best_sentence(ask, asked);
    return fact != NULL ? fact : put_reply(ask);
}

static const char *put_email(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_EMAIL);
}

static const char *put_url(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_URL);
}

static const char *put_date(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_DATE);
}

static const char *put_amount(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_AMOUNT);
}

static const char *put_phone(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_PHONE);
}

static const char *put_id(struct sim_ask *ask)
{
    return sim_shape_find(ask->arena, ask->turn->joined, SIM_ID);
}

// Which text a word asks for, in a field's name or else in its description.
static const struct {
    const char *word;
    const char *(*put)(struct sim_ask *ask);
} TEXTS[] = {
    {"reasoning", put_reasoning},
    {"rationale", put_reasoning},
    {"email", put_email},
    {"url", put_url},
    {"link", put_url},
    {"phone", put_phone},
    {"date", put_date},
    {"amount", put_amount},
    {"price", put_amount},
    {"id", put_id},
    {"reference", put_id},
    {"code", put_id},
    {"summary", put_summary},
    {"title", put_summary},
    {"topic", put_summary},
    {"sentence", put_summary},
    {"response", put_reply},
    {"reply", put_reply},
    {"answer", put_answer},
};

static const char *(*find_text(const char *said))(struct sim_ask *ask)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (sim_has_word(said, TEXTS[i].word))
            return TEXTS[i].put;
    return NULL;
}

// Returns the token of the question that looks like the value that a demo took
// from its own input.
static const char *by_analogy(const struct sim_ask *ask, size_t field)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        const char *value = prompt->demos[i].values[field];
        if (value == NULL || strpbrk(value, " \n") != NULL ||
            strpbrk(value, "0123456789@") == NULL ||
            strstr(prompt->demos[i].input, value) == NULL)
            continue;
        const char *alike =
            sim_shape_alike(ask->arena, ask->turn->joined, value);
        if (alike != NULL)
            return alike;
    }
    return NULL;
}

const char *sim_say_named(struct sim_ask *ask, const char *name)
{
    const char *(*put)(struct sim_ask *) = find_text(name);
    return put != NULL ? put(ask)
                       : sim_ask_keywords(ask, sim_ask_input(ask), 2);
}

const char *sim_say(struct sim_ask *ask, size_t field)
{
    const struct sim_field *out = &ask->task->prompt.outputs[field];
    if (sim_teacher_knows(&ask->task->prompt, field))
        return sim_teacher_write(ask, field);
    const char *(*put)(struct sim_ask *) = find_text(out->name);
    if (put == NULL || put == put_id) {
        const char *alike = by_analogy(ask, field);
        if (alike != NULL)
            return alike;
    }
    if (put == NULL)
        put = find_text(out->desc);
    return put != NULL ? put(ask) : put_answer(ask);
}
