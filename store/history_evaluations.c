// Evaluations.

#include "store/history.h"

#include <assert.h>

#include "common/text.h"
#include "store/parts.h"

// The maximum size of a list of ids: 20 digits and a comma each.
enum { LIST_BYTES = EVALUATION_MAX_CALLS * (TEXT_INT_BYTES + 1) + 3 };

bool history_find_evaluation(struct store *store, int64_t job_no,
                             struct history_evaluation *found, struct err *err)
{
    struct job_index *job = job_index_get(store, job_no, err);

    return job != NULL &&
           evaluation_index_find(&job->evaluations, found->candidate_id,
                                 found->row, found->replicate, found);
}

// Writes "[12,13]": a JSON list, so that SQL can trace a score to its calls.
static void put_calls(struct buf *record,
                      const struct history_evaluation *evaluation)
{
    char list[LIST_BYTES];
    size_t len = 0;

    list[len++] = '[';
    for (int32_t i = 0; i < evaluation->n_calls; i++) {
        if (i > 0)
            list[len++] = ',';
        len += text_int(list + len, evaluation->calls[i]);
    }
    list[len++] = ']';
    record_text_n(record, list, len);
}

static bool put_evaluation(struct store *store, int64_t job_no,
                           const struct history_evaluation *evaluation,
                           struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_EVALUATION);
    record_int(record, job_no);
    record_int(record, evaluation->candidate_id);
    record_int(record, evaluation->row);
    record_int(record, evaluation->replicate);
    record_int(record, evaluation->outcome);
    record_int(record, evaluation->repairs);
    record_int(record, evaluation->lenient);
    record_real(record, evaluation->score);
    put_calls(record, evaluation);
    record_text(record, evaluation->feedback);
    if (evaluation->p_right >= 0)
        record_real(record, (double)evaluation->p_right);
    else
        record_null(record);
    if (evaluation->judge_noise >= 0)
        record_real(record, evaluation->judge_noise);
    else
        record_null(record);
    record_end(record);
    return store_put(store, err);
}

bool history_put_evaluation(struct store *store, int64_t job_no,
                            const struct history_evaluation *evaluation,
                            struct err *err)
{
    struct job_index *job = job_index_get(store, job_no, err);

    assert(evaluation->n_calls >= 0 &&
           evaluation->n_calls <= EVALUATION_MAX_CALLS);
    if (job == NULL ||
        !evaluation_index_reserve(&job->evaluations, evaluation, err))
        return false;
    if (!put_evaluation(store, job_no, evaluation, err))
        return false;
    evaluation_index_add(&job->evaluations, evaluation);
    return true;
}
