#include "search/optimizers/screen_and_race/stock.h"

#include "search/optimizers/screen_and_race/letters.h"
#include "search/optimizers/screen_and_race/sets.h"
#include "search/optimizers/screen_and_race/texts.h"

bool stock_fill(struct search *search, struct err *err)
{
    struct findings found = {0};
    bool ok = findings_make(search, 0, &found, err);

    if (ok)
        session_phase(search->session, "prompts");
    for (size_t p = 0; ok && p < search->program->n_predictors; p++)
        if (search->study.searched[p])
            ok = texts_begin(search, p, &found, err) &&
                 sets_begin(search, p, err);
    ok = ok && letters_send(
                   search, &found,
                   search->leader->choices[space_at_text(search->focus)], err);
    findings_release(search, &found);
    return ok;
}

bool stock_renew(struct search *search, size_t round, struct err *err)
{
    struct findings found = {0};
    bool ok = findings_make(search, round, &found, err);

    if (ok)
        session_phase(search->session, "prompts");
    ok = ok && texts_renew(search, &found, round, err) &&
         sets_renew(search, round, err);
    findings_release(search, &found);
    return ok;
}
