#include "coordinator/worker_votes.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

// One worker's vote for a digest or a kind of server.
struct vote {
    const char *what;
    int64_t slots;
};

static int compare_votes(const void *a, const void *b)
{
    return strcmp(((const struct vote *)a)->what,
                  ((const struct vote *)b)->what);
}

// Returns what has the most votes. The votes are sorted.
static const char *count_votes(const struct vote *votes, size_t n)
{
    const char *best = NULL;
    size_t best_n = 0;
    int64_t best_slots = 0;

    for (size_t i = 0, end; i < n; i = end) {
        int64_t slots = 0;

        for (end = i; end < n && compare_votes(&votes[i], &votes[end]) == 0;
             end++)
            slots += votes[end].slots;
        if (end - i > best_n || (end - i == best_n && slots > best_slots)) {
            best = votes[i].what;
            best_n = end - i;
            best_slots = slots;
        }
    }
    return best;
}

// Those who are away are asked only if nobody else could vote.
enum voters { VOTERS_HERE, VOTERS_AWAY };

static bool is_voter(const struct worker_info *worker, enum voters voters)
{
    return worker->away == (voters == VOTERS_AWAY);
}

static size_t vote_on_digest(const struct workers *workers, const char *model,
                             enum voters voters, struct vote *votes)
{
    size_t n = 0;

    for (const struct worker_info *w = workers->workers; w != NULL;
         w = w->next) {
        const struct worker_model *found = worker_find_model(w, model);

        if (found != NULL && is_voter(w, voters))
            votes[n++] = (struct vote){found->digest, w->slots};
    }
    return n;
}

const char *workers_digest(const struct workers *workers, const char *model)
{
    struct vote *votes = calloc(workers->n + 1, sizeof *votes);
    const char *best = NULL;
    size_t n = 0;

    if (votes != NULL)
        n = vote_on_digest(workers, model, VOTERS_HERE, votes);
    if (votes != NULL && n == 0)
        n = vote_on_digest(workers, model, VOTERS_AWAY, votes);
    if (n > 0) {
        qsort(votes, n, sizeof *votes, compare_votes);
        best = count_votes(votes, n);
    }
    free(votes);
    return best;
}

static size_t vote_on_server(const struct workers *workers, const char *model,
                             const char *digest, enum voters voters,
                             struct vote *votes,
                             char (*kinds)[WORKER_KIND_BYTES])
{
    size_t n = 0;

    for (const struct worker_info *w = workers->workers; w != NULL;
         w = w->next) {
        const struct worker_model *found = worker_find_model(w, model);

        if (!is_voter(w, voters) || found == NULL ||
            !models_digest_fits(digest, found->digest))
            continue;
        worker_kind(w, kinds[n]);
        if (kinds[n][0] == '\0')
            continue;
        votes[n] = (struct vote){kinds[n], w->slots};
        n++;
    }
    return n;
}

void workers_server(const struct workers *workers, const char *model,
                    const char *digest, char *out, size_t size)
{
    struct vote *votes = calloc(workers->n + 1, sizeof *votes);
    char(*kinds)[WORKER_KIND_BYTES] = calloc(workers->n + 1, sizeof *kinds);
    const char *best = NULL;
    size_t n = 0;

    if (votes != NULL && kinds != NULL)
        n = vote_on_server(workers, model, digest, VOTERS_HERE, votes, kinds);
    if (votes != NULL && kinds != NULL && n == 0)
        n = vote_on_server(workers, model, digest, VOTERS_AWAY, votes, kinds);
    if (n > 0) {
        qsort(votes, n, sizeof *votes, compare_votes);
        best = count_votes(votes, n);
    }
    (void)text_print(out, size, "%s", best == NULL ? "" : best);
    free(kinds);
    free(votes);
}
