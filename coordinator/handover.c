#include "coordinator/handover.h"

#include <stddef.h>

bool handover_init(struct handover *handover, struct err *err)
{
    handover->bundle = NULL;
    if (pthread_mutex_init(&handover->lock, NULL) == 0)
        return true;
    err_nomem(err, "the coordinator");
    return false;
}

void handover_release(struct handover *handover)
{
    bundle_free(handover->bundle);
    (void)pthread_mutex_destroy(&handover->lock);
}

static struct bundle *exchange(struct handover *handover, struct bundle *bundle)
{
    struct bundle *before;

    (void)pthread_mutex_lock(&handover->lock);
    before = handover->bundle;
    handover->bundle = bundle;
    (void)pthread_mutex_unlock(&handover->lock);
    return before;
}

void handover_put(struct handover *handover, struct bundle *bundle)
{
    bundle_free(exchange(handover, bundle));
}

struct bundle *handover_take(struct handover *handover)
{
    return exchange(handover, NULL);
}
