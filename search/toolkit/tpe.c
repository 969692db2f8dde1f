#include "search/toolkit/tpe.h"

#include <math.h>
#include <stdlib.h>

static double next_of_rng(void *user)
{
    return rng_double(user);
}

struct uniforms uniforms_of(struct rng *rng)
{
    return (struct uniforms){.next = next_of_rng, .user = rng};
}

static double draw(struct uniforms uniforms)
{
    return uniforms.next(uniforms.user);
}

size_t tpe_below(size_t n)
{
    size_t tenth = (n + 9) / 10;
    return tenth < TPE_BELOW_MAX ? tenth : TPE_BELOW_MAX;
}

// --- start-up

// Draws one uniform per choice; the greatest wins.
static int draw_choice(int n_choices, struct uniforms uniforms)
{
    int best = 0;
    double most = -1;

    for (int i = 0; i < n_choices; i++) {
        double u = draw(uniforms);
        if (u > most) {
            most = u;
            best = i;
        }
    }
    return best;
}

static void propose_random(const struct tpe_space *space,
                           struct uniforms uniforms, int *out)
{
    for (size_t p = 0; p < space->n; p++)
        out[p] = space->n_choices[p] > 1
                     ? draw_choice(space->n_choices[p], uniforms)
                     : 0;
}

// --- mixtures

void tpe_mixture_release(struct tpe_mixture *mixture)
{
    free(mixture->trials);
    free(mixture->weights);
    *mixture = (struct tpe_mixture){0};
}

static bool init_mixture(struct tpe_mixture *mixture,
                         const struct tpe_space *space, size_t most,
                         struct err *err)
{
    *mixture = (struct tpe_mixture){.space = space};
    mixture->trials = calloc(most + 1, sizeof *mixture->trials);
    mixture->weights = calloc(most + 1, sizeof *mixture->weights);
    if (mixture->trials == NULL || mixture->weights == NULL) {
        err_nomem(err, "a search model");
        tpe_mixture_release(mixture);
        return false;
    }
    return true;
}

// Sets the weights. Old trials of a large group weigh less: from 1/n in equal
// steps to 1, and then 1 for the last 25. The prior weighs 1.
static void set_weights(struct tpe_mixture *mixture)
{
    size_t n = mixture->n;
    size_t ramp = n > TPE_FULL_WEIGHT ? n - TPE_FULL_WEIGHT : 0;
    double first = n > 0 ? 1.0 / (double)n : 1.0;
    double sum = 0;

    for (size_t i = 0; i <= n; i++) {
        double weight = 1.0;
        if (i < ramp && ramp > 1)
            weight = first + (1.0 - first) * (double)i / (double)(ramp - 1);
        else if (i < ramp)
            weight = first;
        mixture->weights[i] = weight;
        sum += weight;
    }
    for (size_t i = 0; i <= n; i++)
        mixture->weights[i] /= sum;
}

// Returns the rank of trial i among the finished ones: how many are better, or
// as good and earlier.
static size_t rank_of(const struct tpe_trial *trials, size_t n, size_t i)
{
    size_t rank = 0;
    for (size_t k = 0; k < n; k++) {
        if (trials[k].running || k == i)
            continue;
        if (trials[k].score > trials[i].score ||
            (!(trials[k].score < trials[i].score) && k < i))
            rank++;
    }
    return rank;
}

static size_t count_finished(const struct tpe_trial *trials, size_t n)
{
    size_t finished = 0;
    for (size_t i = 0; i < n; i++)
        finished += !trials[i].running;
    return finished;
}

bool tpe_split(const struct tpe_space *space, const struct tpe_trial *trials,
               size_t n, struct tpe_mixture *below, struct tpe_mixture *above,
               struct err *err)
{
    size_t good = tpe_below(count_finished(trials, n));

    *below = (struct tpe_mixture){0};
    *above = (struct tpe_mixture){0};
    if (!init_mixture(below, space, good, err))
        return false;
    if (!init_mixture(above, space, n, err)) {
        tpe_mixture_release(below);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool is_good = !trials[i].running && rank_of(trials, n, i) < good;
        struct tpe_mixture *group = is_good ? below : above;
        group->trials[group->n++] = &trials[i];
    }
    set_weights(below);
    set_weights(above);
    return true;
}

double tpe_kernel(const struct tpe_mixture *mixture, size_t kernel,
                  size_t param, int choice)
{
    double choices = mixture->space->n_choices[param];
    double other = 1.0 / (double)(mixture->n + 1);

    if (kernel == mixture->n)
        return 1.0 / choices;
    bool seen = mixture->trials[kernel]->choices[param] == choice;
    return (seen ? 1.0 + other : other) / (1.0 + choices * other);
}

static double kernel_log_density(const struct tpe_mixture *mixture,
                                 size_t kernel, const int *choices)
{
    double sum = 0;

    for (size_t p = 0; p < mixture->space->n; p++) {
        if (mixture->space->n_choices[p] > 1)
            sum += log(tpe_kernel(mixture, kernel, p, choices[p]));
    }
    return sum + log(mixture->weights[kernel]);
}

// Walks twice, first for the greatest term, to avoid storing a list of
// logarithms.
double tpe_log_density(const struct tpe_mixture *mixture, const int *choices)
{
    double most = -INFINITY;
    double sum = 0;

    for (size_t k = 0; k <= mixture->n; k++)
        most = fmax(most, kernel_log_density(mixture, k, choices));
    for (size_t k = 0; k <= mixture->n; k++)
        sum += exp(kernel_log_density(mixture, k, choices) - most);
    return most + log(sum);
}

// --- proposals

static size_t draw_kernel(const struct tpe_mixture *mixture, double u)
{
    double sum = 0;
    for (size_t k = 0; k < mixture->n; k++) {
        sum += mixture->weights[k];
        if (u < sum)
            return k;
    }
    return mixture->n;
}

static int draw_from_kernel(const struct tpe_mixture *mixture, size_t kernel,
                            size_t param, double u)
{
    int last = mixture->space->n_choices[param] - 1;
    double sum = 0;

    for (int choice = 0; choice < last; choice++) {
        sum += tpe_kernel(mixture, kernel, param, choice);
        if (u <= sum)
            return choice;
    }
    return last;
}

// Draws the candidates into drawn, TPE_CANDIDATES rows of n choices. All
// kernels are drawn first, then one parameter after the other for all rows.
static void draw_candidates(const struct tpe_mixture *below,
                            struct uniforms uniforms, int *drawn)
{
    size_t n = below->space->n;
    size_t kernels[TPE_CANDIDATES];

    for (size_t i = 0; i < TPE_CANDIDATES; i++)
        kernels[i] = draw_kernel(below, draw(uniforms));
    for (size_t p = 0; p < n; p++) {
        for (size_t i = 0; i < TPE_CANDIDATES; i++) {
            drawn[i * n + p] =
                below->space->n_choices[p] > 1
                    ? draw_from_kernel(below, kernels[i], p, draw(uniforms))
                    : 0;
        }
    }
}

static const int *pick_best(const struct tpe_mixture *below,
                            const struct tpe_mixture *above, const int *drawn)
{
    size_t n = below->space->n;
    const int *best = drawn;
    double most = -INFINITY;

    for (size_t i = 0; i < TPE_CANDIDATES; i++) {
        const int *choices = drawn + i * n;
        double gain =
            tpe_log_density(below, choices) - tpe_log_density(above, choices);
        if (gain > most) {
            most = gain;
            best = choices;
        }
    }
    return best;
}

bool tpe_propose(const struct tpe_space *space, const struct tpe_trial *trials,
                 size_t n, struct uniforms uniforms, int *out, struct err *err)
{
    bool ok = false;
    struct tpe_mixture below = {0};
    struct tpe_mixture above = {0};
    int *drawn = NULL;

    if (count_finished(trials, n) < TPE_STARTUP) {
        propose_random(space, uniforms, out);
        return true;
    }
    if (!tpe_split(space, trials, n, &below, &above, err))
        goto out;
    drawn = calloc(TPE_CANDIDATES * (space->n + 1), sizeof *drawn);
    if (drawn == NULL) {
        err_nomem(err, "a search model");
        goto out;
    }
    draw_candidates(&below, uniforms, drawn);
    const int *best = pick_best(&below, &above, drawn);
    for (size_t p = 0; p < space->n; p++)
        out[p] = best[p];
    ok = true;

out:
    free(drawn);
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
    return ok;
}
