#include "exec/exec_pool.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/bell.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/thread.h"
#include "exec/exec_program.h"
#include "exec/exec_queue.h"
#include "exec/exec_slot.h"

struct exec_pool {
    struct exec_pool_options options;
    char *folder;                  // absolute; owned
    struct exec_service *services; // one per command; owned
    struct exec_slot *slots;       // `processes` per command; owned
    size_t n_slots;
    struct pollfd *fds; // owned; that of the bell, then those of each slot
    struct exec_queue queue;
    pthread_t thread;
    bool running;
};

void exec_done_release(struct exec_done *done)
{
    free(done->text);
    free(done->errors);
    *done = (struct exec_done){0};
}

// --- the pool's thread ---

static size_t command_of(const struct exec_pool *pool,
                         const struct exec_slot *slot)
{
    return (size_t)(slot->service - pool->services);
}

// Gives requests to children that are running before it starts others. Returns
// true if a request ended at once, so that its slot can take another.
static bool give_requests(struct exec_pool *pool)
{
    bool ended = false;

    for (size_t i = 0; i < 2 * pool->n_slots; i++) {
        struct exec_slot *slot = &pool->slots[i % pool->n_slots];
        bool fresh = i >= pool->n_slots;
        if (slot->request != NULL || (slot->child.pid == 0) != fresh ||
            slot->service->proof == EXEC_PROVING)
            continue;
        struct exec_request *request =
            exec_queue_take(&pool->queue, command_of(pool, slot));
        if (request == NULL)
            continue;
        exec_slot_give(slot, request);
        ended = ended || slot->request == NULL;
    }
    return ended;
}

// Fills in fds. Returns the milliseconds until the nearest deadline, or -1 if
// there is none.
static int prepare_poll(struct exec_pool *pool)
{
    int64_t now = clock_monotonic_ms();
    int64_t wait = -1;

    pool->fds[0] =
        (struct pollfd){.fd = bell_fd(&pool->queue.wake), .events = POLLIN};
    for (size_t i = 0; i < pool->n_slots; i++) {
        int64_t end =
            exec_slot_poll(&pool->slots[i], &pool->fds[1 + EXEC_SLOT_FDS * i]);
        int64_t left = end > now ? end - now : 0;

        if (end >= 0 && (wait < 0 || left < wait))
            wait = left;
    }
    return (int)wait;
}

static void *run(void *arg)
{
    struct exec_pool *pool = arg;

    while (!exec_queue_is_stopping(&pool->queue)) {
        bool ended = give_requests(pool);
        int wait = prepare_poll(pool);

        (void)poll(pool->fds, (nfds_t)(1 + EXEC_SLOT_FDS * pool->n_slots),
                   ended ? 0 : wait);
        bell_clear(&pool->queue.wake);
        for (size_t i = 0; i < pool->n_slots; i++)
            exec_slot_serve(&pool->slots[i], &pool->fds[1 + EXEC_SLOT_FDS * i]);
    }
    for (size_t i = 0; i < pool->n_slots; i++)
        exec_slot_end(&pool->slots[i]);
    return NULL;
}

// --- the owner ---

// Makes the services and their slots.
static bool make_slots(struct exec_pool *pool,
                       const struct exec_command *commands, struct err *err)
{
    size_t n_commands = pool->options.n_commands;
    size_t processes = (size_t)pool->options.processes;
    size_t n = n_commands * processes;

    pool->services = calloc(n_commands, sizeof *pool->services);
    pool->slots = calloc(n, sizeof *pool->slots);
    pool->fds = calloc(1 + EXEC_SLOT_FDS * n, sizeof *pool->fds);
    if (pool->services == NULL || pool->slots == NULL || pool->fds == NULL) {
        err_nomem(err, "the programs of the job");
        return false;
    }
    for (size_t i = 0; i < n_commands; i++)
        pool->services[i].command = commands[i];
    for (size_t i = 0; i < n; i++)
        exec_slot_init(&pool->slots[i], &pool->services[i / processes],
                       &pool->queue);
    pool->n_slots = n;
    return true;
}

// thread_start blocks all signals on the thread, so SIGPIPE does not kill us.
static bool start_thread(struct exec_pool *pool, struct err *err)
{
    pool->running =
        thread_start(&pool->thread, run, pool, "the programs of the job", err);
    return pool->running;
}

static bool find_programs(struct exec_pool *pool, struct err *err)
{
    const struct exec_pool_options *options = &pool->options;

    pool->folder = realpath(options->folder, NULL);
    if (pool->folder == NULL) {
        err_set(err, ERR_IO, "the folder of the job, %s: %s",
                FILE_SHOWN(options->folder, 120), strerror(errno));
        return false;
    }
    for (size_t i = 0; i < options->n_commands; i++) {
        struct exec_service *service = &pool->services[i];

        service->folder = pool->folder;
        service->path = exec_program_find(pool->folder, &service->command, err);
        if (service->path == NULL)
            return false;
    }
    return true;
}

struct exec_pool *exec_pool_start(const struct exec_pool_options *options,
                                  struct err *err)
{
    assert(options->n_commands > 0 &&
           options->n_commands <= EXEC_POOL_MAX_COMMANDS);
    assert(options->processes > 0 &&
           options->processes <= EXEC_POOL_MAX_PROCESSES);

    struct exec_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL) {
        err_nomem(err, "the programs of the job");
        return NULL;
    }
    pool->options = *options;
    pool->options.commands = NULL;
    if (exec_queue_open(&pool->queue, err) &&
        make_slots(pool, options->commands, err) && find_programs(pool, err) &&
        start_thread(pool, err))
        return pool;
    exec_pool_stop(pool);
    return NULL;
}

void exec_pool_stop(struct exec_pool *pool)
{
    struct exec_done done;

    if (pool == NULL)
        return;
    if (pool->running) {
        exec_queue_stop(&pool->queue);
        (void)pthread_join(pool->thread, NULL);
    }
    while (exec_pool_take(pool, &done))
        exec_done_release(&done);
    for (size_t i = 0; i < pool->n_slots; i++)
        exec_slot_release(&pool->slots[i]);
    exec_queue_close(&pool->queue);
    for (size_t i = 0; pool->services != NULL && i < pool->options.n_commands;
         i++)
        free(pool->services[i].path);
    free(pool->services);
    free(pool->slots);
    free(pool->fds);
    free(pool->folder);
    free(pool);
}

bool exec_pool_begin(struct exec_pool *pool, size_t command, uint64_t id,
                     const char *line, size_t len, struct err *err)
{
    assert(command < pool->options.n_commands);
    assert(memchr(line, '\n', len) == NULL);

    const char *what = pool->services[command].command.what;

    if (len > EXEC_POOL_MAX_LINE_BYTES) {
        err_set(err, ERR_LIMIT, "a request to %s has %zu bytes, over %d", what,
                len, EXEC_POOL_MAX_LINE_BYTES);
        return false;
    }
    if (exec_queue_put(&pool->queue, command, id, line, len))
        return true;
    err_nomem(err, what);
    return false;
}

int exec_pool_fd(const struct exec_pool *pool)
{
    return bell_fd(&pool->queue.ready);
}

bool exec_pool_take(struct exec_pool *pool, struct exec_done *done)
{
    return exec_queue_done(&pool->queue, done);
}
