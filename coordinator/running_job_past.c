// running_job_past: the place of a running job in the store, what earlier runs
// of it paid for and decided, and what is kept of it for later ones.
//
// A background thread reads and drafts all of it; the loop puts the draft.

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/job_examples.h"
#include "coordinator/running_job_excluded.h"
#include "coordinator/running_job_result.h"
#include "coordinator/running_job_state.h"
#include "store/history.h"

bool running_job_same_history(const struct running_job *one,
                              const struct running_job *other)
{
    return strcmp(one->spec.history_id, other->spec.history_id) == 0;
}

// Returns the job's number; 0 on failure.
static int64_t open_history_job(const struct job_spec *spec,
                                struct store *reader, const char *canonical,
                                bool *created, struct err *err)
{
    const struct history_job row = {
        .id = spec->history_id,
        .name = spec->job->name,
        .path = spec->job->path,
        .canonical = canonical,
        .seed = spec->job->seed,
        .replay_version = REPLAY_VERSION,
        .simulated = spec->request->simulated,
    };

    return history_open_job(reader, &row, created, err);
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
static void tell_difference(const struct job_spec *spec, struct store *reader,
                            int64_t job_no, const json_t *canonical,
                            struct running_job_past *past)
{
    struct err err = ERR_CLEAR;
    int64_t version = REPLAY_VERSION;
    char *twin = job_id(spec->job, spec->bundle, !spec->request->simulated);
    char *text = twin == NULL ? NULL
                              : history_previous(reader, spec->job->name,
                                                 job_no, twin, &version, &err);
    struct buf list = BUF_INIT(160);
    json_t *previous =
        text == NULL ? NULL : json_parse(text, strlen(text), 16 << 20, &err);

    if (previous != NULL) {
        if (version != REPLAY_VERSION)
            buf_puts(&list, "the version of promptcc");
        list_differences(previous, canonical, "", &list);
        text_print(past->changes, sizeof past->changes,
                   "a new job: since the last `%.40s` this has changed: %.90s",
                   spec->job->name,
                   list.len == 0 ? "what its files hold (data, programs)"
                                 : list.data);
    }
    buf_release(&list);
    json_decref(previous);
    free(text);
    free(twin);
}

static bool freeze_split(const struct split *split, struct store *reader,
                         int64_t job_no, struct err *err)
{
    for (int s = 0; s < SHARE_COUNT; s++)
        if (!history_split(reader, job_no, share_names[s], split->rows[s],
                           split->n[s], err))
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
static bool keep_submission(const struct job_spec *spec, struct store *reader,
                            int64_t job_no, struct err *err)
{
    const struct bundle *bundle = spec->bundle;
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
    } else if (request_write(spec->request, &options, err)) {
        submission.options = options.data;
        ok = history_put_submission(reader, job_no, &submission, err);
    }
    buf_release(&options);
    free(folder);
    free(files);
    return ok;
}

static bool read_digests(struct running_job_past *past, struct store *reader,
                         int64_t job_no, struct err *err)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        past->digests[r] = history_model(reader, job_no, role_names[r], err);
        if (past->digests[r] == NULL)
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
    struct running_job_past *past = &running->past;
    int64_t job_no = running->work.job_no;

    running_job_sum(running, reader);
    for (int i = 0; i < BILL_COUNT; i++) {
        const struct history_cost *cost = &running->bill.costs[i];

        running->work.paid_before += cost->calls;
        running->work.prompt_before += cost->prompt_tokens;
        running->work.generated_before += cost->generated_tokens;
    }
    running->work.exec_before = running->bill.costs[BILL_EXEC].calls;
    past->index = history_read_job(reader, job_no, err);
    return past->index != NULL &&
           history_load_time(reader, job_no, &past->wall_ms, err) &&
           running_job_read_excluded(running, reader, err) &&
           history_events(reader, job_no, "state", note_done, &past->was_done,
                          err) &&
           read_digests(past, reader, job_no, err);
}

static bool start_programs(struct running_job *running, struct err *err)
{
    return job_programs_start(running->spec.job, running->spec.bundle,
                              running->engine->allow_exec,
                              &running->work.programs, err);
}

// Drops the text of the data files: the rows have been read, hashed and stored,
// and unpacked where the user's programs may want them. Nobody asks for that
// text again.
static void drop_data(struct job_spec *spec)
{
    const struct job_data *data = &spec->job->data;
    const char *const names[] = {data->examples, data->train, data->val,
                                 data->test, spec->request->data};
    const char *const kept[] = {spec->job->from, spec->request->compiled};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool wanted = false;

        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            wanted = wanted || (names[i] != NULL && kept[k] != NULL &&
                                strcmp(names[i], kept[k]) == 0);
        if (names[i] != NULL && !wanted)
            bundle_drop(spec->bundle, names[i]);
    }
}

// Keeps what only a run has: later sessions continue it, with the same split.
static bool keep_run(struct running_job *running, struct store *reader,
                     struct err *err)
{
    const struct job_spec *spec = &running->spec;
    int64_t job_no = running->work.job_no;

    return spec->request->action != REQUEST_RUN ||
           (freeze_split(&spec->split, reader, job_no, err) &&
            keep_submission(spec, reader, job_no, err));
}

static bool put_as_running(const struct running_job *running,
                           struct store *reader, struct err *err)
{
    const struct history_job_state state = {.state = JOB_RUNNING, .score = -1};

    return running->engine->read_only ||
           history_job_state(reader, running->work.job_no, &state, err);
}

static bool look_up(struct running_job *running, struct store *reader,
                    struct err *err)
{
    struct job_spec *spec = &running->spec;
    struct job_work *work = &running->work;
    json_t *canonical = job_canonical(spec->job);
    char *text = canonical == NULL ? NULL : json_text(canonical);
    bool created = false;
    bool ok = false;

    if (text == NULL) {
        err_nomem(err, "a job");
        goto out;
    }
    work->job_no = open_history_job(spec, reader, text, &created, err);
    if (work->job_no == 0 || !read_past(running, reader, err) ||
        !keep_run(running, reader, err))
        goto out;
    if (created && spec->request->action == REQUEST_RUN)
        tell_difference(spec, reader, work->job_no, canonical, &running->past);
    if (!start_programs(running, err))
        goto out;
    drop_data(spec);
    ok = job_examples_keep(spec, reader, work->job_no, err) &&
         put_as_running(running, reader, err);

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
