// one_set: the whole search of an optimizer that makes one demo set and
// evaluates it once. If the job allows demos nearest to the question, it does
// the same with those. Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_ONE_SET_H
#define SEARCH_TOOLKIT_ONE_SET_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/demos.h"

// Makes the set from the rows to train on, with the search's random stream.
typedef bool one_set_make(struct demo_maker *maker, const void *given,
                          const struct demo_rows *from, struct demo_set *out,
                          struct err *err);

// Returns the expected work; `recipe` is the set's.
struct effort one_set_effort(struct session *session,
                             const struct demo_recipe *recipe);

// Makes the set and tries it after the baseline. `kind` names it for people
// ("labelled demos") and is static. `given` is passed to make. `pool` says how
// a pool of demos is made (demos_pool).
bool one_set_search(struct session *session, one_set_make *make,
                    const void *given, const struct demo_recipe *pool,
                    const char *kind, struct err *err);

#endif
