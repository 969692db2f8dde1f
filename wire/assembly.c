#include "wire/assembly.h"

void assembly_release(struct assembly *assembly)
{
    buf_release(&assembly->bytes);
    *assembly = ASSEMBLY_INIT;
}

bool assembly_add(struct assembly *assembly, const struct part *part,
                  struct err *err)
{
    if (part->at == 0) {
        buf_clear(&assembly->bytes);
        assembly->of = (size_t)part->of;
    }
    if (part->len == 0 || (size_t)part->at != assembly->bytes.len ||
        (size_t)part->of != assembly->of ||
        part->len > assembly->of - assembly->bytes.len) {
        err_set(err, ERR_PROTOCOL,
                "PART message: it does not follow the one "
                "before it");
        return false;
    }
    buf_append(&assembly->bytes, part->data, part->len);
    return buf_ok(&assembly->bytes, "a message", err);
}

bool assembly_whole(const struct assembly *assembly)
{
    return assembly->of > 0 && assembly->bytes.len == assembly->of;
}
