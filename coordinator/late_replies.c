#include "coordinator/late_replies.h"

#include <stdlib.h>

void late_reply_free(struct late_reply *reply)
{
    free(reply->text);
    free(reply);
}

void late_replies_release(struct late_replies *late)
{
    while (late->first != NULL) {
        struct late_reply *next = late->first->next;

        late_reply_free(late->first);
        late->first = next;
    }
    late->n = 0;
}

bool late_replies_add(struct late_replies *late, const struct late_reply *reply,
                      struct err *err)
{
    struct late_reply *copy = NULL;
    struct late_reply **end = &late->first;

    if (late->n >= LATE_REPLIES_MOST)
        err_set(err, ERR_BUSY,
                "the coordinator waits for its disk and has too many answers "
                "to give: ask again in a minute");
    else if ((copy = malloc(sizeof *copy)) == NULL)
        err_nomem(err, "a reply");
    if (copy == NULL) {
        free(reply->text);
        return false;
    }
    *copy = *reply;
    copy->next = NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = copy;
    late->n++;
    return true;
}

static struct late_reply *take_at(struct late_replies *late,
                                  struct late_reply **at)
{
    struct late_reply *reply = *at;

    if (reply == NULL)
        return NULL;
    *at = reply->next;
    late->n--;
    return reply;
}

struct late_reply *late_replies_take(struct late_replies *late,
                                     uint64_t durable, bool broken)
{
    struct late_reply **at = &late->first;

    while (*at != NULL &&
           ((*at)->ending != NULL || ((*at)->put > durable && !broken)))
        at = &(*at)->next;
    return take_at(late, at);
}

struct late_reply *late_replies_take_ended(struct late_replies *late,
                                           const struct running_job *running)
{
    struct late_reply **at = &late->first;

    while (*at != NULL && (*at)->ending != running)
        at = &(*at)->next;
    return take_at(late, at);
}
