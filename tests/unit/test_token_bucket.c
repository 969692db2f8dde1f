#include "common/token_bucket.h"

#include <criterion/criterion.h>

Test(token_bucket, a_burst_passes_and_no_more)
{
    struct token_bucket bucket = token_bucket_full(3, 10, 1000);

    for (int i = 0; i < 3; i++)
        cr_expect(token_bucket_take(&bucket, 1, 1000));
    cr_expect_not(token_bucket_take(&bucket, 1, 1000));
}

Test(token_bucket, fills_at_its_rate_and_never_over_its_capacity)
{
    struct token_bucket bucket = token_bucket_full(3, 10, 1000);

    cr_expect(token_bucket_take(&bucket, 3, 1000));
    cr_expect_not(token_bucket_take(&bucket, 1, 1099));
    cr_expect(token_bucket_take(&bucket, 1, 1100));
    cr_expect(token_bucket_take(&bucket, 3, INT64_MAX / 2));
    cr_expect_not(token_bucket_take(&bucket, 1, INT64_MAX / 2));
}

Test(token_bucket, frequent_checks_lose_no_tokens)
{
    struct token_bucket bucket = token_bucket_full(1000, 7, 0);
    int got = 0;

    cr_expect(token_bucket_take(&bucket, 1000, 0));
    for (int64_t now = 1; now <= 10000; now++)
        got += token_bucket_take(&bucket, 1, now);

    cr_expect_eq(got, 70);
}

Test(token_bucket, returned_tokens_beyond_the_capacity_are_lost)
{
    struct token_bucket bucket = token_bucket_full(2, 0, 0);

    token_bucket_give(&bucket, 5);
    cr_expect(token_bucket_take(&bucket, 2, 0));
    cr_expect_not(token_bucket_take(&bucket, 1, 1000000));
}
