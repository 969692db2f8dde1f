// token_bucket: a limit on how often something may happen.
//
// A bucket holds at most `burst` tokens and gets `per_s` new ones a second.
// Each event takes tokens out; when too few are left, the event is one too
// many. So a short burst passes and a flood does not. Times are monotonic
// milliseconds from the caller. Pure.

#ifndef COMMON_TOKEN_BUCKET_H
#define COMMON_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
    int64_t burst;
    int64_t per_s;
    int64_t tokens;
    int64_t filled_ms; // up to when the new tokens are counted
};

// A full one.
struct token_bucket token_bucket_full(int64_t burst, int64_t per_s,
                                      int64_t now_ms);

// Takes n tokens. False when there are not so many; then none is taken.
bool token_bucket_take(struct token_bucket *bucket, int64_t n, int64_t now_ms);

// Puts n tokens in, as far as they fit.
void token_bucket_give(struct token_bucket *bucket, int64_t n);

#endif
