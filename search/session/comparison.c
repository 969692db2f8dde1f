#include "search/session/comparison.h"

#include <assert.h>
#include <stdlib.h>

// The rows that both trials were scored on, in a's order.
struct pairs {
    const struct trial *a, *b;
    size_t at;   // next row of a
    size_t next; // where its row is expected in b
};

// Returns the index of `row` in the trial, or n_rows if it is missing. The
// search starts at `from` and wraps around: trials on the same rows in the same
// order find each row at once.
static size_t find_row(const struct trial *trial, size_t row, size_t from)
{
    for (size_t k = 0; k < trial->n_rows; k++) {
        size_t at = (from + k) % trial->n_rows;

        if (trial->rows[at] == row)
            return at;
    }
    return trial->n_rows;
}

static bool next_pair(struct pairs *pairs, double *of_a, double *of_b)
{
    const struct trial *a = pairs->a;
    const struct trial *b = pairs->b;

    while (pairs->at < a->n_rows) {
        size_t i = pairs->at++;
        size_t j = find_row(b, a->rows[i], pairs->next);

        if (j == b->n_rows)
            continue;
        pairs->next = j + 1;
        if (!a->scored[i] || !b->scored[j])
            continue;
        *of_a = a->scores[i];
        *of_b = b->scores[j];
        return true;
    }
    return false;
}

size_t comparison_pairs(const struct trial *a, const struct trial *b, double *x,
                        double *y)
{
    struct pairs pairs = {.a = a, .b = b};
    size_t n = 0;

    assert(a->done && b->done);
    while (next_pair(&pairs, &x[n], &y[n]))
        n++;
    return n;
}

size_t comparison_means(const struct trial *a, const struct trial *b,
                        double *of_a, double *of_b)
{
    struct pairs pairs = {.a = a, .b = b};
    double x, y;
    size_t n = 0;

    assert(a->done && b->done);
    *of_a = *of_b = 0;
    for (; next_pair(&pairs, &x, &y); n++) {
        *of_a += x;
        *of_b += y;
    }
    if (n > 0) {
        *of_a /= (double)n;
        *of_b /= (double)n;
    }
    return n;
}

double comparison_gain(const struct trial *a, const struct trial *b)
{
    struct pairs pairs = {.a = a, .b = b};
    double sum = 0;
    double x, y;
    size_t n = 0;

    assert(a->done && b->done);
    for (; next_pair(&pairs, &x, &y); n++)
        sum += y - x;
    return n == 0 ? 0 : sum / (double)n;
}

bool comparison_ties(const struct trial *a, const struct trial *b)
{
    struct pairs pairs = {.a = a, .b = b};
    double x, y;

    assert(a->done && b->done);
    while (next_pair(&pairs, &x, &y))
        if (x != y)
            return false;
    return true;
}

static struct side side_of(const double *scores, size_t n, uint64_t seed)
{
    return (struct side){stats_mean(scores, n),
                         stats_interval(scores, n, seed)};
}

bool comparison_make(const struct trial *a, const struct trial *b,
                     uint64_t seed, struct comparison *out, struct err *err)
{
    double *x = calloc(a->n_rows + 1, sizeof *x);
    double *y = calloc(a->n_rows + 1, sizeof *y);
    bool ok = x != NULL && y != NULL;
    size_t n = 0;

    if (ok)
        n = comparison_pairs(a, b, x, y);
    else
        err_nomem(err, "a comparison");
    if (ok)
        *out = (struct comparison){
            .n = n,
            .a = side_of(x, n, seed),
            .b = side_of(y, n, seed),
            .p_value = n == 0 ? 1 : stats_paired(x, y, n, seed),
        };
    free(x);
    free(y);
    return ok;
}
