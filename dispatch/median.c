#include "dispatch/median.h"

#include <stddef.h>
#include <string.h>

// Returns the first place whose value is not below `value`.
static int place_of(const struct median *median, int64_t value)
{
    int place = 0;

    while (place < median->count && median->sorted[place] < value)
        place++;
    return place;
}

static void drop_oldest(struct median *median)
{
    int place = place_of(median, median->recent[median->at]);

    median->count--;
    memmove(&median->sorted[place], &median->sorted[place + 1],
            (size_t)(median->count - place) * sizeof median->sorted[0]);
}

void median_add(struct median *median, int64_t value)
{
    if (median->count == MEDIAN_SAMPLES)
        drop_oldest(median);
    int place = place_of(median, value);
    memmove(&median->sorted[place + 1], &median->sorted[place],
            (size_t)(median->count - place) * sizeof median->sorted[0]);
    median->sorted[place] = value;
    median->count++;
    median->recent[median->at] = value;
    median->at = (median->at + 1) % MEDIAN_SAMPLES;
}

int64_t median_get(const struct median *median)
{
    if (median->count < MEDIAN_MIN_SAMPLES)
        return -1;
    return median->sorted[median->count / 2];
}
