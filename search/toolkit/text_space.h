// text_space: instructions for the space: our own (wording.h), and the
// teacher's.
//
// The teacher writes from a letter: the step, an instruction or none, examples
// or failures of it, and a hint how to go about it (reflection.h). Letters are
// sent together and take as long as one. Each answer becomes a text; and where
// several answers are about the same text, what each of them added to it is put
// together into one more, since each saw other failures.
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

// Text number `parent` with these pieces, those that have nothing to say left
// out; nothing is added when none is left.
bool text_space_write(struct space *space, const struct study *study,
                      size_t part, int parent, unsigned pieces,
                      const struct confusion *confusions, size_t n,
                      const char *kind, struct err *err);

enum { LETTER_CASES = 16 };

struct letter {
    size_t part;
    int parent; // text that it is about; SPACE_ORPHAN: there is none
    const char *hint;
    const char *kind; // of the text that comes of it
    struct reflection_case cases[LETTER_CASES];
    size_t n;
    bool owns_cases;
};

void letter_release(struct letter *letter); // zeroed is fine

// Demos as cases that went right.
bool letter_add_examples(struct letter *letter, const struct program *program,
                         const struct demo_list *list, struct err *err);

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
