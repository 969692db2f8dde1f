#include "simulation/scaler.h"

#include <stdlib.h>
#include <string.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

// Returns the number of workers that the value asks for, or n if that is about
// right.
static int recommend(const struct scaler *scaler, int64_t value, int n)
{
    int64_t right = (int64_t)scaler->calls_per_worker * n;
    int64_t per = scaler->calls_per_worker;

    if (10 * llabs(value - right) <= right)
        return n;
    return largest(1, least(scaler->most, (int)((value + per - 1) / per)));
}

// Returns the most workers that were wanted in the window, including now.
static int note(struct scaler *scaler, int wanted)
{
    int times =
        least(scaler->window_s / SCALER_INTERVAL_S + 1, SCALER_WINDOW_MOST);
    int most = wanted;

    if (scaler->n == SCALER_WINDOW_MOST)
        memmove(scaler->wanted, scaler->wanted + 1,
                (size_t)--scaler->n * sizeof *scaler->wanted);
    scaler->wanted[scaler->n++] = wanted;
    for (int i = largest(0, scaler->n - times); i < scaler->n; i++)
        most = largest(most, scaler->wanted[i]);
    return most;
}

int scaler_wants(struct scaler *scaler, int64_t now_s, int64_t value, int n)
{
    int wanted;
    int most;

    if (value > 0)
        scaler->active_s = now_s;
    if (n == 0) {
        scaler->n = 0;
        return value > 0 ? 1 : 0;
    }
    if (value == 0 && now_s - scaler->active_s >= scaler->cooldown_s)
        return 0;
    wanted = recommend(scaler, value, n);
    if (wanted >= n)
        wanted = least(wanted, largest(n + 4, 2 * n));
    most = note(scaler, wanted);
    return wanted >= n ? wanted : least(most, n);
}
