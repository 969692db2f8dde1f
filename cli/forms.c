#include "cli/forms.h"

#include <string.h>

#include "common/json.h"
#include "predict/compiled_file.h"
#include "predict/render.h"
#include "program/graph/type_form.h"
#include "program/prompt/prompt.h"

struct form_of {
    const struct compiled *compiled;
    const struct buf *text;
    const struct step *step; // NULL: all
};

// --- messages ---

// Returns every input as its own name in braces, for a program to replace.
static json_t *placeholders(const struct signature *signature)
{
    json_t *values = json_object();

    for (size_t i = 0; i < signature->n_inputs; i++)
        (void)json_object_set_new(
            values, signature->inputs[i].name,
            json_sprintf("{%s}", signature->inputs[i].name));
    return values;
}

// Returns the messages of a step, the last one with placeholders. New
// reference.
static json_t *step_messages(const struct compiled *compiled,
                             const struct step *step, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 2);
    json_t *values = placeholders(&step->signature);
    json_t *messages = NULL;

    if (prompt_prefix(step, &compiled->candidate->parts[step->predictor],
                      compiled->settings.adapter, &text, err) &&
        prompt_question(step, values, &text, err))
        messages = json_parse(text.data, text.len, PROMPT_MAX_BYTES * 2, err);
    json_decref(values);
    buf_release(&text);
    return messages;
}

// Refuses a step whose prompt is not the same for every input.
static bool check_fixed_prompt(const struct form_of *of,
                               const struct step *step, const char *form,
                               struct err *err)
{
    if (of->compiled->candidate->parts[step->predictor].nearest == 0)
        return true;
    err_set(
        err, ERR_INPUT,
        "step `%.60s` shows different demos for each input, the nearest ones "
        "of its pool, which %s cannot hold: run the compiled file with "
        "`promptcc predict` or `serve`, or load it with the Python package",
        step->name, form);
    return false;
}

// Returns the schema that the server is asked to enforce, or null.
static json_t *step_format(const struct compiled *compiled,
                           const struct step *step, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    json_t *format = NULL;

    if (prompt_format(step, compiled->settings.adapter, &text, err))
        format = text.len == 0
                     ? json_null()
                     : json_parse(text.data, text.len, PROMPT_MAX_BYTES, err);
    buf_release(&text);
    return format;
}

static json_t *options_of(const struct compiled *compiled)
{
    return json_object_get(
        json_object_get(json_object_get(compiled->metadata, "models"),
                        "student"),
        "options");
}

static bool is_wanted(const struct form_of *of, const struct step *step)
{
    return step->predictor >= 0 && (of->step == NULL || of->step == step);
}

static bool write_messages(const struct form_of *of, struct buf *out,
                           struct err *err)
{
    const struct program *program = of->compiled->program;
    json_t *steps = json_object();
    json_t *document;

    for (size_t i = 0; i < program->n_steps && err->code == ERR_NONE; i++) {
        const struct step *step = &program->steps[i];
        json_t *messages;

        if (!is_wanted(of, step))
            continue;
        if (!check_fixed_prompt(of, step, "a list of messages", err))
            break;
        messages = step_messages(of->compiled, step, err);
        (void)json_object_set_new(
            steps, step->name,
            json_pack("{s:o*,s:o*}", "messages", messages, "format",
                      step_format(of->compiled, step, err)));
    }
    document = json_pack("{s:s,s:O?,s:o}", "model", of->compiled->model,
                         "options", options_of(of->compiled), "steps", steps);
    json_put(out, document);
    buf_putc(out, '\n');
    json_decref(document);
    return err->code == ERR_NONE;
}

// --- modelfile ---

static const struct step *only_step(const struct form_of *of, struct err *err)
{
    const struct program *program = of->compiled->program;

    if (of->step != NULL)
        return of->step;
    if (program->n_predictors == 1)
        return program_predictor(program, 0);
    err_set(err, ERR_INPUT,
            "a Modelfile holds one step and this program has %zu that ask a "
            "model: name one with --step, such as --step %s",
            program->n_predictors, program_predictor(program, 0)->name);
    return NULL;
}

static bool put_quoted(const char *text, struct buf *out, struct err *err)
{
    if (strstr(text, "\"\"\"") != NULL) {
        err_set(err, ERR_INPUT,
                "a prompt of this step has three quotes in a row, which a "
                "Modelfile cannot hold: use --format messages");
        return false;
    }
    buf_printf(out, "\"\"\"%s%s\"\"\"\n", text,
               text[0] != '\0' && text[strlen(text) - 1] == '"' ? " " : "");
    return true;
}

static bool put_turn(const json_t *message, struct buf *out, struct err *err)
{
    const char *role = json_get_text(message, "role", "");

    if (strcmp(role, "system") == 0)
        buf_puts(out, "SYSTEM ");
    else
        buf_printf(out, "MESSAGE %s ", role);
    return put_quoted(json_get_text(message, "content", ""), out, err);
}

static void put_parameters(const struct compiled *compiled, struct buf *out)
{
    const char *name;
    json_t *value;

    json_object_foreach(options_of(compiled), name, value) {
        if (!json_is_number(value))
            continue;
        buf_printf(out, "PARAMETER %s ", name);
        json_put(out, value);
        buf_putc(out, '\n');
    }
}

static bool write_modelfile(const struct form_of *of, struct buf *out,
                            struct err *err)
{
    const struct step *step = only_step(of, err);
    json_t *messages =
        step == NULL || !check_fixed_prompt(of, step, "a Modelfile", err)
            ? NULL
            : step_messages(of->compiled, step, err);
    bool ok = messages != NULL;

    if (ok) {
        buf_printf(out,
                   "# The step %s of %s, compiled by promptcc.\n"
                   "# ollama create NAME -f FILE\nFROM %s\n",
                   step->name, of->compiled->job_id, of->compiled->model);
        put_parameters(of->compiled, out);
    }
    // The last message is the question, which the user asks the model made
    // here.
    for (size_t i = 0; ok && i + 1 < json_array_size(messages); i++)
        ok = put_turn(json_array_get(messages, i), out, err);
    json_decref(messages);
    return ok;
}

// --- dspy ---

// Writes what DSPy itself saves, without our own metadata.
static bool write_dspy(const struct form_of *of, struct buf *out,
                       struct err *err)
{
    const struct program *program = of->compiled->program;
    json_t *document;

    for (size_t i = 0; i < program->n_predictors; i++)
        if (!check_fixed_prompt(of, program_predictor(program, i),
                                "DSPy's file", err))
            return false;
    document =
        json_parse(of->text->data, of->text->len, COMPILED_FILE_MAX_BYTES, err);
    if (document == NULL)
        return false;
    (void)json_object_del(json_object_get(document, "metadata"), "promptcc");
    json_put_lines(out, document);
    buf_putc(out, '\n');
    json_decref(document);
    return true;
}

// --- markdown ---

static void put_fenced(const char *text, struct buf *out)
{
    const char *fence = strstr(text, "```") == NULL ? "```" : "~~~~~~";

    buf_printf(out, "%stext\n%s\n%s\n\n", fence, text, fence);
}

static void put_score_row(const json_t *scores, const char *key,
                          const char *name, struct buf *out)
{
    const json_t *score = json_object_get(scores, key);

    if (!json_is_object(score))
        return;
    buf_printf(out, "| %s | %.1f %% | %.1f to %.1f %% | %lld |\n", name,
               100 * json_get_number(score, "score", 0),
               100 * json_get_number(score, "low", 0),
               100 * json_get_number(score, "high", 0),
               (long long)json_get_int(score, "n", 0));
}

static void put_scores(const struct compiled *compiled, struct buf *out)
{
    const json_t *scores = json_object_get(compiled->metadata, "scores");
    const json_t *same = json_object_get(scores, "same_rows");
    const json_t *test = json_object_get(scores, "test");

    buf_puts(out, "| | score | 95 % interval | rows |\n"
                  "| --- | --- | --- | --- |\n");
    put_score_row(json_is_object(same) ? same : scores, "baseline",
                  "as written, validation", out);
    put_score_row(scores, "compiled", "compiled, validation", out);
    put_score_row(test, "baseline", "as written, test", out);
    put_score_row(test, "compiled", "compiled, test", out);
    buf_putc(out, '\n');
}

static void put_demos(const struct candidate_part *part, struct buf *out)
{
    for (size_t i = 0; i < part->n_demos; i++) {
        struct buf demo = BUF_INIT(PROMPT_MAX_BYTES);
        const char *name;
        json_t *value;

        json_object_foreach(part->demos[i].fields, name, value) {
            buf_printf(&demo, "%s%s: ", demo.len == 0 ? "" : "\n", name);
            value_put(value, &demo);
        }
        if (demo.data != NULL)
            put_fenced(demo.data, out);
        buf_release(&demo);
    }
}

static void put_step(const struct compiled *compiled, const struct step *step,
                     struct buf *out)
{
    const struct candidate_part *part =
        &compiled->candidate->parts[step->predictor];

    buf_printf(out, "## %s\n\n", step->name);
    put_fenced(part->instruction, out);
    if (part->nearest > 0)
        buf_printf(out,
                   "### Demos (a pool of %zu; each prompt shows the %zu "
                   "nearest to its input)\n\n",
                   part->n_demos, candidate_part_n_shown(part));
    else if (part->n_demos > 0)
        buf_printf(out, "### Demos (%zu)\n\n", part->n_demos);
    put_demos(part, out);
}

static bool write_markdown(const struct form_of *of, struct buf *out,
                           struct err *err)
{
    const struct compiled *compiled = of->compiled;

    (void)err;
    buf_printf(out, "# %s\n\n", compiled->job_id);
    if (compiled->simulated)
        buf_puts(out, "**Simulated**: stand-ins answered instead of models; "
                      "scores and demos say nothing about a real model.\n\n");
    buf_printf(out, "Compiled by `%s` for `%s`",
               json_get_text(compiled->metadata, "optimizer", "?"),
               compiled->model);
    buf_printf(out, ", adapter `%s`, options `",
               json_get_text(compiled->metadata, "adapter", "?"));
    json_put(out, options_of(compiled));
    buf_puts(out, "`.\n\n");
    put_scores(compiled, out);
    for (size_t i = 0; i < compiled->program->n_steps; i++)
        if (is_wanted(of, &compiled->program->steps[i]))
            put_step(compiled, &compiled->program->steps[i], out);
    return true;
}

// --- the table ---

static const struct {
    const char *name;
    bool (*write)(const struct form_of *of, struct buf *out, struct err *err);
} forms[] = {
    {"messages", write_messages},
    {"modelfile", write_modelfile},
    {"dspy", write_dspy},
    {"markdown", write_markdown},
};

bool form_write(const char *form, const struct compiled *compiled,
                const struct buf *text, const char *step, struct buf *out,
                struct err *err)
{
    struct form_of of = {.compiled = compiled, .text = text};

    if (step != NULL) {
        of.step = render_find_step(compiled, step, err);
        if (of.step == NULL)
            return false;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, form) == 0)
            return forms[i].write(&of, out, err) &&
                   buf_ok(out, "the exported program", err);
    err_set(err, ERR_INPUT, "there is no format `%.40s`", form);
    return false;
}
