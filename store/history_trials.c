// Candidates and trials.

#include "store/history.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "store/parts.h"

enum { PARTS_MAX = 64, PARENTS_MAX = 64 };

// A JSON list of ids takes 20 digits and a comma each.
enum { PARENTS_BYTES = PARENTS_MAX * 21 + 3 };

// --- candidates ---

struct part_ids {
    int64_t instruction_id;
    int64_t demo_set_id;
};

// Puts the texts first; each is stored once, however many candidates share it.
static bool put_texts(struct store *store, const struct history_part *part,
                      struct part_ids *ids, struct err *err)
{
    size_t text_len = strlen(part->instruction);
    size_t demos_len = strlen(part->demos);
    struct hash text = hash_of("instruction", part->instruction, text_len);
    struct hash demos = hash_of("demo-set", part->demos, demos_len);

    ids->instruction_id =
        store_text(store, &store->instructions, RECORD_INSTRUCTION, &text,
                   part->instruction, text_len, err);
    if (ids->instruction_id == 0)
        return false;
    ids->demo_set_id = store_text(store, &store->demo_sets, RECORD_DEMO_SET,
                                  &demos, part->demos, demos_len, err);
    return ids->demo_set_id != 0;
}

static void put_part(struct buf *record, int64_t candidate_id, size_t position,
                     const struct history_part *part,
                     const struct part_ids *ids)
{
    record_begin(record, RECORD_PART);
    record_int(record, candidate_id);
    record_int(record, (int64_t)position);
    record_text(record, part->step);
    record_int(record, ids->instruction_id);
    record_int(record, part->instruction_no);
    record_int(record, ids->demo_set_id);
    record_int(record, part->demo_set_no);
    record_end(record);
}

// Writes "[1,7]" and returns its length.
static size_t list_parents(const struct job_index *job,
                           const struct history_candidate *candidate,
                           char text[PARENTS_BYTES])
{
    size_t len = 1;
    int64_t id = 0;

    text[0] = '[';
    for (size_t i = 0; i < candidate->n_parents && i < PARENTS_MAX; i++)
        if (text_index_find(&job->candidates, &candidate->parents[i], &id))
            len += (size_t)snprintf(text + len, PARENTS_BYTES - len,
                                    len > 1 ? ",%" PRId64 : "%" PRId64, id);
    text[len++] = ']';
    return len;
}

static bool put_candidate(struct store *store, const struct job_index *job,
                          int64_t job_no, int64_t id,
                          const struct history_candidate *candidate,
                          struct err *err)
{
    struct part_ids ids[PARTS_MAX];
    char parents[PARENTS_BYTES];
    struct buf *record = NULL;

    if (candidate->n_parts > PARTS_MAX) {
        err_set(err, ERR_LIMIT, "a candidate has over %d steps", PARTS_MAX);
        return false;
    }
    for (size_t i = 0; i < candidate->n_parts; i++) {
        if (!put_texts(store, &candidate->parts[i], &ids[i], err))
            return false;
    }
    record = store_record(store);
    record_begin(record, RECORD_CANDIDATE);
    record_int(record, id);
    record_int(record, job_no);
    record_hash(record, &candidate->hash);
    record_text_n(record, parents, list_parents(job, candidate, parents));
    record_text(record, candidate->reason != NULL ? candidate->reason : "");
    record_int(record, clock_wall_ms());
    record_text(record, candidate->tuned != NULL ? candidate->tuned : "{}");
    record_end(record);
    for (size_t i = 0; i < candidate->n_parts; i++)
        put_part(record, id, i, &candidate->parts[i], &ids[i]);
    return store_put(store, err);
}

int64_t history_candidate(struct store *store, int64_t job_no,
                          const struct history_candidate *candidate,
                          struct err *err)
{
    struct job_index *job = job_index_get(store, job_no, err);
    int64_t id = 0;

    if (job == NULL)
        return 0;
    if (text_index_find(&job->candidates, &candidate->hash, &id))
        return id;
    id = store->next_candidate_id;
    if (!evaluation_index_takes(id)) {
        err_set(err, ERR_LIMIT,
                "the store %s is full: it cannot hold more candidates; start a "
                "new one with --store",
                FILE_SHOWN(store->path, 130));
        return 0;
    }
    if (!text_index_reserve(&job->candidates, err) ||
        !put_candidate(store, job, job_no, id, candidate, err))
        return 0;
    text_index_keep(&job->candidates, &candidate->hash, id);
    store->next_candidate_id = id + 1;
    return id;
}

// --- trials ---

static void forget_from(struct buf *record, enum record_kind kind,
                        int64_t job_no, int64_t number)
{
    record_begin(record, kind);
    record_int(record, job_no);
    record_int(record, number);
    record_end(record);
}

static void record_trial(struct buf *record, int64_t job_no,
                         const struct history_trial *trial)
{
    record_begin(record, RECORD_TRIAL);
    record_int(record, job_no);
    record_int(record, trial->number);
    record_text(record, trial->kind);
    record_int(record, trial->candidate_id);
    record_hash(record, &trial->rows);
    record_int(record, clock_wall_ms());
    record_end(record);
}

static void index_trial(struct job_index *job,
                        const struct history_trial *trial)
{
    struct trial_entry entry = {
        .candidate_id = trial->candidate_id,
        .rows = trial->rows,
        .state = "running",
        .score = (double)NAN,
    };

    (void)snprintf(entry.kind, sizeof entry.kind, "%s", trial->kind);
    *job_index_add_trial(job, trial->number) = entry;
}

static bool add_trial(struct store *store, struct job_index *job,
                      const struct history_trial *trial, struct err *err)
{
    if (!job_index_reserve_trial(job, err))
        return false;
    record_trial(store_record(store), job->job_no, trial);
    if (!store_put(store, err))
        return false;
    index_trial(job, trial);
    return true;
}

// Drops what a search decided with a smaller budget: the trials from that
// number on, and the best if it is one of them. What it paid for stays.
static bool replace_trials(struct store *store, struct job_index *job,
                           const struct history_trial *trial, struct err *err)
{
    struct buf *record;

    if (!job_index_reserve_trial(job, err))
        return false;
    record = store_record(store);
    forget_from(record, RECORD_TRIALS_FORGET, job->job_no, trial->number);
    forget_from(record, RECORD_BEST_FORGET, job->job_no, trial->number);
    record_trial(record, job->job_no, trial);
    if (!store_put(store, err))
        return false;
    job_index_forget_trials(job, trial->number);
    index_trial(job, trial);
    return true;
}

// Names the first difference, or returns NULL if there is none.
static const char *find_difference(const struct trial_entry *stored,
                                   const struct history_trial *trial)
{
    if (strncmp(stored->kind, trial->kind, sizeof stored->kind - 1) != 0)
        return "a different kind";
    if (stored->candidate_id != trial->candidate_id)
        return "a different candidate";
    if (!hash_equal(&stored->rows, &trial->rows))
        return "different rows";
    return NULL;
}

enum trial_found history_trial(struct store *store, int64_t job_no,
                               const struct history_trial *trial,
                               struct err *err)
{
    struct job_index *job = job_index_get(store, job_no, err);
    const struct trial_entry *stored = NULL;

    if (job == NULL)
        return TRIAL_OTHER;
    stored = job_index_trial(job, trial->number);
    if (stored == NULL)
        return add_trial(store, job, trial, err) ? TRIAL_NEW : TRIAL_OTHER;

    const char *difference = find_difference(stored, trial);
    if (difference == NULL)
        return TRIAL_SAME;
    if (trial->replaces)
        return replace_trials(store, job, trial, err) ? TRIAL_NEW : TRIAL_OTHER;
    err_set(err, ERR_DIFFERS,
            "trial %" PRId64 " has %s than the one in the store "
            "%s; start with a new store (--store), or with the promptcc that "
            "wrote this one",
            trial->number, difference, FILE_SHOWN(store->path, 80));
    return TRIAL_OTHER;
}

static bool same_score(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static bool same_end(const struct trial_entry *stored,
                     const struct history_trial_end *end)
{
    return strcmp(stored->state, end->state) == 0 &&
           same_score(stored->score, end->score) && stored->n == end->n &&
           stored->calls == end->calls && stored->tokens == end->tokens;
}

static bool put_end(struct store *store, int64_t job_no,
                    const struct history_trial_end *end, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_TRIAL_END);
    record_int(record, job_no);
    record_int(record, end->number);
    record_text(record, end->state);
    record_real(record, end->score);
    record_int(record, end->n);
    record_int(record, end->calls);
    record_int(record, end->tokens);
    record_int(record, clock_wall_ms());
    record_real(record, end->baseline);
    record_real(record, end->low);
    record_real(record, end->high);
    record_end(record);
    return store_put(store, err);
}

bool history_trial_end(struct store *store, int64_t job_no,
                       const struct history_trial_end *end, struct err *err)
{
    struct job_index *job = job_index_get(store, job_no, err);
    struct trial_entry *stored = NULL;

    if (job == NULL)
        return false;
    stored = job_index_trial(job, end->number);
    if (stored == NULL) {
        err_set(err, ERR_STORE, "trial %" PRId64 " ends but never began",
                end->number);
        return false;
    }
    if (same_end(stored, end))
        return true;
    if (!put_end(store, job_no, end, err))
        return false;
    (void)snprintf(stored->state, sizeof stored->state, "%s", end->state);
    stored->score = end->score;
    stored->n = end->n;
    stored->calls = end->calls;
    stored->tokens = end->tokens;
    return true;
}

bool history_put_best(struct store *store, int64_t job_no,
                      const struct history_best *best, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_JOB_BEST);
    record_int(record, job_no);
    record_int(record, best->trial);
    record_real(record, best->score);
    record_real(record, best->low);
    record_real(record, best->high);
    record_int(record, best->n);
    record_real(record, best->baseline);
    record_real(record, best->baseline_low);
    record_real(record, best->baseline_high);
    record_real(record, best->p_value);
    record_int(record, best->candidate_id);
    record_end(record);
    return store_put(store, err);
}
