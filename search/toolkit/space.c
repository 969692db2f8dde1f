#include "search/toolkit/space.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/prose.h"
#include "search/toolkit/sentences.h"

static void release_list(struct demo_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        json_decref(list->demos[i].fields);
    free(list->demos);
    *list = (struct demo_list){0};
}

static void release_part(struct space_part *part)
{
    for (size_t i = 0; i < part->n_texts; i++)
        free(part->texts[i].text);
    for (size_t i = 0; i < part->n_sets; i++)
        release_list(&part->sets[i].list);
    for (size_t i = 0; i < part->n_sayings; i++)
        free(part->sayings[i]);
    free(part->texts);
    free(part->sets);
    free(part->sayings);
}

void space_release(struct space *space)
{
    for (size_t i = 0; space->parts != NULL && i < space->n_parts; i++)
        release_part(&space->parts[i]);
    free(space->parts);
    *space = (struct space){0};
}

bool space_init(struct space *space, struct session *session, struct err *err)
{
    const struct program *program = session_job(session)->program;
    const struct demo_list none = {0};

    *space =
        (struct space){.session = session, .n_parts = program->n_predictors};
    space->n_tunables =
        tunables_searched(&session_job(session)->tunables,
                          session_plan(session), space->tunables);
    space->n_choices = 2 * space->n_parts + space->n_tunables;
    space->parts = calloc(space->n_parts + 1, sizeof *space->parts);
    if (space->parts == NULL) {
        err_nomem(err, "a space of prompts");
        return false;
    }
    for (size_t p = 0; p < space->n_parts; p++) {
        const char *written =
            program_predictor(program, p)->signature.instruction;

        if (!space_add_text(space, p, written, "as written", SPACE_ORPHAN, NULL,
                            err) ||
            !space_add_demos(space, p, &none, "none", SPACE_ORPHAN, NULL, err))
            return false;
    }
    return true;
}

bool space_add_text(struct space *space, size_t part, const char *text,
                    const char *kind, int parent, int *number, struct err *err)
{
    struct space_part *to = &space->parts[part];
    struct space_text *more;
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
        (struct space_text){.text = copy, .kind = kind, .parent = parent};
    return true;
}

static bool is_said(const struct space_part *part, int parent,
                    const char *saying)
{
    if (strstr(part->texts[0].text, saying) != NULL ||
        (parent != SPACE_ORPHAN &&
         strstr(part->texts[parent].text, saying) != NULL))
        return true;
    for (size_t i = 0; i < part->n_sayings; i++)
        if (strcmp(part->sayings[i], saying) == 0)
            return true;
    return false;
}

static bool add_saying(struct space_part *part, const struct sentence *sentence,
                       int parent, struct err *err)
{
    char *saying = strndup(sentence->text, sentence->len);
    char **more = NULL;

    if (saying != NULL && is_said(part, parent, saying)) {
        free(saying);
        return true;
    }
    if (saying != NULL)
        more = realloc(part->sayings, (part->n_sayings + 1) * sizeof *more);
    if (more == NULL) {
        free(saying);
        err_nomem(err, "what the teacher said");
        return false;
    }
    part->sayings = more;
    part->sayings[part->n_sayings++] = saying;
    return true;
}

bool space_add_sayings(struct space *space, size_t part, const char *answer,
                       int parent, struct err *err)
{
    struct sentence sentence;
    bool more = sentence_first(answer, &sentence);

    for (; more && space->parts[part].n_sayings < SPACE_SAYINGS;
         more = sentence_next(&sentence))
        if (!add_saying(&space->parts[part], &sentence, parent, err))
            return false;
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

bool space_add_demos(struct space *space, size_t part,
                     const struct demo_list *list, const char *kind, int parent,
                     int *number, struct err *err)
{
    struct space_part *to = &space->parts[part];
    struct demo_list copy = {0};
    struct space_demos *more;
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
    to->sets[to->n_sets++] = (struct space_demos){copy, kind, parent};
    return true;
}

size_t space_at_text(size_t part)
{
    return 2 * part;
}

size_t space_at_demos(size_t part)
{
    return 2 * part + 1;
}

size_t space_at_tunable(const struct space *space, size_t tunable)
{
    return 2 * space->n_parts + tunable;
}

size_t space_count(const struct space *space, size_t at)
{
    const struct space_part *part = &space->parts[at / 2];

    if (at >= 2 * space->n_parts)
        return space->tunables[at - 2 * space->n_parts]->n_choices;
    return at % 2 == 0 ? part->n_texts : part->n_sets;
}

static bool apply(const struct space *space, size_t part, const int *choices,
                  struct candidate *candidate, struct err *err)
{
    const struct space_part *from = &space->parts[part];
    int text = choices[space_at_text(part)];
    int set = choices[space_at_demos(part)];
    const struct demo_list *list = &from->sets[set].list;

    return candidate_set_instruction(candidate, part, text,
                                     from->texts[text].text, err) &&
           demo_list_apply(list, set, candidate, part, err);
}

static bool tune(const struct space *space, const int *choices,
                 struct candidate *candidate, struct err *err)
{
    for (size_t i = 0; i < space->n_tunables; i++) {
        const struct tunable *tunable = space->tunables[i];
        int choice = choices[space_at_tunable(space, i)];

        if (!tunable_set(tunable, candidate,
                         tunable_nth(tunable, (size_t)choice), err))
            return false;
    }
    return true;
}

struct candidate *space_candidate(const struct space *space, const int *choices,
                                  struct candidate *parent, struct err *err)
{
    struct candidate *candidate = candidate_child(parent, err);
    bool ok = candidate != NULL;

    for (size_t p = 0; ok && p < space->n_parts; p++)
        ok = apply(space, p, choices, candidate, err);
    ok = ok && tune(space, choices, candidate, err);
    if (ok) {
        candidate_seal(candidate);
        return candidate;
    }
    candidate_unref(candidate);
    return NULL;
}
