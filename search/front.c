#include "search/front.h"

#include <stdlib.h>

#include "search/session/comparison.h"
#include "search/session/session_thread.h"

struct point {
    struct trial *trial;
    size_t tokens;
};

static int compare_points(const void *a, const void *b)
{
    const struct point *one = a, *other = b;

    if (one->tokens != other->tokens)
        return one->tokens < other->tokens ? -1 : 1;
    if (one->trial->score < other->trial->score)
        return 1;
    if (one->trial->score > other->trial->score)
        return -1;
    return one->trial->number < other->trial->number ? -1 : 1;
}

// Lists the whole trials on the whole validation share, and the best trial
// (which a race may have scored on fewer rows), shortest prompts first. Returns
// NULL when out of memory. The caller frees the list.
static struct point *list_points(struct session *session, size_t *n)
{
    size_t all = session_split(session)->n[SHARE_VAL];
    size_t n_trials = 0;
    struct trial *const *trials = session_trials(session, &n_trials);
    struct point *points = calloc(n_trials + 1, sizeof *points);
    struct err ignored = ERR_CLEAR;

    *n = 0;
    for (size_t i = 0; points != NULL && i < n_trials; i++) {
        struct point point = {.trial = trials[i]};

        if (trials[i]->done && trials[i]->whole && trials[i]->n > 0 &&
            (trials[i]->n_rows == all || trials[i] == session_best(session)) &&
            session_prompt_tokens(session, trials[i]->candidate, &point.tokens,
                                  &ignored))
            points[(*n)++] = point;
    }
    if (points != NULL)
        qsort(points, *n, sizeof *points, compare_points);
    return points;
}

json_t *front_json(struct session *session)
{
    size_t n = 0, all = session_split(session)->n[SHARE_VAL];
    struct point *points = list_points(session, &n);
    json_t *front = points == NULL ? NULL : json_array();
    double best = -1;

    for (size_t i = 0; front != NULL && i < n; i++) {
        const struct trial *trial = points[i].trial;

        // A score on a few rows cannot be listed next to one on all rows.
        if (trial->n_rows < all || trial->score <= best)
            continue;
        best = trial->score;
        json_array_append_new(
            front, json_pack("{s:I, s:f, s:I, s:I}", "trial",
                             (json_int_t)trial->number, "score", trial->score,
                             "n", (json_int_t)trial->n, "prompt_tokens",
                             (json_int_t)points[i].tokens));
    }
    free(points);
    return front;
}

struct trial *front_winner(struct session *session)
{
    int64_t most = session_job(session)->max_prompt_tokens;
    struct trial *best = session_best(session);
    struct trial *chosen = session_baseline_trial(session);
    struct err ignored = ERR_CLEAR;
    struct point *points;
    size_t n = 0, tokens = 0;

    if (most == 0 || best == NULL ||
        (session_prompt_tokens(session, best->candidate, &tokens, &ignored) &&
         (int64_t)tokens <= most))
        return best;
    points = list_points(session, &n);
    for (size_t i = 0; points != NULL && i < n; i++)
        if ((int64_t)points[i].tokens <= most &&
            comparison_gain(chosen, points[i].trial) > 0)
            chosen = points[i].trial;
    free(points);
    return chosen;
}
