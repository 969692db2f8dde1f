#include "search/toolkit/board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/stats.h"
#include "search/session/comparison.h"

static void free_entry(struct entry *entry)
{
    if (entry == NULL)
        return;
    candidate_unref(entry->candidate);
    free(entry->choices);
    free(entry->scores);
    free(entry->likely);
    free(entry->draws);
    free(entry->known);
    free(entry->closed);
    free(entry);
}

bool board_init(struct board *board, struct session *session,
                struct row_span order, size_t n_choices, struct err *err)
{
    *board = (struct board){
        .session = session, .n_rows = order.n, .n_choices = n_choices};
    board->rows = calloc(order.n + 1, sizeof *board->rows);
    if (board->rows == NULL) {
        err_nomem(err, "the scores");
        return false;
    }
    memcpy(board->rows, order.rows, order.n * sizeof *order.rows);
    return true;
}

void board_release(struct board *board)
{
    for (size_t i = 0; i < board->n; i++)
        free_entry(board->entries[i]);
    free(board->entries);
    free(board->rows);
    *board = (struct board){0};
}

static struct entry *find(const struct board *board,
                          const struct candidate *candidate)
{
    for (size_t i = 0; i < board->n; i++)
        if (hash_equal(&board->entries[i]->candidate->id, &candidate->id))
            return board->entries[i];
    return NULL;
}

static struct entry *make_entry(const struct board *board,
                                struct candidate *candidate, const int *choices)
{
    struct entry *entry = calloc(1, sizeof *entry);
    size_t n = board->n_rows + 1;

    if (entry == NULL)
        return NULL;
    entry->candidate = candidate_ref(candidate);
    entry->choices = calloc(board->n_choices + 1, sizeof *entry->choices);
    entry->scores = calloc(n, sizeof *entry->scores);
    entry->likely = calloc(n, sizeof *entry->likely);
    entry->draws = calloc(n, sizeof *entry->draws);
    entry->known = calloc(n, sizeof *entry->known);
    entry->closed = calloc(n, sizeof *entry->closed);
    if (entry->choices == NULL || entry->scores == NULL ||
        entry->likely == NULL || entry->draws == NULL || entry->known == NULL ||
        entry->closed == NULL) {
        free_entry(entry);
        return NULL;
    }
    memcpy(entry->choices, choices, board->n_choices * sizeof *choices);
    return entry;
}

struct entry *board_enter(struct board *board, struct candidate *candidate,
                          const int *choices, struct err *err)
{
    struct entry *entry = find(board, candidate);
    struct entry **more;

    if (entry != NULL)
        return entry;
    entry = make_entry(board, candidate, choices);
    more = realloc(board->entries, (board->n + 1) * sizeof(struct entry *));
    if (more != NULL)
        board->entries = more;
    if (entry == NULL || more == NULL) {
        free_entry(entry);
        err_nomem(err, "the scores");
        return NULL;
    }
    board->entries[board->n++] = entry;
    return entry;
}

// Returns the place of a row, searching from `from` on, or n_rows if it has
// none.
static size_t place_of(const struct board *board, size_t row, size_t from)
{
    for (size_t k = 0; k < board->n_rows; k++) {
        size_t at = (from + k) % board->n_rows;

        if (board->rows[at] == row)
            return at;
    }
    return board->n_rows;
}

void board_read(struct board *board, struct entry *entry, struct trial *trial)
{
    size_t next = 0;

    for (size_t i = 0; i < trial->n_rows; i++) {
        size_t place = place_of(board, trial->rows[i], next);

        if (place == board->n_rows)
            continue;
        next = place + 1;
        if (!trial->scored[i]) {
            entry->closed[place] = true;
            continue;
        }
        if (!entry->known[place]) {
            entry->n++;
            entry->sum += trial->scores[i];
            entry->scores[place] = trial->scores[i];
            entry->draws[place] = 1;
        }
        entry->known[place] = true;
        entry->likely[place] = trial->p_right == NULL ? -1 : trial->p_right[i];
    }
    entry->trial = trial;
}

void board_add_draw(struct board *board, struct entry *entry,
                    const struct trial *again)
{
    size_t next = 0;

    for (size_t i = 0; i < again->n_rows; i++) {
        size_t place = place_of(board, again->rows[i], next);
        double before;

        if (place == board->n_rows || !again->scored[i] || !entry->known[place])
            continue;
        next = place + 1;
        before = entry->scores[place];
        entry->draws[place]++;
        entry->scores[place] +=
            (again->scores[i] - before) / (double)entry->draws[place];
        entry->sum += entry->scores[place] - before;
    }
}

// Lists the rows of a trial that makes these places known, including those that
// are already known. Returns NULL when out of memory. The caller frees the
// list.
static size_t *list_rows(const struct board *board, const struct entry *entry,
                         const size_t *places, size_t n, size_t *n_rows,
                         size_t *fresh, struct err *err)
{
    bool *wanted = calloc(board->n_rows + 1, sizeof *wanted);
    size_t *rows = calloc(board->n_rows + 1, sizeof *rows);

    *n_rows = *fresh = 0;
    if (wanted == NULL || rows == NULL) {
        err_nomem(err, "a trial");
        free(wanted);
        free(rows);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        bool open = !entry->known[places[i]] && !entry->closed[places[i]];

        *fresh += open && !wanted[places[i]];
        wanted[places[i]] = wanted[places[i]] || open;
    }
    for (size_t i = 0; i < board->n_rows; i++)
        if (wanted[i] || entry->known[i])
            rows[(*n_rows)++] = board->rows[i];
    free(wanted);
    return rows;
}

bool board_ask(struct board *board, struct entry *entry, const size_t *places,
               size_t n, enum trial_kind kind, const char *reason,
               struct err *err)
{
    size_t n_rows, fresh;
    size_t *rows = list_rows(board, entry, places, n, &n_rows, &fresh, err);
    bool ok = rows != NULL;

    if (ok && fresh > 0) {
        entry->asked =
            trial_submit(board->session, kind, entry->candidate,
                         (struct row_span){rows, n_rows}, reason, err);
        ok = entry->asked != NULL;
        board->asked += ok ? fresh : 0;
    }
    free(rows);
    return ok;
}

bool board_score(struct board *board, struct entry *entry, const size_t *places,
                 size_t n, struct err *err)
{
    size_t n_rows, fresh;
    size_t *rows = list_rows(board, entry, places, n, &n_rows, &fresh, err);
    struct trial *trial = NULL;

    if (rows != NULL && fresh > 0)
        trial = session_score(board->session, entry->candidate,
                              session_plan(board->session),
                              (struct row_span){rows, n_rows}, err);
    if (trial != NULL) {
        board_read(board, entry, trial);
        board->asked += fresh;
    }
    free(rows);
    return rows != NULL && (fresh == 0 || trial != NULL);
}

// Returns the entry whose trial was submitted first, or NULL if none is under
// way.
static struct entry *next_asked(const struct board *board)
{
    struct entry *next = NULL;

    for (size_t i = 0; i < board->n; i++) {
        struct entry *entry = board->entries[i];

        if (entry->asked != NULL &&
            (next == NULL || entry->asked->number < next->asked->number))
            next = entry;
    }
    return next;
}

bool board_wait(struct board *board, struct err *err)
{
    struct entry *entry;

    while ((entry = next_asked(board)) != NULL) {
        struct trial *trial = entry->asked;

        entry->asked = NULL;
        if (!trial_wait(board->session, trial, err))
            return false;
        board_read(board, entry, trial);
    }
    return true;
}

static size_t add_places(const struct board *board, const struct entry *a,
                         const struct entry *b, double *x, double *y)
{
    size_t n = 0;

    for (size_t i = 0; i < board->n_rows; i++) {
        if (!a->known[i] || !b->known[i])
            continue;
        x[n] = a->scores[i];
        y[n++] = b->scores[i];
    }
    return n;
}

static struct board_pairs test_pairs(const struct board *board, const double *x,
                                     const double *y, size_t n)
{
    uint64_t seed = (uint64_t)session_job(board->session)->seed;
    double gain = stats_mean(y, n) - stats_mean(x, n);
    double half = n == 0 ? 0.5 : stats_paired(x, y, n, seed) / 2;

    return (struct board_pairs){n, gain, gain > 0 ? half : 1 - half};
}

// Allocates room for two lists of n scores in one array. Returns NULL when out
// of memory. The caller frees it.
static double *make_pairs(size_t n, struct err *err)
{
    double *pairs = calloc(2 * n + 1, sizeof *pairs);

    if (pairs == NULL)
        err_nomem(err, "a comparison");
    return pairs;
}

bool board_compare_with(const struct board *board, const struct entry *a,
                        const struct entry *b, const struct trial *of_a,
                        const struct trial *of_b, struct board_pairs *out,
                        struct err *err)
{
    size_t most = board->n_rows + (of_a == NULL ? 0 : of_a->n_rows);
    double *x = make_pairs(most, err);
    double *y;
    size_t n;

    if (x == NULL)
        return false;
    y = x + most;
    n = add_places(board, a, b, x, y);
    if (of_a != NULL)
        n += comparison_pairs(of_a, of_b, x + n, y + n);
    *out = test_pairs(board, x, y, n);
    free(x);
    return true;
}

// Returns the mean score of all entries but one on one place, or NAN if none is
// known.
static double mean_of_others(const struct board *board, const struct entry *one,
                             size_t place)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < board->n; i++) {
        const struct entry *other = board->entries[i];

        if (other == one || !other->known[place])
            continue;
        sum += other->scores[place];
        n++;
    }
    return n == 0 ? NAN : sum / (double)n;
}

bool board_compare_others(const struct board *board, const struct entry *a,
                          struct board_pairs *out, struct err *err)
{
    double *x = make_pairs(board->n_rows, err);
    double *y;
    size_t n = 0;

    if (x == NULL)
        return false;
    y = x + board->n_rows;
    for (size_t i = 0; i < board->n_rows; i++) {
        double others = mean_of_others(board, a, i);

        if (!a->known[i] || isnan(others))
            continue;
        x[n] = a->scores[i];
        y[n++] = others;
    }
    *out = test_pairs(board, x, y, n);
    free(x);
    return true;
}

bool board_compare(const struct board *board, const struct entry *a,
                   const struct entry *b, struct board_pairs *out,
                   struct err *err)
{
    return board_compare_with(board, a, b, NULL, NULL, out, err);
}
