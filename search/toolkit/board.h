// board: what each candidate scored on each row, and which of two candidates is
// better on the rows that both were scored on.
//
// A row is identified by its place in an order that is fixed from the start, so
// that candidates meet the same rows and can be compared pair by pair. A
// request for new rows is submitted as a trial on all known rows of the
// candidate plus the new ones. The known rows cost nothing, and the last trial
// of an entry always covers everything that is known about it.
//
// A row that was excluded is closed to an entry. Call only from the job's own
// thread.

#ifndef SEARCH_TOOLKIT_BOARD_H
#define SEARCH_TOOLKIT_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"

struct entry {
    struct candidate *candidate; // owned, like all lists here
    int *choices;                // of the space; what the candidate is made of
    double *scores;              // by place; valid where known
    double *likely;              // by place: the model's probability of the
                                 // right label, 0 to 1; below 0 if not told
    unsigned *draws;             // by place: the number of draws behind the
                                 // score
    bool *known;
    bool *closed;        // excluded
    size_t n;            // number of known places
    double sum;          // of their scores
    struct trial *trial; // the last whole trial; borrowed, or NULL
    struct trial *asked; // the trial under way, or NULL
};

struct board {
    struct session *session; // borrowed
    size_t *rows;            // owned: the fixed order
    size_t n_rows;
    size_t n_choices;       // per entry
    struct entry **entries; // owned
    size_t n;
    size_t asked; // places asked for so far, over all entries
};

// Copies the order. n_choices is the number of choices of an entry.
bool board_init(struct board *board, struct session *session,
                struct row_span order, size_t n_choices, struct err *err);
void board_release(struct board *board); // accepts a zeroed board

// Returns the entry of a candidate, and adds it (with a reference) if it is
// new. Borrowed; NULL when out of memory.
struct entry *board_enter(struct board *board, struct candidate *candidate,
                          const int *choices, struct err *err);

// Takes over the results of a finished trial of the entry.
void board_read(struct board *board, struct entry *entry, struct trial *trial);

// Adds another draw of the entry's answers (session_redraw): where the entry
// was scored before, the score becomes the mean over all draws.
void board_add_draw(struct board *board, struct entry *entry,
                    const struct trial *again);

// Asks for n places, except those that are known or closed, and for nothing if
// none is left. Returns at once. `reason` is static.
bool board_ask(struct board *board, struct entry *entry, const size_t *places,
               size_t n, enum trial_kind kind, const char *reason,
               struct err *err);

// Like board_ask, but scores the places without a trial of their own
// (session_score) and waits for the result. For use after the budget has ended
// the search.
bool board_score(struct board *board, struct entry *entry, const size_t *places,
                 size_t n, struct err *err);

// Waits for everything that was asked, in order. A trial that the budget cut
// short is not read (ERR_BUDGET); those before it are.
bool board_wait(struct board *board, struct err *err);

struct board_pairs {
    size_t n;       // places known for both
    double gain;    // mean of b minus mean of a
    double p_value; // one-sided: probability of such a gain of b if both were
                    // equally good
};

// Compares b with a.
bool board_compare(const struct board *board, const struct entry *a,
                   const struct entry *b, struct board_pairs *out,
                   struct err *err);

// Compares the mean of all other entries, row by row, with an entry. If even
// that mean is a gain, the best of the others does not look good by luck alone.
bool board_compare_others(const struct board *board, const struct entry *a,
                          struct board_pairs *out, struct err *err);

// Like board_compare, but adds rows that are not on the board: the results of
// two trials, one of each entry, on the rows that both were scored on.
bool board_compare_with(const struct board *board, const struct entry *a,
                        const struct entry *b, const struct trial *of_a,
                        const struct trial *of_b, struct board_pairs *out,
                        struct err *err);

#endif
