#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "model/backend.h"

// /v1/chat/completions and /v1/embeddings as llama.cpp's server, vLLM and LM
// Studio implement them. The window is set in the server: we do not send
// num_ctx, and such a server answers 400 if a prompt does not fit. Thinking is
// switched by a variable of the chat template, which llama.cpp and vLLM both
// pass on. max_tokens is the old name of the limit, and the only one that all
// of them know.

void backend_openai_put_format(struct buf *out, const char *format)
{
    if (strcmp(format, "\"json\"") == 0) {
        buf_puts(out, ",\"response_format\":{\"type\":\"json_object\"}");
        return;
    }
    buf_puts(out, ",\"response_format\":{\"type\":\"json_schema\","
                  "\"json_schema\":{\"name\":\"reply\",\"strict\":true,"
                  "\"schema\":");
    buf_puts(out, format);
    buf_puts(out, "}}");
}

void backend_openai_put_options(struct buf *out,
                                const struct call_options *options,
                                const struct model_address *address)
{
    (void)address;
    buf_printf(out,
               ",\"stream\":false,\"max_tokens\":%" PRId32
               ",\"temperature\":%.17g,\"seed\":%" PRId64,
               options->num_predict, options->temperature, options->seed);
    if (options->think != THINK_UNSET)
        buf_printf(out, ",\"chat_template_kwargs\":{\"enable_thinking\":%s}",
                   options->think == THINK_ON ? "true" : "false");
}

// The reasons that are not a normal end. After any other reason, such as
// "tool_calls" or "content_filter", what we have is the complete reply.
static const struct {
    const char *reason;
    enum model_finish finish;
} finishes[] = {
    {"length", FINISH_LENGTH},       {"max_tokens", FINISH_LENGTH},
    {"model_length", FINISH_LENGTH}, // Mistral: the window is full
    {"repetition", FINISH_LOOP},     // vLLM, if it checks for it
    {"abort", FINISH_BROKEN},        // vLLM, SGLang
    {"error", FINISH_BROKEN},        // OpenRouter and other routers
};

// Ollama's /v1 has no "done". If it stopped a model that repeats itself, there
// is no reason.
static enum model_finish read_finish(const json_t *reply, const json_t *choice)
{
    const char *reason = json_get_text(choice, "finish_reason", NULL);
    const char *server = json_get_text(reply, "system_fingerprint", "");

    if (reason == NULL)
        return strcmp(server, "fp_ollama") == 0 ? FINISH_EARLY : FINISH_UNKNOWN;
    for (size_t i = 0; i < sizeof finishes / sizeof finishes[0]; i++) {
        if (strcmp(finishes[i].reason, reason) == 0)
            return finishes[i].finish;
    }
    return FINISH_STOP;
}

// llama.cpp adds `timings`, in milliseconds; other servers report no times.
static void read_usage(const json_t *reply, struct reply_facts *facts)
{
    const json_t *usage = json_object_get(reply, "usage");
    const json_t *details = json_object_get(usage, "prompt_tokens_details");
    const json_t *timings = json_object_get(reply, "timings");

    facts->prompt_tokens = json_get_int(usage, "prompt_tokens", 0);
    facts->generated_tokens = json_get_int(usage, "completion_tokens", 0);
    facts->cached_tokens = json_get_int(details, "cached_tokens",
                                        json_get_int(timings, "cache_n", -1));
    double prompt_ms = json_get_number(timings, "prompt_ms", 0);
    double predicted_ms = json_get_number(timings, "predicted_ms", 0);
    if (prompt_ms > 0 && prompt_ms < 1e9)
        facts->prompt_us = (int64_t)(prompt_ms * 1000);
    if (predicted_ms > 0 && predicted_ms < 1e9)
        facts->generate_us = (int64_t)(predicted_ms * 1000);
}

// vLLM calls thinking reasoning_content up to 0.11, and reasoning since then.
static const char *read_thought(const json_t *message)
{
    return json_get_text(message, "reasoning_content",
                         json_get_text(message, "reasoning", ""));
}

// Returns the words of a model that refuses to answer, or the name of the
// filter of a server that removed the answer.
static const char *read_refusal(const json_t *choice)
{
    const char *reason = json_get_text(choice, "finish_reason", "");

    return json_get_text(json_object_get(choice, "message"), "refusal",
                         strcmp(reason, "content_filter") == 0 ? reason : "");
}

bool backend_openai_read_reply(const json_t *reply, struct reply_facts *facts)
{
    const json_t *choice = json_array_get(json_object_get(reply, "choices"), 0);
    const json_t *message = json_object_get(choice, "message");
    const json_t *content = json_object_get(message, "content");

    facts->refusal = read_refusal(choice);
    if (content == NULL && facts->refusal[0] != '\0')
        content = json_null();
    if (!backend_read_content(content, facts))
        return false;
    if (facts->thought[0] == '\0')
        facts->thought = read_thought(message);
    facts->finish = read_finish(reply, choice);
    facts->logprobs =
        json_object_get(json_object_get(choice, "logprobs"), "content");
    read_usage(reply, facts);
    return true;
}

// Asks for decimals, which all of them send unless another encoding is
// requested. A text that is too long is an error in llama.cpp, vLLM and LM
// Studio.
void backend_openai_put_embed_options(struct buf *out,
                                      const struct call_options *options,
                                      const struct model_address *address)
{
    (void)options;
    (void)address;
    buf_puts(out, ",\"encoding_format\":\"float\"");
}

const json_t *backend_openai_read_embedding(const json_t *reply,
                                            struct reply_facts *facts)
{
    const json_t *list = json_object_get(reply, "data");

    facts->prompt_tokens =
        json_get_int(json_object_get(reply, "usage"), "prompt_tokens", 0);
    return json_array_size(list) == 1
               ? json_object_get(json_array_get(list, 0), "embedding")
               : NULL;
}

// This API has no version; the owner of the models is the closest thing.
static const char *read_version(const json_t *reply)
{
    const json_t *models = json_object_get(reply, "data");

    if (!json_is_array(models))
        return NULL;
    return json_get_text(json_array_get(models, 0), "owned_by", "");
}

static bool read_model(const json_t *entry, struct model_info *out)
{
    const json_t *meta = json_object_get(entry, "meta");
    int64_t context =
        json_get_int(entry, "max_model_len", json_get_int(meta, "n_ctx", 0));

    out->context = context > 0 ? context : 0;
    return backend_copy(out->name, sizeof out->name,
                        json_get_text(entry, "id", ""));
}

bool backend_openai_is_simulated(const json_t *entry)
{
    return strstr(json_get_text(entry, "owned_by", ""), "simulated") != NULL;
}

const struct model_backend backend_openai = {
    .name = "openai",
    .chat_path = "/v1/chat/completions",
    .embed_path = "/v1/embeddings",
    .chat_key = "\"choices\"",
    .embed_key = "\"embedding\"",
    .version_path = NULL,
    .models_path = "/v1/models",
    .models_key = "data",
    .pull = NULL,
    .cuts_silently = false,
    .put_options = backend_openai_put_options,
    .put_format = backend_openai_put_format,
    .put_embed_options = backend_openai_put_embed_options,
    .read_reply = backend_openai_read_reply,
    .read_embedding = backend_openai_read_embedding,
    .read_version = read_version,
    .read_model = read_model,
    .is_simulated = backend_openai_is_simulated,
};
