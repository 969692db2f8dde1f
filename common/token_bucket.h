// token_bucket: limits how often something may happen.
//
// A bucket holds at most `burst` tokens and gains `per_s` tokens per second.
// Each event takes tokens out; when too few are left, the event is over the
// limit. So a short burst passes and a flood does not. The caller passes times
// as monotonic milliseconds. Pure.

#ifndef COMMON_TOKEN_BUCKET_H
#define COMMON_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
    int64_t burst;
    int64_t per_s;
    int64_t tokens;
    int64_t filled_ms; // new tokens are counted up to this time
};

// Returns a full bucket.
struct token_bucket token_bucket_full(int64_t burst, int64_t per_s,
                                      int64_t now_ms);

// Takes n tokens. Returns false, and takes none, if there are fewer than n.
bool token_bucket_take(struct token_bucket *bucket, int64_t n, int64_t now_ms);

// Puts n tokens back, as far as they fit.
void token_bucket_give(struct token_bucket *bucket, int64_t n);

#endif
