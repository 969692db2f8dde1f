#include "search/optimizers/miprov2/tried.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/leader.h"
#include "search/toolkit/tpe.h"

bool tried_init(struct tried *tried, struct session *session,
                struct combos *combos, double as_written, struct err *err)
{
    int *zeros = calloc(combos->space.n + 1, sizeof *zeros);

    *tried = (struct tried){
        .session = session, .combos = combos, .as_written = as_written};
    if (zeros == NULL) {
        err_nomem(err, "a search space");
        return false;
    }
    struct combo *combo = combos_get(combos, zeros, err);
    bool ok = combo != NULL && tried_add(tried, NULL, combo, zeros, err);
    if (ok)
        combo->full = true;
    free(zeros);
    return ok;
}

void tried_release(struct tried *tried)
{
    for (size_t i = 0; i < tried->n; i++)
        free(tried->trials[i].choices);
    free(tried->trials);
    *tried = (struct tried){0};
}

bool tried_add(struct tried *tried, const struct trial *trial,
               struct combo *combo, const int *choices, struct err *err)
{
    size_t n = tried->combos->space.n;
    struct tried_trial *more =
        realloc(tried->trials, (tried->n + 1) * sizeof *more);
    int *copy = calloc(n + 1, sizeof *copy);

    if (more != NULL)
        tried->trials = more;
    if (more == NULL || copy == NULL) {
        err_nomem(err, "the trials");
        free(copy);
        return false;
    }
    memcpy(copy, choices, n * sizeof *copy);
    tried->trials[tried->n++] = (struct tried_trial){trial, combo, copy};
    return true;
}

void tried_count(struct tried *tried, size_t known)
{
    for (; tried->counted < tried->n; tried->counted++) {
        const struct tried_trial *one = &tried->trials[tried->counted];
        if (one->trial == NULL)
            continue;
        if ((size_t)one->trial->number > known)
            return;
        if (one->trial->kind != TRIAL_MINIBATCH || one->trial->n == 0)
            continue;
        one->combo->sum += one->trial->score;
        one->combo->n++;
    }
}

static struct tpe_trial as_tpe(const struct tried *tried,
                               const struct tried_trial *one, size_t known)
{
    struct tpe_trial out = {.choices = one->choices};

    if (one->trial == NULL)
        out.score = tried->as_written;
    else if ((size_t)one->trial->number > known || one->trial->n == 0)
        out.running = true;
    else
        out.score = one->trial->score;
    return out;
}

bool tried_propose(const struct tried *tried, int *out, struct err *err)
{
    size_t known = leader_known(tried->session);
    size_t submitted = 0;
    session_trials(tried->session, &submitted);
    struct rng rng = session_rng(tried->session, "tpe", submitted + 1);
    struct tpe_trial *trials = calloc(tried->n, sizeof *trials);

    if (trials == NULL) {
        err_nomem(err, "the trials");
        return false;
    }
    for (size_t i = 0; i < tried->n; i++)
        trials[i] = as_tpe(tried, &tried->trials[i], known);
    bool ok = tpe_propose(&tried->combos->space, trials, tried->n,
                          uniforms_of(&rng), out, err);
    free(trials);
    return ok;
}
