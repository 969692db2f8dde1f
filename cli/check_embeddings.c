#include "cli/check_embeddings.h"

#include "common/text.h"
#include "retrieve/retrieval.h"

enum { TEXTS_BYTES = 4096 };

size_t embeddings_count(const struct jobfile *file)
{
    const struct job *job = file->job;
    struct retrieval *retrieval = NULL;
    struct err ignored = ERR_CLEAR;
    json_t *texts = NULL;
    size_t n;

    if (job_embeds(job) &&
        retrieval_open(job->program, file->bundle, &retrieval, &ignored))
        texts = retrieval_texts(retrieval, job->program, NULL, &job->tunables,
                                &ignored);
    n = json_array_size(texts);
    json_decref(texts);
    retrieval_close(retrieval);
    return n;
}

// Counts the same for demos that are picked by embeddings: at most one text for
// each row that may be a demo, for each step that is searched.
static size_t count_pool_texts(const struct jobfile *file)
{
    const struct job *job = file->job;
    const struct program *program = job->program;

    if (job->n_nearest == 0 || !file->optimizer->pools ||
        program->pools_by != SEARCH_BY_EMBEDDINGS)
        return 0;
    return plan_predictors(&file->plan, program, NULL) *
           file->split.n[SHARE_TRAIN];
}

// Appends "40 texts of the documents and up to 12 of the demo pools".
static void put_texts(size_t documents, size_t pools, struct buf *out)
{
    char counted[TEXT_COUNTED_BYTES];

    if (documents > 0)
        buf_printf(out, "%s of the documents%s",
                   text_counted(counted, (int64_t)documents, "text"),
                   pools > 0 ? " and " : "");
    if (pools > 0)
        buf_printf(out, "up to %s of the demo pools",
                   text_counted(counted, (int64_t)pools, "text"));
}

void check_embeddings(struct jobfile *file, const struct options *options)
{
    const struct job_model *model = &file->job->models[ROLE_EMBED];
    size_t documents = embeddings_count(file);
    size_t pools = count_pool_texts(file);
    const struct job_budget *budget = &file->job->budget;
    struct buf texts = BUF_INIT(TEXTS_BYTES);

    (void)options;
    if (documents + pools == 0)
        return;
    put_texts(documents, pools, &texts);
    if (texts.failed) {
        file->diags->nomem = true;
    } else if (budget->max_calls > 0 &&
               (int64_t)(documents + pools) >= budget->max_calls) {
        diag_add(file->diags, DIAG_ERROR, "embeddings", &model->place,
                 "%s are embedded, one per call, and `max_calls` is %lld: "
                 "nothing is left for the search",
                 texts.data, (long long)budget->max_calls);
        diag_remedy(file->diags,
                    "raise `max_calls`, or search fewer documents");
    } else {
        diag_add(
            file->diags, DIAG_INFO, "embeddings", &model->place,
            "%s are embedded by `%s`, one per call%s; so is each new query",
            texts.data, model->name,
            documents > 0 ? ", those of documents before the first trial" : "");
        diag_remedy(
            file->diags,
            "the store keeps them: a later run pays only for what has changed");
    }
    buf_release(&texts);
}
