#include "search/optimizers/gepa/acceptance.h"

#include <stdlib.h>

#include "common/stats.h"

// A gain that is more likely than this by chance is not clear.
static const double CHANCE = 0.1;

// Sums in another order may differ in the last bits.
static const double SAME = 1e-9;

// Scores on the rows that both were scored on.
struct pairs {
    double *before; // owned
    double *after;  // owned
    size_t n;
};

static void add_pairs(struct pairs *pairs, const struct acceptance_rows *list)
{
    const struct task_item *items = list->parent->items;
    const struct trial *child = list->child;

    for (size_t i = 0; i < child->n_rows; i++) {
        if (!child->scored[i] || !items[i].scored)
            continue;
        pairs->before[pairs->n] = items[i].score;
        pairs->after[pairs->n++] = child->scores[i];
    }
}

static struct acceptance weigh(const struct pairs *pairs, uint64_t seed)
{
    struct acceptance out = {
        .better = stats_mean(pairs->after, pairs->n) >
                  stats_mean(pairs->before, pairs->n),
    };

    out.clear = out.better && stats_paired(pairs->before, pairs->after,
                                           pairs->n, seed) <= CHANCE;
    return out;
}

bool acceptance_weigh(const struct acceptance_rows *lists, size_t n,
                      uint64_t seed, struct acceptance *out, struct err *err)
{
    size_t most = 1;
    for (size_t i = 0; i < n; i++)
        most += lists[i].child->n_rows;
    struct pairs pairs = {.before = calloc(most, sizeof(double)),
                          .after = calloc(most, sizeof(double))};
    bool ok = pairs.before != NULL && pairs.after != NULL;

    if (!ok)
        err_nomem(err, "a comparison");
    for (size_t i = 0; ok && i < n; i++)
        add_pairs(&pairs, &lists[i]);
    if (ok)
        *out = weigh(&pairs, seed);
    free(pairs.before);
    free(pairs.after);
    return ok;
}

// Returns the sum of a parent's scores on the rows that the child was scored
// on.
static double parent_sum(const struct trial *parent, const struct trial *child)
{
    double sum = 0;

    for (size_t i = 0; i < child->n_rows; i++)
        for (size_t k = 0; child->scored[i] && k < parent->n_rows; k++)
            if (parent->rows[k] == child->rows[i])
                sum += parent->scores[k];
    return sum;
}

bool acceptance_of_merged(const struct trial *child, const struct trial *a,
                          const struct trial *b)
{
    double of_a = parent_sum(a, child);
    double of_b = parent_sum(b, child);

    return child->score * (double)child->n + SAME >=
           (of_a > of_b ? of_a : of_b);
}
