#include "cli/servers.h"

#include <stdio.h>

#include "simulated/sim_server.h"

enum { SIMULATED_SLOTS = 8 };

static bool add_list(struct servers *out, const struct options *options,
                     enum option_id id, const char *backend, struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, id, &texts);

    for (size_t i = 0; i < n; i++) {
        if (out->n == SERVERS_MAX) {
            err_set(err, ERR_INPUT,
                    "more than %d model servers were named: start further "
                    "workers with `promptcc worker`",
                    SERVERS_MAX);
            return false;
        }
        if (!model_address_parse(backend, texts[i], &out->addresses[out->n],
                                 err))
            return false;
        out->n++;
    }
    return true;
}

static bool start_simulated(struct servers *out, const char *const *models,
                            size_t n_models, struct err *err)
{
    struct sim_options options = {.slots = SIMULATED_SLOTS,
                                  .models = models,
                                  .n_models = n_models,
                                  .models_loaded = n_models,
                                  .only_models = true};
    char url[64];

    if (out->n > 0) {
        err_set(err, ERR_INPUT,
                "the stand-in (--simulate) is for all model servers: leave it "
                "out, or the address of a real one");
        return false;
    }
    out->sim = sim_server_start(&options, err);
    if (out->sim == NULL)
        return false;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u,slots=%d",
                   sim_server_port(out->sim), SIMULATED_SLOTS);
    out->n = 1;
    return model_address_parse("ollama", url, &out->addresses[0], err);
}

bool servers_open(struct servers *out, const struct options *options,
                  bool simulate, const char *const *models, size_t n_models,
                  struct err *err)
{
    *out = (struct servers){0};
    if (!add_list(out, options, OPT_OLLAMA, "ollama", err) ||
        !add_list(out, options, OPT_OPENAI, "openai", err))
        return false;
    if (simulate)
        return start_simulated(out, models, n_models, err);
    if (out->n > 0)
        return true;
    out->n = 1;
    return model_address_parse("ollama", SERVERS_DEFAULT_OLLAMA,
                               &out->addresses[0], err);
}

void servers_close(struct servers *servers)
{
    sim_server_stop(servers->sim);
    *servers = (struct servers){0};
}
