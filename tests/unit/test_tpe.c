#include "search/toolkit/tpe.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#ifndef TESTS_DATA
#define TESTS_DATA "tests/data"
#endif

static struct err err;

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

// --- values worked out by hand

static const int two_params[] = {2, 3};
static const struct tpe_space space = {.n_choices = two_params, .n = 2};

Test(tpe, a_tenth_rounded_up_is_good_and_never_more_than_25)
{
    cr_expect_eq(tpe_below(0), 0);
    cr_expect_eq(tpe_below(1), 1);
    cr_expect_eq(tpe_below(10), 1);
    cr_expect_eq(tpe_below(11), 2);
    cr_expect_eq(tpe_below(31), 4);
    cr_expect_eq(tpe_below(250), 25);
    cr_expect_eq(tpe_below(1000), 25);
}

Test(tpe, kernels_give_the_observed_value_one_extra_count)
{
    const int a[] = {1, 2};
    const int b[] = {0, 0};
    const struct tpe_trial trials[] = {{a, 0.9, false}, {b, 0.1, false}};
    struct tpe_mixture below = {0}, above = {0};

    cr_assert(tpe_split(&space, trials, 2, &below, &above, &err), "%s",
              err.text);
    cr_assert_eq(below.n, 1);
    cr_assert_eq(above.n, 1);
    // One trial and the prior: K = 2. Seen (1 + 1/2) / (1 + 2/2), other 1/4.
    cr_expect(near(tpe_kernel(&below, 0, 0, 1), 0.75));
    cr_expect(near(tpe_kernel(&below, 0, 0, 0), 0.25));
    // Three choices: 1.5 / 2.5 and 0.5 / 2.5.
    cr_expect(near(tpe_kernel(&below, 0, 1, 2), 0.6));
    cr_expect(near(tpe_kernel(&below, 0, 1, 0), 0.2));
    cr_expect(near(tpe_kernel(&below, 1, 1, 0), 1.0 / 3));
    // 1/2 (3/4 * 3/5) + 1/2 (1/2 * 1/3) = 37/120.
    cr_expect(near(exp(tpe_log_density(&below, a)), 37.0 / 120));
    // 1/2 (1/4 * 1/5) + 1/2 (1/2 * 1/3) = 13/120.
    cr_expect(near(exp(tpe_log_density(&above, a)), 13.0 / 120));
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
}

Test(tpe, a_mixture_adds_up_to_one)
{
    const int a[] = {1, 2}, b[] = {0, 0}, c[] = {1, 1};
    const struct tpe_trial trials[] = {
        {a, 0.9, false}, {b, 0.1, false}, {c, 0.5, false}};
    struct tpe_mixture below = {0}, above = {0};
    double sum = 0;

    cr_assert(tpe_split(&space, trials, 3, &below, &above, &err), "%s",
              err.text);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) {
            const int choices[] = {i, k};
            sum += exp(tpe_log_density(&above, choices));
        }
    }
    cr_expect(near(sum, 1));
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
}

Test(tpe, earlier_trial_wins_among_equal_scores)
{
    const int a[] = {1, 2}, b[] = {0, 0};
    const struct tpe_trial trials[] = {{a, 0.5, false}, {b, 0.5, false}};
    struct tpe_mixture below = {0}, above = {0};

    cr_assert(tpe_split(&space, trials, 2, &below, &above, &err), "%s",
              err.text);
    cr_expect_eq(below.trials[0], &trials[0]);
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
}

Test(tpe, running_trial_counts_as_bad_regardless_of_its_score)
{
    const int a[] = {1, 2}, b[] = {0, 0};
    const struct tpe_trial trials[] = {{a, 0.1, false}, {b, 0.9, true}};
    struct tpe_mixture below = {0}, above = {0};

    cr_assert(tpe_split(&space, trials, 2, &below, &above, &err), "%s",
              err.text);
    cr_assert_eq(below.n, 1);
    cr_expect_eq(below.trials[0], &trials[0]);
    cr_expect_eq(above.trials[0], &trials[1]);
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
}

Test(tpe, old_trials_of_a_large_group_weigh_less)
{
    enum { N = 31 };
    static const int choices[] = {0, 0};
    struct tpe_trial trials[N];
    struct tpe_mixture below = {0}, above = {0};

    for (size_t i = 0; i < N; i++)
        trials[i] = (struct tpe_trial){choices, 1.0 - (double)i, false};
    cr_assert(tpe_split(&space, trials, N, &below, &above, &err), "%s",
              err.text);
    // 27 bad trials: weights of 1/27 and 1 for the oldest two, then 25 ones and
    // the prior.
    cr_assert_eq(above.n, 27);
    cr_expect(near(above.weights[0] / above.weights[27], 1.0 / 27));
    cr_expect(near(above.weights[1] / above.weights[27], 1));
    cr_expect(near(above.weights[27], 1.0 / (27 + 1.0 / 27)));
    tpe_mixture_release(&below);
    tpe_mixture_release(&above);
}

// --- start-up

struct script {
    const double *values;
    size_t at;
};

static double next_of_script(void *user)
{
    struct script *script = user;
    return script->values[script->at++];
}

Test(tpe, without_trials_the_greatest_uniform_draw_decides)
{
    static const double values[] = {0.2, 0.7, 0.9, 0.9, 0.1};
    struct script script = {values, 0};
    struct uniforms uniforms = {next_of_script, &script};
    int out[2] = {-1, -1};

    cr_assert(tpe_propose(&space, NULL, 0, uniforms, out, &err), "%s",
              err.text);
    cr_expect_eq(out[0], 1);
    cr_expect_eq(out[1], 0, "the first of equals");
    cr_expect_eq(script.at, 5);
}

Test(tpe, proposals_return_to_good_values)
{
    enum { N = 40 };
    static int choices[N][2];
    struct tpe_trial trials[N];
    struct rng rng;
    int hits = 0;

    rng_init(&rng, 1, "tpe-test", 0);
    for (int i = 0; i < N; i++) {
        choices[i][0] = i % 2;
        choices[i][1] = i % 3;
        bool good = i % 2 == 1 && i % 3 == 2;
        trials[i] = (struct tpe_trial){choices[i], good ? 1.0 : 0.2, false};
    }
    for (int i = 0; i < 50; i++) {
        int out[2];
        cr_assert(tpe_propose(&space, trials, N, uniforms_of(&rng), out, &err),
                  "%s", err.text);
        hits += out[0] == 1 && out[1] == 2;
    }
    cr_expect_geq(hits, 45);
}

// --- replay of a recording of Optuna's sampler

// The Mersenne Twister, seeded and read like NumPy's RandomState.
struct twister {
    uint32_t state[624];
    size_t at;
};

static void seed_twister(struct twister *twister, uint32_t seed)
{
    twister->state[0] = seed;
    for (uint32_t i = 1; i < 624; i++) {
        uint32_t last = twister->state[i - 1];
        twister->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
    }
    twister->at = 624;
}

static void turn(struct twister *twister)
{
    uint32_t *state = twister->state;
    for (size_t i = 0; i < 624; i++) {
        uint32_t y =
            (state[i] & 0x80000000u) | (state[(i + 1) % 624] & 0x7fffffffu);
        state[i] = state[(i + 397) % 624] ^ (y >> 1) ^
                   ((y & 1) != 0 ? 0x9908b0dfu : 0);
    }
    twister->at = 0;
}

static uint32_t next_word(struct twister *twister)
{
    if (twister->at == 624)
        turn(twister);
    uint32_t y = twister->state[twister->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static double next_of_twister(void *user)
{
    uint32_t a = next_word(user) >> 5;
    uint32_t b = next_word(user) >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
}

enum { STUDY_TRIALS = 128, STUDY_PARAMS = 8 };

struct study {
    uint32_t seed;
    size_t lag; // trials finish only after this many more
    int n_choices[STUDY_PARAMS];
    struct tpe_space space;
    int choices[STUDY_TRIALS][STUDY_PARAMS];
    struct tpe_trial trials[STUDY_TRIALS];
    bool injected[STUDY_TRIALS];
    size_t n;
};

// Reads "study SEED LAG PARAMS CHOICES...", then a line per trial: "p"
// (proposed) or "i" (injected), the choices and the score.
static bool read_study(FILE *file, struct study *study)
{
    char kind[8];

    memset(study, 0, sizeof *study);
    if (fscanf(file, "%7s %u %zu %zu", kind, &study->seed, &study->lag,
               &study->space.n) != 4)
        return false;
    for (size_t p = 0; p < study->space.n; p++)
        cr_assert_eq(fscanf(file, "%d", &study->n_choices[p]), 1);
    study->space.n_choices = study->n_choices;
    for (;;) {
        long here = ftell(file);
        if (fscanf(file, "%7s", kind) != 1)
            return true;
        if (strcmp(kind, "study") == 0)
            return fseek(file, here, SEEK_SET) == 0;
        size_t at = study->n++;
        cr_assert_lt(at, STUDY_TRIALS);
        study->injected[at] = kind[0] == 'i';
        for (size_t p = 0; p < study->space.n; p++)
            cr_assert_eq(fscanf(file, "%d", &study->choices[at][p]), 1);
        study->trials[at].choices = study->choices[at];
        cr_assert_eq(fscanf(file, "%lf", &study->trials[at].score), 1);
    }
}

// Where two candidates are equal by symmetry, the last bit of a sum decides.
// The recording (record.py beside it) contains no such trial.
static void replay(struct study *study)
{
    struct twister startup, search;

    seed_twister(&startup, study->seed);
    seed_twister(&search, study->seed);
    for (size_t t = 0; t < study->n; t++) {
        int out[STUDY_PARAMS];
        size_t done = 0;
        if (study->injected[t])
            continue;
        for (size_t i = 0; i < t; i++) {
            study->trials[i].running =
                study->lag > 0 && !study->injected[i] && i + study->lag > t;
            done += !study->trials[i].running;
        }
        struct uniforms uniforms = {next_of_twister,
                                    done < TPE_STARTUP ? &startup : &search};
        cr_assert(
            tpe_propose(&study->space, study->trials, t, uniforms, out, &err),
            "%s", err.text);
        for (size_t p = 0; p < study->space.n; p++)
            cr_assert_eq(out[p], study->choices[t][p],
                         "seed %u, trial %zu, parameter %zu: %d, not %d",
                         study->seed, t, p, out[p], study->choices[t][p]);
    }
}

Test(tpe, it_chooses_what_optuna_chose_from_the_same_random_numbers)
{
    static struct study study;
    size_t studies = 0;
    FILE *file = fopen(TESTS_DATA "/tpe/optuna.txt", "r");

    cr_assert_not_null(file, "the recording is missing");
    while (read_study(file, &study)) {
        replay(&study);
        studies++;
    }
    fclose(file);
    cr_expect_eq(studies, 3);
}
