// text_space: adds instructions to the space: our own (wording.h), and the
// teacher's.
//
// The teacher answers a letter: the step, an instruction or none, examples or
// failures of it, and a hint on how to proceed (reflection.h). Letters are sent
// together, so all of them take as long as one. A model that sees a hundred
// examples takes in little of each. So a letter shows a few, and what several
// letters of one group add to the same text is merged. One more text holds
// everything that was ever said about the texts of a part.
//
// A merged text also holds every mistake of the teacher. So the letters of a
// group may have shares, and what the letters of one share add is a text too:
//
//   letters      1      2      3      4      5      6
//   share        1      2      3      1      2      3
//   texts        of all six; of 1 and 4; of 2 and 5; of 3 and 6
//
// A wrong sentence is usually in one share only, and what many letters say is
// in all of them.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_TEXT_SPACE_H
#define SEARCH_TOOLKIT_TEXT_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/toolkit/reflection.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"
#include "search/toolkit/wording.h"

enum text_piece {
    PIECE_STRICT = 1,
    PIECE_DEFINED = 2,
    PIECE_CONTRASTED = 4,
    PIECE_TERSE = 8, // replaces the text that it is made from
};

// A text to be made from one in the space.
struct text_draft {
    size_t part;
    int parent;       // number of the text that it is made from
    const char *kind; // of the new one, for people; static
};

// What we can add to a text ourselves.
struct text_pieces {
    unsigned which;                     // of enum text_piece
    const struct confusion *confusions; // borrowed; for PIECE_CONTRASTED
    size_t n_confusions;
};

// Adds the parent with these pieces, leaving out those that have nothing to
// say, and adds nothing if none is left. *number is the new text's number, or
// the parent's; number may be NULL.
bool text_space_write(struct space *space, const struct study *study,
                      const struct text_draft *draft,
                      const struct text_pieces *pieces, int *number,
                      struct err *err);

// Adds the parent with everything that the teacher ever said about the part's
// texts, as far as there is room, but without the sentences whose `worth` (by
// number, n values; further sentences are kept) is below 0. *number is the new
// text's number, or the parent's; number may be NULL.
bool text_space_gather(struct space *space, const struct text_draft *draft,
                       const double *worth, size_t n, int *number,
                       struct err *err);

enum { LETTER_CASES = 16, LETTER_GROUPS = 2, LETTER_SHARES = 3 };

struct letter {
    size_t part;
    int parent; // the text that it is about; SPACE_ORPHAN: none
    const char *hint;
    const char *kind; // of the text that results
    struct reflection_case cases[LETTER_CASES];
    size_t n;
    bool owns_cases;
    size_t group; // below LETTER_GROUPS
    size_t share; // within the group, 1 to LETTER_SHARES; 0: none
};

void letter_release(struct letter *letter); // accepts a zeroed letter

// Adds demos as cases that went right.
bool letter_add_examples(struct letter *letter, const struct program *program,
                         const struct demo_list *list, struct err *err);

// Adds the row at `place` as a case that went right: as its demo or, if it
// could be one only with the teacher's help, with the program's inputs and the
// row's labels for the step's outputs. Leaves the row out if it has no such
// label.
bool letter_add_row(struct letter *letter, struct study *study, size_t place,
                    struct err *err);

// Adds items of runs as cases, except those in which the step did not run. The
// runs must outlive the letter.
void letter_add_runs(struct letter *letter, const struct program *program,
                     const struct runs *runs, const size_t *which, size_t n);

struct post {
    const struct reflection_form *form; // borrowed; has hints
    double temperature;
    int64_t sent; // letters sent so far
};

// Sends n letters, and adds the answers to the space.
bool text_space_ask(struct space *space, struct post *post,
                    const struct letter *letters, size_t n, struct err *err);

#endif
