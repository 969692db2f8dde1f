#include "search/optimizers/gepa/rewrites.h"

#include <stdlib.h>

bool rewrites_init(struct rewrites *rewrites, struct session *session,
                   int64_t iteration, size_t most, struct err *err)
{
    *rewrites = (struct rewrites){
        .session = session,
        .iteration = iteration,
        .items = calloc(most + 1, sizeof *rewrites->items),
    };
    if (rewrites->items == NULL)
        err_nomem(err, "a reflection");
    return rewrites->items != NULL;
}

void rewrites_release(struct rewrites *rewrites)
{
    for (size_t i = 0; i < rewrites->n; i++)
        question_release(&rewrites->items[i].question);
    free(rewrites->items);
    *rewrites = (struct rewrites){0};
}

void rewrites_add(struct rewrites *rewrites, size_t predictor)
{
    rewrites->items[rewrites->n++].predictor = predictor;
}

// Writes the runs that say something about a step to cases (room for all).
static size_t find_cases(const struct rewrites_source *source, int step,
                         struct reflection_case *cases)
{
    const struct runs *runs = source->runs;
    size_t n = 0;

    for (size_t i = 0; i < runs->n; i++) {
        if (!runs->items[i].scored ||
            !reflection_case_of(&runs->items[i], step, &cases[n]))
            continue;
        n += cases[n].outputs != NULL || source->unreadable;
    }
    return n;
}

// Submits a question about a step. *asked is false if no run says anything
// about it.
static bool ask_about(const struct rewrites *rewrites, struct rewrite *rewrite,
                      const struct rewrites_source *source, bool *asked,
                      struct err *err)
{
    const struct program *program = session_job(rewrites->session)->program;
    int step = program->predictors[rewrite->predictor];
    struct reflection_case *cases = calloc(source->runs->n + 1, sizeof *cases);

    if (cases == NULL) {
        err_nomem(err, "a reflection");
        return false;
    }
    const struct reflection reflection = {
        .step = &program->steps[step],
        .instruction = source->parent->parts[rewrite->predictor].instruction,
        .cases = cases,
        .n_cases = find_cases(source, step, cases),
        .temperature = 1,
        .draw = rewrites->iteration * (int64_t)program->n_predictors +
                (int64_t)rewrite->predictor,
    };
    *asked = reflection.n_cases > 0;
    bool ok = !*asked ||
              (reflection_prepare(source->form, &reflection, &rewrite->question,
                                  err) &&
               question_submit(rewrites->session, &rewrite->question, err));
    free(cases);
    return ok;
}

bool rewrites_ask(struct rewrites *rewrites,
                  const struct rewrites_source *source, struct err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < rewrites->n; i++) {
        struct rewrite *rewrite = &rewrites->items[i];
        bool asked = false;

        if (!ask_about(rewrites, rewrite, source, &asked, err))
            return false;
        if (asked && kept < i) {
            rewrites->items[kept] = *rewrite;
            *rewrite = (struct rewrite){0};
        }
        kept += asked;
    }
    rewrites->n = kept;
    return true;
}

static bool take_one(struct rewrites *rewrites, struct rewrite *rewrite,
                     struct candidate *child, bool *changed, struct err *err)
{
    char *text = NULL;
    bool ok = question_wait(rewrites->session, &rewrite->question, err) &&
              reflection_take(&rewrite->question, &text, err);

    if (text != NULL) {
        ok = candidate_set_instruction(child, rewrite->predictor,
                                       (int)rewrites->iteration + 1, text, err);
        *changed = true;
    }
    free(text);
    return ok;
}

bool rewrites_take(struct rewrites *rewrites, struct candidate *child,
                   bool *changed, struct err *err)
{
    *changed = false;
    for (size_t i = 0; i < rewrites->n; i++) {
        if (!take_one(rewrites, &rewrites->items[i], child, changed, err))
            return false;
    }
    return true;
}
