#include "coordinator/answerers/answerer.h"

const struct answerer *answerer_of(const struct ask *ask)
{
    static const struct answerer *const rows[ANSWERER_COUNT] = {
        [ANSWERER_MODEL] = &answerer_model,
        [ANSWERER_EXEC] = &answerer_exec,
    };

    return rows[ask->answerer];
}
