#include "common/stats.h"

#include <math.h>
#include <stdlib.h>

#include "common/rng.h"

static const double Z = 1.959963984540054; // the normal distribution's 97.5 %
                                           // point

double stats_mean(const double *scores, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += scores[i];
    return n == 0 ? 0 : sum / (double)n;
}

bool stats_binary(const double *scores, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (scores[i] != 0 && scores[i] != 1)
            return false;
    }
    return true;
}

static double clamp(double value)
{
    if (value < 0)
        return 0;
    return value > 1 ? 1 : value;
}

struct interval stats_wilson_share(double share, size_t n)
{
    if (n == 0)
        return (struct interval){0, 1};

    double count = (double)n;
    double scale = 1 + Z * Z / count;
    double middle = share + Z * Z / (2 * count);
    double half =
        Z * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count));
    // At the ends the formula is exact except for rounding.
    return (struct interval){
        .low = share <= 0 ? 0 : clamp((middle - half) / scale),
        .high = share >= 1 ? 1 : clamp((middle + half) / scale),
    };
}

struct interval stats_wilson(size_t right, size_t n)
{
    return stats_wilson_share(n == 0 ? 0 : (double)right / (double)n, n);
}

static int compare_doubles(const void *a, const void *b)
{
    const double *one = a;
    const double *other = b;

    return *one < *other ? -1 : *one > *other;
}

static double resample(const double *scores, size_t n, struct rng *rng)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += scores[rng_below(rng, n)];
    return sum / (double)n;
}

struct interval stats_bootstrap(const double *scores, size_t n, uint64_t seed)
{
    const size_t cut = STATS_RESAMPLES / 40; // 2.5 % at each end
    double means[STATS_RESAMPLES];
    struct rng rng;

    if (n == 0)
        return (struct interval){0, 1};
    rng_init(&rng, seed, "bootstrap-interval", 0);
    for (size_t i = 0; i < STATS_RESAMPLES; i++)
        means[i] = resample(scores, n, &rng);
    qsort(means, STATS_RESAMPLES, sizeof means[0], compare_doubles);
    return (struct interval){means[cut], means[STATS_RESAMPLES - 1 - cut]};
}

struct interval stats_interval(const double *scores, size_t n, uint64_t seed)
{
    size_t right = 0;

    if (!stats_binary(scores, n)) {
        struct interval found = stats_bootstrap(scores, n, seed);

        return found.low < found.high
                   ? found
                   : stats_wilson_share(stats_mean(scores, n), n);
    }
    for (size_t i = 0; i < n; i++)
        right += scores[i] == 1;
    return stats_wilson(right, n);
}

// Returns P(X <= k) for n fair coins. C(n,k) / 2^n is computed with its factors
// and its halvings interleaved, so that neither overflows, and from basic
// operations only, so that it is the same on every machine.
static double coin_tail(size_t k, size_t n)
{
    double top = 1; // P(X = k)
    size_t halvings = n;

    for (size_t i = 1; i <= k; i++) {
        top *= (double)(n - k + i) / (double)i;
        for (; top > 1 && halvings > 0; halvings--)
            top /= 2;
    }
    for (; halvings > 0 && top > 0; halvings--)
        top /= 2;

    double term = 1; // P(X = i) / P(X = k), going down
    double sum = 1;
    for (size_t i = k; i > 0; i--) {
        term *= (double)i / (double)(n - i + 1);
        sum += term;
    }
    return top * sum;
}

double stats_mcnemar(size_t only_a, size_t only_b)
{
    size_t fewer = only_a < only_b ? only_a : only_b;

    return clamp(2 * coin_tail(fewer, only_a + only_b));
}

// The input of the sign test: the nonzero differences, and how large a sum must
// be to count as at least theirs. The margin allows for rounding in sums that
// are mathematically equal.
struct signs {
    const double *a, *b;
    size_t n;
    size_t differing;
    double needed;
};

static struct signs find_signs(const double *a, const double *b, size_t n)
{
    struct signs signs = {.a = a, .b = b, .n = n};
    double sum = 0;
    double size = 0;

    for (size_t i = 0; i < n; i++) {
        sum += a[i] - b[i];
        size += fabs(a[i] - b[i]);
        signs.differing += a[i] != b[i];
    }
    signs.needed = fabs(sum) - 1e-12 * size;
    return signs;
}

static double try_all_signs(const struct signs *signs)
{
    const unsigned long ways = 1UL << signs->differing;
    unsigned long as_far = 0;

    for (unsigned long way = 0; way < ways; way++) {
        unsigned long bits = way;
        double sum = 0;
        for (size_t i = 0; i < signs->n; i++) {
            double difference = signs->a[i] - signs->b[i];
            if (difference == 0)
                continue;
            sum += bits & 1 ? difference : -difference;
            bits >>= 1;
        }
        as_far += fabs(sum) >= signs->needed;
    }
    return (double)as_far / (double)ways;
}

// Uses one random bit per difference, 64 from each number.
static double draw_signs(const struct signs *signs, struct rng *rng)
{
    double sum = 0;
    uint64_t bits = 0;
    int left = 0;

    for (size_t i = 0; i < signs->n; i++) {
        double difference = signs->a[i] - signs->b[i];
        if (difference == 0)
            continue;
        if (left == 0) {
            bits = rng_u64(rng);
            left = 64;
        }
        sum += bits & 1 ? difference : -difference;
        bits >>= 1;
        left--;
    }
    return fabs(sum);
}

// The observed signs count as one of the draws, so p is never 0.
static double try_some_signs(const struct signs *signs, uint64_t seed)
{
    size_t as_far = 1;
    struct rng rng;

    rng_init(&rng, seed, "paired-test", 0);
    for (size_t i = 0; i < STATS_FLIPS; i++)
        as_far += draw_signs(signs, &rng) >= signs->needed;
    return (double)as_far / (STATS_FLIPS + 1);
}

static double paired_binary(const double *a, const double *b, size_t n)
{
    size_t only_a = 0;
    size_t only_b = 0;

    for (size_t i = 0; i < n; i++) {
        only_a += a[i] > b[i];
        only_b += a[i] < b[i];
    }
    return stats_mcnemar(only_a, only_b);
}

double stats_paired(const double *a, const double *b, size_t n, uint64_t seed)
{
    if (stats_binary(a, n) && stats_binary(b, n))
        return paired_binary(a, b, n);

    struct signs signs = find_signs(a, b, n);
    if (signs.differing <= STATS_EXACT_FLIPS)
        return try_all_signs(&signs);
    return try_some_signs(&signs, seed);
}
