#include "exec/exec_pool.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bell.h"
#include "common/clock.h"
#include "common/text.h"
#include "common/thread.h"
#include "exec/exec_child.h"
#include "exec/exec_program.h"

enum {
    LINE_MAX_BYTES = 1 << 20, // of an answer
    FDS_A_SLOT = 3,           // standard output, standard error, standard input
    PROOF_MS = 1000, // how long a first child may write after its answer
    COMMAND_SHOWN_BYTES = 60,
    ERRORS_SHOWN_BYTES = 90,
};

struct done_item {
    struct done_item *next;
    struct exec_done done;
};

struct exec_request {
    struct exec_request *next;
    struct done_item *item; // its result; made early, so that no end can fail
    size_t command;
    size_t len; // with the newline
    char line[];
};

// A place for a child of one command.
struct process {
    struct exec_child child;
    size_t command;
    struct exec_request *request; // owned; NULL: idle
    size_t written;
    int64_t deadline_ms;
    bool answered;    // the present child has answered at least once
    bool out_of_step; // it wrote without being asked
    bool proving;     // it is the first child of its command, and gets one line
    int64_t answered_ms; // when it answered; 0: not yet
};

// Whether it is proven that the answers of a command match its questions.
enum proof { PROOF_NONE, PROOF_BEGUN, PROOF_DONE };

struct exec_pool {
    struct exec_pool_options options;
    char *folder;                  // absolute; owned
    struct exec_command *commands; // owned copy
    char **paths;                  // one per command; owned, as are the texts
    enum proof *proofs;            // one per command; owned
    struct process *slots;         // owned
    size_t n_slots;
    struct pollfd *fds; // owned; FDS_A_SLOT per slot, after that of the bell
    pthread_t thread;
    bool running;
    struct bell wake;     // owner -> thread
    struct bell ready;    // thread -> owner
    pthread_mutex_t lock; // guards what follows
    struct exec_request *waiting, **waiting_end;
    struct done_item *done, **done_end;
    bool stopping;
};

void exec_done_release(struct exec_done *done)
{
    free(done->text);
    free(done->errors);
    *done = (struct exec_done){0};
}

// Ending requests.

static void post_done(struct exec_pool *pool, struct done_item *item)
{
    (void)pthread_mutex_lock(&pool->lock);
    item->next = NULL;
    *pool->done_end = item;
    pool->done_end = &item->next;
    if (pool->done == item)
        bell_ring(&pool->ready);
    (void)pthread_mutex_unlock(&pool->lock);
}

// Takes the request off the slot and posts its result.
static void end_request(struct exec_pool *pool, struct process *slot)
{
    struct done_item *item = slot->request->item;

    if (slot->proving)
        pool->proofs[slot->command] = item->done.ok ? PROOF_DONE : PROOF_NONE;
    slot->proving = false;
    free(slot->request);
    slot->request = NULL;
    post_done(pool, item);
}

static void show_command(const char *const *argv, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; argv[i] != NULL && used < size - 1; i++) {
        int len = snprintf(out + used, size - used, "%s%s", i > 0 ? " " : "",
                           argv[i]);
        used += len > 0 ? (size_t)len : 0;
    }
}

// Shows the last line of standard error in a form that fits into a sentence.
static void show_errors(const char *tail, size_t len, char *out, size_t size)
{
    size_t used = 0;
    const char *line = text_trim(tail, len, &len);

    for (size_t i = len; i > 0; i--) {
        if (line[i - 1] != '\n')
            continue;
        line += i;
        len -= i;
        break;
    }
    bool clean = text_is_utf8(line, len);
    for (size_t i = 0; i < len && used < size - 1; i++) {
        unsigned char c = (unsigned char)line[i];
        bool odd = c < 0x20 || c == 0x7f || (c >= 0x80 && !clean);
        out[used++] = odd ? '?' : line[i];
    }
    out[used] = '\0';
}

static void fault(struct exec_pool *pool, struct process *slot,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Ends the request with what the child did, and ends the child. The format
// continues the sentence "the metric's command `x` ...".
static void fault(struct exec_pool *pool, struct process *slot,
                  const char *format, ...)
{
    const struct exec_command *asked = &pool->commands[slot->command];
    struct exec_done *done = &slot->request->item->done;
    char command[COMMAND_SHOWN_BYTES];
    char errors[ERRORS_SHOWN_BYTES];
    char what[160];
    char how[EXEC_END_BYTES];
    va_list args;

    va_start(args, format);
    (void)text_vprint(what, sizeof what, format, args);
    va_end(args);
    exec_child_end(&slot->child, EXEC_END_NOW, how);
    show_command(asked->argv, command, sizeof command);
    show_errors(slot->child.tail, slot->child.tail_len, errors, sizeof errors);
    err_set(&done->fault, ERR_FAULT, "%s `%s` %s%s%s", asked->what, command,
            what, errors[0] != '\0' ? "; its standard error ends: " : "",
            errors);
    done->errors = strdup(slot->child.tail);
    end_request(pool, slot);
}

// Takes the first len bytes of the child's output as its answer.
static void take_answer(struct exec_pool *pool, struct process *slot,
                        size_t len)
{
    const struct exec_command *asked = &pool->commands[slot->command];
    struct exec_done *done = &slot->request->item->done;
    struct buf *answer = &slot->child.answer;
    struct err err = ERR_CLEAR;

    if (len + 1 < answer->len) {
        fault(pool, slot,
              "answered with more than one line: what else it prints belongs "
              "on standard error");
        return;
    }
    if (len > 0 && answer->data[len - 1] == '\r')
        len--;
    if (asked->check != NULL &&
        !asked->check(asked->of, answer->data, len, &err)) {
        fault(pool, slot, "gave no answer: %s", err.text);
        return;
    }
    done->text = calloc(1, len + 1);
    if (done->text == NULL) {
        fault(pool, slot, "gave an answer, but there is no memory for it");
        return;
    }
    memcpy(done->text, answer->data, len);
    done->len = len;
    done->ok = true;
    slot->answered = true;
    buf_clear(answer);
    end_request(pool, slot);
}

// Beginning requests.

// Returns the oldest waiting request for the command, taken off the list.
static struct exec_request *take_waiting(struct exec_pool *pool, size_t command)
{
    (void)pthread_mutex_lock(&pool->lock);
    struct exec_request **at = &pool->waiting;
    while (*at != NULL && (*at)->command != command)
        at = &(*at)->next;
    struct exec_request *found = *at;
    if (found != NULL) {
        *at = found->next;
        if (pool->waiting_end == &found->next)
            pool->waiting_end = at;
        found->next = NULL;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return found;
}

// Gives the slot's request to its child. Starts a child if none is running.
static void start_request(struct exec_pool *pool, struct process *slot)
{
    const struct exec_command *command = &pool->commands[slot->command];
    struct err err = ERR_CLEAR;

    slot->written = 0;
    if (slot->child.pid == 0) {
        slot->answered = false;
        if (command->may_start != NULL &&
            !command->may_start(command->with, &err)) {
            slot->request->item->done.fault = err;
            end_request(pool, slot);
            return;
        }
        if (!exec_child_start(&slot->child, pool->paths[slot->command],
                              command->argv, pool->folder, &err)) {
            fault(pool, slot, "does not run: %s", err.text);
            return;
        }
    }
    slot->deadline_ms = clock_monotonic_ms() + command->timeout_ms;
}

static bool exits_well(const char *how)
{
    return strcmp(how, "exited with status 0") == 0;
}

// Call when the child has closed its output, or does not read any more.
static void serve_end(struct exec_pool *pool, struct process *slot)
{
    char how[EXEC_END_BYTES];
    bool silent = slot->child.answer.len == 0;
    bool politely = exec_child_end(&slot->child, EXEC_END_PATIENTLY, how);
    bool proving = slot->proving;

    if (politely && silent && proving) {
        slot->proving = false;
        pool->proofs[slot->command] = PROOF_DONE;
    }
    if (politely && silent && (slot->answered || proving))
        start_request(pool, slot);
    else
        fault(pool, slot, "%s before it answered%s", how,
              exits_well(how) ? ": it has to read lines until there are no more"
                              : "");
}

static void give_request(struct exec_pool *pool, struct process *slot,
                         struct exec_request *request)
{
    slot->request = request;
    slot->proving = pool->proofs[slot->command] == PROOF_NONE;
    slot->answered_ms = 0;
    if (slot->proving)
        pool->proofs[slot->command] = PROOF_BEGUN;
    if (!slot->out_of_step) {
        start_request(pool, slot);
        return;
    }
    slot->out_of_step = false;
    fault(pool, slot, "wrote a line that it was not asked for");
}

// Gives requests to children that are running before it starts others. Returns
// true if a request ended at once, so that its slot can take another.
static bool give_requests(struct exec_pool *pool)
{
    bool ended = false;

    for (size_t i = 0; i < 2 * pool->n_slots; i++) {
        struct process *slot = &pool->slots[i % pool->n_slots];
        bool fresh = i >= pool->n_slots;
        if (slot->request != NULL || (slot->child.pid == 0) != fresh ||
            pool->proofs[slot->command] == PROOF_BEGUN)
            continue;
        struct exec_request *request = take_waiting(pool, slot->command);
        if (request == NULL)
            continue;
        give_request(pool, slot, request);
        ended = ended || slot->request == NULL;
    }
    return ended;
}

// The thread's loop.

// An idle child should be silent. It may end; the next request then starts
// another one.
static void serve_idle(struct process *slot, enum exec_reading state)
{
    char how[EXEC_END_BYTES];

    slot->out_of_step =
        slot->child.answer.len > 0 || state == EXEC_READ_TOO_LONG;
    if (slot->out_of_step || state != EXEC_READ_OPEN)
        exec_child_end(&slot->child, EXEC_END_NOW, how);
}

// Returns true if we have all that the first child of a command writes in reply
// to its one line. It has until it ends, or PROOF_MS.
static bool is_whole(struct process *slot, enum exec_reading state)
{
    if (slot->answered_ms == 0)
        slot->answered_ms = clock_monotonic_ms();
    return state != EXEC_READ_OPEN ||
           clock_monotonic_ms() >= slot->answered_ms + PROOF_MS;
}

static bool is_answer(const struct exec_command *command, const char *line,
                      size_t len)
{
    struct err ignored = ERR_CLEAR;

    return command->check == NULL ||
           command->check(command->of, line, len, &ignored);
}

// Drops what follows the answer: a program may say goodbye on its standard
// output. But if a line of it could be taken for an answer, all of it is kept,
// which makes it a fault.
static void drop_goodbye(const struct exec_command *command, struct buf *answer,
                         size_t len)
{
    const char *end = answer->data + answer->len;
    const char *line = answer->data + len + 1;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        stop = stop == NULL ? end : stop;
        if (is_answer(command, line, (size_t)(stop - line)))
            return;
        line = stop + 1;
    }
    answer->len = len + 1;
}

// Takes the answer, if it was one, and ends the child. The next request gets a
// child that keeps running.
static void end_proof(struct exec_pool *pool, struct process *slot, size_t len)
{
    char how[EXEC_END_BYTES];

    drop_goodbye(&pool->commands[slot->command], &slot->child.answer, len);
    take_answer(pool, slot, len);
    (void)exec_child_end(&slot->child, EXEC_END_NOW, how);
}

// Returns false if the child does not read any more.
static bool write_request(struct process *slot)
{
    if (slot->written == slot->request->len)
        return true;
    if (!exec_child_write(&slot->child, slot->request->line, slot->request->len,
                          &slot->written))
        return false;
    if (slot->proving && slot->written == slot->request->len)
        exec_child_end_input(&slot->child);
    return true;
}

static void serve_asked(struct exec_pool *pool, struct process *slot,
                        enum exec_reading state)
{
    const struct buf *answer = &slot->child.answer;
    const char *end =
        answer->len > 0 ? memchr(answer->data, '\n', answer->len) : NULL;
    int64_t timeout_ms = pool->commands[slot->command].timeout_ms;

    if (end != NULL && slot->proving && !is_whole(slot, state))
        (void)write_request(slot);
    else if (end != NULL && slot->proving)
        end_proof(pool, slot, (size_t)(end - answer->data));
    else if (end != NULL)
        take_answer(pool, slot, (size_t)(end - answer->data));
    else if (state == EXEC_READ_TOO_LONG)
        fault(pool, slot, "answered with a line over %d bytes", LINE_MAX_BYTES);
    else if (state == EXEC_READ_ENDED)
        serve_end(pool, slot);
    else if (clock_monotonic_ms() >= slot->deadline_ms)
        fault(pool, slot, "did not answer within %.10g s%s",
              (double)timeout_ms / 1000,
              slot->answered ? ""
                             : ": does it flush each line that it prints?");
    else if (!write_request(slot))
        serve_end(pool, slot);
}

static void serve_slot(struct exec_pool *pool, struct process *slot,
                       const struct pollfd *fds)
{
    enum exec_reading state = EXEC_READ_OPEN;

    if (slot->child.pid == 0)
        return;
    if (fds[0].revents != 0 || fds[1].revents != 0)
        state = exec_child_read(&slot->child);
    if (slot->request == NULL)
        serve_idle(slot, state);
    else
        serve_asked(pool, slot, state);
}

// Fills in fds. Returns the milliseconds until the nearest deadline, or -1 if
// there is none.
static int prepare_poll(struct exec_pool *pool)
{
    int64_t now = clock_monotonic_ms();
    int64_t wait = -1;

    pool->fds[0] =
        (struct pollfd){.fd = bell_fd(&pool->wake), .events = POLLIN};
    for (size_t i = 0; i < pool->n_slots; i++) {
        const struct process *slot = &pool->slots[i];
        struct pollfd *fds = &pool->fds[1 + FDS_A_SLOT * i];
        bool unsent =
            slot->request != NULL && slot->written < slot->request->len;
        fds[0] = (struct pollfd){.fd = slot->child.out, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = slot->child.errors, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = unsent ? slot->child.in : -1,
                                 .events = POLLOUT};
        if (slot->request == NULL)
            continue;
        int64_t end = slot->answered_ms > 0 ? slot->answered_ms + PROOF_MS
                                            : slot->deadline_ms;
        int64_t left = end > now ? end - now : 0;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return (int)wait;
}

static bool is_stopping(struct exec_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    bool stopping = pool->stopping;
    (void)pthread_mutex_unlock(&pool->lock);
    return stopping;
}

static void *run(void *arg)
{
    struct exec_pool *pool = arg;
    char how[EXEC_END_BYTES];

    while (!is_stopping(pool)) {
        bool ended = give_requests(pool);
        int wait = prepare_poll(pool);
        (void)poll(pool->fds, (nfds_t)(1 + FDS_A_SLOT * pool->n_slots),
                   ended ? 0 : wait);
        bell_clear(&pool->wake);
        for (size_t i = 0; i < pool->n_slots; i++)
            serve_slot(pool, &pool->slots[i], &pool->fds[1 + FDS_A_SLOT * i]);
    }
    for (size_t i = 0; i < pool->n_slots; i++)
        exec_child_end(&pool->slots[i].child, EXEC_END_NOW, how);
    return NULL;
}

// The owner's side.

static bool copy_commands(struct exec_pool *pool,
                          const struct exec_command *commands)
{
    size_t n = pool->options.n_commands;

    pool->commands = calloc(n, sizeof *pool->commands);
    pool->paths = calloc(n, sizeof *pool->paths);
    pool->proofs = calloc(n, sizeof *pool->proofs);
    if (pool->commands == NULL || pool->paths == NULL || pool->proofs == NULL)
        return false;
    memcpy(pool->commands, commands, n * sizeof *commands);
    return true;
}

static bool make_slots(struct exec_pool *pool)
{
    size_t processes = (size_t)pool->options.processes;
    size_t n = pool->options.n_commands * processes;

    pool->slots = calloc(n, sizeof *pool->slots);
    pool->fds = calloc(1 + FDS_A_SLOT * n, sizeof *pool->fds);
    if (pool->slots == NULL || pool->fds == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        exec_child_init(&pool->slots[i].child, LINE_MAX_BYTES);
        pool->slots[i].command = i / processes;
    }
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
        err_set(err, ERR_IO, "the folder of the job, %.120s: %s",
                options->folder, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < options->n_commands; i++) {
        pool->paths[i] =
            exec_program_find(pool->folder, &pool->commands[i], err);
        if (pool->paths[i] == NULL)
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
    pool->waiting_end = &pool->waiting;
    pool->done_end = &pool->done;
    (void)pthread_mutex_init(&pool->lock, NULL);
    pool->wake = pool->ready = (struct bell)BELL_NONE;
    if (!copy_commands(pool, options->commands) || !make_slots(pool))
        err_nomem(err, "the programs of the job");
    else if (bell_open(&pool->wake, "the programs of the job", err) &&
             bell_open(&pool->ready, "the programs of the job", err) &&
             find_programs(pool, err) && start_thread(pool, err))
        return pool;
    exec_pool_stop(pool);
    return NULL;
}

static void free_requests(struct exec_request *request)
{
    while (request != NULL) {
        struct exec_request *next = request->next;
        free(request->item);
        free(request);
        request = next;
    }
}

static void release_slots(struct exec_pool *pool)
{
    for (size_t i = 0; i < pool->n_slots; i++) {
        free_requests(pool->slots[i].request);
        buf_release(&pool->slots[i].child.answer);
    }
    free(pool->slots);
    free(pool->fds);
}

void exec_pool_stop(struct exec_pool *pool)
{
    struct exec_done done;

    if (pool == NULL)
        return;
    if (pool->running) {
        (void)pthread_mutex_lock(&pool->lock);
        pool->stopping = true;
        (void)pthread_mutex_unlock(&pool->lock);
        bell_ring(&pool->wake);
        (void)pthread_join(pool->thread, NULL);
    }
    while (exec_pool_take(pool, &done))
        exec_done_release(&done);
    free_requests(pool->waiting);
    release_slots(pool);
    bell_close(&pool->wake);
    bell_close(&pool->ready);
    for (size_t i = 0; pool->paths != NULL && i < pool->options.n_commands; i++)
        free(pool->paths[i]);
    free(pool->paths);
    free(pool->proofs);
    free(pool->commands);
    free(pool->folder);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct exec_request *make_request(size_t command, uint64_t id,
                                         const char *line, size_t len)
{
    struct exec_request *request = calloc(1, sizeof *request + len + 1);
    struct done_item *item = calloc(1, sizeof *item);

    if (request == NULL || item == NULL) {
        free(request);
        free(item);
        return NULL;
    }
    item->done.id = id;
    request->item = item;
    request->command = command;
    request->len = len + 1;
    memcpy(request->line, line, len);
    request->line[len] = '\n';
    return request;
}

bool exec_pool_begin(struct exec_pool *pool, size_t command, uint64_t id,
                     const char *line, size_t len, struct err *err)
{
    assert(command < pool->options.n_commands);
    assert(memchr(line, '\n', len) == NULL);

    if (len > EXEC_POOL_MAX_LINE_BYTES) {
        err_set(err, ERR_LIMIT, "a request to %s has %zu bytes, over %d",
                pool->commands[command].what, len, EXEC_POOL_MAX_LINE_BYTES);
        return false;
    }
    struct exec_request *request = make_request(command, id, line, len);
    if (request == NULL) {
        err_nomem(err, pool->commands[command].what);
        return false;
    }
    (void)pthread_mutex_lock(&pool->lock);
    *pool->waiting_end = request;
    pool->waiting_end = &request->next;
    (void)pthread_mutex_unlock(&pool->lock);
    bell_ring(&pool->wake);
    return true;
}

int exec_pool_fd(const struct exec_pool *pool)
{
    return bell_fd(&pool->ready);
}

bool exec_pool_take(struct exec_pool *pool, struct exec_done *done)
{
    (void)pthread_mutex_lock(&pool->lock);
    struct done_item *item = pool->done;
    if (item != NULL) {
        pool->done = item->next;
        if (pool->done == NULL) {
            pool->done_end = &pool->done;
            bell_clear(&pool->ready);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    if (item == NULL)
        return false;
    *done = item->done;
    free(item);
    return true;
}
