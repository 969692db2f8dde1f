// search: one search of screen_and_race, all that it knows at any time.
//
// The phases (screen_and_race.c) share this state and nothing else. What always
// holds of it, from search_start on:
//
//   1. The baseline and the leader are entries of the board, the leader the
//      best that is known; whoever stops the search gets it (search_crown).
//   2. What is in the space stays there under its number (space.h), and so does
//      every entry of the board: what was learned of either is never lost.
//   3. Whatever is decided follows from the job, the seed and the answers on
//      the board.
//   4. Only candidates that fit the context are entered (search_enter).
//
// For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SEARCH_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "search/session/session.h"
#include "search/toolkit/board.h"
#include "search/toolkit/outlook.h"
#include "search/toolkit/reflection.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"
#include "search/toolkit/text_space.h"

// As the job says (screen_and_race.c has their rows).
struct search_params {
    int size;
    int64_t evaluations; // -1: by size
    int64_t max_demos;   // -1: by the examples
    int64_t proposals;
    double temperature;
    int64_t seed;
};

// How much of a score is the probability of the right label (outlook.h).
#define SEARCH_SOFT 0.5 // early
#define SEARCH_TIES 0.1 // late: it only breaks ties

// What the search remembers of a predictor.
struct search_part {
    size_t in_vain; // rounds of work on it since the leader last changed
    size_t sound;   // times that nothing was found to mend, the same
    size_t seen;    // examples that the teacher was shown so far
    int defined;    // number of the text with the definitions of its labels
};

struct search {
    struct session *session; // borrowed, as the next two
    const struct search_params *params;
    const struct program *program;
    size_t limit; // evaluations
    struct study study;
    struct space space;
    struct board board;
    struct outlook outlook;
    struct entry *baseline; // borrowed from the board, as the next
    struct entry *leader;
    size_t focus; // the predictor that most failures are charged to
    struct search_part parts[PROGRAM_MAX_STEPS]; // by predictor
    struct reflection_form form;
    struct post post;
    double noise; // how far a finalist's score moves by itself
    bool cut;     // by the budget
    bool mute;    // no reply could be read, whatever was asked
};

// Puts the program as written on the board with the runs of it that were made,
// and the one of an earlier run where there is one. session, params, program
// and limit are set.
bool search_start(struct search *search, struct err *err);
void search_release(struct search *search); // zeroed is fine

// The entry of a combination, as far as its demos fit the context. Borrowed;
// NULL without memory.
struct entry *search_enter(struct search *search, const int *choices,
                           struct err *err);

// Makes the entry the leader. It is told to the session, so that whoever stops
// the search gets it.
void search_crown(struct search *search, struct entry *entry);

// Whether the leader is right wherever it may be scored: then nothing can be
// seen to be better.
bool search_is_perfect(const struct search *search);

// Returns false, and says that there is no memory for a search.
bool search_nomem(struct err *err);

#endif
