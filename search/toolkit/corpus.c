#include "search/toolkit/corpus.h"

#include <stdlib.h>

// Chooses what demo sets cover. A step without labels prepares those of a later
// step: demos that show all of these labels show everything it has to tell
// apart.
static void choose_covers(struct corpus *corpus, const struct program *program)
{
    const struct classes *last = NULL;

    for (size_t s = program->n_steps; s-- > 0 && last == NULL;) {
        int part = program->steps[program->order[s]].predictor;

        if (part >= 0 && corpus->classes[part].n_fields > 0)
            last = &corpus->classes[part];
    }
    for (size_t p = 0; p < program->n_predictors; p++)
        corpus->covers[p] = corpus->classes[p].n_fields > 0 || last == NULL
                                ? &corpus->classes[p]
                                : last;
}

static bool read_classes(struct corpus *corpus, struct session *session,
                         struct err *err)
{
    const struct program *program = session_job(session)->program;

    for (size_t p = 0; p < program->n_predictors; p++) {
        int step = program->predictors[p];

        if (session_plan(session)->runs[step] &&
            !classes_read(program, session_dataset(session), step, corpus->rows,
                          &corpus->classes[p], err))
            return false;
    }
    choose_covers(corpus, program);
    return true;
}

bool corpus_init(struct corpus *corpus, struct session *session,
                 struct row_span rows, struct err *err)
{
    size_t parts = session_job(session)->program->n_predictors;

    *corpus = (struct corpus){
        .rows = rows,
        .n_parts = parts,
        .classes = calloc(parts + 1, sizeof *corpus->classes),
        .covers = calloc(parts + 1, sizeof *corpus->covers),
    };
    if (corpus->classes == NULL || corpus->covers == NULL) {
        err_nomem(err, "what the examples say");
        return false;
    }
    if (!read_classes(corpus, session, err))
        return false;
    corpus->lexicon = lexicon_new(session_dataset(session), rows, err);
    return corpus->lexicon != NULL;
}

void corpus_release(struct corpus *corpus)
{
    for (size_t p = 0; corpus->classes != NULL && p < corpus->n_parts; p++)
        classes_release(&corpus->classes[p]);
    lexicon_free(corpus->lexicon);
    free(corpus->covers);
    free(corpus->classes);
    *corpus = (struct corpus){0};
}
