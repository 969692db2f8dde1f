#include "search/toolkit/one_set.h"

#include "search/toolkit/leader.h"

struct one_set_search {
    struct leader leader;
    struct demo_maker *maker;
    const size_t *rows; // the rows to train on
    size_t n;
};

static size_t count_sets(const struct session *session)
{
    return 1 + session_job(session)->n_nearest;
}

struct effort one_set_effort(struct session *session,
                             const struct demo_recipe *recipe)
{
    struct effort effort = leader_effort(session, count_sets(session));

    effort.examples +=
        demos_effort(recipe, 1, session_split(session)->n[SHARE_TRAIN]);
    return effort;
}

static bool try_set(struct one_set_search *search, const struct demo_set *set,
                    int no, const char *kind, struct err *err)
{
    struct candidate *candidate =
        demo_set_candidate(set, no, search->leader.session, err);
    bool ok = candidate != NULL;

    session_expect(
        search->leader.session,
        leader_effort(search->leader.session,
                      count_sets(search->leader.session) + 1 - (size_t)no));
    ok = ok && leader_try(&search->leader, candidate, kind, err);

    candidate_unref(candidate);
    return ok;
}

static bool try_one(struct one_set_search *search, one_set_make *make,
                    const void *given, const char *kind, struct err *err)
{
    struct session *session = search->leader.session;
    struct rng rng = session_rng(session, "labeled-demos", 0);
    const struct demo_rows from = {search->rows, search->n, &rng};
    struct demo_set set = {0};
    bool ok;

    session_phase(session, "demos");
    ok = make(search->maker, given, &from, &set, err);
    if (ok) {
        session_note(session,
                     "%zu demos: %zu from runs of the teacher, %zu "
                     "labelled",
                     demo_set_count(&set), set.n_traced,
                     demo_set_count(&set) - set.n_traced);
        ok = try_set(search, &set, 1, kind, err);
    }
    demo_set_release(&set);
    return ok;
}

// Tries the i-th number of demos that the job allows to be picked per question.
static bool try_pool(struct one_set_search *search,
                     const struct demo_recipe *recipe, size_t i,
                     struct err *err)
{
    struct session *session = search->leader.session;
    struct rng rng = session_rng(session, "demo-pool", 0);
    const struct demo_rows from = {search->rows, search->n, &rng};
    struct demo_set set = {0};
    bool ok;

    session_phase(session, "demos nearest to the question");
    ok = demos_pool(search->maker, recipe, &from,
                    (size_t)session_job(session)->nearest[i], &set, err) &&
         try_set(search, &set, 2 + (int)i, "the nearest demos of a pool", err);
    demo_set_release(&set);
    return ok;
}

bool one_set_search(struct session *session, one_set_make *make,
                    const void *given, const struct demo_recipe *pool,
                    const char *kind, struct err *err)
{
    const struct split *split = session_split(session);
    struct one_set_search search = {
        .leader = leader_of(session, 1.0),
        .maker = demo_maker_new(session, NULL, session_plan(session), err),
        .rows = split->rows[SHARE_TRAIN],
        .n = split->n[SHARE_TRAIN]};
    bool ok = search.maker != NULL;

    if (!ok)
        return false;
    for (size_t i = 0; ok && !search.leader.over && i < count_sets(session);
         i++) {
        ok = leader_admit(&search.leader, err);
        if (ok && !search.leader.over)
            ok = i == 0 ? try_one(&search, make, given, kind, err)
                        : try_pool(&search, pool, i - 1, err);
    }
    ok = leader_end(&search.leader, ok, err);
    demo_maker_free(search.maker);
    return ok;
}
