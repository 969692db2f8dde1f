#include "coordinator/opening_read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/opening_state.h"
#include "store/history.h"

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
    const struct job_share *share = &opening->changes.share;
    struct err *err = &opening->err;
    struct request *request =
        request_read(submit->action, submit->options, err);
    struct bundle *bundle =
        request == NULL ? NULL : unpack(opening->all->engine, submit, err);
    struct diags *diags = diags_new(err);

    arena_release(&opening->arena);
    if (request != NULL && share->priority > 0)
        request->priority = share->priority;
    if (request != NULL && share->max_workers > 0)
        request->max_workers = share->max_workers;
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

void opening_read(struct chore *chore, struct store *reader,
                  const struct err *trouble)
{
    struct opening *opening = opening_of(chore);
    struct resumption *changes = &opening->changes;
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
    running_job_exclude(opening->running, changes->excluded,
                        changes->n_excluded);
    changes->excluded = NULL;
}

void opening_look_up(struct chore *chore, struct store *reader,
                     const struct err *trouble)
{
    struct opening *opening = opening_of(chore);

    if (reader == NULL)
        opening->err = *trouble;
    else
        (void)running_job_look_up(opening->running, reader, &opening->err);
}
