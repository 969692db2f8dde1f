#include "cli/ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "cli/command.h"
#include "cli/job_operand.h"
#include "cli/output.h"
#include "client/client.h"
#include "common/json.h"
#include "common/shell_word.h"
#include "wire/key_find.h"
#include "wire/socket.h"

enum { REPLY_BYTES = 64 << 20, TEXT_BYTES = 4096 };

const char *ask_endpoint(const struct options *options, struct err *err)
{
    const char *endpoint = option_text(options, OPT_COORDINATOR);

    if (endpoint == NULL) {
        err_set(err, ERR_INPUT,
                "which cluster? Name its coordinator with --coordinator "
                "tcp://HOST:PORT%s",
                options->command->min_operands > 0 &&
                        (options->command->options & OPTIONS_JOB) == 0
                    ? " (to stop a `run` in a terminal, press Ctrl-C; the same "
                      "command continues it)"
                    : "");
        return NULL;
    }
    return endpoint;
}

void ask_put_address(const struct options *options, struct buf *out)
{
    static const struct {
        const char *name;
        enum option_id id;
    } parts[] = {{" --coordinator ", OPT_COORDINATOR}, {" --keys ", OPT_KEYS}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *value = option_text(options, parts[i].id);
        if (value == NULL)
            continue;
        buf_puts(out, parts[i].name);
        shell_word_show(value, out);
    }
}

bool ask_key(const struct options *options, enum key_role role, struct key *out,
             struct err *err)
{
    const char *keys = option_text(options, OPT_KEYS);

    *out = KEY_EMPTY;
    return keys == NULL || key_find(keys, role, out, err);
}

// Errors that the user can do something about keep their code; all others mean
// that the coordinator failed.
static enum err_code code_of(const char *name)
{
    static const enum err_code known[] = {ERR_INPUT, ERR_BUSY, ERR_LIMIT};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(err_code_name(known[i]), name) == 0)
            return known[i];
    return ERR_PROTOCOL;
}

// Passes an error in the coordinator's answer on as our own.
static json_t *read_reply(const char *text, struct err *err)
{
    json_t *reply = json_parse(text, strlen(text), REPLY_BYTES, err);
    json_t *error = json_object_get(reply, "error");

    if (error == NULL)
        return reply;
    err_set(err, code_of(json_get_text(error, "code", "")), "%s",
            json_get_text(error, "text", "the coordinator failed"));
    json_decref(reply);
    return NULL;
}

json_t *ask_client(struct client *client, const char *verb, const char *job,
                   const char *argument, struct err *err)
{
    json_t *reply = NULL;
    char *text = NULL;

    if (client_command(client, verb, job, argument, &text, err))
        reply = read_reply(text, err);
    free(text);
    return reply;
}

json_t *ask_coordinator(const struct options *options, const char *verb,
                        const char *job, const char *argument, struct err *err)
{
    const char *endpoint = ask_endpoint(options, err);
    struct key key = KEY_EMPTY;
    bool ready = endpoint != NULL && ask_key(options, KEY_CLIENT, &key, err);
    void *zmq = ready ? wire_context(err) : NULL;
    struct client *client =
        zmq == NULL ? NULL
                    : client_open(zmq, endpoint, &key, ASK_PATIENCE_MS, err);
    json_t *reply =
        client == NULL ? NULL : ask_client(client, verb, job, argument, err);

    client_close(client);
    key_wipe(&key);
    if (zmq != NULL)
        zmq_ctx_term(zmq);
    return reply;
}

// A job that was about to end by itself may be done instead of stopped.
static void put_outcome(const struct options *options, const json_t *reply,
                        const char *outcome, const char *again, struct buf *out)
{
    const char *job = json_get_text(reply, "job", options->operands[0]);
    const char *state = json_get_text(reply, "state", "");

    if (outcome != NULL)
        buf_printf(out, "%s %s", job, outcome);
    else
        buf_printf(out, "%s is %s", job, state);
    if (again != NULL && strcmp(state, "done") != 0) {
        buf_puts(out, "; `promptcc resume ");
        shell_word_show(job, out);
        ask_put_address(options, out);
        buf_printf(out, "`%s continues it", again);
    }
    buf_putc(out, '\n');
}

int ask_and_tell(const struct options *options, const char *verb,
                 const char *argument, const char *outcome, const char *again)
{
    struct err err = ERR_CLEAR;
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    char *job = job_operand_name(options, options->operands[0], &err);
    json_t *reply = job == NULL
                        ? NULL
                        : ask_coordinator(options, verb, job, argument, &err);
    int status;

    if (reply == NULL) {
        free(job);
        return output_error(options, &err);
    }
    if (option_on(options, OPT_JSON)) {
        status = output_json(reply);
    } else {
        put_outcome(options, reply, outcome, again, &text);
        status = output_lines(&terminal, &text);
    }
    buf_release(&text);
    json_decref(reply);
    free(job);
    return status;
}
