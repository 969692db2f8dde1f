#include "worker/worker_speed.h"

enum { MISSED_MAX = 6 };

static void approach(double *slowest, double sample)
{
    if (sample > *slowest)
        *slowest = sample;
    else
        *slowest += (sample - *slowest) / 64;
}

// Returns the tokens that the server had to read: all of them if it does not
// say.
static int32_t tokens_read(const struct call_answer *answer)
{
    int32_t cached = answer->cached_tokens > 0 ? answer->cached_tokens : 0;

    return answer->prompt_tokens - cached;
}

void worker_speed_add(struct worker_speed *speed,
                      const struct call_answer *answer)
{
    double total_ms = (double)answer->total_us / 1000;
    double prompt_ms = (double)answer->prompt_us / 1000;
    double generate_ms = (double)answer->generate_us / 1000;

    speed->missed = 0;
    // If the server reports no durations, all the time of a call counts as
    // writing.
    if (generate_ms <= 0)
        generate_ms = total_ms - prompt_ms;
    if (prompt_ms > 0 && tokens_read(answer) > 0)
        approach(&speed->prompt_ms, prompt_ms / tokens_read(answer));
    if (generate_ms > 0 && answer->generated_tokens > 0)
        approach(&speed->generate_ms, generate_ms / answer->generated_tokens);
    if (total_ms > prompt_ms + generate_ms)
        approach(&speed->extra_ms, total_ms - prompt_ms - generate_ms);
}

void worker_speed_miss(struct worker_speed *speed, int64_t begun_ms,
                       int64_t now_ms)
{
    if (begun_ms < speed->missed_ms)
        return;
    speed->missed_ms = now_ms;
    if (speed->missed < MISSED_MAX)
        speed->missed++;
}

int64_t worker_speed_timeout_ms(const struct worker_speed *speed,
                                const struct call_request *request,
                                int64_t most_ms)
{
    double bytes = (double)request->prefix_len + (double)request->tail_len;

    if (speed->generate_ms <= 0)
        return most_ms;
    double ms = speed->extra_ms +
                speed->prompt_ms * (bytes / SPEED_BYTES_A_TOKEN) +
                speed->generate_ms * request->options.num_predict;
    ms *= SPEED_FACTOR;
    if (ms < SPEED_LEAST_MS)
        ms = SPEED_LEAST_MS;
    ms *= 1 << speed->missed;
    return ms < (double)most_ms ? (int64_t)ms : most_ms;
}
