#include "search/toolkit/teacher.h"

#include <assert.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "search/toolkit/prose.h"

enum { FORM_TOKENS = 500 }; // for our own words around what is shown

// A model that is certain at temperature 0 would say the same again.
static const double RETRY_TEMPERATURE = 1.0;

bool form_init(struct form *form, const struct single_step *single,
               struct err *err)
{
    struct single_step asked = *single;

    asked.kind = &step_predict;
    *form = (struct form){0};
    form->program = program_single(&asked, err);
    if (form->program == NULL)
        return false;
    form->candidate = candidate_new(form->program, err);
    if (form->candidate == NULL) {
        form_release(form);
        return false;
    }
    candidate_seal(form->candidate);
    plan_all(form->program, &form->plan);
    return true;
}

void form_release(struct form *form)
{
    candidate_unref(form->candidate);
    program_free(form->program);
    *form = (struct form){0};
}

struct field form_text(const char *name, const char *desc)
{
    return (struct field){
        .name = name,
        .desc = desc,
        .type = {.kind = TYPE_STR, .min_length = -1, .max_length = -1},
    };
}

int64_t teacher_room(const struct session *session)
{
    struct settings settings;

    job_settings(session_job(session), ROLE_TEACHER, &settings);
    const struct call_options *options = &settings.options;
    int64_t answer = options->num_predict > TASK_TEXT_TOKENS
                         ? options->num_predict
                         : TASK_TEXT_TOKENS;
    return options->num_ctx - answer - FORM_TOKENS;
}

// Waits until the runs are done, because until then the loop runs them with the
// program that they borrow; no other error may end the wait. If the coordinator
// itself is gone, they stay with the session, which frees them at its end.
void runs_drop(struct session *session, struct runs *runs)
{
    struct err ignored = ERR_CLEAR;

    while (runs != NULL && !runs->done && ignored.code != ERR_STOPPED) {
        ignored = ERR_CLEAR;
        (void)runs_wait(session, runs, &ignored);
    }
    if (runs != NULL && runs->done)
        runs_free(runs);
}

void question_release(struct question *question)
{
    runs_drop(question->session, question->runs);
    json_decref(question->answer);
    json_decref(question->inputs);
    *question = (struct question){0};
}

bool question_submit(struct session *session, struct question *question,
                     struct err *err)
{
    assert(question->runs == NULL && question->attempt < TEACHER_ATTEMPTS);

    double temperature = question->temperature;
    if (question->attempt > 0 && temperature < RETRY_TEMPERATURE)
        temperature = RETRY_TEMPERATURE;
    const struct runs_request request = {
        .program = question->form->program,
        .plan = &question->form->plan,
        .candidate = question->form->candidate,
        .role = ROLE_TEACHER,
        .sampling = {.temperature = temperature,
                     .purpose = question->purpose,
                     .draw =
                         question->draw * TEACHER_ATTEMPTS + question->attempt,
                     .replicate = question->attempt},
        .free_text = true,
        .inputs = &question->inputs,
        .n = 1,
    };
    question->session = session;
    question->runs = runs_submit(session, &request, err);
    return question->runs != NULL;
}

// Returns true if every text that is needed can be what it was asked for.
static bool is_usable(const struct question *question, const json_t *outputs)
{
    const struct step *asked = &question->form->program->steps[0];

    for (size_t i = 0; i < asked->signature.n_outputs; i++) {
        const char *name = asked->signature.outputs[i].name;

        if ((question->form->plan.reads[0] >> i & 1) != 0 &&
            prose_fault(json_get_text(outputs, name, ""), asked,
                        question->inputs) != NULL)
            return false;
    }
    return true;
}

// Takes the answer of the finished attempt, if it can be read and used.
static void take_answer(struct question *question)
{
    const struct task_item *item = &question->runs->items[0];

    if (item->state == ITEM_DONE && item->outcome == RUN_DONE &&
        (!question->prose || is_usable(question, item->outputs)))
        question->answer = json_incref(item->outputs);
    runs_free(question->runs);
    question->runs = NULL;
    question->attempt++;
}

bool question_wait(struct session *session, struct question *question,
                   struct err *err)
{
    for (;;) {
        if (!runs_wait(session, question->runs, err))
            return false;
        take_answer(question);
        if (question->answer != NULL || question->attempt == TEACHER_ATTEMPTS)
            return true;
        if (!question_submit(session, question, err))
            return false;
    }
}

bool questions_ask(struct session *session, struct question *questions,
                   size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!question_submit(session, &questions[i], err))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!question_wait(session, &questions[i], err))
            return false;
    }
    return true;
}
