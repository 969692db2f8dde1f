#include "common/json.h"
#include "model/backend.h"

// llama.cpp's server, with what it offers beyond the OpenAI-compatible API.
// /props reports its build, its slots and the window of each. While the model
// loads, /props answers 503, although /v1/models already lists the model.
// Replies count the prompt tokens that were reused, which backend_openai reads.
// Only the last user turn of our prompts varies, so the server finds the prefix
// again.

static const char *read_version(const json_t *reply)
{
    if (json_object_get(reply, "total_slots") == NULL)
        return NULL;
    return json_get_text(reply, "build_info", "");
}

static void read_props(const json_t *reply, struct model_server *out)
{
    const json_t *settings =
        json_object_get(reply, "default_generation_settings");
    int64_t slots = json_get_int(reply, "total_slots", 0);
    int64_t context = json_get_int(settings, "n_ctx", 0);

    out->slots = slots >= 1 && slots <= 1024 ? (int)slots : 0;
    out->context = context > 0 ? context : 0;
}

// Ignores the window that the model was trained with; that of a slot counts.
static bool read_model(const json_t *entry, struct model_info *out)
{
    return backend_copy(out->name, sizeof out->name,
                        json_get_text(entry, "id", ""));
}

const struct model_backend backend_llama = {
    .name = "llama",
    .chat_path = "/v1/chat/completions",
    .embed_path = "/v1/embeddings",
    .chat_key = "\"choices\"",
    .embed_key = "\"embedding\"",
    .version_path = "/props",
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
    .read_server = read_props,
    .read_model = read_model,
    .is_simulated = backend_openai_is_simulated,
};
