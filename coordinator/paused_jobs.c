#include "coordinator/paused_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "coordinator/job_work.h"

enum {
    LOOK_MS = 250,   // between two looks at the workers
    LATER_MS = 5000, // after a try for which there was no room
};

// A worker as it was when a job paused.
struct tried_worker {
    int32_t number;
    int32_t changes;
};

struct paused_job {
    struct paused_job *next;
    int64_t job_no;
    int64_t again_ms; // try not before; -1: it has begun
    int tries;        // in a row, without an answer
    enum awaits awaits;
    struct tried_worker *tried; // ascending; owned
    size_t n_tried;
    char id[];
};

static void free_job(struct paused_job *job)
{
    free(job->tried);
    free(job);
}

void paused_jobs_release(struct paused_jobs *paused)
{
    while (paused->first != NULL) {
        struct paused_job *next = paused->first->next;

        free_job(paused->first);
        paused->first = next;
    }
}

static struct paused_job **find(struct paused_jobs *paused, const char *id)
{
    struct paused_job **at = &paused->first;

    while (*at != NULL && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

static struct paused_job *make(struct paused_jobs *paused, const char *id,
                               int64_t job_no)
{
    size_t len = strlen(id);
    struct paused_job *job = calloc(1, sizeof *job + len + 1);

    if (job == NULL)
        return NULL;
    memcpy(job->id, id, len);
    job->job_no = job_no;
    job->next = paused->first;
    paused->first = job;
    return job;
}

static void forget_oldest(struct paused_jobs *paused)
{
    struct paused_job **at = &paused->first;

    for (int n = 0; *at != NULL && n < PAUSED_MOST; n++)
        at = &(*at)->next;
    while (*at != NULL) {
        struct paused_job *next = (*at)->next;

        free_job(*at);
        *at = next;
    }
}

// Returns true if the worker has a model that the job asks. A job that has not
// found its models yet may find them there.
static bool may_serve(const struct job_work *work,
                      const struct worker_info *worker)
{
    bool bound = false;

    for (int r = 0; r < ROLE_COUNT; r++) {
        const struct job_model_pin *model = &work->models[r];

        if (!model->bound)
            continue;
        bound = true;
        if (worker_fits(worker, &work->engine->models.entries[model->number],
                        NULL, 0))
            return true;
    }
    return !bound;
}

// Returns true if the worker gets calls normally, so that the job has tried it.
// The faults of a resting worker said nothing about the calls, a silent worker
// was not asked, and neither was one that joined just before the job paused.
static bool was_tried(const struct job_work *work,
                      const struct worker_info *worker)
{
    struct dispatch_worker_view view;

    return dispatch_worker_look(work->engine->dispatch, worker->number,
                                &view) &&
           view.state == DISPATCH_WORKER_SERVING &&
           (worker->asked || !may_serve(work, worker));
}

static bool note_tried(struct paused_job *job, const struct job_work *work)
{
    const struct engine *engine = work->engine;

    free(job->tried);
    job->n_tried = 0;
    job->tried = calloc(engine->workers.n + 1, sizeof *job->tried);
    if (job->tried == NULL)
        return false;
    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next)
        if (was_tried(work, w))
            job->tried[job->n_tried++] =
                (struct tried_worker){w->number, w->changes};
    return true;
}

static int64_t patience(int tries)
{
    int64_t wait = PAUSED_AGAIN_MS;

    for (int i = 0; i < tries && wait < PAUSED_AGAIN_MAX_MS; i++)
        wait *= 2;
    return wait < PAUSED_AGAIN_MAX_MS ? wait : PAUSED_AGAIN_MAX_MS;
}

static void warn_not_watched(const char *id)
{
    log_warn("job-not-watched",
             "%s: out of memory, so only `resume` will continue it", id);
}

void paused_jobs_add(struct paused_jobs *paused, const struct job_work *work,
                     enum awaits awaits, int64_t now)
{
    struct paused_job *job = *find(paused, work->id);

    if (job == NULL)
        job = make(paused, work->id, work->job_no);
    else
        job->tries = job_work_total_paid(work) > 0 ? 0 : job->tries + 1;
    if (job == NULL || !note_tried(job, work)) {
        warn_not_watched(work->id);
        (void)paused_jobs_forget(paused, work->id);
        return;
    }
    job->awaits = awaits;
    job->again_ms = now + patience(job->tries);
    forget_oldest(paused);
}

void paused_jobs_add_left(struct paused_jobs *paused,
                          const struct paused_view *wanted, int64_t now)
{
    struct paused_job *job = *find(paused, wanted->id);

    if (job != NULL)
        return;
    job = make(paused, wanted->id, wanted->job_no);
    if (job == NULL) {
        warn_not_watched(wanted->id);
        return;
    }
    job->awaits = wanted->awaits;
    job->again_ms = now + patience(0);
    forget_oldest(paused);
}

void paused_jobs_begun(struct paused_jobs *paused, const char *id)
{
    struct paused_job *job = *find(paused, id);

    if (job != NULL)
        job->again_ms = -1;
}

int64_t paused_jobs_forget(struct paused_jobs *paused, const char *id)
{
    struct paused_job **at = find(paused, id);
    struct paused_job *job = *at;
    int64_t job_no;

    if (job == NULL)
        return 0;
    job_no = job->again_ms < 0 ? 0 : job->job_no;
    *at = job->next;
    free_job(job);
    return job_no;
}

// Both lists are in the order in which the workers joined.
static bool has_new_worker(const struct engine *engine,
                           const struct paused_job *job)
{
    size_t at = 0;

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next) {
        struct dispatch_worker_view view;

        while (at < job->n_tried && job->tried[at].number < w->number)
            at++;
        if (at < job->n_tried && job->tried[at].number == w->number &&
            job->tried[at].changes == w->changes)
            continue;
        if (dispatch_worker_look(engine->dispatch, w->number, &view) &&
            (view.state == DISPATCH_WORKER_SERVING ||
             view.state == DISPATCH_WORKER_RESTING))
            return true;
    }
    return false;
}

bool paused_jobs_due(struct paused_jobs *paused, const struct engine *engine,
                     int64_t now, struct paused_view *out)
{
    if (paused->first == NULL || now - paused->look_ms < LOOK_MS)
        return false;
    for (struct paused_job *job = paused->first; job != NULL; job = job->next) {
        if (job->again_ms < 0 || job->again_ms > now ||
            (job->awaits == AWAITS_WORKER && !has_new_worker(engine, job)))
            continue;
        job->again_ms = -1;
        *out = (struct paused_view){
            .id = job->id, .job_no = job->job_no, .awaits = job->awaits};
        return true;
    }
    paused->look_ms = now;
    return false;
}

void paused_jobs_postpone(struct paused_jobs *paused, const char *id,
                          int64_t job_no, int64_t now)
{
    struct paused_job *job = *find(paused, id);

    if (job == NULL)
        job = make(paused, id, job_no);
    if (job == NULL) {
        warn_not_watched(id);
        return;
    }
    job->again_ms = now + LATER_MS;
    forget_oldest(paused);
}
