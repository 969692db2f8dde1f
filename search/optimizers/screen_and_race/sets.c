#include "search/optimizers/screen_and_race/sets.h"

#include "search/toolkit/demo_space.h"

enum {
    DEMOS_MOST = 32, // per step, unless max_demos allows more
    GROWN_MOST = 64, // later, once the leader shows that many
    DEMOS_PLAIN = 4, // of the smallest set, if there are no labels
};

// Returns the most demos that a step may show; `cap` applies if the user gave
// no limit.
static size_t most_demos(const struct search *search, size_t cap)
{
    size_t n = search->study.n;

    if (search->params->max_demos >= 0)
        return (size_t)search->params->max_demos;
    if (session_split(search->session)->shared)
        n /= 2; // the other half is for scoring
    return n < cap ? n : cap;
}

enum set_size { SMALL, MEDIUM, LARGE };

// Returns one demo per label, two per label, or as many as allowed.
static size_t count_demos(const struct search *search, size_t part,
                          enum set_size size)
{
    size_t labels = classes_count(search->study.corpus.covers[part]);
    size_t small = labels > 0 ? labels : DEMOS_PLAIN;
    size_t most = most_demos(search, DEMOS_MOST);
    size_t want = size == SMALL ? small : size == MEDIUM ? small * 2 : most;

    return want < most ? want : most;
}

static const struct {
    enum demo_taste taste;
    enum set_size size;
    const char *kind;
} first_sets[] = {
    {TASTE_VARIED, MEDIUM, "varied, medium"},
    {TASTE_VARIED, LARGE, "varied, large"},
    {TASTE_VARIED, SMALL, "varied, small"},
    {TASTE_HARD, LARGE, "hard, large"},
    {TASTE_HARD, MEDIUM, "hard, medium"},
    {TASTE_CHANCE, LARGE, "chance, large"},
    {TASTE_CHANCE, MEDIUM, "chance, medium"},
};

// A predictor that is not in the focus gets only SIDE_SETS.
enum { FIRST_SETS = sizeof first_sets / sizeof *first_sets, SIDE_SETS = 3 };

static bool make_pools(struct search *search, size_t part, struct err *err)
{
    const struct job *job = session_job(search->session);

    for (size_t i = 0; i < job->n_nearest && search->params->max_demos != 0;
         i++)
        if (!demo_space_pool(&search->space, &search->study, part,
                             (size_t)job->nearest[i], err))
            return false;
    return true;
}

bool sets_begin(struct search *search, size_t part, struct err *err)
{
    size_t n = part == search->focus ? FIRST_SETS : SIDE_SETS;

    for (size_t i = 0; i < n; i++) {
        const struct demo_wish wish = {
            .taste = first_sets[i].taste,
            .most = count_demos(search, part, first_sets[i].size),
            .kind = first_sets[i].kind,
            .draw = i};

        if (wish.most > 0 &&
            !demo_space_cover(&search->space, &search->study, part, &wish, err))
            return false;
    }
    return make_pools(search, part, err);
}

bool sets_renew(struct search *search, size_t round, struct err *err)
{
    struct space *space = &search->space;
    struct study *study = &search->study;
    size_t part = search->focus;
    int set = search->leader->choices[space_at_demos(part)];
    const struct demo_list *list = &space->parts[part].sets[set].list;
    bool pool = list->nearest > 0;
    size_t shown = demo_list_shows(list);
    size_t most =
        most_demos(search, shown < DEMOS_MOST ? DEMOS_MOST : shown + shown / 2);
    uint64_t draw = FIRST_SETS * (round + 1);

    if (most > GROWN_MOST && search->params->max_demos < 0)
        most = GROWN_MOST;
    if (most == 0)
        return true;
    const struct demo_wish hard = {TASTE_HARD, most, "hard, large", draw};
    const struct demo_wish chance = {TASTE_CHANCE, most, "chance, large",
                                     draw + 1};

    return demo_space_cover(space, study, part, &hard, err) &&
           demo_space_cover(space, study, part, &chance, err) &&
           (pool || demo_space_reverse(space, study, part, set, err));
}
