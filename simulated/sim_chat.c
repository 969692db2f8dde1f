#include "simulated/sim_chat.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

#include "simulated/sim_embed.h"
#include "simulated/sim_tell.h"
#include "simulated/sim_write.h"

enum {
    SLOW_FACTOR = 10,
    SLOW_AT_LEAST_US = 250000,
    HANG_US = 600 * 1000000,
};

// The rate if none was set: fast, but no token takes zero time.
static const double NOMINAL_TOKENS_PER_S = 1e6;

// --- the request ---

static void refuse_long(struct sim_chat *chat)
{
    char text[240];
    snprintf(text, sizeof text,
             "{\"error\":{\"code\":400,\"message\":\"the request exceeds the "
             "available context size\",\"type\":"
             "\"exceed_context_size_error\",\"n_prompt_tokens\":%zu,"
             "\"n_ctx\":%" PRId64 "}}",
             chat->request.n_tokens, chat->num_ctx);
    sim_fail(chat->exchange, chat->api, 400, text);
    chat->exchange->record.outcome = "too long";
}

static int64_t clamp_ctx(const struct sim_options *options, int64_t wanted)
{
    int64_t num_ctx = wanted > 0 ? wanted : options->num_ctx;
    if (num_ctx > options->num_ctx_max)
        num_ctx = options->num_ctx_max;
    return num_ctx < 4 ? 4 : num_ctx;
}

static bool read_request(struct sim_chat *chat, struct sim_refusal *refusal)
{
    const struct sim_exchange *exchange = chat->exchange;
    return (chat->kind == CALL_EMBED ? sim_request_read_embed
                                     : sim_request_read)(
        &chat->request, exchange->body, exchange->body_len, chat->api, refusal);
}

// Returns true if a model of that name does what is asked. If it returns false,
// the reply has been written.
static bool can_do(struct sim_chat *chat, const char *model)
{
    char text[240];
    if (sim_embeds(model) == (chat->kind == CALL_EMBED))
        return true;
    snprintf(text, sizeof text, "\"%.100s\" does not support %s", model,
             chat->kind == CALL_EMBED ? "embeddings" : "chat");
    sim_fail(chat->exchange, chat->api, 400, text);
    return false;
}

// Reads the request and checks everything that needs no slot. If it returns
// false, the reply has been written.
static bool admit(struct sim_chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    struct sim_request *request = &chat->request;
    struct sim_refusal refusal;
    char text[240];
    if (!read_request(chat, &refusal)) {
        sim_fail(exchange, chat->api, refusal.status, refusal.text);
        return false;
    }
    exchange->hash = request->hash;
    exchange->record.body = &exchange->hash;
    exchange->record.num_predict = request->num_predict;
    snprintf(exchange->model, sizeof exchange->model, "%s", request->model);
    if (!sim_models_has(chat->service, request->model)) {
        snprintf(text, sizeof text, "model '%.100s' not found", request->model);
        sim_fail(exchange, chat->api, 404, text);
        return false;
    }
    if (!can_do(chat, request->model))
        return false;
    if (request->think == SIM_THINK_ON && !sim_models_thinks(request->model)) {
        snprintf(text, sizeof text, "\"%.100s\" does not support thinking",
                 request->model);
        sim_fail(exchange, chat->api, 400, text);
        return false;
    }
    chat->num_ctx = clamp_ctx(&chat->service->options, request->num_ctx);
    if (!sim_request_fit(request, chat->num_ctx)) {
        refuse_long(chat);
        return false;
    }
    return true;
}

// Plays faults that come before any work. If it returns false, the reply has
// been written, or none will be.
static bool pass_faults(struct sim_chat *chat)
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
        sim_fail(exchange, chat->api, 500,
                 "an error was encountered while running the model: unexpected "
                 "EOF");
        break;
    case SIM_FAULT_503:
        sim_fail(exchange, chat->api, 503,
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

// Waits for a slot. If it returns false, the reply has been written, or the
// client has left.
static bool take_slot(struct sim_chat *chat)
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
    const struct sim_wish wish = {.model = chat->request.model,
                                  .num_ctx = chat->num_ctx,
                                  .prompt = &chat->prompt,
                                  .gone = exchange->gone,
                                  .data = exchange->data};
    enum sim_grant grant =
        sim_slots_take(chat->service->slots, &wish, &chat->lease);
    if (grant == SIM_FULL)
        sim_fail(exchange, chat->api, 503,
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

// --- making the answer ---

static void think(struct sim_chat *chat)
{
    if (!sim_models_thinks(chat->request.model) ||
        chat->request.think == SIM_THINK_OFF)
        return;
    buf_puts(&chat->thinking,
             "Let me look at what is asked and at the examples. I compare "
             "the question with each of them and with what the instruction "
             "says, and take what fits best.");
}

static size_t limit_of(const struct sim_chat *chat)
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

// Keeps at most this many tokens of a text; returns how many it then has.
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

static void loop_in_white_space(struct sim_chat *chat, size_t most)
{
    size_t n = most < 2048 ? most : 2048;
    buf_clear(&chat->content);
    for (size_t i = 0; i < n; i++)
        buf_putc(&chat->content, i % 4 == 0 ? '\n' : ' ');
    chat->n_generated = most;
    chat->done_reason = "length";
}

static void bound_answer(struct sim_chat *chat)
{
    size_t most = limit_of(chat);
    bool cut = sim_model_tokens(chat->thinking.len) +
                   sim_model_tokens(chat->content.len) >
               most;
    size_t thought = keep_tokens(&chat->thinking, most);
    chat->n_generated = thought + keep_tokens(&chat->content, most - thought);
    chat->done_reason = cut ? "length" : "stop";
    if (cut)
        buf_clear(&chat->logprobs); // of a reply that has been cut
    if (chat->fault == SIM_FAULT_WHITESPACE)
        loop_in_white_space(chat, most);
    chat->n_generated += !cut && chat->n_generated < most; // the end token
}

static bool make_answer(struct sim_chat *chat)
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
        sim_fail(chat->exchange, chat->api, 500, err.text);
        return false;
    }
    bound_answer(chat);
    return true;
}

static double rate_or(double rate)
{
    return rate > 0 ? rate : NOMINAL_TOKENS_PER_S;
}

// Computes the times and sleeps for that long. What the slot already knew costs
// nothing to read, but the last token is always read anew. Returns false if the
// client has left.
static bool spend_time(struct sim_chat *chat)
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

// --- from a request to its reply ---

void sim_chat_answer(struct sim_service *service, struct sim_exchange *exchange,
                     enum sim_api api, enum call_kind kind)
{
    struct sim_chat chat = {
        .service = service,
        .exchange = exchange,
        .api = api,
        .kind = kind,
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
    bool ok = (kind == CALL_EMBED || make_answer(&chat)) && spend_time(&chat);
    sim_slots_give(service->slots, &chat.lease);
    exchange->record.busy_us = (uint64_t)(clock_monotonic_us() - held_us);
    if (chat.request.unload)
        sim_slots_unload(service->slots, chat.request.model);
    if (ok && kind == CALL_EMBED)
        sim_write_embeddings(&chat);
    else if (ok)
        sim_write_answer(&chat);

out:
    buf_release(&chat.prompt);
    buf_release(&chat.thinking);
    buf_release(&chat.content);
    buf_release(&chat.logprobs);
    sim_request_release(&chat.request);
}
