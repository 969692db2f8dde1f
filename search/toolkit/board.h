// board: what each candidate scored on each row, and who is better on the rows
// that both were scored on.
//
// A row is known by its place in an order that is fixed from the start, so
// that candidates meet the same rows and can be compared pair by pair. What is
// asked for is asked as a trial of all rows that the candidate is known on and
// the new ones: those that are known cost nothing, and the last trial of an
// entry is always the whole truth about it.
//
// Rows that were excluded are closed to an entry. For the job's own thread.

#ifndef SEARCH_TOOLKIT_BOARD_H
#define SEARCH_TOOLKIT_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct entry {
    struct candidate *candidate; // owned, as all lists here
    int *choices;                // of the space; what it was made of
    double *scores;              // by place; read where known
    double *likely;              // by place: what the model gave to the right
                                 // label, 0 to 1; below 0 where it is not told
    unsigned *draws;             // by place: how many the score is the mean of
    bool *known;
    bool *closed;        // excluded
    size_t n;            // places known
    double sum;          // of their scores
    struct trial *trial; // the last whole one; borrowed, or NULL
    struct trial *asked; // under way, or NULL
};

struct board {
    struct session *session; // borrowed
    size_t *rows;            // owned: the order
    size_t n_rows;
    size_t n_choices;       // of an entry
    struct entry **entries; // owned
    size_t n;
    size_t asked; // places asked for so far, over all entries
};

// The order is copied. n_choices: how many choices an entry has.
bool board_init(struct board *board, struct session *session,
                const size_t *rows, size_t n_rows, size_t n_choices,
                struct err *err);
void board_release(struct board *board); // zeroed is fine

// The entry of a candidate, added when it is new (a reference is taken).
// Borrowed; NULL without memory.
struct entry *board_enter(struct board *board, struct candidate *candidate,
                          const int *choices, struct err *err);

// Takes over what a finished trial of the entry says.
void board_read(struct board *board, struct entry *entry, struct trial *trial);

// Another draw of the entry's answers (session_again): where it was scored, the
// score becomes the mean over its draws.
void board_add_draw(struct board *board, struct entry *entry,
                    const struct trial *again);

// Asks for n places, those that are known or closed left out; nothing at all
// when none is left. Returns at once; reason is static.
bool board_ask(struct board *board, struct entry *entry, const size_t *places,
               size_t n, enum trial_kind kind, const char *reason,
               struct err *err);

// The same as no trial of its own (session_score), and waits for it: for the
// time after the budget has ended the search.
bool board_score(struct board *board, struct entry *entry, const size_t *places,
                 size_t n, struct err *err);

// Waits for all that was asked, in its order. A trial that the budget cut short
// is not read (ERR_BUDGET), those before it are.
bool board_wait(struct board *board, struct err *err);

struct board_pairs {
    size_t n;       // places that both are known on
    double gain;    // mean of b less that of a
    double p_value; // one-sided: of such a gain of b, were both equally good
};

// b against a.
bool board_compare(const struct board *board, const struct entry *a,
                   const struct entry *b, struct board_pairs *out,
                   struct err *err);

// All others in the mean, row by row, against an entry. Where even that is a
// gain, whoever looks best of the others does not look so by luck alone.
bool board_compare_field(const struct board *board, const struct entry *a,
                         struct board_pairs *out, struct err *err);

// The same on rows that are no places of the board as well: what two trials
// say, one of each, on the rows that both were scored on.
bool board_compare_with(const struct board *board, const struct entry *a,
                        const struct entry *b, const struct trial *of_a,
                        const struct trial *of_b, struct board_pairs *out,
                        struct err *err);

#endif
