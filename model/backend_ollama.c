#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "model/backend.h"

// Ollama's own API, /api/chat and /api/embed. We always send every option that
// changes the answer or reloads the model, because the defaults depend on the
// machine.
//
// We turn `truncate` and `shift` off, so that a prompt that does not fit is an
// error and a reply ends at the window; servers that are too old for them
// ignore both. `keep_alive` outlasts the pauses of a search, unless the owner
// of the machine decides otherwise; without a unit it is sent as a number.

static void put_keep_alive(struct buf *out, const struct model_address *address)
{
    const char *keep = address->keep_alive;
    const char *quote = strpbrk(keep, "smh") == NULL ? "" : "\"";

    if (keep[0] != '\0')
        buf_printf(out, ",\"keep_alive\":%s%s%s", quote, keep, quote);
}

static void put_options(struct buf *out, const struct call_options *options,
                        const struct model_address *address)
{
    buf_puts(out, ",\"stream\":false,\"truncate\":false,\"shift\":false");
    put_keep_alive(out, address);
    if (options->think != THINK_UNSET)
        buf_printf(out, ",\"think\":%s",
                   options->think == THINK_ON ? "true" : "false");
    buf_printf(out,
               ",\"options\":{\"num_ctx\":%" PRId32 ",\"num_predict\":%" PRId32
               ",\"temperature\":%.17g,\"seed\":%" PRId64 "}",
               options->num_ctx, options->num_predict, options->temperature,
               options->seed);
}

static void put_format(struct buf *out, const char *format)
{
    buf_puts(out, ",\"format\":");
    buf_puts(out, format);
}

// By default, Ollama silently cuts a text that is too long.
static void put_embed_options(struct buf *out,
                              const struct call_options *options,
                              const struct model_address *address)
{
    buf_puts(out, ",\"truncate\":false");
    put_keep_alive(out, address);
    buf_printf(out, ",\"options\":{\"num_ctx\":%" PRId32 "}", options->num_ctx);
}

static const json_t *read_embedding(const json_t *reply,
                                    struct reply_facts *facts)
{
    const json_t *list = json_object_get(reply, "embeddings");

    facts->prompt_tokens = json_get_int(reply, "prompt_eval_count", 0);
    facts->load_us = json_get_int(reply, "load_duration", 0) / 1000;
    return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

// Ollama stops a model that writes the same token some 31 times. It then
// answers 200 with `"done": false` and gives no reason (0.33).
static enum model_finish read_finish(const json_t *reply)
{
    const char *reason = json_get_text(reply, "done_reason", NULL);

    if (reason == NULL)
        return json_get_bool(reply, "done", false) ? FINISH_UNKNOWN
                                                   : FINISH_EARLY;
    return strcmp(reason, "length") == 0 ? FINISH_LENGTH : FINISH_STOP;
}

static bool read_reply(const json_t *reply, struct reply_facts *facts)
{
    const json_t *message = json_object_get(reply, "message");
    const json_t *content = json_object_get(message, "content");
    const char *reason = json_get_text(reply, "done_reason", "");

    if (!json_is_boolean(json_object_get(reply, "done")) ||
        strcmp(reason, "load") == 0 || strcmp(reason, "unload") == 0 ||
        !backend_read_content(content, facts))
        return false;
    if (facts->thought[0] == '\0')
        facts->thought = json_get_text(message, "thinking", "");
    facts->finish = read_finish(reply);
    facts->prompt_tokens = json_get_int(reply, "prompt_eval_count", 0);
    facts->cached_tokens = -1;
    facts->generated_tokens = json_get_int(reply, "eval_count", 0);
    facts->prompt_us = json_get_int(reply, "prompt_eval_duration", 0) / 1000;
    facts->generate_us = json_get_int(reply, "eval_duration", 0) / 1000;
    facts->load_us = json_get_int(reply, "load_duration", 0) / 1000;
    facts->logprobs = json_object_get(reply, "logprobs");
    return true;
}

static const char *read_version(const json_t *reply)
{
    return json_get_text(reply, "version", NULL);
}

static bool is_digest(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool read_model(const json_t *entry, struct model_info *out)
{
    const json_t *details = json_object_get(entry, "details");
    const char *digest = json_get_text(entry, "digest", "");
    int64_t context = json_get_int(entry, "context_length", 0);

    if (context <= 0)
        context = json_get_int(details, "context_length", 0);
    out->context = context > 0 ? context : 0;
    if (is_digest(digest))
        (void)backend_copy(out->digest, sizeof out->digest, digest);
    (void)backend_copy(out->quantization, sizeof out->quantization,
                       json_get_text(details, "quantization_level", ""));
    return backend_copy(out->name, sizeof out->name,
                        json_get_text(entry, "name", ""));
}

static bool is_simulated(const json_t *entry)
{
    const json_t *details = json_object_get(entry, "details");

    return strcmp(json_get_text(details, "family", ""), "simulated") == 0;
}

const struct model_backend backend_ollama = {
    .name = "ollama",
    .chat_path = "/api/chat",
    .embed_path = "/api/embed",
    .chat_key = "\"done\"",
    .embed_key = "\"embeddings\"",
    .version_path = "/api/version",
    .models_path = "/api/tags",
    .models_key = "models",
    .pull = "ollama pull",
    .cuts_silently = true,
    .put_options = put_options,
    .put_format = put_format,
    .put_embed_options = put_embed_options,
    .read_reply = read_reply,
    .read_embedding = read_embedding,
    .read_version = read_version,
    .read_model = read_model,
    .is_simulated = is_simulated,
};
