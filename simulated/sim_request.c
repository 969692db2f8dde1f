#include "simulated/sim_request.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"

#include "simulated/sim_model.h"

enum {
    ARENA_MAX_BYTES = 32 << 20,
    TOKENS_A_MESSAGE = 4, // the template's overhead
};

__attribute__((format(printf, 3, 4))) static bool
refuse(struct sim_refusal *refusal, unsigned status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refusal->status = status;
    vsnprintf(refusal->text, sizeof refusal->text, format, args);
    va_end(args);
    return false;
}

// ---- options

enum option_type { OPTION_INT, OPTION_FLOAT };

static const struct {
    const char *name;
    enum option_type type;
} OPTIONS[] = {
    {"num_ctx", OPTION_INT},       {"num_predict", OPTION_INT},
    {"seed", OPTION_INT},          {"top_k", OPTION_INT},
    {"num_batch", OPTION_INT},     {"num_gpu", OPTION_INT},
    {"num_thread", OPTION_INT},    {"num_keep", OPTION_INT},
    {"temperature", OPTION_FLOAT}, {"top_p", OPTION_FLOAT},
    {"min_p", OPTION_FLOAT},       {"repeat_penalty", OPTION_FLOAT},
};

static bool check_options(const json_t *options, struct sim_refusal *refusal)
{
    if (options == NULL || json_is_null(options))
        return true;
    if (!json_is_object(options))
        return refuse(refusal, 400,
                      "json: cannot unmarshal value into Go struct field "
                      "ChatRequest.options of type map[string]interface {}");
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const json_t *value = json_object_get(options, OPTIONS[i].name);
        if (value != NULL && !json_is_number(value))
            return refuse(refusal, 500, "option \"%s\" must be of type %s",
                          OPTIONS[i].name,
                          OPTIONS[i].type == OPTION_INT ? "integer"
                                                        : "float32");
    }
    return true;
}

static int64_t whole(const json_t *object, const char *key, int64_t fallback)
{
    double value = json_get_number(object, key, (double)fallback);
    return (int64_t)fmin(fmax(value, -1e15), 1e15);
}

static void read_options(struct sim_request *request, const json_t *options)
{
    request->num_ctx = whole(options, "num_ctx", 0);
    request->num_predict = whole(options, "num_predict", 0);
    request->seed = whole(options, "seed", 0);
    request->temperature = json_get_number(options, "temperature", 0.8);
}

// ---- format

static bool is_sound_schema(const json_t *schema, int depth)
{
    static const char *const TYPES[] = {
        "string", "number", "integer", "object", "boolean", "array", "null"};
    if (!json_is_object(schema) || depth > 16)
        return depth <= 16 && json_is_boolean(schema);
    const json_t *values = json_object_get(schema, "enum");
    if (values != NULL && json_array_size(values) == 0)
        return false;
    const json_t *type = json_object_get(schema, "type");
    bool known = !json_is_string(type);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES && !known; i++)
        known = strcmp(json_string_value(type), TYPES[i]) == 0;
    if (!known)
        return false;
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(json_object_get(schema, "properties"), key, member)
        if (!is_sound_schema(member, depth + 1))
            return false;
    const json_t *items = json_object_get(schema, "items");
    return items == NULL || is_sound_schema(items, depth + 1);
}

static bool read_format(struct sim_request *request, const json_t *format,
                        struct sim_refusal *refusal)
{
    const char *name = json_string_value(format);
    if (format == NULL || json_is_null(format) ||
        (name != NULL && name[0] == '\0'))
        return true;
    request->json = true;
    if (name != NULL && strcmp(name, "json") == 0)
        return true;
    if (name != NULL)
        return refuse(refusal, 400,
                      "invalid format: \"%.60s\"; expected \"json\" or a valid "
                      "JSON Schema object",
                      name);
    if (!json_is_object(format))
        return refuse(refusal, 500,
                      "invalid format: expected \"json\" or a "
                      "valid JSON Schema object");
    if (!is_sound_schema(format, 0))
        return refuse(refusal, 400, "invalid JSON schema in format");
    request->schema = format;
    return true;
}

static bool read_response_format(struct sim_request *request,
                                 const json_t *format,
                                 struct sim_refusal *refusal)
{
    const char *type = json_get_text(format, "type", "text");
    if (strcmp(type, "json_object") == 0)
        request->json = true;
    if (strcmp(type, "json_schema") != 0)
        return true;
    const json_t *outer = json_object_get(format, "json_schema");
    return read_format(request, json_object_get(outer, "schema"), refusal);
}

// ---- messages

// Reads a text, or the text parts of a list of parts.
static bool read_content(struct sim_request *request, const json_t *content,
                         struct sim_message *message,
                         struct sim_refusal *refusal)
{
    if (content == NULL || json_is_null(content)) {
        message->content = "";
        return true;
    }
    if (json_is_string(content)) {
        message->content = json_string_value(content);
        message->len = json_string_length(content);
        return true;
    }
    if (!json_is_array(content))
        return refuse(refusal, 400,
                      "json: cannot unmarshal value into Go struct field "
                      "ChatRequest.messages.content of type string");
    struct buf text = BUF_INIT(SIM_BODY_MAX_BYTES);
    size_t i = 0;
    const json_t *part = NULL;
    json_array_foreach(content, i, part)
        buf_puts(&text, json_get_text(part, "text", ""));
    message->content = arena_strndup(
        &request->arena, text.data == NULL ? "" : text.data, text.len);
    message->len = text.len;
    buf_release(&text);
    return message->content != NULL || refuse(refusal, 500, "no memory");
}

static bool is_role(const char *role)
{
    return strcmp(role, "system") == 0 || strcmp(role, "user") == 0 ||
           strcmp(role, "assistant") == 0 || strcmp(role, "tool") == 0;
}

// Skips messages with an unknown role, as Ollama does.
static bool read_messages(struct sim_request *request, const json_t *messages,
                          struct sim_refusal *refusal)
{
    size_t n = json_array_size(messages);
    if (n > SIM_MESSAGES_MAX)
        return refuse(refusal, 400, "more than %d messages", SIM_MESSAGES_MAX);
    request->messages =
        arena_array(&request->arena, n, sizeof *request->messages);
    if (request->messages == NULL)
        return refuse(refusal, 500, "no memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *message = json_array_get(messages, i);
        struct sim_message *out = &request->messages[request->n_messages];
        *out = (struct sim_message){.role = json_get_text(message, "role", "")};
        if (!read_content(request, json_object_get(message, "content"), out,
                          refusal))
            return false;
        request->n_messages += is_role(out->role);
    }
    return true;
}

// ---- the whole request

static bool read_native(struct sim_request *request,
                        struct sim_refusal *refusal)
{
    const json_t *body = request->body;
    const json_t *options = json_object_get(body, "options");
    const json_t *keep = json_object_get(body, "keep_alive");
    const json_t *think = json_object_get(body, "think");
    const char *level = json_string_value(think);
    if (!check_options(options, refusal) ||
        !read_format(request, json_object_get(body, "format"), refusal))
        return false;
    read_options(request, options);
    request->stream = json_get_bool(body, "stream", true);
    request->truncate = json_get_bool(body, "truncate", true);
    request->shift = json_get_bool(body, "shift", true);
    if (json_is_boolean(think) || level != NULL)
        request->think =
            level != NULL || json_is_true(think) ? SIM_THINK_ON : SIM_THINK_OFF;
    request->unload =
        (json_is_number(keep) && !(json_number_value(keep) != 0)) ||
        (json_is_string(keep) && strcmp(json_string_value(keep), "0") == 0);
    request->load_only = request->n_messages == 0;
    return true;
}

static bool read_openai(struct sim_request *request,
                        struct sim_refusal *refusal)
{
    const json_t *body = request->body;
    if (request->n_messages == 0)
        return refuse(refusal, 400, "[] is too short - 'messages'");
    if (!check_options(body, refusal) ||
        !read_response_format(request, json_object_get(body, "response_format"),
                              refusal))
        return false;
    read_options(request, body);
    request->num_ctx = 0;
    request->num_predict =
        whole(body, "max_tokens", whole(body, "max_completion_tokens", 0));
    request->temperature = json_get_number(body, "temperature", 1.0);
    request->stream = json_get_bool(body, "stream", false);
    request->truncate = true;
    request->shift = true;
    return true;
}

// Reads what is the same in both APIs. Ollama takes 0 to 20 alternatives.
static void read_logprobs(struct sim_request *request)
{
    int64_t top = whole(request->body, "top_logprobs", 0);
    request->logprobs = json_get_bool(request->body, "logprobs", false);
    request->top_logprobs = (size_t)(top < 0 ? 0 : top > 20 ? 20 : top);
}

static bool hash_body(struct sim_request *request, enum sim_api api)
{
    struct buf text = BUF_INIT(2 * SIM_BODY_MAX_BYTES);
    json_put_sorted(&text, request->body);
    bool ok = !text.failed && text.data != NULL;
    if (ok)
        request->hash =
            hash_of(api == SIM_API_OPENAI ? "simulated request, openai"
                                          : "simulated request",
                    text.data, text.len);
    buf_release(&text);
    return ok;
}

// Reads what every request has: a JSON object that names a model.
static bool read_body(struct sim_request *request, const char *body, size_t len,
                      enum sim_api api, struct sim_refusal *refusal)
{
    struct err err = ERR_CLEAR;
    *request = (struct sim_request){.arena = ARENA_INIT(ARENA_MAX_BYTES)};
    *refusal = (struct sim_refusal){.status = 0};
    if (len == 0)
        return refuse(refusal, 400, "missing request body");
    request->body = json_parse(body, len, SIM_BODY_MAX_BYTES, &err);
    if (request->body == NULL)
        return refuse(refusal, 400, "invalid JSON: %.200s", err.text);
    if (!json_is_object(request->body))
        return refuse(refusal, 400,
                      "json: cannot unmarshal value into Go "
                      "value of type api.ChatRequest");
    if (!hash_body(request, api))
        return refuse(refusal, 500, "no memory");
    request->model = json_get_text(request->body, "model", "");
    return request->model[0] != '\0' ||
           refuse(refusal, 400, "model is required");
}

bool sim_request_read(struct sim_request *request, const char *body, size_t len,
                      enum sim_api api, struct sim_refusal *refusal)
{
    if (!read_body(request, body, len, api, refusal))
        return false;
    if (!read_messages(request, json_object_get(request->body, "messages"),
                       refusal))
        return false;
    read_logprobs(request);
    return api == SIM_API_OPENAI ? read_openai(request, refusal)
                                 : read_native(request, refusal);
}

// Reads a text, or a list of texts.
static bool read_input(struct sim_request *request, const json_t *input,
                       struct sim_refusal *refusal)
{
    size_t n = json_is_string(input) ? 1 : json_array_size(input);
    if (n == 0 || n > SIM_MESSAGES_MAX)
        return refuse(refusal, 400, "input must be 1 to %d texts",
                      SIM_MESSAGES_MAX);
    request->messages =
        arena_array(&request->arena, n, sizeof *request->messages);
    if (request->messages == NULL)
        return refuse(refusal, 500, "no memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *text =
            json_is_string(input) ? input : json_array_get(input, i);
        if (!json_is_string(text))
            return refuse(refusal, 400, "invalid input type");
        request->messages[request->n_messages++] =
            (struct sim_message){.role = "user",
                                 .content = json_string_value(text),
                                 .len = json_string_length(text)};
    }
    return true;
}

bool sim_request_read_embed(struct sim_request *request, const char *body,
                            size_t len, enum sim_api api,
                            struct sim_refusal *refusal)
{
    if (!read_body(request, body, len, api, refusal) ||
        !read_input(request, json_object_get(request->body, "input"), refusal))
        return false;
    const json_t *options = json_object_get(request->body, "options");
    if (api == SIM_API_OLLAMA && !check_options(options, refusal))
        return false;
    read_options(request, options);
    request->embeds = true;
    request->truncate =
        api == SIM_API_OLLAMA && json_get_bool(request->body, "truncate", true);
    return true;
}

void sim_request_release(struct sim_request *request)
{
    json_decref(request->body);
    arena_release(&request->arena);
}

// ---- fitting the context

static size_t tokens_of(const struct sim_message *message)
{
    return sim_model_tokens(message->len) + TOKENS_A_MESSAGE;
}

// Returns the oldest message that may be dropped: neither a system message nor
// the last one.
static size_t find_droppable(const struct sim_request *request)
{
    for (size_t i = 0; i + 1 < request->n_messages; i++)
        if (strcmp(request->messages[i].role, "system") != 0)
            return i;
    return request->n_messages;
}

// Handles a system message and question that together are still too long: cuts
// the end of the longest message, as a server cuts tokens out of the middle.
static void cut_longest(struct sim_request *request, size_t over)
{
    struct sim_message *longest = &request->messages[0];
    for (size_t i = 1; i < request->n_messages; i++)
        if (request->messages[i].len > longest->len)
            longest = &request->messages[i];
    size_t bytes = over * 4;
    longest->len = bytes < longest->len ? longest->len - bytes : 0;
    char *copy = arena_strndup(&request->arena, longest->content, longest->len);
    longest->content = copy != NULL ? copy : "";
    longest->len = strlen(longest->content);
}

// Checks texts to embed one by one: each has the whole window to itself, and
// loses its end if that is allowed.
static bool fit_texts(struct sim_request *request, size_t room)
{
    bool fits = true;
    for (size_t i = 0; i < request->n_messages; i++) {
        size_t n = tokens_of(&request->messages[i]);
        fits = fits && (n < room || request->truncate);
        if (n >= room && request->truncate) {
            request->messages[i].len = room * 4 < request->messages[i].len
                                           ? room * 4
                                           : request->messages[i].len;
            n = room;
        }
        request->n_tokens += n;
    }
    return fits;
}

bool sim_request_fit(struct sim_request *request, int64_t num_ctx)
{
    size_t room = num_ctx > 0 ? (size_t)num_ctx : 0;
    request->n_tokens = 0;
    if (request->embeds)
        return fit_texts(request, room);
    for (size_t i = 0; i < request->n_messages; i++)
        request->n_tokens += tokens_of(&request->messages[i]);
    if (request->n_tokens < room)
        return true;
    if (!request->truncate)
        return false;
    size_t at = find_droppable(request);
    while (request->n_tokens >= room && at < request->n_messages) {
        request->n_tokens -= tokens_of(&request->messages[at]);
        request->n_messages--;
        memmove(&request->messages[at], &request->messages[at + 1],
                (request->n_messages - at) * sizeof *request->messages);
        at = find_droppable(request);
    }
    if (request->n_tokens >= room && request->n_messages > 0) {
        cut_longest(request, request->n_tokens - room + 1);
        request->n_tokens = room > 0 ? room - 1 : 0;
    }
    return true;
}
