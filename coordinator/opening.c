#include "coordinator/opening.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/opening_read.h"
#include "coordinator/opening_state.h"

enum { TEXT_MOST = 600 }; // of the message about what may surprise

static void free_opening(struct opening *opening)
{
    struct opening **at = &opening->all->first;

    while (*at != NULL && *at != opening)
        at = &(*at)->next;
    if (*at != NULL)
        *at = opening->next;
    buf_release(&opening->encoded);
    arena_release(&opening->arena);
    free(opening->job_id);
    resumption_release(&opening->changes);
    free(opening);
}

// Tells the requester how the opening ended, and frees it.
static void end_opening(struct opening *opening, struct running_job *running)
{
    const struct opening_handlers *handlers = opening->all->handlers;
    char word[TEXT_MOST] = "";
    const struct opened opened = {
        .running = running,
        .job_id = opening->running != NULL ? running_job_id(opening->running)
                                           : opening->job_id,
        .word = word,
        .err = &opening->err,
        .ended = running == NULL && opening->ended.code != ERR_NONE};

    if (running != NULL && running == opening->running)
        text_print(word, sizeof word, "%s", running_job_changes(running));
    else if (running != NULL && opening->job_id == NULL)
        running_job_tell_ignored(running, opening->running, word, sizeof word);
    handlers->ended(handlers->user, &opening->requester, &opened);
    if (running != opening->running)
        running_job_discard(opening->running);
    free_opening(opening);
}

// --- from step to step ---

static bool is_looked_up(const struct openings *openings,
                         const struct running_job *running)
{
    for (const struct opening *o = openings->first; o != NULL; o = o->next)
        if (o->looking_up && running_job_same_history(o->running, running))
            return true;
    return false;
}

// Ends the opening if a person has ended it meanwhile; returns true if so.
static bool end_if_cancelled(struct opening *opening)
{
    if (opening->ended.code == ERR_NONE)
        return false;
    opening->err = opening->ended;
    end_opening(opening, NULL);
    return true;
}

static void after_look_up(struct chore *chore);

// Ends the opening of a job that is already running. What it asked for applies
// as a whole or not at all.
static void join(struct opening *opening, struct running_job *same)
{
    const struct job_share *share = &opening->changes.share;
    bool ok = opening->changes.n_excluded == 0;

    if (!ok)
        err_set(&opening->err, ERR_INPUT,
                "job %.200s is running: `pause` it first, to leave out "
                "examples",
                running_job_id(same));
    if (ok && (share->priority > 0 || share->max_workers > 0))
        ok = running_job_set_share(same, share, &opening->err);
    end_opening(opening, ok ? same : NULL);
}

// Begins to look up the job, unless it is already running, is still here but
// about to end, or is being looked up by another opening.
static void proceed(struct opening *opening)
{
    const struct opening_handlers *handlers = opening->all->handlers;
    struct engine *engine = opening->all->engine;
    struct running_job *same =
        handlers->find_same(handlers->user, opening->running);

    if (end_if_cancelled(opening))
        return;
    if (same != NULL && !running_job_is_open(same))
        return; // the job begins anew once that one is gone
    if (same != NULL) {
        join(opening, same);
        return;
    }
    if (is_looked_up(opening->all, opening->running))
        return;
    running_job_reserve_number(opening->running);
    opening->chore.work = opening_look_up;
    opening->chore.done = after_look_up;
    opening->chore.after = store_last_put(engine->store);
    opening->looking_up =
        background_give(engine->job_chores, &opening->chore, &opening->err);
    if (!opening->looking_up)
        end_opening(opening, NULL);
}

void openings_wake(struct openings *openings)
{
    struct opening *next;

    for (struct opening *o = openings->first; o != NULL; o = next) {
        next = o->next;
        if (o->read && !o->looking_up)
            proceed(o);
    }
}

static void after_look_up(struct chore *chore)
{
    struct opening *opening = opening_of(chore);
    struct openings *all = opening->all;
    const struct opening_handlers *handlers = all->handlers;

    opening->looking_up = false;
    if (!end_if_cancelled(opening)) {
        bool begun =
            opening->err.code == ERR_NONE &&
            handlers->begin(handlers->user, opening->running, &opening->err);

        end_opening(opening, begun ? opening->running : NULL);
    }
    openings_wake(all);
}

static void after_reading(struct chore *chore)
{
    struct opening *opening = opening_of(chore);

    if (end_if_cancelled(opening))
        return;
    if (opening->running == NULL || opening->err.code != ERR_NONE) {
        end_opening(opening, NULL);
        return;
    }
    log_debug("job-read", "%s: %zu bytes in %" PRId64 " ms",
              running_job_id(opening->running), opening->chore.bytes,
              clock_monotonic_ms() - opening->began_ms);
    running_job_set_number(opening->running, ++opening->all->last_number);
    opening->read = true;
    proceed(opening);
}

// --- ended by a person ---

// Returns true if the opening goes by that id, as far as is known.
static bool goes_by(const struct opening *opening, const char *id,
                    enum request_action action)
{
    if (opening->job_id != NULL)
        return action == REQUEST_RUN && strcmp(opening->job_id, id) == 0;
    return opening->read && running_job_goes_by(opening->running, id, action);
}

void openings_end(struct openings *openings, const char *id,
                  enum request_action action, const struct err *why,
                  struct openings_ended *out)
{
    struct opening *next;

    for (struct opening *o = openings->first; o != NULL; o = next) {
        next = o->next;
        if (!goes_by(o, id, action))
            continue;
        o->ended = *why;
        out->id = o->read ? running_job_id(o->running) : o->job_id;
        if (o->requester.kind == REQUESTER_NONE)
            out->job_no = o->requester.job_no;
    }
}

bool openings_have_unknown(const struct openings *openings)
{
    for (const struct opening *o = openings->first; o != NULL; o = o->next)
        if (o->job_id == NULL && !o->read)
            return true;
    return false;
}

// --- beginning ---

static bool begin_reading(struct opening *opening, struct err *err)
{
    struct openings *all = opening->all;

    opening->chore.work = opening_read;
    opening->chore.done = after_reading;
    opening->began_ms = clock_monotonic_ms();
    if (!background_give(all->engine->job_chores, &opening->chore, err)) {
        free_opening(opening);
        return false;
    }
    opening->next = all->first;
    all->first = opening;
    return true;
}

static struct opening *new_opening(struct openings *openings,
                                   const struct requester *requester,
                                   struct err *err)
{
    struct opening *opening = calloc(1, sizeof *opening);

    if (opening == NULL) {
        err_nomem(err, "a job");
        return NULL;
    }
    opening->all = openings;
    opening->requester = *requester;
    return opening;
}

struct requester requester_from(const struct peer *peer,
                                enum requester_kind kind)
{
    return (struct requester){.kind = kind, .address = peer_address(peer)};
}

bool openings_submit(struct openings *openings,
                     const struct requester *requester,
                     const struct submit *submit, struct arena *arena,
                     struct err *err)
{
    struct opening *opening = new_opening(openings, requester, err);

    if (opening == NULL)
        return false;
    opening->arena = *arena;
    *arena = ARENA_INIT(arena->max_bytes);
    opening->submit = *submit;
    for (size_t i = 0; i < submit->n_files; i++)
        opening->chore.bytes += submit->files[i].len;
    return begin_reading(opening, err);
}

bool openings_submit_long(struct openings *openings,
                          const struct requester *requester, struct buf *bytes,
                          struct err *err)
{
    struct opening *opening = new_opening(openings, requester, err);

    if (opening == NULL)
        return false;
    opening->encoded = *bytes;
    *bytes = BUF_INIT(bytes->max);
    opening->chore.bytes = opening->encoded.len;
    return begin_reading(opening, err);
}

bool openings_resume(struct openings *openings,
                     const struct requester *requester, const char *job_id,
                     struct resumption *changes, struct err *err)
{
    struct opening *opening = new_opening(openings, requester, err);

    if (opening == NULL) {
        resumption_release(changes);
        return false;
    }
    opening->changes = *changes;
    *changes = (struct resumption){0};
    opening->chore.after = store_last_put(openings->engine->store);
    opening->job_id = strdup(job_id);
    if (opening->job_id != NULL)
        return begin_reading(opening, err);
    err_nomem(err, "a job");
    free_opening(opening);
    return false;
}
