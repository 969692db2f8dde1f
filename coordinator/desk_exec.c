#include "coordinator/desk_exec.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

// One hash over the files that the commands name: an edited metric program is
// another metric. Words that are no file of the bundle count as words only.
static void hash_files(struct desk *desk, const struct metric_command *commands,
                       size_t n)
{
    struct hasher hasher;

    hasher_init(&hasher, "exec-files");
    for (size_t c = 0; c < n; c++)
        for (size_t w = 0; commands[c].argv[w] != NULL; w++) {
            struct err ignored = ERR_CLEAR;
            const struct bundle_file *file =
                bundle_get(desk->bundle, commands[c].argv[w], &ignored);

            if (file != NULL)
                hasher_add(&hasher, file->data, file->len);
        }
    desk->exec_files = hasher_end(&hasher);
}

bool desk_exec_start(struct desk *desk, struct err *err)
{
    struct exec_pool_options options = {.commands = desk->commands,
                                        .folder = desk->bundle->folder,
                                        .processes = DESK_EXEC_PROCESSES,
                                        .check = exec_check_score};

    options.n_commands = metric_outside(desk->job->metric, desk->commands);
    if (options.n_commands == 0)
        return true;
    if (desk->bundle->folder == NULL && !desk->engine->allow_exec) {
        err_set(err, ERR_INPUT,
                "the metric runs a program, which this coordinator does not "
                "allow to jobs from afar: start it with --allow-exec");
        return false;
    }
    if (options.folder == NULL)
        options.folder = ".";
    hash_files(desk, desk->commands, options.n_commands);
    desk->pool = exec_pool_start(&options, err);
    return desk->pool != NULL;
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
