// Making and ending a desk: reading the job, its history, starting its thread.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "coordinator/conduct.h"
#include "coordinator/desk.h"
#include "coordinator/desk_exec.h"
#include "coordinator/desk_wait.h"
#include "coordinator/optimizer.h"
#include "coordinator/session_thread.h"
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

static bool load_data(struct desk *desk, struct diags *diags, struct err *err)
{
    const char *data = desk->request->data;

    desk->dataset = data == NULL
                        ? dataset_load(desk->job, desk->bundle, diags)
                        : dataset_file(desk->job, desk->bundle, data, diags);
    if (desk->dataset == NULL)
        return false;
    if (data != NULL)
        return split_whole(desk->dataset, &desk->split, err);
    return split_make(desk->job, desk->dataset, &desk->split, diags);
}

static bool make_plan(struct desk *desk, struct err *err)
{
    const struct program *program = desk->job->program;
    bool *reads = calloc(program->n_outputs + 1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "a plan");
        return false;
    }
    metric_reads(desk->job->metric, reads);
    if (desk->request->all_steps)
        plan_all(program, &desk->plan);
    else
        plan_make(program, reads, &desk->plan);
    free(reads);
    return true;
}

static bool load_job(struct desk *desk, struct diags *diags, struct err *err)
{
    const struct request *request = desk->request;

    desk->job = job_load_checked(desk->bundle, request->overrides,
                                 request->n_overrides, optimizer_check, diags);
    if (desk->job == NULL)
        return false;
    desk->params =
        optimizer_params(desk->job, &desk->optimizer, &desk->job->arena, diags);
    if (!load_data(desk, diags, err) || desk->params == NULL ||
        !make_plan(desk, err))
        return false;
    desk->id = job_id(desk->job, desk->bundle, request->simulated);
    desk->excluded = calloc(desk->dataset->n + 1, sizeof *desk->excluded);
    if (desk->id == NULL || desk->excluded == NULL) {
        err_nomem(err, "a job");
        return false;
    }
    return true;
}

// --- its history ---

static bool open_history_job(struct desk *desk, const char *canonical,
                             bool *created, struct err *err)
{
    struct history_job row = {
        .name = desk->job->name,
        .path = desk->job->path,
        .canonical = canonical,
        .data_hash = "",
        .seed = desk->job->seed,
        .replay_version = REPLAY_VERSION,
        .simulated = desk->request->simulated,
    };
    char id[320];

    // An evaluation has a history of its own, so that it cannot be taken for
    // a run.
    snprintf(id, sizeof id, "%.300s%s", desk->id,
             desk->request->action == REQUEST_EVAL ? "-eval" : "");
    row.id = id;
    desk->job_no = history_open_job(desk->engine->store, &row, created, err);
    return desk->job_no != 0;
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
        snprintf(name, sizeof name, "%s%s%.60s", path,
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
static void tell_difference(struct desk *desk, const json_t *canonical)
{
    struct err err = ERR_CLEAR;
    char *text = history_previous(desk->engine->store, desk->job->name,
                                  desk->job_no, &err);
    struct buf list = BUF_INIT(160);
    json_t *previous =
        text == NULL ? NULL : json_parse(text, strlen(text), 16 << 20, &err);

    if (previous != NULL) {
        list_differences(previous, canonical, "", &list);
        snprintf(desk->note, sizeof desk->note,
                 "a new job; it differs from the last `%.40s` in: %.90s",
                 desk->job->name, list.len == 0 ? "its data" : list.data);
    }
    buf_release(&list);
    json_decref(previous);
    free(text);
}

static void exclude_row(void *user, int32_t row, const char *text)
{
    struct desk *desk = user;

    (void)text;
    if (row >= 0 && (size_t)row < desk->dataset->n)
        desk->excluded[row] = true;
}

static bool freeze_split(struct desk *desk, struct err *err)
{
    for (int s = 0; s < SHARE_COUNT; s++)
        if (!history_split(desk->engine->store, desk->job_no, share_names[s],
                           desk->split.rows[s], desk->split.n[s], err))
            return false;
    return true;
}

// Keeps what was submitted, so that the job can be resumed by its id.
static bool keep_submission(struct desk *desk, struct err *err)
{
    const struct bundle *bundle = desk->bundle;
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
    } else if (request_write(desk->request, &options, err)) {
        submission.options = options.data;
        ok = history_put_submission(desk->engine->store, desk->job_no,
                                    &submission, err);
    }
    buf_release(&options);
    free(files);
    return ok;
}

static bool open_history(struct desk *desk, struct err *err)
{
    struct store *store = desk->engine->store;
    json_t *canonical = job_canonical(desk->job);
    char *text = canonical == NULL ? NULL : json_text(canonical);
    int64_t ignored = 0;
    bool created = false;
    bool ok = false;

    if (text == NULL) {
        err_nomem(err, "a job");
        goto out;
    }
    if (!open_history_job(desk, text, &created, err) ||
        !history_load_job(store, desk->job_no, err) ||
        !history_load_time(store, desk->job_no, &desk->wall_before_ms, &ignored,
                           err) ||
        !history_events(store, desk->job_no, "exclude", exclude_row, desk, err))
        goto out;
    if (desk->request->action == REQUEST_RUN && !freeze_split(desk, err))
        goto out;
    if (created && desk->request->action == REQUEST_RUN)
        tell_difference(desk, canonical);
    if (desk->request->action == REQUEST_RUN && !keep_submission(desk, err))
        goto out;
    ok = history_job_state(store, desk->job_no, "running", "", -1, NULL, err);

out:
    json_decref(canonical);
    free(text);
    return ok;
}

// --- its thread ---

static void *open_pair(struct desk *desk, char *endpoint, size_t size,
                       struct err *err)
{
    void *pair = zmq_socket(desk->engine->zmq, ZMQ_PAIR);

    snprintf(endpoint, size, "inproc://desk-%" PRId32, desk->number);
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

static bool start_session(struct desk *desk, struct err *err)
{
    char endpoint[64];
    struct session_setup setup = {
        .zmq = desk->engine->zmq,
        .endpoint = endpoint,
        .request = desk->request,
        .bundle = desk->bundle,
        .job = desk->job,
        .dataset = desk->dataset,
        .split = &desk->split,
        .plan = &desk->plan,
        .job_id = desk->id,
        .optimizer = desk->optimizer,
        .params = desk->params,
        .stored_trials = history_trial_count(desk->engine->store, desk->job_no),
        .wall_before_ms = desk->wall_before_ms,
        .models = &desk->facts,
        .conduct = conduct,
    };

    desk->pair = open_pair(desk, endpoint, sizeof endpoint, err);
    if (desk->pair == NULL)
        return false;
    desk->session = session_start(&setup, err);
    return desk->session != NULL;
}

struct desk *desk_open(struct engine *engine, struct request *request,
                       struct bundle *bundle, int32_t number, int64_t now,
                       struct diags *diags, struct err *err)
{
    struct desk *desk = calloc(1, sizeof *desk);

    if (desk == NULL) {
        request_free(request);
        bundle_free(bundle);
        err_nomem(err, "a job");
        return NULL;
    }
    desk->engine = engine;
    desk->request = request;
    desk->bundle = bundle;
    desk->number = number;
    desk->last_task = &desk->tasks;
    desk->last_finished = &desk->finished;
    desk->started_ms = now;
    desk->answered_ms = desk->waiting_ms = -1;
    desk->progress.best = desk->progress.baseline = -1;
    desk->progress.left_ms = -1;
    if (load_job(desk, diags, err))
        return desk;
    desk_free(desk);
    return NULL;
}

bool desk_begin(struct desk *desk, struct err *err)
{
    return open_history(desk, err) && desk_bind_pinned(desk, err) &&
           desk_exec_start(desk, err) && start_session(desk, err);
}

static void free_ending(struct ending *ending)
{
    if (ending == NULL)
        return;
    json_decref(ending->document);
    free(ending->compiled);
    free(ending);
}

void desk_free(struct desk *desk)
{
    if (desk == NULL)
        return;
    session_join(desk->session);
    if (desk->pair != NULL)
        zmq_close(desk->pair);
    desk_exec_stop(desk);
    if (desk->job_no != 0)
        history_unload_job(desk->engine->store, desk->job_no);
    free_ending(desk->ending);
    for (int r = 0; r < ROLE_COUNT; r++)
        free(desk->models[r].digest);
    free(desk->excluded);
    free(desk->id);
    split_release(&desk->split);
    dataset_free(desk->dataset);
    job_free(desk->job);
    bundle_free(desk->bundle);
    request_free(desk->request);
    free(desk);
}
