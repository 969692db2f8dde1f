#include "simulated/sim_model.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/json.h"

#include "simulated/sim_odds.h"
#include "simulated/sim_task.h"
#include "simulated/sim_value.h"

enum { TASKS_MAX = 64, ANSWER_MAX_BYTES = 32 << 20, BYTES_A_TOKEN = 4 };

static const double SLIPS = 0.3;        // for the weakest model without help
static const double HINTS_HELP = 0.9;   // share of the slips that hints prevent
static const double REPAIR_HELPS = 0.3; // share that remains after a complaint

enum slip {
    SLIP_NONE,
    SLIP_CASE,
    SLIP_STOP,
    SLIP_NO_END,
    SLIP_FENCE,
    SLIP_PLAIN,
    SLIP_GARBAGE,
};

struct sim_model {
    struct sim_task_store *tasks;
};

struct sim_model *sim_model_new(void)
{
    struct sim_model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return NULL;
    model->tasks = sim_task_store_new(TASKS_MAX);
    if (model->tasks == NULL) {
        free(model);
        return NULL;
    }
    return model;
}

void sim_model_free(struct sim_model *model)
{
    if (model == NULL)
        return;
    sim_task_store_free(model->tasks);
    free(model);
}

size_t sim_model_tokens(size_t bytes)
{
    return (bytes + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
}

// Returns the size in billions of parameters, or 0 if the name has none.
static double size_in_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        bool starts = at == name || strchr(":-_ x", at[-1]) != NULL;
        if (!starts || !isdigit((unsigned char)*at))
            continue;
        char *end = NULL;
        double size = strtod(at, &end);
        if (*end == 'x' && isdigit((unsigned char)end[1]))
            size *= strtod(end + 1, &end);
        int unit = tolower((unsigned char)*end);
        if ((unit == 'b' || unit == 'm') && !isalnum((unsigned char)end[1]))
            return unit == 'b' ? size : size / 1000;
    }
    return 0;
}

double sim_model_strength(const char *name)
{
    double size = size_in_name(name);
    if (!(size > 0))
        return 0.6;
    return fmin(0.95, fmax(0.05, 0.36 + 0.3 * log10(size)));
}

// ---- the form of the answer

static enum slip draw_slip(const struct sim_ask *ask, bool repair)
{
    static const struct {
        double share;
        enum slip slip;
    } KINDS[] = {
        {0.32, SLIP_CASE},  {0.52, SLIP_STOP},  {0.77, SLIP_NO_END},
        {0.90, SLIP_FENCE}, {0.96, SLIP_PLAIN}, {1.00, SLIP_GARBAGE},
    };
    double likely =
        SLIPS * (1.15 - ask->strength) * (1.0 - HINTS_HELP * ask->task->hints);
    uint64_t draw = sim_mix(ask->draw, sim_mix(ask->seed, 77));
    if (repair)
        likely *= REPAIR_HELPS;
    if (sim_unit(draw) >= likely)
        return SLIP_NONE;
    double which = sim_unit(sim_mix(draw, 1));
    size_t i = 0;
    while (which >= KINDS[i].share)
        i++;
    return KINDS[i].slip;
}

static void put_value(const struct sim_ask *ask, size_t field, enum slip slip,
                      struct buf *out)
{
    const char *value = ask->values[field];
    bool label = ask->task->prompt.outputs[field].kind == SIM_LABEL;
    size_t start = out->len;
    buf_puts(out, value);
    if (!label || out->len == start)
        return;
    if (slip == SLIP_STOP)
        buf_putc(out, '.');
    if (slip == SLIP_CASE)
        out->data[start] =
            (char)(islower((unsigned char)out->data[start])
                       ? toupper((unsigned char)out->data[start])
                       : tolower((unsigned char)out->data[start]));
}

static void put_marked(const struct sim_ask *ask, enum slip slip,
                       struct buf *out)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    for (size_t i = 0; i < prompt->n_outputs; i++) {
        buf_printf(out, "[[ ## %s ## ]]\n", prompt->outputs[i].name);
        put_value(ask, i, slip, out);
        buf_puts(out, "\n\n");
    }
    if (slip != SLIP_NO_END)
        buf_puts(out, "[[ ## completed ## ]]\n");
}

static void put_object(const struct sim_ask *ask, enum slip slip,
                       struct buf *out)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    buf_puts(out, "{");
    for (size_t i = 0; i < prompt->n_outputs; i++) {
        struct buf value = BUF_INIT(SIM_REPLY_MAX_BYTES);
        put_value(ask, i, slip, &value);
        buf_puts(out, i > 0 ? ", " : "");
        buf_put_json(out, prompt->outputs[i].name,
                     strlen(prompt->outputs[i].name));
        buf_puts(out, ": ");
        if (ask->is_json[i])
            buf_append(out, value.data, value.len);
        else
            buf_put_json(out, value.data == NULL ? "" : value.data, value.len);
        buf_release(&value);
    }
    buf_puts(out, slip == SLIP_NO_END ? "" : "}");
}

static void put_alone(const struct sim_ask *ask, bool quoted, struct buf *out)
{
    size_t last = ask->task->prompt.n_outputs - 1;
    const char *value = ask->values[last];
    if (quoted && !ask->is_json[last])
        buf_put_json(out, value, strlen(value));
    else
        buf_puts(out, value);
}

static void put_reply(const struct sim_ask *ask, bool json, enum slip slip,
                      struct buf *out)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    if (slip == SLIP_GARBAGE)
        buf_puts(out, "I am sorry, I am not sure what you would like to know.");
    else if (slip == SLIP_PLAIN)
        put_alone(ask, false, out);
    else if (prompt->bare)
        put_alone(ask, true, out);
    else if (slip == SLIP_FENCE) {
        buf_puts(out, "```json\n");
        put_object(ask, SLIP_NONE, out);
        buf_puts(out, "\n```");
    } else if (json)
        put_object(ask, slip, out);
    else
        put_marked(ask, slip, out);
}

// ---- answering

// A prompt that names no fields gets one free text.
static bool answer_freely(struct sim_ask *ask, bool json, struct buf *out)
{
    const char *words = sim_ask_keywords(ask, ask->turn->joined, 3);
    struct buf text = BUF_INIT(SIM_REPLY_MAX_BYTES);
    buf_printf(&text, "This is about %s.",
               words == NULL || words[0] == '\0' ? "nothing in particular"
                                                 : words);
    if (json)
        buf_puts(out, "{\"answer\": ");
    if (json && text.data != NULL)
        buf_put_json(out, text.data, text.len);
    else if (text.data != NULL)
        buf_append(out, text.data, text.len);
    if (json)
        buf_putc(out, '}');
    bool ok = words != NULL && !text.failed;
    buf_release(&text);
    return ok;
}

static bool answer_question(struct sim_ask *ask, const struct sim_query *query,
                            size_t question, struct buf *out, struct err *err)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    bool repair = question + 1 < query->n_messages;
    bool json = query->json ||
                sim_prompt_wants_json(prompt, &query->messages[question]);
    if (prompt->n_outputs == 0)
        return answer_freely(ask, json, out);
    for (size_t i = 0; i < prompt->n_outputs; i++)
        if (!sim_value_make(ask, i, err))
            return false;
    bool held = query->schema != NULL;
    put_reply(ask, json, held ? SLIP_NONE : draw_slip(ask, repair), out);
    return true;
}

static bool answer_turn(const struct sim_task *task,
                        const struct sim_query *query, size_t question,
                        struct arena *arena, struct buf *out, struct err *err)
{
    size_t start = out->len;
    struct sim_turn turn;
    if (!sim_prompt_turn(&task->prompt, arena, &query->messages[question],
                         &turn, err))
        return false;
    struct sim_bag bag = sim_bag_new(arena, turn.joined, strlen(turn.joined));
    sim_bag_weigh(&bag, &task->idf, task->default_weight);
    struct sim_ask ask = {
        .task = task,
        .turn = &turn,
        .question = &bag,
        .arena = arena,
        .strength = sim_model_strength(query->model),
        .heat = query->temperature > 0 ? query->temperature : 0,
        .draw = sim_hash_text(turn.joined, sim_hash_text(query->model, 3)),
        .seed =
            query->temperature > 0 ? sim_mix((uint64_t)query->seed, 1) | 1 : 0,
        .tells_odds = query->logprobs != NULL,
    };
    if (!answer_question(&ask, query, question, out, err) ||
        !buf_ok(out, "a reply", err))
        return false;
    if (query->logprobs != NULL && out->len > start)
        sim_odds_put(&ask, out->data + start, out->len - start, query->top,
                     query->logprobs);
    return true;
}

bool sim_model_answer(struct sim_model *model, const struct sim_query *query,
                      struct buf *out, struct err *err)
{
    bool ok = false;
    struct arena arena = ARENA_INIT(ANSWER_MAX_BYTES);
    struct sim_task *task = NULL;
    struct sim_message nothing = {"user", "", 0};
    struct sim_query asked = *query;

    size_t question = sim_prompt_question(asked.messages, asked.n_messages);
    if (question == asked.n_messages) {
        question = 0;
        asked.messages = &nothing;
        asked.n_messages = 1;
    }
    task =
        sim_task_get(model->tasks, query->messages,
                     asked.messages == &nothing ? query->n_messages : question,
                     query->schema, query->json, err);
    ok = task != NULL && answer_turn(task, &asked, question, &arena, out, err);

    sim_task_put(model->tasks, task);
    arena_release(&arena);
    return ok;
}
