#include "store/evaluation_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void evaluation_index_release(struct evaluation_index *index)
{
    slots_release(&index->slots);
    slots_release(&index->verdict_slots);
    free(index->entries);
    free(index->verdicts);
    free(index->calls);
    *index = EVALUATION_INDEX_INIT;
}

bool evaluation_index_takes(int64_t candidate_id)
{
    return candidate_id >= 0 && candidate_id <= (int64_t)UINT32_MAX;
}

// --- entries ---

struct entry_key {
    uint32_t candidate;
    int32_t row;
    int32_t replicate;
};

static struct entry_key key_at(const struct evaluation_index *index,
                               size_t position)
{
    const struct evaluation_entry *entry = &index->entries[position];

    return (struct entry_key){entry->candidate, entry->row,
                              index->verdicts[entry->verdict].replicate};
}

static uint64_t hash_entry(const struct entry_key *key)
{
    return slots_hash(key->candidate, (uint64_t)(uint32_t)key->row << 32 |
                                          (uint32_t)key->replicate);
}

static uint64_t entry_hash_at(const void *user, size_t position)
{
    struct entry_key key = key_at(user, position);

    return hash_entry(&key);
}

static bool entry_is(const void *user, size_t position, const void *sought)
{
    const struct entry_key one = key_at(user, position);
    const struct entry_key *other = sought;

    return one.candidate == other->candidate && one.row == other->row &&
           one.replicate == other->replicate;
}

static struct slots_owner entries_of(const struct evaluation_index *index)
{
    return (struct slots_owner){
        .user = index, .hash = entry_hash_at, .is = entry_is};
}

// --- verdicts ---

static uint64_t bits_of(double value)
{
    uint64_t bits = 0;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t hash_verdict(const struct verdict *verdict)
{
    uint64_t rest = (uint64_t)(uint32_t)verdict->replicate << 48 |
                    (uint64_t)verdict->lenient << 32 |
                    (uint64_t)verdict->n_calls << 16 |
                    (uint64_t)verdict->repairs << 8 | verdict->outcome;

    return slots_hash(bits_of(verdict->score),
                      rest ^ bits_of((double)verdict->p_right));
}

static uint64_t verdict_hash_at(const void *user, size_t position)
{
    const struct evaluation_index *index = user;

    return hash_verdict(&index->verdicts[position]);
}

// Scores by their bits: one that is no number is the same as itself.
static bool verdict_is(const void *user, size_t position, const void *sought)
{
    const struct evaluation_index *index = user;
    const struct verdict *one = &index->verdicts[position];
    const struct verdict *other = sought;

    return bits_of(one->score) == bits_of(other->score) &&
           bits_of((double)one->p_right) == bits_of((double)other->p_right) &&
           one->replicate == other->replicate &&
           one->lenient == other->lenient && one->n_calls == other->n_calls &&
           one->repairs == other->repairs && one->outcome == other->outcome;
}

static struct slots_owner verdicts_of(const struct evaluation_index *index)
{
    return (struct slots_owner){
        .user = index, .hash = verdict_hash_at, .is = verdict_is};
}

static struct verdict make_verdict(const struct history_evaluation *evaluation)
{
    return (struct verdict){
        .score = evaluation->score,
        .p_right = evaluation->p_right,
        .replicate = evaluation->replicate,
        .lenient = (uint16_t)evaluation->lenient,
        .n_calls = (uint16_t)evaluation->n_calls,
        .repairs = (uint8_t)evaluation->repairs,
        .outcome = (uint8_t)evaluation->outcome,
    };
}

// Into room that was reserved.
static uint32_t keep_verdict(struct evaluation_index *index,
                             const struct verdict *verdict)
{
    const struct slots_owner owner = verdicts_of(index);
    uint64_t hash = hash_verdict(verdict);
    size_t at = 0;

    if (!slots_find(&index->verdict_slots, &owner, hash, verdict, &at)) {
        at = slots_add(&index->verdict_slots, hash);
        assert(at < index->verdicts_cap);
        index->verdicts[at] = *verdict;
    }
    return (uint32_t)at;
}

// --- finding ---

static void read_verdict(const struct verdict *verdict,
                         struct history_evaluation *out)
{
    out->outcome = verdict->outcome;
    out->repairs = verdict->repairs;
    out->lenient = verdict->lenient;
    out->score = verdict->score;
    out->p_right = verdict->p_right;
    out->judge_noise = -1;
    out->feedback = NULL;
    out->n_calls = verdict->n_calls;
}

bool evaluation_index_find(const struct evaluation_index *index,
                           int64_t candidate_id, int32_t row, int32_t replicate,
                           struct history_evaluation *out)
{
    const struct slots_owner owner = entries_of(index);
    const struct entry_key sought = {(uint32_t)candidate_id, row, replicate};
    size_t at = 0;

    if (!evaluation_index_takes(candidate_id) ||
        !slots_find(&index->slots, &owner, hash_entry(&sought), &sought, &at))
        return false;
    const struct evaluation_entry *entry = &index->entries[at];
    out->candidate_id = candidate_id;
    out->row = row;
    out->replicate = replicate;
    read_verdict(&index->verdicts[entry->verdict], out);
    if (out->n_calls == 1)
        out->calls[0] = entry->calls;
    for (int32_t i = 0; out->n_calls > 1 && i < out->n_calls; i++)
        out->calls[i] = index->calls[entry->calls + (size_t)i];
    return true;
}

// --- adding ---

static bool reserve_calls(struct evaluation_index *index, int32_t n_calls,
                          struct err *err)
{
    void *calls = index->calls;
    size_t need = index->n_calls + (n_calls > 1 ? (size_t)n_calls : 0);
    bool ok = need < UINT32_MAX;

    if (!ok)
        err_set(err, ERR_LIMIT, "the job has too many evaluations");
    while (ok && index->calls_cap < need)
        ok = slots_array_reserve(&calls, &index->calls_cap, index->calls_cap,
                                 sizeof *index->calls, err);
    index->calls = calls;
    return ok;
}

static bool reserve_verdict(struct evaluation_index *index, struct err *err)
{
    const struct slots_owner owner = verdicts_of(index);
    void *verdicts = index->verdicts;

    if (!slots_array_reserve(&verdicts, &index->verdicts_cap,
                             index->verdict_slots.n, sizeof *index->verdicts,
                             err))
        return false;
    index->verdicts = verdicts;
    return slots_reserve(&index->verdict_slots, &owner, err);
}

bool evaluation_index_reserve(struct evaluation_index *index, int32_t n_calls,
                              struct err *err)
{
    const struct slots_owner owner = entries_of(index);
    void *entries = index->entries;

    if (!slots_array_reserve(&entries, &index->cap, index->slots.n,
                             sizeof *index->entries, err))
        return false;
    index->entries = entries;
    return reserve_verdict(index, err) && reserve_calls(index, n_calls, err) &&
           slots_reserve(&index->slots, &owner, err);
}

static uint32_t keep_calls(struct evaluation_index *index,
                           const struct history_evaluation *evaluation)
{
    uint32_t first = (uint32_t)index->n_calls;

    if (evaluation->n_calls == 1)
        return (uint32_t)evaluation->calls[0];
    assert(index->n_calls + (size_t)evaluation->n_calls <= index->calls_cap ||
           evaluation->n_calls == 0);
    for (int32_t i = 0; i < evaluation->n_calls; i++)
        index->calls[index->n_calls++] = (uint32_t)evaluation->calls[i];
    return first;
}

void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation)
{
    struct verdict verdict = make_verdict(evaluation);
    struct evaluation_entry entry = {
        .candidate = (uint32_t)evaluation->candidate_id,
        .row = evaluation->row,
        .verdict = keep_verdict(index, &verdict),
        .calls = keep_calls(index, evaluation),
    };

    assert(evaluation_index_takes(evaluation->candidate_id));
    const struct entry_key key = {entry.candidate, entry.row,
                                  evaluation->replicate};
    size_t at = slots_add(&index->slots, hash_entry(&key));
    assert(at < index->cap);
    index->entries[at] = entry;
}
