#include "exec/exec_slot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

enum {
    LINE_MAX_BYTES = 1 << 20, // of an answer
    PROOF_MS = 1000,      // how long a first child may write after its answer
    LACK_MOST_MS = 30000, // how long the system may lack processes
    LACK_AGAIN_MS = 250,  // between two attempts meanwhile
    COMMAND_SHOWN_BYTES = 60,
    WHAT_BYTES = 220, // of what a child did
    ERRORS_SHOWN_BYTES = 90,
};

void exec_slot_init(struct exec_slot *slot, struct exec_service *service,
                    struct exec_queue *queue)
{
    *slot = (struct exec_slot){.service = service, .queue = queue};
    exec_child_init(&slot->child, LINE_MAX_BYTES);
}

void exec_slot_release(struct exec_slot *slot)
{
    if (slot->request != NULL)
        free(slot->request->result);
    free(slot->request);
    buf_release(&slot->child.answer);
}

// --- the end of a request ---

// Takes the request off the slot and posts its result.
static void end_request(struct exec_slot *slot)
{
    struct exec_request *request = slot->request;

    if (slot->proving)
        slot->service->proof =
            request->result->done.ok ? EXEC_PROVEN : EXEC_UNPROVEN;
    slot->proving = false;
    slot->request = NULL;
    exec_queue_post(slot->queue, request);
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

// Ends the request with what the child did, which continues the sentence "the
// metric's command `x` ...", and ends the child.
static void end_in_fault(struct exec_slot *slot, enum err_code code,
                         const char *what)
{
    const struct exec_command *asked = &slot->service->command;
    struct exec_done *done = &slot->request->result->done;
    char command[COMMAND_SHOWN_BYTES];
    char errors[ERRORS_SHOWN_BYTES];
    char how[EXEC_END_BYTES];

    exec_child_end(&slot->child, EXEC_END_NOW, how);
    show_command(asked->argv, command, sizeof command);
    show_errors(slot->child.tail, slot->child.tail_len, errors, sizeof errors);
    err_set(&done->fault, code, "%s `%s` %s%s%s", asked->what, command, what,
            errors[0] != '\0' ? "; its standard error ends: " : "", errors);
    done->errors = strdup(slot->child.tail);
    end_request(slot);
}

static void fault(struct exec_slot *slot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fault(struct exec_slot *slot, const char *format, ...)
{
    char what[WHAT_BYTES];
    va_list args;

    va_start(args, format);
    (void)text_vprint(what, sizeof what, format, args);
    va_end(args);
    end_in_fault(slot, ERR_FAULT, what);
}

// Takes the first len bytes of the child's output as its answer.
static void take_answer(struct exec_slot *slot, size_t len)
{
    const struct exec_command *asked = &slot->service->command;
    struct exec_done *done = &slot->request->result->done;
    struct buf *answer = &slot->child.answer;
    struct err err = ERR_CLEAR;

    if (len + 1 < answer->len) {
        fault(slot,
              "answered with more than one line: what else it prints belongs "
              "on standard error");
        return;
    }
    if (len > 0 && answer->data[len - 1] == '\r')
        len--;
    if (asked->check != NULL &&
        !asked->check(asked->of, answer->data, len, &err)) {
        fault(slot, "gave no answer: %s", err.text);
        return;
    }
    done->text = calloc(1, len + 1);
    if (done->text == NULL) {
        fault(slot, "gave an answer, but there is no memory for it");
        return;
    }
    memcpy(done->text, answer->data, len);
    done->len = len;
    done->ok = true;
    slot->answered = true;
    buf_clear(answer);
    end_request(slot);
}

// --- its beginning ---

// What the system lacks, others may give back in a moment.
static void fail_to_start(struct exec_slot *slot, const struct err *why)
{
    int64_t now_ms = clock_monotonic_ms();
    char what[WHAT_BYTES];

    if (slot->lacking_ms == 0)
        slot->lacking_ms = now_ms;
    if (why->code == ERR_LIMIT && now_ms - slot->lacking_ms < LACK_MOST_MS) {
        slot->again_ms = now_ms + LACK_AGAIN_MS;
        return;
    }
    slot->lacking_ms = 0;
    (void)text_print(what, sizeof what, "does not run: %s", why->text);
    end_in_fault(slot, why->code, what);
}

// Gives the slot's request to its child. Starts a child if none is running.
static void start_request(struct exec_slot *slot)
{
    const struct exec_command *command = &slot->service->command;
    struct err err = ERR_CLEAR;

    slot->written = 0;
    if (slot->child.pid == 0) {
        slot->answered = false;
        if (command->may_start != NULL &&
            !command->may_start(command->with, &err)) {
            slot->request->result->done.fault = err;
            end_request(slot);
            return;
        }
        if (!exec_child_start(&slot->child, slot->service->path, command->argv,
                              slot->service->folder, &err)) {
            fail_to_start(slot, &err);
            return;
        }
        slot->lacking_ms = 0;
    }
    slot->deadline_ms = clock_monotonic_ms() + command->timeout_ms;
}

static bool exits_well(const char *how)
{
    return strcmp(how, "exited with status 0") == 0;
}

// Call when the child has closed its output, or does not read any more.
static void serve_end(struct exec_slot *slot)
{
    char how[EXEC_END_BYTES];
    bool silent = slot->child.answer.len == 0;
    bool politely = exec_child_end(&slot->child, EXEC_END_PATIENTLY, how);
    bool proving = slot->proving;

    if (politely && silent && proving) {
        slot->proving = false;
        slot->service->proof = EXEC_PROVEN;
    }
    if (politely && silent && (slot->answered || proving))
        start_request(slot);
    else
        fault(slot, "%s before it answered%s", how,
              exits_well(how) ? ": it has to read lines until there are no more"
                              : "");
}

void exec_slot_give(struct exec_slot *slot, struct exec_request *request)
{
    slot->request = request;
    slot->proving = slot->service->proof == EXEC_UNPROVEN;
    slot->answered_ms = 0;
    if (slot->proving)
        slot->service->proof = EXEC_PROVING;
    if (!slot->out_of_step) {
        start_request(slot);
        return;
    }
    slot->out_of_step = false;
    fault(slot, "wrote a line that it was not asked for");
}

// --- what the child writes ---

// An idle child should be silent. It may end; the next request then starts
// another one.
static void serve_idle(struct exec_slot *slot, enum exec_reading state)
{
    char how[EXEC_END_BYTES];

    slot->out_of_step =
        slot->child.answer.len > 0 || state == EXEC_READ_TOO_LONG;
    if (slot->out_of_step || state != EXEC_READ_OPEN)
        exec_child_end(&slot->child, EXEC_END_NOW, how);
}

// Returns true if we have all that the first child of a command writes in reply
// to its one line. It has until it ends, or PROOF_MS.
static bool is_whole(struct exec_slot *slot, enum exec_reading state)
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
static void end_proof(struct exec_slot *slot, size_t len)
{
    char how[EXEC_END_BYTES];

    drop_goodbye(&slot->service->command, &slot->child.answer, len);
    take_answer(slot, len);
    (void)exec_child_end(&slot->child, EXEC_END_NOW, how);
}

// Returns false if the child does not read any more.
static bool write_request(struct exec_slot *slot)
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

// Takes the answer. A child that answered before it was given its whole line
// would take the next one for the rest of it, so it gets no other.
static void end_asked(struct exec_slot *slot, size_t len)
{
    bool whole = slot->written == slot->request->len;
    char how[EXEC_END_BYTES];

    take_answer(slot, len);
    if (!whole)
        (void)exec_child_end(&slot->child, EXEC_END_NOW, how);
}

static void serve_asked(struct exec_slot *slot, enum exec_reading state)
{
    const struct buf *answer = &slot->child.answer;
    const char *end =
        answer->len > 0 ? memchr(answer->data, '\n', answer->len) : NULL;
    int64_t timeout_ms = slot->service->command.timeout_ms;

    if (end != NULL && slot->proving && !is_whole(slot, state))
        (void)write_request(slot);
    else if (end != NULL && slot->proving)
        end_proof(slot, (size_t)(end - answer->data));
    else if (end != NULL)
        end_asked(slot, (size_t)(end - answer->data));
    else if (state == EXEC_READ_TOO_LONG)
        fault(slot, "answered with a line over %d bytes", LINE_MAX_BYTES);
    else if (state == EXEC_READ_ENDED)
        serve_end(slot);
    else if (clock_monotonic_ms() >= slot->deadline_ms)
        fault(
            slot, "did not answer within %.10g s%s", (double)timeout_ms / 1000,
            slot->answered ? "" : ": does it flush each line that it prints?");
    else if (!write_request(slot))
        serve_end(slot);
}

void exec_slot_serve(struct exec_slot *slot, const struct pollfd *fds)
{
    enum exec_reading state = EXEC_READ_OPEN;

    if (slot->child.pid == 0) {
        if (slot->request != NULL && clock_monotonic_ms() >= slot->again_ms)
            start_request(slot);
        return;
    }
    if (fds[0].revents != 0 || fds[1].revents != 0)
        state = exec_child_read(&slot->child);
    if (slot->request == NULL)
        serve_idle(slot, state);
    else
        serve_asked(slot, state);
}

void exec_slot_end(struct exec_slot *slot)
{
    char how[EXEC_END_BYTES];

    exec_child_end(&slot->child, EXEC_END_NOW, how);
}

int64_t exec_slot_poll(const struct exec_slot *slot, struct pollfd *fds)
{
    bool unsent = slot->request != NULL && slot->written < slot->request->len;

    fds[0] = (struct pollfd){.fd = slot->child.out, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = slot->child.errors, .events = POLLIN};
    fds[2] =
        (struct pollfd){.fd = unsent ? slot->child.in : -1, .events = POLLOUT};
    if (slot->request == NULL)
        return -1;
    if (slot->child.pid == 0)
        return slot->again_ms;
    return slot->answered_ms > 0 ? slot->answered_ms + PROOF_MS
                                 : slot->deadline_ms;
}
