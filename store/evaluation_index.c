#include "store/evaluation_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 4 }; // of a table

void evaluation_index_release(struct evaluation_index *index)
{
    for (size_t i = 0; i < index->slots.n; i++)
        free(index->tables[i].places);
    slots_release(&index->slots);
    slots_release(&index->verdict_slots);
    free(index->tables);
    free(index->verdicts);
    free(index->calls);
    *index = EVALUATION_INDEX_INIT;
}

bool evaluation_index_takes(int64_t candidate_id)
{
    return candidate_id >= 0 && candidate_id <= (int64_t)UINT32_MAX;
}

// --- tables ---

struct table_key {
    uint32_t candidate;
    int32_t replicate;
};

static uint64_t hash_table(const struct table_key *key)
{
    return slots_hash(key->candidate, (uint32_t)key->replicate);
}

static uint64_t table_hash_at(const void *user, size_t position)
{
    const struct evaluation_index *index = user;
    const struct evaluation_table *table = &index->tables[position];
    const struct table_key key = {table->candidate, table->replicate};

    return hash_table(&key);
}

static bool table_is(const void *user, size_t position, const void *sought)
{
    const struct evaluation_index *index = user;
    const struct evaluation_table *table = &index->tables[position];
    const struct table_key *key = sought;

    return table->candidate == key->candidate &&
           table->replicate == key->replicate;
}

static struct slots_owner tables_of(const struct evaluation_index *index)
{
    return (struct slots_owner){
        .user = index, .hash = table_hash_at, .is = table_is};
}

// Returns NULL if there is none.
static struct evaluation_table *find_table(const struct evaluation_index *index,
                                           const struct table_key *key)
{
    const struct slots_owner owner = tables_of(index);
    size_t at = index->last_table;

    if (at < index->slots.n && table_is(index, at, key))
        return &index->tables[at];
    return slots_find(&index->slots, &owner, hash_table(key), key, &at)
               ? &index->tables[at]
               : NULL;
}

// Like find_table, but adds the table if it is missing. Returns NULL when out
// of memory.
static struct evaluation_table *need_table(struct evaluation_index *index,
                                           const struct table_key *key,
                                           struct err *err)
{
    const struct slots_owner owner = tables_of(index);
    struct evaluation_table *table = find_table(index, key);
    void *tables = index->tables;

    if (table != NULL) {
        index->last_table = (size_t)(table - index->tables);
        return table;
    }
    if (!slots_array_reserve(&tables, &index->tables_cap, index->slots.n,
                             sizeof *index->tables, err))
        return NULL;
    index->tables = tables;
    if (!slots_reserve(&index->slots, &owner, err))
        return NULL;
    table = &index->tables[slots_add(&index->slots, hash_table(key))];
    *table = (struct evaluation_table){.candidate = key->candidate,
                                       .replicate = key->replicate};
    return table;
}

// --- a table's places ---

// Returns the place of the row, or the free place where it belongs. The 32-bit
// hash is scaled to the table (at = hash * cap / 2^32), so cap need not be a
// power of two.
static size_t place_of(const struct evaluation_table *table, int32_t row)
{
    size_t at =
        (size_t)(slots_hash((uint32_t)row, 0) * (uint64_t)table->cap >> 32);

    while (table->places[at].verdict != 0 && table->places[at].row != row)
        at = at + 1 == table->cap ? 0 : at + 1;
    return at;
}

static bool grow_table(struct evaluation_table *table, struct err *err)
{
    struct evaluation_table grown = *table;

    grown.cap =
        table->cap < FIRST_CAP ? FIRST_CAP : table->cap + table->cap / 2;
    grown.places = calloc(grown.cap, sizeof *grown.places);
    if (grown.places == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    for (uint32_t i = 0; i < table->cap; i++) {
        const struct evaluation_entry *entry = &table->places[i];

        if (entry->verdict != 0)
            grown.places[place_of(&grown, entry->row)] = *entry;
    }
    free(table->places);
    *table = grown;
    return true;
}

// Keeps a quarter of the places free, so that searches are short.
static bool reserve_place(struct evaluation_table *table, struct err *err)
{
    return (uint64_t)(table->n + 1) * 4 <= (uint64_t)table->cap * 3 ||
           grow_table(table, err);
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
    uint64_t rest = (uint64_t)verdict->lenient << 32 |
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

// Compares scores by their bits, so that NaN equals itself.
static bool verdict_is(const void *user, size_t position, const void *sought)
{
    const struct evaluation_index *index = user;
    const struct verdict *one = &index->verdicts[position];
    const struct verdict *other = sought;

    return bits_of(one->score) == bits_of(other->score) &&
           bits_of((double)one->p_right) == bits_of((double)other->p_right) &&
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
        .lenient = (uint16_t)evaluation->lenient,
        .n_calls = (uint16_t)evaluation->n_calls,
        .repairs = (uint8_t)evaluation->repairs,
        .outcome = (uint8_t)evaluation->outcome,
    };
}

// Room must be reserved.
static uint32_t keep_verdict(struct evaluation_index *index,
                             const struct verdict *verdict)
{
    const struct slots_owner owner = verdicts_of(index);
    size_t at = index->last_verdict;
    uint64_t hash;

    if (at < index->verdict_slots.n && verdict_is(index, at, verdict))
        return (uint32_t)at;
    hash = hash_verdict(verdict);
    if (!slots_find(&index->verdict_slots, &owner, hash, verdict, &at)) {
        at = slots_add(&index->verdict_slots, hash);
        assert(at < index->verdicts_cap);
        index->verdicts[at] = *verdict;
    }
    index->last_verdict = at;
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

static void read_entry(const struct evaluation_index *index,
                       const struct evaluation_table *table,
                       const struct evaluation_entry *entry,
                       struct history_evaluation *out)
{
    out->candidate_id = table->candidate;
    out->row = entry->row;
    out->replicate = table->replicate;
    read_verdict(&index->verdicts[entry->verdict - 1], out);
    if (out->n_calls == 1)
        out->calls[0] = entry->calls;
    for (int32_t i = 0; out->n_calls > 1 && i < out->n_calls; i++)
        out->calls[i] = index->calls[entry->calls + (size_t)i];
}

bool evaluation_index_find(const struct evaluation_index *index,
                           int64_t candidate_id, int32_t row, int32_t replicate,
                           struct history_evaluation *out)
{
    const struct table_key key = {(uint32_t)candidate_id, replicate};
    const struct evaluation_table *table;
    const struct evaluation_entry *entry;

    if (!evaluation_index_takes(candidate_id))
        return false;
    table = find_table(index, &key);
    if (table == NULL || table->n == 0)
        return false;
    entry = &table->places[place_of(table, row)];
    if (entry->verdict == 0)
        return false;
    read_entry(index, table, entry, out);
    return true;
}

// --- adding ---

static bool reserve_lists(struct evaluation_index *index, size_t n_calls,
                          struct err *err)
{
    void *calls = index->calls;
    size_t need = index->n_calls + n_calls;
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

bool evaluation_index_reserve(struct evaluation_index *index,
                              const struct history_evaluation *evaluation,
                              struct err *err)
{
    const struct table_key key = {(uint32_t)evaluation->candidate_id,
                                  evaluation->replicate};
    struct evaluation_table *table = need_table(index, &key, err);

    return table != NULL && reserve_place(table, err) &&
           reserve_verdict(index, err) &&
           reserve_lists(
               index, evaluation->n_calls > 1 ? (size_t)evaluation->n_calls : 0,
               err);
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
    const struct table_key key = {(uint32_t)evaluation->candidate_id,
                                  evaluation->replicate};
    struct verdict verdict = make_verdict(evaluation);
    struct evaluation_table *table = find_table(index, &key);
    struct evaluation_entry *place;

    assert(evaluation_index_takes(evaluation->candidate_id));
    assert(table != NULL && table->n < table->cap);
    place = &table->places[place_of(table, evaluation->row)];
    if (place->verdict != 0)
        return;
    *place = (struct evaluation_entry){
        .row = evaluation->row,
        .verdict = keep_verdict(index, &verdict) + 1,
        .calls = keep_calls(index, evaluation),
    };
    table->n++;
}

// Adds entries one by one, for a table that both indexes have.
static bool add_entries(struct evaluation_index *index,
                        const struct evaluation_index *later,
                        const struct evaluation_table *table, struct err *err)
{
    struct history_evaluation one;

    for (uint32_t i = 0; i < table->cap; i++) {
        if (table->places[i].verdict == 0)
            continue;
        read_entry(later, table, &table->places[i], &one);
        if (!evaluation_index_reserve(index, &one, err))
            return false;
        evaluation_index_add(index, &one);
    }
    return true;
}

// Where the positions of a later index end up in this one.
struct renumbering {
    uint32_t *verdicts; // owned; the new position of each verdict
    uint32_t calls;     // added to the start of each list
};

static bool renumber(struct evaluation_index *index,
                     const struct evaluation_index *later,
                     struct renumbering *out, struct err *err)
{
    out->calls = (uint32_t)index->n_calls;
    out->verdicts = malloc((later->verdict_slots.n + 1) * sizeof(uint32_t));
    if (out->verdicts == NULL) {
        err_nomem(err, "an index of the store");
        return false;
    }
    for (size_t i = 0; i < later->verdict_slots.n; i++) {
        if (!reserve_verdict(index, err))
            return false;
        out->verdicts[i] = keep_verdict(index, &later->verdicts[i]);
    }
    if (!reserve_lists(index, later->n_calls, err))
        return false;
    if (later->n_calls > 0)
        memcpy(index->calls + index->n_calls, later->calls,
               later->n_calls * sizeof *index->calls);
    index->n_calls += later->n_calls;
    return true;
}

// Moves a table that this index does not have yet, as a whole.
static void take_table(const struct evaluation_index *later,
                       struct evaluation_table *from,
                       const struct renumbering *as,
                       struct evaluation_table *to)
{
    to->places = from->places;
    to->n = from->n;
    to->cap = from->cap;
    from->places = NULL;
    from->n = from->cap = 0;
    for (uint32_t i = 0; i < to->cap; i++) {
        struct evaluation_entry *entry = &to->places[i];

        if (entry->verdict == 0)
            continue;
        if (later->verdicts[entry->verdict - 1].n_calls != 1)
            entry->calls += as->calls;
        entry->verdict = as->verdicts[entry->verdict - 1] + 1;
    }
}

bool evaluation_index_add_all(struct evaluation_index *index,
                              struct evaluation_index *later, struct err *err)
{
    struct renumbering as = {0};
    bool ok = renumber(index, later, &as, err);

    for (size_t i = 0; ok && i < later->slots.n; i++) {
        struct evaluation_table *from = &later->tables[i];
        const struct table_key key = {from->candidate, from->replicate};
        struct evaluation_table *to = need_table(index, &key, err);

        ok = to != NULL;
        if (ok && to->cap > 0)
            ok = add_entries(index, later, from, err);
        else if (ok)
            take_table(later, from, &as, to);
    }
    free(as.verdicts);
    return ok;
}
