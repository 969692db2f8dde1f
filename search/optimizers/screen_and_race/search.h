// search: the state of one search of screen_and_race.
//
// The phases (screen_and_race.c) share this state and nothing else. From
// search_start on, the following always holds:
//
//   1. The baseline and the leader are entries of the board, and the leader is
//      the best that is known; if the search is stopped, the user gets the
//      leader (search_set_leader).
//   2. Everything in the space keeps its number (space.h), and every entry
//      stays on the board, so nothing learned about either is lost.
//   3. All decisions follow from the job, the seed and the answers on the
//      board.
//   4. Only candidates that fit the context are entered (search_enter).
//
// Call only from the job's own thread.

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

// As given by the job (screen_and_race.c has the rows).
struct search_params {
    int size;
    int64_t evaluations; // -1: by size
    int64_t max_demos;   // -1: by the number of examples
    int64_t proposals;
    double temperature;
    int64_t seed;
};

// The share of a score that is the probability of the right label (outlook.h).
#define SEARCH_SOFT 0.5 // early
#define SEARCH_TIES 0.1 // late: it only breaks ties

// What the search remembers about a predictor.
struct search_part {
    size_t in_vain; // rounds of work on it since the leader last changed
    size_t sound;   // times that nothing was found to mend since then
    size_t seen;    // examples that the teacher was shown so far
    int defined;    // number of the text that defines its labels
};

struct search {
    struct session *session; // borrowed, like the next two
    const struct search_params *params;
    const struct program *program;
    size_t limit; // evaluations
    struct study study;
    struct space space;
    struct board board;
    struct outlook outlook;
    struct entry *baseline; // borrowed from the board, like the leader
    struct entry *leader;
    size_t focus; // the predictor that most failures are charged to
    struct search_part parts[PROGRAM_MAX_STEPS]; // by predictor
    struct reflection_form form;
    struct post post;
    double noise; // how much a finalist's score varies by chance
    bool cut;     // the budget ended the search
    bool mute;    // no reply could be read, whatever was asked
};

// Puts the program as written on the board, with the runs made so far, and the
// program of an earlier run if there is one. session, params, program and limit
// must be set.
bool search_start(struct search *search, struct err *err);
void search_release(struct search *search); // zeroed is fine

// Returns the entry of a combination, with as many demos as fit the context.
// Borrowed; NULL when out of memory.
struct entry *search_enter(struct search *search, const int *choices,
                           struct err *err);

// Makes the entry the leader and tells the session, so that the user gets it if
// the search is stopped.
void search_set_leader(struct search *search, struct entry *entry);

// Returns true if the leader is right on every row that it may be scored on:
// then nothing can be seen to be better.
bool search_is_perfect(const struct search *search);

// Sets err to say that memory ran out, and returns false.
bool search_nomem(struct err *err);

#endif
