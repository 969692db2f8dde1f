// Splits a dataset into shares (program/job/dataset.h).
//
// 1. A share that has its own file consists of that file's rows. The others
//    are drawn from the pool: the rows of `examples`, or of `train` if `val`
//    is not named. A test share is drawn only from `examples`. What a share
//    with its own file would have received goes to the drawn shares in
//    proportion.
// 2. The pool is divided into strata by the label to balance, in the order in
//    which the labels first appear. Each stratum is shuffled with its own
//    random stream and dealt out by largest remainder. Ties go to the share
//    that has received too little so far, so that many odd strata do not all
//    favour train. Labels with too few rows to give every share one form a
//    single stratum, which comes last: otherwise labels that never repeat
//    would put all rows in train.
// 3. The order of each share mixes the strata evenly, so that any prefix of
//    it has roughly their proportions.

#include "program/job/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/map.h"
#include "common/rng.h"
#include "program/job/repeats.h"
#include "program/metric/metric.h"

const char *const share_names[SHARE_COUNT] = {"train", "val", "test"};

enum {
    SHARE_REST = SHARE_COUNT, // rows that no share uses
    PARTS = SHARE_COUNT + 1,
    SHARED_BELOW = 100,
    VALUE_MAX_BYTES = 32 << 20,
    MAX_LABELS = PROGRAM_MAX_FIELDS + 1,
};

static const double TINY = 1e-9; // shares are decimal fractions

struct stratum {
    size_t n;
    size_t start;         // in splitter.order
    struct stratum *into; // itself, or the stratum of rare labels
};

// A row of a share, and its position there.
struct dealt {
    double turn; // 0 to 1: its relative position in its stratum
    size_t stratum;
    size_t row;
};

struct splitter {
    const struct job *job;
    const struct dataset *dataset;
    struct split *split;
    struct diags *diags;
    const char *files[SHARE_COUNT]; // of shares that have their own file
    double shares[PARTS];           // of the pool
    size_t *pool;                   // its rows; owned
    size_t n_pool;
    struct stratum **of;    // one per row of the pool; owned
    struct stratum *strata; // n_pool + 1, the last for rare labels; owned
    size_t n_strata;
    size_t *order;       // rows, stratum by stratum; owned
    double owed[PARTS];  // how much earlier strata left each part short
    struct dealt *dealt; // the share being dealt; owned
};

void split_release(struct split *split)
{
    for (int i = 0; i < SHARE_COUNT; i++)
        free(split->rows[i]);
    *split = (struct split){0};
}

static bool no_memory(struct splitter *splitter)
{
    splitter->diags->nomem = true;
    return false;
}

// The pool and its shares

static bool is_drawn(const struct splitter *splitter, int share)
{
    if (splitter->files[share] != NULL)
        return false;
    return share != SHARE_TEST || splitter->job->data.examples != NULL;
}

static void plan_shares(struct splitter *splitter)
{
    const struct job_data *data = &splitter->job->data;
    const double given[SHARE_COUNT] = {data->train_share, data->val_share,
                                       data->test_share};
    double all = 0;
    double drawn = 0;

    splitter->files[SHARE_TRAIN] = data->train;
    splitter->files[SHARE_VAL] = data->val;
    splitter->files[SHARE_TEST] = data->test;
    // Without `examples` and `val`, the file of train is the pool.
    if (data->examples == NULL && data->val == NULL)
        splitter->files[SHARE_TRAIN] = NULL;
    for (int i = 0; i < SHARE_COUNT; i++) {
        all += given[i];
        drawn += is_drawn(splitter, i) ? given[i] : 0;
    }
    splitter->shares[SHARE_REST] = 1 - all > TINY ? 1 - all : 0;
    for (int i = 0; i < SHARE_COUNT && drawn > 0; i++) {
        if (is_drawn(splitter, i))
            splitter->shares[i] = given[i] * all / drawn;
    }
}

static const char *pool_file(const struct splitter *splitter)
{
    const struct job_data *data = &splitter->job->data;

    if (data->examples != NULL)
        return data->examples;
    return splitter->files[SHARE_TRAIN] == NULL ? data->train : NULL;
}

static bool fill_pool(struct splitter *splitter)
{
    const struct dataset *dataset = splitter->dataset;
    const char *file = pool_file(splitter);

    splitter->pool = calloc(dataset_size(dataset) + 1, sizeof *splitter->pool);
    if (splitter->pool == NULL)
        return no_memory(splitter);
    for (size_t i = 0; file != NULL && i < dataset_size(dataset); i++) {
        if (strcmp(dataset_place(dataset, i).file, file) == 0)
            splitter->pool[splitter->n_pool++] = i;
    }
    return true;
}

// Below 100 rows train and val are the same: one share with the size of both.
static void share_few(struct splitter *splitter)
{
    double *shares = splitter->shares;

    if (splitter->job->data.separate || splitter->n_pool >= SHARED_BELOW ||
        !is_drawn(splitter, SHARE_TRAIN) || !is_drawn(splitter, SHARE_VAL))
        return;
    splitter->split->shared = true;
    shares[SHARE_TRAIN] += shares[SHARE_VAL];
    shares[SHARE_VAL] = 0;
}

// Strata

static bool is_few_valued(const struct program *program, const char *label)
{
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct source *source = &program->outputs[i].source;
        if (strcmp(program->outputs[i].name, label) != 0 ||
            source->step == SOURCE_INPUT || source->field == SOURCE_WHOLE)
            continue;
        const struct signature *signature =
            &program->steps[source->step].signature;
        enum type_kind kind = signature->outputs[source->field].type.kind;
        return kind == TYPE_ENUM || kind == TYPE_BOOL;
    }
    return false;
}

// Returns the label to balance: the one that the job names, or else the
// metric's first label that takes few values. Borrowed; NULL when there is
// none.
static const char *find_stratify(const struct splitter *splitter)
{
    const struct job *job = splitter->job;
    const char *labels[MAX_LABELS];
    size_t n = metric_labels(job->metric, labels, MAX_LABELS);

    if (job->data.stratify != NULL)
        return job->data.stratify;
    for (size_t i = 0; i < n; i++) {
        if (is_few_valued(job->program, labels[i]))
            return labels[i];
    }
    return NULL;
}

static bool hash_value(const json_t *value, const char *domain,
                       struct hash *out)
{
    struct buf text = BUF_INIT(VALUE_MAX_BYTES);

    if (value != NULL)
        json_put_sorted(&text, value);
    bool ok = !text.failed;
    *out = hash_of(domain, text.len > 0 ? text.data : "", text.len);
    buf_release(&text);
    return ok;
}

// Returns the stratum of a row's label, and creates it for the first such row.
static struct stratum *find_stratum(struct splitter *splitter, struct map *map,
                                    const json_t *value)
{
    struct hash key = {0};

    if (!hash_value(value, "label", &key))
        return NULL;
    struct stratum *stratum = map_find(map, &key);
    if (stratum != NULL)
        return stratum;
    stratum = &splitter->strata[splitter->n_strata];
    if (!map_put(map, &key, stratum))
        return NULL;
    stratum->into = stratum;
    splitter->n_strata++;
    return stratum;
}

static bool check_stratify(struct splitter *splitter, const char *label,
                           bool known)
{
    if (known || label == NULL || splitter->n_pool == 0)
        return true;
    diag_add(splitter->diags, DIAG_ERROR, "unknown-field",
             &splitter->job->data.place,
             "no example has the field `%s` that `stratify` names", label);
    return false;
}

static bool find_strata(struct splitter *splitter)
{
    const char *label = find_stratify(splitter);
    struct map map = MAP_INIT;
    bool known = false;
    bool ok = true;

    splitter->of = calloc(splitter->n_pool + 1, sizeof(struct stratum *));
    splitter->strata = calloc(splitter->n_pool + 1, sizeof(struct stratum));
    ok = splitter->of != NULL && splitter->strata != NULL;
    for (size_t i = 0; ok && i < splitter->n_pool; i++) {
        json_t *fields = label == NULL ? NULL
                                       : dataset_fields(splitter->dataset,
                                                        splitter->pool[i]);
        const json_t *value = json_object_get(fields, label);

        known = known || value != NULL;
        if (label == NULL || fields != NULL)
            splitter->of[i] = find_stratum(splitter, &map, value);
        json_decref(fields);
        ok = splitter->of[i] != NULL;
        if (ok)
            splitter->of[i]->n++;
    }
    map_release(&map);
    return ok ? check_stratify(splitter, label, known) : no_memory(splitter);
}

// Returns the part with the largest remainder; on a tie, the part that is owed
// most.
static int next_part(const struct splitter *splitter,
                     const double remainder[PARTS])
{
    int best = -1;

    for (int i = 0; i < PARTS; i++) {
        if (splitter->shares[i] <= 0)
            continue;
        double ahead = best < 0 ? 1 : remainder[i] - remainder[best];
        if (ahead > TINY ||
            (ahead > -TINY && splitter->owed[i] > splitter->owed[best] + TINY))
            best = i;
    }
    return best;
}

// Computes how many of n rows each part gets. Returns false if there are no
// parts at all.
static bool divide(const struct splitter *splitter, size_t n,
                   size_t counts[PARTS])
{
    double remainder[PARTS];
    size_t left = n;

    for (int i = 0; i < PARTS; i++) {
        double quota = splitter->shares[i] * (double)n;
        counts[i] = (size_t)floor(quota + TINY);
        counts[i] = counts[i] < left ? counts[i] : left;
        remainder[i] = quota - (double)counts[i];
        left -= counts[i];
    }
    while (left > 0) {
        int part = next_part(splitter, remainder);
        if (part < 0)
            return false;
        counts[part]++;
        remainder[part] -= 1;
        left--;
    }
    return true;
}

static bool is_rare(const struct splitter *splitter, size_t n)
{
    size_t counts[PARTS];
    bool rare = !divide(splitter, n, counts);

    for (int i = 0; i < SHARE_COUNT; i++)
        rare = rare || (splitter->shares[i] > 0 && counts[i] == 0);
    return rare;
}

// Joins rare strata and gives each stratum its place in the order.
static void place_strata(struct splitter *splitter)
{
    struct stratum *last = &splitter->strata[splitter->n_strata];
    size_t start = 0;

    last->into = last;
    for (size_t i = 0; i < splitter->n_strata; i++) {
        struct stratum *stratum = &splitter->strata[i];
        if (is_rare(splitter, stratum->n)) {
            last->n += stratum->n;
            stratum->n = 0;
            stratum->into = last;
        }
    }
    splitter->n_strata++;
    for (size_t i = 0; i < splitter->n_strata; i++) {
        splitter->strata[i].start = start;
        start += splitter->strata[i].n;
    }
}

static bool order_rows(struct splitter *splitter)
{
    size_t *used = calloc(splitter->n_strata, sizeof *used);

    splitter->order = calloc(splitter->n_pool + 1, sizeof *splitter->order);
    bool ok = used != NULL && splitter->order != NULL;
    for (size_t i = 0; ok && i < splitter->n_pool; i++) {
        const struct stratum *stratum = splitter->of[i]->into;
        size_t at = (size_t)(stratum - splitter->strata);
        splitter->order[stratum->start + used[at]++] = splitter->pool[i];
    }
    for (size_t i = 0; ok && i < splitter->n_strata; i++) {
        struct rng rng;
        rng_init(&rng, (uint64_t)splitter->job->data.seed, "split", i);
        rng_shuffle(&rng, splitter->order + splitter->strata[i].start,
                    splitter->strata[i].n);
    }
    free(used);
    return ok || no_memory(splitter);
}

// Dealing

static int compare_dealt(const void *a, const void *b)
{
    const struct dealt *one = a;
    const struct dealt *other = b;

    if (one->turn != other->turn)
        return one->turn < other->turn ? -1 : 1;
    return one->stratum < other->stratum ? -1 : one->stratum > other->stratum;
}

static bool keep_rows(struct splitter *splitter, int share, size_t n)
{
    size_t *rows = calloc(n + 1, sizeof *rows);

    if (rows == NULL)
        return no_memory(splitter);
    qsort(splitter->dealt, n, sizeof *splitter->dealt, compare_dealt);
    for (size_t i = 0; i < n; i++)
        rows[i] = splitter->dealt[i].row;
    splitter->split->rows[share] = rows;
    splitter->split->n[share] = n;
    return true;
}

// Takes one share's part of every stratum. Every share walks over all strata
// with the same arithmetic, so it sees the same counts.
static bool deal_share(struct splitter *splitter, int share)
{
    size_t n = 0;

    memset(splitter->owed, 0, sizeof splitter->owed);
    for (size_t i = 0; i < splitter->n_strata; i++) {
        const struct stratum *stratum = &splitter->strata[i];
        size_t counts[PARTS] = {0};
        size_t skip = 0;
        if (!divide(splitter, stratum->n, counts))
            break;
        for (int part = 0; part < PARTS; part++) {
            skip += part < share ? counts[part] : 0;
            splitter->owed[part] +=
                splitter->shares[part] * (double)stratum->n -
                (double)counts[part];
        }
        for (size_t j = 0; j < counts[share]; j++)
            splitter->dealt[n++] = (struct dealt){
                .turn = ((double)j + 0.5) / (double)counts[share],
                .stratum = i,
                .row = splitter->order[stratum->start + skip + j]};
    }
    return keep_rows(splitter, share, n);
}

static bool deal(struct splitter *splitter)
{
    splitter->dealt = calloc(splitter->n_pool + 1, sizeof *splitter->dealt);
    if (splitter->dealt == NULL)
        return no_memory(splitter);
    for (int share = 0; share < SHARE_COUNT; share++) {
        if (is_drawn(splitter, share) && !deal_share(splitter, share))
            return false;
    }
    return true;
}

// Makes a share of a file's rows, in their order.
static bool take_file(struct splitter *splitter, int share, const char *file)
{
    const struct dataset *dataset = splitter->dataset;
    size_t *rows = calloc(dataset_size(dataset) + 1, sizeof *rows);
    size_t n = 0;

    if (rows == NULL)
        return no_memory(splitter);
    for (size_t i = 0; i < dataset_size(dataset); i++) {
        if (strcmp(dataset_place(dataset, i).file, file) == 0)
            rows[n++] = i;
    }
    free(splitter->split->rows[share]);
    splitter->split->rows[share] = rows;
    splitter->split->n[share] = n;
    return true;
}

static bool take_files(struct splitter *splitter)
{
    const char *const *files = splitter->files;

    for (int i = 0; i < SHARE_COUNT; i++) {
        if (files[i] != NULL && !take_file(splitter, i, files[i]))
            return false;
    }
    if (files[SHARE_TRAIN] != NULL && files[SHARE_VAL] != NULL &&
        strcmp(files[SHARE_TRAIN], files[SHARE_VAL]) == 0)
        splitter->split->shared = true;
    return true;
}

static bool copy_shared(struct splitter *splitter)
{
    struct split *split = splitter->split;
    size_t n = split->n[SHARE_TRAIN];

    if (!split->shared)
        return true;
    free(split->rows[SHARE_VAL]);
    split->n[SHARE_VAL] = 0;
    split->rows[SHARE_VAL] = calloc(n + 1, sizeof(size_t));
    if (split->rows[SHARE_VAL] == NULL)
        return no_memory(splitter);
    memcpy(split->rows[SHARE_VAL], split->rows[SHARE_TRAIN],
           n * sizeof(size_t));
    split->n[SHARE_VAL] = n;
    return true;
}

// Findings

static bool check_empty(struct splitter *splitter)
{
    const struct job_data *data = &splitter->job->data;
    struct split *split = splitter->split;
    bool ok = true;

    for (int i = 0; i < SHARE_TEST; i++) {
        if (split->n[i] > 0)
            continue;
        diag_add(
            splitter->diags, DIAG_ERROR, "empty-share", &data->place,
            "no example falls into the %s share: there are only %zu in total",
            share_names[i], dataset_size(splitter->dataset));
        diag_remedy(splitter->diags,
                    "label more examples, or give `%s` a larger part in "
                    "`split`",
                    share_names[i]);
        ok = false;
    }
    split->test_empty =
        split->n[SHARE_TEST] == 0 && splitter->shares[SHARE_TEST] > 0;
    return ok;
}

static bool draw(struct splitter *splitter)
{
    plan_shares(splitter);
    if (!fill_pool(splitter))
        return false;
    share_few(splitter);
    if (!find_strata(splitter))
        return false;
    place_strata(splitter);
    return order_rows(splitter) && deal(splitter) && take_files(splitter) &&
           copy_shared(splitter);
}

bool split_make(const struct job *job, const struct dataset *dataset,
                struct split *out, struct diags *diags)
{
    struct splitter splitter = {
        .job = job, .dataset = dataset, .split = out, .diags = diags};

    *out = (struct split){0};
    bool ok = draw(&splitter) && check_empty(&splitter) &&
              repeats_report(dataset, out, diags);
    if (!ok)
        split_release(out);
    free(splitter.pool);
    free(splitter.of);
    free(splitter.strata);
    free(splitter.order);
    free(splitter.dealt);
    return ok;
}
