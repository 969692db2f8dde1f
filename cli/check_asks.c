#include "cli/check_asks.h"

#include "program/run/stepper.h"

void check_asks(const struct jobfile *file, size_t row,
                enum answerer_id answerer, check_asks_fn *answer, void *user)
{
    const struct job *job = file->job;
    json_t *inputs = dataset_inputs(file->dataset, row);
    struct err err = ERR_CLEAR;
    struct stepper *stepper =
        inputs == NULL ? NULL
                       : stepper_new(job->program, &file->plan,
                                     job->settings.adapter, NULL, inputs, &err);
    struct ask ask;

    while (stepper != NULL && stepper_next(stepper, &ask, &err))
        if (ask.answerer == answerer && !answer(user, stepper, &ask))
            break;
    stepper_free(stepper);
    json_decref(inputs);
}

bool check_asks_answer(struct stepper *stepper, const struct ask *ask,
                       char *text, size_t len)
{
    const struct call_answer answer = {.outcome = CALL_TEXT,
                                       .text = text,
                                       .text_len = len,
                                       .cached_tokens = -1};
    struct err err = ERR_CLEAR;

    return stepper_answer(stepper, ask->part, &answer, &err);
}
