#include "store/evaluation_index.h"

#include <assert.h>
#include <stdlib.h>

void evaluation_index_release(struct evaluation_index *index)
{
    key_index_release(&index->keys);
    free(index->entries);
    free(index->calls);
    *index = EVALUATION_INDEX_INIT;
}

static struct hash key_for(int64_t candidate_id, int32_t row, int32_t replicate)
{
    return key_of(candidate_id, (int64_t)row * (INT64_C(1) << 32) + replicate);
}

bool evaluation_index_find(const struct evaluation_index *index,
                           int64_t candidate_id, int32_t row, int32_t replicate,
                           struct history_evaluation *out)
{
    struct hash key = key_for(candidate_id, row, replicate);
    size_t at = 0;

    if (!key_index_find(&index->keys, &key, &at))
        return false;
    const struct evaluation_entry *entry = &index->entries[at];
    out->candidate_id = candidate_id;
    out->row = row;
    out->replicate = replicate;
    out->outcome = entry->outcome;
    out->repairs = entry->repairs;
    out->lenient = entry->lenient;
    out->score = entry->score;
    out->p_right = entry->p_right;
    out->judge_noise = -1;
    out->feedback = NULL;
    out->n_calls = entry->n_calls;
    for (size_t i = 0; i < entry->n_calls; i++)
        out->calls[i] = index->calls[entry->calls_at + i];
    return true;
}

static bool reserve_calls(struct evaluation_index *index, int32_t n_calls,
                          struct err *err)
{
    void *calls = index->calls;
    size_t need = index->n_calls + (size_t)n_calls;
    bool ok = need < UINT32_MAX;

    if (!ok)
        err_set(err, ERR_LIMIT, "the job has too many evaluations");
    while (ok && index->calls_cap < need)
        ok = key_array_reserve(&calls, &index->calls_cap, index->calls_cap,
                               sizeof *index->calls, err);
    index->calls = calls;
    return ok;
}

bool evaluation_index_reserve(struct evaluation_index *index, int32_t n_calls,
                              struct err *err)
{
    void *entries = index->entries;

    if (!key_array_reserve(&entries, &index->cap, index->keys.n,
                           sizeof *index->entries, err))
        return false;
    index->entries = entries;
    return reserve_calls(index, n_calls, err) &&
           key_index_reserve(&index->keys, err);
}

void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation)
{
    struct hash key = key_for(evaluation->candidate_id, evaluation->row,
                              evaluation->replicate);

    assert(index->keys.n < index->cap);
    assert(index->n_calls + (size_t)evaluation->n_calls <= index->calls_cap ||
           evaluation->n_calls == 0);
    size_t at = key_index_add(&index->keys, &key);
    index->entries[at] = (struct evaluation_entry){
        .score = evaluation->score,
        .calls_at = (uint32_t)index->n_calls,
        .p_right = evaluation->p_right,
        .lenient = (uint16_t)evaluation->lenient,
        .repairs = (uint8_t)evaluation->repairs,
        .outcome = (uint8_t)evaluation->outcome,
        .n_calls = (uint16_t)evaluation->n_calls,
    };
    for (int32_t i = 0; i < evaluation->n_calls; i++)
        index->calls[index->n_calls++] = (uint32_t)evaluation->calls[i];
}
