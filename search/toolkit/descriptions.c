#include "search/toolkit/descriptions.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/utf8.h"
#include "search/toolkit/data_summary.h"
#include "search/toolkit/shown.h"
#include "search/toolkit/teacher.h"

enum {
    PROGRAM_BYTES = 16000,
    DRAW_PROGRAM = 100, // draws of the purpose "summary"
    DRAW_MODULE = 101,
};

struct describing {
    struct session *session;
    const struct program *program;
    const struct proposer_options *options;
    struct descriptions *out;
};

static bool runs_predictor(const struct describing *describing, size_t i)
{
    return session_plan(describing->session)
        ->runs[describing->program->predictors[i]];
}

static bool read_source(const struct describing *describing, struct err *err)
{
    struct buf text = BUF_INIT(SHOWN_MAX_BYTES);

    shown_program(&text, describing->program);
    if (!buf_ok(&text, "the program", err)) {
        buf_release(&text);
        return false;
    }
    if (text.len > PROGRAM_BYTES)
        text.data[utf8_cut(text.data, PROGRAM_BYTES)] = '\0';
    describing->out->source = buf_take(&text);
    if (describing->out->source == NULL)
        err_nomem(err, "the program");
    return describing->out->source != NULL;
}

static bool take_text(const struct question *question, const char *field,
                      char **out, struct err *err)
{
    *out = NULL;
    if (question->answer == NULL)
        return true;
    *out = strdup(json_get_text(question->answer, field, ""));
    if (*out == NULL)
        err_nomem(err, "a description");
    return *out != NULL;
}

// --- the steps

static bool init_module_form(struct form *form, struct err *err)
{
    const struct field shown[] = {
        form_text("program", "A program of language-model steps"),
        form_text("program_description", "What the program is made for"),
        form_text("module", "The step to describe"),
    };
    const struct field told =
        form_text("module_description", "One to three sentences");

    return form_init(
        form,
        &(struct single_step){
            .name = "describe_module",
            .instruction =
                "Describe what this one step has to do within the program: "
                "what it is given, what it must find out, and what the rest "
                "of the program needs of it.",
            .inputs = shown,
            .n_inputs = 3,
            .outputs = &told,
            .n_outputs = 1},
        err);
}

static json_t *module_inputs(const struct describing *describing,
                             size_t predictor)
{
    struct buf step = BUF_INIT(SHOWN_MAX_BYTES);
    json_t *inputs = NULL;

    shown_step(&step, program_predictor(describing->program, predictor));
    if (!step.failed)
        inputs = json_pack(
            "{s:s, s:s, s:s}", "program", describing->out->source,
            "program_description",
            describing->out->program != NULL ? describing->out->program : "",
            "module", step.data);
    buf_release(&step);
    return inputs;
}

static bool check_inputs(const struct question *question, struct err *err)
{
    if (question->inputs == NULL)
        err_nomem(err, "a question to the teacher");
    return question->inputs != NULL;
}

// Sets up a question about each step that runs.
static bool ask_about_modules(const struct describing *describing,
                              const struct form *form,
                              struct question *questions, size_t *asked,
                              struct err *err)
{
    for (size_t i = 0; i < describing->program->n_predictors; i++) {
        if (!runs_predictor(describing, i))
            continue;
        questions[*asked] = (struct question){
            .form = form,
            .inputs = module_inputs(describing, i),
            .purpose = "summary",
            .temperature = describing->options->temperature,
            .draw = DRAW_MODULE + (int64_t)i,
            .prose = true,
        };
        if (!check_inputs(&questions[(*asked)++], err))
            return false;
    }
    return questions_ask(describing->session, questions, *asked, err);
}

static bool take_modules(const struct describing *describing,
                         const struct question *questions, struct err *err)
{
    size_t at = 0;

    for (size_t i = 0; i < describing->program->n_predictors; i++) {
        if (runs_predictor(describing, i) &&
            !take_text(&questions[at++], "module_description",
                       &describing->out->steps[i], err))
            return false;
    }
    return true;
}

static bool describe_modules(const struct describing *describing,
                             struct err *err)
{
    size_t n = describing->program->n_predictors;
    struct form form = {0};
    struct question *questions = calloc(n + 1, sizeof *questions);
    size_t asked = 0;
    bool ok = false;

    if (questions == NULL)
        err_nomem(err, "descriptions");
    else
        ok = init_module_form(&form, err) &&
             ask_about_modules(describing, &form, questions, &asked, err) &&
             take_modules(describing, questions, err);
    for (size_t i = 0; i < asked; i++)
        question_release(&questions[i]);
    free(questions);
    form_release(&form);
    return ok;
}

// --- the whole

static bool init_program_form(struct form *form, struct err *err)
{
    const struct field shown =
        form_text("program", "A program of language-model steps");
    const struct field told =
        form_text("program_description", "Two to four sentences");

    return form_init(
        form,
        &(struct single_step){
            .name = "describe_program",
            .instruction =
                "Describe what this program of language-model steps is made "
                "for, and how each step helps to reach that.",
            .inputs = &shown,
            .n_inputs = 1,
            .outputs = &told,
            .n_outputs = 1},
        err);
}

// Makes the description of the program and the summary of the data side by
// side; the steps are described once the former is done.
static bool make_descriptions(const struct describing *describing,
                              struct err *err)
{
    const struct proposer_options *options = describing->options;
    struct form form = {0};
    struct question question = {.form = &form,
                                .purpose = "summary",
                                .temperature = options->temperature,
                                .draw = DRAW_PROGRAM,
                                .prose = true};
    bool ok = false;

    if (options->program_aware) {
        question.inputs =
            json_pack("{s:s}", "program", describing->out->source);
        if (!check_inputs(&question, err) || !init_program_form(&form, err) ||
            !question_submit(describing->session, &question, err))
            goto out;
    }
    if (options->data_aware &&
        !data_summary(describing->session, options->view_data_batch_size,
                      &describing->out->data, err))
        goto out;
    if (options->program_aware &&
        (!question_wait(describing->session, &question, err) ||
         !take_text(&question, "program_description", &describing->out->program,
                    err) ||
         !describe_modules(describing, err)))
        goto out;
    ok = true;

out:
    question_release(&question);
    form_release(&form);
    return ok;
}

bool descriptions_make(struct session *session,
                       const struct proposer_options *options,
                       struct descriptions *out, struct err *err)
{
    const struct describing describing = {.session = session,
                                          .program =
                                              session_job(session)->program,
                                          .options = options,
                                          .out = out};

    *out = (struct descriptions){.n_steps = describing.program->n_predictors};
    out->steps = calloc(out->n_steps, sizeof *out->steps);
    if (out->steps == NULL) {
        err_nomem(err, "descriptions");
        return false;
    }
    return read_source(&describing, err) && make_descriptions(&describing, err);
}

void descriptions_release(struct descriptions *descriptions)
{
    for (size_t i = 0; descriptions->steps != NULL && i < descriptions->n_steps;
         i++)
        free(descriptions->steps[i]);
    free(descriptions->steps);
    free(descriptions->program);
    free(descriptions->source);
    free(descriptions->data);
    *descriptions = (struct descriptions){0};
}
