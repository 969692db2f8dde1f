#include "simulated/sim_teacher.h"

#include <stdint.h>
#include <string.h>

#include "common/buf.h"

#include "simulated/sim_rows.h"

enum { TEXT_MAX_BYTES = 1 << 15, PRESENT_MAX_BYTES = 1200 };

// The text being composed, and the random luck of this draw.
struct draft {
    struct sim_ask *ask;
    struct sim_rows rows;
    const char *tip;     // or ""
    const char *present; // the current instruction, or ""
    struct buf out;
    uint64_t luck;
};

static double luck(const struct draft *draft, uint64_t which)
{
    return sim_unit(sim_mix(draft->luck, which));
}

static const char *input_named(const struct sim_ask *ask, const char *word)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    for (size_t i = 0; i < prompt->n_inputs; i++)
        if (sim_has_word(prompt->inputs[i].name, word) &&
            ask->turn->values[i] != NULL)
            return ask->turn->values[i];
    return "";
}

// ---- parts of an instruction

static void put_persona(struct draft *draft)
{
    struct sim_span what = draft->rows.label_name;
    if (what.len > 0)
        buf_printf(&draft->out,
                   "You are an expert who decides on the right %.*s. ",
                   (int)what.len, what.at);
    else
        buf_puts(&draft->out, "You are an expert in this task. ");
}

static void put_present(struct draft *draft)
{
    size_t len = strlen(draft->present);
    if (len > PRESENT_MAX_BYTES)
        len = 0;
    buf_append(&draft->out, draft->present, len);
    if (len > 0 && strchr(".!?:", draft->present[len - 1]) == NULL)
        buf_putc(&draft->out, '.');
}

static void put_attention(struct draft *draft)
{
    struct sim_span what = draft->rows.text_name;
    if (what.len > 0)
        buf_printf(&draft->out, " Read the whole %.*s before you decide.",
                   (int)what.len, what.at);
    else
        buf_puts(&draft->out, " Read all inputs before you answer.");
}

// Appends the guides, but leaves out some labels and words, as luck has it.
static void put_guides(struct draft *draft, size_t most_words)
{
    double cover = 0.5 + 0.5 * luck(draft, 21);
    size_t words = 1 + (size_t)(luck(draft, 22) * (double)most_words);
    for (size_t i = 0; i < draft->rows.n_guide; i++) {
        const struct sim_guide *guide = &draft->rows.guide[i];
        if (guide->n_words == 0 || luck(draft, 100 + i) > cover)
            continue;
        buf_putc(&draft->out, '\n');
        sim_rows_put_guide(&draft->out, guide, words);
    }
}

static void put_chatter(struct draft *draft)
{
    static const char *const LINES[] = {
        " Imagine that the whole day depends on your answer.",
        " Take a deep breath and let your imagination guide you.",
        " Be bold, be brilliant, and surprise everybody who reads you.",
    };
    size_t n = sizeof LINES / sizeof *LINES;
    buf_puts(&draft->out, LINES[(size_t)(luck(draft, 31) * (double)n)]);
}

static void write_instruction(struct draft *draft)
{
    bool brief = sim_has_word(draft->tip, "simple") ||
                 sim_has_word(draft->tip, "concise") ||
                 sim_has_word(draft->tip, "short");
    bool stakes = sim_has_word(draft->tip, "stakes");
    double skill = draft->ask->strength;
    if (sim_has_word(draft->tip, "persona") ||
        sim_has_word(draft->tip, "role") || luck(draft, 1) < 0.15)
        put_persona(draft);
    put_present(draft);
    if (luck(draft, 2) < 0.6 && !brief)
        put_attention(draft);
    if (stakes)
        buf_puts(&draft->out, " A wrong answer here would do great harm.");
    if (sim_has_word(draft->tip, "creative") || luck(draft, 3) > 0.5 + skill)
        put_chatter(draft);
    if (luck(draft, 4) < 0.7)
        buf_puts(&draft->out, " Answer with exactly one of the allowed values "
                              "and keep to the format.");
    if (luck(draft, 5) < 0.35 + 0.6 * skill)
        put_guides(draft, brief ? 3 : 7);
}

// ---- the other texts

static void put_shape(struct draft *draft)
{
    const struct sim_rows *rows = &draft->rows;
    if (rows->text_name.len > 0)
        buf_printf(&draft->out, "The rows hold a text, %.*s",
                   (int)rows->text_name.len, rows->text_name.at);
    if (rows->label_name.len > 0)
        buf_printf(&draft->out, ", and its %.*s, one of %zu that were seen",
                   (int)rows->label_name.len, rows->label_name.at,
                   rows->n_guide);
    if (rows->text_name.len > 0)
        buf_puts(&draft->out, ". ");
}

static void write_observations(struct draft *draft)
{
    if (input_named(draft->ask, "prior")[0] != '\0' && luck(draft, 6) < 0.15) {
        buf_puts(&draft->out, "COMPLETE");
        return;
    }
    put_shape(draft);
    for (size_t i = 0; i < draft->rows.n_guide; i++) {
        if (draft->rows.guide[i].n_words == 0)
            continue;
        sim_rows_put_guide(&draft->out, &draft->rows.guide[i], 6);
        buf_putc(&draft->out, ' ');
    }
    if (draft->out.len == 0)
        buf_puts(&draft->out, "The rows are short texts of one kind.");
}

static void write_summary(struct draft *draft)
{
    put_shape(draft);
    for (size_t i = 0; i < draft->rows.n_guide; i++) {
        if (draft->rows.guide[i].n_words == 0)
            continue;
        sim_rows_put_guide(&draft->out, &draft->rows.guide[i], 8);
        buf_putc(&draft->out, ' ');
    }
    if (draft->out.len == 0)
        buf_puts(&draft->out, "The data are short texts of one kind.");
}

static void write_description(struct draft *draft)
{
    const char *words =
        sim_ask_keywords(draft->ask, draft->ask->turn->joined, 6);
    buf_puts(&draft->out, "It takes its inputs step by step and makes the "
                          "outputs from them; it deals with ");
    buf_puts(&draft->out, words == NULL ? "its inputs" : words);
    buf_putc(&draft->out, '.');
}

// ---- which text

static const struct {
    const char *word;
    void (*write)(struct draft *draft);
} KINDS[] = {
    {"instruction", write_instruction},
    {"observations", write_observations},
    {"summary", write_summary},
    {"description", write_description},
};

static size_t kind_of(const struct sim_field *field)
{
    size_t n = sizeof KINDS / sizeof *KINDS;
    for (size_t i = 0; i < n; i++)
        if (sim_has_word(field->name, KINDS[i].word))
            return i;
    for (size_t i = 0; i < n; i++)
        if (sim_has_word(field->desc, KINDS[i].word))
            return i;
    return n;
}

bool sim_teacher_knows(const struct sim_prompt *prompt, size_t field)
{
    static const char *const WORDS[] = {
        "example", "dataset", "data",        "program",
        "demo",    "module",  "observation", "instruction",
    };
    const struct sim_field *out = &prompt->outputs[field];
    if (out->kind != SIM_TEXT || sim_has_word(out->name, "reasoning") ||
        kind_of(out) == sizeof KINDS / sizeof *KINDS)
        return false;
    for (size_t i = 0; i < prompt->n_inputs; i++)
        for (size_t k = 0; k < sizeof WORDS / sizeof *WORDS; k++)
            if (sim_has_word(prompt->inputs[i].name, WORDS[k]))
                return true;
    return false;
}

const char *sim_teacher_write(struct sim_ask *ask, size_t field)
{
    const char *text = NULL;
    struct draft *draft = arena_alloc(ask->arena, sizeof *draft);
    if (draft == NULL)
        return NULL;
    draft->ask = ask;
    draft->tip = input_named(ask, "tip");
    draft->present = input_named(ask, "instruction");
    draft->luck = sim_mix(ask->draw, ask->seed);
    draft->out = BUF_INIT(TEXT_MAX_BYTES);
    if (!sim_rows_read(&draft->rows, ask->arena, ask->turn->joined))
        goto out;
    KINDS[kind_of(&ask->task->prompt.outputs[field])].write(draft);
    text = arena_strdup(ask->arena,
                        draft->out.data == NULL ? "" : draft->out.data);

out:
    buf_release(&draft->out);
    return text;
}
