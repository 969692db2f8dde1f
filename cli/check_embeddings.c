#include "cli/check_embeddings.h"

#include "common/text.h"
#include "retrieve/retrieval.h"

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

void check_embeddings(struct jobfile *file, const struct options *options)
{
    const struct job_model *model = &file->job->models[ROLE_EMBED];
    size_t n = embeddings_count(file);
    const struct job_budget *budget = &file->job->budget;
    char texts[TEXT_COUNTED_BYTES];

    (void)options;
    if (n == 0)
        return;
    (void)text_counted(texts, (int64_t)n, "text");
    if (budget->max_calls > 0 && (int64_t)n >= budget->max_calls) {
        diag_add(file->diags, DIAG_ERROR, "embeddings", &model->place,
                 "%s of the documents are embedded first, one a call, and "
                 "`max_calls` is %lld: nothing is left for the search",
                 texts, (long long)budget->max_calls);
        diag_remedy(file->diags,
                    "raise `max_calls`, or search fewer documents");
        return;
    }
    diag_add(file->diags, DIAG_INFO, "embeddings", &model->place,
             "%s of the documents are embedded by `%s` before the first trial, "
             "one a call; so is each query that is new",
             texts, model->name);
    diag_remedy(file->diags, "they are kept in the store: a later run pays for "
                             "what has changed");
}
