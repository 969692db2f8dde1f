// sim_text: words, stems and bags of features for the stand-in model.
//
// This is everything that the stand-in knows about language, and it is little:
// how to split a text into words, a short list of English function words, the
// common English suffixes, and runs of four characters. It knows no synonyms,
// topics or jobs: it has to learn from the prompt what a word means.
//
// A bag is a text as a sparse vector: its features sorted by hash, each once.
// The functions are pure, except that bags live in the arena that is passed in.

#ifndef SIMULATED_SIM_TEXT_H
#define SIMULATED_SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

#include "simulated/sim_span.h"

enum { SIM_STEM_MAX = 24, SIM_FEATURES_MAX = 4096 };

struct sim_word {
    struct sim_span raw;
    char stem[SIM_STEM_MAX]; // lower case, without its suffix, NUL-terminated
    size_t len;              // of the stem
    bool stop;               // a function word or a single letter
    uint64_t hash;           // of the stem
};

struct sim_feature {
    uint64_t hash;
    double weight;
};

struct sim_bag {
    struct sim_feature *items; // sorted by hash; in the arena
    size_t n;
};

// Hashing and drawing: the same on every machine.
uint64_t sim_mix(uint64_t a, uint64_t b);
uint64_t sim_hash(const char *text, size_t len, uint64_t seed);
uint64_t sim_hash_text(const char *text, uint64_t seed);
double sim_unit(uint64_t hash);  // [0, 1)
double sim_gauss(uint64_t hash); // mean 0, deviation 1, within 3.5

// Takes the next word of *at .. end. Returns false at the end. Underscores,
// hyphens, and changes from lower to upper case end a word.
bool sim_word_next(const char **at, const char *end, struct sim_word *word);

// Returns true if one of the words of `text` has the same stem as `word`.
bool sim_has_word(const char *text, const char *word);

// Returns the features of `text`; {NULL, 0} when out of memory. Two stems in a
// row also count as a feature.
struct sim_bag sim_bag_new(struct arena *arena, const char *text, size_t len);

// Multiplies each weight by the value that `idf` (sorted by hash) has for it,
// or by `default_weight` if it has none, and scales the bag to length 1.
void sim_bag_weigh(struct sim_bag *bag, const struct sim_bag *idf,
                   double default_weight);

// Returns the cosine of two weighed bags: 0 to 1.
double sim_bag_cosine(const struct sim_bag *a, const struct sim_bag *b);

// Computes how rare each feature of the bags (not weighed) is; {NULL, 0} when
// out of memory.
struct sim_bag sim_bag_idf(struct arena *arena,
                           const struct sim_bag *const *bags, size_t n);

#endif
