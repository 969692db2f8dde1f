// pace: how long calls take, learnt from those that were answered.
//
// The time of a call has two parts: reading the prefix of its prompt, unless
// the slot has just answered another call with the same prefix, and the rest.
//
//   |. . . reading . . .|. . . . rest . . . .|
//    by prefix_size       by kind
//
// The rest is similar within a kind (the calls of one step of a job) and
// differs tenfold between kinds: a label is ten tokens long, an instruction
// written by the teacher two hundred. Reading time is proportional to the
// prefix: a prefix with 32 demos takes ten times as long as one without any. So
// whoever asks how long a call will take must name both.
//
// Measured (bench_dispatch, the stages of a search, 16 equal workers): with one
// mean for all calls of a model, nobody took a second letter to the teacher
// because it looked as short as a label, and seven calls in a hundred were sent
// twice because they looked late.
//
// There is one pace per worker and model, and one per model, which is used for
// workers that have answered nothing yet.

#ifndef DISPATCH_PACE_H
#define DISPATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch/median.h"

// How many kinds are remembered. A new kind replaces the one that was learnt
// longest ago.
enum { PACE_KINDS = 8 };

// Records which array place holds the data for which kind.
struct pace_places {
    int64_t kinds[PACE_KINDS];
    int64_t turns[PACE_KINDS]; // when each was last learnt; 0: free place
    int64_t turn;              // the latest turn
    int latest; // the place learnt last, usually the next one asked for
};

// The pace of one worker and model, in microseconds. Zero-initialized, it knows
// nothing.
struct pace {
    struct pace_places places;
    // By place: a call whose prefix was already read, as a mean of about the
    // last eight (0: unknown); and, until that is known, the last call whose
    // prefix had to be read.
    int64_t call_us[PACE_KINDS];
    int64_t fresh_us[PACE_KINDS];
    // How much longer calls took because of reading, and the size of their
    // prefixes: means of about the last eight.
    int64_t read_us;
    int64_t read_size;
    bool rough; // read_us comes from fresh_us, a call for which the model
                // may have been loaded as well: the next sample replaces it
};

// How long a call took.
struct pace_sample {
    int64_t kind;
    int64_t prefix_size; // 0 is unknown and counts as one byte
    bool fresh;          // its prefix had to be read
    int64_t us;
};
void pace_learn(struct pace *pace, const struct pace_sample *sample);

// Returns how long a call of the kind takes once its prefix is read, or 0 while
// that is unknown. While all known calls had to read theirs, it is the time of
// the last of them, reading included.
int64_t pace_call_us(const struct pace *pace, int64_t kind);

// Returns how long it takes to read a prefix of that size, or 0 while that is
// unknown.
int64_t pace_read_us(const struct pace *pace, int64_t prefix_size);

// --- per model, whichever worker answers ---

struct pace_usual {
    struct pace_places places;
    struct median ms[PACE_KINDS]; // by place; empty if the place is free
};

void pace_usual_learn(struct pace_usual *usual, int64_t kind, int64_t ms);

// Returns the median of the last calls of the kind, reading included, or -1
// while there are too few.
int64_t pace_usual_ms(const struct pace_usual *usual, int64_t kind);

// Returns the shortest of these medians, or -1 while none is known.
int64_t pace_usual_shortest_ms(const struct pace_usual *usual);

#endif
