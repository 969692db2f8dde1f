// server: what a server has reported about itself; no network here.

#include <stdlib.h>

#include "common/model_name.h"
#include "model/model.h"

void model_server_release(struct model_server *server)
{
    free(server->models);
    *server = (struct model_server){0};
}

const struct model_info *model_server_find(const struct model_server *server,
                                           const char *name)
{
    for (size_t i = 0; i < server->n_models; i++)
        if (model_name_same(server->models[i].name, name))
            return &server->models[i];
    return NULL;
}
