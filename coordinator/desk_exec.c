#include "coordinator/desk_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

// A job that came from afar brought its programs along: they run in a folder
// of their own.
static bool unpack(struct desk *desk, struct err *err)
{
    char folder[] = "/tmp/promptcc-job-XXXXXX";

    if (mkdtemp(folder) == NULL) {
        err_set(err, ERR_IO, "cannot make a folder for the job's programs: %s",
                strerror(errno));
        return false;
    }
    desk->unpacked = strdup(folder);
    if (desk->unpacked == NULL) {
        (void)rmdir(folder);
        err_nomem(err, "a job");
        return false;
    }
    return bundle_unpack(desk->bundle, desk->unpacked, err);
}

static struct hash hash_programs(const struct desk *desk)
{
    struct hasher hasher;

    hasher_init(&hasher, "exec-files");
    job_hash_commands(desk->job, desk->bundle, &hasher);
    return hasher_end(&hasher);
}

bool desk_exec_start(struct desk *desk, struct err *err)
{
    struct exec_pool_options options = {.commands = desk->commands,
                                        .processes = DESK_EXEC_PROCESSES,
                                        .check = exec_check_score};
    bool from_afar = desk->bundle->folder == NULL;

    options.n_commands = metric_outside(desk->job->metric, desk->commands);
    if (options.n_commands == 0)
        return true;
    if (from_afar && !desk->engine->allow_exec) {
        err_set(err, ERR_INPUT,
                "the metric runs a program, which this coordinator does not "
                "allow to jobs from afar: start it with --allow-exec");
        return false;
    }
    if (from_afar && !unpack(desk, err))
        return false;
    options.folder = from_afar ? desk->unpacked : desk->bundle->folder;
    desk->exec_files = hash_programs(desk);
    desk->pool = exec_pool_start(&options, err);
    return desk->pool != NULL;
}

void desk_exec_stop(struct desk *desk)
{
    exec_pool_stop(desk->pool);
    desk->pool = NULL;
    if (desk->unpacked != NULL)
        bundle_remove(desk->bundle, desk->unpacked);
    free(desk->unpacked);
    desk->unpacked = NULL;
}

bool desk_begin_exec(struct desk *desk, struct flight *flight, int part,
                     struct err *err)
{
    flight->exec_part = part;
    flight->sends++;
    return exec_pool_begin(desk->pool, (size_t)part, (uint64_t)flight->id,
                           flight->tail, flight->tail_len, err);
}

// A fault says nothing of the answer: ask again, a few times.
static void take_fault(struct desk *desk, struct flight *flight,
                       const struct exec_done *done)
{
    struct err err = ERR_CLEAR;

    log_warn("metric-fault", "%s", done->fault.text);
    if (flight->sends < DESK_EXEC_TRIES &&
        desk_begin_exec(desk, flight, flight->exec_part, &err))
        return;
    desk_parked(&desk->engine->flights, flight, done->fault.text);
}

void desk_read_exec(struct desk *desk,
                    void (*landed)(void *user, struct flight *flight,
                                   struct call_answer *answer),
                    void *user)
{
    struct exec_done done = {0};

    while (desk->pool != NULL && exec_pool_take(desk->pool, &done)) {
        struct flight *flight =
            flights_by_id(&desk->engine->flights, (int64_t)done.id);

        if (flight != NULL && flight->desk != desk)
            flight = NULL; // another desk asks its own programs now
        if (flight != NULL && done.ok) {
            struct call_answer answer = {.outcome = CALL_TEXT,
                                         .text = done.text,
                                         .text_len = done.len,
                                         .cached_tokens = -1};

            landed(user, flight, &answer);
        } else if (flight != NULL) {
            take_fault(desk, flight, &done);
        }
        exec_done_release(&done);
    }
}
