// serve_store: what is answered from the store, without the coordinator.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/job_name.h"
#include "store/lookup.h"
#include "web/exchange.h"

static const char *name_end(const char *name)
{
    return name + strcspn(name, "#%= ");
}

// Returns true if value is one of the words after `=`, which | parts.
static bool is_one_of(const char *words, const char *value)
{
    size_t len = strlen(value);

    while (*words == '=' || *words == '|') {
        size_t word = strcspn(++words, "| ");

        if (word == len && memcmp(words, value, len) == 0)
            return true;
        words += word;
    }
    return false;
}

// Reads a value as what follows the name in the route's `takes` says. Returns
// NULL and fills err if it is no such value.
static json_t *read_value(const char *key, const char *kind, const char *value,
                          struct err *err)
{
    char *end = NULL;
    json_t *read;

    if (*kind == '=' && !is_one_of(kind, value)) {
        err_set(err, ERR_INPUT, "`%s` takes %.*s, not `%.60s`", key,
                (int)strcspn(kind + 1, " "), kind + 1, value);
        return NULL;
    }
    if (*kind == '#')
        read = json_integer(strtoll(value, &end, 10));
    else if (*kind == '%')
        read = json_real(strtod(value, &end));
    else
        read = json_string(value);
    if (read != NULL && (end == NULL || *end == '\0'))
        return read;
    json_decref(read);
    err_set(err, ERR_INPUT, "`%s` takes a number, not `%.60s`", key, value);
    return NULL;
}

static bool put_parameter(const struct exchange *exchange, const char *name,
                          json_t *argument, struct err *err)
{
    const char *end = name_end(name);
    char key[32];
    const char *value;
    json_t *read;

    (void)snprintf(key, sizeof key, "%.*s", (int)(end - name), name);
    value = http_query(exchange->request, key);
    if (value == NULL || value[0] == '\0')
        return true;
    read = read_value(key, end, value, err);
    return read != NULL && json_object_set_new(argument, key, read) == 0;
}

// Checks that the route takes what the query says, and each name only once.
struct query_check {
    const char *takes;
    uint64_t seen; // a bit for each name in takes
    struct err *err;
};

static bool check_name(void *user, const char *name)
{
    struct query_check *check = user;
    const char *at = check->takes;
    size_t len = strlen(name);

    for (uint64_t bit = 1; *at != '\0'; bit <<= 1) {
        if (strncmp(at, name, len) == 0 && name_end(at) == at + len) {
            if (check->seen & bit)
                err_set(check->err, ERR_INPUT, "`%.60s` is given twice", name);
            check->seen |= bit;
            return check->err->code == ERR_NONE;
        }
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    err_set(check->err, ERR_INPUT,
            "there is no parameter `%.60s` here: /api/v1/openapi.json lists "
            "those that there are",
            name);
    return false;
}

static bool check_query(const struct exchange *exchange, struct err *err)
{
    const char *takes = exchange->route->takes;
    struct query_check check = {.takes = takes == NULL ? "" : takes,
                                .err = err};

    http_query_names(exchange->request, check_name, &check);
    return err->code == ERR_NONE;
}

// Returns the argument of the verb, made from the path and the query. NULL on
// failure.
static json_t *read_argument(const struct exchange *exchange, struct err *err)
{
    const struct route *route = exchange->route;
    const char *at = route->takes == NULL ? "" : route->takes;
    const char *number = exchange->path.number;
    json_t *argument;

    if (!check_query(exchange, err))
        return NULL;
    argument = json_object();
    while (*at != '\0') {
        if (!put_parameter(exchange, at, argument, err)) {
            json_decref(argument);
            return NULL;
        }
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    // For "best" the verb chooses.
    if (route->number != NULL && strcmp(number, "best") != 0)
        (void)json_object_set_new(argument, route->number,
                                  json_integer(strtoll(number, NULL, 10)));
    return argument;
}

// Asks the store. Fills in the reply in any case.
static void answer_from(struct exchange *exchange, struct store *store,
                        const json_t *argument)
{
    struct err err = ERR_CLEAR;
    bool of_job = exchange->path.job[0] != '\0';
    char *id = of_job ? job_name_find(store, exchange->path.job, &err) : NULL;
    json_t *answer = NULL;

    if (of_job && id == NULL) {
        reply_error(exchange->reply, reply_status(&err, 404), &err);
        return;
    }
    answer = lookup_answer(store, exchange->route->verb, of_job ? id : "",
                           argument, &err);
    if (answer == NULL)
        reply_error(
            exchange->reply,
            reply_status(&err, exchange->route->number != NULL ? 404 : 400),
            &err);
    else
        reply_json(exchange->reply, answer);
    json_decref(answer);
    free(id);
}

void serve_lookup(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    json_t *argument = read_argument(exchange, &err);
    struct store *store =
        argument == NULL ? NULL : readers_take(exchange->web->readers, &err);

    if (argument == NULL) {
        reply_error(exchange->reply, 400, &err);
        return;
    }
    if (store == NULL) {
        reply_error(exchange->reply, 503, &err);
    } else {
        answer_from(exchange, store, argument);
        readers_give(exchange->web->readers, store);
    }
    json_decref(argument);
}

// Sends the compiled file as a download.
void serve_compiled(struct exchange *exchange)
{
    struct err err = ERR_CLEAR;
    char *text = web_compiled(exchange->web, exchange->path.job, &err);

    if (text == NULL) {
        reply_error(exchange->reply, reply_status(&err, 404), &err);
        return;
    }
    exchange->reply->type = "application/json";
    http_reply_header(exchange->reply, "Content-Disposition",
                      "attachment; filename=\"compiled.json\"");
    http_reply_header(exchange->reply, "Cache-Control", "no-store");
    buf_puts(&exchange->reply->body, text);
    free(text);
}
