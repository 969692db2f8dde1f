#include "simulated/sim_write.h"

#include <inttypes.h>

#include "common/clock.h"

#include "simulated/sim_embed.h"

enum { STREAM_PIECES = 8 };

// --- chats ---

static void put_end(const struct sim_chat *chat, struct buf *out)
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

static void put_message(const struct sim_chat *chat, struct buf *out,
                        const char *content, size_t len)
{
    buf_puts(out, "{\"model\": ");
    sim_put_text(out, chat->request.model);
    buf_puts(out, ", \"created_at\": ");
    sim_put_now(out);
    buf_puts(out, ", \"message\": {\"role\": \"assistant\", \"content\": ");
    buf_put_json(out, content, len);
}

static void write_native(const struct sim_chat *chat, struct buf *out)
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

// Returns the length of the next piece of a stream. Pieces end between
// characters.
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

static void write_native_stream(const struct sim_chat *chat, struct buf *out)
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

static void put_openai_head(const struct sim_chat *chat, struct buf *out,
                            const char *object)
{
    char id[HASH_HEX];
    hash_hex(&chat->request.hash, id);
    buf_printf(out,
               "{\"id\": \"chatcmpl-%.12s\", \"object\": \"%s\", "
               "\"created\": %" PRId64 ", \"model\": ",
               id, object, clock_wall_ms() / 1000);
    sim_put_text(out, chat->request.model);
    buf_puts(out, ", \"system_fingerprint\": \"fp_simulated\", ");
}

static void put_usage(const struct sim_chat *chat, struct buf *out)
{
    buf_printf(out,
               "\"usage\": {\"prompt_tokens\": %zu, \"completion_tokens\": "
               "%zu, \"total_tokens\": %zu, \"prompt_tokens_details\": "
               "{\"cached_tokens\": %" PRIu64 "}}",
               chat->request.n_tokens, chat->n_generated,
               chat->request.n_tokens + chat->n_generated,
               chat->exchange->record.cached_tokens);
}

static void write_openai(const struct sim_chat *chat, struct buf *out)
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

static void write_openai_stream(const struct sim_chat *chat, struct buf *out)
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

void sim_write_answer(struct sim_chat *chat)
{
    static const struct {
        const char *type;
        void (*write)(const struct sim_chat *chat, struct buf *out);
    } FORMS[SIM_API_COUNT][2] = {
        // by API, whole or streamed
        [SIM_API_OLLAMA] = {{SIM_JSON_TYPE, write_native},
                            {"application/x-ndjson", write_native_stream}},
        [SIM_API_OPENAI] = {{SIM_JSON_TYPE, write_openai},
                            {"text/event-stream", write_openai_stream}},
    };
    struct sim_exchange *exchange = chat->exchange;
    exchange->type = FORMS[chat->api][chat->request.stream].type;
    FORMS[chat->api][chat->request.stream].write(chat, &exchange->reply);
    if (chat->fault == SIM_FAULT_HALF) {
        exchange->ending = SIM_HALF;
        return;
    }
    exchange->record.answered = !chat->request.load_only;
    if (chat->fault == SIM_FAULT_NONE)
        exchange->record.outcome =
            chat->request.load_only ? "loaded" : "answered";
}

// --- embeddings ---

static void put_vector(const struct sim_chat *chat, size_t i, struct buf *out)
{
    const struct sim_message *message = &chat->request.messages[i];
    double numbers[SIM_EMBED_SIZE];
    sim_embed(chat->request.model, message->content, message->len, numbers);
    for (size_t n = 0; n < SIM_EMBED_SIZE; n++)
        buf_printf(out, "%s%.9g", n == 0 ? "[" : ", ", numbers[n]);
    buf_putc(out, ']');
}

static void write_embed_native(const struct sim_chat *chat, struct buf *out)
{
    buf_puts(out, "{\"model\": ");
    sim_put_text(out, chat->request.model);
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

static void write_embed_openai(const struct sim_chat *chat, struct buf *out)
{
    buf_puts(out, "{\"object\": \"list\", \"model\": ");
    sim_put_text(out, chat->request.model);
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

void sim_write_embeddings(struct sim_chat *chat)
{
    struct sim_exchange *exchange = chat->exchange;
    (chat->api == SIM_API_OPENAI ? write_embed_openai
                                 : write_embed_native)(chat, &exchange->reply);
    if (chat->fault == SIM_FAULT_HALF) {
        exchange->ending = SIM_HALF;
        return;
    }
    exchange->record.answered = true;
    if (chat->fault == SIM_FAULT_NONE)
        exchange->record.outcome = "answered";
}
