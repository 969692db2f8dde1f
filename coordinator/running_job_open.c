// running_job_open: the beginning and the end of a running job.
//
// It reads the job, starts its thread, and frees it. What its history says is
// read in between (running_job_past.c).

#include <stdlib.h>

#include <zmq.h>

#include "coordinator/answerers/programs.h"
#include "coordinator/background.h"
#include "coordinator/flight.h"
#include "coordinator/prompt_prefixes.h"
#include "coordinator/running_job_excluded.h"
#include "coordinator/running_job_models.h"
#include "coordinator/running_job_result.h"
#include "coordinator/running_job_state.h"
#include "program/run/question_cache.h"
#include "retrieve/nearest.h"
#include "retrieve/retrieval.h"
#include "search/conduct.h"
#include "search/optimizers/optimizer.h"
#include "search/session/session_thread.h"
#include "store/history.h"
#include "wire/inproc.h"

// --- the job ---

// Lists what has to be embedded before the first trial. A compiled file that is
// only scored may choose any value of a tunable, like any candidate.
static bool list_texts(struct running_job *running, struct err *err)
{
    const struct job *job = running->spec.job;

    if (!job_embeds(job))
        return true;
    running->work.vectors = vectors_new(err);
    if (running->work.vectors == NULL)
        return false;
    running->texts = retrieval_texts(running->work.retrieval, job->program,
                                     NULL, &job->tunables, err);
    return running->texts != NULL;
}

static bool load_job(struct running_job *running, struct diags *diags,
                     struct err *err)
{
    struct job_spec *spec = &running->spec;

    return job_spec_load(spec, diags, err) &&
           retrieval_open(spec->job->program, spec->bundle,
                          &running->work.retrieval, err) &&
           list_texts(running, err) && job_spec_identify(spec, err);
}

// --- the job's thread ---

static void *open_pair(struct running_job *running,
                       char endpoint[static INPROC_NAME_BYTES], struct err *err)
{
    void *pair = zmq_socket(running->engine->zmq, ZMQ_PAIR);

    inproc_name(endpoint, "running");
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
    char endpoint[INPROC_NAME_BYTES];
    struct session_setup setup = {
        .zmq = running->engine->zmq,
        .endpoint = endpoint,
        .request = running->spec.request,
        .bundle = running->spec.bundle,
        .job = running->spec.job,
        .dataset = running->spec.dataset,
        .split = &running->spec.split,
        .plan = &running->spec.plan,
        .job_id = running->spec.id,
        .optimizer = running->spec.optimizer,
        .params = running->spec.params,
        .models = &running->facts,
        .texts = running->texts,
        .conduct = conduct_job,
    };

    running->pair = open_pair(running, endpoint, err);
    if (running->pair == NULL)
        return false;
    running->session = session_start(&setup, err);
    return running->session != NULL;
}

static void free_running(struct running_job *running);

struct running_job *running_job_open(struct engine *engine,
                                     struct request *request,
                                     struct bundle *bundle, struct diags *diags,
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
    running->spec.request = request;
    running->spec.bundle = bundle;
    task_list_init(&running->tasks);
    task_list_init(&running->finished);
    running->work.engine = engine;
    running->work.answered_ms = running->wait.since_ms = -1;
    running->view.progress.best = running->view.progress.baseline = -1;
    if (load_job(running, diags, err)) {
        running->work.id = running->spec.id;
        running->work.priority = running->spec.request->priority;
        running->work.job = running->spec.job;
        running->work.dataset = running->spec.dataset;
        return running;
    }
    free_running(running);
    return NULL;
}

void running_job_set_number(struct running_job *running, int32_t number)
{
    running->work.number = number;
}

void running_job_reserve_number(struct running_job *running)
{
    running->past.reserved_no = history_reserve_job(running->engine->store);
}

// Hands the loop what the background thread has drafted.
static bool adopt_past(struct running_job *running, struct err *err)
{
    struct store *store = running->engine->store;

    if (!store_put_draft(store, running->past.draft, err))
        return false;
    history_adopt_job(store, running->past.index);
    running->past.index = NULL;
    running->past.adopted = true;
    return true;
}

static bool limit_workers(struct running_job *running, struct err *err)
{
    int32_t most = running->spec.request->max_workers;

    return most == 0 || dispatch_set_limit(running->engine->dispatch,
                                           running->work.number, most, err);
}

bool running_job_begin(struct running_job *running, int64_t now,
                       struct err *err)
{
    running->started_ms = now;
    if (adopt_past(running, err) && running_job_bind_pinned(running, err) &&
        limit_workers(running, err) && running_job_put_excluded(running, err) &&
        start_session(running, err))
        return true;
    if (running->past.adopted)
        history_job_state(running->engine->store, running->work.job_no,
                          &(struct history_job_state){.state = JOB_FAILED,
                                                      .reason = err->text,
                                                      .score = -1},
                          NULL);
    return false;
}

// --- the end ---

static void free_ending(struct ending *ending)
{
    if (ending == NULL)
        return;
    json_decref(ending->document);
    free(ending->compiled);
    free(ending);
}

static void free_past(struct running_job_past *past)
{
    history_free_index(past->index);
    store_draft_free(past->draft);
    for (int r = 0; r < ROLE_COUNT; r++)
        free(past->digests[r]);
    free(past->excluded);
}

// Frees everything that belongs to the job. Call from any thread, once the loop
// has let go of the job.
static void free_running(struct running_job *running)
{
    session_join(running->session);
    job_programs_stop(running->work.programs);
    retrieval_close(running->work.retrieval);
    vectors_free(running->work.vectors);
    json_decref(running->texts);
    nearest_free(running->work.nearest);
    free_past(&running->past);
    free_ending(running->end.ending);
    running_job_result_release(&running->end.result);
    for (int r = 0; r < ROLE_COUNT; r++)
        free(running->work.models[r].digest);
    free(running->work.last_calls);
    job_uses_release(&running->work.uses);
    job_spec_release(&running->spec);
    free(running);
}

struct leaving {
    struct chore chore; // first
    struct running_job *running;
};

static void free_leaving(struct chore *chore, struct store *reader,
                         const struct err *trouble)
{
    (void)reader;
    (void)trouble;
    free_running(((struct leaving *)(void *)chore)->running);
}

static void forget_leaving(struct chore *chore)
{
    free(chore);
}

// Releases what calls of other jobs may share: only the loop may count these
// references.
static void release_prompts(struct running_job *running)
{
    question_cache_free(running->work.questions);
    running->work.questions = NULL;
    prompt_prefixes_release(&running->work);
}

void running_job_discard(struct running_job *running)
{
    struct leaving *leaving;

    if (running == NULL)
        return;
    if (running->pair != NULL)
        zmq_close(running->pair);
    if (running->past.adopted)
        history_unload_job(running->engine->store, running->work.job_no);
    release_prompts(running);
    running_job_unbind(running);
    (void)dispatch_set_limit(running->engine->dispatch, running->work.number, 0,
                             NULL);
    leaving = calloc(1, sizeof *leaving);
    if (leaving == NULL) {
        free_running(running);
        return;
    }
    *leaving = (struct leaving){
        .chore = {.work = free_leaving, .done = forget_leaving, .own = true},
        .running = running};
    (void)background_give(running->engine->job_chores, &leaving->chore, NULL);
}
