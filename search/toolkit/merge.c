#include "search/toolkit/merge.h"

#include <stdlib.h>
#include <string.h>

void merges_release(struct merges *merges)
{
    free(merges->made);
    *merges = (struct merges){0};
}

// --- lineage

static void find_ancestors(const struct pool *pool, size_t of, bool *found)
{
    const struct pool_member *member = &pool->members[of];

    for (size_t i = 0; i < member->n_parents; i++) {
        found[member->parents[i]] = true;
        find_ancestors(pool, member->parents[i], found);
    }
}

static bool same_part(const struct candidate_part *a,
                      const struct candidate_part *b)
{
    return strcmp(a->instruction, b->instruction) == 0 &&
           hash_equal(&a->shown, &b->shown);
}

static const struct candidate_part *part_of(const struct pool *pool,
                                            size_t member, size_t part)
{
    return &pool->members[member].trial->candidate->parts[part];
}

// Returns true if some part was changed by only one of the two.
static bool complete_each_other(const struct pool *pool, size_t a, size_t b,
                                size_t ancestor)
{
    size_t n = pool->members[a].trial->candidate->n_parts;

    for (size_t p = 0; p < n; p++) {
        const struct candidate_part *of_a = part_of(pool, a, p);
        const struct candidate_part *of_b = part_of(pool, b, p);
        const struct candidate_part *before = part_of(pool, ancestor, p);
        if (!same_part(of_a, of_b) &&
            (same_part(of_a, before) || same_part(of_b, before)))
            return true;
    }
    return false;
}

static bool is_worth_it(const struct pool *pool, size_t a, size_t b,
                        size_t ancestor)
{
    double score = pool->members[ancestor].trial->score;

    return score <= pool->members[a].trial->score &&
           score <= pool->members[b].trial->score &&
           complete_each_other(pool, a, b, ancestor);
}

bool merge_ancestors(const struct pool *pool, size_t a, size_t b, size_t *out,
                     size_t *n, struct err *err)
{
    bool *of_a = calloc(pool->n + 1, sizeof *of_a);
    bool *of_b = calloc(pool->n + 1, sizeof *of_b);
    bool ok = of_a != NULL && of_b != NULL;

    *n = 0;
    if (ok) {
        find_ancestors(pool, a, of_a);
        find_ancestors(pool, b, of_b);
        for (size_t i = 0; !of_a[b] && !of_b[a] && i < pool->n; i++) {
            if (of_a[i] && of_b[i] && is_worth_it(pool, a, b, i))
                out[(*n)++] = i;
        }
    } else {
        err_nomem(err, "a merge");
    }
    free(of_a);
    free(of_b);
    return ok;
}

// --- merging

// Returns the member whose part the merge gets, where a and b differ.
static size_t choose_side(const struct pool *pool, const struct merge *merge,
                          size_t p, struct rng *rng)
{
    const struct candidate_part *before = part_of(pool, merge->ancestor, p);
    double of_a = pool->members[merge->a].trial->score;
    double of_b = pool->members[merge->b].trial->score;

    if (same_part(part_of(pool, merge->a, p), before))
        return merge->b;
    if (same_part(part_of(pool, merge->b, p), before))
        return merge->a;
    if (of_a != of_b)
        return of_a > of_b ? merge->a : merge->b;
    return rng_below(rng, 2) == 0 ? merge->a : merge->b;
}

static bool put_together(const struct pool *pool, struct merge *merge,
                         struct rng *rng, struct err *err)
{
    struct candidate *parents[] = {pool->members[merge->a].trial->candidate,
                                   pool->members[merge->b].trial->candidate};
    struct candidate *child = candidate_child(parents[0], err);
    bool ok = child != NULL && candidate_set_parents(child, parents, 2, err);

    for (size_t p = 0; ok && p < child->n_parts; p++) {
        if (same_part(&parents[0]->parts[p], &parents[1]->parts[p]))
            continue;
        size_t side = choose_side(pool, merge, p, rng);
        ok = candidate_set_part(child, p, part_of(pool, side, p), err);
    }
    if (!ok) {
        candidate_unref(child);
        return false;
    }
    candidate_seal(child);
    merge->candidate = child;
    return true;
}

static bool was_made(const struct merges *merges,
                     const struct candidate *candidate)
{
    for (size_t i = 0; i < merges->n; i++) {
        if (hash_equal(&merges->made[i], &candidate->id))
            return true;
    }
    return false;
}

static bool remember(struct merges *merges, const struct candidate *candidate,
                     struct err *err)
{
    struct hash *more = realloc(merges->made, (merges->n + 1) * sizeof *more);

    if (more == NULL) {
        err_nomem(err, "a merge");
        return false;
    }
    merges->made = more;
    merges->made[merges->n++] = candidate->id;
    return true;
}

// --- the pair

static size_t count_shared(const struct pool *pool, size_t a, size_t b)
{
    const struct trial *x = pool->members[a].trial;
    const struct trial *y = pool->members[b].trial;
    size_t n = 0;

    for (size_t i = 0; i < x->n_rows; i++)
        n += x->scored[i] && y->scored[i];
    return n;
}

// Draws an ancestor in proportion to its score, evenly if all scores are 0.
static size_t draw_ancestor(const struct pool *pool, const size_t *ancestors,
                            size_t n, struct rng *rng)
{
    double total = 0;

    for (size_t i = 0; i < n; i++)
        total += pool->members[ancestors[i]].trial->score;
    if (total <= 0)
        return ancestors[rng_below(rng, n)];
    double at = rng_double(rng) * total;
    for (size_t i = 0; i + 1 < n; i++) {
        at -= pool->members[ancestors[i]].trial->score;
        if (at < 0)
            return ancestors[i];
    }
    return ancestors[n - 1];
}

// The members that are best on some row; pairs are drawn from them.
struct front {
    size_t *members;   // owned; in the pool, ascending
    size_t *ancestors; // owned; scratch space for a pair's ancestors
    size_t n;
};

static bool front_init(struct front *front, const struct pool *pool,
                       struct err *err)
{
    *front = (struct front){.members = calloc(pool->n + 1, sizeof(size_t)),
                            .ancestors = calloc(pool->n + 1, sizeof(size_t))};
    if (front->members == NULL || front->ancestors == NULL) {
        err_nomem(err, "a merge");
        return false;
    }
    size_t *wins = front->members; // per member; later the winners' indices
    if (!pool_wins(pool, wins, err))
        return false;
    for (size_t i = 0; i < pool->n; i++) {
        if (wins[i] > 0)
            front->members[front->n++] = i; // in place: n <= i
    }
    return true;
}

static void front_release(struct front *front)
{
    free(front->members);
    free(front->ancestors);
}

// Draws two members of the front and merges them if that is possible and gives
// something new; otherwise out->candidate stays NULL.
static bool try_pair(const struct pool *pool, struct merges *merges,
                     const struct front *front, struct rng *rng,
                     struct merge *out, struct err *err)
{
    size_t i = (size_t)rng_below(rng, front->n);
    size_t j = (size_t)rng_below(rng, front->n - 1);
    size_t a = front->members[i];
    size_t b = front->members[j >= i ? j + 1 : j];
    size_t found = 0;

    *out = (struct merge){.a = a < b ? a : b, .b = a < b ? b : a};
    if (count_shared(pool, a, b) < MERGE_LEAST_ROWS)
        return true;
    if (!merge_ancestors(pool, out->a, out->b, front->ancestors, &found, err))
        return false;
    if (found == 0)
        return true;
    out->ancestor = draw_ancestor(pool, front->ancestors, found, rng);
    if (!put_together(pool, out, rng, err))
        return false;
    if (!pool_has(pool, out->candidate) && !was_made(merges, out->candidate))
        return remember(merges, out->candidate, err);
    candidate_unref(out->candidate);
    out->candidate = NULL;
    return true;
}

bool merge_find(const struct pool *pool, struct merges *merges, struct rng *rng,
                struct merge *out, struct err *err)
{
    struct front front;
    bool ok = front_init(&front, pool, err);

    *out = (struct merge){0};
    for (int i = 0; ok && front.n >= 2 && out->candidate == NULL &&
                    i < MERGE_ATTEMPTS * MERGE_ATTEMPTS;
         i++)
        ok = try_pair(pool, merges, &front, rng, out, err);
    if (!ok && out->candidate != NULL) {
        candidate_unref(out->candidate);
        out->candidate = NULL;
    }
    front_release(&front);
    return ok;
}

// --- which rows to compare on

enum { KINDS = 3 }; // a better, b better, tie

static size_t kind_of(const struct trial *a, const struct trial *b, size_t row)
{
    if (!a->scored[row] || !b->scored[row])
        return KINDS;
    if (a->scores[row] > b->scores[row])
        return 0;
    return b->scores[row] > a->scores[row] ? 1 : 2;
}

static int compare_places(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

// Takes the first `most` rows of a kind from a shuffled list; KINDS means any
// row that is not taken yet.
static size_t take_rows(const struct trial *a, const struct trial *b,
                        const size_t *order, size_t kind, size_t most,
                        bool *taken, size_t *out)
{
    size_t n = 0;

    for (size_t i = 0; n < most && i < a->n_rows; i++) {
        size_t row = order[i];
        size_t is = kind_of(a, b, row);
        if (taken[row] || is == KINDS || (kind != KINDS && is != kind))
            continue;
        taken[row] = true;
        out[n++] = row;
    }
    return n;
}

bool merge_rows(const struct trial *a, const struct trial *b, size_t n,
                struct rng *rng, size_t *out, size_t *found, struct err *err)
{
    size_t *order = calloc(a->n_rows + 1, sizeof *order);
    bool *taken = calloc(a->n_rows + 1, sizeof *taken);
    size_t each = (n + KINDS - 1) / KINDS;
    bool ok = order != NULL && taken != NULL;

    *found = 0;
    if (!ok) {
        err_nomem(err, "a merge");
        goto out;
    }
    for (size_t i = 0; i < a->n_rows; i++)
        order[i] = i;
    rng_shuffle(rng, order, a->n_rows);
    for (size_t kind = 0; kind < KINDS; kind++) {
        size_t most = each < n - *found ? each : n - *found;
        *found += take_rows(a, b, order, kind, most, taken, out + *found);
    }
    *found += take_rows(a, b, order, KINDS, n - *found, taken, out + *found);
    qsort(out, *found, sizeof *out, compare_places);

out:
    free(order);
    free(taken);
    return ok;
}
