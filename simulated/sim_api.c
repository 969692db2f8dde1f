#include "simulated/sim_api.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/json.h"

#include "simulated/sim_embed.h"
#include "simulated/sim_request.h"

enum {
    SLOW_FACTOR = 10,
    SLOW_AT_LEAST_US = 250000,
    HANG_US = 600 * 1000000,
    STREAM_PIECES = 8,
    LISTED_MAX = 64,
};

// What a token takes where no rate was set: fast, but never nothing.
static const double NOMINAL_TOKENS_PER_S = 1e6;

static const char JSON_TYPE[] = "application/json; charset=utf-8";

// ---- small things

static void put_text(struct buf *out, const char *text)
{
    buf_put_json(out, text, strlen(text));
}

static void put_now(struct buf *out)
{
    int64_t ms = clock_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32] = "";
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

static void fail(struct sim_exchange *exchange, bool openai, unsigned status,
                 const char *text)
{
    struct buf *out = &exchange->reply;
    exchange->status = status;
    exchange->record.outcome = "refused";
    buf_clear(out);
    buf_puts(out, openai ? "{\"error\": {\"message\": " : "{\"error\": ");
    put_text(out, text);
    if (openai)
        buf_printf(out, ", \"type\": \"%s\", \"param\": null, \"code\": null}",
                   status == 404  ? "not_found_error"
                   : status < 500 ? "invalid_request_error"
                                  : "api_error");
    buf_puts(out, "}");
}

// ---- which models there are

static bool is_listed(const struct sim_service *service, const char *name)
{
    char tagged[SIM_MODEL_NAME_MAX];
    snprintf(tagged, sizeof tagged, "%s:latest", name);
    for (size_t i = 0; i < service->n_models; i++)
        if (strcmp(service->models[i], name) == 0 ||
            strcmp(service->models[i], tagged) == 0)
            return true;
    return false;
}

static bool is_known(const struct sim_service *service, const char *name)
{
    if (strlen(name) >= SIM_MODEL_NAME_MAX - 8)
        return false;
    if (service->options.only_models)
        return is_listed(service, name);
    return strstr(name, "missing") == NULL;
}

// Such models think before they answer, unless told not to.
static bool can_think(const char *name)
{
    static const char *const NAMES[] = {"qwen3", "-r1", "think", "gpt-oss"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strstr(name, NAMES[i]) != NULL)
            return true;
    return false;
}

// 64 hex digits that the name determines.
static void put_digest(struct buf *out, const char *name)
{
    char first[HASH_HEX];
    char second[HASH_HEX];
    struct hash hash = hash_of("simulated model", name, strlen(name));
    hash_hex(&hash, first);
    hash = hash_of("simulated model, second half", name, strlen(name));
    hash_hex(&hash, second);
    buf_printf(out, "\"%s%s\"", first, second);
}

static void put_details(struct buf *out)
{
    buf_puts(out, "{\"parent_model\": \"\", \"format\": \"simulated\", "
                  "\"family\": \"simulated\", \"families\": [\"simulated\"], "
                  "\"parameter_size\": \"simulated\", "
                  "\"quantization_level\": \"simulated\"}");
}

static void put_model(const struct sim_service *service, struct buf *out,
                      const char *name)
{
    buf_puts(out, "\"name\": ");
    put_text(out, name);
    buf_puts(out, ", \"model\": ");
    put_text(out, name);
    buf_puts(out, ", \"size\": 1000000000, \"digest\": ");
    put_digest(out, name);
    buf_puts(out, ", \"details\": ");
    put_details(out);
    buf_printf(out,
               ", \"capabilities\": [\"%s\", \"simulated\"%s], "
               "\"context_length\": %" PRId64,
               sim_embeds(name) ? "embedding" : "completion",
               can_think(name) ? ", \"thinking\"" : "",
               service->options.num_ctx_max);
}

// ---- routes that only tell

static void get_root(struct sim_service *service, struct sim_exchange *exchange)
{
    (void)service;
    exchange->type = "text/plain; charset=utf-8";
    buf_puts(&exchange->reply, "Ollama is running (simulated)");
}

static void get_version(struct sim_service *service,
                        struct sim_exchange *exchange)
{
    (void)service;
    buf_puts(&exchange->reply, "{\"version\": \"0.0.0-simulated\"}");
}

static void get_tags(struct sim_service *service, struct sim_exchange *exchange)
{
    struct buf *out = &exchange->reply;
    buf_puts(out, "{\"models\": [");
    for (size_t i = 0; i < service->n_models; i++) {
        buf_puts(out, i > 0 ? ", {" : "{");
        put_model(service, out, service->models[i]);
        buf_puts(out, ", \"modified_at\": \"2026-01-01T00:00:00Z\"}");
    }
    buf_puts(out, "]}");
}

static void get_ps(struct sim_service *service, struct sim_exchange *exchange)
{
    struct sim_loaded list[LISTED_MAX];
    size_t n = sim_slots_loaded(service->slots, list, LISTED_MAX);
    struct buf *out = &exchange->reply;
    buf_puts(out, "{\"models\": [");
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? ", {" : "{");
        buf_puts(out, "\"name\": ");
        put_text(out, list[i].model);
        buf_puts(out, ", \"model\": ");
        put_text(out, list[i].model);
        buf_puts(out, ", \"size\": 1000000000, \"digest\": ");
        put_digest(out, list[i].model);
        buf_puts(out, ", \"details\": ");
        put_details(out);
        buf_printf(out,
                   ", \"expires_at\": \"2318-01-01T00:00:00Z\", "
                   "\"size_vram\": 0, \"context_length\": %" PRId64 "}",
                   list[i].num_ctx);
    }
    buf_puts(out, "]}");
}

static void get_openai_models(struct sim_service *service,
                              struct sim_exchange *exchange)
{
    struct buf *out = &exchange->reply;
    buf_puts(out, "{\"object\": \"list\", \"data\": [");
    for (size_t i = 0; i < service->n_models; i++) {
        buf_puts(out, i > 0 ? ", {\"id\": " : "{\"id\": ");
        put_text(out, service->models[i]);
        buf_puts(out, ", \"object\": \"model\", \"created\": 1767225600, "
                      "\"owned_by\": \"simulated\"}");
    }
    buf_puts(out, "]}");
}

// As llama.cpp's server has them.
static void get_props(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    buf_printf(&exchange->reply,
               "{\"default_generation_settings\": {\"n_ctx\": %" PRId64 "}, "
               "\"total_slots\": %zu, \"build_info\": \"simulated\"}",
               service->options.num_ctx_max, service->options.slots);
}

static void get_health(struct sim_service *service,
                       struct sim_exchange *exchange)
{
    (void)service;
    buf_puts(&exchange->reply, "{\"status\": \"ok\"}");
}

static void get_stats(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    struct sim_stats s;
    sim_tally_read(service->tally, &s);
    buf_printf(&exchange->reply,
               "{\"requests\": %" PRIu64 ", \"chats\": %" PRIu64
               ", \"answered\": %" PRIu64 ", \"answered_distinct\": %" PRIu64
               ", \"answered_repeated\": %" PRIu64 ", \"cancelled\": %" PRIu64
               ", \"faults\": %" PRIu64 ", \"prompt_tokens\": %" PRIu64
               ", \"cached_tokens\": %" PRIu64
               ", \"generated_tokens\": %" PRIu64 ", \"slot_busy_us\": %" PRIu64
               ", \"loads\": %" PRIu64 "}",
               s.requests, s.chats, s.answered, s.answered_distinct,
               s.answered_repeated, s.cancelled, s.faults, s.prompt_tokens,
               s.cached_tokens, s.generated_tokens, s.slot_busy_us, s.loads);
}

static void post_show(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    struct sim_request request;
    struct sim_refusal refusal;
    struct buf *out = &exchange->reply;
    if (!sim_request_read(&request, exchange->body, exchange->body_len, false,
                          &refusal))
        fail(exchange, false, refusal.status, refusal.text);
    else if (!is_known(service, request.model)) {
        snprintf(refusal.text, sizeof refusal.text, "model '%.100s' not found",
                 request.model);
        fail(exchange, false, 404, refusal.text);
    } else {
        buf_puts(out, "{\"modelfile\": \"\", \"parameters\": \"\", "
                      "\"template\": \"{{ .Prompt }}\", \"details\": ");
        put_details(out);
        buf_printf(out,
                   ", \"model_info\": {\"general.architecture\": "
                   "\"simulated\", \"simulated.context_length\": %" PRId64
                   "}, \"capabilities\": [\"completion\", \"simulated\"%s]}",
                   service->options.num_ctx_max,
                   can_think(request.model) ? ", \"thinking\"" : "");
    }
    sim_request_release(&request);
}

// ---- a chat, or texts to be embedded

struct chat {
    struct sim_service *service;
    struct sim_exchange *exchange;
    struct sim_request request;
    bool openai;
    bool embeds;
    enum sim_fault fault;
    int64_t num_ctx;
    struct sim_lease lease;
    struct buf prompt; // as the slots compare it
    struct buf thinking;
    struct buf content;
    struct buf logprobs; // of its tokens; empty where not asked for
    const char *done_reason;
    size_t n_generated;
    int64_t start_us;
    int64_t prompt_ns;
    int64_t generate_ns;
};

static void refuse_long(struct chat *chat)
{
    char text[240];
    snprintf(text, sizeof text,
             "{\"error\":{\"code\":400,\"message\":\"the request exceeds the "
             "available context size\",\"type\":"
             "\"exceed_context_size_error\",\"n_prompt_tokens\":%zu,"
             "\"n_ctx\":%" PRId64 "}}",
             chat->request.n_tokens, chat->num_ctx);
    fail(chat->exchange, chat->openai, 400, text);
    chat->exchange->record.outcome = "too long";
}

static int64_t clamp_ctx(const struct sim_options *options, int64_t wanted)
{
    int64_t num_ctx = wanted > 0 ? wanted : options->num_ctx;
    if (num_ctx > options->num_ctx_max)
        num_ctx = options->num_ctx_max;
    return num_ctx < 4 ? 4 : num_ctx;
}

static bool read_request(struct chat *chat, struct sim_refusal *refusal)
{
    const struct sim_exchange *exchange = chat->exchange;
    return (chat->embeds ? sim_request_read_embed : sim_request_read)(
        &chat->request, exchange->body, exchange->body_len, chat->openai,
        refusal);
}

// Whether a model of that name does what is asked. False: the reply stands.
static bool can_do(struct chat *chat, const char *model)
{
    char text[240];
    if (sim_embeds(model) == chat->embeds)
        return true;
    snprintf(text, sizeof text, "\"%.100s\" does not support %s", model,
             chat->embeds ? "embeddings" : "chat");
    fail(chat->exchange, chat->openai, 400, text);
    return false;
}

// Reads and checks all that needs no slot. False: the reply stands.
static bool admit(struct chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    struct sim_request *request = &chat->request;
    struct sim_refusal refusal;
    char text[240];
    if (!read_request(chat, &refusal)) {
        fail(exchange, chat->openai, refusal.status, refusal.text);
        return false;
    }
    exchange->hash = request->hash;
    exchange->record.body = &exchange->hash;
    exchange->record.num_predict = request->num_predict;
    snprintf(exchange->model, sizeof exchange->model, "%s", request->model);
    if (!is_known(chat->service, request->model)) {
        snprintf(text, sizeof text, "model '%.100s' not found", request->model);
        fail(exchange, chat->openai, 404, text);
        return false;
    }
    if (!can_do(chat, request->model))
        return false;
    if (request->think == SIM_THINK_ON && !can_think(request->model)) {
        snprintf(text, sizeof text, "\"%.100s\" does not support thinking",
                 request->model);
        fail(exchange, chat->openai, 400, text);
        return false;
    }
    chat->num_ctx = clamp_ctx(&chat->service->options, request->num_ctx);
    if (!sim_request_fit(request, chat->num_ctx)) {
        refuse_long(chat);
        return false;
    }
    return true;
}

// Faults that come before any work. False: the reply stands, or there is none.
static bool pass_faults(struct chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    uint64_t attempt =
        sim_tally_attempt(chat->service->tally, &chat->request.hash);
    chat->fault =
        sim_faults_draw(&chat->service->faults, &chat->request.hash, attempt);
    if (chat->fault == SIM_FAULT_NONE)
        return true;
    exchange->record.fault = true;
    switch (chat->fault) {
    case SIM_FAULT_500:
        fail(exchange, chat->openai, 500,
             "an error was encountered while running the model: unexpected "
             "EOF");
        break;
    case SIM_FAULT_503:
        fail(exchange, chat->openai, 503,
             "server busy, please try again. maximum pending requests "
             "exceeded");
        break;
    case SIM_FAULT_HANG:
        exchange->pause(exchange->data, HANG_US);
        exchange->ending = SIM_DROP;
        break;
    case SIM_FAULT_CUT:
        exchange->ending = SIM_DROP;
        break;
    case SIM_FAULT_GARBAGE:
        buf_puts(&exchange->reply, "<html><body>It works!</body></html>");
        break;
    default:
        exchange->record.outcome = sim_fault_name(chat->fault);
        return true;
    }
    exchange->record.outcome = sim_fault_name(chat->fault);
    return false;
}

// Waits for a slot. False: the reply stands, or the client has gone.
static bool take_slot(struct chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    for (size_t i = 0; i < chat->request.n_messages; i++) {
        const struct sim_message *message = &chat->request.messages[i];
        buf_puts(&chat->prompt, message->role);
        buf_putc(&chat->prompt, '\n');
        buf_append(&chat->prompt, message->content, message->len);
    }
    if (chat->prompt.data == NULL)
        buf_puts(&chat->prompt, "");
    enum sim_grant grant = sim_slots_take(
        chat->service->slots, chat->request.model, chat->num_ctx, &chat->prompt,
        exchange->gone, exchange->data, &chat->lease);
    if (grant == SIM_FULL)
        fail(exchange, chat->openai, 503,
             "server busy, please try again. maximum pending requests "
             "exceeded");
    if (grant == SIM_GONE) {
        exchange->ending = SIM_DROP;
        exchange->record.cancelled = true;
        exchange->record.outcome = "cancelled";
    }
    if (grant == SIM_GRANTED && chat->lease.load_us > 0)
        sim_tally_load(chat->service->tally);
    return grant == SIM_GRANTED;
}

// ---- making the answer

static void think(struct chat *chat)
{
    if (!can_think(chat->request.model) || chat->request.think == SIM_THINK_OFF)
        return;
    buf_puts(&chat->thinking,
             "Let me look at what is asked and at the examples. I compare "
             "the question with each of them and with what the instruction "
             "says, and take what fits best.");
}

static size_t limit_of(const struct chat *chat)
{
    const struct sim_request *request = &chat->request;
    size_t most = SIM_REPLY_MAX_BYTES;
    if (request->num_predict > 0 && (uint64_t)request->num_predict < most)
        most = (size_t)request->num_predict;
    if (!request->shift) {
        size_t room = (size_t)chat->num_ctx - request->n_tokens;
        most = room < most ? room : most;
    }
    return most;
}

// Keeps so many tokens of a text; returns how many it held at most.
static size_t keep_tokens(struct buf *text, size_t most)
{
    size_t n = sim_model_tokens(text->len);
    if (n <= most)
        return n;
    size_t len = most * 4;
    while (len > 0 && ((unsigned char)text->data[len] & 0xc0) == 0x80)
        len--;
    text->len = len;
    text->data[len] = '\0';
    return most;
}

static void loop_in_white_space(struct chat *chat, size_t most)
{
    size_t n = most < 2048 ? most : 2048;
    buf_clear(&chat->content);
    for (size_t i = 0; i < n; i++)
        buf_putc(&chat->content, i % 4 == 0 ? '\n' : ' ');
    chat->n_generated = most;
    chat->done_reason = "length";
}

static void bound_answer(struct chat *chat)
{
    size_t most = limit_of(chat);
    bool cut = sim_model_tokens(chat->thinking.len) +
                   sim_model_tokens(chat->content.len) >
               most;
    size_t thought = keep_tokens(&chat->thinking, most);
    chat->n_generated = thought + keep_tokens(&chat->content, most - thought);
    chat->done_reason = cut ? "length" : "stop";
    if (cut)
        buf_clear(&chat->logprobs); // of a reply that there is no more
    if (chat->fault == SIM_FAULT_WHITESPACE)
        loop_in_white_space(chat, most);
    chat->n_generated += !cut && chat->n_generated < most; // the end token
}

static bool make_answer(struct chat *chat)
{
    struct err err = ERR_CLEAR;
    const struct sim_request *request = &chat->request;
    struct sim_query query = {
        .model = request->model,
        .messages = request->messages,
        .n_messages = request->n_messages,
        .schema = request->schema,
        .json = request->json,
        .temperature = request->temperature,
        .seed = request->seed,
        .logprobs = request->logprobs ? &chat->logprobs : NULL,
        .top = request->top_logprobs,
    };
    if (request->load_only) {
        chat->done_reason = request->unload ? "unload" : "load";
        return true;
    }
    think(chat);
    if (chat->fault != SIM_FAULT_EMPTY &&
        !sim_model_answer(chat->service->model, &query, &chat->content, &err)) {
        fail(chat->exchange, chat->openai, 500, err.text);
        return false;
    }
    bound_answer(chat);
    return true;
}

static double rate_or(double rate)
{
    return rate > 0 ? rate : NOMINAL_TOKENS_PER_S;
}

// Works out the times and sleeps them. What the slot knew is read for nothing;
// the last token is always read anew. False: the client has gone.
static bool spend_time(struct chat *chat)
{
    const struct sim_options *options = &chat->service->options;
    struct sim_exchange *exchange = chat->exchange;
    size_t total = chat->request.n_tokens;
    size_t cached = chat->lease.shared_bytes / 4;
    cached = cached < total ? cached : total > 0 ? total - 1 : 0;
    double prompt_s =
        (double)(total - cached) / rate_or(options->prompt_tokens_per_s);
    double generate_s =
        (double)chat->n_generated / rate_or(options->generate_tokens_per_s);
    chat->prompt_ns = (int64_t)(prompt_s * 1e9);
    chat->generate_ns = (int64_t)(generate_s * 1e9);
    exchange->record.prompt_tokens = total;
    exchange->record.cached_tokens = cached;
    exchange->record.generated_tokens = chat->n_generated;

    double wait_s = (double)options->latency_ms / 1000;
    wait_s += options->prompt_tokens_per_s > 0 ? prompt_s : 0;
    wait_s += options->generate_tokens_per_s > 0 ? generate_s : 0;
    int64_t wait_us = (int64_t)(wait_s * 1e6);
    if (chat->fault == SIM_FAULT_SLOW) {
        wait_us *= SLOW_FACTOR;
        wait_us = wait_us < SLOW_AT_LEAST_US ? SLOW_AT_LEAST_US : wait_us;
    }
    bool there = wait_us <= 0 || exchange->pause(exchange->data, wait_us);
    if (!there) {
        exchange->ending = SIM_DROP;
        exchange->record.cancelled = true;
        exchange->record.outcome = "cancelled";
    }
    return there;
}

// ---- writing the answer

static void put_end(const struct chat *chat, struct buf *out)
{
    int64_t total_ns = (clock_monotonic_us() - chat->start_us) * 1000;
    if (total_ns < chat->prompt_ns + chat->generate_ns)
        total_ns = chat->prompt_ns + chat->generate_ns;
    buf_printf(out, ", \"done\": true, \"done_reason\": \"%s\"",
               chat->done_reason);
    if (!chat->request.load_only)
        buf_printf(out,
                   ", \"total_duration\": %" PRId64
                   ", \"load_duration\": %" PRId64
                   ", \"prompt_eval_count\": %zu, \"prompt_eval_duration\": "
                   "%" PRId64 ", \"eval_count\": %zu, \"eval_duration\": "
                   "%" PRId64,
                   total_ns, chat->lease.load_us * 1000, chat->request.n_tokens,
                   chat->prompt_ns, chat->n_generated, chat->generate_ns);
}

static void put_message(const struct chat *chat, struct buf *out,
                        const char *content, size_t len)
{
    buf_puts(out, "{\"model\": ");
    put_text(out, chat->request.model);
    buf_puts(out, ", \"created_at\": ");
    put_now(out);
    buf_puts(out, ", \"message\": {\"role\": \"assistant\", \"content\": ");
    buf_put_json(out, content, len);
}

static void write_native(const struct chat *chat, struct buf *out)
{
    const struct buf *content = &chat->content;
    put_message(chat, out, content->data == NULL ? "" : content->data,
                content->len);
    if (chat->thinking.len > 0) {
        buf_puts(out, ", \"thinking\": ");
        buf_put_json(out, chat->thinking.data, chat->thinking.len);
    }
    buf_puts(out, "}");
    if (chat->logprobs.len > 0) {
        buf_puts(out, ", \"logprobs\": ");
        buf_append(out, chat->logprobs.data, chat->logprobs.len);
    }
    put_end(chat, out);
    buf_puts(out, "}");
}

// The pieces of a stream end between characters.
static size_t piece_len(const struct buf *content, size_t at)
{
    size_t len = content->len / STREAM_PIECES + 1;
    if (len > content->len - at)
        len = content->len - at;
    while (at + len < content->len &&
           ((unsigned char)content->data[at + len] & 0xc0) == 0x80)
        len++;
    return len;
}

static void write_native_stream(const struct chat *chat, struct buf *out)
{
    const struct buf *content = &chat->content;
    if (chat->thinking.len > 0) {
        put_message(chat, out, "", 0);
        buf_puts(out, ", \"thinking\": ");
        buf_put_json(out, chat->thinking.data, chat->thinking.len);
        buf_puts(out, "}, \"done\": false}\n");
    }
    for (size_t at = 0; at < content->len;) {
        size_t len = piece_len(content, at);
        put_message(chat, out, content->data + at, len);
        buf_puts(out, "}, \"done\": false}\n");
        at += len;
    }
    put_message(chat, out, "", 0);
    buf_puts(out, "}");
    put_end(chat, out);
    buf_puts(out, "}\n");
}

static void put_openai_head(const struct chat *chat, struct buf *out,
                            const char *object)
{
    char id[HASH_HEX];
    hash_hex(&chat->request.hash, id);
    buf_printf(out,
               "{\"id\": \"chatcmpl-%.12s\", \"object\": \"%s\", "
               "\"created\": %" PRId64 ", \"model\": ",
               id, object, clock_wall_ms() / 1000);
    put_text(out, chat->request.model);
    buf_puts(out, ", \"system_fingerprint\": \"fp_simulated\", ");
}

static void put_usage(const struct chat *chat, struct buf *out)
{
    buf_printf(out,
               "\"usage\": {\"prompt_tokens\": %zu, \"completion_tokens\": "
               "%zu, \"total_tokens\": %zu, \"prompt_tokens_details\": "
               "{\"cached_tokens\": %" PRIu64 "}}",
               chat->request.n_tokens, chat->n_generated,
               chat->request.n_tokens + chat->n_generated,
               chat->exchange->record.cached_tokens);
}

static void write_openai(const struct chat *chat, struct buf *out)
{
    const struct buf *content = &chat->content;
    put_openai_head(chat, out, "chat.completion");
    buf_puts(out, "\"choices\": [{\"index\": 0, \"message\": {\"role\": "
                  "\"assistant\", \"content\": ");
    buf_put_json(out, content->data == NULL ? "" : content->data, content->len);
    if (chat->thinking.len > 0) {
        buf_puts(out, ", \"reasoning\": ");
        buf_put_json(out, chat->thinking.data, chat->thinking.len);
    }
    buf_puts(out, "}");
    if (chat->logprobs.len > 0) {
        buf_puts(out, ", \"logprobs\": {\"content\": ");
        buf_append(out, chat->logprobs.data, chat->logprobs.len);
        buf_puts(out, "}");
    }
    buf_printf(out, ", \"finish_reason\": \"%s\"}], ", chat->done_reason);
    put_usage(chat, out);
    buf_puts(out, "}");
}

static void write_openai_stream(const struct chat *chat, struct buf *out)
{
    const struct buf *content = &chat->content;
    for (size_t at = 0; at < content->len;) {
        size_t len = piece_len(content, at);
        buf_puts(out, "data: ");
        put_openai_head(chat, out, "chat.completion.chunk");
        buf_puts(out, "\"choices\": [{\"index\": 0, \"delta\": {\"role\": "
                      "\"assistant\", \"content\": ");
        buf_put_json(out, content->data + at, len);
        buf_puts(out, "}, \"finish_reason\": null}]}\n\n");
        at += len;
    }
    buf_puts(out, "data: ");
    put_openai_head(chat, out, "chat.completion.chunk");
    buf_printf(out,
               "\"choices\": [{\"index\": 0, \"delta\": {}, "
               "\"finish_reason\": \"%s\"}], ",
               chat->done_reason);
    put_usage(chat, out);
    buf_puts(out, "}\n\ndata: [DONE]\n\n");
}

static void write_answer(struct chat *chat)
{
    static const struct {
        const char *type;
        void (*write)(const struct chat *chat, struct buf *out);
    } FORMS[2][2] = {
        // by openai, by stream
        {{JSON_TYPE, write_native},
         {"application/x-ndjson", write_native_stream}},
        {{JSON_TYPE, write_openai}, {"text/event-stream", write_openai_stream}},
    };
    struct sim_exchange *exchange = chat->exchange;
    exchange->type = FORMS[chat->openai][chat->request.stream].type;
    FORMS[chat->openai][chat->request.stream].write(chat, &exchange->reply);
    if (chat->fault == SIM_FAULT_HALF) {
        exchange->ending = SIM_HALF;
        return;
    }
    exchange->record.answered = !chat->request.load_only;
    if (chat->fault == SIM_FAULT_NONE)
        exchange->record.outcome =
            chat->request.load_only ? "loaded" : "answered";
}

// ---- embeddings

static void put_vector(const struct chat *chat, size_t i, struct buf *out)
{
    const struct sim_message *message = &chat->request.messages[i];
    double numbers[SIM_EMBED_SIZE];
    sim_embed(chat->request.model, message->content, message->len, numbers);
    for (size_t n = 0; n < SIM_EMBED_SIZE; n++)
        buf_printf(out, "%s%.9g", n == 0 ? "[" : ", ", numbers[n]);
    buf_putc(out, ']');
}

static void write_embed_native(const struct chat *chat, struct buf *out)
{
    buf_puts(out, "{\"model\": ");
    put_text(out, chat->request.model);
    for (size_t i = 0; i < chat->request.n_messages; i++) {
        buf_puts(out, i == 0 ? ", \"embeddings\": [" : ", ");
        put_vector(chat, i, out);
    }
    buf_printf(out,
               "], \"total_duration\": %" PRId64 ", \"load_duration\": %" PRId64
               ", \"prompt_eval_count\": %zu}",
               (clock_monotonic_us() - chat->start_us) * 1000,
               chat->lease.load_us * 1000, chat->request.n_tokens);
}

static void write_embed_openai(const struct chat *chat, struct buf *out)
{
    buf_puts(out, "{\"object\": \"list\", \"model\": ");
    put_text(out, chat->request.model);
    for (size_t i = 0; i < chat->request.n_messages; i++) {
        buf_puts(out, i == 0 ? ", \"data\": [" : ", ");
        buf_printf(out,
                   "{\"object\": \"embedding\", \"index\": %zu, "
                   "\"embedding\": ",
                   i);
        put_vector(chat, i, out);
        buf_putc(out, '}');
    }
    buf_printf(out,
               "], \"usage\": {\"prompt_tokens\": %zu, \"total_tokens\": %zu}}",
               chat->request.n_tokens, chat->request.n_tokens);
}

static void write_embeddings(struct chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    (chat->openai ? write_embed_openai : write_embed_native)(chat,
                                                             &exchange->reply);
    if (chat->fault == SIM_FAULT_HALF) {
        exchange->ending = SIM_HALF;
        return;
    }
    exchange->record.answered = true;
    if (chat->fault == SIM_FAULT_NONE)
        exchange->record.outcome = "answered";
}

// ---- from a request to its reply

static void answer_request(struct sim_service *service,
                           struct sim_exchange *exchange, bool openai,
                           bool embeds)
{
    struct chat chat = {
        .service = service,
        .exchange = exchange,
        .openai = openai,
        .embeds = embeds,
        .prompt = BUF_INIT(SIM_PROMPT_MAX_BYTES),
        .thinking = BUF_INIT(SIM_REPLY_MAX_BYTES),
        .content = BUF_INIT(SIM_REPLY_MAX_BYTES),
        .logprobs = BUF_INIT(SIM_REPLY_BODY_MAX / 2),
        .start_us = clock_monotonic_us(),
    };
    exchange->record.chat = true;
    if (!admit(&chat) || !pass_faults(&chat) || !take_slot(&chat))
        goto out;
    int64_t held_us = clock_monotonic_us();
    bool ok = (embeds || make_answer(&chat)) && spend_time(&chat);
    sim_slots_give(service->slots, &chat.lease);
    exchange->record.busy_us = (uint64_t)(clock_monotonic_us() - held_us);
    if (chat.request.unload)
        sim_slots_unload(service->slots, chat.request.model);
    if (ok && embeds)
        write_embeddings(&chat);
    else if (ok)
        write_answer(&chat);

out:
    buf_release(&chat.prompt);
    buf_release(&chat.thinking);
    buf_release(&chat.content);
    buf_release(&chat.logprobs);
    sim_request_release(&chat.request);
}

static void post_chat(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    answer_request(service, exchange, false, false);
}

static void post_openai_chat(struct sim_service *service,
                             struct sim_exchange *exchange)
{
    answer_request(service, exchange, true, false);
}

static void post_embed(struct sim_service *service,
                       struct sim_exchange *exchange)
{
    answer_request(service, exchange, false, true);
}

static void post_openai_embed(struct sim_service *service,
                              struct sim_exchange *exchange)
{
    answer_request(service, exchange, true, true);
}

// ---- the table

static const struct {
    const char *method;
    const char *path;
    void (*handle)(struct sim_service *service, struct sim_exchange *exchange);
} ROUTES[] = {
    {"POST", "/api/chat", post_chat},
    {"POST", "/v1/chat/completions", post_openai_chat},
    {"POST", "/api/embed", post_embed},
    {"POST", "/v1/embeddings", post_openai_embed},
    {"GET", "/", get_root},
    {"GET", "/api/version", get_version},
    {"GET", "/api/tags", get_tags},
    {"GET", "/api/ps", get_ps},
    {"POST", "/api/show", post_show},
    {"GET", "/v1/models", get_openai_models},
    {"GET", "/props", get_props},
    {"GET", "/health", get_health},
    {"GET", "/sim/stats", get_stats},
};

void sim_api_answer(struct sim_service *service, struct sim_exchange *exchange)
{
    const char *method =
        strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    exchange->status = 200;
    exchange->type = JSON_TYPE;
    exchange->ending = SIM_SEND;
    exchange->reply = BUF_INIT(SIM_REPLY_BODY_MAX);
    exchange->record = (struct sim_record){
        .path = exchange->path, .model = exchange->model, .outcome = "told"};
    bool there = false;
    size_t i = 0;
    for (; i < sizeof ROUTES / sizeof *ROUTES; i++) {
        bool same = strcmp(exchange->path, ROUTES[i].path) == 0;
        there = there || same;
        if (same && strcmp(method, ROUTES[i].method) == 0)
            break;
    }
    if (i < sizeof ROUTES / sizeof *ROUTES)
        ROUTES[i].handle(service, exchange);
    else
        fail(exchange, false, there ? 405 : 404,
             there ? "405 method not allowed" : "404 page not found");
    if (exchange->reply.failed)
        fail(exchange, false, 500, "the reply is too long");
    exchange->record.status =
        exchange->ending == SIM_DROP ? 0 : exchange->status;
}
