#include "search/session/forecast.h"

void forecast_submitted(struct forecast *forecast, size_t examples)
{
    forecast->submitted += (int64_t)examples;
}

void forecast_settled(struct forecast *forecast, size_t examples)
{
    forecast->settled += (int64_t)examples;
}

void forecast_expect(struct forecast *forecast, size_t examples,
                     int64_t last_trial)
{
    forecast->search_end = forecast->submitted + (int64_t)examples;
    forecast->last_trial = last_trial;
}

void forecast_expect_after(struct forecast *forecast, size_t examples)
{
    forecast->after = (int64_t)examples;
}

// Returns how many examples the rest of a budget has room for, at what an
// example took so far; INT64_MAX without a limit, or before anything was used.
static int64_t room_of(const struct forecast *forecast, int64_t most,
                       int64_t used)
{
    int64_t under_way = forecast->submitted - forecast->settled;
    double room;

    if (most == 0 || used == 0 || forecast->settled == 0)
        return INT64_MAX;
    room = (double)(most - used) * (double)forecast->settled / (double)used;
    return room > (double)under_way ? (int64_t)room - under_way : 0;
}

// Returns INT64_MAX if unknown.
static int64_t examples_to_come(const struct forecast *forecast,
                                struct use most, struct use used)
{
    int64_t by_calls = room_of(forecast, most.calls, used.calls);
    int64_t by_tokens = room_of(forecast, most.tokens, used.tokens);
    int64_t room = by_calls < by_tokens ? by_calls : by_tokens;
    int64_t wanted = forecast->search_end - forecast->submitted;

    if (forecast->search_end < 0)
        return room;
    wanted = (wanted > 0 ? wanted : 0) + forecast->after;
    return wanted < room ? wanted : room;
}

bool forecast_news(struct forecast *forecast, struct use most, struct use used,
                   int64_t trials_so_far, int64_t *examples, int64_t *trials)
{
    int64_t to_come = examples_to_come(forecast, most, used);

    *examples = to_come < INT64_MAX ? forecast->submitted + to_come : 0;
    *trials = forecast->last_trial;
    if (forecast->last_trial > 0 && trials_so_far > forecast->last_trial)
        *trials = trials_so_far;
    if (*examples == forecast->shown_examples &&
        *trials == forecast->shown_trials)
        return false;
    forecast->shown_examples = *examples;
    forecast->shown_trials = *trials;
    return true;
}
