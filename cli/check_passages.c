#include "cli/check_passages.h"

#include <inttypes.h>
#include <stdlib.h>

#include "program/graph/search_spec.h"
#include "program/job/documents.h"
#include "program/prompt/prompt.h"
#include "retrieve/passage.h"

static int longest_first(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;

    return (x < y) - (x > y);
}

// Returns the total bytes of the k longest passages. Returns 0 if the documents
// cannot be read, which another check reports.
static size_t longest_passages(struct bundle *bundle, const char *documents,
                               size_t k)
{
    struct err ignored = ERR_CLEAR;
    json_t *list = documents_read(bundle, documents, &ignored);
    size_t n = json_array_size(list), bytes = 0;
    size_t *each = calloc(n + 1, sizeof *each);

    for (size_t i = 0; each != NULL && i < n; i++) {
        struct buf text = BUF_INIT(PASSAGE_MAX_BYTES);

        passage_put(json_array_get(list, i), NULL, &text);
        each[i] = text.len;
        buf_release(&text);
    }
    if (each != NULL)
        qsort(each, n, sizeof *each, longest_first);
    for (size_t i = 0; each != NULL && i < k && i < n; i++)
        bytes += each[i];
    free(each);
    json_decref(list);
    return bytes;
}

void check_passages(struct jobfile *file, const struct options *options)
{
    const struct job_model *student = &file->job->models[ROLE_STUDENT];
    const struct program *program = file->job->program;
    int64_t room = (int64_t)student->options.num_ctx -
                   (int64_t)student->options.num_predict;

    (void)options;
    for (size_t s = 0; s < program->n_steps; s++) {
        const struct step *step = &program->steps[s];
        int64_t k, tokens;

        if (step->search == NULL)
            continue;
        k = search_k(step, NULL);
        tokens = (int64_t)prompt_estimate_tokens(
            longest_passages(file->bundle, step->search->documents, (size_t)k));
        if (tokens <= room)
            continue;
        diag_add(file->diags, DIAG_WARNING, "long-passages", &student->place,
                 "the %" PRId64 " longest passages that `%s` may find have "
                 "about %" PRId64
                 " tokens, and num_ctx less num_predict leaves "
                 "%" PRId64 ": such a prompt is too long, and its call fails",
                 k, step->name, tokens, room);
        diag_remedy(file->diags, "lower its `k`, cut the documents into "
                                 "shorter ones, or raise `num_ctx`");
    }
}
