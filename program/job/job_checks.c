#include <string.h>

#include "common/text.h"
#include "program/graph/search_spec.h"
#include "program/job/documents.h"
#include "program/job/job_reader.h"

// A job that searches by embeddings must name a model for them.
static void check_embedder(struct job_reader *reader)
{
    const struct job *job = reader->job;
    const struct program *program = job->program;
    const struct job_model *model = &job->models[ROLE_EMBED];
    const struct node *demos = node_find(reader->root, "demos");
    size_t i = 0;

    while (i < program->n_steps && !job_step_embeds(job, (int)i))
        i++;
    if (!job_embeds(job) && model->name != NULL) {
        diag_add(reader->diags, DIAG_WARNING, "not-used", &model->place,
                 "nothing is searched by embeddings, so `embed` is not used");
        diag_remedy(reader->diags,
                    "write `by: embeddings` in a retrieve step or in `demos`, "
                    "or leave `embed` out");
    }
    if (!job_embeds(job) || model->name != NULL)
        return;
    if (i < program->n_steps)
        diag_add(reader->diags, DIAG_ERROR, "missing-key",
                 &program->steps[i].place,
                 "step `%s` searches by embeddings, but `models` has no "
                 "`embed`, the model that computes them",
                 program->steps[i].name);
    else
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &demos->place,
                 "demos are picked by embeddings, but `models` has no `embed`, "
                 "the model that computes them");
    diag_remedy(reader->diags, "name one, such as models: {embed: all-minilm}");
}

static bool check_tuned_fields(const struct tunable *tunable, int step,
                               const json_t *documents, struct err *err)
{
    bool ok = true;

    if (tunable->step != step || strcmp(tunable->key, "fields") != 0)
        return true;
    for (size_t i = 0; ok && i < tunable->n_choices; i++)
        ok = documents_check_fields(documents, tunable->choices[i], err);
    return ok;
}

// Documents are part of the job. They are read here once, so that mistakes in
// them are found before a run, and so that they are sent along with a
// submission.
static void check_documents(struct job_reader *reader)
{
    const struct program *program = reader->job->program;

    for (size_t i = 0; i < program->n_steps; i++) {
        const struct search_spec *spec = program->steps[i].search;
        const struct node *step =
            node_find(node_find(reader->root, "steps"), program->steps[i].name);
        const struct node *fields = node_find(step, "fields");
        json_t *documents = NULL;
        struct err err = ERR_CLEAR;
        bool ok = true;

        if (spec == NULL)
            continue;
        documents = documents_read(reader->bundle, spec->documents, &err);
        ok = documents != NULL &&
             documents_check_fields(documents, spec->fields, &err);
        for (size_t t = 0; ok && t < reader->job->tunables.n; t++)
            ok = check_tuned_fields(&reader->job->tunables.items[t], (int)i,
                                    documents, &err);
        if (err.code == ERR_NOMEM)
            (void)job_reader_nomem(reader);
        else if (!ok)
            diag_add(reader->diags, DIAG_ERROR, "documents",
                     documents != NULL && fields != NULL
                         ? &fields->place
                         : &node_find(step, "retrieve")->place,
                     "%s", err.text);
        json_decref(documents);
    }
}

static void fetch_commands(struct job_reader *reader)
{
    struct err err = ERR_CLEAR;

    if (job_fetch_commands(reader->job, reader->bundle, &err))
        return;
    if (err.code == ERR_NOMEM)
        reader->diags->nomem = true;
    else
        diag_add(reader->diags, DIAG_ERROR, "too-large", &reader->root->place,
                 "%s", err.text);
}

// The label may also be a further column of the examples, so only what looks
// like a typo is rejected.
void job_check_stratify(struct job_reader *reader)
{
    const struct job *job = reader->job;
    const char *names[2 * PROGRAM_MAX_FIELDS];
    const struct node *data = node_find(reader->root, "data");
    const struct node *node = node_find(node_find(data, "split"), "stratify");
    size_t n = 0;

    if (job->program == NULL || job->data.stratify == NULL)
        return;
    for (size_t i = 0; i < job->program->n_outputs; i++)
        names[n++] = job->program->outputs[i].name;
    for (size_t i = 0; i < job->program->n_inputs; i++)
        names[n++] = job->program->inputs[i].name;
    const char *nearest = text_nearest(job->data.stratify, names, n);
    if (nearest == NULL || strcmp(nearest, job->data.stratify) == 0)
        return;
    diag_add(reader->diags, DIAG_ERROR, "unknown-name", &node->place,
             "the program has no output `%s`, did you mean `%s`?",
             job->data.stratify, nearest);
}

void job_check_whole(struct job_reader *reader)
{
    static void (*const checks[])(struct job_reader *) = {
        fetch_commands, check_embedder, check_documents};
    size_t before = reader->diags->errors;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0] &&
                       reader->diags->errors == before && !reader->diags->nomem;
         i++)
        checks[i](reader);
}
