#include "program/prompt/prompt.h"

#include <string.h>

#include "common/json.h"
#include "program/graph/type_form.h"

enum { BYTES_A_TOKEN = 3 };

static const char *const role_system = "system";
static const char *const role_user = "user";
static const char *const role_assistant = "assistant";

// ---- pieces

static void put_marker(struct buf *text, const char *name)
{
    buf_puts(text, "[[ ## ");
    buf_puts(text, name);
    buf_puts(text, " ## ]]");
}

// Appends one section: marker line, value, empty line. A missing value leaves
// its section out.
static void put_section(struct buf *text, const char *name, const json_t *value)
{
    if (value == NULL)
        return;
    put_marker(text, name);
    buf_putc(text, '\n');
    value_put(value, text);
    buf_puts(text, "\n\n");
}

static void put_sections(struct buf *text, const struct field *fields, size_t n,
                         const json_t *values)
{
    for (size_t i = 0; i < n; i++)
        put_section(text, fields[i].name,
                    json_object_get(values, fields[i].name));
}

// If text is incomplete, so is the prompt. The failure has to be noted here,
// because the next text may reuse the buffer, which then forgets it.
static void put_message(struct buf *out, const char *role,
                        const struct buf *text)
{
    out->failed = out->failed || text->failed;
    out->no_memory = out->no_memory || text->no_memory;
    buf_puts(out, "{\"role\":\"");
    buf_puts(out, role);
    buf_puts(out, "\",\"content\":");
    buf_put_json(out, text->data, text->len);
    buf_putc(out, '}');
}

static bool end_prompt(struct buf *text, const struct buf *out, struct err *err)
{
    bool ok = buf_ok(text, "the prompt", err) && buf_ok(out, "the prompt", err);

    buf_release(text);
    return ok;
}

// ---- the two forms of an exchange

static void put_template(struct buf *text, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_marker(text, fields[i].name);
        buf_printf(text, "\n{%s}\n\n", fields[i].name);
    }
}

// Shows question and answer in one template. When the answer's part was shown
// alone, under its own sentence, a capable model took it for what it should
// write and left the value empty. The sentence about who writes which part
// comes after the template; before it, the same sentence made the model begin
// with the question (docs/real-model.md).
static void put_chat_form(struct buf *text, const struct signature *signature)
{
    buf_puts(text, "Every exchange has this form, with the values filled "
                   "in:\n\n");
    put_template(text, signature->inputs, signature->n_inputs);
    put_template(text, signature->outputs, signature->n_outputs);
    put_marker(text, "completed");
    buf_puts(text, "\n\nThe user writes what comes before ");
    put_marker(text, signature->outputs[0].name);
    buf_puts(text, "; you answer with the rest.");
}

// Writes the labels as JSON has them, because the answer has them that way.
static void put_labels(struct buf *text, const struct type *type,
                       const char *between)
{
    for (size_t i = 0; i < type->n_labels; i++) {
        buf_puts(text, i > 0 ? between : "");
        buf_put_json(text, type->labels[i], strlen(type->labels[i]));
    }
    buf_puts(text, type->optional ? ", or null" : "");
}

// Writes "  "name": "{name}",   (exactly one of: "a", "b")". The labels are
// repeated next to the place where the model is to write them.
static void put_json_place(struct buf *text, const struct field *field,
                           bool last)
{
    bool label = field->type.kind == TYPE_ENUM;
    const char *quote = label || field->type.kind == TYPE_STR ? "\"" : "";

    buf_printf(text, "  \"%s\": %s{%s}%s%s", field->name, quote, field->name,
               quote, last ? "" : ",");
    if (label) {
        buf_puts(text, "   (exactly one of: ");
        put_labels(text, &field->type, ", ");
        buf_putc(text, ')');
    }
    buf_putc(text, '\n');
}

static void put_json_form(struct buf *text, const struct signature *signature)
{
    if (signature->n_inputs > 0) {
        buf_puts(text, "The user gives the input fields like this:\n\n");
        put_template(text, signature->inputs, signature->n_inputs);
    }
    buf_puts(text, "Answer with the output fields as one JSON object with "
                   "these keys in this order, and nothing else:\n\n{\n");
    for (size_t i = 0; i < signature->n_outputs; i++)
        put_json_place(text, &signature->outputs[i],
                       i + 1 == signature->n_outputs);
    buf_putc(text, '}');
}

static void put_chat_answer(struct buf *text, const struct signature *signature,
                            const json_t *values)
{
    put_sections(text, signature->outputs, signature->n_outputs, values);
    put_marker(text, "completed");
}

static void put_json_answer(struct buf *text, const struct signature *signature,
                            const json_t *values)
{
    const char *comma = "{";

    for (size_t i = 0; i < signature->n_outputs; i++) {
        const char *name = signature->outputs[i].name;
        const json_t *value = json_object_get(values, name);

        if (value == NULL)
            continue;
        buf_printf(text, "%s\"%s\": ", comma, name);
        json_put(text, value);
        comma = ", ";
    }
    buf_putc(text, '}');
}

// Repeats the labels after the task, which helps the model to tell them apart.
// After the question they would cost their tokens for every row. For JSON,
// where they are next to their place already, a weak model gets worse with them
// (docs/real-model.md).
static void put_choices(struct buf *text, const struct signature *signature)
{
    const char *between = "\n\n";

    for (size_t i = 0; i < signature->n_outputs; i++) {
        const struct field *field = &signature->outputs[i];

        if (field->type.kind != TYPE_ENUM)
            continue;
        buf_printf(text, "%s`%s` is ", between, field->name);
        type_describe(&field->type, text);
        between = "\n";
    }
}

struct prompt_form {
    // The task comes before everything else, not after it. For chat, the
    // template would then be the last thing the model sees, and it copies that.
    bool task_first;
    // The list of outputs has its labels in quotes.
    bool quotes;
    void (*put_form)(struct buf *text, const struct signature *signature);
    // Writes what follows the task, or NULL.
    void (*put_end)(struct buf *text, const struct signature *signature);
    void (*put_answer)(struct buf *text, const struct signature *signature,
                       const json_t *values);
};

static const struct prompt_form forms[] = {
    [ADAPTER_CHAT] = {false, false, put_chat_form, put_choices,
                      put_chat_answer},
    [ADAPTER_JSON] = {true, true, put_json_form, NULL, put_json_answer},
};

// ---- the prefix

static void put_type(struct buf *text, const struct type *type, bool quotes)
{
    if (!quotes || type->kind != TYPE_ENUM) {
        type_describe(type, text);
        return;
    }
    buf_puts(text, "one of: ");
    put_labels(text, type, "; ");
}

// Appends "1. `name` (type): description", without the parts that are missing.
static void put_field_line(struct buf *text, const struct field *field,
                           size_t no, bool quotes)
{
    struct buf type = BUF_INIT(PROMPT_MAX_BYTES);

    put_type(&type, &field->type, quotes);
    buf_printf(text, "%zu. `%s`", no, field->name);
    if (type.len > 0) {
        buf_puts(text, " (");
        buf_append(text, type.data, type.len);
        buf_putc(text, ')');
    }
    if (field->desc[0] != '\0') {
        buf_puts(text, ": ");
        buf_puts(text, field->desc);
    }
    buf_putc(text, '\n');
    text->failed = text->failed || type.failed;
    text->no_memory = text->no_memory || type.no_memory;
    buf_release(&type);
}

static void put_field_list(struct buf *text, const char *heading,
                           const struct field *fields, size_t n, bool quotes)
{
    if (n == 0)
        return;
    buf_puts(text, heading);
    for (size_t i = 0; i < n; i++)
        put_field_line(text, &fields[i], i + 1, quotes);
    buf_putc(text, '\n');
}

static void put_task(struct buf *text, const char *instruction)
{
    buf_puts(text, "Your task: ");
    buf_puts(text, instruction);
}

static void put_system(struct buf *text, const struct signature *signature,
                       const struct prompt_form *form, const char *instruction)
{
    if (form->task_first) {
        put_task(text, instruction);
        buf_puts(text, "\n\n");
    }
    put_field_list(text, "Input fields:\n", signature->inputs,
                   signature->n_inputs, false);
    put_field_list(text, "Output fields:\n", signature->outputs,
                   signature->n_outputs, form->quotes);
    form->put_form(text, signature);
    if (!form->task_first) {
        buf_puts(text, "\n\n");
        put_task(text, instruction);
    }
    if (form->put_end != NULL)
        form->put_end(text, signature);
}

// Sections end in an empty line, which the end of a message does not need.
static void drop_line_ends(struct buf *text)
{
    while (text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
}

// Writes the user's turn, which is the same for a demo as for the question, so
// that a demo shows exactly what the model has to do. It does not mention the
// form of the answer: everything tried there (docs/real-model.md) made answers
// worse, the labels most of all.
static void put_question(struct buf *text, const struct signature *signature,
                         const json_t *inputs)
{
    put_sections(text, signature->inputs, signature->n_inputs, inputs);
    drop_line_ends(text);
    if (text->len == 0)
        buf_puts(text, "Answer."); // some servers refuse an empty message
}

static void put_demo(struct buf *out, struct buf *text,
                     const struct signature *signature,
                     const struct prompt_form *form, const json_t *fields)
{
    buf_clear(text);
    put_question(text, signature, fields);
    buf_putc(out, ',');
    put_message(out, role_user, text);
    buf_clear(text);
    form->put_answer(text, signature, fields);
    buf_putc(out, ',');
    put_message(out, role_assistant, text);
}

bool prompt_demos(const struct step *step, const struct demo *demos, size_t n,
                  enum adapter adapter, struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);

    for (size_t i = 0; i < n && !text.failed; i++)
        put_demo(out, &text, &step->signature, &forms[adapter],
                 demos[i].fields);
    return end_prompt(&text, out, err);
}

bool prompt_prefix(const struct step *step, const struct candidate_part *part,
                   enum adapter adapter, struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);

    put_system(&text, &step->signature, &forms[adapter], part->instruction);
    buf_putc(out, '[');
    put_message(out, role_system, &text);
    return end_prompt(&text, out, err) &&
           (part->nearest > 0 ||
            prompt_demos(step, part->demos, part->n_demos, adapter, out, err));
}

// ---- the tail

static bool end_question(struct buf *text, struct buf *out, struct err *err)
{
    buf_putc(out, ',');
    put_message(out, role_user, text);
    buf_putc(out, ']');
    return end_prompt(text, out, err);
}

bool prompt_question(const struct step *step, const json_t *inputs,
                     struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);

    put_question(&text, &step->signature, inputs);
    return end_question(&text, out, err);
}

// The last paragraph belongs to the form, not to the inputs. It makes the
// repair of a JSON question a different call from the question itself.
bool prompt_repair(const struct step *step, const json_t *inputs,
                   struct buf *out, struct err *err)
{
    const struct signature *signature = &step->signature;
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);

    put_question(&text, signature, inputs);
    buf_puts(&text, "\n\nAnswer with one JSON object, with the keys ");
    for (size_t i = 0; i < signature->n_outputs; i++)
        buf_printf(&text, "%s\"%s\"", i == 0 ? "" : ", ",
                   signature->outputs[i].name);
    buf_puts(&text, ". Write that object and nothing else, each value as its "
                    "output field asks for it.");
    return end_question(&text, out, err);
}

// ---- the schema that the server is asked to enforce

bool prompt_format(const struct step *step, enum adapter adapter,
                   struct buf *out, struct err *err)
{
    const struct signature *signature = &step->signature;

    if (adapter != ADAPTER_JSON)
        return true;
    buf_puts(out, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < signature->n_outputs; i++) {
        json_t *schema = type_schema(&signature->outputs[i].type);

        buf_printf(out, "%s\"%s\":", i > 0 ? "," : "",
                   signature->outputs[i].name);
        json_put(out, schema);
        json_decref(schema);
    }
    buf_puts(out, "},\"required\":[");
    for (size_t i = 0; i < signature->n_outputs; i++)
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "",
                   signature->outputs[i].name);
    buf_puts(out, "],\"additionalProperties\":false}");
    return buf_ok(out, "the schema", err);
}

size_t prompt_estimate_tokens(size_t bytes)
{
    return bytes / BYTES_A_TOKEN + (bytes % BYTES_A_TOKEN != 0);
}
