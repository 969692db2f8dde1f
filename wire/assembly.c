#include "wire/assembly.h"

#include <stdlib.h>

enum {
    IDLE_MS = 2000,   // without a part, before it makes room for another
    STALE_MS = 15000, // before it is given up in any case
};

struct assembly {
    struct assemblies *all; // borrowed
    void *owner;            // borrowed
    struct buf bytes;       // owned
    size_t of;              // bytes of the whole message; 0: none has begun
    int64_t part_ms;        // when the last part came
    struct assembly *next, *before;
};

// --- one message ---

static void drop_bytes(struct assembly *assembly)
{
    assembly->all->bytes -= assembly->bytes.len;
    buf_release(&assembly->bytes);
    assembly->bytes = BUF_INIT(WIRE_MAX_BYTES);
    assembly->of = 0;
}

struct assembly *assembly_new(struct assemblies *all, void *owner)
{
    struct assembly *assembly = malloc(sizeof *assembly);

    if (assembly == NULL)
        return NULL;
    *assembly = (struct assembly){.all = all,
                                  .owner = owner,
                                  .bytes = BUF_INIT(WIRE_MAX_BYTES),
                                  .next = all->first};
    if (assembly->next != NULL)
        assembly->next->before = assembly;
    all->first = assembly;
    return assembly;
}

void assembly_free(struct assembly *assembly)
{
    if (assembly == NULL)
        return;
    drop_bytes(assembly);
    if (assembly->before == NULL)
        assembly->all->first = assembly->next;
    else
        assembly->before->next = assembly->next;
    if (assembly->next != NULL)
        assembly->next->before = assembly->before;
    free(assembly);
}

void *assembly_owner(const struct assembly *assembly)
{
    return assembly->owner;
}

static bool follows(const struct assembly *assembly, const struct part *part)
{
    return part->len > 0 && (size_t)part->at == assembly->bytes.len &&
           (size_t)part->of == assembly->of &&
           part->len <= assembly->of - assembly->bytes.len;
}

bool assembly_add(struct assembly *assembly, const struct part *part,
                  int64_t now_ms, struct err *err)
{
    size_t before;

    assembly->part_ms = now_ms;
    if (part->at == 0) {
        assembly->all->bytes -= assembly->bytes.len;
        buf_clear(&assembly->bytes);
        assembly->of = (size_t)part->of;
    }
    if (!follows(assembly, part)) {
        err_set(err, ERR_PROTOCOL,
                "PART message: it does not follow the one before it");
        return false;
    }
    before = assembly->bytes.len;
    buf_append(&assembly->bytes, part->data, part->len);
    assembly->all->bytes -= before;
    assembly->all->bytes += assembly->bytes.len; // nothing was appended when
                                                 // out of memory
    return buf_ok(&assembly->bytes, "a message", err);
}

bool assembly_is_under_way(const struct assembly *assembly)
{
    return assembly != NULL && assembly->of > 0;
}

bool assembly_take(struct assembly *assembly, struct buf *bytes)
{
    if (assembly->of == 0 || assembly->bytes.len != assembly->of)
        return false;
    *bytes = assembly->bytes;
    assembly->all->bytes -= assembly->bytes.len;
    assembly->bytes = BUF_INIT(WIRE_MAX_BYTES);
    assembly->of = 0;
    return true;
}

// --- all of them ---

bool assemblies_have_room(const struct assemblies *all, size_t bytes)
{
    return all->bytes + bytes <= ASSEMBLIES_BYTES;
}

struct assembly *assemblies_stalled(const struct assemblies *all,
                                    const struct assembly *but, int64_t now_ms)
{
    struct assembly *idle = NULL;

    for (struct assembly *at = all->first; at != NULL; at = at->next)
        if (at != but && assembly_is_under_way(at) &&
            (idle == NULL || at->part_ms < idle->part_ms))
            idle = at;
    return idle != NULL && now_ms - idle->part_ms >= IDLE_MS ? idle : NULL;
}

void assemblies_tick(struct assemblies *all, int64_t now_ms)
{
    for (struct assembly *at = all->first; at != NULL; at = at->next)
        if (assembly_is_under_way(at) && now_ms - at->part_ms > STALE_MS)
            drop_bytes(at);
}
