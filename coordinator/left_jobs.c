#include "coordinator/left_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/background.h"
#include "exec/exec_folder.h"
#include "store/history.h"

enum { SURVEY_AGAIN_MS = 5000 }; // after a survey that could not read the store

struct left_job {
    struct left_job *next;
    int64_t job_no;
    bool whole;
    enum awaits awaits;
    char id[];
};

struct survey {
    struct chore chore; // first
    struct left_jobs *left;
    struct left_job *first, **last; // owned
    bool failed;                    // nothing was read; try again
};

static void note_left(void *user, const struct history_left *left)
{
    struct survey *survey = user;
    size_t len = strlen(left->id);
    struct left_job *job = calloc(1, sizeof *job + len + 1);

    if (job == NULL)
        return;
    job->job_no = left->no;
    job->whole = left->whole;
    job->awaits = awaits_named(left->awaits);
    memcpy(job->id, left->id, len);
    *survey->last = job;
    survey->last = &job->next;
}

static void run_survey(struct chore *chore, struct store *reader,
                       const struct err *trouble)
{
    struct survey *survey = (struct survey *)(void *)chore;
    struct err err = *trouble;
    size_t n = exec_folder_sweep();

    if (n > 0)
        log_info("folders-removed", "%zu of programs whose coordinator died",
                 n);
    if (survey->left->engine->local)
        return;
    survey->failed =
        reader == NULL || !history_unfinished(reader, note_left, survey, &err);
    if (survey->failed)
        log_warn("jobs-not-taken-up", "%s; trying again", err.text);
}

static void free_jobs(struct left_job *first)
{
    while (first != NULL) {
        struct left_job *next = first->next;

        free(first);
        first = next;
    }
}

static void after_survey(struct chore *chore)
{
    struct survey *survey = (struct survey *)(void *)chore;
    struct left_jobs *left = survey->left;

    left->asking = false;
    if (survey->failed) {
        free_jobs(survey->first);
        left->again_ms = clock_monotonic_ms() + SURVEY_AGAIN_MS;
    } else {
        left->first = survey->first;
    }
    free(survey);
}

void left_jobs_survey(struct left_jobs *left)
{
    struct survey *survey = calloc(1, sizeof *survey);

    if (survey == NULL)
        return;
    survey->chore =
        (struct chore){.work = run_survey, .done = after_survey, .own = true};
    survey->left = left;
    survey->last = &survey->first;
    left->asking = true;
    (void)background_give(left->engine->read_chores, &survey->chore, NULL);
}

void left_jobs_tick(struct left_jobs *left, int64_t now)
{
    if (left->again_ms == 0 || now < left->again_ms)
        return;
    left->again_ms = 0;
    left_jobs_survey(left);
}

bool left_jobs_next(struct left_jobs *left, struct left_view *out)
{
    while (left->first != NULL && !left->first->whole) {
        static const struct history_job_state now = {
            .state = JOB_STOPPED,
            .reason = "its coordinator ended before it did",
            .score = -1};

        history_job_state(left->engine->store, left->first->job_no, &now, NULL);
        left_jobs_taken(left);
    }
    if (left->first == NULL)
        return false;
    *out = (struct left_view){left->first->job_no, left->first->id,
                              left->first->awaits};
    return true;
}

void left_jobs_taken(struct left_jobs *left)
{
    struct left_job *job = left->first;

    left->first = job->next;
    free(job);
}

bool left_jobs_are_known(const struct left_jobs *left)
{
    return !left->asking && left->again_ms == 0;
}

int64_t left_jobs_forget(struct left_jobs *left, const char *id)
{
    struct left_job **at = &left->first;
    struct left_job *job;
    int64_t job_no;

    while (*at != NULL && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    job = *at;
    if (job == NULL)
        return 0;
    job_no = job->job_no;
    *at = job->next;
    free(job);
    return job_no;
}

void left_jobs_release(struct left_jobs *left)
{
    free_jobs(left->first);
    left->first = NULL;
}
