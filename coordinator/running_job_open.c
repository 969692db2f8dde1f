// Making and ending a running job: reading the job, its history, starting its
// thread.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/running_job.h"
#include "coordinator/running_job_wait.h"
#include "search/conduct.h"
#include "search/optimizers/optimizer.h"
#include "search/session/session_thread.h"
#include "store/history.h"

// --- the job ---

// Every row of --data is what eval scores.
static bool split_whole(const struct dataset *dataset, struct split *out,
                        struct err *err)
{
    out->rows[SHARE_TEST] = calloc(dataset->n + 1, sizeof(size_t));
    if (out->rows[SHARE_TEST] == NULL) {
        err_nomem(err, "the examples");
        return false;
    }
    for (size_t i = 0; i < dataset->n; i++)
        out->rows[SHARE_TEST][i] = i;
    out->n[SHARE_TEST] = dataset->n;
    return true;
}

static bool load_data(struct running_job *running, struct diags *diags,
                      struct err *err)
{
    const char *data = running->request->data;

    running->dataset =
        data == NULL ? dataset_load(running->job, running->bundle, diags)
                     : dataset_file(running->job, running->bundle, data, diags);
    if (running->dataset == NULL)
        return false;
    if (data != NULL)
        return split_whole(running->dataset, &running->split, err);
    return split_make(running->job, running->dataset, &running->split, diags);
}

static bool make_plan(struct running_job *running, struct err *err)
{
    const struct program *program = running->job->program;
    bool *reads = calloc(program->n_outputs + 1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "a plan");
        return false;
    }
    metric_reads(running->job->metric, reads);
    if (running->request->all_steps)
        plan_all(program, &running->plan);
    else
        plan_make(program, reads, &running->plan);
    free(reads);
    return true;
}

static bool load_job(struct running_job *running, struct diags *diags,
                     struct err *err)
{
    const struct request *request = running->request;

    running->job =
        job_load_checked(running->bundle, request->overrides,
                         request->n_overrides, optimizer_check, diags);
    if (running->job == NULL)
        return false;
    running->params = optimizer_params(running->job, &running->optimizer,
                                       &running->job->arena, diags);
    if (!load_data(running, diags, err) || running->params == NULL ||
        !make_plan(running, err))
        return false;
    running->id = job_id(running->job, running->bundle, request->simulated);
    running->excluded =
        calloc(running->dataset->n + 1, sizeof *running->excluded);
    if (running->id == NULL || running->excluded == NULL) {
        err_nomem(err, "a job");
        return false;
    }
    return true;
}

// --- its history ---

static bool open_history_job(struct running_job *running, const char *canonical,
                             bool *created, struct err *err)
{
    struct history_job row = {
        .name = running->job->name,
        .path = running->job->path,
        .canonical = canonical,
        .data_hash = "",
        .seed = running->job->seed,
        .replay_version = REPLAY_VERSION,
        .simulated = running->request->simulated,
    };
    char id[320];

    // An evaluation has a history of its own, so that it cannot be taken for
    // a run.
    text_print(id, sizeof id, "%.300s%s", running->id,
               running->request->action == REQUEST_EVAL ? "-eval" : "");
    row.id = id;
    running->work.job_no =
        history_open_job(running->engine->store, &row, created, err);
    return running->work.job_no != 0;
}

// The dotted names of what differs, as far as they fit.
static void list_differences(const json_t *a, const json_t *b, const char *path,
                             struct buf *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)b, key, value)
    {
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

// Says what differs from the last job of that name, when this one is new.
static void tell_difference(struct running_job *running,
                            const json_t *canonical)
{
    struct err err = ERR_CLEAR;
    char *text = history_previous(running->engine->store, running->job->name,
                                  running->work.job_no, &err);
    struct buf list = BUF_INIT(160);
    json_t *previous =
        text == NULL ? NULL : json_parse(text, strlen(text), 16 << 20, &err);

    if (previous != NULL) {
        list_differences(previous, canonical, "", &list);
        text_print(running->note, sizeof running->note,
                   "a new job; it differs from the last `%.40s` in: %.90s",
                   running->job->name, list.len == 0 ? "its data" : list.data);
    }
    buf_release(&list);
    json_decref(previous);
    free(text);
}

static void exclude_row(void *user, int32_t row, const char *text)
{
    struct running_job *running = user;

    (void)text;
    if (row >= 0 && (size_t)row < running->dataset->n)
        running->excluded[row] = true;
}

static bool freeze_split(struct running_job *running, struct err *err)
{
    for (int s = 0; s < SHARE_COUNT; s++)
        if (!history_split(running->engine->store, running->work.job_no,
                           share_names[s], running->split.rows[s],
                           running->split.n[s], err))
            return false;
    return true;
}

// Keeps what was submitted, so that the job can be resumed by its id.
static bool keep_submission(struct running_job *running, struct err *err)
{
    const struct bundle *bundle = running->bundle;
    struct history_file *files = calloc(bundle->n_files + 1, sizeof *files);
    struct buf options = BUF_INIT(1 << 20);
    struct history_submission submission = {
        .folder = bundle->folder == NULL ? "" : bundle->folder,
        .files = files,
        .n_files = bundle->n_files};
    bool ok = false;

    for (size_t i = 0; files != NULL && i < bundle->n_files; i++)
        files[i] = (struct history_file){.name = bundle->files[i].name,
                                         .data = bundle->files[i].data,
                                         .len = bundle->files[i].len};
    if (files == NULL) {
        err_nomem(err, "a job's files");
    } else if (request_write(running->request, &options, err)) {
        submission.options = options.data;
        ok = history_put_submission(running->engine->store,
                                    running->work.job_no, &submission, err);
    }
    buf_release(&options);
    free(files);
    return ok;
}

static bool open_history(struct running_job *running, struct err *err)
{
    struct store *store = running->engine->store;
    json_t *canonical = job_canonical(running->job);
    char *text = canonical == NULL ? NULL : json_text(canonical);
    int64_t ignored = 0;
    bool created = false;
    bool ok = false;

    if (text == NULL) {
        err_nomem(err, "a job");
        goto out;
    }
    if (!open_history_job(running, text, &created, err) ||
        !history_load_job(store, running->work.job_no, err) ||
        !history_load_time(store, running->work.job_no,
                           &running->wall_before_ms, &ignored, err) ||
        !history_events(store, running->work.job_no, "exclude", exclude_row,
                        running, err))
        goto out;
    if (running->request->action == REQUEST_RUN && !freeze_split(running, err))
        goto out;
    if (created && running->request->action == REQUEST_RUN)
        tell_difference(running, canonical);
    if (running->request->action == REQUEST_RUN &&
        !keep_submission(running, err))
        goto out;
    ok = history_job_state(store, running->work.job_no, "running", "", -1, NULL,
                           err);

out:
    json_decref(canonical);
    free(text);
    return ok;
}

// --- its thread ---

static void *open_pair(struct running_job *running, char *endpoint, size_t size,
                       struct err *err)
{
    void *pair = zmq_socket(running->engine->zmq, ZMQ_PAIR);

    snprintf(endpoint, size, "inproc://running-%" PRId32, running->work.number);
    if (pair != NULL &&
        zmq_setsockopt(pair, ZMQ_SNDHWM, &(int){0}, sizeof(int)) == 0 &&
        zmq_setsockopt(pair, ZMQ_RCVHWM, &(int){0}, sizeof(int)) == 0 &&
        zmq_bind(pair, endpoint) == 0)
        return pair;
    err_set(err, ERR_IO, "cannot open a socket for the job: %s",
            zmq_strerror(zmq_errno()));
    if (pair != NULL)
        zmq_close(pair);
    return NULL;
}

static bool start_session(struct running_job *running, struct err *err)
{
    char endpoint[64];
    struct session_setup setup = {
        .zmq = running->engine->zmq,
        .endpoint = endpoint,
        .request = running->request,
        .bundle = running->bundle,
        .job = running->job,
        .dataset = running->dataset,
        .split = &running->split,
        .plan = &running->plan,
        .job_id = running->id,
        .optimizer = running->optimizer,
        .params = running->params,
        .stored_trials =
            history_trial_count(running->engine->store, running->work.job_no),
        .wall_before_ms = running->wall_before_ms,
        .models = &running->facts,
        .conduct = conduct,
    };

    running->pair = open_pair(running, endpoint, sizeof endpoint, err);
    if (running->pair == NULL)
        return false;
    running->session = session_start(&setup, err);
    return running->session != NULL;
}

struct running_job *running_job_open(struct engine *engine,
                                     struct request *request,
                                     struct bundle *bundle, int32_t number,
                                     int64_t now, struct diags *diags,
                                     struct err *err)
{
    struct running_job *running = calloc(1, sizeof *running);

    if (running == NULL) {
        request_free(request);
        bundle_free(bundle);
        err_nomem(err, "a job");
        return NULL;
    }
    running->engine = engine;
    running->request = request;
    running->bundle = bundle;
    running->work.number = number;
    running->last_task = &running->tasks;
    running->last_finished = &running->finished;
    running->started_ms = now;
    running->work.engine = engine;
    running->work.answered_ms = running->waiting_ms = -1;
    running->progress.best = running->progress.baseline = -1;
    running->progress.left_ms = -1;
    if (load_job(running, diags, err)) {
        running->work.id = running->id;
        running->work.job = running->job;
        running->work.dataset = running->dataset;
        running->work.excluded = running->excluded;
        return running;
    }
    running_job_free(running);
    return NULL;
}

static bool start_programs(struct running_job *running, struct err *err)
{
    return job_programs_start(running->job, running->bundle,
                              running->engine->allow_exec,
                              &running->work.programs, err);
}

bool running_job_begin(struct running_job *running, struct err *err)
{
    return open_history(running, err) &&
           running_job_bind_pinned(running, err) &&
           start_programs(running, err) && start_session(running, err);
}

static void free_ending(struct ending *ending)
{
    if (ending == NULL)
        return;
    json_decref(ending->document);
    free(ending->compiled);
    free(ending);
}

void running_job_free(struct running_job *running)
{
    if (running == NULL)
        return;
    session_join(running->session);
    if (running->pair != NULL)
        zmq_close(running->pair);
    job_programs_stop(running->work.programs);
    if (running->work.job_no != 0)
        history_unload_job(running->engine->store, running->work.job_no);
    free_ending(running->ending);
    for (int r = 0; r < ROLE_COUNT; r++)
        free(running->work.models[r].digest);
    free(running->excluded);
    free(running->id);
    split_release(&running->split);
    dataset_free(running->dataset);
    job_free(running->job);
    bundle_free(running->bundle);
    request_free(running->request);
    free(running);
}
