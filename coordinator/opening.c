#include "coordinator/opening.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/background.h"
#include "store/history.h"

enum { TEXT_MOST = 600 }; // of the message about what may surprise

struct opening {
    struct chore chore; // must be first: the background knows only this
    struct openings *all;
    struct requester requester;
    // What to open: a submission, or a job of the store.
    struct buf encoded;     // a SUBMIT that must be decoded first; or empty
    struct arena arena;     // of submit's texts
    struct submit submit;   // in the arena
    char *job_id;           // owned; NULL for a submission
    struct job_share share; // for a job that is resumed; 0: unchanged
    int32_t *excluded; // rows that it leaves out from now on; owned until the
                       // job that was read has them
    size_t n_excluded;
    // What became of it.
    struct running_job *running; // owned; NULL before the job is read
    struct err err;
    struct err ended; // set by a person, who says why
    int64_t began_ms;
    bool read; // running is here, and the loop's
    bool looking_up;
    struct opening *next;
};

static struct opening *opening_of(struct chore *chore)
{
    return (struct opening *)(void *)chore;
}

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
    free(opening->excluded);
    free(opening);
}

// --- reading, off the loop ---

// Copies the files of a submission. A job has a folder on this machine only if
// its client is in this process.
static struct bundle *unpack_files(const struct engine *engine,
                                   const struct submit *submit, struct err *err)
{
    struct bundle *bundle = bundle_new(submit->files[0].name, err);

    if (bundle != NULL && engine->local && submit->folder[0] != '\0') {
        bundle->folder = strdup(submit->folder);
        if (bundle->folder == NULL) {
            err_nomem(err, "a job");
            bundle_free(bundle);
            return NULL;
        }
    }
    for (size_t i = 0; bundle != NULL && i < submit->n_files; i++)
        if (!bundle_add(bundle, submit->files[i].name, submit->files[i].data,
                        submit->files[i].len, err)) {
            bundle_free(bundle);
            bundle = NULL;
        }
    return bundle;
}

static struct bundle *unpack(struct engine *engine, const struct submit *submit,
                             struct err *err)
{
    struct bundle *bundle = NULL;

    if (submit->n_files > 0)
        return unpack_files(engine, submit, err);
    if (engine->local)
        bundle = handover_take(&engine->handover);
    if (bundle == NULL)
        err_set(err, ERR_INPUT,
                "the submission holds no file: the first one is the job file");
    return bundle;
}

// The message is freed before the job is read.
static void open_job(struct opening *opening, const struct submit *submit)
{
    struct err *err = &opening->err;
    struct request *request =
        request_read(submit->action, submit->options, err);
    struct bundle *bundle =
        request == NULL ? NULL : unpack(opening->all->engine, submit, err);
    struct diags *diags = diags_new(err);

    arena_release(&opening->arena);
    if (request != NULL && opening->share.priority > 0)
        request->priority = opening->share.priority;
    if (request != NULL && opening->share.max_workers > 0)
        request->max_workers = opening->share.max_workers;
    if (diags == NULL || bundle == NULL) {
        request_free(request);
        bundle_free(bundle);
    } else {
        opening->running =
            running_job_open(opening->all->engine, request, bundle, diags, err);
        if (opening->running == NULL && err->code == ERR_NONE)
            diags_ok(diags, err);
    }
    diags_free(diags);
}

static bool open_stored(void *user, const struct history_submission *stored,
                        struct err *err)
{
    struct opening *opening = user;
    struct wire_file *files = calloc(stored->n_files + 1, sizeof *files);
    struct submit submit = {.action = "run",
                            .options = stored->options,
                            .folder = stored->folder,
                            .files = files,
                            .n_files = stored->n_files};

    for (size_t i = 0; files != NULL && i < stored->n_files; i++)
        files[i] = (struct wire_file){.name = stored->files[i].name,
                                      .data = stored->files[i].data,
                                      .len = stored->files[i].len};
    if (files == NULL)
        err_nomem(err, "a job's files");
    else
        open_job(opening, &submit);
    free(files);
    return opening->running != NULL;
}

static bool decode(struct opening *opening)
{
    struct message message;

    if (opening->encoded.len == 0)
        return true;
    opening->arena = ARENA_INIT(4 * (size_t)WIRE_MAX_BYTES);
    if (!message_decode(opening->encoded.data, opening->encoded.len,
                        &opening->arena, &message, &opening->err))
        return false;
    buf_release(&opening->encoded);
    assert(message.kind == MESSAGE_SUBMIT);
    opening->submit = message.as.submit;
    return true;
}

// A job that was submitted to another version of promptcc has another id here,
// and would begin anew.
static bool check_same(struct opening *opening)
{
    if (strcmp(running_job_id(opening->running), opening->job_id) == 0)
        return true;
    err_set(
        &opening->err, ERR_INPUT,
        "the job %.80s was run by another version of promptcc, and this one "
        "cannot replay it: submit its job file again, as a new job (`export` "
        "still gives what it found)",
        opening->job_id);
    return false;
}

static void read_job(struct chore *chore, struct store *reader,
                     const struct err *trouble)
{
    struct opening *opening = opening_of(chore);
    struct err *err = &opening->err;
    int64_t job_no = 0;

    if (opening->job_id == NULL) {
        if (decode(opening))
            open_job(opening, &opening->submit);
        arena_release(&opening->arena);
        return;
    }
    if (reader == NULL)
        *err = *trouble;
    else
        job_no = history_job_no(reader, opening->job_id, err);
    if (job_no != 0)
        (void)(history_load_submission(reader, job_no, open_stored, opening,
                                       err) &&
               check_same(opening));
    else if (err->code == ERR_NONE)
        err_set(err, ERR_INPUT, "there is no job %.100s", opening->job_id);
    if (err->code != ERR_NONE)
        return;
    running_job_exclude(opening->running, opening->excluded,
                        opening->n_excluded);
    opening->excluded = NULL;
}

static void look_up(struct chore *chore, struct store *reader,
                    const struct err *trouble)
{
    struct opening *opening = opening_of(chore);

    if (reader == NULL)
        opening->err = *trouble;
    else
        (void)running_job_look_up(opening->running, reader, &opening->err);
}

// --- on the loop ---

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
    const struct job_share *share = &opening->share;
    bool ok = opening->n_excluded == 0;

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
    opening->chore.work = look_up;
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

static bool begin_reading(struct opening *opening, struct err *err)
{
    struct openings *all = opening->all;

    opening->chore.work = read_job;
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

static bool copy_changes(struct opening *opening, const char *job_id,
                         const struct resumption *changes)
{
    size_t bytes = changes->n_excluded * sizeof *changes->excluded;

    opening->share = changes->share;
    opening->n_excluded = changes->n_excluded;
    opening->excluded = malloc(bytes + 1);
    opening->job_id = strdup(job_id);
    if (opening->excluded == NULL || opening->job_id == NULL)
        return false;
    if (bytes > 0)
        memcpy(opening->excluded, changes->excluded, bytes);
    return true;
}

bool openings_resume(struct openings *openings,
                     const struct requester *requester, const char *job_id,
                     const struct resumption *changes, struct err *err)
{
    struct opening *opening = new_opening(openings, requester, err);

    if (opening == NULL)
        return false;
    opening->chore.after = store_last_put(openings->engine->store);
    if (copy_changes(opening, job_id, changes))
        return begin_reading(opening, err);
    err_nomem(err, "a job");
    free_opening(opening);
    return false;
}
