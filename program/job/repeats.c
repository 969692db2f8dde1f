#include "program/job/repeats.h"

#include <stdlib.h>

enum { NO_SHARE = SHARE_COUNT };

// Collects all repeated examples of one kind for a single finding.
struct repeats {
    size_t n;
    size_t first;   // the first repeated row
    size_t earlier; // the earlier row with the same inputs
};

static void count_repeat(struct repeats *repeats, size_t row, size_t earlier)
{
    if (repeats->n++ > 0 && repeats->first < row)
        return;
    repeats->first = row;
    repeats->earlier = earlier;
}

static void report_repeats(const struct dataset *dataset, struct diags *diags,
                           const struct repeats *repeats, const char *where)
{
    struct row_place first, earlier;

    if (repeats->n == 0)
        return;
    first = dataset_place(dataset, repeats->first);
    earlier = dataset_place(dataset, repeats->earlier);
    struct place place = {.file = first.path, .line = first.line, .column = 1};
    diag_add(diags, DIAG_WARNING, "duplicate-rows", &place,
             "%zu example%s the same inputs as an earlier one %s; the first "
             "repeats %s:%d",
             repeats->n, repeats->n == 1 ? " has" : "s have", where,
             earlier.path, earlier.line);
    diag_remedy(diags,
                "keep one of them, otherwise scores look better than they are");
}

// Returns owner[row], the share of each row; rows that are in no share have
// NO_SHARE.
static int *find_owners(const struct dataset *dataset,
                        const struct split *split)
{
    int *owner = calloc(dataset_size(dataset) + 1, sizeof *owner);

    for (size_t i = 0; owner != NULL && i < dataset_size(dataset); i++)
        owner[i] = NO_SHARE;
    for (int share = SHARE_COUNT - 1; owner != NULL && share >= 0; share--) {
        for (size_t i = 0; i < split->n[share]; i++)
            owner[split->rows[share][i]] = share;
    }
    return owner;
}

// Compares each used row of rows[0..n), which all have the same inputs, with
// the first used one.
static void compare_owners(const struct split *split, const int *owner,
                           const struct keyed_row *rows, size_t n,
                           struct repeats *across, struct repeats *within)
{
    size_t first = 0;

    while (first < n && owner[rows[first].row] == NO_SHARE)
        first++;
    for (size_t i = first + 1; i < n; i++) {
        size_t earlier = rows[first].row;
        size_t row = rows[i].row;
        int share = owner[earlier];

        if (owner[row] == NO_SHARE)
            continue;
        if (share != owner[row])
            count_repeat(across, row, earlier);
        else if (share == SHARE_TRAIN && split->shared)
            count_repeat(within, row, earlier);
    }
}

bool repeats_report(const struct dataset *dataset, const struct split *split,
                    struct diags *diags)
{
    struct repeats across = {0};
    struct repeats within = {0};
    struct keyed_row *rows = dataset_by_inputs(dataset);
    int *owner = find_owners(dataset, split);
    size_t n = dataset_size(dataset);
    bool ok = owner != NULL && rows != NULL;

    for (size_t from = 0, to = 1; ok && from < n; from = to++) {
        while (to < n && rows[to].inputs == rows[from].inputs)
            to++;
        compare_owners(split, owner, rows + from, to - from, &across, &within);
    }
    report_repeats(dataset, diags, &across, "in another share");
    report_repeats(dataset, diags, &within,
                   "and may be scored with a demo that contains the answer");
    free(owner);
    free(rows);
    if (!ok)
        diags->nomem = true;
    return ok;
}
