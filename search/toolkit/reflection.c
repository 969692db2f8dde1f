#include "search/toolkit/reflection.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/prompt/prompt.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/prose.h"
#include "search/toolkit/shown.h"

enum { LEAST_VALUE_BYTES = 40 };

bool reflection_case_of(const struct task_item *item, int step,
                        struct reflection_case *out)
{
    if (item->state != ITEM_DONE || item->step_inputs[step] == NULL)
        return false;
    *out = (struct reflection_case){.inputs = item->step_inputs[step],
                                    .outputs = item->step_outputs[step],
                                    .feedback = item->feedback,
                                    .score = item->score};
    return true;
}

// --- the question

bool reflection_form_init(struct reflection_form *form,
                          const struct session *session,
                          const struct reflection_options *options,
                          struct err *err)
{
    const struct field shown[] = {
        form_text("module", "The step that the instruction is for"),
        form_text(PROSE_BASIS, "The present instruction"),
        form_text("examples_with_feedback",
                  "What the step was given, what it answered with the present "
                  "instruction, and what is to be said to that"),
        form_text("hint", "How to go about it this time"),
    };
    const struct field told[] = {
        form_text("hypothesis",
                  "In one sentence: the one cause behind most of the failures"),
        form_text("new_instruction", "The new instruction and no more"),
    };
    size_t n_shown = sizeof shown / sizeof *shown - (options->hints ? 0 : 1);
    size_t skip = options->hypotheses ? 0 : 1;

    form->options = *options;
    form->room = teacher_room(session);
    bool ok = form_init(
        &form->form,
        &(struct single_step){
            .name = "reflect",
            .instruction =
                "Improve the instruction for one step of a program of "
                "language-model steps. Learn from the examples what the step "
                "has to do, in what form, and where the present instruction "
                "led it astray. Write down what the feedback teaches about "
                "the task: facts, names, rules, and how alike cases are told "
                "apart. Whoever reads the new instruction will see neither "
                "these examples nor the feedback. Speak of all inputs of this "
                "kind, not of single examples, and keep what works already.",
            .inputs = shown,
            .n_inputs = n_shown,
            .outputs = told + skip,
            .n_outputs = sizeof told / sizeof *told - skip},
        err);
    if (ok) // naming the cause helps, but it may be missing
        form->form.plan.reads[0] = UINT64_C(1) << (options->hypotheses ? 1 : 0);
    return ok;
}

void reflection_form_release(struct reflection_form *form)
{
    form_release(&form->form);
}

// --- the examples

static void put_case(struct buf *out, size_t no,
                     const struct reflection_case *one, size_t max)
{
    buf_printf(out, "# Example %zu\n## Inputs\n", no);
    shown_fields(out, one->inputs, max);
    buf_puts(out, "## Outputs\n");
    if (one->outputs != NULL)
        shown_fields(out, one->outputs, max);
    else
        buf_puts(out, "None that could be read.\n");
    buf_printf(out, "## Feedback\nThe score is %.2f of 1. ", one->score);
    if (one->feedback != NULL)
        shown_text(out, one->feedback, 2 * max);
    else if (one->score >= 1)
        buf_puts(out, "This is right.");
    buf_puts(out, "\n\n");
}

// Shows all cases, halving the limit of their values as often as needed.
// `beside` is the number of bytes of the rest of the prompt.
static void put_cases(struct buf *out, const struct reflection_form *form,
                      const struct reflection *reflection, size_t beside)
{
    size_t max = SHOWN_VALUE_BYTES;

    for (;;) {
        buf_clear(out);
        for (size_t i = 0; i < reflection->n_cases; i++)
            put_case(out, i + 1, &reflection->cases[i], max);
        buf_puts(out, "");
        int64_t tokens = (int64_t)prompt_estimate_tokens(beside + out->len);
        if (out->failed || tokens <= form->room || max <= LEAST_VALUE_BYTES)
            return;
        max /= 2;
    }
}

static json_t *make_inputs(const struct reflection_form *form,
                           const struct reflection *reflection)
{
    struct buf module = BUF_INIT(SHOWN_MAX_BYTES);
    struct buf examples = BUF_INIT(SHOWN_MAX_BYTES);
    json_t *inputs = NULL;

    shown_step(&module, reflection->step);
    put_cases(&examples, form, reflection,
              module.len + strlen(reflection->instruction));
    if (!module.failed && !examples.failed)
        inputs = json_pack("{s:s, s:s, s:s}", "module", module.data,
                           PROSE_BASIS, reflection->instruction,
                           "examples_with_feedback", examples.data);
    if (inputs != NULL && form->options.hints &&
        json_object_set_new(
            inputs, "hint",
            json_string(reflection->hint != NULL ? reflection->hint : "")) !=
            0) {
        json_decref(inputs);
        inputs = NULL;
    }
    buf_release(&examples);
    buf_release(&module);
    return inputs;
}

bool reflection_prepare(const struct reflection_form *form,
                        const struct reflection *reflection,
                        struct question *question, struct err *err)
{
    *question = (struct question){.form = &form->form,
                                  .inputs = make_inputs(form, reflection),
                                  .purpose = "reflect",
                                  .temperature = reflection->temperature,
                                  .draw = reflection->draw,
                                  .prose = true};
    if (question->inputs == NULL)
        err_nomem(err, "a reflection");
    return question->inputs != NULL;
}

// --- the answer

bool reflection_take(const struct question *question, char **instruction,
                     struct err *err)
{
    const char *before = json_get_text(question->inputs, PROSE_BASIS, "");
    char *text = instruction_clean(
        json_get_text(question->answer, "new_instruction", ""));

    *instruction = NULL;
    if (text == NULL) {
        err_nomem(err, "a reflection");
        return false;
    }
    if (text[0] != '\0' && !prose_same(text, before))
        *instruction = text;
    else
        free(text);
    return true;
}
