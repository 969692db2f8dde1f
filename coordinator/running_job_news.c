#include "coordinator/running_job_news.h"

#include <assert.h>

#include "common/log.h"
#include "common/text.h"
#include "coordinator/running_job_progress.h"
#include "retrieve/retrieval.h"
#include "store/calls.h"
#include "store/history.h"

static void take_phase(struct running_job *running, const struct note *note)
{
    text_print(running->view.phase, sizeof running->view.phase, "%.60s",
               note->text);
}

static void put_note(const struct running_job *running)
{
    history_event(running->engine->store, running->work.job_no, "note",
                  running->view.note, NULL);
}

static void take_text(struct running_job *running, const struct note *note)
{
    struct store *store = running->engine->store;
    struct call_answer answer = {0};
    struct err ignored = ERR_CLEAR;

    // What does not fit of the reply is cut between characters.
    if (note->call == 0 || !calls_load(store, note->call, &answer, &ignored))
        answer.text_len = 0;
    text_print(running->view.note, sizeof running->view.note, "%s%.*s",
               note->text, (int)answer.text_len,
               answer.text_len == 0 ? "" : answer.text);
    call_answer_release(&answer);
    put_note(running);
}

// Warns of searches that find nothing: the steps after them make do without a
// passage, and nothing else would reveal it. A replay reads scores and makes no
// searches.
static void warn_of_searches(struct running_job *running)
{
    const struct program *program = running->spec.job->program;
    const struct retrieval *retrieval = running->work.retrieval;
    char asked_text[TEXT_COUNTED_BYTES];
    size_t asked = 0;

    for (size_t s = 0; retrieval != NULL && s < program->n_steps; s++) {
        if (!retrieval_finds_nothing(retrieval, (int)s, &asked))
            continue;
        text_print(running->view.note, sizeof running->view.note,
                   "warning: `%s` found no passage for any of %s: no word of "
                   "them is in what it searches",
                   program->steps[s].name,
                   text_counted(asked_text, (int64_t)asked, "question"));
        log_warn("finds-nothing", "%s: `%s` found no passage for any query",
                 running->spec.id, program->steps[s].name);
        put_note(running);
    }
}

// Trials overlap, so a later one may end first.
static void take_trial_end(struct running_job *running, const struct note *note)
{
    if (note->end.number == 1)
        warn_of_searches(running);
    if (running->view.progress.trial < note->end.number)
        running->view.progress.trial = note->end.number;
    history_trial_end(running->engine->store, running->work.job_no, &note->end,
                      NULL);
}

static void take_best(struct running_job *running,
                      const struct history_best *best)
{
    running->view.progress.best = best->score;
    running->view.progress.best_low = best->low;
    running->view.progress.best_high = best->high;
    running->view.progress.best_trial = best->trial;
    running->view.progress.baseline = best->baseline;
    history_put_best(running->engine->store, running->work.job_no, best, NULL);
}

void running_job_take_news(struct running_job *running, const struct note *note)
{
    switch (note->kind) {
    case NOTE_PHASE:
        take_phase(running, note);
        break;
    case NOTE_EXPECT:
        running_job_expect(running, note);
        break;
    case NOTE_TEXT:
        take_text(running, note);
        break;
    case NOTE_TRIAL:
        take_trial_end(running, note);
        break;
    case NOTE_BEST:
        take_best(running, &note->best);
        break;
    case NOTE_TASK:
    case NOTE_ENDED:
        assert(false);
    }
}
