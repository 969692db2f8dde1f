#include "coordinator/running_job_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

// A job that came from afar brought its programs along: they run in a folder
// of their own.
static bool unpack(struct running_job *running, struct err *err)
{
    char folder[] = "/tmp/promptcc-job-XXXXXX";

    if (mkdtemp(folder) == NULL) {
        err_set(err, ERR_IO, "cannot make a folder for the job's programs: %s",
                strerror(errno));
        return false;
    }
    running->unpacked = strdup(folder);
    if (running->unpacked == NULL) {
        (void)rmdir(folder);
        err_nomem(err, "a job");
        return false;
    }
    return bundle_unpack(running->bundle, running->unpacked, err);
}

static struct hash hash_programs(const struct running_job *running)
{
    struct hasher hasher;

    hasher_init(&hasher, "exec-files");
    job_hash_commands(running->job, running->bundle, &hasher);
    return hasher_end(&hasher);
}

bool running_job_exec_start(struct running_job *running, struct err *err)
{
    struct exec_pool_options options = {.commands = running->commands,
                                        .processes = RUNNING_JOB_EXEC_PROCESSES,
                                        .check = exec_check_score};
    bool from_afar = running->bundle->folder == NULL;

    options.n_commands =
        metric_outside(running->job->metric, running->commands);
    if (options.n_commands == 0)
        return true;
    if (from_afar && !running->engine->allow_exec) {
        err_set(err, ERR_INPUT,
                "the metric runs a program, which this coordinator does not "
                "allow to jobs from afar: start it with --allow-exec");
        return false;
    }
    if (from_afar && !unpack(running, err))
        return false;
    options.folder = from_afar ? running->unpacked : running->bundle->folder;
    running->exec_files = hash_programs(running);
    running->pool = exec_pool_start(&options, err);
    return running->pool != NULL;
}

void running_job_exec_stop(struct running_job *running)
{
    exec_pool_stop(running->pool);
    running->pool = NULL;
    if (running->unpacked != NULL)
        bundle_remove(running->bundle, running->unpacked);
    free(running->unpacked);
    running->unpacked = NULL;
}

bool running_job_begin_exec(struct running_job *running, struct flight *flight,
                            int part, struct err *err)
{
    flight->exec_part = part;
    flight->sends++;
    return exec_pool_begin(running->pool, (size_t)part, (uint64_t)flight->id,
                           flight->tail, flight->tail_len, err);
}

// A fault says nothing of the answer: ask again, a few times.
static void take_fault(struct running_job *running, struct flight *flight,
                       const struct exec_done *done)
{
    struct err err = ERR_CLEAR;

    log_warn("metric-fault", "%s", done->fault.text);
    if (flight->sends < RUNNING_JOB_EXEC_TRIES &&
        running_job_begin_exec(running, flight, flight->exec_part, &err))
        return;
    running_job_parked(&running->engine->flights, flight, done->fault.text);
}

void running_job_read_exec(struct running_job *running,
                           void (*landed)(void *user, struct flight *flight,
                                          struct call_answer *answer),
                           void *user)
{
    struct exec_done done = {0};

    while (running->pool != NULL && exec_pool_take(running->pool, &done)) {
        struct flight *flight =
            flights_by_id(&running->engine->flights, (int64_t)done.id);

        if (flight != NULL && flight->running != running)
            flight = NULL; // another running job asks its own programs now
        if (flight != NULL && done.ok) {
            struct call_answer answer = {.outcome = CALL_TEXT,
                                         .text = done.text,
                                         .text_len = done.len,
                                         .cached_tokens = -1};

            landed(user, flight, &answer);
        } else if (flight != NULL) {
            take_fault(running, flight, &done);
        }
        exec_done_release(&done);
    }
}
