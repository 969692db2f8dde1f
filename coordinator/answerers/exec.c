// The answerer for a program of the user, which runs next to the coordinator,
// in a pool that belongs to the job (exec/exec_pool.h).

#include "coordinator/answerers/programs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/call_key.h"
#include "coordinator/flight.h"
#include "exec/exec_folder.h"
#include "exec/exec_pool.h"
#include "store/history.h"

// A command, and the bundle with the files that it names, as they were when the
// job began.
struct named_files {
    const struct user_command *command;
    const struct bundle *bundle;
};

struct job_programs {
    struct exec_pool *pool;                                // owned
    const struct user_command *commands[JOB_MAX_COMMANDS]; // of the job
    size_t n;
    struct named_files named[JOB_MAX_COMMANDS]; // of the commands
    struct hash files;               // over the bytes of the files they name
    const struct bundle *bundle;     // of the job
    struct exec_folder *folder;      // owned; NULL for a local job
    size_t asked;                    // requests without an answer so far
    bool answered[JOB_MAX_COMMANDS]; // the command has answered at least once
    size_t faults[JOB_MAX_COMMANDS]; // of each command, retried or not
    bool logged; // a failing program's output has been logged
};

// --- start and end ---

static bool unpack(struct job_programs *programs, struct err *err)
{
    programs->folder = exec_folder_make(err);
    return programs->folder != NULL &&
           bundle_unpack(programs->bundle, exec_folder_files(programs->folder),
                         err);
}

// Returns true if the file has not changed. A file that cannot be read is left
// to whatever runs it.
static bool is_unchanged(const struct bundle_file *file, const char *folder)
{
    struct buf now = BUF_INIT(BUNDLE_MAX_BYTES);
    char *path = file_join(folder, file->name);
    struct err ignored = ERR_CLEAR;
    bool same = path == NULL || !file_read(path, &now, &ignored) ||
                (now.len == file->len &&
                 (now.len == 0 || memcmp(now.data, file->data, now.len) == 0));

    buf_release(&now);
    free(path);
    return same;
}

// Answers are stored under the bytes that the job began with, but a child that
// starts later runs the files as they are then. If a metric is edited in the
// middle of a run, it would score only the later rows, and nobody could tell.
static bool may_start(const void *with, struct err *err)
{
    const struct named_files *named = with;
    const char *const *word = named->command->argv;

    for (; *word != NULL; word++) {
        const struct bundle_file *file = bundle_find(named->bundle, *word);

        if (file != NULL && !is_unchanged(file, named->bundle->folder)) {
            err_set(
                err, ERR_DIFFERS,
                "%.80s was changed while the job ran: change it back and run "
                "the same command again, or run it as it is now, which is "
                "a new job and asks no model twice",
                file->name);
            return false;
        }
    }
    return true;
}

static struct exec_pool *start_pool(struct job_programs *programs,
                                    struct err *err)
{
    struct exec_command commands[JOB_MAX_COMMANDS];
    struct exec_pool_options options = {
        .commands = commands,
        .n_commands = programs->n,
        .folder = programs->folder != NULL ? exec_folder_files(programs->folder)
                                           : programs->bundle->folder,
        .processes = JOB_PROGRAMS_PROCESSES};

    for (size_t i = 0; i < programs->n; i++) {
        const struct user_command *command = programs->commands[i];

        programs->named[i] = (struct named_files){command, programs->bundle};
        commands[i] = (struct exec_command){.argv = command->argv,
                                            .timeout_ms = command->timeout_ms,
                                            .what = command->what,
                                            .check = command->check,
                                            .of = command->of,
                                            .with = &programs->named[i]};
        // Nobody edits what was unpacked only for this job.
        if (programs->folder == NULL)
            commands[i].may_start = may_start;
    }
    return exec_pool_start(&options, err);
}

static struct hash hash_files(const struct job *job,
                              const struct bundle *bundle)
{
    struct hasher hasher;

    hasher_init(&hasher, "exec-files");
    job_hash_commands(job, bundle, &hasher);
    return hasher_end(&hasher);
}

bool job_programs_start(const struct job *job, const struct bundle *bundle,
                        bool allow_submitted, struct job_programs **out,
                        struct err *err)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    bool submitted = bundle->folder == NULL;
    struct job_programs *programs;

    if (job_commands(job, commands) == 0)
        return true;
    if (submitted && !allow_submitted) {
        err_set(err, ERR_INPUT,
                "%s is a program of the job, and this coordinator does not run "
                "those of submitted jobs: start it with --allow-exec",
                commands[0]->what);
        return false;
    }
    *out = programs = calloc(1, sizeof *programs);
    if (programs == NULL) {
        err_nomem(err, "a job's programs");
        return false;
    }
    programs->bundle = bundle;
    programs->n = job_commands(job, programs->commands);
    programs->files = hash_files(job, bundle);
    if (submitted && !unpack(programs, err))
        return false;
    programs->pool = start_pool(programs, err);
    return programs->pool != NULL;
}

void job_programs_stop(struct job_programs *programs)
{
    if (programs == NULL)
        return;
    exec_pool_stop(programs->pool);
    exec_folder_remove(programs->folder);
    free(programs);
}

int job_programs_fd(const struct job_programs *programs)
{
    return exec_pool_fd(programs->pool);
}

bool job_programs_are_busy(const struct job_programs *programs)
{
    return programs != NULL && programs->asked > 0;
}

// --- asking ---

static bool address(struct order *order, const struct task *task,
                    struct err *err)
{
    (void)task;
    (void)err;
    order->bill = BILL_EXEC;
    order->key =
        exec_key(order->ask.command->argv, &order->work->programs->files,
                 order->ask.payload, order->ask.payload_len);
    return true;
}

static bool begin(struct flight *flight, struct err *err)
{
    const struct ask *ask = &flight->order.ask;
    struct job_programs *programs = flight->order.work->programs;

    flight->sends++;
    if (!exec_pool_begin(
            programs->pool,
            job_command_number(flight->order.work->job, ask->command),
            (uint64_t)flight->id, ask->payload, ask->payload_len, err))
        return false;
    programs->asked++;
    return true;
}

static bool same_words(const char *const *a, const char *const *b)
{
    for (; *a != NULL && *b != NULL; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return *a == *b;
}

// The programs end with their job, so the job that inherits the flight asks its
// own. Equal keys mean equal command lines, so it has such a program.
static bool inherit(struct flight *flight, struct err *err)
{
    struct ask *ask = &flight->order.ask;
    const struct job_programs *heir = flight->order.work->programs;
    size_t i = 0;

    while (i < heir->n &&
           !same_words(heir->commands[i]->argv, ask->command->argv))
        i++;
    assert(i < heir->n);
    ask->command = heir->commands[i];
    return begin(flight, err);
}

static bool record(const struct flight *flight, struct call_put *row,
                   struct err *err)
{
    (void)flight;
    (void)err;
    row->model = row->digest = "";
    row->options = "{}";
    return true;
}

const struct answerer answerer_exec = {
    .name = "exec",
    .address = address,
    .begin = begin,
    .inherit = inherit,
    .record = record,
};

// --- answers ---

// Logs that the program failed, and what it wrote to its standard error, a
// traceback for example: all of it, line by line, but only once per job,
// because the next failure most likely says the same.
static void log_words(struct job_work *work, const struct exec_done *done)
{
    const char *words = done->errors == NULL ? "" : done->errors;
    bool first = !work->programs->logged;

    work->programs->logged = true;
    log_line(first ? LOG_WARN : LOG_INFO, "program-fault", "%s",
             done->fault.text);
    if (!first)
        return;
    history_event(work->engine->store, work->job_no, "program", words, NULL);
    for (const char *line = words; *line != '\0';) {
        int len = (int)strcspn(line, "\n");

        log_warn("program-said", "%.*s", len, line);
        line += len;
        line += *line == '\n';
    }
}

size_t job_programs_in_vain(const struct job_work *work,
                            const struct user_command *command)
{
    const struct job_programs *programs = work->programs;
    size_t i = job_command_number(work->job, command);

    return programs->answered[i] || work->exec_before > 0 ? 0
                                                          : programs->faults[i];
}

// A fault says nothing about the answer, so the program is asked again, a few
// times. But a program that has never answered is not asked again for every
// example: with a hundred examples that hang for half a minute each, it would
// take an hour to report that.
static void take_fault(struct flight *flight, const struct exec_done *done,
                       const struct programs_handlers *handlers)
{
    const struct order *order = &flight->order;
    struct job_programs *programs = order->work->programs;
    struct err err = ERR_CLEAR;

    if (done->fault.code == ERR_DIFFERS) {
        err_set(&order->work->failure, ERR_FAULT, "%s", done->fault.text);
        return;
    }
    if (done->fault.code == ERR_LIMIT) {
        err_set(&order->work->failure, ERR_FAULT,
                "%s, and run the job again, which asks no model twice",
                done->fault.text);
        return;
    }
    log_words(order->work, done);
    programs
        ->faults[job_command_number(order->work->job, order->ask.command)]++;
    if (flight->sends < JOB_PROGRAMS_TRIES &&
        job_programs_in_vain(order->work, order->ask.command) <
            JOB_PROGRAMS_IN_VAIN &&
        begin(flight, &err))
        return;
    handlers->failed(handlers->user, flight, done->fault.text);
}

static void take_done(struct flight *flight, const struct exec_done *done,
                      const struct programs_handlers *handlers)
{
    struct call_answer answer = {.outcome = CALL_TEXT,
                                 .text = done->text,
                                 .text_len = done->len,
                                 .cached_tokens = -1};
    const struct order *order = &flight->order;
    struct job_programs *programs = order->work->programs;

    if (!done->ok) {
        take_fault(flight, done, handlers);
        return;
    }
    programs
        ->answered[job_command_number(order->work->job, order->ask.command)] =
        true;
    handlers->answered(handlers->user, flight, &answer);
}

void job_programs_read(struct job_work *work,
                       const struct programs_handlers *handlers)
{
    struct exec_done done = {0};

    while (work->programs != NULL &&
           exec_pool_take(work->programs->pool, &done)) {
        struct flight *flight =
            flights_find_id(&work->engine->flights, (int64_t)done.id);

        work->programs->asked--;
        // Another job asks its own programs by now.
        if (flight != NULL && flight->order.work == work)
            take_done(flight, &done, handlers);
        exec_done_release(&done);
    }
}
