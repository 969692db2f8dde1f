#include "dispatch/pace.h"

#include <stddef.h>

// Of about the last eight.
static void add_to_mean(int64_t *mean, int64_t value)
{
    *mean = *mean == 0 ? value : (7 * *mean + value) / 8;
}

static bool is_of(const struct pace_kind *at, int64_t kind)
{
    return at->turn > 0 && at->kind == kind;
}

static const struct pace_kind *find_kind(const struct pace *pace, int64_t kind)
{
    if (is_of(&pace->kinds[pace->latest], kind))
        return &pace->kinds[pace->latest];
    for (int i = 0; i < PACE_KINDS; i++)
        if (is_of(&pace->kinds[i], kind))
            return &pace->kinds[i];
    return NULL;
}

// The place of the kind, or the one that is given up for it.
static struct pace_kind *place_kind(struct pace *pace, int64_t kind)
{
    const struct pace_kind *known = find_kind(pace, kind);
    int at = known != NULL ? (int)(known - pace->kinds) : 0;

    for (int i = 1; known == NULL && i < PACE_KINDS; i++)
        if (pace->kinds[i].turn < pace->kinds[at].turn)
            at = i;
    if (known == NULL)
        pace->kinds[at] = (struct pace_kind){.kind = kind};
    pace->kinds[at].turn = ++pace->turn;
    pace->latest = at;
    return &pace->kinds[at];
}

static void learn_reading(struct pace *pace, int64_t prefix_size, int64_t us,
                          bool rough)
{
    if (pace->rough)
        pace->read_us = pace->read_size = 0;
    pace->rough = rough;
    add_to_mean(&pace->read_us, us > 0 ? us : 1);
    add_to_mean(&pace->read_size, prefix_size > 0 ? prefix_size : 1);
}

void pace_learn(struct pace *pace, int64_t kind, int64_t prefix_size,
                bool fresh, int64_t us)
{
    struct pace_kind *of = place_kind(pace, kind);
    bool first = of->call_us == 0;

    if (!fresh) {
        add_to_mean(&of->call_us, us);
        if (first && pace->read_us == 0 && of->fresh_us > us)
            learn_reading(pace, prefix_size, of->fresh_us - us, true);
    } else if (first) {
        of->fresh_us = us;
    } else {
        learn_reading(pace, prefix_size, us - of->call_us, false);
    }
}

int64_t pace_call_us(const struct pace *pace, int64_t kind)
{
    const struct pace_kind *of = find_kind(pace, kind);

    if (of == NULL)
        return 0;
    return of->call_us != 0 ? of->call_us : of->fresh_us;
}

int64_t pace_read_us(const struct pace *pace, int64_t prefix_size)
{
    double size = prefix_size > 0 ? (double)prefix_size : 1;

    if (pace->read_size == 0)
        return 0;
    return (int64_t)((double)pace->read_us * size / (double)pace->read_size);
}

static bool is_usual_of(const struct pace_usual_kind *at, int64_t kind)
{
    return at->turn > 0 && at->kind == kind;
}

static const struct pace_usual_kind *find_usual(const struct pace_usual *usual,
                                                int64_t kind)
{
    if (is_usual_of(&usual->kinds[usual->latest], kind))
        return &usual->kinds[usual->latest];
    for (int i = 0; i < PACE_KINDS; i++)
        if (is_usual_of(&usual->kinds[i], kind))
            return &usual->kinds[i];
    return NULL;
}

void pace_usual_learn(struct pace_usual *usual, int64_t kind, int64_t ms)
{
    const struct pace_usual_kind *known = find_usual(usual, kind);
    int at = known != NULL ? (int)(known - usual->kinds) : 0;

    for (int i = 1; known == NULL && i < PACE_KINDS; i++)
        if (usual->kinds[i].turn < usual->kinds[at].turn)
            at = i;
    if (known == NULL)
        usual->kinds[at] = (struct pace_usual_kind){.kind = kind};
    usual->kinds[at].turn = ++usual->turn;
    usual->latest = at;
    median_add(&usual->kinds[at].ms, ms);
}

int64_t pace_usual_ms(const struct pace_usual *usual, int64_t kind)
{
    const struct pace_usual_kind *of = find_usual(usual, kind);

    return of == NULL ? -1 : median_get(&of->ms);
}

int64_t pace_usual_shortest_ms(const struct pace_usual *usual)
{
    int64_t shortest = -1;

    for (int i = 0; i < PACE_KINDS; i++) {
        int64_t ms =
            usual->kinds[i].turn > 0 ? median_get(&usual->kinds[i].ms) : -1;

        if (ms >= 0 && (shortest < 0 || ms < shortest))
            shortest = ms;
    }
    return shortest;
}
