#include "search/toolkit/effects.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A score that was added. Its terms are effects->terms[from .. from + n).
struct observed {
    size_t row;
    size_t from, n;
    double score;
};

struct effects {
    size_t n; // number of effects
    double *deviations;
    double noise, row; // variances
    struct observed *observed;
    size_t n_observed, cap_observed;
    struct effect_term *terms;
    size_t n_terms, cap_terms;
    double *factor; // n x n: the precision, then its Cholesky factor L. Column
                    // k of L is stored as row k: nearly all of the work runs
                    // down columns, where no number depends on the previous one
    double *means;  // n
    double *work;   // n
};

struct effects *effects_new(const double *deviations, size_t n, double noise,
                            double row, struct err *err)
{
    struct effects *effects = calloc(1, sizeof *effects);

    if (effects == NULL)
        goto nomem;
    effects->n = n;
    effects->noise = noise * noise;
    effects->row = row * row;
    effects->deviations = calloc(n + 1, sizeof(double));
    effects->factor = calloc(n * n + 1, sizeof(double));
    effects->means = calloc(n + 1, sizeof(double));
    effects->work = calloc(n + 1, sizeof(double));
    if (effects->deviations == NULL || effects->factor == NULL ||
        effects->means == NULL || effects->work == NULL)
        goto nomem;
    memcpy(effects->deviations, deviations, n * sizeof(double));
    return effects;

nomem:
    effects_free(effects);
    err_nomem(err, "a model of the scores");
    return NULL;
}

void effects_free(struct effects *effects)
{
    if (effects == NULL)
        return;
    free(effects->deviations);
    free(effects->observed);
    free(effects->terms);
    free(effects->factor);
    free(effects->means);
    free(effects->work);
    free(effects);
}

// Makes room for `more` items of `size` after n; the list may move.
static bool reserve(void **list, size_t n, size_t more, size_t size,
                    size_t *cap, struct err *err)
{
    size_t want = *cap == 0 ? 64 : *cap;
    void *bigger;

    if (n + more <= *cap)
        return true;
    while (want < n + more)
        want *= 2;
    bigger = realloc(*list, want * size);
    if (bigger == NULL) {
        err_nomem(err, "a model of the scores");
        return false;
    }
    *list = bigger;
    *cap = want;
    return true;
}

bool effects_add(struct effects *effects, const struct effect_term *terms,
                 size_t n_terms, size_t row, double score, struct err *err)
{
    if (!reserve((void **)&effects->observed, effects->n_observed, 1,
                 sizeof *effects->observed, &effects->cap_observed, err) ||
        !reserve((void **)&effects->terms, effects->n_terms, n_terms,
                 sizeof *effects->terms, &effects->cap_terms, err))
        return false;
    effects->observed[effects->n_observed++] =
        (struct observed){row, effects->n_terms, n_terms, score};
    for (size_t i = 0; i < n_terms; i++) {
        assert(terms[i].effect < effects->n);
        effects->terms[effects->n_terms++] = terms[i];
    }
    return true;
}

// --- the normal equations

// Returns row i of column k; i is at least k.
static double *cell(struct effects *effects, size_t i, size_t k)
{
    return &effects->factor[k * effects->n + i];
}

static void add_score(struct effects *effects, const struct observed *one)
{
    const struct effect_term *terms = effects->terms + one->from;

    for (size_t i = 0; i < one->n; i++) {
        effects->means[terms[i].effect] +=
            terms[i].value * one->score / effects->noise;
        for (size_t k = 0; k < one->n; k++)
            if (terms[k].effect <= terms[i].effect)
                *cell(effects, terms[i].effect, terms[k].effect) +=
                    terms[i].value * terms[k].value / effects->noise;
    }
}

// Subtracts what the shared easiness of a row's m scores accounts for: with x
// the sum of their terms and y the sum of their scores, share x xx' and share x
// xy.
static void take_row(struct effects *effects, const struct observed *scores,
                     size_t m)
{
    double *sum = effects->work;
    double score = 0;
    double share = effects->row / (effects->noise + (double)m * effects->row) /
                   effects->noise;

    memset(sum, 0, effects->n * sizeof *sum);
    for (size_t s = 0; s < m; s++) {
        score += scores[s].score;
        for (size_t i = 0; i < scores[s].n; i++) {
            const struct effect_term *term =
                &effects->terms[scores[s].from + i];
            sum[term->effect] += term->value;
        }
    }
    for (size_t k = 0; k < effects->n; k++) {
        double *column = effects->factor + k * effects->n;

        if (sum[k] == 0)
            continue;
        effects->means[k] -= share * sum[k] * score;
        for (size_t i = k; i < effects->n; i++)
            column[i] -= share * sum[i] * sum[k];
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct observed *x = a;
    const struct observed *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static void build(struct effects *effects)
{
    size_t n = effects->n_observed;
    size_t end;

    memset(effects->factor, 0, effects->n * effects->n * sizeof(double));
    memset(effects->means, 0, effects->n * sizeof(double));
    if (n > 0)
        qsort(effects->observed, n, sizeof *effects->observed, compare_rows);
    for (size_t i = 0; i < effects->n; i++)
        *cell(effects, i, i) =
            1 / (effects->deviations[i] * effects->deviations[i]);
    for (size_t i = 0; i < n; i++)
        add_score(effects, &effects->observed[i]);
    for (size_t from = 0; from < n; from = end) {
        for (end = from; end < n && effects->observed[end].row ==
                                        effects->observed[from].row;)
            end++;
        take_row(effects, &effects->observed[from], end - from);
    }
}

// --- Cholesky

// Subtracts `times` times the column from x, from row `from` on.
static void take(double *restrict x, const double *restrict column,
                 double times, size_t from, size_t n)
{
    for (size_t i = from; times != 0 && i < n; i++)
        x[i] -= column[i] * times;
}

// The priors make the matrix positive; the floor only guards against rounding.
static void factorize(struct effects *effects)
{
    static const double FLOOR = 1e-9;
    size_t n = effects->n;

    for (size_t k = 0; k < n; k++) {
        double *column = effects->factor + k * n;

        column[k] = sqrt(column[k] > FLOOR ? column[k] : FLOOR);
        for (size_t i = k + 1; i < n; i++)
            column[i] /= column[k];
        for (size_t j = k + 1; j < n; j++)
            take(effects->factor + j * n, column, column[j], j, n);
    }
}

// Replaces x by the solution y of L y = x.
static void solve_lower(const struct effects *effects, double *x)
{
    for (size_t k = 0; k < effects->n; k++) {
        const double *column = effects->factor + k * effects->n;

        x[k] /= column[k];
        take(x, column, x[k], k + 1, effects->n);
    }
}

// Replaces x by the solution y of L' y = x.
static void solve_upper(const struct effects *effects, double *x)
{
    for (size_t k = effects->n; k-- > 0;) {
        const double *column = effects->factor + k * effects->n;

        for (size_t i = effects->n; i-- > k + 1;)
            x[k] -= column[i] * x[i];
        x[k] /= column[k];
    }
}

void effects_solve(struct effects *effects)
{
    build(effects);
    factorize(effects);
    solve_lower(effects, effects->means);
    solve_upper(effects, effects->means);
}

struct effect_guess effects_guess(const struct effects *effects,
                                  const struct effect_term *terms,
                                  size_t n_terms)
{
    struct effect_guess guess = {0, 0};
    double *x = effects->work;
    double variance = 0;

    memset(x, 0, effects->n * sizeof *x);
    for (size_t i = 0; i < n_terms; i++) {
        x[terms[i].effect] += terms[i].value;
        guess.mean += terms[i].value * effects->means[terms[i].effect];
    }
    solve_lower(effects, x);
    for (size_t i = 0; i < effects->n; i++)
        variance += x[i] * x[i];
    guess.deviation = sqrt(variance);
    return guess;
}
