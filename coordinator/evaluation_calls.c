#include "coordinator/evaluation_calls.h"

#include <stdlib.h>

#include "coordinator/job_uses.h"

static int place_of_step(const struct evaluation *ev, int step)
{
    const struct program *program = ev->task->program;
    int place = 0;

    while ((size_t)place < program->n_steps && program->order[place] != step)
        place++;
    return place;
}

static int place_of(const struct evaluation *ev, enum asker asker, int part)
{
    if (asker == ASKER_METRIC)
        return (int)ev->task->program->n_steps + part;
    return asker == ASKER_TEXT ? 0 : place_of_step(ev, part);
}

// Makes room in powers of two. Returns false when out of memory.
static bool make_room(struct evaluation *ev)
{
    size_t cap = ev->n_calls * 2 + 2;
    struct used_call *calls;
    int *places;

    if ((ev->n_calls & (ev->n_calls + 1)) != 0)
        return true;
    calls = realloc(ev->calls, cap * sizeof *calls);
    if (calls != NULL)
        ev->calls = calls;
    places = realloc(ev->places, cap * sizeof *places);
    if (places != NULL)
        ev->places = places;
    return calls != NULL && places != NULL;
}

bool evaluation_remember(struct evaluation *ev, enum asker asker, int part,
                         const struct call_ref *ref, struct err *err)
{
    int place = place_of(ev, asker, part);
    size_t at = ev->n_calls;

    job_uses_add(&ev->work->uses, ref->id);
    if (!make_room(ev)) {
        err_nomem(err, "an evaluation");
        return false;
    }
    for (; at > 0 && ev->places[at - 1] > place; at--) {
        ev->calls[at] = ev->calls[at - 1];
        ev->places[at] = ev->places[at - 1];
    }
    ev->calls[at] = (struct used_call){.id = ref->id,
                                       .tokens = (int64_t)ref->prompt_tokens +
                                                 ref->generated_tokens};
    ev->places[at] = place;
    ev->n_calls++;
    return true;
}

int64_t evaluation_calls_end(struct evaluation *ev)
{
    int failed = stepper_failed_step(ev->stepper);
    size_t at = ev->n_calls;

    if (failed < 0)
        return 0;
    while (at > 0 && ev->places[at - 1] != place_of_step(ev, failed))
        at--;
    if (at == 0)
        return 0;
    const struct used_call call = ev->calls[at - 1];
    for (; at < ev->n_calls; at++) {
        ev->calls[at - 1] = ev->calls[at];
        ev->places[at - 1] = ev->places[at];
    }
    ev->calls[at - 1] = call;
    ev->places[at - 1] = place_of_step(ev, failed);
    return call.id;
}

void evaluation_calls_release(struct evaluation *ev)
{
    free(ev->calls);
    free(ev->places);
    ev->calls = NULL;
    ev->places = NULL;
    ev->n_calls = 0;
}
