#include "coordinator/answerers/answerer.h"

const struct answerer *answerer_of(const struct ask *ask)
{
    static const struct answerer *const rows[ANSWERER_COUNT] = {
#define ANSWERER(id, name) [id] = &answerer_##name,
#include "program/graph/answerers.def"
#undef ANSWERER
    };

    return rows[ask->answerer];
}
