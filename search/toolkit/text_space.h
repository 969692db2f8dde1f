// text_space: instructions for the space: our own (wording.h), and the
// teacher's.
//
// The teacher writes from a letter: the step, an instruction or none, examples
// or failures of it, and a hint how to go about it (reflection.h). Letters are
// sent together and take as long as one. Who is shown a hundred examples takes
// up little of each, so a letter shows a few, and what several letters of one
// group about the same text add to it is put together. All that was ever said
// about the texts of a part is one more text.
//
// What is put together holds every mistake of the teacher's as well. So letters
// of a group may have shares, and what those of one share add is a text too:
//
//   letters      1      2      3      4      5      6
//   share        1      2      3      1      2      3
//   texts      of all six; of 1 and 4; of 2 and 5; of 3 and 6
//
// A wrong sentence is mostly in one share alone, and what many letters say is
// in all of them.
//
// For the job's own thread.

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
    PIECE_TERSE = 8, // instead of the text that it is made of
};

// A text that is made of one that the space has.
struct text_draft {
    size_t part;
    int parent;       // number of the one that it is made of
    const char *kind; // of the new one, for people; static
};

// What we can add to a text ourselves.
struct text_pieces {
    unsigned which;                     // of enum text_piece
    const struct confusion *confusions; // borrowed; for PIECE_CONTRASTED
    size_t n_confusions;
};

// The parent with these pieces, those that have nothing to say left out;
// nothing is added when none is left. number may be NULL: of the new text, or
// of the parent.
bool text_space_write(struct space *space, const struct study *study,
                      const struct text_draft *draft,
                      const struct text_pieces *pieces, int *number,
                      struct err *err);

// The parent with all that the teacher ever said about the part's texts, as far
// as there is room, but without the sentences of which `worth` (by number, of
// n; further ones are fine) is below 0. number may be NULL: of the new text, or
// of the parent.
bool text_space_gather(struct space *space, const struct text_draft *draft,
                       const double *worth, size_t n, int *number,
                       struct err *err);

enum { LETTER_CASES = 16, LETTER_GROUPS = 2, LETTER_SHARES = 3 };

struct letter {
    size_t part;
    int parent; // text that it is about; SPACE_ORPHAN: there is none
    const char *hint;
    const char *kind; // of the text that comes of it
    struct reflection_case cases[LETTER_CASES];
    size_t n;
    bool owns_cases;
    size_t group; // below LETTER_GROUPS
    size_t share; // of the group, 1 to LETTER_SHARES; 0: it has none
};

void letter_release(struct letter *letter); // zeroed is fine

// Demos as cases that went right.
bool letter_add_examples(struct letter *letter, const struct program *program,
                         const struct demo_list *list, struct err *err);

// The row at `place` as a case that went right: as the demo that it is; where
// it could be one only with the teacher's help, the program's inputs and what
// the row says of the step's outputs. Left out where it says nothing.
bool letter_add_row(struct letter *letter, struct study *study, size_t place,
                    struct err *err);

// Items of runs as cases, those in which the step did not run left out; the
// runs outlive the letter.
void letter_add_runs(struct letter *letter, const struct program *program,
                     const struct runs *runs, const size_t *which, size_t n);

struct post {
    const struct reflection_form *form; // borrowed, with hints
    double temperature;
    int64_t sent; // letters so far
};

// Sends n letters, and puts what comes back into the space.
bool text_space_ask(struct space *space, struct post *post,
                    const struct letter *letters, size_t n, struct err *err);

#endif
