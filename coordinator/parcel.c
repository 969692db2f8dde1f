#include "coordinator/parcel.h"

#include <stddef.h>

bool parcel_init(struct parcel *parcel, struct err *err)
{
    parcel->bundle = NULL;
    if (pthread_mutex_init(&parcel->lock, NULL) == 0)
        return true;
    err_nomem(err, "the coordinator");
    return false;
}

void parcel_release(struct parcel *parcel)
{
    bundle_free(parcel->bundle);
    (void)pthread_mutex_destroy(&parcel->lock);
}

static struct bundle *exchange(struct parcel *parcel, struct bundle *bundle)
{
    struct bundle *before;

    (void)pthread_mutex_lock(&parcel->lock);
    before = parcel->bundle;
    parcel->bundle = bundle;
    (void)pthread_mutex_unlock(&parcel->lock);
    return before;
}

void parcel_put(struct parcel *parcel, struct bundle *bundle)
{
    bundle_free(exchange(parcel, bundle));
}

struct bundle *parcel_take(struct parcel *parcel)
{
    return exchange(parcel, NULL);
}
