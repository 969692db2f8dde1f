#include "simulated/sim_tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "simulated/sim_embed.h"
#include "simulated/sim_request.h"

enum { LISTED_MAX = 64 };

// --- which models there are ---

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

bool sim_models_has(const struct sim_service *service, const char *name)
{
    if (strlen(name) >= SIM_MODEL_NAME_MAX - 8)
        return false;
    if (service->options.only_models)
        return is_listed(service, name);
    return strstr(name, "missing") == NULL;
}

bool sim_models_thinks(const char *name)
{
    static const char *const NAMES[] = {"qwen3", "-r1", "think", "gpt-oss"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strstr(name, NAMES[i]) != NULL)
            return true;
    return false;
}

// Appends 64 hex digits that depend only on the name.
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
    sim_put_text(out, name);
    buf_puts(out, ", \"model\": ");
    sim_put_text(out, name);
    buf_puts(out, ", \"size\": 1000000000, \"digest\": ");
    put_digest(out, name);
    buf_puts(out, ", \"details\": ");
    put_details(out);
    buf_printf(out,
               ", \"capabilities\": [\"%s\", \"simulated\"%s], "
               "\"context_length\": %" PRId64,
               sim_embeds(name) ? "embedding" : "completion",
               sim_models_thinks(name) ? ", \"thinking\"" : "",
               service->options.num_ctx_max);
}

// --- routes ---

void sim_tell_root(struct sim_service *service, struct sim_exchange *exchange)
{
    (void)service;
    exchange->type = "text/plain; charset=utf-8";
    buf_puts(&exchange->reply, "Ollama is running (simulated)");
}

void sim_tell_version(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    (void)service;
    buf_puts(&exchange->reply, "{\"version\": \"0.0.0-simulated\"}");
}

void sim_tell_tags(struct sim_service *service, struct sim_exchange *exchange)
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

void sim_tell_ps(struct sim_service *service, struct sim_exchange *exchange)
{
    struct sim_loaded list[LISTED_MAX];
    size_t n = sim_slots_loaded(service->slots, list, LISTED_MAX);
    struct buf *out = &exchange->reply;
    buf_puts(out, "{\"models\": [");
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? ", {" : "{");
        buf_puts(out, "\"name\": ");
        sim_put_text(out, list[i].model);
        buf_puts(out, ", \"model\": ");
        sim_put_text(out, list[i].model);
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

void sim_tell_openai_models(struct sim_service *service,
                            struct sim_exchange *exchange)
{
    struct buf *out = &exchange->reply;
    buf_puts(out, "{\"object\": \"list\", \"data\": [");
    for (size_t i = 0; i < service->n_models; i++) {
        buf_puts(out, i > 0 ? ", {\"id\": " : "{\"id\": ");
        sim_put_text(out, service->models[i]);
        buf_puts(out, ", \"object\": \"model\", \"created\": 1767225600, "
                      "\"owned_by\": \"simulated\"}");
    }
    buf_puts(out, "]}");
}

// In the form of llama.cpp's server.
void sim_tell_props(struct sim_service *service, struct sim_exchange *exchange)
{
    buf_printf(&exchange->reply,
               "{\"default_generation_settings\": {\"n_ctx\": %" PRId64 "}, "
               "\"total_slots\": %zu, \"build_info\": \"simulated\"}",
               service->options.num_ctx_max, service->options.slots);
}

void sim_tell_health(struct sim_service *service, struct sim_exchange *exchange)
{
    (void)service;
    buf_puts(&exchange->reply, "{\"status\": \"ok\"}");
}

void sim_tell_stats(struct sim_service *service, struct sim_exchange *exchange)
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

void sim_tell_show(struct sim_service *service, struct sim_exchange *exchange)
{
    struct sim_request request;
    struct sim_refusal refusal;
    struct buf *out = &exchange->reply;
    if (!sim_request_read(&request, exchange->body, exchange->body_len,
                          SIM_API_OLLAMA, &refusal))
        sim_fail(exchange, SIM_API_OLLAMA, refusal.status, refusal.text);
    else if (!sim_models_has(service, request.model)) {
        snprintf(refusal.text, sizeof refusal.text, "model '%.100s' not found",
                 request.model);
        sim_fail(exchange, SIM_API_OLLAMA, 404, refusal.text);
    } else {
        buf_puts(out, "{\"modelfile\": \"\", \"parameters\": \"\", "
                      "\"template\": \"{{ .Prompt }}\", \"details\": ");
        put_details(out);
        buf_printf(out,
                   ", \"model_info\": {\"general.architecture\": "
                   "\"simulated\", \"simulated.context_length\": %" PRId64
                   "}, \"capabilities\": [\"completion\", \"simulated\"%s]}",
                   service->options.num_ctx_max,
                   sim_models_thinks(request.model) ? ", \"thinking\"" : "");
    }
    sim_request_release(&request);
}
