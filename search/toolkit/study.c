#include "search/toolkit/study.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/diagnosis.h"
#include "search/toolkit/teacher.h"

static bool read_rows(struct study *study, struct err *err)
{
    struct row_span rows = {study->rows, study->n};

    for (size_t p = 0; p < study->program->n_predictors; p++)
        study->searched[p] =
            session_plan(study->session)->runs[study->program->predictors[p]];
    if (!corpus_init(&study->corpus, study->session, rows, err))
        return false;
    study->bank = bank_new(study->session, rows, err);
    return study->bank != NULL;
}

bool study_init(struct study *study, struct session *session, double pass,
                struct err *err)
{
    const struct split *split = session_split(session);
    size_t n = split->n[SHARE_TRAIN];
    size_t parts = session_job(session)->program->n_predictors;

    *study = (struct study){.session = session,
                            .program = session_job(session)->program,
                            .n = n < STUDY_ROWS ? n : STUDY_ROWS,
                            .pass = pass};
    study->rows = calloc(study->n + 1, sizeof *study->rows);
    study->hard = calloc(study->n + 1, sizeof *study->hard);
    study->searched = calloc(parts + 1, sizeof *study->searched);
    if (study->rows == NULL || study->hard == NULL || study->searched == NULL) {
        err_nomem(err, "the examples to train on");
        return false;
    }
    memcpy(study->rows, split->rows[SHARE_TRAIN],
           study->n * sizeof *study->rows);
    return read_rows(study, err);
}

void study_release(struct study *study)
{
    bank_free(study->bank);
    corpus_release(&study->corpus);
    free(study->searched);
    free(study->hard);
    free(study->rows);
    *study = (struct study){0};
}

size_t study_count_searched(const struct study *study)
{
    size_t n = 0;

    for (size_t p = 0; p < study->program->n_predictors; p++)
        n += study->searched[p];
    return n;
}

size_t study_place(const struct study *study, int row)
{
    size_t i = 0;

    while (i < study->n && (int)study->rows[i] != row)
        i++;
    return i;
}

static bool learn(struct study *study, const struct runs *runs,
                  const size_t *places, struct err *err)
{
    for (size_t i = 0; i < runs->n; i++) {
        const struct task_item *item = &runs->items[i];

        if (item->state == ITEM_DONE && item->scored)
            study->hard[places[i]] =
                diagnosis_failed(item, study->pass) ? 1 : 0;
        if (!bank_learn(study->bank, places[i], item, study->pass, err))
            return false;
    }
    return true;
}

static bool is_known(const struct board *board, const struct entry *entry,
                     size_t row)
{
    for (size_t k = 0; k < board->n_rows; k++)
        if (board->rows[k] == row)
            return entry->known[k];
    return false;
}

struct runs *study_trace(struct study *study, const struct board *board,
                         const struct entry *entry, size_t *places,
                         struct err *err)
{
    bool shared = session_split(study->session)->shared;
    size_t *rows = calloc(study->n + 1, sizeof *rows);
    struct runs *runs = NULL;
    size_t n = 0;

    if (rows == NULL) {
        err_nomem(err, "runs of the student");
        return NULL;
    }
    for (size_t i = 0; i < study->n; i++) {
        if (shared ? !is_known(board, entry, study->rows[i])
                   : n == STUDY_TRACED)
            continue;
        places[n] = i;
        rows[n++] = study->rows[i];
    }
    runs = diagnosis_trace(study->session, entry->candidate,
                           (struct row_span){rows, n}, err);
    // If the budget is small, uses fewer rows: a screen teaches more than the
    // mistakes of the program as written.
    while (runs == NULL && err->code == ERR_BUDGET && n > 1) {
        *err = ERR_CLEAR;
        n /= 2;
        runs = diagnosis_trace(study->session, entry->candidate,
                               (struct row_span){rows, n}, err);
    }
    free(rows);
    if (runs != NULL && !learn(study, runs, places, err)) {
        runs_drop(study->session, runs);
        runs = NULL;
    }
    return runs;
}

// --- harvest

static bool lacks_demo(const struct study *study, size_t place)
{
    for (size_t p = 0; p < study->program->n_predictors; p++) {
        bool asks = false;

        if (study->searched[p] &&
            (!bank_has(study->bank, p, place, &asks) || asks))
            return true;
    }
    return false;
}

// Returns the entry that was right on a row of the board and was scored on most
// rows, or board->n if none was right.
static size_t find_right(const struct study *study, const struct board *board,
                         size_t row)
{
    size_t best = board->n;

    for (size_t i = 0; i < board->n; i++) {
        const struct entry *one = board->entries[i];

        if (one->known[row] && one->scores[row] >= study->pass &&
            (best == board->n || one->n > board->entries[best]->n))
            best = i;
    }
    return best;
}

static bool harvest_entry(struct study *study, const struct entry *entry,
                          const size_t *rows, const size_t *places, size_t n,
                          struct err *err)
{
    struct runs *runs;
    bool ok = true;

    if (n == 0)
        return true;
    runs = diagnosis_trace(study->session, entry->candidate,
                           (struct row_span){rows, n}, err);
    if (runs == NULL)
        return false;
    for (size_t i = 0; ok && i < n; i++)
        ok = bank_learn(study->bank, places[i], &runs->items[i], study->pass,
                        err);
    runs_drop(study->session, runs);
    return ok;
}

bool study_harvest(struct study *study, const struct board *board,
                   struct err *err)
{
    size_t *rows = calloc(board->n_rows + 1, sizeof *rows);
    size_t *places = calloc(board->n_rows + 1, sizeof *places);
    size_t *right = calloc(board->n_rows + 1, sizeof *right);
    bool ok = rows != NULL && places != NULL && right != NULL;

    if (!ok)
        err_nomem(err, "demos");
    for (size_t k = 0; ok && k < board->n_rows; k++) {
        size_t place = study_place(study, (int)board->rows[k]);

        right[k] = place < study->n && lacks_demo(study, place)
                       ? find_right(study, board, k)
                       : board->n;
    }
    for (size_t i = 0; ok && i < board->n; i++) {
        size_t n = 0;

        for (size_t k = 0; k < board->n_rows; k++) {
            if (right[k] != i)
                continue;
            rows[n] = board->rows[k];
            places[n++] = study_place(study, (int)board->rows[k]);
        }
        ok = harvest_entry(study, board->entries[i], rows, places, n, err);
    }
    free(right);
    free(places);
    free(rows);
    return ok;
}
