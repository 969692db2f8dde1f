#include "web/parts.h"

json_t *web_ask(const struct web_commands *commands, const char *verb,
                const char *job, const char *argument, struct err *err)
{
    void *session = commands->open(commands->user, err);
    json_t *reply;

    if (session == NULL)
        return NULL;
    reply = commands->ask(session, verb, job, argument, WEB_PATIENCE_MS, err);
    commands->close(session);
    return reply;
}
