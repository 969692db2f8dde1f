#include "coordinator/evaluation_answers.h"

#include "coordinator/evaluation_questions.h"
#include "coordinator/evaluation_result.h"
#include "program/prompt/prompt.h"
#include "retrieve/retrieval.h"

// Adds what the answer, which has been read, says about the right label.
static bool add_right(struct evaluation *ev, int step,
                      const struct call_answer *answer, struct err *err)
{
    const struct right_reads reads = {ev->task->program, ev->task->plan,
                                      ev->work->job->metric};
    enum adapter form = stepper_form(ev->stepper, step);
    const json_t *example = evaluation_example(ev, err);

    if (example != NULL && stepper_step_outputs(ev->stepper, step) != NULL)
        right_add(&ev->right, &reads,
                  &(struct right_answer){step, form, answer}, example);
    return example != NULL;
}

static bool take_for_step(struct evaluation *ev, int step,
                          const struct call_answer *answer, struct err *err)
{
    if (!stepper_answer(ev->stepper, step, answer, err))
        return false;
    return !ev->task->logprobs || answer->logprobs == NULL ||
           add_right(ev, step, answer, err);
}

// Answers a step that searches by embeddings, whose query the model has
// embedded. A query that is too long is a fact about the example, as for a
// prompt.
static bool take_for_search(struct evaluation *ev, int step,
                            const struct call_answer *answer, struct err *err)
{
    struct job_work *work = ev->work;
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 16);
    struct call_answer passages = {.outcome = CALL_TEXT, .cached_tokens = -1};
    const struct retrieval_query query = {.program = ev->task->program,
                                          .step = step,
                                          .values = ev->task->candidate->values,
                                          .answer = answer->text,
                                          .len = answer->text_len};
    bool ok;

    if (answer->outcome != CALL_TEXT)
        return stepper_answer(ev->stepper, step, answer, err);
    ok = retrieval_answer_by_embedding(work->retrieval, work->vectors, &query,
                                       &text, err);
    passages.text = text.data;
    passages.text_len = text.len;
    ok = ok && stepper_answer(ev->stepper, step, &passages, err);
    buf_release(&text);
    return ok;
}

// What is stored determines the size of what follows, also after a restart
// (answer_check.c).
static void note_size(struct job_work *work)
{
    int32_t number = work->models[ROLE_EMBED].number;
    size_t *size = &work->engine->models.entries[number].embedding_size;

    if (*size == 0)
        *size = vectors_size(work->vectors);
}

// Takes the embedding of an item that is a text; others need it.
static bool take_for_text(struct evaluation *ev, int part,
                          const struct call_answer *answer, struct err *err)
{
    const json_t *text = ev->item->text;

    (void)part;
    if (answer->outcome != CALL_TEXT) {
        err_set(err, ERR_INPUT,
                "the text that begins `%.60s` is longer than `%.40s` reads at "
                "once: split the document, or shorten the example",
                json_string_value(text),
                ev->work->job->models[ROLE_EMBED].name);
        return false;
    }
    if (!vectors_put(ev->work->vectors, json_string_value(text),
                     json_string_length(text), answer->text, answer->text_len,
                     err))
        return false;
    note_size(ev->work);
    evaluation_detach(ev, ITEM_DONE);
    return true;
}

// A question that is too long to be embedded gets the first demos.
static bool take_for_demos(struct evaluation *ev, int step,
                           const struct call_answer *answer, struct err *err)
{
    struct picking *picking = &ev->picking[step];

    if (answer->outcome == CALL_TEXT) {
        picking->near = vectors_read(ev->work->vectors, answer->text,
                                     answer->text_len, err);
        if (picking->near == NULL)
            return false;
    }
    return evaluation_ask_model(ev, &picking->ask, picking->near, err);
}

// If a judge's answer cannot be read, that says nothing about what it judges.
static bool take_for_metric(struct evaluation *ev, int part,
                            const struct call_answer *answer, struct err *err)
{
    struct err why = ERR_CLEAR;

    if (metric_read_answer(ev->work->job->metric, (size_t)part, answer,
                           &ev->outside[part], &why)) {
        ev->outside_missing--;
        return true;
    }
    if (why.code != ERR_INPUT) {
        *err = why;
        return false;
    }
    if (++ev->tries[part] < METRIC_TRIES)
        return evaluation_ask_metric(ev, (size_t)part, err);
    ev->unjudged = true;
    ev->outside_missing--;
    return true;
}

bool evaluation_take(struct evaluation *ev, enum asker asker, int part,
                     const struct call_answer *answer, struct err *err)
{
    static bool (*const takers[])(struct evaluation *, int,
                                  const struct call_answer *, struct err *) = {
        [ASKER_STEP] = take_for_step,   [ASKER_SEARCH] = take_for_search,
        [ASKER_DEMOS] = take_for_demos, [ASKER_METRIC] = take_for_metric,
        [ASKER_TEXT] = take_for_text,
    };

    return takers[asker](ev, part, answer, err);
}
