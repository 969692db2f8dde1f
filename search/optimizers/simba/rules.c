#include "search/optimizers/simba/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/prompt/prompt.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/prose.h"
#include "search/toolkit/shown.h"

enum { RULE_FIELDS = PROGRAM_MAX_STEPS + 1, LEAST_VALUE_BYTES = 40 };

// --- the question ---

// Fills in what the teacher has to answer: what went wrong, then advice to each
// step.
static bool fill_outputs(struct simba_search *search, struct field *outputs,
                         struct err *err)
{
    const struct program *program = session_job(search->session)->program;

    search->advice = calloc(search->n_parts + 1, sizeof *search->advice);
    if (search->advice == NULL) {
        err_nomem(err, "a question to the teacher");
        return false;
    }
    outputs[0] =
        form_text("discussion", "Which step went wrong, where, and why");
    for (size_t i = 0; i < search->n_parts; i++) {
        const struct step *step = program_predictor(program, search->parts[i]);
        (void)snprintf(search->advice[i], SIMBA_NAME_BYTES, "advice_to_%s",
                       step->name);
        outputs[i + 1] = form_text(
            search->advice[i],
            "A rule for this step: when its input is such and such, what it "
            "should do and what it should avoid");
    }
    return true;
}

bool simba_rules_init(struct simba_search *search, struct err *err)
{
    struct field outputs[RULE_FIELDS];
    const struct field shown[] = {
        form_text("program", "The steps of the program"),
        form_text("example", "What the program was given, and what else is "
                             "known of the example; no step sees the latter"),
        form_text("better_run", "What each step read and gave in the better "
                                "run, and what that was worth"),
        form_text("worse_run", "The same of the worse run"),
    };

    if (!fill_outputs(search, outputs, err))
        return false;
    return form_init(
        &search->rule,
        &(struct single_step){
            .name = "advise",
            .instruction =
                "Two runs of a program of language-model steps on one example "
                "are shown. Give each step advice that would have made the "
                "worse run like the better one, and that holds for other "
                "inputs of this kind, too. A step sees its own inputs and "
                "your advice, not these runs. Be concrete: say what to look "
                "for and what to do then. Advice that could be given to "
                "anybody helps nobody.",
            .inputs = shown,
            .n_inputs = sizeof shown / sizeof *shown,
            .outputs = outputs,
            .n_outputs = search->n_parts + 1},
        err);
}

// Shows a run. item is NULL if there is no run to compare with the other.
static void put_run(struct buf *out, const struct simba_search *search,
                    const struct task_item *item, size_t max)
{
    const struct program *program = session_job(search->session)->program;

    if (item == NULL) {
        buf_puts(out, "There is none.");
        return;
    }
    for (size_t s = 0; s < program->n_steps; s++) {
        if (item->step_inputs[s] == NULL || program->steps[s].predictor < 0)
            continue;
        buf_printf(out, "## %s\nreads:\n", program->steps[s].name);
        shown_fields(out, item->step_inputs[s], max);
        buf_puts(out, "gives:\n");
        if (item->step_outputs[s] != NULL)
            shown_fields(out, item->step_outputs[s], max);
        else
            buf_puts(out, "nothing that could be read\n");
    }
    buf_printf(out, "The score is %.2f of 1. ", item->score);
    if (item->feedback != NULL)
        shown_text(out, item->feedback, 2 * max);
}

struct rule_texts {
    struct buf program, example, better, worse;
};

static void put_texts(struct rule_texts *texts,
                      const struct simba_search *search,
                      const struct simba_bucket *bucket,
                      const struct task_item *better,
                      const struct task_item *worse, size_t max)
{
    json_t *fields =
        dataset_fields(session_dataset(search->session), (size_t)bucket->row);

    buf_clear(&texts->example);
    buf_clear(&texts->better);
    buf_clear(&texts->worse);
    shown_fields(&texts->example, fields, max);
    json_decref(fields);
    put_run(&texts->better, search, better, max);
    put_run(&texts->worse, search, worse, max);
}

static bool texts_fit(const struct rule_texts *texts, int64_t room)
{
    size_t bytes = texts->program.len + texts->example.len + texts->better.len +
                   texts->worse.len;

    return (int64_t)prompt_estimate_tokens(bytes) <= room;
}

static json_t *rule_inputs(const struct simba_search *search,
                           const struct simba_bucket *bucket,
                           const struct task_item *better,
                           const struct task_item *worse)
{
    struct rule_texts texts = {
        BUF_INIT(SHOWN_MAX_BYTES), BUF_INIT(SHOWN_MAX_BYTES),
        BUF_INIT(SHOWN_MAX_BYTES), BUF_INIT(SHOWN_MAX_BYTES)};
    int64_t room = teacher_room(search->session);
    json_t *inputs = NULL;

    shown_program(&texts.program, session_job(search->session)->program);
    for (size_t max = SHOWN_VALUE_BYTES;; max /= 2) {
        put_texts(&texts, search, bucket, better, worse, max);
        if (max <= LEAST_VALUE_BYTES || texts_fit(&texts, room))
            break;
    }
    if (!texts.program.failed && !texts.example.failed &&
        !texts.better.failed && !texts.worse.failed)
        inputs =
            json_pack("{s:s, s:s, s:s, s:s}", "program", texts.program.data,
                      "example", texts.example.data, "better_run",
                      texts.better.data, "worse_run", texts.worse.data);
    buf_release(&texts.program);
    buf_release(&texts.example);
    buf_release(&texts.better);
    buf_release(&texts.worse);
    return inputs;
}

bool simba_rules_ask(struct simba_search *search,
                     const struct simba_bucket *bucket,
                     struct question *question, struct err *err)
{
    search->made++;
    if (bucket->n == 0)
        return true;
    const struct task_item *better = bucket->items[0];
    const struct task_item *worse = bucket->items[bucket->n - 1];
    if (better->score <= search->step.low || worse->score >= search->step.high)
        return true;
    if (better->score <= worse->score) {
        if (better->score > search->step.high)
            worse = NULL;
        else
            better = NULL;
    }
    *question = (struct question){
        .form = &search->rule,
        .inputs = rule_inputs(search, bucket, better, worse),
        .purpose = "advise",
        .temperature = -1,
        .draw = search->made,
        .prose = true,
    };
    if (question->inputs == NULL) {
        err_nomem(err, "a question to the teacher");
        return false;
    }
    return question_submit(search->session, question, err);
}

// Returns false for "None", "n/a" and the like.
static bool is_advice(const char *text)
{
    static const char *const empty[] = {"none",    "none.",     "n/a",
                                        "nothing", "no advice", "no change"};

    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        if (prose_same(text, empty[i]))
            return false;
    }
    return text[0] != '\0';
}

static bool append_rule(struct simba_search *search, struct candidate *child,
                        size_t predictor, const char *advice, struct err *err)
{
    struct buf text = BUF_INIT(SHOWN_MAX_BYTES);
    bool ok = true;

    buf_printf(&text, "%s\n\n%s", child->parts[predictor].instruction, advice);
    // An instruction without room for the advice stays as it is.
    if (!buf_ok(&text, "an instruction", err))
        ok = false;
    else if (text.len <= INSTRUCTION_MAX_BYTES)
        ok = candidate_set_instruction(child, predictor, (int)search->made,
                                       text.data, err);
    buf_release(&text);
    return ok;
}

bool simba_rules_add(struct simba_search *search, struct question *question,
                     struct candidate *child, struct err *err)
{
    if (question->form == NULL)
        return true;
    if (!question_wait(search->session, question, err))
        return false;
    for (size_t i = 0; question->answer != NULL && i < search->n_parts; i++) {
        const char *text =
            json_get_text(question->answer, search->advice[i], "");
        char *advice = instruction_clean(text);
        bool ok = advice != NULL;
        if (!ok)
            err_nomem(err, "advice");
        else if (is_advice(advice))
            ok = append_rule(search, child, search->parts[i], advice, err);
        free(advice);
        if (!ok)
            return false;
    }
    return true;
}
