#include "search/toolkit/stock.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/prose.h"

static void release_list(struct demo_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        json_decref(list->demos[i].fields);
    free(list->demos);
    *list = (struct demo_list){0};
}

static void release_part(struct stock_part *part)
{
    for (size_t i = 0; i < part->n_texts; i++)
        free(part->texts[i].text);
    for (size_t i = 0; i < part->n_sets; i++)
        release_list(&part->sets[i].list);
    free(part->texts);
    free(part->sets);
}

void stock_release(struct stock *stock)
{
    for (size_t i = 0; stock->parts != NULL && i < stock->n_parts; i++)
        release_part(&stock->parts[i]);
    free(stock->parts);
    *stock = (struct stock){0};
}

bool stock_init(struct stock *stock, struct session *session, struct err *err)
{
    const struct program *program = session_job(session)->program;
    const struct demo_list none = {0};

    *stock =
        (struct stock){.session = session, .n_parts = program->n_predictors};
    stock->n_tunables =
        tunables_searched(&session_job(session)->tunables,
                          session_plan(session), stock->tunables);
    stock->n_choices = 2 * stock->n_parts + stock->n_tunables;
    stock->parts = calloc(stock->n_parts + 1, sizeof *stock->parts);
    if (stock->parts == NULL) {
        err_nomem(err, "a stock of prompts");
        return false;
    }
    for (size_t p = 0; p < stock->n_parts; p++) {
        const char *written =
            program_predictor(program, p)->signature.instruction;

        if (!stock_add_text(stock, p, written, "as written", STOCK_ORPHAN, NULL,
                            err) ||
            !stock_add_demos(stock, p, &none, "none", STOCK_ORPHAN, NULL, err))
            return false;
    }
    return true;
}

bool stock_add_text(struct stock *stock, size_t part, const char *text,
                    const char *kind, int parent, int *number, struct err *err)
{
    struct stock_part *to = &stock->parts[part];
    struct stock_text *more;
    char *copy;
    int ignored;

    if (number == NULL)
        number = &ignored;
    for (size_t i = 0; i < to->n_texts; i++) {
        *number = (int)i;
        if (prose_same(to->texts[i].text, text))
            return true;
    }
    more = realloc(to->texts, (to->n_texts + 1) * sizeof *more);
    if (more != NULL)
        to->texts = more;
    copy = strdup(text);
    if (more == NULL || copy == NULL) {
        free(copy);
        err_nomem(err, "an instruction");
        return false;
    }
    *number = (int)to->n_texts;
    to->texts[to->n_texts++] =
        (struct stock_text){.text = copy, .kind = kind, .parent = parent};
    return true;
}

static bool same_list(const struct demo_list *a, const struct demo_list *b)
{
    if (a->n != b->n || a->nearest != b->nearest)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->demos[i].row != b->demos[i].row ||
            !json_equal(a->demos[i].fields, b->demos[i].fields))
            return false;
    return true;
}

static bool copy_list(const struct demo_list *from, struct demo_list *out,
                      struct err *err)
{
    *out = (struct demo_list){.nearest = from->nearest};
    for (size_t i = 0; i < from->n; i++)
        if (!demo_list_add(out, &from->demos[i], err)) {
            release_list(out);
            return false;
        }
    return true;
}

bool stock_add_demos(struct stock *stock, size_t part,
                     const struct demo_list *list, const char *kind, int parent,
                     int *number, struct err *err)
{
    struct stock_part *to = &stock->parts[part];
    struct demo_list copy = {0};
    struct stock_demos *more;
    int ignored;

    if (number == NULL)
        number = &ignored;
    for (size_t i = 0; i < to->n_sets; i++) {
        *number = (int)i;
        if (same_list(&to->sets[i].list, list))
            return true;
    }
    if (!copy_list(list, &copy, err))
        return false;
    more = realloc(to->sets, (to->n_sets + 1) * sizeof *more);
    if (more == NULL) {
        release_list(&copy);
        err_nomem(err, "a demo set");
        return false;
    }
    to->sets = more;
    *number = (int)to->n_sets;
    to->sets[to->n_sets++] = (struct stock_demos){copy, kind, parent};
    return true;
}

size_t stock_at_text(size_t part)
{
    return 2 * part;
}

size_t stock_at_demos(size_t part)
{
    return 2 * part + 1;
}

size_t stock_at_tunable(const struct stock *stock, size_t tunable)
{
    return 2 * stock->n_parts + tunable;
}

size_t stock_count(const struct stock *stock, size_t at)
{
    const struct stock_part *part = &stock->parts[at / 2];

    if (at >= 2 * stock->n_parts)
        return stock->tunables[at - 2 * stock->n_parts]->n_choices;
    return at % 2 == 0 ? part->n_texts : part->n_sets;
}

static bool apply(const struct stock *stock, size_t part, const int *choices,
                  struct candidate *candidate, struct err *err)
{
    const struct stock_part *from = &stock->parts[part];
    int text = choices[stock_at_text(part)];
    int set = choices[stock_at_demos(part)];
    const struct demo_list *list = &from->sets[set].list;

    return candidate_set_instruction(candidate, part, text,
                                     from->texts[text].text, err) &&
           demo_list_apply(list, set, candidate, part, err);
}

static bool tune(const struct stock *stock, const int *choices,
                 struct candidate *candidate, struct err *err)
{
    for (size_t i = 0; i < stock->n_tunables; i++) {
        const struct tunable *tunable = stock->tunables[i];
        int choice = choices[stock_at_tunable(stock, i)];

        if (!tunable_set(tunable, candidate,
                         tunable_nth(tunable, (size_t)choice), err))
            return false;
    }
    return true;
}

struct candidate *stock_candidate(const struct stock *stock, const int *choices,
                                  struct candidate *parent, struct err *err)
{
    struct candidate *candidate = candidate_child(parent, err);
    bool ok = candidate != NULL;

    for (size_t p = 0; ok && p < stock->n_parts; p++)
        ok = apply(stock, p, choices, candidate, err);
    ok = ok && tune(stock, choices, candidate, err);
    if (ok) {
        candidate_seal(candidate);
        return candidate;
    }
    candidate_unref(candidate);
    return NULL;
}
