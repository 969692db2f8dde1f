// serve_command: what the coordinator is asked for, or told to do.

#include <stdlib.h>

#include "common/json.h"
#include "store/job_name.h"
#include "web/exchange.h"

static void send_reply(struct exchange *exchange, json_t *answer,
                       const struct err *err)
{
    if (answer == NULL)
        reply_error(exchange->reply, reply_status(err, 409), err);
    else
        reply_json(exchange->reply, answer);
    json_decref(answer);
}

// Returns true if the store has the job that the path names. If not, the reply
// says so. We ask the store because a coordinator only says that a command
// failed.
static bool knows_job(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    struct store *store = readers_take(exchange->web->readers, &err);
    char *id = NULL;

    if (store == NULL) {
        reply_error(exchange->reply, 503, &err);
        return false;
    }
    id = job_name_find(store, exchange->path.job, &err);
    readers_give(exchange->web->readers, store);
    if (id == NULL)
        reply_error(exchange->reply, reply_status(&err, 404), &err);
    bool known = id != NULL;
    free(id);
    return known;
}

void serve_command(struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    struct err err = ERR_CLEAR;

    if (request->body_len > 0) {
        json_t *body = exchange_body(exchange);

        if (body == NULL)
            return;
        json_decref(body);
    }
    if (exchange->path.job[0] != '\0' && !knows_job(exchange))
        return;
    send_reply(exchange,
               web_ask(&exchange->web->commands, exchange->route->verb,
                       exchange->path.job, request->body, &err),
               &err);
}

// Runs the program on a message of the user: {"inputs": {...}}.
void serve_try(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *body = exchange_body(exchange);
    const json_t *inputs = json_object_get(body, "inputs");

    if (body == NULL)
        return;
    if (!json_is_object(inputs))
        reply_words(exchange->reply, 400,
                    "the body must be {\"inputs\": {...}}");
    else if (knows_job(exchange))
        send_reply(exchange,
                   web_try(exchange->web, exchange->path.job, inputs, &err),
                   &err);
    json_decref(body);
}
