#include "search/toolkit/pool.h"

#include <assert.h>
#include <stdlib.h>

void pool_release(struct pool *pool)
{
    free(pool->members);
    *pool = (struct pool){0};
}

bool pool_add(struct pool *pool, const struct pool_member *member,
              struct err *err)
{
    struct pool_member *more =
        realloc(pool->members, (pool->n + 1) * sizeof *more);

    if (more == NULL) {
        err_nomem(err, "a pool of candidates");
        return false;
    }
    pool->members = more;
    pool->members[pool->n++] = *member;
    return true;
}

bool pool_has(const struct pool *pool, const struct candidate *candidate)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (hash_equal(&pool->members[i].trial->candidate->id, &candidate->id))
            return true;
    }
    return false;
}

size_t pool_best(const struct pool *pool)
{
    size_t best = 0;

    for (size_t i = 1; i < pool->n; i++) {
        if (pool->members[i].trial->score > pool->members[best].trial->score)
            best = i;
    }
    return best;
}

// --- the front

// Which member leads which row: n members x n_rows.
struct front {
    const struct pool *pool;
    size_t n_rows;
    bool *leads;   // owned; [member * n_rows + row]
    bool *dropped; // owned; one per member
    size_t *order; // owned; members by ascending mean, earlier ones first
};

static bool leads(const struct front *front, size_t member, size_t row)
{
    return front->leads[member * front->n_rows + row];
}

static void find_leaders(struct front *front, size_t row)
{
    const struct pool *pool = front->pool;
    double most = -1;

    for (size_t i = 0; i < pool->n; i++) {
        const struct trial *trial = pool->members[i].trial;
        if (trial->scored[row] && trial->scores[row] > most)
            most = trial->scores[row];
    }
    for (size_t i = 0; i < pool->n; i++) {
        const struct trial *trial = pool->members[i].trial;
        front->leads[i * front->n_rows + row] =
            trial->scored[row] && trial->scores[row] == most;
    }
}

static void sort_by_mean(struct front *front)
{
    const struct pool_member *members = front->pool->members;

    for (size_t i = 0; i < front->pool->n; i++) {
        size_t at = i;
        for (; at > 0 && members[front->order[at - 1]].trial->score >
                             members[i].trial->score;
             at--)
            front->order[at] = front->order[at - 1];
        front->order[at] = i;
    }
}

static void release_front(struct front *front)
{
    free(front->leads);
    free(front->dropped);
    free(front->order);
}

static bool make_front(struct front *front, const struct pool *pool,
                       struct err *err)
{
    assert(pool->n > 0);
    size_t n_rows = pool->members[0].trial->n_rows;

    *front = (struct front){
        .pool = pool,
        .n_rows = n_rows,
        .leads = calloc(pool->n * n_rows + 1, sizeof(bool)),
        .dropped = calloc(pool->n, sizeof(bool)),
        .order = calloc(pool->n, sizeof(size_t)),
    };
    if (front->leads == NULL || front->dropped == NULL ||
        front->order == NULL) {
        err_nomem(err, "a pool of candidates");
        release_front(front);
        return false;
    }
    for (size_t row = 0; row < n_rows; row++)
        find_leaders(front, row);
    sort_by_mean(front);
    return true;
}

static size_t count_led(const struct front *front, size_t member)
{
    size_t n = 0;
    for (size_t row = 0; row < front->n_rows; row++)
        n += leads(front, member, row);
    return n;
}

static bool has_other_leader(const struct front *front, size_t member,
                             size_t row)
{
    for (size_t i = 0; i < front->pool->n; i++) {
        if (i != member && !front->dropped[i] && leads(front, i, row))
            return true;
    }
    return false;
}

static bool adds_nothing(const struct front *front, size_t member)
{
    for (size_t row = 0; row < front->n_rows; row++) {
        if (leads(front, member, row) && !has_other_leader(front, member, row))
            return false;
    }
    return true;
}

// Drops the first member that adds nothing; returns false if there is none.
static bool drop_one(struct front *front)
{
    for (size_t i = 0; i < front->pool->n; i++) {
        size_t member = front->order[i];
        if (front->dropped[member] || !adds_nothing(front, member))
            continue;
        front->dropped[member] = true;
        return true;
    }
    return false;
}

bool pool_wins(const struct pool *pool, size_t *wins, struct err *err)
{
    struct front front;

    if (!make_front(&front, pool, err))
        return false;
    for (size_t i = 0; i < pool->n; i++)
        front.dropped[i] = count_led(&front, i) == 0;
    while (drop_one(&front))
        continue;
    for (size_t i = 0; i < pool->n; i++)
        wins[i] = front.dropped[i] ? 0 : count_led(&front, i);
    release_front(&front);
    return true;
}

bool pool_pick(const struct pool *pool, struct rng *rng, size_t *out,
               struct err *err)
{
    size_t *wins = calloc(pool->n + 1, sizeof *wins);
    size_t total = 0;
    bool ok = wins != NULL;

    if (!ok)
        err_nomem(err, "a pool of candidates");
    ok = ok && pool_wins(pool, wins, err);
    for (size_t i = 0; ok && i < pool->n; i++)
        total += wins[i];
    *out = pool->n > 0 ? pool_best(pool) : 0; // if no row was scored
    uint64_t at = total > 0 ? rng_below(rng, total) : 0;
    for (size_t i = 0; ok && total > 0 && i < pool->n; i++) {
        *out = i;
        if (at < wins[i])
            break;
        at -= wins[i];
    }
    free(wins);
    return ok;
}
