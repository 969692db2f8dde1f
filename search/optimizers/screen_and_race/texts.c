#include "search/optimizers/screen_and_race/texts.h"

#include <stdlib.h>

#include "common/rng.h"
#include "search/optimizers/screen_and_race/letters.h"

static const double TRUST = 0.5; // in the teacher: deviations by which a
                                 // sentence may look harmful and stay

static const struct {
    unsigned pieces;
    const char *kind;
} first_texts[] = {
    {PIECE_STRICT, "strict"},
    {PIECE_DEFINED, "defined"},
    {PIECE_STRICT | PIECE_DEFINED | PIECE_CONTRASTED, "all of it"},
    {PIECE_TERSE, "terse"},
    {PIECE_TERSE | PIECE_STRICT | PIECE_DEFINED, "terse, defined"},
};

bool texts_begin(struct search *search, size_t part,
                 const struct findings *found, struct err *err)
{
    for (size_t i = 0; i < sizeof first_texts / sizeof *first_texts; i++) {
        const struct text_draft draft = {.part = part,
                                         .kind = first_texts[i].kind};
        const struct text_pieces pieces = {
            .which = first_texts[i].pieces,
            .confusions = found->confusions,
            .n_confusions = part == search->focus ? found->n_confusions : 0,
        };
        int number;

        if (!text_space_write(&search->space, &search->study, &draft, &pieces,
                              &number, err))
            return false;
        if (first_texts[i].pieces == PIECE_DEFINED)
            search->parts[part].defined = number;
    }
    return true;
}

// Returns a nearly normal number, the same on every machine.
static double draw_luck(struct rng *rng)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += rng_double(rng);
    return sum;
}

// Adds what the teacher said, without what seems to do harm. With `drawn`, it
// is decided partly by chance, since sentences that always occurred together
// cannot be told apart.
static bool add_without_harm(struct search *search, size_t part, int text,
                             bool drawn, struct rng *rng, struct err *err)
{
    const struct text_draft draft = {
        .part = part, .parent = text, .kind = drawn ? "drawn" : "weeded"};
    size_t n = search->outlook.sayings[part].n;
    double *worth = calloc(n + 1, sizeof *worth);
    bool ok = worth != NULL;

    if (!ok)
        return search_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct effect_guess guess = outlook_saying(&search->outlook, part, i);
        double luck = drawn ? draw_luck(rng) : 0;

        worth[i] = guess.mean + (TRUST + luck) * guess.deviation;
    }
    ok = n == 0 ||
         text_space_gather(&search->space, &draft, worth, n, NULL, err);
    free(worth);
    return ok;
}

bool texts_renew(struct search *search, const struct findings *found,
                 size_t round, struct err *err)
{
    size_t part = search->focus;
    int text = search->leader->choices[space_at_text(part)];
    const struct text_draft draft = {
        .part = part, .parent = text, .kind = "contrasted"};
    const struct text_pieces pieces = {.which = PIECE_CONTRASTED,
                                       .confusions = found->confusions,
                                       .n_confusions = found->n_confusions};
    struct rng rng = session_rng(search->session, "weed", round);

    return letters_send(search, found, text, err) &&
           add_without_harm(search, part, text, false, &rng, err) &&
           add_without_harm(search, part, text, true, &rng, err) &&
           add_without_harm(search, part, text, true, &rng, err) &&
           text_space_write(&search->space, &search->study, &draft, &pieces,
                            NULL, err);
}
