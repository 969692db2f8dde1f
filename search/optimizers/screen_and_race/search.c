#include "search/optimizers/screen_and_race/search.h"

#include <math.h>
#include <stdlib.h>

#include "common/stats.h"
#include "search/optimizers/screen_and_race/plant.h"

static const double LEAST_DEVIATION = 0.1; // of a single score

bool search_nomem(struct err *err)
{
    err_nomem(err, "a search");
    return false;
}

static int compare_scores(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Determines what counts as right and how far scores spread. If the metric
// gives graded scores, the best quarter of the baseline's runs counts as right.
static bool weigh_scores(const struct trial *baseline, double *pass,
                         double *deviation, struct err *err)
{
    double *scores = calloc(baseline->n_rows + 1, sizeof *scores);
    double square = 0;
    size_t n = 0;

    if (scores == NULL)
        return search_nomem(err);
    for (size_t i = 0; i < baseline->n_rows; i++)
        if (baseline->scored[i])
            scores[n++] = baseline->scores[i];
    for (size_t i = 0; i < n; i++)
        square += (scores[i] - baseline->score) * (scores[i] - baseline->score);
    *pass = 1;
    *deviation = 0.5;
    if (n > 0 && !stats_binary(scores, n)) {
        qsort(scores, n, sizeof *scores, compare_scores);
        *pass = fmax(scores[n * 3 / 4], 1e-9);
        *deviation = fmax(LEAST_DEVIATION, sqrt(square / (double)n));
    }
    free(scores);
    return true;
}

struct entry *search_enter(struct search *search, const int *choices,
                           struct err *err)
{
    struct candidate *candidate = space_candidate(
        &search->space, choices, session_baseline(search->session), err);
    struct candidate *fitting = NULL;
    struct entry *entry = NULL;

    if (candidate != NULL)
        fitting = session_fit(search->session, candidate, err);
    if (fitting != NULL)
        entry = board_enter(&search->board, fitting, choices, err);
    candidate_unref(fitting);
    candidate_unref(candidate);
    return entry;
}

void search_set_leader(struct search *search, struct entry *entry)
{
    search->leader = entry;
    if (entry->trial != NULL && entry->trial->n > 0)
        session_set_best(search->session, entry->trial);
}

bool search_is_perfect(const struct search *search)
{
    const struct entry *leader = search->leader;
    size_t open = 0;

    for (size_t i = 0; i < search->board.n_rows; i++)
        open += !leader->closed[i];
    return leader->n > 0 && leader->n == open &&
           leader->sum >= (double)leader->n - 1e-9;
}

static bool start_board(struct search *search, struct trial *trial,
                        struct err *err)
{
    const struct split *split = session_split(search->session);
    int *zeros = calloc(search->space.n_choices + 1, sizeof *zeros);

    if (zeros == NULL)
        return search_nomem(err);
    if (board_init(&search->board, search->session,
                   row_span_of(split, SHARE_VAL), search->space.n_choices, err))
        search->baseline =
            board_enter(&search->board, trial->candidate, zeros, err);
    free(zeros);
    if (search->baseline == NULL)
        return false;
    board_read(&search->board, search->baseline, trial);
    search->leader = search->baseline;
    return true;
}

bool search_start(struct search *search, struct err *err)
{
    const struct reflection_options options = {.hints = true};
    struct trial *trial = session_baseline_trial(search->session);
    double pass = 0, deviation = 0;

    if (!weigh_scores(trial, &pass, &deviation, err) ||
        !study_init(&search->study, search->session, pass, err) ||
        !space_init(&search->space, search->session, err) ||
        !start_board(search, trial, err) || !plant_earlier(search, err) ||
        !reflection_form_init(&search->form, search->session, &options, err))
        return false;
    search->outlook = outlook_of(&search->space, &search->board, deviation);
    search->post = (struct post){.form = &search->form,
                                 .temperature = search->params->temperature};
    return true;
}

void search_release(struct search *search)
{
    reflection_form_release(&search->form);
    outlook_release(&search->outlook);
    board_release(&search->board);
    space_release(&search->space);
    study_release(&search->study);
}
