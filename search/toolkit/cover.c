#include "search/toolkit/cover.h"

#include <math.h>
#include <stdlib.h>

struct picking {
    const struct classes *classes;
    const struct lexicon *lexicon;
    const struct cover_recipe *recipe;
    double *luck;    // one per row; owned, like all below
    double *nearest; // per row: likeness to the most alike row taken
    bool *taken;     // one per row
    size_t **shown;  // per field: how often each value was shown
};

static void release(struct picking *picking)
{
    for (size_t i = 0; picking->shown != NULL && i < picking->classes->n_fields;
         i++)
        free(picking->shown[i]);
    free(picking->shown);
    free(picking->luck);
    free(picking->nearest);
    free(picking->taken);
}

static bool prepare(struct picking *picking, struct rng *rng, struct err *err)
{
    size_t n = picking->classes->n_rows;
    bool ok;

    picking->luck = calloc(n + 1, sizeof *picking->luck);
    picking->nearest = calloc(n + 1, sizeof *picking->nearest);
    picking->taken = calloc(n + 1, sizeof *picking->taken);
    picking->shown =
        calloc(picking->classes->n_fields + 1, sizeof *picking->shown);
    ok = picking->luck != NULL && picking->nearest != NULL &&
         picking->taken != NULL && picking->shown != NULL;
    for (size_t i = 0; ok && i < picking->classes->n_fields; i++) {
        picking->shown[i] =
            calloc(picking->classes->fields[i].n + 1, sizeof(size_t));
        ok = picking->shown[i] != NULL;
    }
    for (size_t i = 0; ok && i < n; i++)
        picking->luck[i] = rng_double(rng);
    if (!ok)
        err_nomem(err, "a demo set");
    return ok;
}

// Returns 1 for values never shown, 1/2 for those shown once, and so on: the
// least shown goes first, whatever else is preferred.
static double newness(const struct picking *picking, size_t row)
{
    double sum = 0;

    for (size_t i = 0; i < picking->classes->n_fields; i++) {
        int value = picking->classes->fields[i].of_row[row];

        if (value >= 0)
            sum += 1 / (1 + (double)picking->shown[i][value]);
    }
    return picking->classes->n_fields == 0
               ? 0
               : sum / (double)picking->classes->n_fields;
}

static double worth(const struct picking *picking, size_t row)
{
    static const double NEWNESS = 4; // more than everything else can add
    const struct cover_recipe *recipe = picking->recipe;
    double liking = recipe->liking != NULL ? recipe->liking[row] : 0;

    return NEWNESS * newness(picking, row) + liking +
           recipe->variety * (1 - picking->nearest[row]) +
           recipe->chance * picking->luck[row];
}

static void take(struct picking *picking, size_t row)
{
    picking->taken[row] = true;
    for (size_t i = 0; i < picking->classes->n_fields; i++) {
        int value = picking->classes->fields[i].of_row[row];

        if (value >= 0)
            picking->shown[i][value]++;
    }
    for (size_t i = 0; i < picking->classes->n_rows; i++)
        picking->nearest[i] =
            fmax(picking->nearest[i], lexicon_alike(picking->lexicon, row, i));
}

bool cover_pick(const struct classes *classes, const struct lexicon *lexicon,
                const struct cover_recipe *recipe, struct rng *rng, size_t *out,
                size_t *n, struct err *err)
{
    struct picking picking = {
        .classes = classes, .lexicon = lexicon, .recipe = recipe};
    bool ok = prepare(&picking, rng, err);

    *n = 0;
    while (ok && *n < recipe->most) {
        size_t best = classes->n_rows;

        for (size_t i = 0; i < classes->n_rows; i++)
            if (recipe->usable[i] && !picking.taken[i] &&
                (best == classes->n_rows ||
                 worth(&picking, i) > worth(&picking, best)))
                best = i;
        if (best == classes->n_rows)
            break;
        take(&picking, best);
        out[(*n)++] = best;
    }
    release(&picking);
    return ok;
}
