#include "coordinator/kept_calls.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/engine.h"
#include "coordinator/flight.h"
#include "wire/message.h"

_Static_assert((int)WIRE_KEY_BYTES == (int)HASH_BYTES, "a key is a hash");

void kept_calls_release(struct kept_calls *kept)
{
    free(kept->items);
    *kept = (struct kept_calls){0};
}

static bool make_room(struct kept_calls *kept)
{
    size_t cap = kept->cap == 0 ? 64 : 2 * kept->cap;
    struct kept_call *grown;

    if (kept->n < kept->cap)
        return true;
    grown = realloc(kept->items, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    kept->items = grown;
    kept->cap = cap;
    return true;
}

void kept_calls_note(struct kept_calls *kept, int32_t worker, const char *keys,
                     size_t len, size_t most, int64_t now)
{
    size_t n = len / WIRE_KEY_BYTES;

    for (size_t i = 0; i < n && i < most && make_room(kept); i++) {
        struct kept_call *one = &kept->items[kept->n++];

        memcpy(one->key.bytes, keys + i * WIRE_KEY_BYTES, WIRE_KEY_BYTES);
        one->worker = worker;
        one->until_ms = now + KEPT_CALLS_MS;
    }
}

bool kept_calls_give(struct engine *engine, size_t *at, int64_t now,
                     struct action *out)
{
    struct kept_calls *kept = &engine->kept;

    while (*at < kept->n) {
        struct kept_call *one = &kept->items[*at];
        struct flight *flight = flights_find(&engine->flights, &one->key);
        bool given =
            flight != NULL && dispatch_send_to(engine->dispatch, flight->id,
                                               one->worker, now, out);

        if (given || now >= one->until_ms)
            *one = kept->items[--kept->n];
        else
            ++*at;
        if (given)
            return true;
    }
    if (kept->n == 0)
        kept_calls_release(kept);
    return false;
}
