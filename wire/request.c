#include "wire/request.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"

enum { REQUEST_MAX_BYTES = 1 << 20 };

static const char *const action_names[] = {"run", "eval", NULL};

const char *request_action_name(enum request_action action)
{
    return action_names[action];
}

static bool find_action(const char *name, enum request_action *out)
{
    for (int i = 0; action_names[i] != NULL; i++)
        if (strcmp(action_names[i], name) == 0) {
            *out = (enum request_action)i;
            return true;
        }
    return false;
}

// Checks the types of the options.
static bool right_types(const json_t *options, struct err *err)
{
    static const struct {
        const char *key;
        bool text, list;
        const char *what;
    } rows[] = {
        {"set", false, true, "a list of texts"},
        {"simulated", false, false, "true or false"},
        {"all_steps", false, false, "true or false"},
        {"compiled", true, false, "a text"},
        {"data", true, false, "a text"},
        {"out", true, false, "a text"},
    };

    if (!json_is_object(options)) {
        err_set(err, ERR_PROTOCOL,
                "the options of a job are not a JSON object");
        return false;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *value = json_object_get(options, rows[i].key);
        bool right = rows[i].text   ? json_is_string(value)
                     : rows[i].list ? json_is_array(value)
                                    : json_is_boolean(value);

        if (value != NULL && !right) {
            err_set(err, ERR_PROTOCOL, "`%s` in a job's options must be %s",
                    rows[i].key, rows[i].what);
            return false;
        }
    }
    return true;
}

// Copies a text member, or sets NULL if it is missing or empty.
static bool copy_member(struct request *request, const json_t *options,
                        const char *key, const char **out, struct err *err)
{
    const char *text = json_get_text(options, key, "");

    *out = text[0] == '\0' ? NULL : arena_strdup(&request->arena, text);
    if (text[0] == '\0' || *out != NULL)
        return true;
    err_nomem(err, "a request");
    return false;
}

// Copies a number from 1 to `most`, or sets 0 if it is missing.
static bool copy_number(const json_t *options, const char *key, int most,
                        int32_t *out, struct err *err)
{
    const json_t *value = json_object_get(options, key);
    json_int_t number = json_integer_value(value);

    *out = (int32_t)number;
    if (value == NULL || (number >= 1 && number <= most))
        return true;
    err_set(err, ERR_PROTOCOL,
            "`%s` in a job's options must be a number from 1 to %d", key, most);
    return false;
}

static bool copy_overrides(struct request *request, const json_t *list,
                           struct err *err)
{
    size_t n = json_array_size(list);

    if (n > REQUEST_MAX_OVERRIDES) {
        err_set(err, ERR_PROTOCOL, "more than %d values were set",
                REQUEST_MAX_OVERRIDES);
        return false;
    }
    request->overrides =
        arena_array(&request->arena, n, sizeof *request->overrides);
    for (size_t i = 0; request->overrides != NULL && i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (text == NULL) {
            err_set(err, ERR_PROTOCOL,
                    "`set` holds something that is not text");
            return false;
        }
        request->overrides[i] = arena_strdup(&request->arena, text);
        if (request->overrides[i] == NULL)
            break;
        request->n_overrides++;
    }
    if (request->n_overrides == n)
        return true;
    err_nomem(err, "a request");
    return false;
}

struct request *request_read(const char *action, const char *options,
                             struct err *err)
{
    struct request *request = calloc(1, sizeof *request);
    json_t *json = json_parse(options, strlen(options), REQUEST_MAX_BYTES, err);
    bool ok = false;

    if (request == NULL) {
        err_nomem(err, "a request");
        goto out;
    }
    request->arena = ARENA_INIT(4 * REQUEST_MAX_BYTES);
    if (json == NULL || !right_types(json, err))
        goto out;
    if (!find_action(action, &request->action)) {
        err_set(err, ERR_PROTOCOL, "a job can be run or evaluated, not `%.40s`",
                action);
        goto out;
    }
    request->simulated = json_get_bool(json, "simulated", false);
    request->all_steps = json_get_bool(json, "all_steps", false);
    ok = copy_number(json, "priority", REQUEST_MAX_PRIORITY, &request->priority,
                     err) &&
         copy_number(json, "max_workers", REQUEST_MAX_WORKERS,
                     &request->max_workers, err) &&
         copy_member(request, json, "compiled", &request->compiled, err) &&
         copy_member(request, json, "data", &request->data, err) &&
         copy_member(request, json, "out", &request->out, err) &&
         copy_overrides(request, json_object_get(json, "set"), err);

out:
    json_decref(json);
    if (!ok) {
        request_free(request);
        request = NULL;
    }
    return request;
}

// Returns the overrides as a JSON list, or NULL when out of memory.
static json_t *overrides_json(const struct request *request)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < request->n_overrides; i++)
        if (json_array_append_new(list, json_string(request->overrides[i])) !=
            0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

// Writes a number, unless it is 0.
static bool put_number(json_t *json, const char *key, int32_t number)
{
    return number == 0 ||
           json_object_set_new(json, key, json_integer(number)) == 0;
}

// A job's options are JSON, which cannot hold a path in another encoding.
static bool check_path(const char *path, struct err *err)
{
    if (path == NULL || text_is_utf8(path, strlen(path)))
        return true;
    err_set(
        err, ERR_INPUT,
        "the path %.200s is not UTF-8 text: rename it, or name another file",
        path);
    return false;
}

bool request_write(const struct request *request, struct buf *out,
                   struct err *err)
{
    if (!check_path(request->out, err) || !check_path(request->data, err) ||
        !check_path(request->compiled, err))
        return false;

    json_t *set = overrides_json(request);
    json_t *json =
        set == NULL
            ? NULL
            : json_pack("{s:O, s:b, s:b, s:s, s:s, s:s}", "set", set,
                        "simulated", request->simulated, "all_steps",
                        request->all_steps, "compiled",
                        request->compiled == NULL ? "" : request->compiled,
                        "data", request->data == NULL ? "" : request->data,
                        "out", request->out == NULL ? "" : request->out);

    if (json != NULL &&
        (!put_number(json, "priority", request->priority) ||
         !put_number(json, "max_workers", request->max_workers))) {
        json_decref(json);
        json = NULL;
    }
    if (json == NULL)
        err_nomem(err, "a request");
    else
        json_put(out, json);
    json_decref(set);
    json_decref(json);
    return json != NULL && buf_ok(out, "the request", err);
}

void request_free(struct request *request)
{
    if (request == NULL)
        return;
    arena_release(&request->arena);
    free(request);
}
