#include "simulated/sim_api.h"

#include <string.h>

#include "simulated/sim_chat.h"
#include "simulated/sim_tell.h"

static void post_chat(struct sim_service *service,
                      struct sim_exchange *exchange)
{
    sim_chat_answer(service, exchange, SIM_API_OLLAMA, CALL_CHAT);
}

static void post_openai_chat(struct sim_service *service,
                             struct sim_exchange *exchange)
{
    sim_chat_answer(service, exchange, SIM_API_OPENAI, CALL_CHAT);
}

static void post_embed(struct sim_service *service,
                       struct sim_exchange *exchange)
{
    sim_chat_answer(service, exchange, SIM_API_OLLAMA, CALL_EMBED);
}

static void post_openai_embed(struct sim_service *service,
                              struct sim_exchange *exchange)
{
    sim_chat_answer(service, exchange, SIM_API_OPENAI, CALL_EMBED);
}

// --- the table ---

static const struct {
    const char *method;
    const char *path;
    void (*handle)(struct sim_service *service, struct sim_exchange *exchange);
} ROUTES[] = {
    {"POST", "/api/chat", post_chat},
    {"POST", "/v1/chat/completions", post_openai_chat},
    {"POST", "/api/embed", post_embed},
    {"POST", "/v1/embeddings", post_openai_embed},
    {"GET", "/", sim_tell_root},
    {"GET", "/api/version", sim_tell_version},
    {"GET", "/api/tags", sim_tell_tags},
    {"GET", "/api/ps", sim_tell_ps},
    {"POST", "/api/show", sim_tell_show},
    {"GET", "/v1/models", sim_tell_openai_models},
    {"GET", "/props", sim_tell_props},
    {"GET", "/health", sim_tell_health},
    {"GET", "/sim/stats", sim_tell_stats},
};

void sim_api_answer(struct sim_service *service, struct sim_exchange *exchange)
{
    const char *method =
        strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    exchange->status = 200;
    exchange->type = SIM_JSON_TYPE;
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
        sim_fail(exchange, SIM_API_OLLAMA, there ? 405 : 404,
                 there ? "405 method not allowed" : "404 page not found");
    if (exchange->reply.failed)
        sim_fail(exchange, SIM_API_OLLAMA, 500, "the reply is too long");
    exchange->record.status =
        exchange->ending == SIM_DROP ? 0 : exchange->status;
}
