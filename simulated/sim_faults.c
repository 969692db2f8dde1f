#include "simulated/sim_faults.h"

#include <string.h>

#include "simulated/sim_text.h"

#define PREFIX "fault "

// By enum sim_fault.
static const char *const NAMES[] = {
    PREFIX "none",
#define SIM_FAULT(value, name) PREFIX name,
#include "simulated/sim_faults.def"
#undef SIM_FAULT
};

// The known kinds for a message: ", 500, 503, ...".
static const char KNOWN[] =
#define SIM_FAULT(value, name) ", " name
#include "simulated/sim_faults.def"
#undef SIM_FAULT
    ;

const char *sim_fault_name(enum sim_fault fault)
{
    return NAMES[fault];
}

static bool add_kind(struct sim_faults *faults, const char *name, size_t len,
                     struct err *err)
{
    size_t skip = sizeof PREFIX - 1;
    for (size_t i = 1; i < SIM_FAULT_COUNT; i++) {
        if (strlen(NAMES[i]) != skip + len ||
            memcmp(NAMES[i] + skip, name, len) != 0)
            continue;
        if (faults->n < SIM_FAULT_COUNT)
            faults->kinds[faults->n++] = (enum sim_fault)i;
        return true;
    }
    err_set(err, ERR_INPUT, "\"%.*s\" is not a kind of fault; choose among %s",
            (int)(len < 40 ? len : 40), name, KNOWN + strlen(", "));
    return false;
}

bool sim_faults_read(struct sim_faults *faults, double rate, const char *kinds,
                     uint64_t seed, struct err *err)
{
    *faults = (struct sim_faults){.rate = rate, .seed = seed};
    if (!(rate >= 0 && rate <= 1)) {
        err_set(err, ERR_INPUT, "the fault rate has to be from 0 to 1");
        return false;
    }
    const char *at = kinds == NULL ? "500,503,cut,garbage" : kinds;
    for (;;) {
        size_t len = strcspn(at, ",");
        if (!add_kind(faults, at, len, err))
            return false;
        if (at[len] == '\0')
            return true;
        at += len + 1;
    }
}

enum sim_fault sim_faults_draw(const struct sim_faults *faults,
                               const struct hash *body, uint64_t attempt)
{
    uint64_t draw = sim_hash((const char *)body->bytes, HASH_BYTES,
                             sim_mix(faults->seed, attempt));
    if (sim_unit(draw) >= faults->rate || faults->n == 0)
        return SIM_FAULT_NONE;
    uint64_t which = sim_mix(draw, 1);
    return faults->kinds[which % faults->n];
}
