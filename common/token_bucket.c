#include "common/token_bucket.h"

struct token_bucket token_bucket_full(int64_t burst, int64_t per_s,
                                      int64_t now_ms)
{
    return (struct token_bucket){
        .burst = burst, .per_s = per_s, .tokens = burst, .filled_ms = now_ms};
}

void token_bucket_give(struct token_bucket *bucket, int64_t n)
{
    int64_t room = bucket->burst - bucket->tokens;

    bucket->tokens += n < room ? n : room;
}

// Counts only whole tokens, so that none is lost to rounding.
static void refill(struct token_bucket *bucket, int64_t now_ms)
{
    int64_t passed_ms = now_ms - bucket->filled_ms;

    if (passed_ms <= 0 || bucket->per_s == 0)
        return;
    if (passed_ms / 1000 > bucket->burst / bucket->per_s) {
        bucket->tokens = bucket->burst;
        bucket->filled_ms = now_ms;
        return;
    }
    int64_t fresh = passed_ms * bucket->per_s / 1000;
    token_bucket_give(bucket, fresh);
    bucket->filled_ms += fresh * 1000 / bucket->per_s;
}

bool token_bucket_take(struct token_bucket *bucket, int64_t n, int64_t now_ms)
{
    refill(bucket, now_ms);
    if (bucket->tokens < n)
        return false;
    bucket->tokens -= n;
    return true;
}
