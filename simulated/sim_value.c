#include "simulated/sim_value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/json.h"

#include "simulated/sim_teacher.h"

enum {
    VALUE_MAX_BYTES = 1 << 16,
    SENTENCE_MAX_BYTES = 240,
    SHAPE_MAX = 32,
    SCHEMA_DEPTH_MAX = 8,
    ITEMS_MAX = 16,
};

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

// Cuts before a word, not inside of it.
static const char *copy_cut(struct arena *arena, struct sim_span text,
                            size_t max)
{
    size_t len = text.len;
    if (len > max) {
        len = max;
        while (len > 0 && text.at[len] != ' ')
            len--;
        if (len == 0)
            len = max;
        while (len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80)
            len--;
    }
    return arena_strndup(arena, text.at, len);
}

static const char *main_input(const struct sim_ask *ask)
{
    for (size_t i = 0; i < ask->task->prompt.n_inputs; i++)
        if (ask->turn->values[i] != NULL && ask->turn->values[i][0] != '\0')
            return ask->turn->values[i];
    return ask->turn->joined;
}

static const char *first_sentence(const struct sim_ask *ask)
{
    const char *at = main_input(ask);
    struct sim_span sentence = {at, 0};
    next_sentence(&at, &sentence);
    return copy_cut(ask->arena, sentence, SENTENCE_MAX_BYTES);
}

// The sentence of all inputs but `but` that resembles the text `but` most.
static const char *best_sentence(const struct sim_ask *ask, const char *but)
{
    const struct sim_task *task = ask->task;
    struct sim_bag wanted = sim_bag_new(ask->arena, but, strlen(but));
    sim_bag_weigh(&wanted, &task->idf, task->otherwise);
    struct sim_span best = {NULL, 0};
    double top = 0;
    for (size_t i = 0; i < task->prompt.n_inputs; i++) {
        const char *at = ask->turn->values[i];
        struct sim_span one;
        while (at != NULL && at != but && next_sentence(&at, &one)) {
            struct sim_bag bag = sim_bag_new(ask->arena, one.at, one.len);
            sim_bag_weigh(&bag, &task->idf, task->otherwise);
            double fit = sim_bag_cosine(&wanted, &bag);
            if (fit > top) {
                top = fit;
                best = one;
            }
        }
    }
    return best.at == NULL ? NULL
                           : copy_cut(ask->arena, best, SENTENCE_MAX_BYTES);
}

// ---- things with a shape

static bool is_token(char c)
{
    return c != '\0' && !isspace((unsigned char)c) &&
           strchr(",;()<>\"'!?", c) == NULL;
}

static bool next_token(const char **at, struct sim_span *token)
{
    const char *p = *at;
    while (*p != '\0' && !is_token(*p))
        p++;
    if (*p == '\0')
        return false;
    const char *start = p;
    while (is_token(*p))
        p++;
    size_t len = (size_t)(p - start);
    while (len > 1 && (start[len - 1] == '.' || start[len - 1] == ':'))
        len--;
    *token = (struct sim_span){start, len};
    *at = p;
    return true;
}

static size_t count_digits(struct sim_span token)
{
    size_t n = 0;
    for (size_t i = 0; i < token.len; i++)
        n += isdigit((unsigned char)token.at[i]) != 0;
    return n;
}

static bool is_email(struct sim_span token)
{
    const char *at = memchr(token.at, '@', token.len);
    return at != NULL && at > token.at &&
           memchr(at, '.', token.len - (size_t)(at - token.at)) != NULL;
}

static bool is_url(struct sim_span token)
{
    return token.len > 8 && (strncmp(token.at, "http", 4) == 0 ||
                             strncmp(token.at, "www.", 4) == 0);
}

static bool is_date(struct sim_span token)
{
    size_t marks = 0;
    for (size_t i = 0; i < token.len; i++)
        marks += strchr("-/.", token.at[i]) != NULL;
    return marks == 2 && count_digits(token) >= 4 &&
           count_digits(token) + marks == token.len;
}

static bool is_amount(struct sim_span token)
{
    bool money = token.at[0] == '$' || (unsigned char)token.at[0] >= 0x80 ||
                 memchr(token.at, '.', token.len) != NULL;
    return money && count_digits(token) > 0;
}

static bool is_phone(struct sim_span token)
{
    return count_digits(token) >= 7 && !is_date(token) && !is_email(token);
}

static bool is_id(struct sim_span token)
{
    return count_digits(token) >= 3 && token.len <= 40 && !is_date(token) &&
           !is_email(token) && !is_url(token) && !is_amount(token);
}

static const char *extract(const struct sim_ask *ask,
                           bool (*fits)(struct sim_span))
{
    const char *at = ask->turn->joined;
    struct sim_span token;
    while (next_token(&at, &token))
        if (fits(token))
            return arena_strndup(ask->arena, token.at, token.len);
    return "";
}

// "AB-12" and "XYZ-7" have one shape, "A-9".
static void shape_of(struct sim_span token, char shape[SHAPE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < token.len && n + 1 < SHAPE_MAX; i++) {
        unsigned char c = (unsigned char)token.at[i];
        char kind = (char)(isdigit(c)   ? '9'
                           : isupper(c) ? 'A'
                           : isalpha(c) ? 'a'
                                        : (char)c);
        if (n == 0 || shape[n - 1] != kind)
            shape[n++] = kind;
    }
    shape[n] = '\0';
}

// The token of the question that looks like what a demo took out of its own.
static const char *by_analogy(const struct sim_ask *ask, size_t field)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        const char *value = prompt->demos[i].values[field];
        if (value == NULL || strpbrk(value, " \n") != NULL ||
            strpbrk(value, "0123456789@") == NULL ||
            strstr(prompt->demos[i].input, value) == NULL)
            continue;
        char wanted[SHAPE_MAX];
        char found[SHAPE_MAX];
        shape_of((struct sim_span){value, strlen(value)}, wanted);
        const char *at = ask->turn->joined;
        struct sim_span token;
        while (next_token(&at, &token)) {
            shape_of(token, found);
            if (strcmp(wanted, found) == 0)
                return arena_strndup(ask->arena, token.at, token.len);
        }
    }
    return NULL;
}

// ---- labels

// NULL without memory: then nothing is said of that field.
static const double *copy_odds(struct arena *arena, const double *odds,
                               size_t n)
{
    double *copy = arena_array(arena, n, sizeof *copy);
    if (copy != NULL)
        memcpy(copy, odds, n * sizeof *copy);
    return copy;
}

// The label that will be chosen for a field, or NULL when it has none.
static const char *choose_label(struct sim_ask *ask, size_t field,
                                double *margin)
{
    const struct sim_label_set *set = &ask->task->labels[field];
    if (set->n == 0)
        return NULL;
    struct sim_choice choice = sim_label_choose(
        set, ask->question, ask->task->demos, ask->task->prompt.n_demos,
        ask->strength, sim_mix(ask->draw, field), ask->heat, ask->seed);
    *margin = choice.margin;
    if (ask->tells_odds)
        ask->odds[field] = copy_odds(ask->arena, choice.odds, set->n);
    return set->labels[choice.index];
}

// ---- texts

static const char *put_reasoning(struct sim_ask *ask)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    const char *words = sim_ask_keywords(ask, main_input(ask), 3);
    double margin = 0;
    const char *label = NULL;
    for (size_t i = 0; i < prompt->n_outputs && label == NULL; i++)
        label = choose_label(ask, i, &margin);
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
    const char *asked = main_input(ask);
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
        last < prompt->n_inputs ? ask->turn->values[last] : main_input(ask);
    const char *fact = asked == NULL ? NULL : best_sentence(ask, asked);
    return fact != NULL ? fact : put_reply(ask);
}

static const char *put_email(struct sim_ask *ask)
{
    return extract(ask, is_email);
}

static const char *put_url(struct sim_ask *ask)
{
    return extract(ask, is_url);
}

static const char *put_date(struct sim_ask *ask)
{
    return extract(ask, is_date);
}

static const char *put_amount(struct sim_ask *ask)
{
    return extract(ask, is_amount);
}

static const char *put_phone(struct sim_ask *ask)
{
    return extract(ask, is_phone);
}

static const char *put_id(struct sim_ask *ask)
{
    return extract(ask, is_id);
}

// What a word in a field's name, or else in its description, asks for.
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

static const char *put_text(struct sim_ask *ask, size_t field)
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

// ---- numbers

static double within(const struct sim_field *field, double value)
{
    if (field->has_min && value < field->min)
        value = field->min;
    if (field->has_max && value > field->max)
        value = field->max;
    return value;
}

static bool first_number(const char *text, double *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at))
            continue;
        *out = strtod(at, NULL);
        return isfinite(*out);
    }
    return false;
}

// Of the demos, the mean; without any, false.
static bool demo_number(const struct sim_ask *ask, size_t field, double *out)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        double one = 0;
        const char *value = prompt->demos[i].values[field];
        if (value == NULL || !first_number(value, &one))
            continue;
        sum += one;
        n++;
    }
    *out = n == 0 ? 0 : sum / (double)n;
    return n > 0;
}

static double make_number(struct sim_ask *ask, size_t field)
{
    const struct sim_field *out = &ask->task->prompt.outputs[field];
    bool share = out->has_min && out->has_max && out->max - out->min <= 1.0;
    double value = 0;
    if (share || sim_has_word(out->name, "confidence") ||
        sim_has_word(out->name, "probability"))
        value = 0.5 + 0.49 * ask->margin;
    else if (!first_number(ask->turn->joined, &value) &&
             !demo_number(ask, field, &value))
        value = out->has_max ? (out->min + out->max) / 2 : out->min + 1;
    return within(out, value);
}

static const char *put_number(struct sim_ask *ask, size_t field)
{
    double value = make_number(ask, field);
    if (ask->task->prompt.outputs[field].kind == SIM_INT)
        return arena_printf(ask->arena, "%.0f", fmin(fmax(value, -1e15), 1e15));
    return arena_printf(ask->arena, "%.2f", fmin(fmax(value, -1e15), 1e15));
}

// ---- structures, by a schema or without one

static const json_t *resolve(const json_t *root, const json_t *schema)
{
    static const char *const CHOICES[] = {"anyOf", "oneOf", "allOf"};
    for (int hops = 0; hops < SCHEMA_DEPTH_MAX; hops++) {
        const char *ref = json_get_text(schema, "$ref", NULL);
        const char *name = ref == NULL ? NULL : strrchr(ref, '/');
        const json_t *next = NULL;
        if (name != NULL) {
            next = json_object_get(json_object_get(root, "$defs"), name + 1);
            if (next == NULL)
                next = json_object_get(json_object_get(root, "definitions"),
                                       name + 1);
        }
        for (size_t i = 0; i < 3 && next == NULL; i++)
            next = json_array_get(json_object_get(schema, CHOICES[i]), 0);
        if (next == NULL)
            return schema;
        schema = next;
    }
    return schema;
}

static json_t *schema_text(struct sim_ask *ask, const json_t *schema,
                           const char *name)
{
    const char *(*put)(struct sim_ask *) = find_text(name);
    const char *text =
        put != NULL ? put(ask) : sim_ask_keywords(ask, main_input(ask), 2);
    int64_t max = json_get_int(schema, "maxLength", VALUE_MAX_BYTES);
    size_t len = text == NULL ? 0 : strlen(text);
    if (max >= 0 && len > (size_t)max)
        len = (size_t)max;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return json_stringn(text == NULL ? "" : text, len);
}

// How much a text resembles the question, 0 to 1.
static double fit_of(const struct sim_ask *ask, const char *text)
{
    struct sim_bag bag = sim_bag_new(ask->arena, text, strlen(text));
    sim_bag_weigh(&bag, &ask->task->idf, ask->task->otherwise);
    return sim_bag_cosine(&bag, ask->question);
}

static const char *nearest_text(const struct sim_ask *ask, const char **texts,
                                size_t n)
{
    const char *best = texts[ask->draw % n];
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        double fit = fit_of(ask, texts[i]);
        if (fit > top) {
            top = fit;
            best = texts[i];
        }
    }
    return best;
}

static json_t *schema_enum(struct sim_ask *ask, const json_t *values)
{
    size_t n = json_array_size(values);
    size_t best = (size_t)(ask->draw % n);
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(values, i));
        double fit = text == NULL ? 0 : fit_of(ask, text);
        if (fit > top) {
            top = fit;
            best = i;
        }
    }
    return json_incref(json_array_get(values, best));
}

static json_t *by_schema(struct sim_ask *ask, const json_t *root,
                         const json_t *schema, const char *name, int depth);

static json_t *schema_object(struct sim_ask *ask, const json_t *root,
                             const json_t *schema, int depth)
{
    json_t *object = json_object();
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(json_object_get(schema, "properties"), key, member)
        json_object_set_new(object, key,
                            by_schema(ask, root, member, key, depth + 1));
    return object;
}

static json_t *schema_list(struct sim_ask *ask, const json_t *root,
                           const json_t *schema, const char *name, int depth)
{
    int64_t n = json_get_int(schema, "minItems", 1);
    json_t *list = json_array();
    for (int64_t i = 0; i < (n < 1 ? 1 : n) && i < ITEMS_MAX; i++)
        json_array_append_new(list, by_schema(ask, root,
                                              json_object_get(schema, "items"),
                                              name, depth + 1));
    return list;
}

static json_t *by_schema(struct sim_ask *ask, const json_t *root,
                         const json_t *schema, const char *name, int depth)
{
    schema = resolve(root, schema);
    const json_t *values = json_object_get(schema, "enum");
    const json_t *type = json_object_get(schema, "type");
    if (json_is_array(type))
        type = json_array_get(type, 0);
    const char *kind = json_is_string(type) ? json_string_value(type) : "";
    if (depth > SCHEMA_DEPTH_MAX)
        return json_null();
    if (json_array_size(values) > 0)
        return schema_enum(ask, values);
    if (json_object_get(schema, "const") != NULL)
        return json_incref(json_object_get(schema, "const"));
    if (strcmp(kind, "object") == 0 || json_object_get(schema, "properties"))
        return schema_object(ask, root, schema, depth);
    if (strcmp(kind, "array") == 0)
        return schema_list(ask, root, schema, name, depth);
    if (strcmp(kind, "boolean") == 0)
        return json_boolean(ask->draw & 1);
    double number = json_get_number(schema, "minimum", 0);
    if (strcmp(kind, "integer") == 0)
        return json_integer((json_int_t)fmin(fmax(ceil(number), -1e15), 1e15));
    if (strcmp(kind, "number") == 0)
        return json_real(number);
    if (strcmp(kind, "null") == 0)
        return json_null();
    return schema_text(ask, schema, name);
}

// A list of the question's key words; numbers when the type says so.
static json_t *plain_list(struct sim_ask *ask, const struct sim_field *field)
{
    json_t *list = json_array();
    bool numbers = strstr(field->type, "int") != NULL ||
                   strstr(field->type, "float") != NULL;
    struct sim_keyword words[2];
    size_t n = sim_ask_find_keywords(ask, main_input(ask), words, 2);
    double value = 0;
    if (field->n_labels > 0) {
        const char *fits = nearest_text(ask, field->labels, field->n_labels);
        json_array_append_new(list, json_string(fits));
        return list;
    }
    if (numbers && first_number(ask->turn->joined, &value))
        json_array_append_new(list,
                              json_integer((json_int_t)fmin(value, 1e15)));
    for (size_t i = 0; i < n && !numbers; i++)
        json_array_append_new(list,
                              json_stringn(words[i].raw.at, words[i].raw.len));
    return list;
}

// ---- objects by the words that describe them

static const char WITH[] = "object with ";

static json_t *named_object(struct sim_ask *ask, const char *type, int depth);

static json_t *member_number(struct sim_ask *ask, const struct sim_field *field)
{
    double value = 0;
    if (!first_number(ask->turn->joined, &value))
        value = field->has_max ? (field->min + field->max) / 2 : field->min + 1;
    value = fmin(fmax(within(field, value), -1e15), 1e15);
    return field->kind == SIM_INT ? json_integer((json_int_t)value)
                                  : json_real(value);
}

static json_t *make_member(struct sim_ask *ask, const struct sim_field *field,
                           int depth)
{
    switch (field->kind) {
    case SIM_INT:
    case SIM_FLOAT:
        return member_number(ask, field);
    case SIM_BOOL:
        return json_boolean(ask->draw & 1);
    case SIM_LABEL:
        return json_string(nearest_text(ask, field->labels, field->n_labels));
    case SIM_LIST:
        return plain_list(ask, field);
    case SIM_OBJECT:
        return named_object(ask, field->type, depth + 1);
    case SIM_TEXT:
        break;
    }
    return schema_text(ask, NULL, field->name);
}

// The length of the type that text begins with: up to the next comma that is
// in no brackets.
static size_t member_type(const char *text)
{
    size_t depth = 0, i = 0;
    for (; text[i] != '\0' && (depth > 0 || text[i] != ','); i++) {
        if (text[i] == '(')
            depth++;
        else if (text[i] == ')' && depth-- == 0)
            break;
    }
    return i;
}

// Takes "a: int" or "a: (int, 1 to 5)" off *at; false when there is no more.
static bool next_member(struct sim_ask *ask, const char **at,
                        struct sim_field *out)
{
    const char *start = *at + strspn(*at, ", ");
    const char *colon = strchr(start, ':');
    if (colon == NULL || *start == ')')
        return false;
    const char *type = colon + 1 + strspn(colon + 1, " ");
    size_t len = member_type(type);
    *at = type + len;
    if (len > 1 && type[0] == '(') {
        type++;
        len -= 2;
    }
    *out = (struct sim_field){
        .name = arena_strndup(ask->arena, start, (size_t)(colon - start)),
        .type = arena_strndup(ask->arena, type, len),
        .desc = ""};
    if (out->name == NULL || out->type == NULL)
        return false;
    sim_field_type(ask->arena, out);
    return true;
}

// "object with a: str, b: int": its members, each with a value of its type.
static json_t *named_object(struct sim_ask *ask, const char *type, int depth)
{
    json_t *object = json_object();
    const char *at = depth > SCHEMA_DEPTH_MAX ? NULL : strstr(type, WITH);
    struct sim_field member;
    at = at == NULL ? "" : at + sizeof WITH - 1;
    while (next_member(ask, &at, &member))
        json_object_set_new(object, member.name,
                            make_member(ask, &member, depth));
    return object;
}

// Without a schema, the members are those that the type names, else those of
// a demo's value.
static json_t *plain_object(struct sim_ask *ask, size_t field)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    json_t *object = NULL;
    if (strstr(prompt->outputs[field].type, WITH) != NULL)
        return named_object(ask, prompt->outputs[field].type, 0);
    for (size_t i = 0; i < prompt->n_demos && object == NULL; i++) {
        const char *value = prompt->demos[i].values[field];
        if (value != NULL)
            object = json_parse(value, strlen(value), VALUE_MAX_BYTES, NULL);
    }
    if (!json_is_object(object)) {
        json_decref(object);
        return json_object();
    }
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(object, key, member) if (json_is_string(member))
        json_object_set_new(object, key, schema_text(ask, NULL, key));
    return object;
}

static const char *put_structure(struct sim_ask *ask, size_t field)
{
    const struct sim_field *out = &ask->task->prompt.outputs[field];
    json_t *value = NULL;
    if (out->schema != NULL)
        value = by_schema(ask, ask->task->schema, out->schema, out->name, 0);
    else if (out->kind == SIM_LIST)
        value = plain_list(ask, out);
    else
        value = plain_object(ask, field);
    char *text = json_text(value);
    const char *copy = text == NULL ? NULL : arena_strdup(ask->arena, text);
    free(text);
    json_decref(value);
    return copy;
}

// ---- all of them

bool sim_value_make(struct sim_ask *ask, size_t field, struct err *err)
{
    enum sim_kind kind = ask->task->prompt.outputs[field].kind;
    double margin = 0;
    const char *value = choose_label(ask, field, &margin);
    if (value != NULL)
        ask->margin = ask->margin > 0 ? ask->margin : margin;
    else if (kind == SIM_INT || kind == SIM_FLOAT)
        value = put_number(ask, field);
    else if (kind == SIM_LIST || kind == SIM_OBJECT)
        value = put_structure(ask, field);
    else
        value = put_text(ask, field);
    ask->is_json[field] = kind != SIM_TEXT && kind != SIM_LABEL;
    ask->values[field] = value;
    if (value == NULL)
        err_nomem(err, "an answer");
    return value != NULL;
}
