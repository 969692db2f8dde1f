#include "worker/pulse.h"

#include <sodium.h>

#include "wire/message.h"

enum {
    PATIENCE_BEATS = 15, // silent beats until the coordinator counts as lost,
    PATIENCE_IDLE = 3,   // or slow beats, for a worker without calls
    REST_BEATS = 5,      // after the last call until it beats more slowly
};

void pulse_init(struct pulse *pulse, int64_t now_ms)
{
    *pulse = (struct pulse){.beat_ms = WIRE_HEARTBEAT_MS, .work_ms = now_ms};
}

void pulse_begin(struct pulse *pulse, int64_t beat_ms, int64_t idle_ms,
                 int64_t now_ms)
{
    pulse->beat_ms = beat_ms;
    pulse->idle_ms = idle_ms;
    pulse->next_ms = now_ms + beat_ms;
}

void pulse_heard(struct pulse *pulse, int64_t now_ms)
{
    pulse->heard_ms = now_ms;
}

void pulse_has_call(struct pulse *pulse, int64_t now_ms)
{
    pulse->work_ms = now_ms;
    if (pulse->next_ms > now_ms + pulse->beat_ms)
        pulse->next_ms = now_ms + pulse->beat_ms;
}

int64_t pulse_idle_for_ms(const struct pulse *pulse, int64_t now_ms)
{
    return now_ms - pulse->work_ms;
}

// Beats within one interval, but not at the same instant as thousands of other
// workers.
static void beat_soon(struct pulse *pulse, int64_t now_ms)
{
    uint32_t most_ms = (uint32_t)pulse->beat_ms;
    int64_t soon_ms = now_ms + (int64_t)randombytes_uniform(most_ms);

    if (pulse->next_ms > soon_ms)
        pulse->next_ms = soon_ms;
}

void pulse_connection(struct pulse *pulse, bool is_up, int64_t now_ms)
{
    if (!is_up && !pulse->unsteady)
        beat_soon(pulse, now_ms);
    pulse->unsteady = !is_up;
}

static int64_t patience_ms(const struct pulse *pulse)
{
    int64_t ms = pulse->beat_ms * PATIENCE_BEATS;
    int64_t idle_ms = pulse->idle_ms * PATIENCE_IDLE;

    return ms > idle_ms ? ms : idle_ms;
}

bool pulse_is_lost(const struct pulse *pulse, int64_t now_ms)
{
    return now_ms >= pulse->heard_ms + patience_ms(pulse);
}

// The rhythm does not slow down right after the last call, since heartbeats
// show what was lost on the way.
static int64_t beat_every_ms(const struct pulse *pulse, int64_t now_ms)
{
    int64_t rest_ms = pulse->work_ms + REST_BEATS * pulse->beat_ms;
    uint32_t spread_ms = (uint32_t)pulse->idle_ms / 4 + 1;

    if (now_ms < rest_ms || pulse->idle_ms <= pulse->beat_ms)
        return pulse->beat_ms;
    return pulse->idle_ms - (int64_t)randombytes_uniform(spread_ms);
}

bool pulse_is_due(struct pulse *pulse, int64_t now_ms)
{
    if (now_ms < pulse->next_ms)
        return false;
    pulse->next_ms = now_ms + beat_every_ms(pulse, now_ms);
    return true;
}
