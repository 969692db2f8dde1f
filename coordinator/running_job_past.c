// running_job_past: the place of a running job in the store, what earlier runs
// of it paid for and decided, and what is kept of it for later ones.
//
// A background thread reads and drafts all of it; the loop puts the draft.

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/running_job_examples.h"
#include "coordinator/running_job_excluded.h"
#include "coordinator/running_job_result.h"
#include "coordinator/running_job_state.h"
#include "store/history.h"

bool running_job_same_history(const struct running_job *one,
                              const struct running_job *other)
{
    return strcmp(one->history_id, other->history_id) == 0;
}

static bool open_history_job(struct running_job *running, struct store *reader,
                             const char *canonical, bool *created,
                             struct err *err)
{
    struct history_job row = {
        .name = running->job->name,
        .path = running->job->path,
        .canonical = canonical,
        .seed = running->job->seed,
        .replay_version = REPLAY_VERSION,
        .simulated = running->request->simulated,
    };
    row.id = running->history_id;
    running->work.job_no = history_open_job(reader, &row, created, err);
    return running->work.job_no != 0;
}

// Lists the dotted names of what differs, as far as they fit.
static void list_differences(const json_t *a, const json_t *b, const char *path,
                             struct buf *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)b, key, value) {
        const json_t *other = json_object_get(a, key);
        char name[128];

        if (other != NULL && json_equal(other, value))
            continue;
        text_print(name, sizeof name, "%s%s%.60s", path,
                   path[0] == '\0' ? "" : ".", key);
        if (json_is_object(value) && json_is_object(other)) {
            list_differences(other, value, name, out);
            continue;
        }
        if (out->len > 0)
            buf_puts(out, ", ");
        buf_puts(out, name);
    }
}

// Says what differs from the last job of that name, when this one is new. It
// does not count as a change that a model answers now and a simulated server
// did before, or the reverse. Another version of the search makes a new job of
// the same file.
static void tell_difference(struct running_job *running, struct store *reader,
                            const json_t *canonical)
{
    struct err err = ERR_CLEAR;
    int64_t version = REPLAY_VERSION;
    char *twin =
        job_id(running->job, running->bundle, !running->request->simulated);
    char *text = twin == NULL ? NULL
                              : history_previous(reader, running->job->name,
                                                 running->work.job_no, twin,
                                                 &version, &err);
    struct buf list = BUF_INIT(160);
    json_t *previous =
        text == NULL ? NULL : json_parse(text, strlen(text), 16 << 20, &err);

    if (previous != NULL) {
        if (version != REPLAY_VERSION)
            buf_puts(&list, "the version of promptcc");
        list_differences(previous, canonical, "", &list);
        text_print(running->changes, sizeof running->changes,
                   "a new job: since the last `%.40s` this has changed: %.90s",
                   running->job->name,
                   list.len == 0 ? "what its files hold (data, programs)"
                                 : list.data);
    }
    buf_release(&list);
    json_decref(previous);
    free(text);
    free(twin);
}

static bool freeze_split(struct running_job *running, struct store *reader,
                         struct err *err)
{
    for (int s = 0; s < SHARE_COUNT; s++)
        if (!history_split(reader, running->work.job_no, share_names[s],
                           running->split.rows[s], running->split.n[s], err))
            return false;
    return true;
}

// Returns the job's folder as an absolute path, because the job may be resumed
// from another folder. The caller frees the result; NULL when out of memory.
static char *folder_from_root(const struct bundle *bundle)
{
    char *folder =
        bundle->folder == NULL ? NULL : realpath(bundle->folder, NULL);

    if (folder != NULL)
        return folder;
    return strdup(bundle->folder == NULL ? "" : bundle->folder);
}

// Keeps what was submitted, so that the job can be resumed by its id.
static bool keep_submission(struct running_job *running, struct store *reader,
                            struct err *err)
{
    const struct bundle *bundle = running->bundle;
    struct history_file *files = calloc(bundle->n_files + 1, sizeof *files);
    struct buf options = BUF_INIT(1 << 20);
    char *folder = folder_from_root(bundle);
    struct history_submission submission = {
        .folder = folder, .files = files, .n_files = bundle->n_files};
    bool ok = false;

    for (size_t i = 0; files != NULL && i < bundle->n_files; i++)
        files[i] = (struct history_file){.name = bundle->files[i].name,
                                         .data = bundle->files[i].data,
                                         .len = bundle->files[i].len};
    if (files == NULL || folder == NULL) {
        err_nomem(err, "a job's files");
    } else if (request_write(running->request, &options, err)) {
        submission.options = options.data;
        ok = history_put_submission(reader, running->work.job_no, &submission,
                                    err);
    }
    buf_release(&options);
    free(folder);
    free(files);
    return ok;
}

static bool read_digests(struct running_job *running, struct store *reader,
                         struct err *err)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        running->past.digests[r] =
            history_model(reader, running->work.job_no, role_names[r], err);
        if (running->past.digests[r] == NULL)
            return false;
    }
    return true;
}

static void note_done(void *user, int32_t row, int64_t after_call,
                      const char *text)
{
    bool *was_done = user;

    (void)row;
    (void)after_call;
    *was_done = *was_done || strncmp(text, "done", 4) == 0;
}

// Reads what evaluations and runs both need.
static bool read_past(struct running_job *running, struct store *reader,
                      struct err *err)
{
    running_job_sum(running, reader);
    for (int i = 0; i < BILL_COUNT; i++)
        running->work.paid_before += running->costs[i].calls;
    running->work.exec_before = running->costs[BILL_EXEC].calls;
    running->past.index = history_read_job(reader, running->work.job_no, err);
    return running->past.index != NULL &&
           history_load_time(reader, running->work.job_no,
                             &running->wall_before_ms, err) &&
           running_job_read_excluded(running, reader, err) &&
           history_events(reader, running->work.job_no, "state", note_done,
                          &running->past.was_done, err) &&
           read_digests(running, reader, err);
}

static bool start_programs(struct running_job *running, struct err *err)
{
    return job_programs_start(running->job, running->bundle,
                              running->engine->allow_exec,
                              &running->work.programs, err);
}

// Drops the text of the data files: the rows have been read, hashed and stored,
// and unpacked where the user's programs may want them. Nobody asks for that
// text again.
static void drop_data(struct running_job *running)
{
    const struct job_data *data = &running->job->data;
    const char *const names[] = {data->examples, data->train, data->val,
                                 data->test, running->request->data};
    const char *const kept[] = {running->job->from, running->request->compiled};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool wanted = false;

        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            wanted = wanted || (names[i] != NULL && kept[k] != NULL &&
                                strcmp(names[i], kept[k]) == 0);
        if (names[i] != NULL && !wanted)
            bundle_drop(running->bundle, names[i]);
    }
}

static bool look_up(struct running_job *running, struct store *reader,
                    struct err *err)
{
    bool run = running->request->action == REQUEST_RUN;
    json_t *canonical = job_canonical(running->job);
    char *text = canonical == NULL ? NULL : json_text(canonical);
    bool created = false;
    bool ok = false;

    if (text == NULL) {
        err_nomem(err, "a job");
        goto out;
    }
    if (!open_history_job(running, reader, text, &created, err) ||
        !read_past(running, reader, err))
        goto out;
    if (run && !freeze_split(running, reader, err))
        goto out;
    if (run && created)
        tell_difference(running, reader, canonical);
    if (run && !keep_submission(running, reader, err))
        goto out;
    if (!start_programs(running, err))
        goto out;
    drop_data(running);
    if (!running_job_keep_examples(running, reader, err))
        goto out;
    ok = running->engine->read_only ||
         history_job_state(
             reader, running->work.job_no,
             &(struct history_job_state){.state = JOB_RUNNING, .score = -1},
             err);

out:
    json_decref(canonical);
    free(text);
    return ok;
}

bool running_job_look_up(struct running_job *running, struct store *reader,
                         struct err *err)
{
    bool ok = store_draft_begin(reader, running->past.reserved_no, err) &&
              look_up(running, reader, err);

    running->past.draft = store_draft_take(reader);
    return ok;
}
