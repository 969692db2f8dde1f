#include "coordinator/query_child.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "exec/exec_child.h"
#include "wire/message.h"

enum { LOOK_MS = 1000 };

static void end_input(struct exec_child *child)
{
    if (child->in >= 0)
        (void)close(child->in);
    child->in = -1;
}

// Waits until there is output to read, or room for more input.
static void wait_for(const struct exec_child *child, int64_t until_ms)
{
    struct pollfd items[] = {{.fd = child->out, .events = POLLIN},
                             {.fd = child->errors, .events = POLLIN},
                             {.fd = child->in, .events = POLLOUT}};
    int64_t left = until_ms - clock_monotonic_ms();

    (void)poll(items, sizeof items / sizeof *items,
               (int)(left < 0         ? 0
                     : left > LOOK_MS ? LOOK_MS
                                      : left));
}

// Writes the question to the process and reads its output to the end.
static bool talk(struct exec_child *child, const char *argument,
                 struct err *err)
{
    int64_t until_ms = clock_monotonic_ms() + QUERY_CHILD_MS;
    size_t len = strlen(argument), written = 0;

    for (;;) {
        enum exec_reading reading;

        if (child->in >= 0 &&
            (!exec_child_write(child, argument, len, &written) ||
             written == len))
            end_input(child);
        reading = exec_child_read(child);
        if (reading == EXEC_READ_ENDED)
            return true;
        if (reading == EXEC_READ_TOO_LONG) {
            err_set(err, ERR_LIMIT,
                    "the answer is over the %d MiB of a reply: ask for less of "
                    "it, with WHERE or LIMIT, or on the coordinator's own "
                    "machine",
                    WIRE_MAX_TEXT >> 20);
            return false;
        }
        if (clock_monotonic_ms() >= until_ms) {
            err_set(err, ERR_LIMIT,
                    "the query took over %d s and was ended: narrow it with "
                    "WHERE or LIMIT, or query a copy of the store with sqlite3",
                    QUERY_CHILD_MS / 1000);
            return false;
        }
        wait_for(child, until_ms);
    }
}

char *query_child_ask(const char *program, const char *store,
                      const char *argument, struct err *err)
{
    const char *const argv[] = {"promptcc", "answer-query", store, NULL};
    struct exec_child child;
    char how[EXEC_END_BYTES];
    char *text = NULL;
    bool ended;

    if (program == NULL) {
        err_set(
            err, ERR_INPUT,
            "this coordinator does not run SQL: ask on its own machine, with "
            "--store");
        return NULL;
    }
    exec_child_init(&child, WIRE_MAX_TEXT - 1);
    if (!exec_child_start(&child, program, argv, ".", err))
        return NULL;
    ended = talk(&child, argument, err);
    if (exec_child_end(&child, ended ? EXEC_END_PATIENTLY : EXEC_END_NOW,
                       how) &&
        ended && child.answer.len > 0)
        text = buf_take(&child.answer);
    else if (ended)
        err_set(err, ERR_LIMIT,
                "the query could not be run to its end (its process %s): "
                "narrow it with WHERE or LIMIT",
                how);
    buf_release(&child.answer);
    return text;
}
