// tpe: which choices to try next, from those tried (tree-structured Parzen
// estimator, categorical and multivariate).
//
// The trials so far are split in good ones (`below`, few) and all others
// (`above`). Each group becomes a mixture: one kernel a trial, which is a
// product over the parameters and puts more on that trial's choices, and one
// even kernel, the prior. Of 24 draws from the good mixture l the one with
// the greatest l / g against the other mixture g is proposed.
//
// Trials that are under way go to `above`: what is being tried already looks
// bad, so the proposals of one window differ (a constant liar).
//
// The constants and the order in which uniforms are used are those of Optuna's
// sampler, whose choices the test replays. Pure: no state, no clock.

#ifndef SEARCH_TOOLKIT_TPE_H
#define SEARCH_TOOLKIT_TPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/rng.h"

enum {
    TPE_STARTUP = 10,    // finished trials below which choices are random
    TPE_CANDIDATES = 24, // draws from the good mixture
    TPE_BELOW_MAX = 25,  // good trials at most
    TPE_FULL_WEIGHT = 25 // the last trials of a group, which weigh 1
};

// Numbers in [0, 1), one a call.
struct uniforms {
    double (*next)(void *user);
    void *user;
};

struct uniforms uniforms_of(struct rng *rng); // rng is borrowed

// How many choices each parameter has; 1 and more. A parameter with one choice
// takes no part. Parameters are sampled in this order.
struct tpe_space {
    const int *n_choices;
    size_t n;
};

struct tpe_trial {
    const int *choices; // one a parameter
    double score;       // greater is better; not read while running
    bool running;
};

// Proposes choices into out (one a parameter). Trials are in the order of
// their numbers.
bool tpe_propose(const struct tpe_space *space, const struct tpe_trial *trials,
                 size_t n, struct uniforms uniforms, int *out, struct err *err);

// --- the parts, for tests and for the curious

// How many of n finished trials are good: a tenth, rounded up, at most 25.
size_t tpe_below(size_t n);

// One group's mixture.
struct tpe_mixture {
    const struct tpe_space *space;
    const struct tpe_trial **trials; // owned list of borrowed trials
    size_t n;
    double *weights; // owned: n + 1, the last is the prior's; sum 1
};

// Both are released with tpe_mixture_release; zeroed is fine.
bool tpe_split(const struct tpe_space *space, const struct tpe_trial *trials,
               size_t n, struct tpe_mixture *below, struct tpe_mixture *above,
               struct err *err);
void tpe_mixture_release(struct tpe_mixture *mixture);

// What kernel (n: the prior) gives a choice of a parameter.
double tpe_kernel(const struct tpe_mixture *mixture, size_t kernel,
                  size_t param, int choice);

// The logarithm of what the mixture gives to choices as a whole.
double tpe_log_density(const struct tpe_mixture *mixture, const int *choices);

#endif
