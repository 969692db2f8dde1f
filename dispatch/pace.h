// pace: how long calls take, learnt from those that were answered.
//
// A call's time has two parts: reading the prefix of its prompt, where the slot
// has not just answered another call with it, and the rest.
//
//   |. . . reading . . .|. . . . rest . . . .|
//    by prefix_size       by kind
//
// The rest is alike within a kind (the calls of one step of a job), and differs
// tenfold between kinds: a label is ten tokens, an instruction that the teacher
// writes two hundred. Reading is in proportion to the prefix: one that shows 32
// demos is ten times as long as one that shows none. So whoever asks how long a
// call will take names both.
//
// Measured (bench_dispatch, the stages of a search): of 16 equal workers, with
// one mean for all calls of a model, nobody took a second letter to the teacher
// because it looked as short as a label, and seven calls in a hundred were made
// twice because they looked late.
//
// There is a pace of each worker and model, and one of each model for those
// workers that have answered nothing yet.

#ifndef DISPATCH_PACE_H
#define DISPATCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch/median.h"

// Kinds that are remembered; a new one takes the place of the one that was
// learnt longest ago.
enum { PACE_KINDS = 8 };

// Which place of a list holds what is known of which kind.
struct pace_places {
    int64_t kinds[PACE_KINDS];
    int64_t turns[PACE_KINDS]; // when each was last learnt; 0: it is free
    int64_t turn;              // the last one
    int latest; // the place learnt last: mostly it is asked for next
};

// Of a worker and model, in microseconds. Zero knows nothing.
struct pace {
    struct pace_places places;
    // By place: a call with its prefix there, a mean of about the last eight,
    // 0: not known; and the first one whose prefix had to be read, for as long.
    int64_t call_us[PACE_KINDS];
    int64_t fresh_us[PACE_KINDS];
    int64_t read_us;   // by which calls took longer for reading: a mean of
    int64_t read_size; // about the last eight; and of their prefixes
    bool rough;        // that is of the first call, for which the model may
                       // have been loaded as well: it gives way to the next
};

// A call of this kind took so long; fresh: its prefix had to be read. A
// prefix_size that is not known is 0, and counts as one byte.
void pace_learn(struct pace *pace, int64_t kind, int64_t prefix_size,
                bool fresh, int64_t us);

// How long a call of the kind takes, its prefix read: 0 while that is not
// known. While only calls are known that read theirs, it is the first of them.
int64_t pace_call_us(const struct pace *pace, int64_t kind);

// How long it takes to read a prefix of that size; 0 while that is not known.
int64_t pace_read_us(const struct pace *pace, int64_t prefix_size);

// --- of a model, whoever answers ---

struct pace_usual {
    struct pace_places places;
    struct median ms[PACE_KINDS]; // by place; of one that is free, empty
};

void pace_usual_learn(struct pace_usual *usual, int64_t kind, int64_t ms);

// The median of the last calls of the kind, reading included; -1 while there
// are too few.
int64_t pace_usual_ms(const struct pace_usual *usual, int64_t kind);

// The shortest of these; -1 while none is known.
int64_t pace_usual_shortest_ms(const struct pace_usual *usual);

#endif
