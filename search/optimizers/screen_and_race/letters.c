#include "search/optimizers/screen_and_race/letters.h"

#include <stdlib.h>

#include "common/rng.h"
#include "search/toolkit/cover.h"

enum {
    SHOWN_CONTRASTS = 4, // in addition to the failures
    SHOWN_EXAMPLES = 8,  // in one letter
    EXAMPLE_LETTERS = 6, // per proposal
};

static const char hint_define[] =
    "Say for every allowed value what the inputs have in common for which it "
    "is right, and what tells it from the others.";
static const char hint_plain[] =
    "Say what makes an answer right, by what these examples have in common.";
static const char hint_scratch[] =
    "There is no instruction yet: write one from the examples alone.";
static const char hint_mistakes[] =
    "Give a rule for each kind of mistake: what tells the right answer from "
    "the one that was given.";

// Writes a letter for every few failures, with the given text, which all of
// them had; adds up to `most` letters after the first n. Next to the failures,
// a letter shows runs that were right with the labels that the failures gave by
// mistake.
static void write_mistakes(const struct search *search,
                           const struct findings *found, int parent,
                           size_t most, struct letter *letters, size_t *n)
{
    size_t part = search->focus;
    const struct diagnosis_runs focus = findings_of_focus(search, found);
    size_t end = *n + most;

    for (size_t at = 0; at < found->n_failed && *n < end;
         at += FINDINGS_SHOWN) {
        struct letter *letter = &letters[(*n)++];
        size_t left = found->n_failed - at;
        size_t shown = left < FINDINGS_SHOWN ? left : FINDINGS_SHOWN;
        size_t others[SHOWN_CONTRASTS];
        size_t n_others = diagnosis_contrasts(&focus, found->failed + at, shown,
                                              others, SHOWN_CONTRASTS);

        *letter = (struct letter){.part = part,
                                  .parent = parent,
                                  .hint = hint_mistakes,
                                  .kind = "from mistakes"};
        letter_add_runs(letter, search->program, found->runs,
                        found->failed + at, shown);
        letter_add_runs(letter, search->program, found->runs, others, n_others);
    }
}

// Writes letters with the next examples of the step in the focus that the
// teacher has not seen, a few per letter, ordered so that each letter shows as
// many labels as possible.
static bool write_examples(struct search *search, int parent, size_t most,
                           struct letter *letters, size_t *n, struct err *err)
{
    struct study *study = &search->study;
    size_t part = search->focus;
    size_t *seen = &search->parts[part].seen;
    bool labels = classes_count(&study->corpus.classes[part]) > 0;
    struct rng rng = session_rng(search->session, "examples", part);
    size_t *places = calloc(study->n + 1, sizeof *places);
    bool *usable = calloc(study->n + 1, sizeof *usable);
    const struct cover_recipe recipe = {
        .usable = usable, .chance = 1, .most = study->n};
    size_t rows = 0, written = 0;
    bool ok = places != NULL && usable != NULL;

    if (!ok)
        search_nomem(err);
    for (size_t i = 0; ok && i < study->n; i++)
        usable[i] = true;
    ok = ok && cover_pick(study->corpus.covers[part], study->corpus.lexicon,
                          &recipe, &rng, places, &rows, err);
    for (; ok && *seen < rows && most > 0; most--) {
        struct letter *letter = &letters[(*n)++];
        size_t end =
            *seen + SHOWN_EXAMPLES < rows ? *seen + SHOWN_EXAMPLES : rows;

        *letter = (struct letter){.part = part,
                                  .parent = parent,
                                  .hint = labels ? hint_define : hint_plain,
                                  .kind = "from examples",
                                  .group = 1,
                                  .share = 1 + written++ % LETTER_SHARES};
        for (; ok && *seen < end; (*seen)++)
            ok = letter_add_row(letter, study, places[*seen], err);
        *n -= letter->n == 0; // none of its rows has a known answer
    }
    free(usable);
    free(places);
    return ok;
}

// Writes a letter from the demos of the first set, as if there were no
// instruction.
static bool write_afresh(const struct search *search, struct letter *letters,
                         size_t *n, struct err *err)
{
    size_t part = search->focus;
    const struct space_part *from = &search->space.parts[part];

    if (from->n_sets < 2)
        return true;
    letters[*n] = (struct letter){.part = part,
                                  .parent = SPACE_ORPHAN,
                                  .hint = hint_scratch,
                                  .kind = "afresh"};
    return letter_add_examples(&letters[(*n)++], search->program,
                               &from->sets[1].list, err);
}

// Adds everything that the teacher said so far to the text that the letters
// were about, and to the one that defines the labels.
static bool gather_all(struct search *search, int text, struct err *err)
{
    const struct text_draft all = {
        .part = search->focus, .parent = text, .kind = "all that was said"};
    const struct text_draft defined = {
        .part = search->focus,
        .parent = search->parts[search->focus].defined,
        .kind = "defined, and all that was said",
    };

    return text_space_gather(&search->space, &all, NULL, 0, NULL, err) &&
           text_space_gather(&search->space, &defined, NULL, 0, NULL, err);
}

bool letters_send(struct search *search, const struct findings *found, int text,
                  struct err *err)
{
    size_t most = (size_t)search->params->proposals;
    size_t batches = most * EXAMPLE_LETTERS;
    bool first = search->parts[search->focus].seen == 0;
    struct letter *letters = calloc(most + batches + 2, sizeof *letters);
    size_t n = 0;
    bool ok = letters != NULL;

    if (!ok)
        err_nomem(err, "letters to the teacher");
    ok = ok && write_examples(search, text, batches, letters, &n, err) &&
         (!first || most == 0 || write_afresh(search, letters, &n, err));
    if (ok)
        write_mistakes(search, found, text, most, letters, &n);
    if (ok && n > 0)
        ok = text_space_ask(&search->space, &search->post, letters, n, err);
    if (ok && n > 0 && first)
        ok = gather_all(search, text, err);
    for (size_t i = 0; i < n; i++)
        letter_release(&letters[i]);
    free(letters);
    return ok;
}
