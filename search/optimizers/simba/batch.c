#include "search/optimizers/simba/batch.h"

#include <stdlib.h>
#include <string.h>

#include "search/optimizers/simba/pool.h"

// --- the runs of a batch ---

bool simba_batch_take(struct simba_search *search, struct err *err)
{
    size_t n = (size_t)search->params->bsize;

    if (n > search->n_train)
        n = search->n_train;
    if (search->epochs == 0 || search->at + n > search->n_train) {
        struct rng rng =
            session_rng(search->session, "minibatches", search->epochs++);
        rng_shuffle(&rng, search->order, search->n_train);
        search->at = 0;
    }
    free(search->step.batch);
    search->step.batch = calloc(n + 1, sizeof *search->step.batch);
    if (search->step.batch == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    memcpy(search->step.batch, search->order + search->at,
           n * sizeof *search->step.batch);
    search->step.n_batch = n;
    search->at += n;
    return true;
}

// Runs rows[0..n) with this member of the pool. `draw` is a distinct number for
// each model of each step, so that no two ask the same.
static struct runs *submit_runs(struct simba_search *search, size_t member,
                                int64_t draw, const size_t *rows, size_t n,
                                struct err *err)
{
    const struct runs_request request = {
        .program = session_job(search->session)->program,
        .plan = session_plan(search->session),
        .candidate = search->pool[member].candidate,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = 1, .purpose = "sample", .draw = draw},
        .scored = true,
        .rows = rows,
        .n = n,
    };

    return runs_submit(search->session, &request, err);
}

// Runs those rows of one model for which one member was drawn.
static bool run_share(struct simba_search *search, int64_t step, size_t model,
                      size_t member, const size_t *drawn, struct err *err)
{
    struct simba_run *run = &search->step.runs[search->step.n_runs];
    size_t *rows = calloc(search->step.n_batch + 1, sizeof *rows);
    size_t n = 0;

    run->places = calloc(search->step.n_batch + 1, sizeof *run->places);
    search->step.n_runs++;
    if (rows == NULL || run->places == NULL) {
        err_nomem(err, "a minibatch");
        free(rows);
        return false;
    }
    for (size_t i = 0; i < search->step.n_batch; i++) {
        if (drawn[i] != member)
            continue;
        run->places[n] = model * search->step.n_batch + i;
        rows[n++] = search->step.batch[i];
    }
    if (n > 0)
        run->runs = submit_runs(
            search, member, step * (int64_t)search->n_models + (int64_t)model,
            rows, n, err);
    free(rows);
    return n == 0 || run->runs != NULL;
}

static bool sample_model(struct simba_search *search, int64_t step,
                         size_t model, struct err *err)
{
    double temperature = search->params->temperature_for_sampling;
    size_t *drawn = calloc(search->step.n_batch + 1, sizeof *drawn);
    bool ok = drawn != NULL;

    if (!ok)
        err_nomem(err, "a minibatch");
    for (size_t i = 0; ok && i < search->step.n_batch; i++)
        drawn[i] = simba_pool_draw(search, temperature);
    for (size_t i = 0; ok && i < search->step.n_top; i++)
        ok = run_share(search, step, model, search->step.top[i], drawn, err);
    free(drawn);
    return ok;
}

bool simba_batch_run(struct simba_search *search, int64_t step, struct err *err)
{
    size_t all = search->n_models * search->step.n_top;

    search->step.runs = calloc(all + 1, sizeof *search->step.runs);
    search->step.items = calloc(search->n_models * search->step.n_batch + 1,
                                sizeof(struct task_item *));
    if (search->step.runs == NULL || search->step.items == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t model = 0; model < search->n_models; model++) {
        if (!sample_model(search, step, model, err))
            return false;
    }
    for (size_t i = 0; i < search->step.n_runs; i++) {
        struct runs *runs = search->step.runs[i].runs;
        if (runs != NULL && !runs_wait(search->session, runs, err))
            return false;
        for (size_t k = 0; runs != NULL && k < runs->n; k++)
            search->step.items[search->step.runs[i].places[k]] =
                &runs->items[k];
    }
    return true;
}

// --- the rows, sorted by what their runs show ---

static void sort_items(const struct task_item **items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct task_item *one = items[i];
        size_t at = i;
        for (; at > 0 && items[at - 1]->score < one->score; at--)
            items[at] = items[at - 1];
        items[at] = one;
    }
}

static bool fill_bucket(const struct simba_search *search, size_t place,
                        struct simba_bucket *bucket, struct err *err)
{
    double sum = 0;

    bucket->row = search->step.batch[place];
    bucket->items = calloc(search->n_models, sizeof(struct task_item *));
    if (bucket->items == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t model = 0; model < search->n_models; model++) {
        const struct task_item *item =
            search->step.items[model * search->step.n_batch + place];
        if (!item->scored)
            continue;
        bucket->items[bucket->n++] = item;
        sum += item->score;
    }
    if (bucket->n == 0)
        return true;
    sort_items(bucket->items, bucket->n);
    bucket->most = bucket->items[0]->score;
    bucket->gap = bucket->most - bucket->items[bucket->n - 1]->score;
    bucket->above_mean = bucket->most - sum / (double)bucket->n;
    return true;
}

static bool comes_before(const struct simba_bucket *a,
                         const struct simba_bucket *b)
{
    if (a->gap != b->gap)
        return a->gap > b->gap;
    if (a->most != b->most)
        return a->most > b->most;
    return a->above_mean > b->above_mean;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Interpolates between the two nearest of n > 0 sorted values.
static double percentile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < n ? low + 1 : low;

    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

static bool find_percentiles(struct simba_search *search, struct err *err)
{
    size_t all = search->n_models * search->step.n_batch;
    double *scores = calloc(all + 1, sizeof *scores);
    size_t n = 0;

    if (scores == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t i = 0; i < all; i++) {
        if (search->step.items[i]->scored)
            scores[n++] = search->step.items[i]->score;
    }
    qsort(scores, n, sizeof *scores, compare_doubles);
    search->step.low = n > 0 ? percentile(scores, n, 0.1) : 0;
    search->step.high = n > 0 ? percentile(scores, n, 0.9) : 0;
    free(scores);
    return true;
}

bool simba_batch_sort(struct simba_search *search, struct err *err)
{
    search->step.buckets =
        calloc(search->step.n_batch, sizeof *search->step.buckets);
    if (search->step.buckets == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t i = 0; i < search->step.n_batch; i++) {
        if (!fill_bucket(search, i, &search->step.buckets[i], err))
            return false;
    }
    for (size_t i = 1; i < search->step.n_batch; i++) {
        struct simba_bucket one = search->step.buckets[i];
        size_t at = i;
        for (; at > 0 && comes_before(&one, &search->step.buckets[at - 1]);
             at--)
            search->step.buckets[at] = search->step.buckets[at - 1];
        search->step.buckets[at] = one;
    }
    return find_percentiles(search, err);
}

void simba_batch_release(struct simba_search *search)
{
    for (size_t i = 0; search->step.runs != NULL && i < search->step.n_runs;
         i++) {
        runs_drop(search->session, search->step.runs[i].runs);
        free(search->step.runs[i].places);
    }
    for (size_t i = 0; search->step.buckets != NULL && i < search->step.n_batch;
         i++)
        free(search->step.buckets[i].items);
    free(search->step.runs);
    free(search->step.items);
    free(search->step.buckets);
    search->step.runs = NULL;
    search->step.items = NULL;
    search->step.buckets = NULL;
    search->step.n_runs = 0;
}
