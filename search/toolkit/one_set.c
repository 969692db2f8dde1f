#include "search/toolkit/one_set.h"

#include "search/toolkit/leader.h"

static bool make_set(struct session *session, one_set_make *make,
                     const void *given, struct demo_set *set, struct err *err)
{
    const struct split *split = session_split(session);
    struct rng rng = session_rng(session, "labeled-demos", 0);
    struct demo_maker *maker =
        demo_maker_new(session, NULL, session_plan(session), err);

    if (maker == NULL)
        return false;
    bool ok = make(maker, given, split->rows[SHARE_TRAIN],
                   split->n[SHARE_TRAIN], &rng, set, err);
    demo_maker_free(maker);
    return ok;
}

static bool try_one(struct leader *leader, one_set_make *make,
                    const void *given, const char *kind, struct err *err)
{
    struct session *session = leader->session;
    struct demo_set set = {0};
    struct candidate *candidate = NULL;
    bool ok = false;

    if (!leader_admit(leader, err))
        return false;
    if (leader->over)
        return true;
    session_phase(session, "demos", 1);
    if (make_set(session, make, given, &set, err)) {
        session_note(session,
                     "%zu demos: %zu from runs of the teacher, %zu "
                     "labelled",
                     demo_set_count(&set), set.n_traced,
                     demo_set_count(&set) - set.n_traced);
        candidate = demo_set_candidate(&set, 1, session, err);
        ok = candidate != NULL && leader_try(leader, candidate, kind, err);
    }
    candidate_unref(candidate);
    demo_set_release(&set);
    return ok;
}

bool one_set_search(struct session *session, one_set_make *make,
                    const void *given, const char *kind, struct err *err)
{
    struct leader leader = leader_of(session, 1.0);
    bool ok = leader.over || try_one(&leader, make, given, kind, err);

    return leader_end(&leader, ok, err);
}
