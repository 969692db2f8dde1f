#include "search/optimizers/miprov2/val_rows.h"

#include <stdlib.h>
#include <string.h>

static int compare_rows(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void sample(struct rng *rng, const size_t *rows, size_t n, size_t k,
                   size_t *out)
{
    rng_sample(rng, n, k, out);
    for (size_t i = 0; i < k; i++)
        out[i] = rows[out[i]];
    qsort(out, k, sizeof *out, compare_rows);
}

bool val_rows_init(struct val_rows *val, const struct session *session,
                   size_t n, struct err *err)
{
    const struct split *split = session_split(session);
    struct rng rng = session_rng(session, "validation-rows", 0);
    size_t all = split->n[SHARE_VAL];

    *val = (struct val_rows){.rows = calloc(all + 1, sizeof *val->rows),
                             .sorted = calloc(n + 1, sizeof *val->sorted),
                             .n = n};
    if (val->rows == NULL || val->sorted == NULL) {
        err_nomem(err, "validation rows");
        return false;
    }
    if (all == n)
        memcpy(val->rows, split->rows[SHARE_VAL], n * sizeof *val->rows);
    else
        sample(&rng, split->rows[SHARE_VAL], all, n, val->rows);
    memcpy(val->sorted, val->rows, n * sizeof *val->sorted);
    qsort(val->sorted, n, sizeof *val->sorted, compare_rows);
    return true;
}

void val_rows_release(struct val_rows *val)
{
    free(val->rows);
    free(val->sorted);
    *val = (struct val_rows){0};
}

void val_rows_draw(const struct val_rows *val, struct rng *rng, size_t k,
                   size_t *out)
{
    sample(rng, val->rows, val->n, k, out);
}

double val_rows_mean(const struct val_rows *val, const struct trial *trial)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < trial->n_rows; i++) {
        if (!trial->scored[i] ||
            bsearch(&trial->rows[i], val->sorted, val->n, sizeof *val->sorted,
                    compare_rows) == NULL)
            continue;
        sum += trial->scores[i];
        n++;
    }
    return n > 0 ? sum / (double)n : 0;
}
