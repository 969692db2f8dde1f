// tpe: proposes the choices to try next, given those tried (tree-structured
// Parzen estimator, categorical and multivariate).
//
// The trials so far are split into the few good ones (`below`) and all others
// (`above`). Each group becomes a mixture with one kernel per trial, a product
// over the parameters that puts more weight on that trial's choices, and one
// uniform kernel, the prior. Of 24 draws from the good mixture l, the one with
// the greatest ratio l / g is proposed, where g is the other mixture.
//
// Trials under way go to `above`: what is already being tried looks bad, so the
// proposals of one window differ (a constant liar).
//
// The constants and the order in which uniforms are used are those of Optuna's
// sampler, whose choices a test replays. Pure: no state, no clock.

#ifndef SEARCH_TOOLKIT_TPE_H
#define SEARCH_TOOLKIT_TPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"

enum {
    TPE_STARTUP = 10,    // with fewer finished trials, choices are random
    TPE_CANDIDATES = 24, // draws from the good mixture
    TPE_BELOW_MAX = 25,  // most good trials
    TPE_FULL_WEIGHT = 25 // the newest trials of a group, which weigh 1
};

// A source of numbers in [0, 1), one per call.
struct uniforms {
    double (*next)(void *user);
    void *user;
};

struct uniforms uniforms_of(struct rng *rng); // rng is borrowed

// The number of choices of each parameter, at least 1. A parameter with one
// choice is not searched. Parameters are sampled in this order.
struct tpe_space {
    const int *n_choices;
    size_t n;
};

struct tpe_trial {
    const int *choices; // one per parameter
    double score;       // greater is better; not read while running
    bool running;
};

// Writes proposed choices to out, one per parameter. Trials are in the order of
// their numbers.
bool tpe_propose(const struct tpe_space *space, const struct tpe_trial *trials,
                 size_t n, struct uniforms uniforms, int *out, struct err *err);

// --- the parts, for tests and the curious

// Returns how many of n finished trials are good: a tenth, rounded up, at most
// 25.
size_t tpe_below(size_t n);

// The mixture of one group.
struct tpe_mixture {
    const struct tpe_space *space;
    const struct tpe_trial **trials; // owned list of borrowed trials
    size_t n;
    double *weights; // owned: n + 1, the last is the prior's; they sum to 1
};

// Splits the trials. Release both mixtures with tpe_mixture_release, which
// accepts zeroed ones.
bool tpe_split(const struct tpe_space *space, const struct tpe_trial *trials,
               size_t n, struct tpe_mixture *below, struct tpe_mixture *above,
               struct err *err);
void tpe_mixture_release(struct tpe_mixture *mixture);

// Returns the probability that a kernel (n: the prior) gives a choice of a
// parameter.
double tpe_kernel(const struct tpe_mixture *mixture, size_t kernel,
                  size_t param, int choice);

// Returns the logarithm of the mixture's density at the choices as a whole.
double tpe_log_density(const struct tpe_mixture *mixture, const int *choices);

#endif
