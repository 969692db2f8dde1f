#include "dispatch/pace.h"

// --- kinds ---

static bool holds(const struct pace_places *places, int at, int64_t kind)
{
    return places->turns[at] > 0 && places->kinds[at] == kind;
}

// Returns -1 if nothing is known about the kind.
static int find_place(const struct pace_places *places, int64_t kind)
{
    if (holds(places, places->latest, kind))
        return places->latest;
    for (int at = 0; at < PACE_KINDS; at++)
        if (holds(places, at, kind))
            return at;
    return -1;
}

static int oldest_place(const struct pace_places *places)
{
    int oldest = 0;

    for (int at = 1; at < PACE_KINDS; at++)
        if (places->turns[at] < places->turns[oldest])
            oldest = at;
    return oldest;
}

// Returns the place of the kind, or one that is reused for it. Then *is_new is
// set, and the caller must clear what the place held.
static int take_place(struct pace_places *places, int64_t kind, bool *is_new)
{
    int at = find_place(places, kind);

    *is_new = at < 0;
    if (*is_new)
        at = oldest_place(places);
    places->kinds[at] = kind;
    places->turns[at] = ++places->turn;
    places->latest = at;
    return at;
}

// --- of a worker ---

// The mean of about the last eight values.
static void add_to_mean(int64_t *mean, int64_t value)
{
    *mean = *mean == 0 ? value : (7 * *mean + value) / 8;
}

static void learn_reading(struct pace *pace, int64_t prefix_size, int64_t us)
{
    if (pace->rough)
        pace->read_us = pace->read_size = 0;
    pace->rough = false;
    add_to_mean(&pace->read_us, us > 0 ? us : 1);
    add_to_mean(&pace->read_size, prefix_size > 0 ? prefix_size : 1);
}

void pace_learn(struct pace *pace, const struct pace_sample *sample)
{
    int64_t us = sample->us;
    bool is_new;
    int at = take_place(&pace->places, sample->kind, &is_new);
    int64_t *call_us = &pace->call_us[at];
    int64_t *fresh_us = &pace->fresh_us[at];

    if (is_new)
        *call_us = *fresh_us = 0;
    bool first = *call_us == 0;
    if (!sample->fresh) {
        add_to_mean(call_us, us);
        if (first && pace->read_us == 0 && *fresh_us > us) {
            learn_reading(pace, sample->prefix_size, *fresh_us - us);
            pace->rough = true;
        }
    } else if (first) {
        *fresh_us = us;
    } else {
        learn_reading(pace, sample->prefix_size, us - *call_us);
    }
}

int64_t pace_call_us(const struct pace *pace, int64_t kind)
{
    int at = find_place(&pace->places, kind);

    if (at < 0)
        return 0;
    return pace->call_us[at] != 0 ? pace->call_us[at] : pace->fresh_us[at];
}

int64_t pace_read_us(const struct pace *pace, int64_t prefix_size)
{
    double size = prefix_size > 0 ? (double)prefix_size : 1;

    if (pace->read_size == 0)
        return 0;
    return (int64_t)((double)pace->read_us * size / (double)pace->read_size);
}

// --- of a model ---

void pace_usual_learn(struct pace_usual *usual, int64_t kind, int64_t ms)
{
    bool is_new;
    int at = take_place(&usual->places, kind, &is_new);

    if (is_new)
        usual->ms[at] = (struct median){0};
    median_add(&usual->ms[at], ms);
}

int64_t pace_usual_ms(const struct pace_usual *usual, int64_t kind)
{
    int at = find_place(&usual->places, kind);

    return at < 0 ? -1 : median_get(&usual->ms[at]);
}

int64_t pace_usual_shortest_ms(const struct pace_usual *usual)
{
    int64_t shortest = -1;

    for (int at = 0; at < PACE_KINDS; at++) {
        int64_t ms = median_get(&usual->ms[at]);

        if (ms >= 0 && (shortest < 0 || ms < shortest))
            shortest = ms;
    }
    return shortest;
}
